"""Pictures of computation graphs and of the gradients that flow back through them.

A graph becomes a *scene* (boxes, edges, steps), the scene gets a *layout* (coordinates, by
Graphviz), and a *painter* writes it as SVG or DOT.
"""

from tinygrad_rnn.viz.chart import Chart
from tinygrad_rnn.viz.gradient_flow import FlowChart, gradient_flow
from tinygrad_rnn.viz.heat_map import heat_map
from tinygrad_rnn.viz.picture import Picture, draw, to_dot

__all__ = ["Chart", "FlowChart", "Picture", "draw", "gradient_flow", "heat_map", "to_dot"]

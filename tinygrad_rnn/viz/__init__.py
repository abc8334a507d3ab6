"""Pictures of computation graphs and of the gradients that flow back through them.

A graph becomes a *scene* (boxes, edges, steps), the scene gets a *layout* (coordinates, by
Graphviz), and a *painter* writes it as SVG or DOT.  The *player* puts it on a page where a
reader steps through the backward walk.
"""

from tinygrad_rnn.viz.chart import Chart
from tinygrad_rnn.viz.comparison import compare
from tinygrad_rnn.viz.gradient_flow import FlowChart, gradient_flow
from tinygrad_rnn.viz.grid import contribution_map, error_surface
from tinygrad_rnn.viz.heat_map import heat_map
from tinygrad_rnn.viz.picture import Picture, draw, to_dot
from tinygrad_rnn.viz.player import LivePlayer, Player, play
from tinygrad_rnn.viz.training import training_curves, watch
from tinygrad_rnn.viz.worksheet import worksheet


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "Chart",
    "FlowChart",
    "LivePlayer",
    "Picture",
    "Player",
    "compare",
    "contribution_map",
    "draw",
    "error_surface",
    "gradient_flow",
    "heat_map",
    "play",
    "to_dot",
    "training_curves",
    "watch",
    "worksheet",
]

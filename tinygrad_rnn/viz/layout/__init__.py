"""Where everything stands: a scene goes in, coordinates come out."""

from __future__ import annotations

from tinygrad_rnn.viz.layout.flat import flat
from tinygrad_rnn.viz.layout.model import Frame, Layout, Rect, Wire
from tinygrad_rnn.viz.layout.score import score
from tinygrad_rnn.viz.scene import Scene

__all__ = ["Frame", "Layout", "Rect", "Wire", "lay_out"]


def lay_out(scene: Scene) -> Layout:
    """The score layout for a graph with time steps, the flat one for any other."""
    return score(scene) if scene.steps else flat(scene)

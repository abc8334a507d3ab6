"""What the signs in a picture mean, said only of those that are in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinygrad_rnn.viz.scene import Bars, Box, Gates, Lane, Row, Scene
from tinygrad_rnn.viz.source import NOTHING

_SIGNS = (
    (r"‖", "‖·‖: root of the sum of squares"),
    (r"∂", "∂: gradient of the result by it"),
    (r"⊙", "⊙: product, element by element"),
    (r"@", "@: matrix product"),
    (r"σ", "σ: sigmoid"),
    (r" ; ", "[a ; b]: joined"),
    (r"⁽[⁰¹²³⁴-⁹]+⁾", "⁽¹⁾: of layer 1, the second"),
    (r"⁽[⁰¹²³⁴-⁹]+ʳ⁾", "⁽⁰ʳ⁾: of layer 0 reading backwards"),
    (r"′", "c′: c of the step before"),
)
_GATES = (
    ("ifgo", "gates: i input, f forget, g candidate, o output"),
    ("rzn", "gates: r reset, z update, n candidate"),
)


def signs_in(scene: Scene) -> list[str]:
    """The signs that need a word, each with it.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.viz.build import scene_of
    >>> from tinygrad_rnn.viz.source import source_of
    >>> signs_in(scene_of(source_of(tg.sigmoid(tg.ones(1, requires_grad=True)))))
    ['σ: sigmoid']
    """
    written = "\n".join(_written(scene))
    said = [word for sign, word in _SIGNS if re.search(sign, written)]
    parts = [part for box in scene.boxes.values() for part in box.parts]
    if any(isinstance(part, Bars) for part in parts):
        said.append("bars at weights: what each step gave, up to the largest in the row")
    if any(getattr(part, "ways", "") for part in parts):
        said.append("norms of parts do not add up: parts may cancel (point at a gradient)")
    said += _on_gradients(scene)
    gates = {name for part in parts if isinstance(part, Gates) for name, _, _ in part.means}
    return said + [word for names, word in _GATES if gates and gates <= set(names)]


def _on_gradients(scene: Scene) -> list[str]:
    """What it means that somewhere no gradient is written, in a picture that has some."""
    boxes = (box for box in scene.boxes.values() if box.style in ("tensor", "cell", "weights"))
    written = [_gradients(box) for box in boxes] if scene.scale else []
    said = []
    if not all(each and all(each) for each in written):
        said.append("no gradient shown: it needs none")
    if any(NOTHING in each for each in written):
        said.append(f"{NOTHING}: it needs a gradient, and has none")
    return said


def _gradients(box: Box) -> list[str]:
    """What is written of gradients in a box, and "" in a lane that has none."""
    rows = (part for part in box.parts if isinstance(part, Row) and part.label == "grad")
    lanes = (part.chip for part in box.parts if isinstance(part, Lane))
    return [*lanes, *(row.lines[0] for row in rows)]


def _written(scene: Scene) -> Iterator[str]:
    for box in scene.boxes.values():
        yield f"{box.name} {box.expression}"
        for part in box.parts:
            yield from part.words()
    for edge in scene.edges:
        yield f"{edge.label} {edge.peak}"

"""A picture that is too large for a sheet, in parts: each says itself what it reads of others.

A part is a picture of its own, laid out like any other.  It ends between time steps, or what stands
before and behind them; where that is not enough between layers, and at last anywhere.  What it has
to do with boxes of other parts stands in it once more: dashed, and without what is to be filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace

from tinygrad_rnn.viz import measure
from tinygrad_rnn.viz.layout import Layout, lay_out
from tinygrad_rnn.viz.scene import Box, Edge, Row, Scene

Part = tuple[Scene, Layout]
Fits = Callable[[Layout, bool], bool]


def parts_of(scene: Scene, fits: Fits) -> list[Part]:
    """The parts of a scene, laid out, of which each fits, or has one box that is its own.

    Parameters
    ----------
    scene : Scene
    fits : function of (layout, is_first)
        Whether a part is small enough, and for the first one, above which more may stand.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.viz.build import scene_of
    >>> from tinygrad_rnn.viz.source import source_of
    >>> scene = scene_of(source_of(tg.nn.RNN(1, 1)(tg.ones(3, 1))[0].sum()), steps="all")
    >>> parts = parts_of(scene, lambda layout, is_first: layout.width < 1200)
    >>> [part.steps for part, _ in parts]
    [[1], [2], [3]]
    """
    layout = lay_out(scene)
    if fits(layout, True):
        return [(scene, layout)]
    return _Cutting(scene, fits).parts()


class _Cutting:
    def __init__(self, scene: Scene, fits: Fits) -> None:
        self.scene, self.fits = scene, fits
        made = {edge.target for edge in scene.edges}
        self.first = min(scene.boxes.values(), key=_when).index
        self.leaves = scene.boxes.keys() - made

    def parts(self) -> list[Part]:
        """The parts, laid out."""
        every = sorted(self.scene.boxes, key=lambda index: (self._first_use(index), index))
        return [self._part(own) for own in self._cut(every)]

    def _first_use(self, index: int) -> int:
        """Of a leaf what reads it first: it should stand there; of any other box itself."""
        users = [edge.target for edge in self.scene.edges if edge.source == index]
        return min(users, default=index) if index in self.leaves else index

    def _cut(self, own: list[int]) -> list[list[int]]:
        """Boxes in as few parts that fit as there can be: units, or parts of them."""
        if len(own) < 2 or self._fit(own):
            return [own]
        first, *others = [part for unit in self._units(own) for part in self._cut(unit)]
        found = [first]
        for part in others:
            together = [*found[-1], *part]
            if not self._is_torn(together) and self._fit(together):
                found[-1] = together
            else:
                found.append(part)
        return found

    def _is_torn(self, own: list[int]) -> bool:
        """Whether these are of several time steps, and not all of each."""
        steps = {self.scene.boxes[index].step for index in own} - {None}
        whole = {box.index for box in self.scene.boxes.values() if box.step in steps}
        return len(steps) > 1 and not whole <= set(own)

    def _fit(self, own: list[int]) -> bool:
        _, layout = self._part(own)
        return self.fits(layout, self.first in own)

    def _units(self, own: list[int]) -> list[list[int]]:
        """What should not be torn: what is around the steps, each of these, a layer in one."""
        boxes = sorted((self.scene.boxes[index] for index in own), key=_when)
        for kind in (_when, _layer):
            units: dict[Hashable, list[int]] = {}
            for box in boxes:
                units.setdefault(kind(box), []).append(box.index)
            if len(units) > 1:
                return list(units.values())
        middle = self._narrow(own)
        return [own[:middle], own[middle:]]

    def _narrow(self, own: list[int]) -> int:
        """Where near the middle the fewest wires go on to what is computed later."""
        at = {index: i for i, index in enumerate(own)}
        spans = [
            (at[edge.source], at[edge.target])
            for edge in self.scene.edges
            if edge.source in at and edge.target in at
        ]
        third, half = max(1, len(own) // 3), len(own) / 2
        return min(
            range(third, len(own) - third + 1),
            key=lambda i: (sum(a < i <= b for a, b in spans), abs(i - half)),
        )

    def _part(self, own: Iterable[int]) -> Part:
        scene, chosen = self.scene, set(own)
        steps = [step for step in scene.steps
                 if any(scene.boxes[index].step == step for index in chosen)]  # fmt: skip
        edges = [edge for edge in scene.edges if self._is_shown(edge, chosen)]
        read = {edge.source for edge in edges} - chosen  # it cannot stand above as well
        edges = [edge for edge in edges if edge.target not in read]
        users = {edge.target for edge in edges} - chosen
        boxes = {}
        for index, box in scene.boxes.items():
            if index in chosen:
                is_loose = box.region == "left" and all(edge.source != index for edge in edges)
                boxes[index] = replace(box, region="bottom" if is_loose else box.region)
            elif index in read | users:
                users_here = [scene.boxes[e.target] for e in edges if e.source == index]
                boxes[index] = self._repeated(box, steps, users_here)
        part = replace(scene, boxes=boxes, edges=edges, steps=steps)
        return part, lay_out(part)

    def _is_shown(self, edge: Edge, own: set[int]) -> bool:
        """Whether a wire is drawn: who reads a leaf elsewhere is said there."""
        return edge.target in own or (edge.source in own and edge.source not in self.leaves)

    def _repeated(self, box: Box, steps: list[int], users: list[Box]) -> Box:
        """A box of another part, where it can stand here: below its users, if there are any."""
        rows = [part for part in box.parts if not (isinstance(part, Row) and part.blank)]
        where = box.note if box.step is None else self.scene.labels[box.step]
        made = replace(
            box, style="initial", parts=rows, expression="", note=where, visit="", step=None,
            region=_region(box, steps, users),
        )  # fmt: skip
        measure.fit(made)
        return made


def _when(box: Box) -> float:
    """Before all steps, at one of them, or after all."""
    if box.step is not None:
        return box.step
    return float("inf") if box.region == "top" else float("-inf")


def _layer(box: Box) -> str:
    return box.band


def _region(box: Box, steps: list[int], users: list[Box]) -> str:
    """Where a box stands that is read, or reads something, at other steps than its own."""
    if all(user.region == "top" for user in users):
        return "top"
    if box.region != "step":
        return "bottom" if box.region == "top" else box.region
    if box.step in steps or not steps or box.step is None:
        return "bottom"
    return "before" if box.step < steps[0] else "after"

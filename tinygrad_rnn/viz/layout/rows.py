"""The rows of the score layout: which box stands on which, before anything has coordinates.

Below all stands what the steps read and no step made, then the bands, then what is made of the
steps' results.  Each of them is a tier; a tier has as many rows as its tallest block.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinygrad_rnn.viz.layout.bands import bands
from tinygrad_rnn.viz.layout.template import Pair, Template, template
from tinygrad_rnn.viz.scene import Box, Scene

Group = tuple[int, "int | None", list[int]]  # tier, step and members of a block to be
Signature = tuple[int, tuple[str, ...], tuple[Pair, ...]]  # tier, operations and their wiring


@dataclass(slots=True)
class Block:
    """Boxes that are laid out together: a band at a step, or what is below or above all."""

    tier: int
    step: int | None
    members: list[int]
    template: Template
    pairs: dict[Pair, Pair]  # boxes' indices -> places in the template
    start: float = 0.0  # the x of its left side


class PictureRows:
    """Rows are numbered from the bottom; ``first[tier]`` is a tier's lowest."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.bands = bands(scene)
        self.column_of: dict[int | None, int] = {step: i for i, step in enumerate(scene.steps)}
        self.blocks = _stamped(scene, [group for group in self._groups() if group[2]])
        self.block_of = {index: block for block in self.blocks for index in block.members}
        tiers = len(self.bands) + 2
        heights = [0] * tiers
        for block in self.blocks:
            heights[block.tier] = max(heights[block.tier], block.template.rows)
        self.first = [sum(heights[:tier]) for tier in range(tiers + 1)]
        self.count = self.first[-1]
        self.of = self._rows()

    def boxes(self, region: str) -> list[Box]:
        """The boxes of a region, oldest first."""
        return [box for box in self.scene.boxes.values() if box.region == region]

    def is_framed(self, block: Block) -> bool:
        """Whether a frame with the layer's name is drawn round the block."""
        alone = len(block.members) == 1 and self.scene.boxes[block.members[0]].style not in (
            "tensor",
            "rolled",
        )
        return bool(self.name_of(block)) and not alone  # a cell says itself what it is

    def is_framed_tier(self, tier: int) -> bool:
        """Whether any step has a frame in the tier."""
        return any(self.is_framed(block) for block in self.blocks if block.tier == tier)

    def name_of(self, block: Block) -> str:
        """The name of a block's layer, if it has one."""
        return self.bands[block.tier - 1].name if block.step is not None else ""

    def _groups(self) -> list[Group]:
        groups: list[Group] = [(0, None, [box.index for box in self.boxes("bottom")])]
        for tier, band in enumerate(self.bands, 1):
            steps: dict[int | None, list[int]] = {}
            for index in band.members:
                steps.setdefault(self.scene.boxes[index].step, []).append(index)
            groups += [(tier, step, members) for step, members in steps.items()]
        return [*groups, (len(self.bands) + 1, None, [box.index for box in self.boxes("top")])]

    def _rows(self) -> dict[int, int]:
        """The row of every box but the parameters at the left."""
        row = {}
        for block in self.blocks:
            for index, (_, local) in zip(block.members, block.template.slots, strict=True):
                row[index] = self.first[block.tier] + local
        for box in [
            *self.boxes("before"),
            *self.boxes("after"),
        ]:  # beside the states of the steps, or else their users
            users = [edge.target for edge in self.scene.edges if edge.source == box.index]
            beside = [box.peer, *users] if box.peer is not None else users
            row[box.index] = next((row[i] for i in beside if i in row), self.first[1])
        return row


def _stamped(scene: Scene, groups: list[Group]) -> list[Block]:
    """Lay out the groups, those of one signature only once, with room for the largest."""
    inner = _inner_edges(scene, groups)
    kinds: dict[Signature, list[Group]] = {}
    pairs: list[dict[Pair, Pair]] = []
    for i, (tier, step, members) in enumerate(groups):
        members.sort(key=lambda index: (scene.boxes[index].signature == "", index))
        at = {index: place for place, index in enumerate(members)}
        pairs.append({(a, b): (at[a], at[b]) for a, b in inner[i]})
        what = tuple(scene.boxes[index].signature for index in members)
        kinds.setdefault((tier, what, tuple(pairs[i].values())), []).append((i, step, members))
    blocks: dict[int, Block] = {}
    for (tier, _, wiring), same in kinds.items():
        boxes = [[scene.boxes[index] for index in members] for _, _, members in same]
        sizes = [
            (max(b.width for b in twins), max(b.height for b in twins))
            for twins in zip(*boxes, strict=True)
        ]
        laid = template(sizes, list(wiring))
        for group, (i, step, members) in zip(boxes, same, strict=True):
            for box, (width, height) in zip(group, sizes, strict=True):
                box.width, box.height = width, height
            blocks[i] = Block(tier, step, members, laid, pairs[i])
    return [blocks[i] for i in sorted(blocks)]


def _inner_edges(scene: Scene, groups: list[Group]) -> list[list[Pair]]:
    """For each group the edges inside it, each pair of boxes once."""
    group_of = {index: i for i, (_, _, members) in enumerate(groups) for index in members}
    inner: list[dict[Pair, None]] = [{} for _ in groups]
    for edge in scene.edges:
        group = group_of.get(edge.source)
        if group is not None and group == group_of.get(edge.target) and not edge.delay:
            inner[group][edge.source, edge.target] = None
    return [list(pairs) for pairs in inner]

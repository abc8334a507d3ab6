"""Two walks in one picture, on one scale of colours, with what differs marked."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable
from typing import Any

from tinygrad_rnn.bptt.record import Record, expect_record
from tinygrad_rnn.reading.roles import OUTER
from tinygrad_rnn.viz import marks
from tinygrad_rnn.viz.build import READABLE, heat, scene_of
from tinygrad_rnn.viz.chart import Chart, theme_of
from tinygrad_rnn.viz.languages import painted_in, speaking, told_in
from tinygrad_rnn.viz.layout import lay_out
from tinygrad_rnn.viz.legend import Legend
from tinygrad_rnn.viz.options import one_of, title_or
from tinygrad_rnn.viz.page import EDGE_OF_PAGE, heading_width, opening, title_room
from tinygrad_rnn.viz.rolling import rolled_scene
from tinygrad_rnn.viz.scene import Box, Course, Lane, Row, Scene, Strip
from tinygrad_rnn.viz.schemes import settled
from tinygrad_rnn.viz.source import source_of
from tinygrad_rnn.viz.svg import graph
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.palette import Theme
from tinygrad_rnn.writing.text import clean

LEVELS = ("auto", "op", "cell", "rolled")
_BESIDE = 1800.0  # points: what is wider together stands one below the other
_APART, _NAME, _NAME_ROOM = 60.0, 17.0, 34.0
_SUBSCRIPT = re.compile("[₀-₉]+")
_NUMERALS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_ALIKE = 0.02  # norms that differ by less than this part of the larger are not marked


def compare(
    walk_a: Record, walk_b: Record, *, level: str = "auto", names: tuple[str, str] = ("A", "B"),
    max_nodes: int = READABLE, theme: str = "light", title: str | None = None,
    language: str = "en",
) -> Chart:  # fmt: skip
    """Draw two walks in one picture: before and after training, truncated and not, RNN and LSTM.

    Both have their colours from one scale. A box of the second walk bears a tag where its gradient
    differs from that of its like in the first one: how many times larger its norm is; or, in
    either, that the other walk has no such box, or no gradient there. Boxes are alike that have the
    same name at the same step, counted from the last one; cells and weights, those of the same
    layer.

    Parameters
    ----------
    walk_a, walk_b
        What ``bptt.record(loss)`` returned.
    level : "auto", "op", "cell" or "rolled"
        As of `draw`, the same for both; "auto": cells, if they are best for one of them.
    names
        What to call the two.
    max_nodes
        The most boxes of each.
    theme, title, language
        As of `draw`.

    Raises
    ------
    TypeError
        If one of them is not a record of a walk.
    ValueError
        If no box of the one has its like in the other, and as of `draw`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> def walk(w):
    ...     w, h = tg.tensor(w, requires_grad=True).named("w"), tg.tensor(1.0)
    ...     for t in range(3):
    ...         h = w * h
    ...     return tg.bptt.record(h)
    >>> compare(walk(0.5), walk(2.0), names=("small", "large"))
    <Chart: small and large, compared>
    """
    one_of("level", level, LEVELS)
    say = speaking(language)
    for walk in (walk_a, walk_b):
        expect_record(walk, "compare")
    if len(names) != 2:
        raise ValueError(f"compare: two walks have two names, not {names!r:.60}")
    called = [clean(str(name)) for name in names]
    one, two = _scenes((walk_a, walk_b), level, max_nodes)
    _move(two, max(one.boxes) + 1)
    heat([one, two])
    if not _mark([one, two], [_last(walk_a), _last(walk_b)], called):
        raise ValueError(
            "compare: no box of the one walk has its like in the other: they are other programs; "
            "name what is to be compared by .named(…)"
        )
    aid = (
        f"Both on one scale of colours. A tag ×2.0 on a box of {called[1]}: the norm of its "
        f"gradient is twice that of its like in {called[0]}; without a tag they are the same to "
        f"{_ALIKE:.0%}, or there is none in both. Steps are counted from the last."
    )
    heading = title_or(title, say(f"{called[0]} and {called[1]}, compared"))
    for scene in (one, two):
        told_in(language, scene)
    svg = _page(heading, say(aid), (one, two), called, theme_of(theme))
    return Chart(heading, painted_in(language, svg), language=language)


def _scenes(walks: tuple[Record, Record], level: str, max_nodes: int) -> list[Scene]:
    """Both at the same level."""
    sources = [source_of(walk) for walk in walks]
    if level == "rolled":
        return [rolled_scene(source, max_nodes=max_nodes) for source in sources]
    found = [scene_of(source, level=level, max_nodes=max_nodes) for source in sources]
    if found[0].paired != found[1].paired:
        found = [scene_of(source, level="cell", max_nodes=max_nodes) for source in sources]
    return found


def _last(walk: Record) -> int:
    """The last time step of a walk."""
    return max((place.tag.step or 0 for place in walk.places), default=0)


def _move(scene: Scene, by: int) -> None:
    """Give the boxes other numbers, so that two scenes have none in common."""
    for box in scene.boxes.values():
        box.index += by
        box.peer = None if box.peer is None else box.peer + by
    scene.boxes = {box.index: box for box in scene.boxes.values()}
    for edge in scene.edges:
        edge.source, edge.target = edge.source + by, edge.target + by


# -- differences -----------------------------------------------------------------------------


def _mark(scenes: list[Scene], lasts: list[int], called: list[str]) -> bool:
    """Say on boxes how they differ from their like; whether any but the result has one."""
    first, second = map(_by_likeness, scenes, lasts)
    for mine, others, other in (first, second, called[1]), (second, first, called[0]):
        for key in mine.keys() - others.keys():
            mine[key].mark = f"not in {other}"
    both = first.keys() & second.keys()
    for key in both:
        second[key].mark = _difference(_norms(first[key]), _norms(second[key]))
    return any(first[key].kind != "loss" for key in both)


def _by_likeness(scene: Scene, last: int) -> dict[Hashable, Box]:
    """Boxes by what makes them alike: name and step, counted from the last.

    A walk that was cut begins later than a whole one, and both end at the same step. Of cells and
    weights it counts which they are of these.
    """
    found: dict[Hashable, Box] = {}
    seen = Counter[Hashable]()
    columns = {step: i - len(scene.steps) for i, step in enumerate(scene.steps)}
    for box in scene.boxes.values():
        name = "" if box.style in ("cell", "weights", "elided") else _called(box, last)
        key = box.style, columns.get(box.step or 0) if box.region == "step" else None, name
        seen[key] += 1
        found[key, seen[key]] = box
    return found


def _called(box: Box, last: int) -> str:
    """The name of a box, with its steps counted from the last one, or without any."""
    if box.kind == "loss" or box.kind == "parameter":
        return box.kind if box.kind == "loss" else box.name
    if box.region in OUTER:
        return _SUBSCRIPT.sub("", box.name)
    return _SUBSCRIPT.sub(lambda t: f"[{int(t[0].translate(_NUMERALS)) - last}]", box.name)


def _norms(box: Box) -> dict[str, float | None]:
    """The norms of the gradients that a box shows, by the names of their lanes."""
    found: dict[str, float | None] = {}
    for part in box.parts:
        if isinstance(part, Lane):
            found[part.name] = part.norm
        elif isinstance(part, Row) and part.label == "grad":
            found["grad"] = part.norm
        elif isinstance(part, Strip) or (isinstance(part, Course) and part.warm):
            known = [norm for norm in part.norms if norm is not None]
            name = part.name if isinstance(part, Strip) else "grad"
            found[name] = math.hypot(*known) if known else None
    return found


def _difference(one: dict[str, float | None], two: dict[str, float | None]) -> str:
    """How gradients differ, of all that both boxes have."""
    shared = [name for name in one if name in two]
    pairs: list[tuple[Any, Any]] = [(one[name], two[name]) for name in shared]
    before = [a for a, _ in pairs if a is not None]
    after = [b for _, b in pairs if b is not None]
    if not before and not after:
        return ""
    if not after or not before:
        return "no gradient" if before else "gradient only here"
    a, b = math.hypot(*before), math.hypot(*after)
    if a == b or abs(a - b) <= _ALIKE * max(a, b):
        return ""
    return f"×{figures.number(b / a)}" if a else "was 0"


# -- painting --------------------------------------------------------------------------------


def _page(
    title: str, aid: str, scenes: tuple[Scene, Scene], called: list[str], theme: Theme
) -> str:
    layouts = [lay_out(scene) for scene in scenes]
    (a, b), apart = layouts, _NAME_ROOM
    beside = a.width + _APART + b.width <= _BESIDE
    at = (a.width + _APART, 0.0) if beside else (0.0, a.height + _APART + apart)
    size = at[0] + b.width, at[1] + b.height
    inner = math.ceil(max(a.width, *size[:1], heading_width(title, aid)))
    high = max(a.height, size[1]) + apart
    top = EDGE_OF_PAGE + title_room(aid, inner)
    both = Scene(
        title, aid, scenes[0].boxes | scenes[1].boxes, [*scenes[0].edges, *scenes[1].edges],
        scale=scenes[0].scale, ordered=any(scene.ordered for scene in scenes),
        paired=any(scene.paired for scene in scenes), language=scenes[0].language,
    )  # fmt: skip
    legend = Legend(both, theme, inner)
    foot = top + high + EDGE_OF_PAGE
    wide = math.ceil(inner + 2 * EDGE_OF_PAGE)
    lines = opening(title, aid, wide, math.ceil(foot + legend.height + 12), theme, both.language)
    for name, scene, layout, (x, y) in zip(called, scenes, layouts, ((0.0, 0.0), at), strict=True):
        x, y = x + EDGE_OF_PAGE, y + top
        lines.append(marks.text(x, y + _NAME, name, _NAME, bold=True, label="heading"))
        lines.append(f'<g class="walk" transform="translate({marks.n(x)} {marks.n(y + apart)})">')
        lines += [*graph(scene, layout, theme), "</g>"]
    move = f"translate({marks.n(EDGE_OF_PAGE)} {marks.n(foot)})"
    lines += [f'<g class="legend" transform="{move}">', *legend.lines, "</g>", "</svg>"]
    return settled("\n".join(lines) + "\n")

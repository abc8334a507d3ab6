"""How boxes are painted: a header, and below it values, lanes, gates, bars and strips."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_rnn.viz import marks, measure
from tinygrad_rnn.viz.layout.model import Rect
from tinygrad_rnn.viz.marks import n
from tinygrad_rnn.viz.measure import GAP, HEADER, MARGIN, PAD
from tinygrad_rnn.viz.scene import (
    Bars,
    Box,
    BoxPart,
    Caption,
    Course,
    Gates,
    Lane,
    Row,
    Strip,
    Weighing,
)
from tinygrad_rnn.viz.text import width, xml
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.palette import Paint, Theme

RADIUS = 5.0
_HEADED = ("cell", "weights")  # styles whose header alone has the colour of their kind
BROKEN = {"initial": "4 3", "elided": "6 4"}  # styles with dashed borders


def paint_box(box: Box, r: Rect, theme: Theme) -> list[str]:
    """One box as SVG, in a group of its own."""
    return _BoxPainter(box, r, theme).lines


class _BoxPainter:
    def __init__(self, box: Box, r: Rect, theme: Theme) -> None:
        self.box, self.r, self.theme = box, r, theme
        self.look = theme.boxes[box.kind]
        if box.style == "elided":
            self.look = Paint(theme.paper, theme.elided, 1.4)
        self.lines = [f'<g id="{box.id}" class="box {box.style} {box.kind}">']
        self.lines.append(f"<title>{xml(_spoken(box))}</title>")
        self._body()
        self._header()
        self._parts()
        broken = BROKEN.get(box.style)
        border = f' class="border" stroke="{self.look.border}"'
        border += f' stroke-width="{self.look.thickness}"'
        border += f' stroke-dasharray="{broken}"' if broken else ""
        self.lines.append(marks.rect(r, RADIUS, fill="none", extra=border))
        if box.mark:
            self._mark()
        self.lines.append("</g>")

    def _mark(self) -> None:
        """A tag on the upper border: how the box differs from its like in another picture."""
        r, theme = self.r, self.theme
        tag = Rect(r.x + 6, r.y - 11, width(self.box.mark, measure.PILL, bold=True) + 10, 14)
        ring = f' class="mark" stroke="{theme.ink}" stroke-width="1.2"'
        self.lines.append(marks.rect(tag, 3, fill=theme.paper, extra=ring))
        self.lines.append(
            marks.text(tag.x + 5, tag.bottom - 3, self.box.mark, measure.PILL, fill=theme.ink,
                       bold=True, label="difference")
        )  # fmt: skip

    def _body(self) -> None:
        fill = self.theme.row if self.box.style in _HEADED else self.look.fill
        self.lines.append(marks.rect(self.r, RADIUS, fill=fill, extra=' class="body"'))
        if self.box.style in _HEADED:
            top = Rect(self.r.x, self.r.y, self.r.width, HEADER)
            self.lines.append(f'<path d="{marks.roof(top, RADIUS)}" fill="{self.look.fill}"/>')
            if self.box.style == "weights":
                self._line_at(top.bottom)

    def _line_at(self, y: float) -> None:
        d = f"M{n(self.r.x)} {n(y)}H{n(self.r.right)}"
        self.lines.append(f'<path d="{d}" stroke="{self.look.border}" stroke-width="0.9"/>')

    def _header(self) -> None:
        box, r = self.box, self.r
        x, y, right = r.x + MARGIN, r.y + 18.5, r.right - MARGIN
        self.lines.append(marks.text(x, y, box.name, measure.NAME, bold=True, label="name"))
        x += width(box.name, measure.NAME, bold=True) + GAP
        if box.expression:
            self.lines.append(
                marks.text(x, y, box.expression, measure.EXPRESSION, label="expression")
            )
        if box.visit:
            self.lines += marks.pill(right + 3, r.y + HEADER / 2, box.visit, self.theme)
            right -= measure.pill_width(box.visit) + GAP
        if box.note:
            self.lines.append(
                marks.text(right, y - 0.5, box.note, measure.NOTE, fill=self.look.border,
                           italic=True, anchor="end", label="note")
            )  # fmt: skip

    def _parts(self) -> None:
        box, r, y = self.box, self.r, self.r.y + HEADER
        heights = [measure.height(part) for part in box.parts]
        spare = r.height - HEADER - sum(heights)
        rows = sum(isinstance(part, Row) for part in box.parts)
        for part, height in zip(box.parts, heights, strict=True):
            if isinstance(part, Row):  # rows fill the box, however high its twins are
                height += spare / rows
                last = part is box.parts[-1]
                self._row(part, Rect(r.x, y, r.width, height), last)
            else:
                area = Rect(r.x + MARGIN, y, r.width - 2 * MARGIN, height)
                self._part(part, area)
            y += height

    # -- the parts ---------------------------------------------------------------------------

    def _part(self, part: BoxPart, r: Rect) -> None:
        paint: dict[type, Callable[[Any, Rect], None]] = {
            Lane: self._lane,
            Gates: self._gates,
            Bars: self._bars,
            Weighing: self._weighing,
            Strip: self._strip,
            Course: self._course,
            Caption: self._caption,
        }
        paint[type(part)](part, r)

    def _row(self, row: Row, r: Rect, last: bool) -> None:
        fill, ink, muted = self.theme.row, self.theme.ink, self.theme.muted
        if row.bin is not None:
            heat = self.theme.heat[row.bin]
            fill, ink, muted = heat.fill, heat.text, heat.text
        elif row.label == "grad":
            ink = muted
        d = marks.foot(r, RADIUS if last else 0)
        lines = [f'<path class="{row.label}-row" d="{d}" fill="{fill}"/>']
        if row.norm == 0:
            margin = RADIUS if last else 0
            wide = r.width - 2 * margin
            lines.append(marks.zero(r.x + margin, r.bottom - 1.5, wide, self.theme))
        apart = measure.line(row)
        y = r.y + PAD / 2 + apart - 4
        lines.append(marks.text(r.x + MARGIN, y, row.label, measure.LABEL, fill=muted))
        for i, line in enumerate(row.lines):
            lines.append(
                marks.text(r.right - MARGIN, y + i * apart, line, measure.VALUE, fill=ink,
                           mono=True, anchor="end", label=row.label)
            )  # fmt: skip
        self.lines += _told(row.ways, lines)
        self._line_at(r.y)

    def _lane(self, lane: Lane, r: Rect) -> None:
        theme, y = self.theme, r.y + r.height / 2 + 4.5
        ink = theme.boxes["state"].border if self.box.style == "cell" else theme.ink
        self.lines.append(
            marks.text(r.x, y, lane.name, measure.LANE, fill=ink, bold=True, label="name")
        )
        if lane.expression:
            x = r.x + width(lane.name, measure.LANE, bold=True) + GAP
            self.lines.append(
                marks.text(x, y, lane.expression, measure.EXPRESSION, label="expression")
            )
        if lane.value:
            self.lines.append(
                marks.text(r.x + measure.lane_values(self.box), y, lane.value, measure.VALUE,
                           fill=theme.ink, mono=True, label="value")
            )  # fmt: skip
        if lane.chip:
            self._chip(lane, r, y)

    def _chip(self, lane: Lane, r: Rect, y: float) -> None:
        size, fill, ink = measure.chip_width(lane.chip), self.theme.heat[0].fill, self.theme.muted
        if lane.bin is not None:
            fill, ink = self.theme.heat[lane.bin].fill, self.theme.heat[lane.bin].text
        chip = Rect(r.right - size, r.y + r.height / 2 - 8.5, size, 17)
        lines = [
            marks.rect(chip, 4, fill=fill, extra=' class="chip"'),
            marks.text(chip.right - measure.CHIP_PAD, y - 0.5, lane.chip, measure.CHIP, fill=ink,
                       mono=True, anchor="end", label="grad"),
        ]  # fmt: skip
        if lane.norm == 0:
            lines.append(marks.zero(chip.x + 4, chip.bottom, chip.width - 8, self.theme))
        self.lines += _told(lane.ways, lines)

    def _gates(self, gates: Gates, r: Rect) -> None:
        """Each gate as a bar from its lower end, or for −1 … 1 from the middle."""
        theme, x, y = self.theme, r.x, r.y + 12
        apart = (r.width - sum(measure.gate_width(name) for name, _, _ in gates.means)) / max(
            1, len(gates.means) - 1
        )
        for name, low, mean in gates.means:
            self.lines.append(
                marks.text(x, y + 4, name, measure.GATE, fill=theme.muted, mono=True, label="gate")
            )
            x += measure.gate_width(name)
            track = Rect(x - measure.GATE_BAR, y - 4, measure.GATE_BAR, 8)
            note = f"<title>{xml(name)}: mean {mean:.3f}</title>"
            self.lines += [f"<g>{note}", *self._mean(track, low, mean), "</g>"]
            self.lines.append(
                marks.text(track.right, track.bottom + 11, _two_places(mean), measure.MEAN,
                           fill=theme.muted, mono=True, anchor="end", label="gate-mean")
            )  # fmt: skip
            x += apart

    def _mean(self, track: Rect, low: float, mean: float) -> list[str]:
        """A mean on its track; one that is no number has no place there."""
        theme = self.theme
        if not math.isfinite(mean):
            return [marks.rect(track, 1, fill=theme.gate_track)]
        zero, end = (track.x + track.width * (at - low) / (1 - low) for at in (0.0, mean))
        bar = Rect(min(zero, end), track.y, max(abs(end - zero), 1), track.height)
        return [
            marks.rect(track, 1, fill=theme.gate_track),
            marks.rect(bar, 1, fill=theme.gate),
        ]

    def _weighing(self, weighing: Weighing, r: Rect) -> None:
        self.lines.append(
            marks.text(r.x, r.y + 12, weighing.caption, measure.LABEL, fill=self.theme.muted)
        )
        area = Rect(r.x, r.y + 19, r.width, r.height - 24)
        self._chart(weighing.norms, weighing.says, area, self.theme.gate)

    def _bars(self, bars: Bars, r: Rect) -> None:
        area = Rect(r.x, r.y + 2, r.width, r.height - 8)
        self._chart(bars.norms, bars.says, area, self.theme.bar)

    def _chart(
        self, norms: Sequence[tuple[int, float | None]], says: Callable[[str, float], str],
        r: Rect, colour: str,
    ) -> None:  # fmt: skip
        """A row of bars on a line, the largest as high as the area."""
        ground = Rect(r.x, r.bottom, r.width, 0.8)
        self.lines.append(marks.rect(ground, fill=self.theme.gate_track))
        known = [norm for _, norm in norms if norm is not None]
        most = max(filter(math.isfinite, known), default=0.0) or 1.0
        shown = _largest_of_some(norms)
        slot = r.width / len(shown)
        for i, (step, norm) in enumerate(shown):
            if norm is None:
                continue  # which leaves its place empty
            finite = math.isfinite(norm)
            tall = max(r.height * (norm / most), 0.6 * (norm > 0)) if finite else r.height
            bar = Rect(r.x + i * slot, r.bottom - tall, max(slot - min(2, slot / 4), 0.5), tall)
            note = f"<title>{xml(says(step, norm))}</title>"
            fill = colour if finite else self.theme.heat[figures.BINS].fill
            look = marks.rect(bar, fill=fill, extra=' class="bar"')
            self.lines.append(f"<g>{note}{look}</g>")

    def _caption(self, caption: Caption, r: Rect) -> None:
        middle = r.x + r.width / 2
        self.lines.append(
            marks.text(middle, r.bottom - 5, caption.text, measure.LABEL, fill=self.theme.muted,
                       anchor="middle", label="caption")
        )  # fmt: skip

    def _strip(self, strip: Strip, r: Rect) -> None:
        y, at = r.y + r.height / 2, measure.lane_values(self.box)
        self.lines.append(
            marks.text(r.x, y + 4.5, strip.name, measure.LANE, bold=True, label="name")
        )
        self.lines += slivers(strip, Rect(r.x + at, y - 9, r.width - at, 18), self.theme)

    def _course(self, course: Course, r: Rect) -> None:
        """A line for a tensor's norms over time: bars, or colours where they are gradients."""
        y, theme = r.y + r.height / 2, self.theme
        self._line_at(r.y)
        self.lines.append(
            marks.text(r.x, y + 4, course.label, measure.LABEL, fill=theme.muted, label="label")
        )
        wide = r.width - measure.COURSE_LABEL - measure.GAP
        wide -= width(course.ends, measure.CHIP, mono=True)
        strip = Rect(r.x + measure.COURSE_LABEL, y - 8, wide, 16)
        if course.warm:
            self.lines += slivers(course, strip, theme)
        else:
            norms = list(zip(course.steps, course.norms, strict=True))
            self._chart(norms, course.says, strip, theme.gate)
        self.lines.append(
            marks.text(r.right, y + 4, course.ends, measure.CHIP, fill=theme.ink, mono=True,
                       anchor="end", label=course.label)
        )  # fmt: skip


def slivers(strip: Strip | Course, r: Rect, theme: Theme) -> list[str]:
    """The norms of gradients over time as slivers of colour, side by side in an area."""
    known = zip(strip.norms, strip.bins, strict=True)
    shown = _largest_of_some(list(zip(strip.steps, known, strict=True)))
    slot, lines = r.width / len(shown), list[str]()
    for i, (step, (norm, bin)) in enumerate(shown):
        sliver = Rect(r.x + i * slot, r.y, slot, r.height)
        fill = theme.gate_track if bin is None else theme.heat[bin].fill
        said = "none" if norm is None else f"‖∂‖ {norm:.3g}"
        note = f"<title>{strip.axis} = {step}: {said}</title>"
        look = marks.rect(sliver, fill=fill, extra=' class="sliver"')
        if norm == 0:
            look += marks.zero(sliver.x, sliver.bottom, slot, theme)
        lines.append(f"<g>{note}{look}</g>")
    return lines


def _largest_of_some(norms: Sequence[tuple[int, Any]]) -> list[tuple[str, Any]]:
    """What there is at each step, or, of many steps, the largest of some neighbouring ones."""
    together = -(-len(norms) // measure.MOST_SLIVERS)
    if together < 2:
        return [(str(step), norm) for step, norm in norms]
    runs = [norms[i : i + together] for i in range(0, len(norms), together)]
    return [
        (f"{run[0][0]}–{run[-1][0]}", max((norm for _, norm in run), key=_size)) for run in runs
    ]


def _size(norm: Any) -> float:
    """The size of a norm, alone or with its bin: nothing is less than 0, what is no number most."""
    norm = norm[0] if isinstance(norm, tuple) else norm
    return -1.0 if norm is None else norm if math.isfinite(norm) else math.inf


def _two_places(mean: float) -> str:
    return f"{mean:.2f}" if math.isfinite(mean) else figures.number(mean)


def _told(what: str, lines: list[str]) -> list[str]:
    """Marks that say something when they are pointed at, if there is anything to say."""
    return [f"<g><title>{xml(what)}</title>", *lines, "</g>"] if what else lines


def _spoken(box: Box) -> str:
    """A box in words, for a screen reader and as the tooltip."""
    visit = f"backward visit {box.visit}" if box.visit else ""
    words = [" ".join(part.words()) for part in box.parts]
    head = f"{box.name} {box.expression or box.note}".strip()
    return "; ".join(part for part in (head, *words, visit) if part)

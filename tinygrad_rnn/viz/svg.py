"""The painter: a scene and its layout become SVG text."""

from __future__ import annotations

import math

from tinygrad_rnn.utils.progress import progress_if_long
from tinygrad_rnn.viz import marks, page
from tinygrad_rnn.viz.layout.model import Frame, Layout, Rect, Wire
from tinygrad_rnn.viz.legend import Legend
from tinygrad_rnn.viz.marks import n
from tinygrad_rnn.viz.page import EDGE_OF_PAGE
from tinygrad_rnn.viz.parts import paint_box, slivers
from tinygrad_rnn.viz.scene import Scene
from tinygrad_rnn.viz.text import fitted, width, xml
from tinygrad_rnn.viz.ways import ON_WIRE, STRIP, Label, Way, labels_of, ways_of
from tinygrad_rnn.writing import figures
from tinygrad_rnn.writing.palette import Theme

STEP, LAYER = 16.0, 12.0
HALO_EXTRA = 3.4
_FAINTEST = 4  # the bin whose colour is the lightest that a wire can have on this paper


def paint(scene: Scene, layout: Layout, theme: Theme, room: float = math.inf) -> str:
    """Paint a laid-out scene, made so small that it is no wider than ``room``.

    The same scene gives the same text in every run.
    """
    return _Painter(scene, layout, theme).svg(room)


def graph(scene: Scene, layout: Layout, theme: Theme) -> list[str]:
    """What is inside of a picture, without its title and its legend."""
    painter = _Painter(scene, layout, theme)
    painter.graph()
    return painter.lines


class _Painter:
    def __init__(self, scene: Scene, layout: Layout, theme: Theme) -> None:
        self.scene, self.layout, self.theme = scene, layout, theme
        self.lines: list[str] = []

    def svg(self, room: float) -> str:
        heading = page.heading_width(self.scene.title, self.scene.aid)
        inner = max(self.layout.width, min(heading, room - 2 * EDGE_OF_PAGE))
        legend = Legend(self.scene, self.theme, inner)
        top = page.title_room(self.scene.aid, math.ceil(inner))
        foot = self.layout.height + top + 2 * EDGE_OF_PAGE
        wide, high = math.ceil(inner + 2 * EDGE_OF_PAGE), math.ceil(foot + legend.height + 12)
        scale = min(1.0, room / wide)
        title, aid, language = self.scene.title, self.scene.aid, self.scene.language
        self.lines += page.opening(title, aid, wide, high, self.theme, language, scale)
        left = EDGE_OF_PAGE + max(0.0, (inner - self.layout.width) / 2)
        self._put(f'<g transform="translate({n(left)} {n(EDGE_OF_PAGE + top)})">')
        self.graph()
        self._put("</g>")
        self._put(f'<g class="legend" transform="translate({n(EDGE_OF_PAGE)} {n(foot)})">')
        self.lines += legend.lines
        self._put("</g>")
        self._put("</svg>")
        return "\n".join(self.lines) + "\n"

    def graph(self) -> None:
        """What the layout has: frames, wires, boxes."""
        for frame in self.layout.frames:
            self._frame(frame)
        self._wires()
        for index, rect in progress_if_long(self.layout.boxes.items(), "painting boxes"):
            self.lines += paint_box(self.scene.boxes[index], rect, self.theme)

    def _put(self, line: str) -> None:
        self.lines.append(line)

    # -- frames ----------------------------------------------------------------------------

    def _frame(self, frame: Frame) -> None:
        r, theme = frame.rect, self.theme
        if frame.kind == "step":
            self._put(marks.rect(r, 10, fill=theme.band, extra=' class="step"'))
            self._put(
                marks.text(r.x + 12, r.y + 24, frame.label, STEP, fill=theme.muted, bold=True)
            )
        else:
            label = fitted(frame.label, LAYER, r.width - 20, bold=True)
            look = f' class="layer" stroke="{theme.frame}" stroke-width="1.2"'
            self._put(marks.rect(r, 8, fill=theme.paper, extra=look))
            self._put(marks.text(r.x + 10, r.y + 16, label, LAYER, fill=theme.muted, bold=True))

    # -- wires -----------------------------------------------------------------------------

    def _wires(self) -> None:
        """All gradients lie under all lines, so that a crossing hides neither of the two."""
        ways = ways_of(self.scene, self.layout)
        warmest = flows_of(ways)
        self._put('<g class="gradients" fill="none" stroke-linecap="butt">')
        for way in warmest:
            self._flow(way)
        self._put("</g>")
        self._put('<g class="edges" fill="none">')
        for way in ways:
            self._line(way.forward)
        self._put("</g>")
        self._put('<g class="heads">')
        for way in reversed(warmest):
            look = head_look(way, way.back.edge.bin, way.back.edge.norm, self.theme)
            if look is not None:
                kind = "gradient-head" if "fill" in look else "gradient-head stop"
                ends = f'class="{kind}" {_ends(way.back)}'
                self._put(f"<path {_attributes(look)} {ends}/>")
        for way in ways:
            backwards = way.forward.points[::-1]
            self._put(marks.head(backwards[0], backwards[1:], 8, 3.8, self._colour(way.forward)))
        self._put("</g>")
        for label in labels_of(self.scene, self.layout, ways, map(_label_of, self.layout.frames)):
            self._write(label)

    def _flow(self, way: Way) -> None:
        edge = way.back.edge
        assert edge.bin is not None
        note = f"<title>{xml(flow_note(edge.norm, edge.flow, edge.peak))}</title>"
        look = _attributes(flow_look(way, edge.bin, self.theme))
        self._put(f'<path class="gradient" {_ends(way.back)} {look}>{note}</path>')

    def _line(self, wire: Wire) -> None:
        edge = wire.edge
        thickness = {"forward": 1.2, "recurrent": 1.5, "parameter": 1.1}[edge.kind]
        ends = f'data-from="n{edge.source}" data-to="n{edge.target}"'
        self._put(
            f'<path class="edge {edge.kind}" {ends} stroke="{self._colour(wire)}" '
            f'stroke-width="{thickness}" d="{marks.wire(wire, start=0, end=6)}"/>'
        )
        if edge.delay:
            self.lines += marks.delays(wire, self._colour(wire))

    def _write(self, label: Label) -> None:
        if label.edge is not None and label.edge.strip is not None:
            area = Rect(label.x, label.y - 8, STRIP, 9)
            edge = f' stroke="{self.theme.muted}" stroke-width="0.6" class="strip"'
            self.lines += slivers(label.edge.strip, area, self.theme)
            self._put(marks.rect(area, fill="none", extra=edge))
            return
        carried = label.kind == "carried"
        fill = self.theme.recurrent if carried else self.theme.gradient
        self._put(
            marks.text(label.x, label.y, label.text, ON_WIRE, fill=fill, bold=carried,
                       mono=not carried, label=label.kind)
        )  # fmt: skip

    def _colour(self, wire: Wire) -> str:
        theme = self.theme
        colours = {"recurrent": theme.recurrent, "parameter": theme.rail}
        return colours.get(wire.edge.kind, theme.forward)


def flows_of(ways: list[Way]) -> list[Way]:
    """The ways along which gradients are known to flow back, in the order of painting."""
    known = [way for way in ways if way.back.edge.bin is not None]
    return sorted(known, key=lambda way: -(way.back.edge.bin or 0))


def flow_look(way: Way, bin: int, theme: Theme) -> dict[str, str]:
    """What flows back, as attributes: an arrow of its own, or an underlay of the forward one."""
    heat, extra = theme.heat[bin], 0.0 if way.apart else HALO_EXTRA
    look = {
        "stroke": theme.heat[max(bin, _FAINTEST)].fill if bin else theme.muted,
        "stroke-width": n(heat.width + (extra if bin else extra / 2)),
    }
    if not bin:
        look["stroke-dasharray"] = "1 4"
    if not way.apart:
        look["opacity"] = str(marks.HALO_OPACITY)
    return look | {"d": marks.wire(way.back, start=7 if bin else 0, end=0)}


def head_look(way: Way, bin: int | None, norm: float | None, theme: Theme) -> dict[str, str] | None:
    """The end of what flows back, as attributes: a head; of what is zero exactly a bar across;
    of what is too little to be seen, nothing.
    """
    tip, *others = way.back.points
    if bin:
        half = max(4.6, (theme.heat[bin].width + (0 if way.apart else HALO_EXTRA)) / 2 + 2.2)
        colour = theme.heat[max(bin, _FAINTEST)].fill
        return {"d": marks.head_path(tip, others, 9, half), "fill": colour}
    if norm == 0:
        return {"d": marks.stop_path(tip, others), "stroke": theme.muted, "stroke-width": "2"}
    return None


def flow_note(norm: float | None, *more: str) -> str:
    """What a gradient on its way says of itself: its norm, its numbers, its peak."""
    return ", ".join([f"‖gradient‖ = {figures.number(norm)}", *filter(None, more)])


def _attributes(look: dict[str, str]) -> str:
    return " ".join(f'{name}="{value}"' for name, value in look.items())


def _ends(back: Wire) -> str:
    """From where to where a gradient flows along a wire."""
    return f'data-from="n{back.edge.target}" data-to="n{back.edge.source}"'


def _label_of(frame: Frame) -> Rect:
    """Where the label of a frame stands, generously."""
    r, size = frame.rect, STEP if frame.kind == "step" else LAYER
    return Rect(r.x, r.y, min(width(frame.label, size, bold=True) + 20, r.width), 2 * size)

"""The painter: a scene and its layout become SVG text."""

from __future__ import annotations

import math

from tinygrad_rnn.viz import marks, page
from tinygrad_rnn.viz.glossary import signs_in
from tinygrad_rnn.viz.layout.model import Frame, Layout, Rect, Wire
from tinygrad_rnn.viz.marks import n
from tinygrad_rnn.viz.page import EDGE_OF_PAGE, LEGEND, LEGEND_ROW
from tinygrad_rnn.viz.parts import BROKEN, paint_box
from tinygrad_rnn.viz.scene import BoxPart, Gates, Scene, Strip
from tinygrad_rnn.viz.style import Paint, Theme
from tinygrad_rnn.viz.text import fitted, width, xml
from tinygrad_rnn.viz.ways import ON_WIRE, Label, Way, labels_of, ways_of
from tinygrad_rnn.writing import figures

STEP, LAYER = 16.0, 12.0
HALO_EXTRA, HALO_OPACITY = 3.4, 0.55
_FAINTEST = 4  # the bin whose colour is the lightest that a wire can have on this paper
_KINDS = {
    "input": "input",
    "parameter": "parameter (shown once)",
    "operation": "operation",
    "state": "state",
    "loss": "result",
}


def paint(scene: Scene, layout: Layout, theme: Theme) -> str:
    """Paint a laid-out scene; the same scene gives the same text in every run."""
    return _Painter(scene, layout, theme).svg()


class _Painter:
    def __init__(self, scene: Scene, layout: Layout, theme: Theme) -> None:
        self.scene, self.layout, self.theme = scene, layout, theme
        self.lines: list[str] = []

    def svg(self) -> str:
        inner = max(self.layout.width, page.heading_width(self.scene.title, self.scene.aid))
        legend = _Legend(self.scene, self.layout, self.theme, inner)
        room = page.title_room(self.scene.aid, math.ceil(inner))
        foot = self.layout.height + room + 2 * EDGE_OF_PAGE
        wide, high = math.ceil(inner + 2 * EDGE_OF_PAGE), math.ceil(foot + legend.height + 12)
        self.lines += page.opening(self.scene.title, self.scene.aid, wide, high, self.theme)
        left = EDGE_OF_PAGE + max(0.0, (inner - self.layout.width) / 2)
        self._put(f'<g transform="translate({n(left)} {n(EDGE_OF_PAGE + room)})">')
        for frame in self.layout.frames:
            self._frame(frame)
        self._wires()
        for index, rect in self.layout.boxes.items():
            self.lines += paint_box(self.scene.boxes[index], rect, self.theme)
        self._put("</g>")
        self._put(f'<g class="legend" transform="translate({n(EDGE_OF_PAGE)} {n(foot)})">')
        self.lines += legend.lines
        self._put("</g>")
        self._put("</svg>")
        return "\n".join(self.lines) + "\n"

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
        warmest = sorted(ways, key=lambda way: -(way.forward.edge.bin or 0))
        self._put('<g class="gradients" fill="none" stroke-linecap="butt">')
        for way in warmest:
            if way.back.edge.bin is not None:
                self._flow(way, way.back.edge.bin)
        self._put("</g>")
        self._put('<g class="edges" fill="none">')
        for way in ways:
            self._line(way.forward)
        self._put("</g>")
        self._put('<g class="heads">')
        for way in reversed(warmest):
            if way.back.edge.bin:
                points, bin = way.back.points, way.back.edge.bin
                extra = 0 if way.apart else HALO_EXTRA
                half = max(4.6, (self.theme.heat[bin].width + extra) / 2 + 2.2)
                colour = self.theme.heat[max(bin, _FAINTEST)].fill
                ends = f' class="gradient-head" {_ends(way.back)}'
                self._put(marks.head(points[0], points[1:], 9, half, colour, ends))
        for way in ways:
            backwards = way.forward.points[::-1]
            self._put(marks.head(backwards[0], backwards[1:], 8, 3.8, self._colour(way.forward)))
        self._put("</g>")
        for label in labels_of(self.scene, self.layout, ways, map(_label_of, self.layout.frames)):
            self._write(label)

    def _flow(self, way: Way, bin: int) -> None:
        """What flows back: an arrow of its own, or an underlay of the forward one."""
        heat, colour = self.theme.heat[bin], self.theme.heat[max(bin, _FAINTEST)].fill
        extra, edge = 0.0 if way.apart else HALO_EXTRA, way.back.edge
        look = f'stroke="{colour}" stroke-width="{n(heat.width + extra)}"'
        if bin == 0:
            look = f'stroke="{self.theme.muted}" stroke-width="{n(heat.width + extra / 2)}"'
            look += ' stroke-dasharray="1 4"'
        look += "" if way.apart else f' opacity="{HALO_OPACITY}"'
        peak = f", {xml(edge.peak)}" if edge.peak else ""
        note = f"<title>‖gradient‖ = {figures.number(edge.norm)}{peak}</title>"
        d = marks.wire(way.back, start=7 if bin else 0, end=0)
        self._put(f'<path class="gradient" {_ends(way.back)} {look} d="{d}">{note}</path>')

    def _line(self, wire: Wire) -> None:
        edge = wire.edge
        thickness = {"forward": 1.2, "recurrent": 1.5, "parameter": 1.1}[edge.kind]
        ends = f'data-from="n{edge.source}" data-to="n{edge.target}"'
        self._put(
            f'<path class="edge {edge.kind}" {ends} stroke="{self._colour(wire)}" '
            f'stroke-width="{thickness}" d="{marks.wire(wire, start=0, end=6)}"/>'
        )

    def _write(self, label: Label) -> None:
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


def _ends(back: Wire) -> str:
    """From where to where a gradient flows along a wire."""
    return f'data-from="n{back.edge.target}" data-to="n{back.edge.source}"'


def _label_of(frame: Frame) -> Rect:
    """Where the label of a frame stands, generously."""
    r, size = frame.rect, STEP if frame.kind == "step" else LAYER
    return Rect(r.x, r.y, min(width(frame.label, size, bold=True) + 20, r.width), 2 * size)


class _Legend:
    """The legend: it explains only what is in the picture, in as many lines as it needs."""

    def __init__(self, scene: Scene, layout: Layout, theme: Theme, room: float) -> None:
        self.scene, self.theme, self.room = scene, theme, room
        self.lines: list[str] = []
        self.x, self.y = 0.0, 0.0
        self._boxes()
        self._wires({wire.edge.kind for wire in layout.wires})
        bins = {wire.edge.bin for wire in layout.wires} - {None}
        if bins - {0}:
            self._back()
        if 0 in bins:
            self._nothing_back()
        if scene.ordered:
            self._start(28, "order of the backward walk")
            self.lines += marks.pill(self.x + 21, self.y + 10, "7", theme)
            self._label(28, "order of the backward walk")
        parts = [part for box in scene.boxes.values() for part in box.parts]
        if any(isinstance(part, Gates) for part in parts):
            self._gate(any(low < 0 for part in parts if isinstance(part, Gates)
                           for _, low, _ in part.means))  # fmt: skip
        if any(_is_warm(part) for part in parts):
            self._scale()
        self._words(signs_in(scene))
        self.height = self.y + LEGEND_ROW

    def _start(self, symbol: float, label: str) -> None:
        """Make room for an item, on the next line if this one is full."""
        if self.x and self.x + symbol + width(label, LEGEND) > self.room:
            self.x, self.y = 0.0, self.y + LEGEND_ROW

    def _label(self, symbol: float, label: str) -> None:
        self.lines.append(
            marks.text(self.x + symbol, self.y + 14.5, label, LEGEND, fill=self.theme.muted)
        )
        self.x += symbol + width(label, LEGEND) + 24

    def _boxes(self) -> None:
        kinds = {box.kind for box in self.scene.boxes.values() if box.style not in BROKEN}
        styles = {box.style for box in self.scene.boxes.values()}
        for kind, label in _KINDS.items():
            if kind in kinds:
                self._box(self.theme.boxes[kind], label)
        for style, label, look in (
            ("initial", "initial state", self.theme.boxes["state"]),
            ("elided", "steps left out", Paint(self.theme.paper, self.theme.elided)),
        ):
            if style in styles:
                self._box(look, label, f' stroke-dasharray="{BROKEN[style]}"')

    def _box(self, look: Paint, label: str, dashes: str = "") -> None:
        self._start(32, label)
        stroke = f' stroke="{look.border}" stroke-width="{look.thickness}"{dashes}'
        symbol = Rect(self.x + 1, self.y + 2, 24, 16)
        self.lines.append(marks.rect(symbol, 4, fill=look.fill, extra=stroke))
        self._label(32, label)

    def _wires(self, kinds: set[str]) -> None:
        theme = self.theme
        for kind, label, colour in (
            ("forward", "forward", theme.forward),
            ("recurrent", "to the next step", theme.recurrent),
            ("parameter", "use of a parameter", theme.rail),
        ):
            if kind in kinds:
                self._start(37, label)
                x, y = self.x, self.y + 10
                d = f"M{n(x)} {n(y)}H{n(x + 24)}"
                self.lines.append(f'<path d="{d}" stroke="{colour}" stroke-width="1.4"/>')
                self.lines.append(marks.head((x + 30, y), [(x, y)], 8, 3.8, colour))
                self._label(37, label)

    def _back(self) -> None:
        """How gradients look on their way back: on arrows of their own, and under bent wires."""
        label = "backward, beside or under its wire" if self.scene.paired else "backward"
        room = 84 if self.scene.paired else 42
        self._start(room, label)
        x, y, colour = self.x, self.y + 10, self.theme.backward
        if self.scene.paired:
            self.lines.append(f'<path d="M{n(x + 8)} {n(y)}H{n(x + 34)}" stroke="{colour}" '
                              'stroke-width="4"/>')  # fmt: skip
            self.lines.append(marks.head((x, y), [(x + 34, y)], 9, 5.5, colour))
            x += 42
        d = f"M{n(x + 8)} {n(y)}H{n(x + 34)}"
        self.lines.append(f'<path d="{d}" stroke="{colour}" stroke-width="7" '
                          f'opacity="{HALO_OPACITY}"/>')  # fmt: skip
        self.lines.append(f'<path d="{d}" stroke="{self.theme.forward}" stroke-width="1.4"/>')
        self.lines.append(marks.head((x, y), [(x + 34, y)], 9, 6, colour))
        self._label(room, label)

    def _nothing_back(self) -> None:
        self._start(37, "backward: ≈0")
        d = f"M{n(self.x)} {n(self.y + 10)}H{n(self.x + 30)}"
        look = f'stroke="{self.theme.muted}" stroke-width="2" stroke-dasharray="1 4"'
        self.lines.append(f'<path d="{d}" {look}/>')
        self._label(37, "backward: ≈0")

    def _gate(self, both: bool) -> None:
        label = "mean of a gate, 0 … 1" + (" or, from the middle, −1 … 1" if both else "")
        self._start(30, label)
        for size, fill in ((24, self.theme.gate_track), (14, self.theme.gate)):
            self.lines.append(marks.rect(Rect(self.x, self.y + 6, size, 8), 1, fill=fill))
        self._label(30, label)

    def _words(self, signs: list[str]) -> None:
        """What the signs in the picture mean, in words."""
        if signs:
            self.x, self.y = 0.0, self.y + LEGEND_ROW
        for sign in signs:
            self._start(0, sign)
            self._label(0, sign)

    def _scale(self) -> None:
        symbol, ends = page.heat_symbol_width(), page.ends_of(self.scene.scale)
        self._start(symbol, ends)
        self.lines += page.heat_symbol(self.x, self.y, self.scene.scale, self.theme)
        self._label(symbol, ends)


def _is_warm(part: BoxPart) -> bool:
    """Whether a part shows a gradient by its colour."""
    bins = part.bins if isinstance(part, Strip) else [getattr(part, "bin", None)]
    return any(bin is not None for bin in bins)

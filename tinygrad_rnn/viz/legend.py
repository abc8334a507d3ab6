"""The legend: it explains what is in the picture, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from tinygrad_rnn.viz import marks, page
from tinygrad_rnn.viz.glossary import signs_in
from tinygrad_rnn.viz.languages import speaking
from tinygrad_rnn.viz.layout.model import Rect
from tinygrad_rnn.viz.marks import n
from tinygrad_rnn.viz.page import LEGEND, LEGEND_ROW
from tinygrad_rnn.viz.parts import BROKEN
from tinygrad_rnn.viz.scene import BoxPart, Course, Gates, Scene, Strip
from tinygrad_rnn.viz.text import width
from tinygrad_rnn.writing.palette import Paint, Theme

_KINDS = {
    "input": "input",
    "parameter": "parameter (shown once)",
    "operation": "operation",
    "state": "state",
    "loss": "result",
}


class Legend:
    """The lines of a legend that is ``room`` wide, and its height."""

    def __init__(self, scene: Scene, theme: Theme, room: float) -> None:
        self.scene, self.theme, self.room = scene, theme, room
        self.say = speaking(scene.language)
        self.lines: list[str] = []
        self.x, self.y = 0.0, 0.0
        self._boxes()
        self._wires({edge.kind for edge in scene.edges})
        if any(edge.delay for edge in scene.edges):
            self._delay()
        back = [edge for edge in scene.edges if edge.bin is not None]
        if any(edge.bin for edge in back):
            self._back()
        if any(not edge.bin and edge.norm for edge in back):
            self._dotted("backward: ≈0")
        if any(edge.norm == 0 for edge in back):
            self._dotted("backward: zero exactly", stopped=True)
        if scene.ordered:
            self._start(28, "order of the backward walk")
            self.lines += marks.pill(self.x + 21, self.y + 10, "7", theme)
            self._label(28, "order of the backward walk")
        parts = [part for box in scene.boxes.values() for part in box.parts]
        norms = [norm for part in parts for norm in _norms(part)]
        if any(isinstance(part, Course) and not part.warm for part in parts):
            self._course()
        if any(isinstance(part, Gates) for part in parts):
            self._gate(any(low < 0 for part in parts if isinstance(part, Gates)
                           for _, low, _ in part.means))  # fmt: skip
        if norms:
            self._scale()
        if 0 in norms:
            self._zero()
        self._words(signs_in(scene))
        self.height = self.y + LEGEND_ROW

    def _start(self, symbol: float, label: str) -> None:
        """Make room for an item, on the next line if this one is full."""
        label = self.say(label)
        if self.x and self.x + symbol + width(label, LEGEND) > self.room:
            self.x, self.y = 0.0, self.y + LEGEND_ROW

    def _label(self, symbol: float, label: str) -> None:
        label = self.say(label)
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
            ("elided", "left out", Paint(self.theme.paper, self.theme.elided)),
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

    def _delay(self) -> None:
        """The square on what goes round, and how often it does."""
        label = "a step passes; ×: how often"
        self._start(37, label)
        x, y = self.x, self.y + 10
        way, colour = [(x, y), (x + 30, y)], self.theme.recurrent
        d = f"M{marks.xy(way[0])}L{marks.xy(way[1])}"
        self.lines.append(f'<path d="{d}" stroke="{colour}" stroke-width="1.4"/>')
        self.lines.append(marks.rect(Rect(x + 10, y - 5, 10, 10), 0, fill=colour))
        self._label(37, label)

    def _course(self) -> None:
        """The bars of values over time."""
        label = "‖value‖ at each step, up to the largest"
        self._start(32, label)
        for i, tall in enumerate((5, 12, 8)):
            bar = Rect(self.x + 8 * i, self.y + 16 - tall, 6, tall)
            self.lines.append(marks.rect(bar, fill=self.theme.gate))
        self._label(32, label)

    def _back(self) -> None:
        """How gradients look on their way back: on arrows of their own, or under the wires."""
        self._start(42, "backward")
        x, y, colour = self.x, self.y + 10, self.theme.backward
        d = f"M{n(x + 8)} {n(y)}H{n(x + 34)}"
        if self.scene.paired:
            self.lines.append(f'<path d="{d}" stroke="{colour}" stroke-width="4"/>')
        else:
            self.lines.append(f'<path d="{d}" stroke="{colour}" stroke-width="7" '
                              f'opacity="{marks.HALO_OPACITY}"/>')  # fmt: skip
            self.lines.append(f'<path d="{d}" stroke="{self.theme.forward}" stroke-width="1.4"/>')
        self.lines.append(marks.head((x, y), [(x + 34, y)], 9, 5.5, colour))
        self._label(42, "backward")

    def _dotted(self, label: str, stopped: bool = False) -> None:
        """Where nothing flows back, or next to nothing."""
        self._start(37, label)
        x, y, look = self.x, self.y + 10, f' stroke="{self.theme.muted}" stroke-width="2"'
        self.lines.append(f'<path d="M{n(x)} {n(y)}H{n(x + 30)}"{look} stroke-dasharray="1 4"/>')
        if stopped:
            self.lines.append(marks.stop((x, y), [(x + 30, y)], look))
        self._label(37, label)

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
        symbol, ends = page.heat_symbol_width(self.say), page.ends_of(self.scene.scale)
        self._start(symbol, ends)
        self.lines += page.heat_symbol(self.x, self.y, self.scene.scale, self.theme, self.say)
        self._label(symbol, ends)

    def _zero(self) -> None:
        self._start(32, "underlined: zero exactly")
        area = Rect(self.x, self.y + 2, 24, 16)
        self.lines.append(marks.rect(area, 0, fill=self.theme.heat[0].fill))
        self.lines.append(marks.zero(area.x, area.bottom, area.width, self.theme))
        self._label(32, "underlined: zero exactly")


def _norms(part: BoxPart) -> Iterator[float]:
    """The norms of gradients that a part shows by its colour."""
    if isinstance(part, Course) and not part.warm:
        return
    shown = part.norms if isinstance(part, Strip | Course) else [getattr(part, "norm", None)]
    yield from (norm for norm in shown if norm is not None)

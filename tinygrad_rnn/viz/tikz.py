r"""A picture for LaTeX: the marks that it consists of, written as TikZ.

The SVG of a picture is the list of its marks (`marks`), each with its place and its look; PNG and
PDF are made of it, and so is this, mark by mark, in the same places. What differs is the writing:
it is LaTeX's, in the fonts of the document, with mathematics in math mode; each line is typeset at
10 points, scaled, and made narrower where it would be wider than the room that it has.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from tinygrad_rnn.viz.images import COLUMN, Size, extent, positive
from tinygrad_rnn.viz.layout.model import Point
from tinygrad_rnn.viz.text import width
from tinygrad_rnn.writing import tex
from tinygrad_rnn.writing.palette import THEMES, Theme

_SVG = "{http://www.w3.org/2000/svg}"
_INHERITED = ("fill", "stroke", "stroke-linecap", "stroke-width", "opacity")
_FORMULAS = {"name", "expression", "carried", "gate", "heading"}  # classes of writing
_ANCHORS = {None: "base west", "middle": "base", "end": "base east"}
_LARGEST = 16000.0  # points: TeX knows no longer lengths
_CIRCLE = 0.5523  # of a radius: where the handles of a quarter of a circle are
_SLACK = 3.0  # points: half of the least gap between two lines of writing
_COMMAND = re.compile(r"([MLHVhvaCQZ])([^MLHVhvaCQZ]*)")
_NUMBER = re.compile(r"-?\d*\.?\d+(?:e[-+]?\d+)?")

_HEAD = r"""
% Compile it, or \input it into a document with \usepackage{tikz,amsmath} in its preamble.
% There it is SIZE; \def\bpttwidth{8cm} before it: so wide.
\begingroup
\expandafter\ifx\csname @twoclasseserror\endcsname\documentclass
  \def\bpttend{}%
\else
  \endgroup
  \documentclass{article}%
  \usepackage[paperwidth=WIDEbp,paperheight=HIGHbp,margin=0bp]{geometry}%
  \usepackage{tikz,amsmath}%
  \ifdefined\Umathcode\else
    \IfFileExists{lmodern.sty}{\usepackage[T1]{fontenc}\usepackage{lmodern}}{}%
  \fi
  \pagestyle{empty}\parindent0pt\topskip0pt%
  \begin{document}%
  \begingroup
  \def\bpttend{\end{document}}%
\fi
% What languages of babel make commands of: signs again.
\catcode`\;12 \catcode`\:12 \catcode`\!12 \catcode`\?12 \catcode`\"12 \catcode`\'12 %
\catcode`\`12 \catcode`\-12 \catcode`\=12 \catcode`\<12 \catcode`\>12 \catcode`\,12 %
\ifdefined\bpttunit\else\newdimen\bpttunit\newsavebox\bpttbox\fi
\ifdefined\bpttwidth
  \pgfmathsetlength\bpttunit{(\bpttwidth)/ACROSS}%
\else
  \pgfmathsetlength\bpttunit{UNIT}%
\fi
% A line of writing, its size and how wide it may be in units of the picture.
\def\bpttline#1#2#3{%
  \sbox\bpttbox{\fontsize{10}{12}\selectfont#3}%
  \pgfmathsetmacro\bptttall{#1*\bpttunit/10}%
  \pgfmathsetmacro\bpttwide{min(\bptttall,#2*\bpttunit/max(\wd\bpttbox,0.1))}%
  \scalebox{\bpttwide}[\bptttall]{\usebox\bpttbox}}%
\def\bpttminus{\makebox[\fontcharwd\font`0]{\(-\)}}%
% A character that not every document has, and its number.
\def\bpttother#1#2{%
  \ifdefined\Umathcode
    \iffontchar\font"#2 #1\else\bpttnumber{#2}\fi
  \else
    \ifcsname u8:\detokenize{#1}\endcsname#1\else\bpttnumber{#2}\fi
  \fi}%
\def\bpttnumber#1{{\fboxsep1pt\fbox{\tiny#1}}}%
""".lstrip()
_NATURAL = r"min(1bp,\linewidth/ACROSS,\textheight/DOWN)"


def tikz(svg: str, title: str, size: Size = None, scale: float = 1.0) -> str:
    r"""The picture as a file for LaTeX, which compiles by itself and may be ``\input``.

    Parameters
    ----------
    svg, title
        As pictures and charts have them.
    size : {"column"}, float or None
        As wide as a column of a paper, or so wide, in points; as wide as the SVG, but not wider
        than a line and not higher than a page, if there is none.
    scale : float
        How many times larger than that.

    Raises
    ------
    ValueError
        If there is no such size, or something is not positive.
    TypeError
        If a number is none.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> picture = tg.viz.draw(tg.tensor(2.0, requires_grad=True).named("h₁") * 3)
    >>> written = tikz(picture.svg, picture.title)
    >>> r"\bfseries\boldmath\(h_{1}\)" in written
    True
    """
    root = ET.fromstring(svg)
    across, down = map(float, root.attrib["viewBox"].split()[2:])
    painter = _Painter(_names(root.findall(f"{_SVG}rect")[0].attrib["fill"]))
    painter.children(root, {"fill": root.attrib["fill"]})
    lines = [
        f"% {_comment(title)}",
        _head(across, down, _shown(svg, size, scale)) + "% Colours, by what they mean.",
        *(f"\\definecolor{{{said}}}{{HTML}}{{{hex}}}%" for hex, said in painter.colours.items()),
        r"\begin{tikzpicture}[x=\bpttunit,y=-\bpttunit,every node/.style="
        r"{anchor=base west,inner sep=0pt,outer sep=0pt}]",
        rf"\path[use as bounding box] (0,0) rectangle {_at(across, down)};",
        *painter.lines,
        r"\end{tikzpicture}%",
        r"\expandafter\endgroup\bpttend",
    ]
    return "\n".join(lines) + "\n"


def _shown(svg: str, size: Size, scale: float) -> tuple[float, bool]:
    """How wide the picture is, in points, and whether somebody chose that."""
    scale = positive("scale", scale)
    if size is None:
        return extent(svg)[0] * scale, scale != 1
    if isinstance(size, str) and size != "column":
        raise ValueError(f'size={size!r} does not exist for a .tex; there is "column", and a width')
    return scale * (COLUMN if isinstance(size, str) else positive("size", size)), True


def _head(across: float, down: float, shown: tuple[float, bool]) -> str:
    """What stands before the drawing: how large it is, and what its commands mean."""
    wide, chosen = min(shown[0], _LARGEST, _LARGEST * across / down), shown[1]
    filled = {
        "SIZE": f"{_short(wide)}bp wide"
        if chosen
        else "as wide as here, but no wider than a line and no higher than a page",
        "UNIT": f"{wide / across:.6f}bp" if chosen else _NATURAL,
        "WIDE": _short(wide),
        "HIGH": _short(wide * down / across),
        "ACROSS": _short(across),
        "DOWN": _short(down),
    }
    head = _HEAD.replace("UNIT", filled["UNIT"])
    return re.sub("|".join(filled), lambda word: filled[word[0]], head)


class _Painter:
    """The commands for the marks of an SVG, and the colours that they need, by their hex digits."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names, self.lines = names, list[str]()
        self.colours: dict[str, str] = {}

    def children(self, parent: ET.Element, look: dict[str, str]) -> None:
        """The marks in a group, which inherit its look."""
        for mark in parent:
            own = look | {key: mark.attrib[key] for key in _INHERITED if key in mark.attrib}
            paint = {
                "g": self._group, "rect": self._rect, "path": self._path, "circle": self._circle,
                "text": self._text, "title": _nothing, "desc": _nothing,
            }[mark.tag.removeprefix(_SVG)]  # fmt: skip
            paint(mark, own)

    def _group(self, group: ET.Element, look: dict[str, str]) -> None:
        if moved := re.fullmatch(r"translate\((\S+) (\S+)\)", group.get("transform", "")):
            shift, what = f"{moved[1]},{moved[2]}", group.get("class", "graph")
            self.lines.append(rf"\begin{{scope}}[shift={{({shift})}}] % {what}")
        elif "id" in group.attrib:
            self.lines.append(f"% {_comment(group.findtext(f'{_SVG}title') or '')}")
        self.children(group, look)
        if moved:
            self.lines.append(r"\end{scope}")

    def _rect(self, mark: ET.Element, look: dict[str, str]) -> None:
        x, y, wide, high = (float(mark.get(key, 0)) for key in ("x", "y", "width", "height"))
        radius = min(float(mark.get("rx", 0)), wide / 2, high / 2)
        round_off = [rf"rounded corners={_short(radius)}\bpttunit"] if radius else []
        area = f"{_at(x, y)} rectangle {_at(x + wide, y + high)}"
        self._shape(mark, look, area, True, round_off)

    def _circle(self, mark: ET.Element, look: dict[str, str]) -> None:
        x, y, radius = (float(mark.attrib[key]) for key in ("cx", "cy", "r"))
        self._shape(mark, look, f"{_at(x, y)} circle[radius={_short(radius)}]", True)

    def _path(self, mark: ET.Element, look: dict[str, str]) -> None:
        d = mark.attrib["d"]
        self._shape(mark, look, "".join(_path(d)), d.endswith("Z"))

    def _shape(
        self, mark: ET.Element, look: dict[str, str], shape: str, closed: bool, more: Any = ()
    ) -> None:
        options = list(more)
        fill, stroke = look.get("fill", "none"), look.get("stroke", "none")
        if closed and fill != "none":
            options.append(f"fill={self._colour(fill)}")
        if stroke != "none":
            thick = float(look.get("stroke-width", 1))
            options += [f"draw={self._colour(stroke)}", rf"line width={_short(thick)}\bpttunit"]
            if dashes := mark.get("stroke-dasharray"):
                on, off = (rf"{_short(float(part))}\bpttunit" for part in dashes.split())
                options.append(f"dash pattern=on {on} off {off}")
            if mark.get("stroke-linejoin") == "round":
                options.append("line join=round")
        if "opacity" in look:
            options.append(f"opacity={look['opacity']}")
        if any(option.startswith(("fill", "draw")) for option in options):
            self.lines.append(rf"\path[{','.join(options)}] {shape};")

    def _text(self, mark: ET.Element, look: dict[str, str]) -> None:
        line, size = mark.text or "", float(mark.attrib["font-size"])
        bold, mono = mark.get("font-weight") == "bold", "Mono" in mark.get("font-family", "")
        if mark.get("class") in _FORMULAS:
            written, style = tex.mathematics(line), ""
        else:
            written, style = tex.text(line, mono), r"\ttfamily" if mono else ""
        style += r"\bfseries\boldmath" if bold else ""
        style += r"\itshape" if mark.get("font-style") == "italic" else ""
        style += " " if style and written[:1].isalpha() else ""
        room = width(line, size, bold=bold, mono=mono) + _SLACK
        anchor = _ANCHORS[mark.get("text-anchor")]
        options = [] if anchor == "base west" else [f"anchor={anchor}"]
        options.append(f"text={self._colour(look['fill'])}")
        at = _at(float(mark.attrib["x"]), float(mark.attrib["y"]))
        fits = f"{{{_short(size)}}}{{{_short(room)}}}{{{style}{written}}}"
        self.lines.append(rf"\node[{','.join(options)}] at {at} {{\bpttline{fits}}};")

    def _colour(self, colour: str) -> str:
        digits = colour.removeprefix("#").upper()
        return self.colours.setdefault(digits, self.names.get(digits, f"bptt{digits}"))


def _nothing(mark: ET.Element, look: dict[str, str]) -> None:
    """What is said and not shown."""


# -- lengths and paths -----------------------------------------------------------------------


def _short(x: float) -> str:
    return f"{x:.2f}".rstrip("0").rstrip(".") if x % 1 else f"{x:.0f}"


def _at(x: float, y: float) -> str:
    return f"({_short(x)},{_short(y)})"


def _path(d: str) -> Iterator[str]:
    """A path as TikZ has it; what follows the corner of a box is a quarter of a circle.

    Examples
    --------
    >>> print("".join(_path("M0 5a5 5 0 0 1 5 -5H20Z")))
    (0,5) .. controls (0,2.24) and (2.24,0) .. (5,0) -- (20,0) -- cycle
    """
    x, y = 0.0, 0.0
    for command, said in _COMMAND.findall(d):
        numbers = [float(number) for number in _NUMBER.findall(said)]
        if command == "Z":
            yield " -- cycle"
        elif command in "CQ":
            for piece in _curves(command, numbers, (x, y)):
                x, y = piece[-1]
                a, b, end = (_at(*point) for point in piece)
                yield f" .. controls {a} and {b} .. {end}"
        elif command == "a":
            one, two, (x, y) = _quarter(numbers, (x, y))
            yield f" .. controls {_at(*one)} and {_at(*two)} .. {_at(x, y)}"
        else:
            for point in _straight(command, numbers, (x, y)):
                x, y = point
                yield _at(x, y) if command == "M" else f" -- {_at(x, y)}"


def _straight(command: str, numbers: list[float], start: Point) -> Iterator[Point]:
    """The ends of straight lines: to points, or across and up and down."""
    x, y = start
    if command in "ML":
        yield from zip(numbers[::2], numbers[1::2], strict=True)
    else:
        (by,) = numbers
        yield {"H": (by, y), "V": (x, by), "h": (x + by, y), "v": (x, y + by)}[command]


def _curves(command: str, numbers: list[float], start: Point) -> Iterator[tuple[Point, ...]]:
    """Cubic curves without their beginnings; a quadratic one has one handle for both ends."""
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    for i in range(0, len(points), 3 if command == "C" else 2):
        if command == "C":
            yield tuple(points[i : i + 3])
            continue
        handle, end = points[i : i + 2]
        yield _between(start, handle, 2 / 3), _between(end, handle, 2 / 3), end
        start = end


def _quarter(numbers: list[float], start: Point) -> tuple[Point, Point, Point]:
    """A quarter of a circle, clockwise as all corners of boxes are, as a cubic curve."""
    x, y = start
    radius, flags, (dx, dy) = numbers[0], numbers[2:5], numbers[5:]
    assert (flags, abs(dx), abs(dy)) == ([0, 0, 1], radius, radius), "no corner of a box"
    corner = (x, y + dy) if dx * dy < 0 else (x + dx, y)
    end = x + dx, y + dy
    return _between(start, corner, _CIRCLE), _between(end, corner, _CIRCLE), end


def _between(a: Point, b: Point, part: float) -> Point:
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part


# -- words -----------------------------------------------------------------------------------


def _comment(line: str) -> str:
    return " ".join(line.split())


@cache
def _names(paper: str) -> dict[str, str]:
    """What the colours of a theme are called, by their hex digits: a document may change them."""
    (theme,) = (theme for theme in THEMES.values() if theme.paper == paper)
    found: dict[str, str] = {}
    for words, colour in _colours(theme):
        found.setdefault(colour.removeprefix("#"), f"bptt{words}")
    return found


def _colours(theme: Theme) -> Iterator[tuple[str, str]]:
    for field in fields(theme):
        value = getattr(theme, field.name)
        if isinstance(value, str):
            yield "".join(map(str.capitalize, field.name.split("_"))), value
    for kind, look in theme.boxes.items():
        yield f"{kind.capitalize()}Border", look.border
        yield f"{kind.capitalize()}Fill", look.fill
    for i, heat in enumerate(theme.heat):
        yield f"Heat{'ABCDEFG'[i]}", heat.fill
        yield f"HeatText{'ABCDEFG'[i]}", heat.text

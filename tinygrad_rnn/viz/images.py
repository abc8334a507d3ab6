"""A picture as PNG and as PDF, which look like its SVG; and on a slide or in a column.

Both are made of the SVG itself by vl-convert (the extra ``images``), which brings all it needs.  So
that they look alike on every machine they are set in the fonts that lie in ``fonts`` beside this
file: one as wide as Helvetica, with the signs of formulas and the characters of `languages`, and
one for numbers.  A PDF holds the fonts that it uses, and its text stays text.
"""

from __future__ import annotations

import io
import math
import re
import unicodedata
import warnings
from collections.abc import Sequence
from functools import cache
from html import escape, unescape
from importlib import import_module
from pathlib import Path
from typing import Any

from tinygrad_rnn.viz.text import MONO, SANS

FORMS = (".png", ".pdf")
SLIDE = (960.0, 540.0)  # points: 13⅓ by 7½ inches, as slides of 16:9 are
COLUMN = 234.0  # points: 3¼ inches
SCREEN, PRINT = 144.0, 300.0  # dots per inch: of a PNG, and of one that is as wide as a column
_INCH = 72.0
_MOST_PIXELS = 1 << 28  # a gigabyte while it is drawn
_LARGEST_PAGE = 14400.0  # points: what readers of PDF show
_ROOT = re.compile(r'(<svg [^>]*?)width="([\d.]+)" height="([\d.]+)"')
_TEXT = re.compile(r"<text[^>]*>([^<]+)<")
_UNSEEN = {"Cc", "Cf", "Mn", "Zl", "Zp", "Zs"}  # kinds of characters that have no look
_LATIN = 0x17F  # up to here, at least, our fonts have all
_PAPER = re.compile(r'<rect width="[\d.]+" height="[\d.]+" (fill="[^"]*"[^>]*)/>')

Size = str | float | None


def sized(svg: str, size: Size = None, scale: float = 1.0) -> str:
    """The picture as large as it is wanted.

    Parameters
    ----------
    svg : str
        As pictures and charts have it.
    size : {"slide", "column"}, float or None
        A slide of 16:9, on which the picture stands in the middle, as large as it can; as wide as
        a column of a paper; or so wide, in points.
    scale : float
        How many times larger than that.

    Raises
    ------
    ValueError
        If there is no such size, or something is not positive.
    TypeError
        If a number is none.
    """
    scale = positive("scale", scale)
    wide, high = extent(svg)
    if size == "slide":
        wide, high = (scale * side for side in SLIDE)
        return _on_a_sheet(svg, wide, high)
    if isinstance(size, str) and size != "column":
        raise ValueError(f'size={size!r} does not exist; there is "slide", "column", and a width')
    if size is not None:
        scale *= (COLUMN if isinstance(size, str) else positive("size", size)) / wide
    return svg if scale == 1 else _resized(svg, wide * scale, high * scale)


def image(
    svg: str, form: str, size: Size = None, scale: float = 1.0, dpi: float | None = None
) -> bytes:
    """The picture as a PNG or a PDF.

    Parameters
    ----------
    svg, size, scale
        As of `sized`.
    form : {".png", ".pdf"}
    dpi : float, optional
        Of a PNG the pixels per inch.

    Raises
    ------
    RuntimeError
        If the library for it is not installed.
    ValueError, TypeError
        As `sized`; if there would be too many pixels.
    """
    svg = sized(svg, size, scale)
    _tell_of_blanks(svg)
    wide, high = extent(svg)
    if form == ".pdf":
        fits = min(1.0, _LARGEST_PAGE / max(wide, high))
        return bytes(library().svg_to_pdf(_in_our_fonts(sized(svg, scale=fits))))
    usual = SCREEN if size in (None, "slide") else PRINT
    dpi = usual if dpi is None else positive("dpi", dpi)
    across, down = (round(side * dpi / _INCH) for side in (wide, high))
    if not 0 < across * down <= _MOST_PIXELS:
        raise ValueError(
            f"a .png of {across:,} × {down:,} pixels: choose another scale, dpi or size; "
            "a .pdf or .svg has no such limit"
        )
    return bytes(library().svg_to_png(_in_our_fonts(svg), scale=1.0, ppi=dpi))


def document(svgs: Sequence[str]) -> bytes:
    """Several pictures as the pages of one PDF.

    Raises
    ------
    RuntimeError
        If the libraries for it are not installed.
    """
    pages = [image(svg, ".pdf") for svg in svgs]
    try:
        writer = import_module("pypdf").PdfWriter()
    except ImportError as error:
        raise RuntimeError(
            "a .pdf of several pages needs: pip install 'tinygrad_rnn[images]'; .html needs nothing"
        ) from error
    for page in pages:
        writer.append(io.BytesIO(page))
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


@cache
def library() -> Any:
    """What makes images of SVG, with our fonts.

    Raises
    ------
    RuntimeError
        If it is not installed.
    """
    try:
        found = import_module("vl_convert")
    except ImportError as error:
        raise RuntimeError(
            "saving a picture as .png or .pdf needs: pip install 'tinygrad_rnn[images]'; "
            ".svg needs nothing"
        ) from error
    found.register_font_directory(str(Path(__file__).with_name("fonts")))
    return found


def positive(option: str, given: Any) -> float:
    """A number that a caller gave, if it makes a picture.

    Raises
    ------
    ValueError
        If it is not positive, or not finite.
    TypeError
        If it is no number.
    """
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"{option}={given!r}: give a number")
    if not 0 < given < math.inf:
        raise ValueError(f"{option}={given!r}: give a positive number")
    return float(given)


def extent(svg: str) -> tuple[float, float]:
    """The width and the height that a picture states, in points.

    Examples
    --------
    >>> extent('<svg xmlns="…" width="200" height="100">…</svg>')
    (200.0, 100.0)
    """
    root = _ROOT.match(svg)
    assert root is not None, "every picture states its size"
    return float(root[2]), float(root[3])


def _tell_of_blanks(svg: str) -> None:
    """Warn of characters that are written in no font, neither of ours nor of this machine."""
    written = "".join(unescape(text) for text in _TEXT.findall(svg))
    blank = [c for c in dict.fromkeys(written) if ord(c) > _LATIN and _is_blank(c)]
    if blank:
        warnings.warn(
            f"no font here has {', '.join(blank)}: left blank in the image; install a font that "
            "has them, or save as .svg",
            stacklevel=4,
        )


@cache
def _is_blank(character: str) -> bool:
    """Whether nothing is to be seen of a character of which there should be something."""
    if unicodedata.category(character) in _UNSEEN:
        return False
    page = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">{}</svg>'
    text = f'<text x="2" y="16" font-size="14" font-family="BPTT Sans">{escape(character)}</text>'
    drawn, empty = (library().svg_to_png(page.format(inside)) for inside in (text, ""))
    return bool(drawn == empty)


def _resized(svg: str, wide: float, high: float) -> str:
    return _ROOT.sub(rf'\g<1>width="{wide:.6g}" height="{high:.6g}"', svg, count=1)


def _on_a_sheet(svg: str, wide: float, high: float) -> str:
    """The picture in the middle of a larger one, as large as it can, on paper of its colour."""
    paper = _PAPER.search(svg)
    assert paper is not None, "every picture has paper under it"
    extent = f'width="{wide:.6g}" height="{high:.6g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {extent} viewBox="0 0 {wide:.6g} {high:.6g}">\n'
        f"<rect {extent} {paper[1]}/>\n{_resized(svg, wide, high)}</svg>\n"
    )


def _in_our_fonts(svg: str) -> str:
    """The same writing, in fonts that are there."""
    return svg.replace(f'"{SANS}"', '"BPTT Sans"').replace(f'"{MONO}"', '"BPTT Mono"')

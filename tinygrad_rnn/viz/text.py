"""Text in pictures: how wide it will be, and how it is made safe to write.

Graphviz counts UTF-8 bytes and knows few fonts, so widths are computed here, from the metrics
of the fonts that the pictures name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from tinygrad_rnn.writing.text import LEFT_TO_RIGHT

SANS = "Helvetica, Arial, 'Liberation Sans', sans-serif"
MONO = "'DejaVu Sans Mono', Menlo, Consolas, monospace"

_MONO_EM = 0.602
_WIDE_EM = 1.0  # East Asian characters, in whatever font stands in for Helvetica
_EMOJI_EM = 1.25
_OTHER_EM = 0.62  # letters and signs that the table does not know
_SMALL_EM = 0.4  # subscripts, superscripts and the prime
_BOLD = 1.1

# A line may end between two Chinese characters, but not before what closes or after what opens.
_HAN, _OPENING, _CLOSING = "\u2e80-\u2fff\u3040-\u9fff", "（《“", "、。，：；！？）》”"
_IN_HAN = re.compile("[\u2e80-\u9fff\uff00-\uffef]")
_WORD = re.compile(
    rf"\s*(?:[{_OPENING}]*(?:[{_HAN}]|[^\s{_HAN}{_OPENING}{_CLOSING}]+)[{_CLOSING}]*|\S)"
)

# Adobe's font metrics of Helvetica for the characters " " to "~", in 1/1000 em.
_HELVETICA = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip


@lru_cache(maxsize=4096)
def width(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """The width of a line of text, in points.

    Examples
    --------
    >>> width("tanh", 10, mono=True)
    24.08
    """
    em = sum(map((_MONO_EMS if mono else _SANS_EMS).__getitem__, text))
    return round(em * size * (_BOLD if bold else 1), 3)


def wrapped(text: str, room: float, size: float) -> list[str]:
    """A text on lines that are not wider than ``room``, but for a word that is alone.

    Examples
    --------
    >>> wrapped("a long line of text", 55, 10.5)
    ['a long line', 'of text']
    >>> wrapped("梯度回传，逐个时间步。", 60, 10)
    ['梯度回传，逐', '个时间步。']
    """
    lines = [""]
    for word in _WORD.findall(" ".join(text.split())):
        longer = lines[-1] + word
        if width(longer, size) > room and lines[-1]:
            lines.append(word.lstrip())
        else:
            lines[-1] = longer
    return lines


def has_han(text: str) -> bool:
    """Whether there are Chinese characters, or such punctuation, in a text.

    Examples
    --------
    >>> has_han("梯度 g"), has_han("g")
    (True, False)
    """
    return _IN_HAN.search(text) is not None


def _mono_em(character: str) -> float:
    if _is_invisible(character):
        return 0
    return _wide_em(character) or _MONO_EM


def _sans_em(character: str) -> float:
    if " " <= character <= "~":
        return _HELVETICA[ord(character) - 32] / 1000
    if _is_invisible(character):
        return 0
    if wide := _wide_em(character):
        return wide
    if character == "′" or unicodedata.decomposition(character).startswith(("<sub>", "<super>")):
        return _SMALL_EM
    if unicodedata.category(character)[0] == "S":  # mathematical signs are as wide as capitals
        return 0.8
    return _OTHER_EM


def _is_invisible(character: str) -> bool:
    """Whether a character takes no room of its own: a mark on a letter, or a sign for layout."""
    return unicodedata.combining(character) > 0 or character == LEFT_TO_RIGHT


def _wide_em(character: str) -> float:
    """The width of a character that fonts for Latin letters leave to others; 0 of any other."""
    if ord(character) >= 0x1F000:
        return _EMOJI_EM
    if unicodedata.east_asian_width(character) not in "WF":
        return 0
    return _EMOJI_EM if unicodedata.category(character) == "So" else _WIDE_EM


class _Ems(dict[str, float]):
    """The widths of characters, each found out once."""

    def __init__(self, measure: Callable[[str], float]) -> None:
        self.measure = measure

    def __missing__(self, character: str) -> float:
        self[character] = em = self.measure(character)
        return em


_MONO_EMS, _SANS_EMS = _Ems(_mono_em), _Ems(_sans_em)


def fitted(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, cut with an ellipsis where it would be wider than ``room``.

    Examples
    --------
    >>> fitted("= tanh(a + b)", 10, 40)
    '= tanh(…'
    """
    if width(text, size, bold=bold) <= room:
        return text
    while text and width(text + "…", size, bold=bold) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def xml(text: str) -> str:
    """Escape text for SVG, in an element or in a quoted attribute.

    Examples
    --------
    >>> xml('a < "b"')
    'a &lt; &quot;b&quot;'
    """
    for sign, entity in ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"):
        text = text.replace(sign, entity)
    return text.replace("'", "&#39;")


def dot(text: str) -> str:
    r"""Escape one line for a DOT label, in which Graphviz reads backslashes and entities.

    Examples
    --------
    >>> print(dot("a\\N &lt; b"))
    a\\N &amp;lt; b
    """
    return text.replace("\\", "\\\\").replace("&", "&amp;")

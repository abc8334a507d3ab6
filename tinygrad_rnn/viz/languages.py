"""The words of pictures in other languages: catalogues, and how they are put into a picture.

Names, numbers and formulas are the program's and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from html import escape, unescape

from tinygrad_rnn.viz import chinese
from tinygrad_rnn.viz.options import one_of
from tinygrad_rnn.viz.scene import Scene
from tinygrad_rnn.viz.text import MONO

Say = Callable[[str], str]
Patterns = Sequence[tuple[str, str]]
_Compiled = list[tuple[re.Pattern[str], str]]
_A_WORD = re.compile(r"[a-z]{3}| of \d")


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The words of a language, by the English ones.

    Attributes
    ----------
    phrases : mapping
        What stands by itself.
    patterns : sequence
        What has numbers in it, or is a sentence among others: regular expressions, and what
        replaces them.
    layers : sequence
        The same of what layers are called besides their scope.
    """

    phrases: Mapping[str, str]
    patterns: Patterns
    layers: Patterns

    def says(self, text: str) -> str:
        """A text, or what of it is known."""
        if text.startswith("= ") or not _A_WORD.search(text):  # formulas and numbers: most of all
            return text
        known = self.phrases.get(text)
        return _replaced(self._all, text) if known is None else known

    def layer(self, name: str) -> str:
        """The name of a layer."""
        return _replaced(self._layers, name)

    @cached_property
    def _all(self) -> _Compiled:
        return [*self._layers, *_compiled(self.patterns)]

    @cached_property
    def _layers(self) -> _Compiled:
        return _compiled(self.layers)


def _compiled(patterns: Patterns) -> _Compiled:
    return [(re.compile(pattern), said) for pattern, said in patterns]


def _replaced(patterns: _Compiled, text: str) -> str:
    for pattern, said in patterns:
        text = pattern.sub(said, text)
    return text


PICTURES = {"zh": Catalogue(chinese.PHRASES, chinese.PATTERNS, chinese.LAYERS)}
LANGUAGES = ("en", *PICTURES)

# What a reader sees of a picture: writing, tooltips, and what is told to a screen reader.
_TEXT = re.compile(r"<(text|title|desc)\b([^>]*)>([^<]+)(?=<)")
_LATIN = ' font-style="italic"', f' font-family="{MONO}"'  # looks that Chinese writing has not


def speaking(language: str) -> Say:
    """What says a text of a picture in a language.

    Raises
    ------
    ValueError
        If there is no such language.

    Examples
    --------
    >>> say = speaking("zh")
    >>> say("σ: sigmoid"), say("weights, used ×4"), say("h₁ @ W")
    ('σ：sigmoid 函数', '权重，使用 ×4', 'h₁ @ W')
    """
    return partial(said_in, one_of("language", language, LANGUAGES))


def said_in(language: str, text: str) -> str:
    """One phrase or several sentences of a picture; what the catalogue does not have stays."""
    return text if language == "en" else PICTURES[language].says(text)


def told_in(language: str, scene: Scene) -> None:
    """Translate what is broken into lines when it is painted, and what stands for a name."""
    scene.language = language
    if language == "en":
        return
    scene.title, scene.aid = said_in(language, scene.title), said_in(language, scene.aid)
    for box in scene.boxes.values():
        box.band, box.mark = PICTURES[language].layer(box.band), said_in(language, box.mark)
        if box.style == "elided":
            box.name = said_in(language, box.name)
        elif box.style in ("cell", "weights"):
            box.name = PICTURES[language].layer(box.name)


def painted_in(language: str, svg: str) -> str:
    """A picture with its words in another language; what is bold is a name, or said already."""
    if language == "en":
        return svg

    def say(found: re.Match[str]) -> str:
        tag, look, text = found[1], found[2], unescape(found[3])
        said = text if "bold" in look else said_in(language, text)
        if said == text:
            return found[0]
        for latin in _LATIN:
            look = look.replace(latin, "")
        return f"<{tag}{look}>{escape(said, quote=False)}"

    return _TEXT.sub(say, svg)

"""The words of pages in other languages: of their files, of their scripts, and of their data."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tinygrad_rnn.viz import chinese as pictures
from tinygrad_rnn.viz.languages import Catalogue
from tinygrad_rnn.viz.player import chinese

PAGES = {
    "zh": Catalogue(
        pictures.PHRASES | chinese.PHRASES, chinese.PATTERNS, pictures.LAYERS + pictures.SPOKEN
    )
}

# What a reader sees, or hears, of a file: writing between tags, and attributes; not what a
# placeholder stands for.
_WORDS = re.compile(r'(?<=>)[^<>$]+(?=<)|(?<=(?:label|title|rwise)=")[^"$]+(?=")')


def words_of(language: str) -> Mapping[str, str]:
    """What the scripts of a page say in a language, by how they say it in English."""
    return {} if language == "en" else PAGES[language].phrases


def worded(language: str, file: str) -> str:
    """A file of a page with its words in a language.

    Examples
    --------
    >>> worded("zh", '<button aria-label="Last step">&gt;</button> <b>$title</b>')
    '<button aria-label="最后一步">&gt;</button> <b>$title</b>'
    """
    words = words_of(language)

    def say(found: re.Match[str]) -> str:
        bare = " ".join(found[0].split())
        return found[0].replace(found[0].strip(), words.get(bare, found[0].strip()))

    return _WORDS.sub(say, file) if words else file


def told_in(language: str, text: str) -> str:
    """What a page tells of a walk; what the catalogue does not have stays.

    Examples
    --------
    >>> told_in("zh", "Back through t = 2, rnn layer 1 reverse")
    '反向穿过 t = 2, rnn 第 1 层反向读'
    """
    return text if language == "en" else PAGES[language].says(text)


def layer_in(language: str, name: str) -> str:
    """A part of a layer's name."""
    return name if language == "en" else PAGES[language].layer(name)

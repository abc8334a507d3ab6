"""A page that needs nothing else: style, script, data and drawing in one HTML file.

A Content-Security-Policy allows this very style and script, by their hashes, and nothing more:
no other script, no request.  What comes from a user is text between tags, or JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

from tinygrad_rnn.viz.images import extent
from tinygrad_rnn.viz.languages import painted_in
from tinygrad_rnn.viz.layout import Layout
from tinygrad_rnn.viz.options import LONGEST_TITLE
from tinygrad_rnn.viz.player.wording import worded, words_of
from tinygrad_rnn.viz.scene import Scene
from tinygrad_rnn.viz.schemes import COLOURS, IN_VARIABLES
from tinygrad_rnn.viz.svg import paint
from tinygrad_rnn.viz.text import xml
from tinygrad_rnn.writing.text import clean

_STYLES = ("viewport.css", "player.css", "explain.css")
_SCRIPTS = ("viewport.js", "explain.js", "player.js", "chapters.js", "filling.js")


def walking(
    scene: Scene, layout: Layout, walk: dict[str, Any], what_if: dict[str, Any] | None = None
) -> str:
    """The player's page: a laid-out scene, the walk over it (see `walk_of`), and what a reader may
    change (see `WhatIf.offer`), with "sliders" if the answers are in the page, else of a server.
    """
    colours = (f"--{name}: light-dark({', '.join(pair)});\n" for name, pair in COLOURS.items())
    language, title = scene.language, xml(scene.title)
    svg = painted_in(language, paint(scene, layout, IN_VARIABLES))
    data = _json(walk | {"words": words_of(language)})
    asked = "" if what_if is None else _filled(language, "what_if.html", data=_json(what_if))
    body = _filled(language, "player.html", svg=svg, title=title, data=data, what_if=asked)
    style = f":root {{\n{''.join(colours)}}}\n" + "".join(map(_file, _STYLES))
    script = "".join(map(_file, _SCRIPTS))
    if what_if is None:
        return _page(title, "playing", body, style, script, language)
    style, script = style + _file("what_if.css"), script + _file("what_if.js")
    asks = "sliders" not in what_if
    return _page(title, "playing", body, style, script, language, asks)


def still(svg: str, title: str, other: str = "", language: str = "en") -> str:
    """A page that shows an SVG picture, to be moved by dragging and zoomed by the wheel.

    Parameters
    ----------
    svg : str
        One ``<svg>`` element, without an XML declaration.
    title : str
        What the browser writes on the tab.
    other : str
        Of a rolled picture the unrolled one, which a button brings, and the first one back.
    language : str
        Of the words of the page.

    Examples
    --------
    >>> page = still('<svg xmlns="http://www.w3.org/2000/svg"></svg>', "h < 1")
    >>> "<title>h &lt; 1</title>" in page
    True
    """
    turn = _filled(language, "turn.html", svg=other.strip()) if other else ""
    title = xml(clean(title, LONGEST_TITLE))
    body = _filled(language, "still.html", svg=svg, turn=turn, title=title)
    style, script = (_file(f"viewport.{kind}") + _file(f"still.{kind}") for kind in ("css", "js"))
    return _page(title, "still", body, style, script, language)


def printed(svgs: Sequence[str], title: str, language: str = "en") -> str:
    """A page that shows pictures as sheets of paper, and prints each on one of its own.

    Parameters
    ----------
    svgs : sequence of str
        Each one ``<svg>`` element, as large, in points, as its sheet.
    title : str
        What the browser writes on the tab.
    language : str
        Of what is written there.

    Examples
    --------
    >>> sheet = '<svg xmlns="http://www.w3.org/2000/svg" width="595" height="842"></svg>'
    >>> "size: 595pt 842pt" in printed([sheet], "An exercise")
    True
    """
    sizes = [tuple(map(round, extent(svg))) for svg in svgs]
    style = _file("printed.css") + "".join(
        f"@page a{wide}x{high} {{ size: {wide}pt {high}pt; margin: 0; }}\n"
        f".a{wide}x{high} {{ page: a{wide}x{high}; width: {wide}pt; height: {high}pt; }}\n"
        for wide, high in dict.fromkeys(sizes)
    )
    sheets = zip(svgs, sizes, strict=True)
    body = "".join(f'<section class="a{w}x{h}">\n{svg}</section>\n' for svg, (w, h) in sheets)
    return _page(xml(clean(title, LONGEST_TITLE)), "printed", body, style, "", language)


def _filled(language: str, name: str, **parts: str) -> str:
    """A file of the page in a language, with what its placeholders stand for."""
    return Template(worded(language, _file(name))).substitute(parts)


def _page(
    title: str, kind: str, body: str, style: str, script: str, language: str, asks: bool = False
) -> str:
    styles = [style, *re.findall("<style>(.*?)</style>", body, re.DOTALL)]
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {' '.join(map(_hash, styles))}",
            f"script-src {_hash(script)}",
            "base-uri 'none'",
            "form-action 'none'",
            *(["connect-src 'self'"] if asks else []),
        ]
    )
    return Template(_file("page.html")).substitute(
        policy=policy, title=title, kind=kind, body=body, style=style, script=script,
        language=language,
    )  # fmt: skip


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """A text as a Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: Any) -> str:
    """JSON in which nothing can be taken for markup."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text

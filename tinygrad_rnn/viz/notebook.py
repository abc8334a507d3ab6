"""How notebooks show pictures and the player: as HTML without a script of the notebook's page.

What a cell shows lies in the page of the notebook, whoever made that: JupyterLab, VS Code, Colab,
or the converter to HTML.  So a picture brings the few rules of style that it needs, under names of
its own, and the player is a page of its own in a frame that may run its own script and no more.
"""

from __future__ import annotations

from tinygrad_rnn.viz.images import extent
from tinygrad_rnn.viz.languages import said_in
from tinygrad_rnn.viz.text import xml

_STYLE = """
.bptt-picture { display: block; position: relative; cursor: zoom-in; }
.bptt-picture input { position: absolute; opacity: 0; pointer-events: none; }
.bptt-picture svg { display: block; max-width: 100%; height: auto; }
.bptt-picture input:focus-visible + span svg { outline: 3px solid #0072b2; }
.bptt-picture input:checked + span { position: fixed; inset: 0; z-index: 10000; overflow: auto;
  background: rgb(0 0 0 / 75%); cursor: zoom-out; }
.bptt-picture input:checked + span svg { max-width: none; margin: auto; }
"""
_HIGH = 640  # pixels: of the player's frame


def in_a_cell(svg: str, title: str, language: str = "en") -> str:
    """A picture as wide as its cell.

    A click, or the space bar, opens it in full size, over the page, or over its place in it where
    the notebook lets a cell reach no further; the next one closes it.  Its place is kept.

    Examples
    --------
    >>> cell = in_a_cell('<svg xmlns="…" width="200" height="100">…</svg>', "A net")
    >>> print(cell.partition("><")[0])
    <label class="bptt-picture" style="max-width: 200px; aspect-ratio: 200 / 100"
    """
    wide, high = extent(svg)
    said = said_in(language, f"{title}: in full size")
    return (
        f'<label class="bptt-picture" style="max-width: {wide:g}px; '
        f'aspect-ratio: {wide:g} / {high:g}"><style>{_STYLE}</style>'
        f'<input type="checkbox" aria-label="{xml(said)}"><span>\n{svg}'
        "</span></label>"
    )


def in_a_frame(page: str, title: str) -> str:
    """A page of its own within a notebook's; neither can reach into the other.

    Examples
    --------
    >>> print(in_a_frame("<p>'h' & c</p>", "A page").partition(" style")[0])
    <iframe srcdoc='<p>&#39;h&#39; &amp; c</p>' title="A page" sandbox="allow-scripts"
    """
    inside = page.replace("&", "&amp;").replace("'", "&#39;")  # most quotes in a page are double
    return framed(f"srcdoc='{inside}'", title, "allow-scripts")


def framed(source: str, title: str, may: str) -> str:
    """The frame of a page, given by an attribute, that may do no more than is said.

    Examples
    --------
    >>> print(framed('src="a.html"', "A page", "allow-scripts").partition(" style")[0])
    <iframe src="a.html" title="A page" sandbox="allow-scripts"
    """
    return (
        f'<iframe {source} title="{xml(title)}" sandbox="{may}" '
        f'style="width: 100%; height: {_HIGH}px; border: 0" allow="fullscreen"></iframe>'
    )

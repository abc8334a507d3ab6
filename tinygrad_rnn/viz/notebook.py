"""How notebooks show pictures and the player: as HTML without a script of the notebook's page.

What a cell shows lies in the page of the notebook, whoever made that: JupyterLab, VS Code, Colab,
or the converter to HTML.  So a picture brings the few rules of style that it needs, under names of
its own, and the player is a page of its own in a frame that may run its own script and no more.
"""

from __future__ import annotations

from tinygrad_rnn.viz.text import xml

_STYLE = """
.bptt-picture { display: block; cursor: zoom-in; }
.bptt-picture input { position: absolute; opacity: 0; pointer-events: none; }
.bptt-picture svg { display: block; max-width: 100%; height: auto; }
.bptt-picture input:focus-visible + span svg { outline: 3px solid #0072b2; }
.bptt-picture input:checked + span { position: fixed; inset: 0; z-index: 10000; overflow: auto;
  background: rgb(0 0 0 / 75%); cursor: zoom-out; }
.bptt-picture input:checked + span svg { max-width: none; margin: auto; }
"""
_HIGH = 720  # pixels: of the player's frame


def in_a_cell(svg: str, title: str) -> str:
    """A picture as wide as its cell, that opens in full size on a click, or on a press of the space
    bar, and closes on the next one.

    Examples
    --------
    >>> "max-width: 100%" in in_a_cell('<svg xmlns="…">…</svg>', "A net")
    True
    """
    return (
        f'<label class="bptt-picture"><style>{_STYLE}</style>'
        f'<input type="checkbox" aria-label="{xml(title)}: in full size"><span>\n{svg}'
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
    return (
        f'<iframe srcdoc=\'{inside}\' title="{xml(title)}" sandbox="allow-scripts" '
        f'style="width: 100%; height: {_HIGH}px; border: 0" allow="fullscreen"></iframe>'
    )

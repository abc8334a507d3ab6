"""The player with a program behind it, which computes what the reader wants to know."""

from __future__ import annotations

import math
import threading
import webbrowser
from typing import Any

from tinygrad_rnn.viz.notebook import framed
from tinygrad_rnn.viz.player.server import Server, Site
from tinygrad_rnn.viz.player.what_if import MOST_ASKED, MOST_CHANGES, Change, WhatIf


class LivePlayer:
    """A player in which numbers can be changed; the program computes again what follows.

    A notebook shows it under the cell. Elsewhere `open` shows it in the browser. It is served on
    this machine alone, at an address that holds a token, until `close` or the end of the program.

    Attributes
    ----------
    title : str
    address : str
        Of the page. It can be open in several tabs, each with changes of its own.
    """

    def __init__(self, title: str, page: str, what_if: WhatIf) -> None:
        self.title = title
        self._what_if, self._one_at_a_time = what_if, threading.Lock()
        self._server = Server(Site(page, self._answer))
        self.address = self._server.address

    def open(self) -> None:
        """Show it in the browser, and wait until its last page is closed, or for Ctrl-C."""
        webbrowser.open(self.address)
        self.wait()

    def wait(self) -> None:
        """Wait until the page, opened by whomever, is closed, or for Ctrl-C; then close."""
        try:
            self._server.wait()
        except KeyboardInterrupt:
            pass  # it is how one ends
        finally:
            self.close()

    def close(self) -> None:
        """Serve no longer; pages that are open go on as stills."""
        self._server.close()

    def __enter__(self) -> LivePlayer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LivePlayer({self.title!r}, {self.address})"

    def _repr_html_(self) -> str:
        """What a notebook shows: the page in a frame of its own, while the kernel serves it."""
        return framed(f'src="{self.address}"', self.title, "allow-scripts allow-same-origin")

    def _answer(self, question: Any) -> Any:
        asked = understood(question)
        with self._one_at_a_time:
            return self._what_if.answer(*asked)


def understood(question: Any) -> tuple[list[Change], int, list[int]]:
    """The changes of a question, the visit that is shown, and the boxes that are asked why.

    Raises
    ------
    ValueError
        If that is not what it holds.

    Examples
    --------
    >>> understood({"changes": [[3, 0, 0.25]], "visit": 7, "why": []})
    ([(3, 0, 0.25)], 7, [])
    """
    if not isinstance(question, dict) or set(question) != {"changes", "visit", "why"}:
        raise ValueError("a question has changes, a visit, and boxes that are asked why")
    changes, visit, why = question["changes"], question["visit"], question["why"]
    if not _is_index(visit):
        raise ValueError("a visit is a whole number")
    if not (isinstance(why, list) and len(why) <= MOST_ASKED and all(map(_is_index, why))):
        raise ValueError("what is asked why are boxes, and few")
    if not isinstance(changes, list) or len(changes) > MOST_CHANGES:
        raise ValueError("changes are a list, and not too long")
    return [_change(change) for change in changes], visit, why


def _change(change: Any) -> Change:
    if not isinstance(change, list) or len(change) != 3:
        raise ValueError("a change is a box, an element and a number")
    box, element, value = change
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (_is_index(box) and _is_index(element) and is_number and _is_finite(value)):
        raise ValueError("a change is a box, an element and a number")
    return box, element, float(value)


def _is_index(x: Any) -> bool:
    return isinstance(x, int) and not isinstance(x, bool) and 0 <= x < 2**31


def _is_finite(x: float) -> bool:
    return -1e308 <= x <= 1e308 and math.isfinite(x)

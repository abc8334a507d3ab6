"""The player: one HTML file in which a reader steps through a backward walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, overload

from tinygrad_rnn import files
from tinygrad_rnn.bptt import Record, record
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.collector import resting_collector
from tinygrad_rnn.viz.build import scene_of
from tinygrad_rnn.viz.languages import speaking, told_in
from tinygrad_rnn.viz.layout import lay_out
from tinygrad_rnn.viz.notebook import in_a_frame
from tinygrad_rnn.viz.options import check_count, title_or
from tinygrad_rnn.viz.player.live import LivePlayer
from tinygrad_rnn.viz.player.page import still, walking
from tinygrad_rnn.viz.player.sliders import worked_out
from tinygrad_rnn.viz.player.walk import boxed, make_room, walk_of
from tinygrad_rnn.viz.player.what_if import WhatIf
from tinygrad_rnn.viz.schemes import IN_VARIABLES
from tinygrad_rnn.viz.source import source_of

__all__ = ["LivePlayer", "Player", "play", "still"]

MOST = 2000  # boxes of a page, unless it is asked for more


@dataclass(frozen=True, eq=False)
class Player:
    """A page that steps through a backward walk.  Notebooks show it; `save` writes it to a file.

    Attributes
    ----------
    title : str
    page : str
        The page, as HTML.
    """

    title: str
    page: str = field(repr=False)

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, whose name ends in ``.html``; returns its path.

        Raises
        ------
        ValueError
            For any other suffix.
        """
        path = _named(path)
        files.write(path, self.page)
        return path

    def _repr_html_(self) -> str:
        """What a notebook shows: the page in a frame of its own."""
        return in_a_frame(self.page, self.title)


@overload
def play(
    loss_or_record: Tensor | Record, path: str | Path, *, title: str | None = None,
    max_nodes: int = MOST, sliders: Mapping[str, Any] | None = None, live: Literal[False] = False,
    language: str = "en",
) -> Path: ...  # fmt: skip
@overload
def play(
    loss_or_record: Tensor | Record, path: None = None, *, title: str | None = None,
    max_nodes: int = MOST, sliders: Mapping[str, Any] | None = None, live: Literal[False] = False,
    language: str = "en",
) -> Player: ...  # fmt: skip
@overload
def play(
    loss_or_record: Tensor | Record, path: None = None, *, title: str | None = None,
    max_nodes: int = MOST, sliders: None = None, live: Literal[True], language: str = "en",
) -> LivePlayer: ...  # fmt: skip
def play(
    loss_or_record: Tensor | Record,
    path: str | Path | None = None,
    *,
    title: str | None = None,
    max_nodes: int = MOST,
    sliders: Mapping[str, Any] | None = None,
    live: bool = False,
    language: str = "en",
) -> Path | Player | LivePlayer:
    """Make a page that steps through a backward walk, visit by visit.

    Of a tensor the backward runs now, recorded by `bptt.record`: gradients accumulate in the
    leaves, and the graph is freed, as by ``loss.backward()``.  Of a record the page shows that
    walk, and nothing runs.  The walk of a second backward is played in the same way: take the
    gradient with ``create_graph=True`` and play what was computed of it.

    The page is one file and loads nothing, from the network or elsewhere.  Its address names what
    it shows: ``bptt.html#step=10&node=0`` opens with visit 10 and the inspector on box n0.

    Parameters
    ----------
    loss_or_record
        A tensor of one element that requires grad, or what ``bptt.record`` returned.
    path
        Where to write it: a name that ends in ``.html``. Without, nothing is written: what comes
        back shows the page in a cell of a notebook.
    title
        A title in place of the one that counts steps and operations.
    max_nodes
        The most boxes to draw.
    sliders
        Leaves that the reader may change, by their names in the picture, and the values along
        which: ``{"w": np.linspace(-1, 1, 21)}``, or of an element ``{"w_hh[0, 1]": …}``. What
        follows from every combination is worked out now, and is in the page.
    live
        Let the reader change any weight, input or initial state, and have this program compute
        again what follows (see `bptt.again`). The page is served on this machine alone.
    language
        Of all words of the page, and of the picture in it: "en", or "zh", Chinese; names, formulas
        and the program stay.

    Returns
    -------
    Path, Player or LivePlayer
        The file; or the player, without one. What is ``live`` a notebook shows, and elsewhere
        ``viz.play(walk, live=True).open()`` shows it in the browser until the page is closed.

    Raises
    ------
    TypeError
        If it is given neither a tensor nor a record; for a title that is no text.
    ValueError
        If there are more than ``max_nodes`` boxes, or the path has another suffix; for a path, or
        sliders, of what is live.  No backward has run then.  If sliders have too many combinations,
        or values of another shape.
    KeyError
        If there is no leaf of a slider's name.
    OSError
        If the file cannot be written, such as a FileNotFoundError if there is no such directory;
        again before anything runs.

    Examples
    --------
    >>> import tempfile
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.2, requires_grad=True).named("w")
    >>> h = tg.tensor(0.9, requires_grad=True).named("h₀")
    >>> for t in range(1, 3):
    ...     with tg.step(t):
    ...         h = (w * h).named("h")
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     page = tg.viz.play(h, f"{directory}/bptt.html")
    ...     page.name, "G ⊙ h₁" in page.read_text(encoding="utf-8")
    ('bptt.html', True)
    >>> w.grad
    tensor(0.3600)
    """
    if path is not None:
        files.writable(_named(path))  # or it says why not, before anything runs
    if live and (path is not None or sliders is not None):
        raise ValueError("play: live=True is served, not written: it takes no path and no sliders")
    title_or(title, "")  # before anything runs
    speaking(language)
    count = len(boxed(source_of(loss_or_record).root))
    check_count("play", count, max_nodes)
    walk = loss_or_record if isinstance(loss_or_record, Record) else record(loss_or_record)
    with resting_collector():
        scene = scene_of(source_of(walk), steps="all", max_nodes=count, title=title)
        told_in(language, scene)
        data = walk_of(walk, scene)
        make_room(scene, data)
        layout = lay_out(scene)
        if not live and sliders is None:
            player = Player(scene.title, walking(scene, layout, data))
            return player if path is None else player.save(path)
        what_if = WhatIf(walk, scene, layout, IN_VARIABLES)
        offer = what_if.offer()
        if sliders is not None:
            offer["sliders"] = worked_out(what_if, sliders)
        page = walking(scene, layout, data, offer)
    if live:
        return LivePlayer(scene.title, page, what_if)
    player = Player(scene.title, page)
    return player if path is None else player.save(path)


def _named(path: str | Path) -> Path:
    """The path of a page, if its name says so."""
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"play: a player is a web page; {path.name!r} does not end in .html")
    return path

"""The player: one HTML file in which a reader steps through a backward walk."""

from __future__ import annotations

from pathlib import Path

from tinygrad_rnn import files
from tinygrad_rnn.bptt import Record, record
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.collector import resting_collector
from tinygrad_rnn.viz.build import scene_of
from tinygrad_rnn.viz.layout import lay_out
from tinygrad_rnn.viz.options import check_count, title_or
from tinygrad_rnn.viz.player.page import still, walking
from tinygrad_rnn.viz.player.walk import boxed, make_room, walk_of
from tinygrad_rnn.viz.source import source_of

__all__ = ["play", "still"]

MOST = 2000  # boxes of a page, unless it is asked for more


def play(
    loss_or_record: Tensor | Record,
    path: str | Path,
    *,
    title: str | None = None,
    max_nodes: int = MOST,
) -> Path:
    """Write a page that steps through a backward walk, visit by visit.

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
        Where to write: a name that ends in ``.html``.
    title
        A title in place of the one that counts steps and operations.
    max_nodes
        The most boxes to draw.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError
        If it is given neither a tensor nor a record; for a title that is no text.
    ValueError
        If there are more than ``max_nodes`` boxes, or the path has another suffix.  No backward
        has run then.
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
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"play: a player is a web page; {path.name!r} does not end in .html")
    files.writable(path)  # or it says why not, before anything runs
    title_or(title, "")  # before anything runs
    count = len(boxed(source_of(loss_or_record).root))
    check_count("play", count, max_nodes)
    walk = loss_or_record if isinstance(loss_or_record, Record) else record(loss_or_record)
    with resting_collector():
        scene = scene_of(source_of(walk), steps="all", max_nodes=count, title=title)
        data = walk_of(walk, scene)
        make_room(scene, data)
        page = walking(scene, lay_out(scene), data)
    files.write(path, page)
    return path

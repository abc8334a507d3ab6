"""A gradient taken apart: by time step, operation, layer, direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from tinygrad_rnn.bptt.axes import axes_for, called, steps_on
from tinygrad_rnn.bptt.loss_terms import sent_by_term
from tinygrad_rnn.bptt.measured import Measured
from tinygrad_rnn.bptt.record import Record, Visit, expect_record
from tinygrad_rnn.bptt.runs import runs_of
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.sums import Part, Waiting
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.names import plain_name
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.writing.norms import norm, norms
from tinygrad_rnn.writing.text import clean, folded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

_ASPECTS: dict[str, Callable[[Visit], Any]] = {
    "step": lambda visit: visit.step,
    "operation": lambda visit: visit.node.primitive.name,
    "scope": lambda visit: Layer.of(visit.node).scope,
    "layer": lambda visit: Layer.of(visit.node).number,
    "direction": lambda visit: Layer.of(visit.node).direction,
    "visit": lambda visit: visit.number,
}
_MOST_TICKS = 12  # at an axis of a plot
_BY = (*_ASPECTS, "run", "loss")
_NUMBERS = ("step", "layer", "visit", "run", "loss")


class Contributions(Measured, Mapping[Any, Array]):
    """What `contributions` returns: a mapping, in order, from a step (or what else) to its share.

    It prints as a table, and ``np.asarray`` gives the shares stacked in their order.  A share is
    put together when it is asked for: those of a sequence ``x`` that is read as ``x[t]`` together
    are T times as large as ``x``, but only what a loop holds is in memory.

    Attributes
    ----------
    by : tuple of str
        By what it was taken apart.
    """

    def __init__(self, record: Record, place: Node, by: tuple[str, ...]) -> None:
        self.by, self._place = by, place
        self._has_steps = any(visit.step is not None for visit in record.visits)
        whole = [(None, visit, c) for visit, c in _sent(record, place)]
        self._all = [c for _, _, c in whole]  # as the walk sent them: slices as `Part`s
        groups: dict[tuple[Any, ...], list[Any]] = {}
        runs = runs_of(record.places) if "run" in by else {}
        for term, visit, c in sent_by_term(record, place) if "loss" in by else whole:
            said = {"loss": term, "run": runs.get(visit.node)}
            key = tuple(said[of] if of in said else _ASPECTS[of](visit) for of in by)
            groups.setdefault(key, []).append(c)
        self._groups: dict[Any, list[Any]] = {
            key if len(by) > 1 else key[0]: groups[key] for key in sorted(groups, key=_absent_last)
        }

    def __getitem__(self, key: Any) -> Array:
        return _added(self._groups[key], self._place.shape)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)

    @property
    def total(self) -> Array:
        """The sum of all, added in the order of the walk: it has the very bits of the gradient."""
        return _added(self._all, self._place.shape)

    def numpy(self) -> Array:
        """The shares in their order, along a new first axis."""
        return np.stack(list(self.values())) if self else np.zeros((0, *self._place.shape))

    @property
    def heading(self) -> str:
        """The line above the table; where no step is known, what to do about it."""
        heading = f"Gradient of {plain_name(self._place)} by {', '.join(self.by)}"
        if "step" not in self.by or not self or any(key is not None for key in self._of("step")):
            return heading
        if self._has_steps:
            return f"{heading}: it is used outside of all time steps"
        return (
            f"{heading}: no time steps were found in this graph; tell them by `with "
            'bptt.step(t):`, or ask by="operation" or by="visit"'
        )

    def _of(self, aspect: str) -> list[Any]:
        """What the keys say of one aspect, each once, in order."""
        at = self.by.index(aspect)
        found = dict.fromkeys(key[at] if len(self.by) > 1 else key for key in self)
        return [part for (part,) in sorted(((part,) for part in found), key=_absent_last)]

    @property
    def numeric(self) -> Sequence[int]:
        """The columns that are aligned at their right end."""
        numbers = [i for i, aspect in enumerate(self.by) if aspect in _NUMBERS]
        return [*numbers, len(self.by), len(self.by) + 1]

    def rows(self) -> list[list[str]]:
        """The norm of each share, and its length along the gradient's direction, in per cent.

        The latter, a projection, adds up: all of them are 100 %, and one that points the other
        way is negative. The norms do not. Of a gradient that is zero or not finite there are no
        projections. The middle of many rows is left out.
        """
        total = np.asarray(self.total, float)
        size = norm(total)
        direction = total / size if 0 < size < np.inf else np.full(total.shape, np.nan)
        rows = []
        for key, share in self.items():
            names = key if len(self.by) > 1 else (key,)
            part = float(np.vdot(direction, share / size)) if size else np.nan
            of_all = "–" if np.isnan(part) else f"{part:.1%}"
            rows.append([*map(_word, names), f"{norm(share):.4g}", of_all])
        head = [*self.by, "norm", "along the gradient"]
        whole = "100%" if 0 < size < np.inf else "–"
        return [head, *folded(rows), ["sum", *[""] * (len(self.by) - 1), f"{size:.4g}", whole]]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the norms of the shares by matplotlib, as bars.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default a new figure. Returned in any case.

        Raises
        ------
        RuntimeError
            If matplotlib is not installed.
        """
        ax = axes_for("Contributions.plot", ax)
        keys, sizes = list(self), norms(self.values())
        if all(isinstance(key, int) for key in keys):
            ax.bar(keys, sizes)
            steps_on(ax, self.by[0])
        else:
            names = [key if len(self.by) > 1 else (key,) for key in keys]
            ax.bar(range(len(keys)), sizes)
            ax.set_xticks(range(len(keys)), [called(", ".join(map(_word, name))) for name in names])
            ax.set_xlabel(", ".join(self.by))
        ax.set_ylabel(f"‖share of ∂L/∂{called(plain_name(self._place))}‖")
        return ax


class ContributionMatrix(Contributions):
    """Contributions by two aspects, one of them the loss term: a matrix of arrays.

    It prints as a matrix of norms, and ``np.asarray`` gives it whole, with zeros where nothing was
    sent: its shape is (lines, columns) and that of the parameter.

    Attributes
    ----------
    lines, columns : list
        The keys along both axes, such as loss terms and time steps.
    """

    def __init__(self, record: Record, place: Node, by: tuple[str, ...]) -> None:
        super().__init__(record, place, by)
        self.lines, self.columns = map(self._of, by)

    def numpy(self) -> Array:
        """The matrix of shares."""
        shape = len(self.lines), len(self.columns), *self._place.shape
        matrix = np.zeros(shape, self.total.dtype)
        for (line, column), share in self.items():
            matrix[self.lines.index(line), self.columns.index(column)] = share
        return matrix

    def norms(self) -> Array:
        """The norms of the shares: float64, of shape (lines, columns)."""
        found = np.zeros((len(self.lines), len(self.columns)))
        for (line, column), share in self.items():
            found[self.lines.index(line), self.columns.index(column)] = norm(share)
        return found

    @property
    def numeric(self) -> Sequence[int]:
        """The columns that are aligned at their right end: all."""
        return range(len(self.columns) + 1)

    def rows(self) -> list[list[str]]:
        """The norm of each share, – where there is none, and in the last line of their sums."""
        body = []
        for line in self.lines:
            there = [self.get((line, column)) for column in self.columns]
            said = ["–" if share is None else f"{norm(share):.4g}" for share in there]
            body.append([_word(line), *said])
        sums = [norm(sum(self[key] for key in self if key[1] == c)) for c in self.columns]
        head = [" / ".join(self.by), *map(_word, self.columns)]
        rows = [head, *body, ["sum", *(f"{size:.4g}" for size in sums)]]
        across = [list(row) for row in zip(*rows, strict=True)]
        narrow = [list(row) for row in zip(*(across[:1] + folded(across[1:], 9)), strict=True)]
        return [narrow[0], *folded(narrow[1:-1]), narrow[-1]]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the matrix of norms by matplotlib, in colours of their decimal logarithms.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default a new figure. Returned in any case.

        Raises
        ------
        RuntimeError
            If matplotlib is not installed; `viz.contribution_map` needs nothing.
        """
        ax = axes_for("ContributionMatrix.plot", ax)
        with np.errstate(divide="ignore"):
            decades = np.log10(self.norms())
        cells = np.ma.masked_invalid(decades)
        drawn = ax.imshow(cells, aspect="auto", cmap="viridis")
        sides = zip((ax.yaxis, ax.xaxis), (self.lines, self.columns), self.by, strict=True)
        for axis, keys, name in sides:
            every = max(1, -(-len(keys) // _MOST_TICKS))
            labels = [called(_word(key)) for key in keys[::every]]
            axis.set_ticks(range(0, len(keys), every), labels)
            axis.set_label_text(name)
        if cells.count():
            ax.figure.colorbar(drawn, ax=ax, label="log₁₀ of the norm")
        return ax


def _sent(record: Record, place: Node) -> Iterator[tuple[Visit, Any]]:
    """What visits sent to a place, in the order of the walk."""
    for visit in record.visits:
        for parent, c in zip(visit.node.parents, visit._sent, strict=True):
            if parent is place and c is not None:
                yield visit, c


def _absent_last(key: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    """Sorts keys some of whose parts are ``None``."""
    return [(part is None, 0 if part is None else part) for part in key]


def _word(part: Any) -> str:
    return "–" if part is None or part == "" else clean(str(part))


def _added(contributions: list[Any], shape: tuple[int, ...]) -> Array:
    """Their sum, as the walk adds: in the order of the visits, slices together at the end."""
    g, aside = None, Waiting()
    for c in contributions:
        if type(c) is Part:
            g = aside.add(c, g, shape)
        else:
            g = c if g is None else g + c
    total = aside.total(g, shape)
    array = np.asarray(np.zeros(shape) if total is None else total).view()
    array.flags.writeable = False  # the walk and its record share it
    return array


_ByLoss = tuple[Literal["loss"], str] | tuple[str, Literal["loss"]]


@overload
def contributions(record: Record, param: Tensor | Node, by: _ByLoss) -> ContributionMatrix: ...


@overload
def contributions(
    record: Record, param: Tensor | Node, by: str | Sequence[str] = "step"
) -> Contributions: ...


def contributions(
    record: Record, param: Tensor | Node, by: str | Sequence[str] = "step"
) -> Contributions:
    """The gradient of a parameter taken apart: which time step gave how much of it.

    Parameters
    ----------
    record : Record
        Of `bptt.record`.
    param : Tensor
        A parameter, or any tensor or node of the graph.
    by : str or sequence of str
        "step" (the time step), "operation" (the name of what consumed the tensor, such as
        "linear"), "scope" (the module), "layer" and "direction" (of a recurrent layer), "run" (of
        a layer that runs several times over the same steps), "visit" (its number in the walk:
        every single term) or "loss" (the term of the loss that it comes from). Of several, the
        keys are tuples.

    Returns
    -------
    Contributions
        A mapping from step (or what ``by`` says), in order, to the sum of what its nodes sent to
        ``param``: read-only arrays of the shape of ``param``. What is none (computed outside any
        step, layer, …) has the key ``None`` and comes last. By two aspects of which one is "loss"
        it is a `ContributionMatrix`.

    Raises
    ------
    TypeError
        If ``record`` is not a record of a walk, or ``param`` no tensor.
    ValueError
        If ``param`` is no part of its graph, or is the loss itself, to which nothing is sent; if
        ``by`` is something else.

    Notes
    -----
    All shares together are the gradient. Floating-point sums depend on the order: `total` adds in
    that of the walk, and so has the bits of the gradient that the walk brought (which is ``.grad``
    if that was ``None`` before), before hooks of ``param`` itself change it. ``sum(….values())``
    may differ from it by rounding.

    By ``("loss", "step")`` it is ∂E_t/∂W taken apart by the step k that used W, the
    ∂E_t/∂x_t · ∂x_t/∂x_k · ∂⁺x_k/∂W of Pascanu, Mikolov and Bengio (2013, eq. 3–5). Term t of the
    loss is what enters time at step t: a loss that is put together outside of the steps, or in
    a total that they hand on, enters where it is computed from. Each term is walked by itself,
    over a copy of the graph without hooks; there are about T²/2 shares.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.2, requires_grad=True).named("w")
    >>> x = tg.tensor(0.9)
    >>> for t in range(1, 4):
    ...     with tg.step(t):
    ...         x = w * x
    >>> by_step = tg.bptt.contributions(tg.bptt.record(x), w)
    >>> {t: round(float(g), 3) for t, g in by_step.items()}
    {1: 0.036, 2: 0.036, 3: 0.036}
    >>> print(by_step)
    Gradient of w by step
      step   norm  along the gradient
         1  0.036               33.3%
         2  0.036               33.3%
         3  0.036               33.3%
       sum  0.108                100%

    The same with a loss at each step:

    >>> x, losses = tg.tensor(0.9), []
    >>> for t in range(1, 4):
    ...     with tg.step(t):
    ...         x = w * x
    ...     losses.append(x)
    >>> walk = tg.bptt.record(tg.stack(losses).sum())
    >>> print(tg.bptt.contributions(walk, w, by=("loss", "step")))
    Gradient of w by loss, step
      loss / step      1      2      3
                1    0.9      –      –
                2   0.18   0.18      –
                3  0.036  0.036  0.036
              sum  1.116  0.216  0.036
    """
    expect_record(record, "contributions")
    place = record.place_of(param, "contributions")
    if place is None or place not in record.places:
        raise ValueError(
            f"contributions: the tensor {param!r:.80} is no part of the recorded graph"
        )
    if place is record.root:
        raise ValueError(
            "contributions: the walk starts at this tensor; nothing in the graph sends it a share"
        )
    aspects = tuple(by) if isinstance(by, Sequence) and not isinstance(by, str) else (by,)
    known = [aspect for aspect in _BY if aspect in aspects]
    if not aspects or len(known) < len(aspects):
        raise ValueError(
            f"contributions: by must be one or several of {', '.join(_BY)}, not {by!r}"
        )
    matrix = len(aspects) == 2 and "loss" in aspects
    return (ContributionMatrix if matrix else Contributions)(record, place, aspects)

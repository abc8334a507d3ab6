"""How the gradient of a state comes to it: directly, or through other time steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_rnn.bptt.axes import axes_for, called, in_decades, steps_on
from tinygrad_rnn.bptt.measured import Measured
from tinygrad_rnn.bptt.record import Record, Visit, expect_record
from tinygrad_rnn.bptt.replica import Cut, replica
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.traversal import walk
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.states import (
    Recurrence,
    Series,
    TimeEdges,
    Ways,
    recurrences,
    with_found_names,
)
from tinygrad_rnn.reading.walks import Walks
from tinygrad_rnn.writing.norms import norm, norms
from tinygrad_rnn.writing.text import clean, folded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]
_STYLES = "-", "--", ":"  # of the lines of a gradient and of its two parts, in plots


class Norms(NamedTuple):
    """Norms by step, float64 arrays of shape (T,), of a gradient and of its two parts."""

    gradient: np.ndarray[Any, np.dtype[np.float64]]
    direct: np.ndarray[Any, np.dtype[np.float64]]
    through_time: np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, eq=False)
class StateFlow:
    """The gradient of one state of one layer, by time step, and the two parts it consists of.

    Attributes
    ----------
    layer : Layer
        Scope, number, direction and run.
    name : str
        "h" or "c"; in loops of your own the name that you gave, or that the program has for it
        (`Record.called`), or else the operation.
    gradient, direct, through_time : dict of ndarray, by time step
        ∂L/∂state_t as recorded; what came to it otherwise; what came through other steps.
    """

    layer: Layer
    name: str
    gradient: dict[int, Array]
    direct: dict[int, Array]
    through_time: dict[int, Array]

    @property
    def steps(self) -> list[int]:
        """The time steps, in order."""
        return list(self.gradient)

    def norms(self) -> Norms:
        """Euclidean norms, by step: ``plt.semilogy(series.steps, series.norms().gradient)``."""
        parts = self.gradient, self.direct, self.through_time
        return Norms(*(norms(part.values()) for part in parts))

    def __repr__(self) -> str:
        return f"<StateFlow: {self.name} of {self.layer}, {len(self.gradient)} time steps>"


@dataclass(frozen=True, eq=False, repr=False)
class Flow(Measured):
    """What `flow` returns: a series for each state of each layer. It prints as a table of norms;
    ``np.asarray`` gives its numbers.

    Attributes
    ----------
    series : tuple of StateFlow
        In the order of the computation; iteration goes over them.
    """

    series: tuple[StateFlow, ...]

    heading = "Norms of gradients of states"
    numeric = (2, 3, 4, 5)

    def __iter__(self) -> Iterator[StateFlow]:
        return iter(self.series)

    def __len__(self) -> int:
        return len(self.series)

    def numpy(self) -> Array:
        """The table without its names: t and the three norms, a row for each state and step."""
        return np.concatenate([np.column_stack([s.steps, *s.norms()]) for s in self])

    def rows(self) -> list[list[str]]:
        """A row for each step; the middle of long series is left out."""
        head = ["layer", "state", "t", "‖∂L/∂state‖", "direct", "through time"]
        return [head, *(row for series in self.series for row in _rows(series))]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the norms by matplotlib: whole lines the gradient of each state, dashed what of it
        arrives directly, dotted what comes through time.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default a new figure. Returned in any case.

        Raises
        ------
        RuntimeError
            If matplotlib is not installed; `viz.gradient_flow` needs nothing.
        """
        ax = axes_for("Flow.plot", ax)
        for i, series in enumerate(self):
            for style, sizes in zip(_STYLES, series.norms()):
                ax.plot(series.steps, sizes, style, color=f"C{i}")
            ax.lines[-3].set_label(called(f"{series.name} of {series.layer}"))
        for style, part in zip(_STYLES[1:], ("directly", "through time")):
            ax.plot([], [], style, color="grey", label=part)
        in_decades(ax, [series.norms() for series in self])
        steps_on(ax, "t")
        ax.set_ylabel("‖∂L/∂state‖")
        ax.legend(fontsize="small")
        return ax


def _rows(series: StateFlow) -> list[list[str]]:
    rows = []
    for t in series.steps:
        parts = series.gradient[t], series.direct[t], series.through_time[t]
        rows.append([str(t), *(f"{norm(part):.4g}" for part in parts)])
    rows = [["", "", *row] for row in folded(rows)]
    rows[0][:2] = str(series.layer), clean(series.name)
    return rows


def flow(record: Record) -> Flow:
    """Take the gradient of every recurrent state apart: where does ∂L/∂h_t come from?

    One part arrives *directly*: from what is computed of h_t at its own step, such as the output
    or the layer above, and from what stands outside time, such as the loss. The other part comes
    *through time*: from computations at another step that lead to a state of the same layer
    there. For c_t of an LSTM, which h_t is computed from, the direct part is that of h_t, and
    what comes through time is f_{t+1} ⊙ ∂L/∂c_{t+1}. The parts add up to the gradient
    (before hooks of the state itself change it).

    Parameters
    ----------
    record : Record
        Of `bptt.record`, of a graph with layers of `nn` such as `nn.LSTM`, or with a loop of
        your own.

    Returns
    -------
    Flow
        A series for each layer, direction and state. Initial states are not among them.

    Raises
    ------
    TypeError
        If ``record`` is not a record of a walk.
    ValueError
        If there are no states.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w, h = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0)
    >>> hs = []
    >>> for t in range(1, 4):
    ...     with tg.bptt.step(t):
    ...         h = (w * h).named("h")
    ...     hs.append(h)
    >>> flow = tg.bptt.flow(tg.bptt.record(tg.stack(hs).sum()))
    >>> print(flow)
    Norms of gradients of states
      layer  state  t  ‖∂L/∂state‖  direct  through time
      loop   h      1         1.75       1          0.75
                    2          1.5       1           0.5
                    3            1       1             0
    >>> [series.norms().through_time for series in flow]
    [array([0.75, 0.5 , 0.  ])]
    """
    return flow_for("flow", record)


def flow_for(caller: str, record: Record) -> Flow:
    """`flow`, in whose errors stands the function that the user called."""
    expect_record(record, caller)
    edges = TimeEdges(record.places)
    layers = recurrences(record.places, edges)
    if not layers:
        raise ValueError(
            f"{caller}: no time step of this graph goes on from another one, so there are no "
            "states; if it has steps that were not found, tell them by `with bptt.step(t):`"
        )
    arrived = Arrivals(record, layers, edges.walks)
    layers = with_found_names(layers, record.places, record.called)

    def series(state: Series, layer: Layer) -> StateFlow:
        gradient = {t: _gradient(record, place) for t, place in state.places.items()}
        ways = [
            {t: way.get(p, np.zeros_like(gradient[t])) for t, p in state.places.items()}
            for way in (arrived.direct, arrived.through_time)
        ]
        return StateFlow(layer, state.name, gradient, *ways)

    return Flow(tuple(series(state, each.layer) for each in layers for state in each.states))


class Arrivals:
    """What came to each state, by way, from one pass over the visits.

    Attributes
    ----------
    ways : Ways
    direct, through_time : dict of ndarray, by state
        Of the states to which something came that way, in the order of the walk.
    """

    def __init__(
        self, record: Record, layers: list[Recurrence], walks: Walks | None = None
    ) -> None:
        self.ways = Ways(record.places, layers, walks)
        self.direct: dict[Node, Array] = {}
        self.through_time: dict[Node, Array] = {}
        self._record = record
        self._mixed = {place for place, marks in self.ways.marks.items() if len(marks) > 1}
        self._parts: dict[Node, dict[int, Array]] = {place: {} for place in self._mixed}
        states, root = self.ways.layer, record.root
        if root in states:  # the loss is a state: its gradient is given
            self.direct[root] = _gradient(record, root)
        if root in self._mixed:
            self._parts[root][0] = _gradient(record, root)
        for visit in record.visits:
            wanted = [p in states or p in self._mixed for p in visit.node.parents]
            if any(wanted):
                self._arrive(visit, wanted)

    def _arrive(self, visit: Visit, wanted: list[bool]) -> None:
        """Add what a visit sent to states, and to what leads from states two ways."""
        parents = visit.node.parents
        for mark, sent in self._sent(visit, wanted):
            for operand, c in sent.items():
                place = parents[operand]
                leads = self.ways.mark(visit.node, operand) if mark is None else mark
                if place in self._mixed:
                    _add(self._parts[place], leads, c)
                if place in self.ways.layer:
                    onward = self.ways.goes_on(place, leads)
                    _add(self.through_time if onward else self.direct, place, c)

    def _sent(
        self, visit: Visit, wanted: list[bool]
    ) -> Iterator[tuple[int | None, dict[int, Array]]]:
        """What a visit sent to those operands, by the mark of where that came from.

        The mark of what a step sends depends on the operand: ``None``.
        """
        node = visit.node
        marks = self.ways.marks.get(node, {None})
        if len(marks) == 1:
            sent = {i: visit.contribution(i) for i, want in enumerate(wanted) if want}
            yield next(iter(marks)), {i: c for i, c in sent.items() if c is not None}
            return
        for mark, g in self._parts.pop(node).items():
            copies = replica(self._record, [(node, mark)], lambda at, m, i: Cut(at, i, m))
            arrived = walk({copies[node, mark]: g})
            leaves = [copies[p, Cut(node, i, mark)] for i, p in enumerate(node.parents)]
            sent = {i: arrived.get(leaf) for i, leaf in enumerate(leaves) if wanted[i]}
            yield mark, {i: c for i, c in sent.items() if c is not None}


def _add(sums: dict[Any, Array], key: Any, c: Array) -> None:
    sums[key] = sums[key] + c if key in sums else c


def _gradient(record: Record, place: Node) -> Array:
    gradient = record.gradient(place)
    return np.zeros(place.shape) if gradient is None else gradient

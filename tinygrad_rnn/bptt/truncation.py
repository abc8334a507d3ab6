"""Truncated backpropagation through time: what it cuts, and how far off its gradient is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import partial
from operator import index, mul
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_rnn.bptt.axes import axes_for, called, steps_on
from tinygrad_rnn.bptt.measured import Measured
from tinygrad_rnn.bptt.record import Record, place_of, unwalked
from tinygrad_rnn.bptt.replica import Cut, replica
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.notes import Notes
from tinygrad_rnn.engine.traversal import walk
from tinygrad_rnn.reading.names import plain_name
from tinygrad_rnn.reading.states import TimeEdges, recurrences
from tinygrad_rnn.reading.uses import Use
from tinygrad_rnn.reading.walks import Moment
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.writing.norms import norm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]
Place = Tensor | Node
Follow = Callable[[Node, Any, int], Any]


@dataclass(frozen=True, eq=False)
class Severed:
    """A time edge that truncation cuts, for pictures.

    Attributes
    ----------
    state, user : Node
        The state, or what was made of it outside of any step, and what uses it at another step.
    steps : tuple of int
        The time steps of the two.
    gradient : ndarray of the state's shape
        What arrived at this edge and went no further.
    """

    state: Node
    user: Node
    steps: tuple[int, int]
    gradient: Array

    def __repr__(self) -> str:
        return f"<Severed: steps {self.steps[0]} → {self.steps[1]}, {norm(self.gradient):.4g}>"


@dataclass(frozen=True, eq=False, repr=False)
class Truncation(Measured):
    """What `truncate` returns: a truncated gradient beside the full one.

    It prints as a table; ``np.asarray`` gives its numbers, as `numpy` does.

    Attributes
    ----------
    k : int or None
    windows : str
        "regular", "sliding" or "random".
    severed : tuple of Severed
        The time edges that were cut, the latest first.
    along : tuple of str, or None
        The names of the states whose time edges alone were followed.
    """

    k: int | None
    windows: str
    severed: tuple[Severed, ...]
    _truncated: dict[Node, Array]
    _full: dict[Node, Array]
    along: tuple[str, ...] | None = None

    numeric = (1, 2, 3, 4)

    @property
    def parameters(self) -> tuple[Node, ...]:
        """The leaves that require grad, in the order in which they were made."""
        return tuple(self._full)

    def gradient(self, of: Place) -> Array:
        """The truncated gradient of a parameter.

        Raises
        ------
        KeyError
            If it is no leaf of the graph that requires grad.
        """
        return self._truncated[self._found(of)]

    def full(self, of: Place) -> Array:
        """The whole gradient of a parameter, without its hooks."""
        return self._full[self._found(of)]

    def angle(self, of: Place | None = None) -> float:
        """Degrees between truncated and full gradient: of one parameter, or of all together.

        NaN where one of them is zero or not finite.
        """
        u, v = self._pair(of)
        sizes = norm(u), norm(v)
        if not all(0 < size < math.inf for size in sizes):
            return math.nan
        u, v = u / sizes[0], v / sizes[1]
        return math.degrees(2 * math.atan2(norm(u - v), norm(u + v)))  # exact also near 0°

    def relative_error(self, of: Place | None = None) -> float:
        """‖truncated − full‖ / ‖full‖: of one parameter, or of all together."""
        u, v = self._pair(of)
        error, size = norm(u - v), norm(v)
        return error / size if size else (0.0 if error == 0 else math.inf)

    def _pair(self, of: Place | None) -> tuple[Array, Array]:
        places = self.parameters if of is None else (self._found(of),)
        pair = [
            np.concatenate([gradients[place].ravel() for place in places]).astype(float)
            for gradients in (self._truncated, self._full)
        ]
        return pair[0], pair[1]

    def _found(self, of: Place) -> Node:
        place = place_of(of, "truncate")
        if place is None or place not in self._full:
            raise KeyError(f"truncate: {of!r:.80} is no leaf of this graph that requires grad")
        return place

    @property
    def heading(self) -> str:
        """The line above the table."""
        words = [] if self.k is None else [f"after {self.k} steps", f"{self.windows} windows"]
        words += [] if self.along is None else [f"along {' and '.join(self.along)} alone"]
        return f"Gradients truncated {', '.join(words)}; time edges cut: {len(self.severed)}"

    def numpy(self) -> Array:
        """Rows of norm, full norm, angle and relative error: of each parameter, then of all."""
        places = (*self.parameters, None)
        sizes = [[norm(gradient) for gradient in self._pair(place)] for place in places]
        errors = [[self.angle(place), self.relative_error(place)] for place in places]
        return np.hstack([sizes, errors])

    def rows(self) -> list[list[str]]:
        """Norms, angle and relative error, of each parameter and of all."""
        rows = [["parameter", "norm", "full norm", "angle", "relative error"]]
        for name, place in _names(self.parameters):
            u, v = self._pair(place)
            rows.append([name, f"{norm(u):.4g}", f"{norm(v):.4g}", *self._figures(place)])
        return rows

    def _figures(self, place: Node | None) -> tuple[str, str]:
        angle = self.angle(place)
        return ("–" if math.isnan(angle) else f"{angle:.2f}°"), f"{self.relative_error(place):.4g}"


class TruncationComparison(Measured, Mapping[int, Truncation]):
    """What `compare_truncation` returns: a mapping from k to its `Truncation`.

    It prints as a table. ``np.asarray`` gives k, angle and relative error of all parameters
    together, a row for each k.
    """

    numeric = (0, 1, 3, 4)

    def __init__(self, by_k: dict[int, Truncation]) -> None:
        self._by_k = by_k

    def __getitem__(self, k: int) -> Truncation:
        return self._by_k[k]

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_k)

    def __len__(self) -> int:
        return len(self._by_k)

    def angles(self, of: Place | None = None) -> Array:
        """The angle in degrees to the full gradient, for each k."""
        return np.array([each.angle(of) for each in self.values()])

    def relative_errors(self, of: Place | None = None) -> Array:
        """The relative error of the gradient, for each k."""
        return np.array([each.relative_error(of) for each in self.values()])

    def numpy(self) -> Array:
        """Rows of k, angle and relative error."""
        return np.stack([np.array(list(self), float), self.angles(), self.relative_errors()], 1)

    @property
    def heading(self) -> str:
        """The line above the table."""
        windows = next(iter(self.values())).windows
        return f"Truncated gradients beside the full ones, {windows} windows"

    def rows(self) -> list[list[str]]:
        """Angle and relative error for each k, of all parameters and of each."""
        rows = [["k", "cut", "parameter", "angle", "relative error"]]
        for k, each in self.items():
            names = _names(each.parameters)
            for i, (name, place) in enumerate([names[-1], *names[:-1]]):
                first = [str(k), str(len(each.severed))] if i == 0 else ["", ""]
                rows.append([*first, name, *each._figures(place)])
        return rows

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the relative error over k by matplotlib: of all parameters, and thinner of each.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default a new figure. Returned in any case.

        Raises
        ------
        RuntimeError
            If matplotlib is not installed.
        """
        ax = axes_for("TruncationComparison.plot", ax)
        *each, all_of_them = _names(next(iter(self.values())).parameters)
        for name, place in (all_of_them, *each):
            thick = 2.5 if place is None else 1.0
            (line,) = ax.plot(list(self), self.relative_errors(place), "o-", linewidth=thick)
            line.set_label(called(name))
        ax.set_ylabel("‖truncated − full‖ / ‖full‖")
        steps_on(ax, "k")
        ax.legend()
        return ax


def _names(places: Iterable[Node]) -> list[tuple[str, Node | None]]:
    """What tables call parameters, and last ``None``, which stands for all of them."""
    found: list[tuple[str, Node | None]] = [(plain_name(place), place) for place in places]
    return [*found, ("all", None)]


def truncate(
    loss: Tensor | Record,
    k: int | None = None,
    windows: str = "regular",
    *,
    along: str | Iterable[str] | None = None,
    seed: int | None = None,
) -> Truncation:
    """The gradient that backpropagation truncated after ``k`` time steps gives.

    Parameters
    ----------
    loss : Tensor or Record
        A loss that has not been walked, or the recorded walk of one.
    k : int
        Steps in a window; none is needed with ``along``.
    windows : "regular", "sliding" or "random"
        Regular: the state is detached after every k steps, counted from the first, as training
        with TBPTT(k, k) does: no gradient passes between steps k and k + 1, 2k and 2k + 1, ….
        Sliding: each loss term at step t sees the last k steps, t − k + 1 … t (and in a net that
        also reads backward, whatever is fewer than k steps from t on its way).
        Random: before each step a window ends with probability 1/k, and what comes through time to
        where none ends counts for k / (k − 1): windows of k steps on average, and for k > 1 the
        mean over all draws is the full gradient.
    along : str or several, optional
        Names of states, as `flow` lists them: time edges of all others are cut. ``along="c"`` is
        the gradient that the LSTM of 1997 was trained with: gates and cell inputs learn from what
        they receive, but send nothing on through their recurrent connections; what comes through
        time comes by way of the carousel c.
    seed : int, optional
        Of ``windows="random"``: the same draw again.

    Returns
    -------
    Truncation
        The gradient of every leaf, its angle and relative error to the full one, the edges cut.

    Raises
    ------
    TypeError
        If ``loss`` is neither, or ``k`` no integer.
    ValueError
        If ``k`` < 1, ``windows`` is something else, or ``along`` names no state; if no state is
        carried from one time step to another.
    RuntimeError
        If the graph of a tensor has been freed, or what it saved changed in place, or it has
        several elements.

    Notes
    -----
    A time edge leads from a state to what uses it at a later step, in the order in which the loop
    walked through them, whatever their numbers are; so are the steps of windows counted. A running
    loss is no state. Initial states are never cut off, nor an encoder from a decoder whose steps
    begin anew. The forward pass is that of the whole sequence: only derivatives are truncated. Two
    walks over copies of the graph are made, of which the one with sliding windows costs up to k
    times as much; no ``.grad`` is touched, no hook called, nothing freed.

    Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent
    network trajectories", 1990: regular windows are their BPTT(h; h′) with h = h′ = k, sliding
    ones their BPTT(h) with h = k. Random ones: Tallec and Ollivier, "Unbiasing truncated
    backpropagation through time", 2017, as "Dive into Deep Learning", section 9.7, has them.
    Along c: Hochreiter and Schmidhuber, "Long short-term memory", 1997, appendix A.1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.2, requires_grad=True).named("w")
    >>> x = tg.tensor(0.9)
    >>> for t in range(1, 4):
    ...     with tg.step(t):
    ...         x = w * x
    >>> print(tg.bptt.truncate(x, 2))
    Gradients truncated after 2 steps, regular windows; time edges cut: 1
      parameter   norm  full norm  angle  relative error
      w          0.036      0.108  0.00°          0.6667
      all        0.036      0.108  0.00°          0.6667
    """
    (truncation,) = _truncations("truncate", loss, [k], windows, along, seed)
    return truncation


def compare_truncation(
    loss: Tensor | Record,
    ks: Iterable[int],
    windows: str = "regular",
    *,
    along: str | Iterable[str] | None = None,
    seed: int | None = None,
) -> TruncationComparison:
    """`truncate` for several numbers of steps; the full gradient is computed once.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> rnn = tg.nn.RNN(1, 2, bias=False)
    >>> output, h_n = rnn(tg.ones(6, 1))
    >>> print(tg.bptt.compare_truncation(h_n.sum(), [1, 3]))
    Truncated gradients beside the full ones, regular windows
      k  cut  parameter      angle  relative error
      1    5  all           19.04°          0.6892
              weight_ih_l0  18.57°          0.7364
              weight_hh_l0  18.83°          0.5276
      3    1  all           10.51°          0.3729
              weight_ih_l0   9.88°          0.4125
              weight_hh_l0   8.92°          0.2196
    """
    if not isinstance(ks, Iterable) or isinstance(ks, str):
        raise TypeError(f"compare_truncation: ks must be integers, as [1, 2, 5], got {ks!r}")
    found = _truncations("compare_truncation", loss, ks, windows, along, seed)
    if not found:
        raise ValueError("compare_truncation: ks is empty; give one k at least")
    return TruncationComparison({each.k: each for each in found if each.k is not None})


def _truncations(
    caller: str, loss: Any, ks: Iterable[Any], windows: str, along: Any, seed: Any
) -> list[Truncation]:
    record = _recorded(caller, loss)
    sizes = dict.fromkeys(None if k is None and along else _window(caller, k) for k in ks)
    if windows not in [*_WINDOWS]:
        raise ValueError(
            f"{caller}: windows must be 'regular', 'sliding' or 'random', not {windows!r}"
        )
    if seed is not None and windows != "random":
        raise ValueError(f"{caller}: a seed goes with windows='random'; these are {windows!r}")
    if seed is not None and (not hasattr(seed, "__index__") or index(seed) < 0):
        raise ValueError(f"{caller}: a seed is an integer, not negative, or None, not {seed!r}")
    edges = TimeEdges(record.places)
    names = (along,) if isinstance(along, str) else along if along is None else tuple(along)
    kept = _states_called(caller, names, edges, record.places)
    uses = ((node, i) for node in record.places for i in range(len(node.parents)))
    if not any(edges.edge(*use) for use in uses):
        raise ValueError(
            f"{caller}: no state is carried from one time step to another; if steps were not "
            "found, tell them by `with bptt.step(t):`"
        )
    full, _ = _walked(record, lambda node, mark, operand: mark)
    found = []
    for k in sizes:
        onward = _everywhere if k is None else _WINDOWS[windows](k, seed)
        truncated, lost = _walked(record, _cutting(edges, kept, onward))
        if not lost and windows != "random":
            truncated = full  # to the last bit
        severed = tuple(
            Severed(node.parents[i], node, edges.steps(node, i), lost[node, i])
            for node in reversed(record.places)
            for i in range(len(node.parents))
            if (node, i) in lost
        )
        found.append(Truncation(k, windows, severed, truncated, full, names))
    return found


def _recorded(caller: str, loss: Any) -> Record:
    if isinstance(loss, Record):
        return loss
    if not isinstance(loss, Tensor):
        raise TypeError(f"{caller}: expected a Tensor or a Record, got {type(loss).__name__}")
    if loss.numel() != 1:
        raise RuntimeError(
            f"{caller}: expected a loss of one element, got shape {loss.array.shape}; reduce it, "
            "or record its walk with the gradient that is meant"
        )
    return unwalked(loss, caller)


def _window(caller: str, k: Any) -> int:
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise TypeError(f"{caller}: k must be an integer, a number of time steps, got {k!r}")
    if index(k) < 1:
        raise ValueError(f"{caller}: k must be at least 1, got {k}")
    return index(k)


# -- which edges are cut -------------------------------------------------------------------------


class _Mark(NamedTuple):
    """On which way a place is reached."""

    gone: int = 0  # how many steps, for sliding windows
    read: bool = False  # what just passes on: by a step, not only by what stands after all of them
    weight: float = 1.0  # what comes this way counts for so much


Onward = Callable[[int, Moment, Moment], _Mark | None]  # what has gone so far goes on so, or ends


def _cutting(edges: TimeEdges, kept: Set[Node] | None, onward: Onward) -> Follow:
    """Follow time edges as long as ``onward`` does, and of some states alone."""

    def follow(node: Node, mark: Any, operand: int) -> Any:
        gone, read, _ = mark or _Mark()
        read = read or not edges.passes_on(node)
        parent = node.parents[operand]
        found: _Mark | None = _Mark(gone)
        if read and (moments := edges.edge(node, operand)):
            found = onward(gone, *moments) if kept is None or parent in kept else None
        if found is None:
            return Cut(node, operand, mark)
        return found._replace(read=read and edges.passes_on(parent))

    return follow


def _regular(k: int, seed: Any) -> Onward:
    """Cut where an edge leads from one window to another."""
    return lambda gone, made, used: _Mark() if made.number // k == used.number // k else None


def _sliding(k: int, seed: Any) -> Onward:
    """Cut where a way back from the loss has gone k steps."""

    def onward(gone: int, made: Moment, used: Moment) -> _Mark | None:
        gone += abs(used.number - made.number)
        return _Mark(gone) if gone < k else None

    return onward


def _random(k: int, seed: Any) -> Onward:
    """Cut before each step with probability 1/k; what is not cut counts for k/(k − 1)."""
    generator, ends = np.random.default_rng(seed), [False]  # whether a window ends before a step

    def onward(gone: int, made: Moment, used: Moment) -> _Mark | None:
        first, last = sorted((made.number, used.number))
        while len(ends) <= last:
            ends.append(bool(generator.random() * k < 1))
        if any(ends[first + 1 : last + 1]):
            return None
        return _Mark(weight=(k / (k - 1)) ** (last - first))

    return onward


_WINDOWS = {"regular": _regular, "sliding": _sliding, "random": _random}


def _everywhere(gone: int, made: Moment, used: Moment) -> _Mark:
    return _Mark()


def _states_called(
    caller: str, wanted: tuple[str, ...] | None, edges: TimeEdges, places: list[Node]
) -> Set[Node] | None:
    """The states of these names, with what hands them on between the steps."""
    if wanted is None:
        return None
    series = [state for found in recurrences(places, edges) for state in found.states]
    names = dict.fromkeys(state.name for state in series)
    if not wanted or not names.keys() >= set(wanted):
        known, got = ", ".join(names), ", ".join(map(str, wanted)) or "nothing"
        raise ValueError(f"{caller}: along names states, of which there are {known}, not {got}")
    return edges.handing_on(
        place for state in series if state.name in wanted for place in state.places.values()
    )


def _walked(record: Record, follow: Follow) -> tuple[dict[Node, Array], dict[Use, Array]]:
    """The gradients of the leaves in a copy of the graph, and what arrived where it is cut."""
    root = record.root
    start = record.gradient(root)
    if start is None:
        start = np.ones(root.shape, np.asarray(record.value(root)).dtype)
    copies = replica(record, [(root, _Mark())], follow)
    for (_, mark), copy in copies.items():
        if isinstance(mark, _Mark) and mark.weight != 1:
            copy.notes = Notes(hooks={0: partial(mul, mark.weight)})
    with np.errstate(all="ignore"):
        arrived = walk({copies[root, _Mark()]: start})
    gradients = {}
    for place in record.places:
        if place.is_leaf and place.requires_grad:
            at = copies.get((place, None))  # none if every way there is cut
            g = None if at is None else arrived.get(at)
            gradients[place] = np.zeros_like(place.value) if g is None else g
    lost: dict[Use, Any] = {
        (node, i): np.zeros(parent.shape)
        for node in record.places
        for i, parent in enumerate(node.parents)
        if isinstance(follow(node, _Mark(), i), Cut)  # always cut, whether or not anything arrives
    }
    for (_, mark), copy in copies.items():
        if isinstance(mark, Cut) and copy in arrived:
            use = mark.user, mark.operand
            lost[use] = arrived[copy] + lost.get(use, 0)
    return gradients, lost

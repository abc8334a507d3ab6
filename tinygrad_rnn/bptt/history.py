"""How a training went: its loss, the norms of its gradients, and whatever else is said of it."""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinygrad_rnn import files
from tinygrad_rnn.bptt.axes import axes_for, called, in_decades, steps_on
from tinygrad_rnn.bptt.measured import Measured
from tinygrad_rnn.nn import Module
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.utils import progress
from tinygrad_rnn.writing.curves import curve
from tinygrad_rnn.writing.figures import count, number
from tinygrad_rnn.writing.norms import norm
from tinygrad_rnn.writing.text import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]
Item = TypeVar("Item")
TOTAL, OF = "grad", "grad "  # the name of the norm of all gradients, and before a parameter's name


class History(Measured):
    """The numbers of a training, iteration by iteration.

    A loop adds to it, and afterwards, or meanwhile, it is a table, arrays, a file, a plot
    (`viz.training_curves` draws it, too, and `viz.watch` shows it in a notebook while it grows).

    Attributes
    ----------
    numbers : list of str
        The names of what was added, such as "loss".
    gradients : list of str
        "grad", the norm of all gradients together, and "grad …" for each parameter.
    observers : list of callable
        What is called after each iteration that is added, without arguments.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> net = tg.nn.Linear(1, 1, bias=False)
    >>> with tg.no_grad():
    ...     _ = net.weight.fill_(1.0)
    >>> optimizer, history = tg.optim.SGD(net.parameters(), lr=0.25), tg.bptt.History()
    >>> for _ in history.over(range(3)):
    ...     optimizer.zero_grad()
    ...     loss = net(tg.ones(1)).sum() ** 2
    ...     loss.backward()
    ...     history.add(loss=loss, net=net)
    ...     optimizer.step()
    >>> print(history)
    Training, 3 iterations
                   first   last  least  at  largest  at
      loss         1.000  0.062  0.062   3    1.000   1
      grad         2.000  0.500  0.500   3    2.000   1
      grad weight  2.000  0.500  0.500   3    2.000   1
    >>> history["loss"]
    array([1.    , 0.25  , 0.0625])
    """

    numeric = range(1, 7)

    def __init__(self) -> None:
        self.numbers: list[str] = []
        self.gradients: list[str] = []
        self._columns: dict[str, tuple[array[int], array[float]]] = {}  # iterations, values
        self.observers: list[Callable[[], None]] = []
        self._length = 0

    # -- while it is going on ----------------------------------------------------------------

    def add(self, *, net: Module | Mapping[str, Tensor] | None = None, **numbers: Any) -> None:
        """Add an iteration: after ``backward()``, and before gradients are cleared.

        Parameters
        ----------
        net : Module or mapping of Tensor, optional
            Whose gradients' norms to keep: those of its parameters, and of all together.
        **numbers : float or Tensor of one element
            ``loss=loss``, and others, such as ``accuracy=0.9``. What an iteration does not say is
            NaN.

        Raises
        ------
        TypeError
            If something is not one number, or the net no net.
        ValueError
            If there is nothing to add, no parameter has a gradient, or a name is taken.

        Notes
        -----
        A number takes 16 bytes. Nothing is added if anything is refused, and nothing is held of
        the net or of the graph.
        """
        found = {name: _number(name, value) for name, value in numbers.items()}
        for name in found:
            if name == TOTAL or name.startswith(OF) or name == "iteration":
                raise ValueError(f"History.add: {name!r} is a name of its own: call it otherwise")
        norms = {} if net is None else _norms(net)
        if not found and not norms:
            raise ValueError("History.add: nothing to add: say loss=loss, or net=net")
        self._length += 1
        for name, value in {**found, **norms}.items():
            iterations, values = self._columns.setdefault(name, (array("q"), array("d")))
            iterations.append(self._length)
            values.append(value)
        self.numbers += [name for name in found if name not in self.numbers]
        self.gradients += [name for name in norms if name not in self.gradients]
        for observer in self.observers:
            observer()

    def over(self, iterable: Iterable[Item], **options: Any) -> Iterator[Item]:
        """The same items, with a bar that says the newest numbers and draws the first one's curve.

        It is that of `utils.progress`: a line in the terminal, a bar in a notebook, and quiet where
        the output goes to a file or a pipe.

        Parameters
        ----------
        iterable : iterable
            Such as ``range(1000)``, or a DataLoader.
        **options
            What tqdm takes, such as ``desc="epoch 1"``.
        """
        bar: Any = progress(iterable, **options)
        if not hasattr(bar, "set_postfix_str"):
            yield from bar
            return
        said = -math.inf
        for item in bar:
            yield item
            if self._length and monotonic() >= said + bar.mininterval:  # no bar is drawn before
                bar.set_postfix_str(self._newest(), refresh=False)
                said = monotonic()

    def _newest(self) -> str:
        """What the last iteration said, and how the first of its numbers went, in a line."""
        shown = self.numbers + self.gradients[:1]
        words = [f"{clean(name)} {number(self._columns[name][1][-1])}" for name in shown]
        words[0] += f" {curve(self._columns[shown[0]][1])}"
        return ", ".join(words)

    # -- what there is -----------------------------------------------------------------------

    def __len__(self) -> int:
        return self._length

    def keys(self) -> list[str]:
        """The names of all columns: ``dict(history)`` is what ``pandas.DataFrame`` takes."""
        return self.numbers + self.gradients

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> Floats:
        iterations, values = self.given(name)
        column = np.full(self._length, np.nan)
        column[iterations - 1] = values
        return column

    def given(self, name: str) -> tuple[Integers, Floats]:
        """The iterations that said a number, counted from 1, and what they said.

        Examples
        --------
        >>> history = History()
        >>> for t in range(1, 5):
        ...     history.add(loss=1 / t, **({"accuracy": 0.9} if t % 2 == 0 else {}))
        >>> history.given("accuracy")
        (array([2, 4]), array([0.9, 0.9]))
        >>> history["accuracy"]
        array([nan, 0.9, nan, 0.9])
        """
        if name not in self._columns:
            there = ", ".join(map(repr, self.keys())) or "nothing yet"
            raise KeyError(f"History: there is no {name!r}; there is {there}")
        iterations, values = self._columns[name]
        return np.array(iterations, np.int64), np.array(values, np.float64)

    def numpy(self) -> Floats:
        """All numbers: float64, a row for each iteration, a column for each of the keys."""
        columns = [self[name] for name in self.keys()]
        return np.stack(columns, axis=1) if columns else np.zeros((self._length, 0))

    def to_csv(self, path: str | Path) -> Path:
        """Write it as comma-separated values, all digits, with a header; returns the path."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["iteration", *self.keys()])
        writer.writerows([i, *row] for i, row in enumerate(self.numpy().tolist(), 1))
        files.write(path, text.getvalue())
        return Path(path)

    @property
    def heading(self) -> str:
        """The line above the table."""
        return f"Training, {count(self._length, 'iteration')}"

    def rows(self) -> list[list[str]]:
        """A row for each number: its first, last, least and largest, with their iterations."""
        head = ["", "first", "last", "least", "at", "largest", "at"]
        return [head, *([clean(name), *_summary(*self.given(name))] for name in self.keys())]

    def plot(self, ax: Axes | None = None, names: Iterable[str] | None = None) -> Axes:
        """Draw it by matplotlib: the numbers, and dashed the norm of the gradient.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default a new figure.
        names : iterable of str, optional
            Which of the keys to draw.

        Returns
        -------
        matplotlib.axes.Axes
            Logarithmic upwards, unless something is negative.

        Raises
        ------
        KeyError
            If there is no such key.
        TypeError
            If the names are a single text, or these are no axes.
        RuntimeError
            If matplotlib is not installed.
        """
        if isinstance(names, str):
            raise TypeError(f"History.plot: names={names!r} is one text: give a list, [{names!r}]")
        shown = self.numbers + self.gradients[:1] if names is None else list(names)
        columns = {name: self.given(name) for name in shown}
        ax = axes_for("History.plot", ax)
        for name, column in columns.items():
            ax.plot(*column, "--" if name in self.gradients else "-", label=called(name))
        drawn = [values for _, values in columns.values()]
        if not any((values < 0).any() for values in drawn):
            in_decades(ax, drawn)
        steps_on(ax, "iteration")
        if columns:
            ax.legend()
        return ax


def _number(name: str, value: Any) -> float:
    """What was added under a name, if it is one real number."""
    given = np.asarray(value.array if isinstance(value, Tensor) else value)
    if given.size != 1 or given.dtype.kind not in "fiub":
        shape = f"an array of shape {given.shape}" if given.shape else type(value).__name__
        raise TypeError(f"History.add: {name} is {shape}, not one real number")
    return float(given.reshape(()))


def _norms(net: Any) -> dict[str, float]:
    """The norms of the gradients of a net's parameters, and before them that of all."""
    if isinstance(net, Module):
        known: Any = net.named_parameters()
    elif isinstance(net, Mapping):
        known = net.items()
    else:
        raise TypeError(
            f"History.add: net is a {type(net).__name__}: give a Module, or a dict of tensors"
        )
    norms: dict[str, float] = {}
    for name, parameter in known:
        if not isinstance(parameter, Tensor):
            raise TypeError(f"History.add: {name!r} is a {type(parameter).__name__}, no tensor")
        if parameter.grad is not None:
            norms[OF + str(name)] = norm(parameter.grad.array)
    if not norms:
        raise ValueError(
            "History.add: no parameter of the net has a gradient: add after backward(), and "
            "before zero_grad()"
        )
    return {TOTAL: norm(list(norms.values())), **norms}


def _summary(iterations: Integers, values: Floats) -> list[str]:
    """First, last, least and largest; the latter two with where they are. A NaN is either."""
    least, largest = np.argmin(values), np.argmax(values)
    ends = [[number(values[i]), str(iterations[i])] for i in (least, largest)]
    return [number(values[0]), number(values[-1]), *ends[0], *ends[1]]

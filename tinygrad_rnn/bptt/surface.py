"""The loss over a grid of two parameters, with its wall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.autograd import grad, no_grad
from tinygrad_rnn.bptt.axes import axes_for, called
from tinygrad_rnn.bptt.measured import Measured
from tinygrad_rnn.reading.given import name_of
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.writing.text import folded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = np.ndarray[Any, np.dtype[np.float64]]
Number = Tensor | tuple[Tensor, Any]  # a tensor of one element, or a tensor and an index


@dataclass(frozen=True, eq=False, repr=False)
class ErrorSurface(Measured):
    """What `error_surface` returns. It prints as a table; ``np.asarray`` gives the losses.

    Attributes
    ----------
    names : tuple of str
        Of p and q.
    p, q : ndarray
        The values along both axes.
    loss : ndarray of shape (len(p), len(q))
    gradient : ndarray of shape (len(p), len(q), 2)
        ∂L/∂p and ∂L/∂q at each point, as backward computes them.
    """

    names: tuple[str, str]
    p: Floats
    q: Floats
    loss: Floats
    gradient: Floats

    def numpy(self) -> Floats:
        """The losses."""
        return self.loss

    @property
    def steepness(self) -> Floats:
        """‖(∂L/∂p, ∂L/∂q)‖ at each point: on the wall it is larger by orders of magnitude."""
        with np.errstate(over="ignore"):
            return np.hypot(self.gradient[..., 0], self.gradient[..., 1])

    @property
    def curvature(self) -> Floats:
        """The largest |eigenvalue| of the Hessian at each point, by differences of gradients."""
        with np.errstate(all="ignore"):
            pp, pq = np.gradient(self.gradient[..., 0], self.p, self.q)
            qp, qq = np.gradient(self.gradient[..., 1], self.p, self.q)
            middle, mixed = (pp + qq) / 2, (pq + qp) / 2
            return np.asarray(np.abs(middle) + np.hypot((pp - qq) / 2, mixed))

    @property
    def wall(self) -> tuple[float, float]:
        """The point of the grid at which the surface is steepest."""
        i, j = self._steepest()
        return float(self.p[i]), float(self.q[j])

    def _steepest(self) -> tuple[int, int]:
        finite = np.where(np.isfinite(self.steepness), self.steepness, -1.0)
        i, j = np.unravel_index(np.argmax(finite), finite.shape)
        return int(i), int(j)

    @property
    def heading(self) -> str:
        """The line above the table: where the wall is."""
        i, j = self._steepest()
        (p, q), known = self.names, self.steepness[np.isfinite(self.steepness)]
        usual = f"{np.median(known):.3g}" if known.size else "–"
        return (
            f"The loss over {p} and {q}; steepest at {p} = {self.p[i]:.4g}, {q} = {self.q[j]:.4g}: "
            f"‖gradient‖ {self.steepness[i, j]:.3g}, its median {usual}"
        )

    @property
    def numeric(self) -> Sequence[int]:
        """The columns that are aligned at their right end: all."""
        return range(len(self.q) + 1)

    def rows(self) -> list[list[str]]:
        """A row for each p, a column for each q; the middle of many is left out."""
        head = [" / ".join(self.names), *(f"{q:.4g}" for q in self.q)]
        body = [[f"{p:.4g}", *(f"{x:.4g}" for x in line)] for p, line in zip(self.p, self.loss)]
        across = [list(column) for column in zip(head, *body)]
        kept = [list(row) for row in zip(*across[:1], *folded(across[1:], 9))]
        return [kept[0], *folded(kept[1:])]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the loss by matplotlib, in colours, p across and q upwards; a ring at the wall.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default a new figure. Returned in any case.

        Raises
        ------
        RuntimeError
            If matplotlib is not installed; `viz.error_surface` needs nothing.
        """
        ax = axes_for("ErrorSurface.plot", ax)
        cells = np.ma.masked_invalid(self.loss.T)
        drawn = ax.pcolormesh(self.p, self.q, cells, shading="nearest")
        ax.plot(*self.wall, "o", fillstyle="none", color="red", label="steepest")
        ax.set_xlabel(called(self.names[0]))
        ax.set_ylabel(called(self.names[1]))
        if cells.count():
            ax.figure.colorbar(drawn, ax=ax, label="loss")
        ax.legend()
        return ax


def error_surface(
    loss_of: Callable[[], Tensor],
    p: Number,
    q: Number,
    p_range: tuple[float, float],
    q_range: tuple[float, float],
    points: int | tuple[int, int] = 41,
) -> ErrorSurface:
    """The loss, and its gradient, over a grid of two numbers among the parameters.

    So Pascanu, Mikolov and Bengio (2013, fig. 6) show the error of a recurrent net over a weight
    and a bias: flat, with a wall of high curvature at which gradients explode.

    Parameters
    ----------
    loss_of : callable
        ``loss_of()`` computes the loss, a scalar, from the parameters as they are then.
    p, q : Tensor, or pair of Tensor and index
        Leaves that require grad: a tensor of one element, or ``(weight, (0, 1))`` for one element
        of a larger one. They have their values again afterwards, whatever happens; no ``.grad``
        is touched.
    p_range, q_range : pair of float
        The ends of the axes.
    points : int or pair of int
        How many along each: 2 or more.

    Returns
    -------
    ErrorSurface
        To be drawn by `viz.error_surface`.

    Raises
    ------
    TypeError
        If p or q is no tensor that requires grad.
    ValueError
        If p or q is not one number, if there are fewer than two points, or if the loss is no
        scalar.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(2.0, requires_grad=True).named("w")
    >>> b = tg.tensor(0.5, requires_grad=True).named("b")
    >>> surface = error_surface(lambda: (w * 3 + b) ** 2, w, b, (0, 2), (0, 1), points=(3, 2))
    >>> print(surface)
    The loss over w and b; steepest at w = 2, b = 1: ‖gradient‖ 44.3, its median 22.1
      w / b   0   1
          0   0   1
          1   9  16
          2  36  49
    >>> w.item(), b.item()
    (2.0, 0.5)
    """
    numbers = [_number(number, name) for number, name in ((p, "p"), (q, "q"))]
    counts = (points, points) if isinstance(points, int) else tuple(points)
    if min(counts) < 2:
        raise ValueError(f"error_surface: there must be 2 points or more, got points={points!r}")
    given = (("p_range", p_range), ("q_range", q_range))
    axes = [np.linspace(*_ends(*each), n) for each, n in zip(given, counts)]
    loss, gradient = np.zeros(counts), np.zeros((*counts, 2))
    before = [np.array(tensor.array[at]) for tensor, at in numbers]
    try:
        for i, j in np.ndindex(*counts):
            for (tensor, at), value in zip(numbers, (axes[0][i], axes[1][j])):
                _set(tensor, at, value)
            loss[i, j], gradient[i, j] = _measured(loss_of(), numbers)
    finally:
        for (tensor, at), value in zip(numbers, before):
            _set(tensor, at, value)
    names = tuple(_name(number, plain) for number, plain in zip(numbers, "pq"))
    return ErrorSurface((names[0], names[1]), axes[0], axes[1], loss, gradient)


def _number(given: Any, called: str) -> tuple[Tensor, Any]:
    """A tensor and the index of the one element that is meant."""
    tensor, at = given if isinstance(given, tuple) else (given, None)
    if not (isinstance(tensor, Tensor) and tensor.is_leaf and tensor.requires_grad):
        raise TypeError(
            f"error_surface: {called} must be a leaf that requires grad, such as a parameter, or a "
            f"pair of one and an index, got {given!r:.80}"
        )
    at = (0,) * tensor.ndim if at is None and tensor.numel() == 1 else at
    if at is None or np.shape(tensor.array[at]) != ():
        raise ValueError(
            f"error_surface: {called} must be one number of a tensor of shape "
            f"{tuple(tensor.shape)}: pass (tensor, index)"
        )
    return tensor, at


def _ends(called: str, ends: Any) -> tuple[float, float]:
    try:
        first, last = map(float, ends)
    except (TypeError, ValueError):
        raise ValueError(f"error_surface: {called} must be two numbers, not {ends!r:.80}") from None
    return first, last


def _set(tensor: Tensor, at: Any, value: Any) -> None:
    with no_grad():
        if at == ():
            tensor.fill_(float(value))
        else:
            tensor[at] = float(value)


def _measured(loss: Any, numbers: list[tuple[Tensor, Any]]) -> tuple[float, list[float]]:
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        raise ValueError(f"error_surface: loss_of() must return a scalar Tensor, got {loss!r:.80}")
    found = grad(loss, [tensor for tensor, _ in numbers], allow_unused=True)
    slopes = [0.0 if g is None else float(g.array[at]) for g, (_, at) in zip(found, numbers)]
    return loss.item(), slopes


def _name(number: tuple[Tensor, Any], otherwise: str) -> str:
    tensor, at = number
    name = (name_of(tensor.node) if tensor.node else "") or otherwise
    return name if tensor.numel() == 1 else f"{name}[{', '.join(map(str, np.atleast_1d(at)))}]"

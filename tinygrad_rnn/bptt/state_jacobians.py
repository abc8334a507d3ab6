"""How each state of a recurrent net depends on the one before: Jacobians, and their products."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_rnn.autograd.contexts import enable_grad
from tinygrad_rnn.bptt.apart import StepsApart
from tinygrad_rnn.bptt.axes import axes_for, in_decades, steps_on
from tinygrad_rnn.bptt.measured import Measured
from tinygrad_rnn.bptt.record import Record, unwalked
from tinygrad_rnn.nn import Module
from tinygrad_rnn.operations import cat
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.states import recurrences
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.writing.text import clean, folded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, eq=False, repr=False)
class Jacobians(Measured, Mapping[int, Floats]):
    """What `jacobians` returns: a mapping from t to J_t = ∂s_t/∂s_{t−1}, s the whole state.

    In the order in which the sequence is read: a reverse layer begins with the last step, and its
    "step before" is t + 1. It prints as a table; ``np.asarray`` gives all J_t stacked.

    Attributes
    ----------
    layer : Layer
        Whose state it is: scope, number, direction.
    states : dict of slice, by name
        The parts of the state, such as h and c of an LSTM, and where they stand in it.
    before : dict of int, by t
        The step that each J_t comes from, in the order of the walk. Steps that leave some of the
        state as it is are passed over, if others before and after them renew all of it.
    matrices : dict of ndarray (n, n) or (batch, n, n), by t
        float64. Element b of a batch has its own ``J_t[b]``.
    bound : float or None
        ‖W_hh‖₂ · γ, which no ‖J_t‖₂ exceeds, if h_t = σ(W_hh h_{t−1} + …) or, in Pascanu's own
        form, h_t = W_hh σ(h_{t−1}) + …, with a σ whose slope is at most γ: 1 for tanh and relu,
        ¼ for the sigmoid, 1 without any. Below 1, gradients vanish for certain:
        ‖∂h_t/∂h_s‖₂ ≤ bound^(t−s). Pascanu, Mikolov and Bengio, "On the difficulty of training
        recurrent neural networks", 2013, section 2.1 (https://arxiv.org/abs/1211.5063).
    skipped : dict of int, by t
        Where a state also depends on ones before the last, as h_t = σ(W h_{t−1} + U h_{t−2}): the
        last step of those. A product of J_t lacks such ways, so there is no span over them.
    """

    layer: Layer
    states: dict[str, slice]
    before: dict[int, int]
    matrices: dict[int, Floats]
    bound: float | None
    skipped: dict[int, int]

    numeric = range(5)

    def __getitem__(self, t: int) -> Floats:
        return self.matrices[t]

    def __iter__(self) -> Iterator[int]:
        return iter(self.matrices)

    def __len__(self) -> int:
        return len(self.matrices)

    @property
    def skips(self) -> bool:
        """Whether states also depend on ones before the last; then there is no bound either."""
        return bool(self.skipped)

    def part(self, of: str, wrt: str | None = None) -> dict[int, Floats]:
        """∂of_t/∂wrt_{t−1} by t, the other parts of the state held fixed; ``wrt``: default ``of``.

        Raises
        ------
        KeyError
            If the state has no part of that name.
        """
        return {t: self._block(matrix, of, wrt) for t, matrix in self.items()}

    def between(self, s: int, t: int, of: str | None = None, wrt: str | None = None) -> Floats:
        """∂state_t/∂state_s = J_t ⋯ J_{s+1}; of an LSTM with ``of="h"`` all of ∂h_t/∂h_s.

        Parameters
        ----------
        s, t : int
            Time steps; for s = t the identity.
        of, wrt : str, optional
            Parts of the state (``wrt``: default ``of``). Unlike a product of the parts of J_t,
            the part of the product has every way through time, also that through the cell c.

        Raises
        ------
        ValueError
            If there is no way from s to t, or if there are several since states skip steps.
        """
        product = self._product(s, t, self.matrices)
        if self._misses(s, t):
            raise ValueError(
                f"jacobians: states of {self.layer} depend also on ones before the last, "
                f"so ∂state_{t}/∂state_{s} is not the product of J_t. Carry both on as one "
                "state, joined by cat"
            )
        return self._block(product, of, wrt)

    def along(self, part: str, s: int | None = None, t: int | None = None) -> Floats:
        """∂part_t/∂part_s on the direct way alone: the product of its own blocks of all J_t.

        Of the cell c of an LSTM that is the constant error carousel of Hochreiter and Schmidhuber
        ("Long short-term memory", 1997, section 3.2), the product of the forget gates: what comes
        back to c without ever passing through h.

        Parameters
        ----------
        part : str
            Of the state.
        s, t : int, optional
            Time steps; by default before the first J_t, and the last.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> lstm = tg.nn.LSTM(1, 1)
        >>> with tg.no_grad():
        ...     for w in lstm.parameters():
        ...         _ = w.zero_()
        >>> tg.bptt.jacobians(lstm, tg.zeros(3, 1)).along("c")  # every gate is ½
        array([[0.125]])
        """
        steps = list(self)
        first, last = self.before[steps[0]], steps[-1]
        blocks = self.part(part)
        return self._product(first if s is None else s, last if t is None else t, blocks)

    def _product(self, s: int, t: int, factors: dict[int, Floats]) -> Floats:
        for at, product in self._back_from(t, factors):
            if at == s:
                return product
        raise ValueError(
            f"jacobians: no way leads from step {s} to step {t}; there are J_t for t = "
            f"{', '.join(map(str, self))}"
        )

    def _back_from(self, t: int, factors: dict[int, Floats]) -> Iterator[tuple[int, Floats]]:
        """Each step s from t back, and the product of what leads from it to t."""
        near = next((factors[i] for i in self if t in (i, self.before[i])), None)
        if near is None:
            return
        product = np.broadcast_to(np.eye(near.shape[-1]), near.shape)
        yield t, product
        while t in self:
            n = min(len(product), len(self[t]))  # of packed sequences: those that reach so far
            factor = factors[t]
            with np.errstate(all="ignore"):
                product = product[:n] @ factor[:n] if product.ndim > 2 else product @ factor
            t = self.before[t]
            yield t, product

    def _misses(self, s: int, t: int) -> bool:
        """Whether ways lead from s, or from further on, past states to t or on the way there."""
        number = {at: i for i, at in enumerate([*list(self.before.values())[:1], *self])}
        first, last = number[s], number[t]
        return any(
            number[at] <= last and number.get(latest, -1) >= first
            for at, latest in self.skipped.items()
        )

    def _block(self, matrix: Floats, of: str | None, wrt: str | None) -> Floats:
        for name in (of, wrt):
            if name is not None and name not in self.states:
                raise KeyError(
                    f"jacobians: the state has no part {name!r}; it has {', '.join(self.states)}"
                )
        rows = slice(None) if of is None else self.states[of]
        columns = rows if wrt is None else self.states[wrt]
        return matrix[..., rows, columns]

    def singular_values(self, of: str | None = None) -> dict[int, Floats]:
        """The singular values of each J_t, or of its part ``of``, largest first; or NaN."""
        return {t: _singular(self._block(matrix, of, None)) for t, matrix in self.items()}

    def spectral_radius(self, of: str | None = None) -> dict[int, Floats]:
        """The largest absolute eigenvalue of each J_t, or of its part ``of``; or NaN."""
        return {t: _radius(self._block(matrix, of, None)) for t, matrix in self.items()}

    def numpy(self) -> Floats:
        """All J_t, in their order, along a new first axis.

        Raises
        ------
        ValueError
            If their shapes differ, as those of packed sequences do.
        """
        shapes = sorted({matrix.shape for matrix in self.values()})
        if len(shapes) > 1:
            raise ValueError(f"jacobians: the J_t are of several shapes, {shapes}: take each J[t]")
        return np.stack(list(self.values()))

    @property
    def heading(self) -> str:
        """The lines above the table."""
        names = ", ".join(map(clean, self.states))
        state = f"({names})_t" if len(self.states) > 1 else f"{names}_t"
        batch = next(iter(self.values())).shape[:-2]
        lines = f"J_t: how {state} of {self.layer} depends on the step before"
        lines += f"; largest of {batch[0]} in the batch" if batch and batch[0] > 1 else ""
        return lines + ("" if self.bound is None else f"\n‖W_hh‖₂ · γ = {self.bound:.4g}")

    def rows(self) -> list[list[str]]:
        """Singular values and spectral radius of each J_t, and the norm of all from there on.

        The last column is left out where there are `skips`, the middle of many rows is left out.
        """
        last = list(self)[-1]
        spans = {s: _singular(product) for s, product in self._back_from(last, self.matrices)}
        head, rows = ["t", "largest σ", "smallest σ", "radius", "from there to the end"], []
        radii = self.spectral_radius()
        for t, sigma in self.singular_values().items():
            figures = (sigma[..., 0], sigma[..., -1], radii[t], spans[self.before[t]][..., 0])
            rows.append([str(t), *(f"{np.max(x, initial=0):.4g}" for x in figures)])
        columns = len(head) - self.skips
        return [row[:columns] for row in [head, *folded(rows)]]

    def plot(self, ax: Axes | None = None, of: str | None = None) -> Axes:
        """Draw the spectrum of each J_t by matplotlib: all singular values as dots, the largest as
        a line, dashed the spectral radius; 1, where nothing vanishes or explodes, and the bound.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default a new figure. Returned in any case.
        of : str, optional
            The part of the state.

        Raises
        ------
        KeyError
            If the state has no such part.
        RuntimeError
            If matplotlib is not installed.
        """
        sigmas, radii, steps = self.singular_values(of), self.spectral_radius(of), list(self)
        ax = axes_for("Jacobians.plot", ax)
        dots = [(t, x) for t, sigma in sigmas.items() for x in np.ravel(sigma)]
        largest = [np.max(sigmas[t][..., 0], initial=0) for t in steps]
        ax.plot(*zip(*dots), ".", color="C0", alpha=0.4, label="σ of J_t")
        ax.plot(steps, largest, "-", color="C0", label="largest σ")
        ax.plot(steps, [np.max(radii[t], initial=0) for t in steps], "--", color="C1",
                label="spectral radius")  # fmt: skip
        ax.axhline(1, color="grey", linewidth=0.8)
        if self.bound is not None and of is None:
            ax.axhline(self.bound, color="C2", linestyle=":", label="‖W_hh‖₂ · γ")
        in_decades(ax, [[x for _, x in dots]])
        steps_on(ax, "t")
        ax.legend()
        return ax


def _singular(matrix: Floats) -> Floats:
    if not np.isfinite(matrix).all():
        return np.full(matrix.shape[:-1], np.nan)
    return np.asarray(np.linalg.svd(matrix, compute_uv=False), np.float64)


def _radius(matrix: Floats) -> Floats:
    if not np.isfinite(matrix).all():
        return np.full(matrix.shape[:-2], np.nan)
    return np.asarray(np.abs(np.linalg.eigvals(matrix)).max(axis=-1))


def jacobians(
    what: Record | Tensor | Module,
    *inputs: Any,
    scope: str | None = None,
    layer: int | None = None,
    direction: str | None = None,
    run: int | None = None,
    batch: bool = True,
) -> Jacobians:
    """J_t = ∂s_t/∂s_{t−1} of a recurrent layer or loop, from the graph of its forward pass.

    Parameters
    ----------
    what : Record, Tensor or Module
        The recorded walk of a loss, also one that has freed its graph; a loss that has not been
        walked; or a module, which is run once on ``inputs`` (whether its parameters require grad
        or not).
    scope, layer, direction, run : optional
        Which one is meant, where there are several: the module's dotted name, the number of the
        layer from 0, "forward" or "reverse", which of its runs over the same steps, from 1.
    batch : bool
        The first axis of a state with several axes is a batch, whose elements do not influence
        each other; ``False``: all elements of the state belong together.

    Returns
    -------
    Jacobians
        J_t by t, for the whole state: h; h and c of an LSTM; whatever a loop carries on. J_1 is
        there if the first step is seen to use an initial state just as the second uses the first
        (not so of packed sequences that shrink, or if all of them was computed outside the steps).
        A part that a step leaves as it is has the identity there; one that the graph does not have
        there, because nothing that leads to the loss uses it, zeros. Where the state is NaN or
        infinite, so may be J_t, as PyTorch's.

    Raises
    ------
    TypeError
        If ``what`` is something else.
    ValueError
        If no state is carried from step to step, or several layers do it and none was named; if
        elements of the batch influence each other; if a state has no elements, or another shape at
        other steps; if parts of it go through time in different orders.
    RuntimeError
        If the graph of a tensor has been freed, or what it saved changed in place.

    Notes
    -----
    With n elements in the state there are n backward walks over a copy of the graph that is cut
    between the steps, each for one row of all J_t of all elements of the batch at once; n more for
    `Jacobians.bound`, where it applies. The result takes T · batch · n² numbers of 8 bytes.
    Gradients, hooks and what the graph saved are left alone. What is measured is the whole
    dependence on s_{t−1}, also through other modules and what has no step, older states being
    given. That a batch is one takes 2 log₂(batch) walks to see.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.2, requires_grad=True)
    >>> x = tg.tensor(0.9)
    >>> for t in range(1, 4):
    ...     with tg.step(t):
    ...         x = w * x
    >>> jacobians = tg.bptt.jacobians(x)
    >>> jacobians[3].round(3), jacobians.between(1, 3).round(3)
    (array([[0.2]]), array([[0.04]]))
    """
    record = _recorded(what, inputs)
    known = recurrences(record.places)
    if not known:
        raise ValueError(
            "jacobians: no state is carried from one time step to another there; if steps were "
            "not found, tell them by `with bptt.step(t):`"
        )
    found = [each for each in known if each.layer.is_meant_by(scope, layer, direction, run)]
    if len(found) != 1:
        names = "; ".join(str(each.layer) for each in found or known)
        trouble = f"there are several: {names}" if found else f"no such one; there are: {names}"
        raise ValueError(f"jacobians: {trouble}. Say which by scope, layer, direction or run")
    steps = StepsApart(record, found[0], batch)
    return Jacobians(
        steps.layer, steps.slices, steps.before, steps.jacobians(), steps.bound(), steps.skipped
    )


def _recorded(what: Any, inputs: tuple[Any, ...]) -> Record:
    if isinstance(what, Module):
        with enable_grad():
            return unwalked(_joined(what(*[_wanting(x) for x in inputs])), "jacobians")
    if inputs:
        raise TypeError("jacobians: inputs go with a module; of a record or tensor leave them out")
    if isinstance(what, Record):
        return what
    if isinstance(what, Tensor):
        return unwalked(what, "jacobians")
    found = type(what).__name__
    raise TypeError(f"jacobians: expected a Record, a Tensor or a Module, got {found}")


def _wanting(x: Any) -> Any:
    """An input that requires grad, so that frozen modules record as well."""
    if isinstance(x, tuple | list):
        return type(x)(*map(_wanting, x)) if hasattr(x, "_fields") else type(x)(map(_wanting, x))
    wanted = isinstance(x, Tensor) and x.dtype.kind == "f" and not x.requires_grad
    return x.detach().requires_grad_() if wanted else x


def _joined(outputs: Any) -> Tensor:
    """All tensors that a module returned as one."""
    waiting, found = [outputs], []
    while waiting:
        x = waiting.pop()
        if isinstance(x, Tensor):
            found += [x.reshape(-1)] if x.requires_grad else []
        elif isinstance(x, Mapping):
            waiting += x.values()
        elif isinstance(x, tuple | list):
            waiting += x
    if not found:
        raise ValueError("jacobians: no output of the module requires grad")
    return cat(found)

"""Checking gradients against central differences: (f(x + ε) − f(x − ε)) / 2ε."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.autograd.contexts import enable_grad, no_grad
from tinygrad_rnn.autograd.walks import grad, several
from tinygrad_rnn.tensor import Tensor, sequence, wrap

Array = np.ndarray[Any, Any]
Inputs = Tensor | Sequence[Any]


class GradcheckError(RuntimeError):
    """A gradient differs from central differences, or breaks another rule of gradients."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Inputs,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the backward walk of ``func`` agrees with central differences.

    Parameters
    ----------
    func : callable
        Takes the inputs; returns a tensor or a sequence of tensors.
    inputs : Tensor or sequence
        Those that require grad are differentiated: float64, because differences of float32 are
        mostly rounding.
    eps, atol, rtol : float
        Step of the differences, and how far the two may lie apart.
    raise_exception : bool
        Raise, naming the first wrong entry, instead of returning ``False``.
    nondet_tol : float
        How far two walks of the same graph may lie apart.
    check_undefined_grad : bool
        Whether the walk must also do where single outputs receive nothing.
    check_grad_dtypes : bool
        Whether gradients must have the dtypes of their inputs.
    fast_mode : bool
        Compare uᵀJv for random u and v only, in time independent of the sizes.
    masked : bool, optional
        Of no effect without sparse tensors.
    check_batched_grad, check_batched_forward_grad, check_forward_ad, check_backward_ad : bool
        There is no other mode than walking back, unbatched.

    Raises
    ------
    GradcheckError
        If they disagree, if two walks do, if what the walk returns is not proportional to the
        cotangent, or if nothing is recorded of a function that does depend on its inputs.
    ValueError
        If no input requires grad.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([0.5, -1.0], dtype="float64", requires_grad=True)
    >>> tg.autograd.gradcheck(tg.tanh, x)
    True
    """
    _refuse(
        check_batched_grad=check_batched_grad,
        check_batched_forward_grad=check_batched_forward_grad,
        check_forward_ad=check_forward_ad,
    )
    if not check_backward_ad:
        raise ValueError("gradcheck: with check_backward_ad=False there is nothing to check")
    check = _Check(func, sequence(inputs), eps, atol, rtol, check_grad_dtypes)
    try:
        if check.has_graph():
            (check.directions if fast_mode else check.entries)()
            check.walks(nondet_tol, check_undefined_grad)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Inputs,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether the second derivatives of ``func`` agree with central differences of the first.

    The first are checked as a function of the inputs and of the cotangents of the outputs.

    Parameters
    ----------
    func, inputs
        As in `gradcheck`, and so are the options not named here.
    grad_outputs : Tensor or sequence, optional
        The cotangents; random ones by default.
    gen_non_contig_grad_outputs : bool
        Whether random cotangents are views of every other element of an array.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([0.5, -1.0], dtype="float64", requires_grad=True)
    >>> tg.autograd.gradgradcheck(tg.sigmoid, x)
    True
    """
    _refuse(check_batched_grad=check_batched_grad, check_fwd_over_rev=check_fwd_over_rev)
    if not check_rev_over_rev:
        raise ValueError("gradgradcheck: with check_rev_over_rev=False there is nothing to check")
    xs = sequence(inputs)
    if grad_outputs is None:
        cotangents = _random_cotangents(sequence(func(*xs)), gen_non_contig_grad_outputs)
    else:
        cotangents = sequence(grad_outputs)

    def first(*arguments: Any) -> tuple[Any, ...]:
        given, upstream = arguments[: len(xs)], arguments[len(xs) :]
        variables = [x for x in given if _is_variable(x)]
        ends = [y for y in sequence(func(*given)) if y.requires_grad]
        pairs = zip(ends, upstream)
        gs = grad(ends, variables, [v for _, v in pairs], create_graph=True, allow_unused=True)
        return tuple(g for g in gs if g is not None)

    return gradcheck(
        enable_grad()(first),  # central differences call it inside no_grad
        [*xs, *cotangents],
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        fast_mode=fast_mode,
        masked=masked,
    )


def jacobians(
    fn: Callable[..., Any], inputs: Inputs, *, eps: float = 1e-6
) -> tuple[list[list[Array]], list[list[Array]]]:
    """∂outputs/∂inputs of a function, by backward walks and by central differences.

    Parameters
    ----------
    fn : callable
        Takes the inputs; returns a tensor or a sequence of tensors.
    inputs : Tensor or sequence
        Those that require grad are differentiated; they are changed by ``eps`` and restored.
    eps : float
        The step of the differences.

    Returns
    -------
    analytical, numerical : lists of lists of arrays
        ``[output][input]``, each of shape (output.numel(), input.numel()).
    """
    check = _Check(fn, sequence(inputs), eps, 0, 0, False)
    return [check.analytical(y) for y in check.outputs], check.numerical()


def _refuse(**options: bool) -> None:
    for name, value in options.items():
        if value:
            raise NotImplementedError(f"{name}=True: there is no forward mode and no batching here")


def _is_variable(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _random_cotangents(outputs: list[Any], strided: bool) -> list[Tensor]:
    rng = np.random.default_rng(0)
    cotangents = []
    for y in outputs:
        if y.requires_grad:
            drawn = rng.standard_normal((*y.shape, 2))[..., 0]  # float64, whatever y is
            array = drawn if strided else drawn.copy()
            cotangents.append(wrap(array, None).requires_grad_())
    return cotangents


@dataclass
class _Check:
    """One function at one point: its graph, its inputs, and how it is compared."""

    func: Callable[..., Any]
    xs: list[Any]
    eps: float
    atol: float
    rtol: float
    dtypes: bool

    def __post_init__(self) -> None:
        self.places = [i for i, x in enumerate(self.xs) if _is_variable(x)]
        self.variables: list[Tensor] = [self.xs[i] for i in self.places]
        if not self.variables:
            raise ValueError("gradcheck: none of the inputs requires grad")
        for i, x in zip(self.places, self.variables, strict=True):
            if x.dtype != np.float64:
                message = (
                    f"gradcheck: input {i} requires grad and is {x.array.dtype}, not float64: the "
                    "check is likely to fail because central differences are mostly rounding"
                )
                warnings.warn(message, UserWarning, stacklevel=4)
            sizes = zip(x.array.strides, x.shape)
            if x.numel() and any(stride == 0 and n > 1 for stride, n in sizes):
                raise RuntimeError(
                    f"gradcheck: input {i} has several elements in one place of its memory, so "
                    "they cannot be changed one by one; clone() it first"
                )
        self.outputs: list[Tensor] = several(self.func(*self.xs), "gradcheck: of the function")
        for y in self.outputs:
            if not isinstance(y, Tensor):
                kind = type(y).__name__
                raise TypeError(f"gradcheck: the function must return tensors, got {kind}")

    def has_graph(self) -> bool:
        """Whether any output is differentiable; if none, the function must be constant."""
        if any(y.requires_grad for y in self.outputs):
            return True
        if any(slopes.any() for row in self.numerical() for slopes in row):
            raise GradcheckError(
                "gradcheck: no output requires grad, but the function depends on its inputs: an "
                "operation in it is not recorded"
            )
        return False

    # -- the two ways to a derivative --

    def pulled(self, outputs: list[Tensor], cotangents: list[Any]) -> list[Array]:
        """What a backward walk brings to each variable."""
        gs = grad(outputs, self.variables, cotangents, retain_graph=True, allow_unused=True)
        for i, g, x in zip(self.places, gs, self.variables):
            if self.dtypes and g is not None and g.dtype != x.dtype:
                raise GradcheckError(
                    f"gradcheck: the gradient of input {i} is {g.array.dtype}, "
                    f"the input {x.array.dtype}"
                )
        pairs = zip(gs, self.variables)
        return [np.zeros(x.shape, x.dtype) if g is None else g.array for g, x in pairs]

    def analytical(self, y: Tensor) -> list[Array]:
        """The Jacobians of one output, row by row."""
        result = [np.zeros((y.numel(), x.numel()), x.dtype) for x in self.variables]
        for i in range(y.numel() if y.requires_grad else 0):
            unit = np.zeros(y.shape, y.dtype)
            unit.flat[i] = 1
            for whole, g in zip(result, self.pulled([y], [wrap(unit, None)])):
                whole[i] = g.ravel()
        return result

    def numerical(self) -> list[list[Array]]:
        """The Jacobians of all outputs, column by column."""
        result = [[np.zeros((y.numel(), x.numel())) for x in self.variables] for y in self.outputs]
        for j, x in enumerate(self.variables):
            for i in range(x.numel()):
                for row, slope in zip(result, self.slopes(x.array, i, 1)):
                    row[j][:, i] = slope
        return result

    def slopes(self, array: Array, at: Any, direction: Any) -> list[Array]:
        """The central differences of all outputs as elements of one variable change together."""
        kept, step = array.flat[at], self.eps * direction
        try:
            with no_grad():
                array.flat[at] = kept + step
                above = [y.array.ravel().copy() for y in sequence(self.func(*self.xs))]
                array.flat[at] = kept - step
                below = [y.array.ravel().copy() for y in sequence(self.func(*self.xs))]
        finally:
            array.flat[at] = kept
        return [(a - b) / (2 * self.eps) for a, b in zip(above, below, strict=True)]

    # -- comparing them --

    def entries(self) -> None:
        """Compare every entry of every Jacobian."""
        for o, (y, row) in enumerate(zip(self.outputs, self.numerical())):
            for i, a, n in zip(self.places, self.analytical(y), row) if y.requires_grad else ():
                wrong = np.argwhere(~np.isclose(a, n, atol=self.atol, rtol=self.rtol))
                if len(wrong):
                    r, c = (int(k) for k in wrong[0])
                    raise GradcheckError(
                        f"gradcheck: output {o}, input {i}: entry ({r}, {c}) of the Jacobian, "
                        f"∂output{_index(r, y.shape)} / ∂input{_index(c, self.xs[i].shape)}, is "
                        f"{a[r, c]:.8g} by the backward walk and {n[r, c]:.8g} by central "
                        f"differences ({len(wrong)} of {a.size} entries differ)"
                    )

    def directions(self) -> None:
        """Compare uᵀJv for one random u of each output and one random v of each variable."""
        rng = np.random.default_rng(0)

        def draw(x: Tensor) -> Array:  # of one sign, lest large terms cancel
            return rng.uniform(0.5, 1.5, x.numel())

        vs = [draw(x) for x in self.variables]
        slopes = [self.slopes(x.array, slice(None), v) for x, v in zip(self.variables, vs)]
        for o, y in enumerate(self.outputs):
            u = draw(y)
            if not y.requires_grad:
                continue
            gs = self.pulled([y], [wrap(u.reshape(y.shape).astype(y.dtype), None)])
            for i, g, v, slope in zip(self.places, gs, vs, slopes):
                a, n = g.ravel() @ v, u @ slope[o]
                if not np.isclose(a, n, atol=self.atol * u.sum() * v.sum(), rtol=self.rtol):
                    self.entries()
                    raise GradcheckError(
                        f"gradcheck: output {o}, input {i}: uᵀJv is {a:.8g} by the backward walk "
                        f"and {n:.8g} by central differences, although every entry of J is right"
                    )

    def walks(self, tolerance: float, undefined: bool) -> None:
        """Check that walks repeat themselves, and that they are linear in the cotangents."""
        ends = [y for y in self.outputs if y.requires_grad]
        us = _random_cotangents(ends, False)
        for i, a, b in zip(self.places, self.pulled(ends, us), self.pulled(ends, us)):
            if not np.allclose(a, b, rtol=0, atol=tolerance):
                apart = np.abs(a - b).max()
                raise GradcheckError(
                    f"gradcheck: backward is not deterministic: two walks bring input {i} gradients"
                    f" that are {apart:.2g} apart, more than nondet_tol={tolerance}"
                )
        zeros = [wrap(np.zeros(y.shape, y.dtype), None) for y in ends]
        without = range(len(ends)) if undefined and len(ends) > 1 else ()
        for k in (None, *without):
            given = [j for j in range(len(ends)) if j != k]
            gs = self.pulled([ends[j] for j in given], [zeros[j] for j in given])
            for i, g in zip(self.places, gs):
                if g.any():
                    left = "" if k is None else f" and none for output {k}"
                    raise GradcheckError(
                        f"gradcheck: input {i} gets a gradient that is not zero from cotangents of "
                        f"zero{left}: backward is not multiplied by its cotangent"
                    )


def _index(flat: int, shape: tuple[int, ...]) -> str:
    """The index of an element, counted as in ``ravel()``, as it is written."""
    at = [int(i) for i in np.unravel_index(flat, shape)]
    return str(at) if at else ""

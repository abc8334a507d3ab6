"""Whole derivatives of functions of tensors: Jacobians, Hessians, and their products with vectors.

A function takes one or several tensors and returns one tensor or a tuple; the results are nested
in the same way, as in https://docs.pytorch.org/docs/stable/autograd.html#functional-higher-level-api.
All have two options.  ``create_graph``: the results can be differentiated in turn.  ``strict``:
raise where an output does not depend on an input (or, with create_graph, a derivative does not),
instead of giving zeros.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.autograd.contexts import enable_grad
from tinygrad_rnn.autograd.walks import grad
from tinygrad_rnn.tensor import Tensor, wrap

__all__ = [
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "vhp",
    "vjp",
]


def __dir__() -> list[str]:
    return __all__


Tensors = Tensor | tuple[Tensor, ...]
Fn = Callable[..., Any]
F = TypeVar("F", bound=Fn)
Given = TypeVar("Given", Tensor, tuple[Tensor, ...])
Returned = TypeVar("Returned", Tensor, tuple[Tensor, ...])


def _recording(function: F) -> F:
    """Let a function record whatever the mode outside, in whichever threads it runs."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        with enable_grad():
            return function(*arguments, **options)

    return wrapped  # type: ignore[return-value]


@overload
def jacobian(
    func: Callable[..., Tensor],
    inputs: Tensor,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Tensor: ...
@overload
def jacobian(
    func: Callable[..., Tensor],
    inputs: tuple[Tensor, ...],
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> tuple[Tensor, ...]: ...
@overload
def jacobian(
    func: Callable[..., tuple[Tensor, ...]],
    inputs: Tensor,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> tuple[Tensor, ...]: ...
@overload
def jacobian(
    func: Callable[..., tuple[Tensor, ...]],
    inputs: tuple[Tensor, ...],
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> tuple[tuple[Tensor, ...], ...]: ...
@_recording
def jacobian(
    func: Fn,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """∂outputs/∂inputs of ``func``: a tensor of the output's axes, then the input's.

    Nested as ``[output][input]`` where there are tuples of them.  There is one walk for each
    element of the outputs; ``vectorize`` changes nothing, and ``strategy`` has no other value.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.autograd.functional.jacobian(tg.exp, tg.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    _check_strategy("jacobian", strategy, strict, vectorize)
    xs = _prepared("jacobian", inputs, create_graph)
    returned = func(*xs)
    outputs = _outputs("jacobian", returned, strict)
    rows = []
    for i, y in enumerate(outputs):
        what = f"output {i} of the function"
        units = (_unit(y, j) for j in range(y.numel() if y.requires_grad else 0))
        walks = [_filled(_pulled([y], xs, [u], create_graph), xs, what, strict, create_graph)
                 for u in units]  # fmt: skip
        rows.append(tuple(_stacked([walk[k] for walk in walks], y, x) for k, x in enumerate(xs)))
    nested = tuple(_like(inputs, _finished(row, create_graph)) for row in rows)
    return _like(returned, nested)


@overload
def hessian(
    func: Callable[..., Tensor],
    inputs: Tensor,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Tensor: ...
@overload
def hessian(
    func: Callable[..., Tensor],
    inputs: tuple[Tensor, ...],
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> tuple[tuple[Tensor, ...], ...]: ...
def hessian(
    func: Fn,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function with one element: the Jacobian of its gradient.

    Nested as ``[input][input]`` if ``inputs`` is a tuple.  For the options see `jacobian`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.autograd.functional.hessian(lambda x: (x**3).sum(), tg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    _check_strategy("hessian", outer_jacobian_strategy, False, vectorize)

    def gradient(*xs: Tensor) -> Any:
        return _like(inputs, _gradient("hessian", func, xs, strict)[1])

    _tensors(inputs, "hessian", "inputs")
    return jacobian(gradient, inputs, create_graph, strict, vectorize)


@_recording
def vjp(
    func: Callable[..., Returned],
    inputs: Given,
    v: Returned | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Returned, Given]:
    """The outputs, and vᵀ times the Jacobian: one walk back from the cotangent ``v``.

    ``v`` is like the outputs; it may be left out if there is a single element.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.autograd.functional.vjp(tg.exp, tg.zeros(2), tg.tensor([3.0, 4.0]))
    (tensor([1., 1.]), tensor([3., 4.]))
    """
    xs = _prepared("vjp", inputs, create_graph)
    returned = func(*xs)
    outputs = _outputs("vjp", returned, strict)
    pulled = _pulled(outputs, xs, _vector("vjp", v, outputs, "output"), create_graph)
    filled = _filled(pulled, xs, "the output of the function", strict, create_graph)
    return _like(returned, _finished(outputs, create_graph)), _like(
        inputs, _finished(filled, create_graph)
    )


@_recording
def jvp(
    func: Callable[..., Returned],
    inputs: Given,
    v: Given | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Returned, Returned]:
    """The outputs, and the Jacobian times v: the derivative in the direction ``v``.

    ``v`` is like the inputs; it may be left out if there is a single element.  By walking back
    twice: uᵀJ is linear in u, and its derivative for u in the direction v is Jv.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.autograd.functional.jvp(tg.exp, tg.zeros(2), tg.tensor([3.0, 4.0]))
    (tensor([1., 1.]), tensor([3., 4.]))
    """
    xs = _prepared("jvp", inputs, create_graph)
    vs = _vector("jvp", v, xs, "input")
    returned = func(*xs)
    outputs = _outputs("jvp", returned, strict)
    us = [_zeros(y).requires_grad_() for y in outputs]
    pulled = _pulled(outputs, xs, us, True)
    _filled(pulled, xs, "the output of the function", strict, False)
    used = [(g, w) for g, w in zip(pulled, vs, strict=True) if g is not None]
    pushed = _pulled([g for g, _ in used], us, [w for _, w in used], create_graph)
    filled = _filled(pushed, outputs, "the output of the function", strict, create_graph)
    return _like(returned, _finished(outputs, create_graph)), _like(
        returned, _finished(filled, create_graph)
    )


@_recording
def vhp(
    func: Callable[..., Tensor],
    inputs: Given,
    v: Given | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Given]:
    """The output, which has one element, and vᵀ times the Hessian.

    ``v`` is like the inputs; it may be left out if there is a single element.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.autograd.functional.vhp(lambda x: (x**3).sum(), tg.ones(2), tg.tensor([3.0, 4.0]))
    (tensor(2.), tensor([18., 24.]))
    """
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


@_recording
def hvp(
    func: Callable[..., Tensor],
    inputs: Given,
    v: Given | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Given]:
    """The output, which has one element, and the Hessian times v, as cheaply as by `vhp`.

    A Hessian is symmetric, so the two are the same.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.autograd.functional.hvp(lambda x: (x**3).sum(), tg.ones(2), tg.tensor([3.0, 4.0]))
    (tensor(2.), tensor([18., 24.]))
    """
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _hessian_product(
    name: str, func: Fn, inputs: Tensors, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    xs = _prepared(name, inputs, create_graph)
    vs = _vector(name, v, xs, "input")
    y, gradient = _gradient(name, func, xs, strict)
    pulled = _pulled(gradient, xs, vs, create_graph)
    filled = _filled(pulled, xs, "the gradient of the function", strict, create_graph)
    (output,) = _finished([y], create_graph)
    return output, _like(inputs, _finished(filled, create_graph))


def _gradient(name: str, func: Fn, xs: Sequence[Tensor], strict: bool) -> tuple[Tensor, Any]:
    """The only output of a function, and its recorded gradient."""
    y = func(*xs)
    _outputs(name, y, strict)
    if not isinstance(y, Tensor):
        raise RuntimeError(f"{name}: the function must return a single tensor, not a tuple")
    if y.numel() != 1:
        raise RuntimeError(f"{name}: the function must return one element, not {y.numel()}")
    pulled = _pulled([y], xs, [_unit(y, 0)], True)
    what = "the output of the function"
    _filled(pulled, xs, what, strict, strict)
    return y, _filled(pulled, xs, what, False, False)


# -- what goes in and what comes out ---------------------------------------------------------------


def _check_strategy(name: str, strategy: Any, strict: bool, vectorize: bool) -> None:
    if strategy == "forward-mode":
        raise NotImplementedError(f"{name}: there is no forward mode; use 'reverse-mode'")
    if strategy != "reverse-mode":
        raise ValueError(f"{name}: the strategy must be 'reverse-mode', not {strategy!r}")
    if strict and vectorize:
        raise RuntimeError(f"{name}: strict=True does not go with vectorize=True")


def _tensors(given: Any, name: str, what: str) -> tuple[Tensor, ...]:
    tensors = given if isinstance(given, tuple) else (given,)
    for x in tensors:
        if not isinstance(x, Tensor):
            kind = type(x).__name__
            raise TypeError(f"{name}: {what} must be a Tensor or a tuple of Tensors, got {kind}")
    return tensors


def _prepared(name: str, inputs: Any, create_graph: bool) -> tuple[Tensor, ...]:
    """The inputs at places of their own, connected to their history if results are to be."""
    return tuple(
        x.reshape(x.shape) if create_graph and x.requires_grad else x.detach().requires_grad_()
        for x in _tensors(inputs, name, "inputs")
    )


def _outputs(name: str, returned: Any, strict: bool) -> tuple[Tensor, ...]:
    outputs = _tensors(returned, name, "outputs")
    for i, y in enumerate(outputs):
        if strict and not y.requires_grad:
            raise RuntimeError(
                f"{name}: output {i} does not require grad: strict=True wants it to be computed "
                "from the inputs by differentiable operations"
            )
    return outputs


def _vector(name: str, v: Any, like: Sequence[Tensor], what: str) -> Sequence[Any]:
    """The vector of a product, which is like the inputs or the outputs."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"{name}: v may be left out only for a single {what} of one element")
        return [_unit(like[0], 0)]
    vs = _tensors(v, name, "v")
    if len(vs) != len(like):
        raise RuntimeError(f"{name}: v has {len(vs)} tensors, but there are {len(like)} {what}s")
    for i, (w, x) in enumerate(zip(vs, like, strict=True)):
        if w.shape != x.shape:
            raise RuntimeError(
                f"{name}: tensor {i} of v has shape {w.array.shape}, but the {what} {x.array.shape}"
            )
    return vs


def _pulled(
    outputs: Sequence[Tensor], xs: Sequence[Tensor], vs: Sequence[Any], create_graph: bool
) -> Sequence[Tensor | None]:
    """What walks back to the inputs from those outputs that depend on anything."""
    ends = [(y, w) for y, w in zip(outputs, vs, strict=True) if y.requires_grad]
    if not ends:
        return [None] * len(xs)
    pulled: Sequence[Tensor | None] = grad(
        [y for y, _ in ends], xs, [w for _, w in ends],
        retain_graph=True, create_graph=create_graph, allow_unused=True,
    )  # fmt: skip
    return pulled


def _filled(
    gs: Sequence[Tensor | None], like: Sequence[Tensor], what: str, strict: bool, recorded: bool
) -> tuple[Tensor, ...]:
    """Zeros for ``None``, unless that is an error."""
    for i, g in enumerate(gs):
        if strict and g is None:
            raise RuntimeError(f"{what} is independent of input {i} (strict=True)")
        if strict and recorded and g is not None and not g.requires_grad:
            raise RuntimeError(
                f"the derivative of {what} for input {i} is independent of the inputs (strict=True)"
            )
    return tuple(_zeros(x) if g is None else g for g, x in zip(gs, like, strict=True))


def _stacked(rows: list[Tensor], y: Tensor, x: Tensor) -> Tensor:
    if not rows:
        return wrap(np.zeros(y.shape + x.shape, x.dtype), None)
    stacked: Tensor = operations.stack(rows).reshape(y.shape + x.shape)
    return stacked


def _finished(tensors: Sequence[Tensor], create_graph: bool) -> tuple[Tensor, ...]:
    return tuple(tensors) if create_graph else tuple(x.detach() for x in tensors)


def _like(given: Any, results: tuple[Any, ...]) -> Any:
    """One result or a tuple of them, as was given."""
    return results if isinstance(given, tuple) else results[0]


def _zeros(x: Tensor) -> Tensor:
    return wrap(np.zeros(x.shape, x.dtype), None)


def _unit(x: Tensor, i: int) -> Tensor:
    """1 at one element, and 0 elsewhere."""
    unit = _zeros(x)
    unit.array.flat[i] = 1
    return unit

"""Walking the graph backward: into `.grad` (`backward`) or to a result (`grad`)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Literal, overload

import numpy as np

from tinygrad_rnn.engine.graph import place
from tinygrad_rnn.tensor import Tensor, run_walk, sequence, wrap
from tinygrad_rnn.tensor.tensor import backward as run_backward

Tensors = Tensor | Iterable[Tensor]


def several(given: Any, name: str) -> list[Any]:
    """One tensor or several, as a list."""
    if given is None or not (isinstance(given, Tensor) or hasattr(given, "__iter__")):
        kind = type(given).__name__
        raise TypeError(f"{name}: expected a Tensor or a sequence of them, got {kind}")
    return sequence(given)


def _cotangents(given: Any, outputs: list[Tensor], name: str) -> list[Any]:
    cotangents = [None] * len(outputs) if given is None else several(given, name)
    if len(cotangents) != len(outputs):
        raise RuntimeError(f"{name}: {len(outputs)} outputs, but {len(cotangents)} gradients")
    return cotangents


def backward(
    tensors: Tensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    *,
    inputs: Tensors | None = None,
) -> None:
    """Add to each leaf's `grad` the gradient of the sum of ``tensors`` (see `Tensor.backward`).

    Parameters
    ----------
    tensors : Tensor or iterable of Tensors
    grad_tensors : Tensor or sequence, optional
        The cotangent of each; ``None``, in its place or altogether, for 1.
    retain_graph, create_graph, inputs
        As in `Tensor.backward`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> tg.autograd.backward([(x * x).sum(), x.sum()])
    >>> x.grad
    tensor([3., 5.])
    """
    outputs = several(tensors, "backward")
    cotangents = _cotangents(grad_tensors, outputs, "backward")
    run_backward(outputs, cotangents, retain_graph, create_graph, inputs)


@overload
def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: Literal[False] | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]: ...
@overload
def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]: ...
@overload
def grad(
    outputs: Tensors,
    inputs: Mapping[str, Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> dict[str, Tensor]: ...
@overload
def grad(
    outputs: Tensors,
    inputs: Mapping[str, Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    *,
    allow_unused: bool,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> dict[str, Tensor | None]: ...
def grad(
    outputs: Tensors,
    inputs: Tensors | Mapping[str, Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...] | dict[str, Any]:
    """The gradients of the sum of ``outputs`` with respect to ``inputs``; no `grad` is touched.

    Only what lies between outputs and inputs is walked.

    Parameters
    ----------
    outputs : Tensor or iterable of Tensors
    inputs : Tensor, iterable or dict of Tensors
        Leaves or not.
    grad_outputs : Tensor or sequence, optional
        The cotangent of each output; ``None``, in its place or altogether, for 1 where the output
        has a single element.
    retain_graph : bool, optional
        Keep what the graph saved, so that it can be walked again (default: ``create_graph``).
    create_graph : bool
        Record the walk, so that the results can be differentiated in turn.
    only_inputs : bool
        Ignored, as in PyTorch.
    allow_unused : bool, optional
        Return ``None`` for an input that no output depends on, instead of raising (default:
        ``materialize_grads``).
    is_grads_batched : bool
        Not supported: walk once for each cotangent.
    materialize_grads : bool
        Return zeros for such an input.

    Returns
    -------
    tuple, or dict if ``inputs`` is one
        The gradient of each input.

    Raises
    ------
    RuntimeError
        If an input does not require grad, or was not used and that is not allowed; if an output
        does not require grad, or has several elements and no cotangent of its shape.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> (dx,) = tg.autograd.grad(x**3, x, create_graph=True)
    >>> (ddx,) = tg.autograd.grad(dx, x)
    >>> dx.item(), ddx.item()
    (27.0, 18.0)
    """
    names = list(inputs) if isinstance(inputs, Mapping) else None
    ends = several(outputs, "grad")
    wanted = several(inputs.values() if isinstance(inputs, Mapping) else inputs, "grad")
    _check_options(allow_unused, materialize_grads, only_inputs, is_grads_batched)
    _check_inputs(wanted)
    places = [place(x) for x in wanted]
    cotangents = _cotangents(grad_outputs, ends, "grad")
    arrived = run_walk(ends, cotangents, retain_graph, create_graph, wanted=set(places))
    results: list[Tensor | None] = []
    for i, (x, at) in enumerate(zip(wanted, places, strict=True)):
        g = arrived.get(at)
        if g is None and materialize_grads:
            g = wrap(np.zeros(x.shape, x.dtype), None).requires_grad_(create_graph)
        elif g is None and not allow_unused:
            raise RuntimeError(
                f"grad: input {i}, of shape {x.array.shape}, was not used in the graph of the "
                "outputs. Pass allow_unused=True to get None for it."
            )
        results.append(wrap(g, None) if isinstance(g, np.ndarray) else g)
    return tuple(results) if names is None else dict(zip(names, results, strict=True))


def _check_options(
    allow_unused: Any, materialize_grads: Any, only_inputs: Any, is_grads_batched: Any
) -> None:
    for flag in (allow_unused, materialize_grads):
        if not isinstance(flag, bool | None):
            raise TypeError(f"grad: allow_unused and materialize_grads are bools, got {flag!r}")
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: materialize_grads=True makes no sense with allow_unused=False")
    if is_grads_batched:
        raise NotImplementedError("grad: is_grads_batched=True is not supported; call it in a loop")
    if not only_inputs:
        message = "grad: only_inputs is ignored; to fill the grad of leaves use backward"
        warnings.warn(message, FutureWarning, stacklevel=3)


def _check_inputs(wanted: list[Any]) -> None:
    if not wanted:
        raise RuntimeError("grad: inputs cannot be empty")
    for i, x in enumerate(wanted):
        if not isinstance(x, Tensor):
            raise RuntimeError(f"grad: input {i} must be a Tensor, got {type(x).__name__}")
        if not x.requires_grad:
            raise RuntimeError(f"grad: input {i}, of shape {x.array.shape}, does not require grad")

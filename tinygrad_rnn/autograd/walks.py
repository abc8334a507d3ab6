"""Walking the graph backward: into `.grad` (`backward`) or to a result (`grad`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.tensor import Tensor, accumulate, run_walk, wrap

Tensors = Tensor | Sequence[Tensor]


def sequence(x: Any) -> list[Any]:
    """One tensor, or ``None``, as a list of one; several as a list."""
    return [x] if x is None or isinstance(x, Tensor) else list(x)


def _cotangents(given: Any, outputs: list[Tensor], name: str) -> list[Any]:
    cotangents = [None] * len(outputs) if given is None else sequence(given)
    if len(cotangents) != len(outputs):
        raise RuntimeError(f"{name}: {len(outputs)} outputs, but {len(cotangents)} gradients")
    return cotangents


def backward(
    tensors: Tensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add to each leaf's `grad` the gradient of the sum of ``tensors`` (see `Tensor.backward`).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> tg.autograd.backward([(x * x).sum(), x.sum()])
    >>> x.grad
    tensor([3., 5.])
    """
    outputs = sequence(tensors)
    cotangents = _cotangents(grad_tensors, outputs, "backward")
    accumulate(run_walk(outputs, cotangents, retain_graph, create_graph))


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of ``outputs`` with respect to ``inputs``; no `grad` is touched.

    Only what lies between outputs and inputs is walked.

    Parameters
    ----------
    outputs, inputs : Tensor or sequence of Tensors
    grad_outputs : Tensor or sequence, optional
        The cotangent of each output; 1 for one with a single element.
    retain_graph : bool, optional
        Keep what the graph saved, so that it can be walked again (default: ``create_graph``).
    create_graph : bool
        Record the walk, so that the results can be differentiated in turn.
    allow_unused : bool
        Return ``None`` for an input that no output depends on, instead of raising.
    materialize_grads : bool
        Return zeros for such an input.

    Raises
    ------
    RuntimeError
        If an input does not require grad, or was not used and that is not allowed.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> (dx,) = tg.autograd.grad(x**3, x, create_graph=True)
    >>> (ddx,) = tg.autograd.grad(dx, x)
    >>> dx.item(), ddx.item()
    (27.0, 18.0)
    """
    ends, wanted = sequence(outputs), sequence(inputs)
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: materialize_grads=True makes no sense with allow_unused=False")
    for i, x in enumerate(wanted):
        if not isinstance(x, Tensor):
            kind = TypeError if x is None else RuntimeError
            raise kind(f"grad: input {i} must be a Tensor, got {type(x).__name__}")
        if not x.requires_grad:
            raise RuntimeError(f"grad: input {i}, of shape {x.shape}, does not require grad")
    arrived = run_walk(
        ends,
        _cotangents(grad_outputs, ends, "grad"),
        retain_graph,
        create_graph,
        wanted={x.node for x in wanted},
    )
    results: list[Tensor | None] = []
    for i, x in enumerate(wanted):
        g = arrived.get(x.node)
        if g is None and materialize_grads:
            g = np.zeros(x.shape, x.dtype)
        elif g is None and not allow_unused:
            raise RuntimeError(
                f"grad: input {i}, of shape {x.shape}, was not used in the graph of the outputs. "
                "Pass allow_unused=True to get None for it."
            )
        results.append(wrap(g, None) if isinstance(g, np.ndarray) else g)
    return tuple(results)

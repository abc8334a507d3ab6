"""What PyTorch calls the node of an operation, where that is not the operation's name.

PyTorch has several operations for some that are one here (matrix products by their dimensions,
readings by their indices), and numbers those that it overloads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.notes import Notes

Result = TypeVar("Result", bound=Any)


def made_by(name: str, result: Result) -> Result:
    """The result of a function that PyTorch computes by other operations, and its name there.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.ones(2, requires_grad=True)
    >>> tg.nn.functional.mse_loss(w, tg.zeros(2))
    tensor(1., grad_fn=<MseLossBackward0>)
    """
    at = result.node
    if at is not None and not at.is_leaf:
        if at.notes is None:
            at.notes = Notes()
        at.notes.made_by = name
    return result


_PRODUCTS = {(2, 2): "Mm", (2, 1): "Mv", (1, 1): "Dot", (1, 2): "Squeeze"}


def product(node: Node) -> str:
    a, b = node.parents
    return f"{_PRODUCTS.get((len(a.shape), len(b.shape)), 'UnsafeView')}Backward0"


def affine(node: Node) -> str:
    return "AddmmBackward0" if len(node.shape) == 2 else "ViewBackward0"


def read(node: Node) -> str:
    """By the last index that does anything: they are applied one after the other."""
    index = node.params["index"]
    last = [i for i in index if i is not Ellipsis and i != slice(None)][-1:] or [slice(None)]
    kinds = {int: "Select", slice: "Slice", type(None): "Unsqueeze"}
    return f"{kinds.get(type(last[0]), 'Select')}Backward0"


def reshaped(node: Node) -> str:
    before, after = node.parents[0].shape, node.shape
    if len(after) == len(before) + 1 and _without_ones(before) == _without_ones(after):
        return "UnsqueezeBackward0"
    return "ViewBackward0"


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def permuted(node: Node) -> str:
    dims = node.params["dims"]
    swapped = sum(i != dim for i, dim in enumerate(dims)) == 2
    return "TransposeBackward0" if swapped and len(dims) > 2 else "PermuteBackward0"


def over_axes(stem: str) -> Callable[[Node], str]:
    """The second of its name is the one along some dimensions."""

    def called(node: Node) -> str:
        whole = len(node.shape) == 0
        return f"{stem}Backward{0 if whole else 1}"

    return called


def along(stem: str, dim: Any, result: Result) -> Result:
    """A reduction along an axis that leaves a number, which by its shape might be of all."""
    if result.array.ndim or dim is None or dim == ():
        return result
    return made_by(f"{stem}Backward1", result)


def product_of(terms: list[str], output: str) -> str:
    """Of `einsum`: by the last step, which multiplies matrices where it sums."""
    left = terms[-1] if len(terms) > 2 else "".join(terms)
    summed = {*left} - {*output}
    if len(terms) == 1:
        return "SumBackward1" if summed else "PermuteBackward0"
    return "ViewBackward0" if summed else "MulBackward0"


def number_first(if_it_is: str, else_: str) -> Callable[[Node], str]:
    def called(node: Node) -> str:
        return if_it_is if isinstance(node.parents[0].value, float | int) else else_

    return called


def power(node: Node) -> str:
    exponent = node.parents[1]
    a_number = exponent.is_leaf and not exponent.requires_grad and exponent.shape == ()
    return "PowBackward0" if a_number else "PowBackward1"

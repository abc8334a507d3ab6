"""Making a batch of items, whatever they are."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.operations import stack
from tinygrad_rnn.operations.dtypes import float64
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import as_tensor, tensor

_NO_NUMBERS = "SUO"  # strings and objects


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch of items: tensors stacked, containers of batches for items that are containers.

    Parameters
    ----------
    batch : sequence of items, all of one kind
        Tensors and NumPy arrays are stacked, numbers become a tensor (Python floats a float64
        one), strings and bytes stay a list. Of mappings, named tuples and sequences, the parts
        become batches, in a container of the same type (a list for tuples).

    Raises
    ------
    TypeError
        If the items are something else.
    RuntimeError
        If sequences differ in length, or tensors in shape.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.utils.data.default_collate([{"x": 1.5, "y": "a"}, {"x": 2.5, "y": "b"}])
    {'x': tensor([1.5000, 2.5000], dtype=torch.float64), 'y': ['a', 'b']}
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch, 0)
    if isinstance(first, np.ndarray | np.generic) and first.dtype.kind not in _NO_NUMBERS:
        return stack([as_tensor(np.asarray(x)) for x in batch], 0)
    if isinstance(first, float):
        return tensor(batch, dtype=float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return _mapped(first, {key: default_collate([x[key] for x in batch]) for key in first})
    if isinstance(first, Sequence):
        if len({len(x) for x in batch}) > 1:
            raise RuntimeError("default_collate: the sequences of a batch differ in length")
        return _listed(first, [default_collate(part) for part in zip(*batch)])
    raise TypeError(
        "default_collate: expected tensors, numbers, strings, NumPy arrays of numbers, or "
        f"mappings and sequences of them, got {type(first).__name__}"
    )


def default_convert(data: Any) -> Any:
    """An item with its NumPy arrays as tensors, else as it is: what is done without batches.

    Examples
    --------
    >>> import numpy as np
    >>> import tinygrad_rnn as tg
    >>> tg.utils.data.default_convert([1, np.arange(2)])
    [1, tensor([0, 1])]
    """
    if isinstance(data, np.ndarray | np.generic) and data.dtype.kind not in _NO_NUMBERS:
        return as_tensor(np.asarray(data))
    if isinstance(data, Mapping):
        return _mapped(data, {key: default_convert(x) for key, x in data.items()})
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _listed(data, [default_convert(x) for x in data])
    return data


def _mapped(like: Mapping[Any, Any], parts: dict[Any, Any]) -> Any:
    """A mapping of the same type."""
    if isinstance(like, MutableMapping):
        made = copy.copy(like)  # with what a constructor may need, such as a default
        made.update(parts)
        return made
    return _of_type(like, parts)


def _listed(like: Sequence[Any], parts: list[Any]) -> Any:
    """A sequence of the same type; a list for a tuple."""
    if isinstance(like, tuple):
        return type(like)(*parts) if hasattr(like, "_fields") else parts
    if isinstance(like, MutableSequence):
        made = copy.copy(like)
        for i, part in enumerate(parts):
            made[i] = part
        return made
    return _of_type(like, parts)


def _of_type(like: Any, parts: Any) -> Any:
    make: Callable[[Any], Any] = type(like)
    try:
        return make(parts)
    except TypeError:  # such as range: its type is made of something else
        return parts

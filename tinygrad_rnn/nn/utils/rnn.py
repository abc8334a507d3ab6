"""Sequences of different lengths in one batch: padded, packed, and back.

A packed sequence holds the first elements of all sequences, longest first, then the second elements
of those that have one, and so on, in one tensor; ``batch_sizes`` says how many there are of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_rnn.operations import cat, stack
from tinygrad_rnn.operations.arguments import raw
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import from_numpy, full

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


def __dir__() -> list[str]:
    return __all__


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences of different lengths without padding: made by `pack_padded_sequence`.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html

    Attributes
    ----------
    data : Tensor of shape (sum of lengths, …)
        Time step after time step.
    batch_sizes : int64 Tensor of shape (longest length,)
        How many sequences have each time step; it never grows.
    sorted_indices, unsorted_indices : int64 Tensors of shape (batch,), or None
        The order by length, and the way back from it.
    """

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Any = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        """Check and complete; see the class."""
        if batch_sizes is None:
            raise ValueError("PackedSequence: batch_sizes is missing; use pack_padded_sequence")
        sizes = _integers("PackedSequence", "batch_sizes", batch_sizes)
        if sizes.ndim != 1 or (sizes < 1).any() or (np.diff(sizes) > 0).any():
            raise ValueError(
                "PackedSequence: batch_sizes must be positive and must not grow, got "
                f"{sizes.tolist()}"
            )
        if sizes.sum() != len(data):
            raise ValueError(
                f"PackedSequence: the batch sizes add up to {sizes.sum()}, but there are "
                f"{len(data)} elements of data"
            )
        if unsorted_indices is None and sorted_indices is not None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, from_numpy(sizes), sorted_indices, unsorted_indices)

    def to(self, *arguments: Any, **options: Any) -> PackedSequence:
        """With its data in another element type (see `Tensor.to`)."""
        return self._replace(data=self.data.to(*arguments, **options))

    def float(self) -> PackedSequence:
        """With its data as float32."""
        return self.to("float32")

    def double(self) -> PackedSequence:
        """With its data as float64."""
        return self.to("float64")

    def cpu(self) -> PackedSequence:
        """Itself: there is no other device."""
        return self

    @property
    def is_cuda(self) -> bool:
        """Never."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes one.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.utils.rnn.invert_permutation(tg.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else from_numpy(np.argsort(permutation.array))


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a padded batch of sequences.

    Parameters
    ----------
    input : Tensor of shape (T, batch, …)
        (batch, T, …) with ``batch_first``.
    lengths : Tensor or list of batch integers
        From 1 to T; in falling order, unless ``enforce_sorted`` is False.
    batch_first, enforce_sorted : bool

    Returns
    -------
    PackedSequence

    Raises
    ------
    RuntimeError
        If a length is less than 1 or larger than T, if there are too few or too many, or if they
        should be sorted and are not.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([[1, 4], [2, 5], [3, 0]])
    >>> tg.nn.utils.rnn.pack_padded_sequence(x, [3, 2]).data
    tensor([1, 4, 2, 5, 3])
    """
    name = "pack_padded_sequence"
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}: expected a Tensor, got {type(input).__name__}")
    sizes = _integers(name, "lengths", lengths)
    time, batch = (1, 0) if batch_first else (0, 1)
    if input.ndim < 2:
        raise RuntimeError(f"{name}: expected at least 2 dimensions, got shape {input.array.shape}")
    if sizes.ndim != 1 or len(sizes) != input.shape[batch]:
        raise RuntimeError(
            f"{name}: expected {input.shape[batch]} lengths, one for each sequence of a batch of "
            f"shape {input.array.shape}, got shape {sizes.shape}"
        )
    if not sizes.size or sizes.min() < 1:
        raise RuntimeError(f"{name}: all lengths must be at least 1, got {sizes.tolist()}")
    if sizes.max() > input.shape[time]:
        raise RuntimeError(
            f"{name}: a length of {sizes.max()} is more than the {input.shape[time]} time steps"
        )
    order = None
    if not enforce_sorted:
        order = np.argsort(-sizes, kind="stable")
        sizes, input = sizes[order], input.index_select(batch, from_numpy(order))
    elif (np.diff(sizes) > 0).any():
        raise RuntimeError(
            f"{name}: the lengths {sizes.tolist()} must fall; pass enforce_sorted=False to have "
            "them sorted"
        )
    counts = [int((sizes > t).sum()) for t in range(sizes[0])]
    steps = [input[:n, t] if batch_first else input[t, :n] for t, n in enumerate(counts)]
    packed = cat(steps, 0)
    return PackedSequence(packed, np.array(counts), None if order is None else from_numpy(order))


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The padded batch of a packed one, in the callers' order, and the lengths.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> rnn = tg.nn.utils.rnn
    >>> packed = rnn.pack_sequence([tg.tensor([1.0, 2.0]), tg.tensor([3.0])])
    >>> rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1., 2.],
            [3., 0.]]), tensor([2, 1]))
    """
    if not isinstance(sequence, PackedSequence):
        kind = type(sequence).__name__
        raise TypeError(f"pad_packed_sequence: expected a PackedSequence, got {kind}")
    data, batch_sizes, _, unsorted = sequence
    counts = batch_sizes.array
    if total_length is not None and total_length < len(counts):
        raise ValueError(
            f"pad_packed_sequence: total_length {total_length} is less than the longest sequence, "
            f"{len(counts)}"
        )
    steps, start = [], 0
    for t in range(total_length or len(counts)):
        n = int(counts[t]) if t < len(counts) else 0
        missing = (int(counts[0]) - n, *data.shape[1:])
        parts = [data[start : start + n], full(missing, padding_value, dtype=data.dtype)]
        steps.append(cat(parts, 0) if missing[0] else parts[0])
        start += n
    padded = stack(steps, 0)
    padded = padded.transpose(0, 1) if batch_first else padded
    lengths = (counts[:, None] > np.arange(counts[0])).sum(0)
    if unsorted is not None:
        padded = padded.index_select(0 if batch_first else 1, unsorted)
        lengths = lengths[unsorted.array]
    return padded, from_numpy(np.asarray(lengths))


def pad_sequence(
    sequences: Sequence[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences of different lengths as one padded batch.

    Parameters
    ----------
    sequences : tensors of shapes (length, …)
    padding_side : "right" or "left"

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.utils.rnn.pad_sequence([tg.tensor([1, 2, 3]), tg.tensor([4])], batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    sequences = _tensors("pad_sequence", sequences)
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"pad_sequence: padding_side must be 'left' or 'right', not {padding_side!r}"
        )
    longest = max(len(x) for x in sequences)
    padded = []
    for x in sequences:
        x = x.to(sequences[0].dtype)
        missing = full((longest - len(x), *x.shape[1:]), padding_value, dtype=x.dtype)
        parts = [x, missing] if padding_side == "right" else [missing, x]
        padded.append(cat(parts, 0))
    return stack(padded, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Any, batch_first: bool = False
) -> list[Tensor]:
    """The sequences of a padded batch, without the padding.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x = tg.tensor([[1, 2, 3], [4, 0, 0]])
    >>> tg.nn.utils.rnn.unpad_sequence(x, [3, 1], batch_first=True)
    [tensor([1, 2, 3]), tensor([4])]
    """
    sizes = _integers("unpad_sequence", "lengths", lengths)
    batch = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [x[np.arange(n)] for x, n in zip(batch, sizes, strict=True)]  # copies


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences of different lengths."""
    sequences = _tensors("pack_sequence", sequences)
    lengths = [len(x) for x in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, False, enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed batch, in the callers' order."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences))


def _tensors(name: str, sequences: Iterable[Tensor]) -> list[Tensor]:
    tensors = list(sequences) if isinstance(sequences, Iterable) else []
    if not tensors or not all(isinstance(x, Tensor) and x.ndim for x in tensors):
        raise RuntimeError(
            f"{name}: expected a list of tensors with a time axis, at least one, got "
            f"{sequences!r:.60}"
        )
    return tensors


def _integers(name: str, what: str, given: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(raw(given))
    if array.dtype.kind not in "iu" and array.size:
        raise RuntimeError(f"{name}: {what} must be integers, got {array.dtype}")
    return array.astype(np.int64)

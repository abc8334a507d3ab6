"""Data sets: what has a length and items by number, or can be gone through."""

from __future__ import annotations

import itertools
import math
import warnings
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from tinygrad_rnn.operations.arguments import integer_of
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.generator import Generator, source_of

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Items by number. Subclasses write ``__getitem__`` and, for most uses, ``__len__``.

    ``__getitems__``, if there is one, is given the numbers of a whole batch.

    Examples
    --------
    >>> from tinygrad_rnn.utils.data import DataLoader, Dataset
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...
    ...     def __getitem__(self, i):
    ...         return i**2
    >>> list(DataLoader(Squares(), batch_size=2))
    [tensor([0, 1]), tensor([4, 9])]
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], ABC):
    """Items one after another, as of a stream. Subclasses write ``__iter__``."""

    @abstractmethod
    def __iter__(self) -> Iterator[T_co]:
        """The items."""

    def __add__(self, other: Any) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors of the same length: item i is ``(tensors[0][i], tensors[1][i], …)``.

    Raises
    ------
    AssertionError
        If their lengths differ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.utils.data.TensorDataset(tg.tensor([1, 2]), tg.tensor([3, 4]))[0]
    (tensor(1), tensor(3))
    """

    def __init__(self, *tensors: Tensor) -> None:
        if any(x.ndim == 0 for x in tensors):
            raise IndexError("TensorDataset: a 0-d tensor has no items")
        if len({len(x) for x in tensors}) > 1:
            raise AssertionError(f"TensorDataset: lengths differ: {[len(x) for x in tensors]}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(x[index] for x in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset[Any]):
    """Some of the items of a data set: item i is ``dataset[indices[i]]``."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> Any:
        return items(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[Any]):
    """Data sets one after another as one, also made by ``+``.

    Raises
    ------
    AssertionError
        If there is none, or one that has no items by number.

    Examples
    --------
    >>> from tinygrad_rnn.utils.data import ConcatDataset
    >>> ConcatDataset(["ab", "cde"])[3]
    'd'
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("ConcatDataset: there are no data sets")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise AssertionError("ConcatDataset: an IterableDataset has no items by number")
        self.cumulative_sizes = list(itertools.accumulate(map(len, self.datasets)))

    def __getitem__(self, index: int) -> Any:
        if index < -len(self):
            raise ValueError(f"ConcatDataset: there are {len(self)} items, none at {index}")
        at = index + len(self) if index < 0 else index
        which = bisect_right(self.cumulative_sizes, at)
        if which == len(self.datasets):
            raise IndexError(f"ConcatDataset: there are {len(self)} items, none at {index}")
        return self.datasets[which][at - [0, *self.cumulative_sizes][which]]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset[Any]):
    """`IterableDataset`s one after another as one, also made by ``+``."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self.datasets)

    def __len__(self) -> int:
        return sum(map(len, self.datasets))


def items(dataset: Any, indices: Any) -> Any:
    """The items of a batch."""
    if getattr(dataset, "__getitems__", None):
        return dataset.__getitems__(indices)
    return [dataset[i] for i in indices]


def random_split(
    dataset: Any, lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset]:
    """Parts of a data set that have no item in common, chosen at random.

    Parameters
    ----------
    dataset : Dataset
    lengths : sequence of ints, or of fractions that add up to 1
        Of fractions the lengths are rounded down, and the remaining items are handed out one by
        one from the first part on.
    generator : Generator, optional
        Where the random numbers come from.

    Raises
    ------
    ValueError
        If the lengths do not add up to the length of the data set (or the fractions to 1), or
        one is negative.

    Warns
    -----
    UserWarning
        If a fraction leaves a part without items.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> train, test = tg.utils.data.random_split(range(10), [0.8, 0.2])
    >>> list(test)
    [6, 2]
    """
    n, sizes = len(dataset), [*lengths]
    if math.isclose(sum(sizes), 1) and sum(sizes) <= 1:
        if any(not 0 <= fraction <= 1 for fraction in sizes):
            raise ValueError(f"random_split: fractions must be between 0 and 1, got {sizes}")
        whole = [math.floor(n * fraction) for fraction in sizes]
        rest = n - sum(whole)
        sizes = [size + len(range(i, rest, len(whole))) for i, size in enumerate(whole)]
        if 0 in sizes:
            warnings.warn(f"random_split: a part has no items: {sizes}", stacklevel=2)
    if sum(sizes) != n or any(size < 0 for size in sizes):
        raise ValueError(f"random_split: lengths {sizes} do not divide {n} items up")
    counts = [integer_of("random_split", "a length", size) for size in sizes]
    order = iter(source_of("random_split", generator).permutation(n).tolist())
    return [Subset(dataset, list(itertools.islice(order, count))) for count in counts]

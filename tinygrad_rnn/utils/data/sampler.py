"""In which order to go through a data set, and what makes a batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from tinygrad_rnn.operations.dtypes import float64, int64
from tinygrad_rnn.tensor.creation import as_tensor, empty
from tinygrad_rnn.tensor.generator import Generator
from tinygrad_rnn.tensor.random import multinomial, randint, randperm

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Goes through the numbers of items (or lists of them). Subclasses write ``__iter__``."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__")


class SequentialSampler(Sampler[int]):
    """0, 1, 2, …"""

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All numbers in random order, or random numbers.

    Parameters
    ----------
    data_source : Dataset
    replacement : bool
        Whether a number may come up again before all have.
    num_samples : int, optional
        How many to draw; by default as many as there are items.
    generator : Generator, optional
        By default a new one every time, seeded from the default generator.

    Raises
    ------
    TypeError, ValueError
        If ``replacement`` is not a bool, or there is nothing to draw.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> list(tg.utils.data.RandomSampler("abcde"))
    [1, 3, 4, 2, 0]
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler: replacement must be a bool, got {replacement!r}")
        self.data_source, self.replacement, self._count = data_source, replacement, num_samples
        self.generator = generator
        check_positive("RandomSampler", "num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many numbers are drawn."""
        return len(self.data_source) if self._count is None else self._count

    def __iter__(self) -> Iterator[int]:
        source = self.generator
        if source is None:
            source = Generator()
            source.manual_seed(new_seed())
        n, count = len(self.data_source), self.num_samples
        if self.replacement:
            for start in range(0, count, 32):  # PyTorch draws 32 at a time
                size = min(32, count - start)
                yield from randint(n, (size,), generator=source).tolist()
        else:
            for _ in range(count // n):
                yield from randperm(n, generator=source).tolist()
            yield from randperm(n, generator=source).tolist()[: count % n]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Some numbers in random order."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        for i in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Numbers that come up in proportion to their weights.

    Parameters
    ----------
    weights : sequence of numbers
        They need not add up to 1.
    num_samples : int
        How many to draw.
    replacement : bool
        Whether a number may come up again.
    generator : Generator, optional

    Raises
    ------
    ValueError
        If an argument is not of this kind.
    """

    def __init__(
        self,
        weights: Any,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        check_positive("WeightedRandomSampler", "num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(
                f"WeightedRandomSampler: replacement must be a bool, got {replacement!r}"
            )
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ValueError(
                "WeightedRandomSampler: weights must be a sequence of numbers, got shape "
                f"{self.weights.array.shape}"
            )
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of ``batch_size`` numbers that come from another sampler.

    Parameters
    ----------
    sampler : iterable of ints
    batch_size : int
    drop_last : bool
        Whether to leave out a last batch that is smaller.

    Raises
    ------
    ValueError
        If an argument is not of this kind.

    Examples
    --------
    >>> from tinygrad_rnn.utils.data import BatchSampler
    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        check_positive("BatchSampler", "batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"BatchSampler: drop_last must be a bool, got {drop_last!r}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        yield from chunks(self.sampler, self.batch_size, self.drop_last)

    def __len__(self) -> int:
        full, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return full + (rest > 0 and not self.drop_last)


def new_seed(generator: Generator | None = None) -> int:
    """A random number of 63 bits, to seed a generator with."""
    return int(empty((), dtype=int64).random_(generator=generator).item())


def chunks(stream: Iterable[Any], size: int, drop_last: bool) -> Iterator[list[Any]]:
    """Lists of ``size`` things of a stream."""
    things = iter(stream)
    while chunk := list(itertools.islice(things, size)):
        if len(chunk) == size or not drop_last:
            yield chunk


def check_positive(owner: str, name: str, value: Any) -> None:
    """Raise unless a number of things is a positive integer."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{owner}: {name} must be a positive integer, got {value!r:.60}")

"""DataLoader: goes through a data set in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tinygrad_rnn.tensor.generator import Generator
from tinygrad_rnn.utils.data.collate import default_collate, default_convert
from tinygrad_rnn.utils.data.dataset import IterableDataset, items
from tinygrad_rnn.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    check_positive,
    chunks,
    new_seed,
)


class DataLoader:
    """Batches of a data set, once through it in every loop.

    Parameters
    ----------
    dataset : Dataset, or anything with items by number and a length; or an IterableDataset
    batch_size : int or None
        ``None``: items one by one, not batches.
    shuffle : bool, optional
        Whether to go through the items in another random order each time.
    sampler : iterable of ints, optional
        The numbers of the items, in the order wanted.
    batch_sampler : iterable of lists of ints, optional
        The numbers of the items of each batch.
    num_workers : int
        Accepted for PyTorch's sake: items are always fetched in this process.
    collate_fn : callable, optional
        Makes a batch of a list of items (default: `default_collate`).
    drop_last : bool
        Whether to leave out a last batch that is smaller.
    generator : Generator, optional
        Where the random order comes from.
    pin_memory, timeout, worker_init_fn, multiprocessing_context, prefetch_factor
    persistent_workers, pin_memory_device, in_order
        Without effect, as they are about workers and other devices.

    Raises
    ------
    ValueError
        If arguments exclude each other or make no sense.

    Notes
    -----
    Beginning a loop draws 64 bits, for the workers there might be; shuffling draws 64 more, which
    seed the generator that makes the order. So the default stream goes on as in PyTorch.

    Examples
    --------
    >>> from tinygrad_rnn.utils.data import DataLoader
    >>> for batch in DataLoader([1.0, 2.0, 3.0], batch_size=2):
    ...     print(batch)
    tensor([1., 2.], dtype=torch.float64)
    tensor([3.], dtype=torch.float64)
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        streams = isinstance(dataset, IterableDataset)
        if streams and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError(
                "DataLoader: an IterableDataset sets its own order; leave out shuffle, sampler "
                "and batch_sampler"
            )
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: shuffle and sampler exclude each other")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("DataLoader: without batches (batch_size=None) there is no last one")
        elif batch_size is not None:
            check_positive("DataLoader", "batch_size", batch_size)
        if sampler is None and not streams:
            random = RandomSampler(dataset, generator=generator) if shuffle else None
            sampler = random or SequentialSampler(dataset)
        if batch_size is not None and sampler is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        in_batches = batch_size is not None or batch_sampler is not None
        self.collate_fn = collate_fn or (default_collate if in_batches else default_convert)
        self.num_workers, self.timeout, self.pin_memory = num_workers, timeout, pin_memory
        self.worker_init_fn, self.prefetch_factor = worker_init_fn, prefetch_factor
        self.persistent_workers = persistent_workers

    def __iter__(self) -> Iterator[Any]:
        fetched: Iterator[Any]
        if self.batch_sampler is not None:
            fetched = (items(self.dataset, numbers) for numbers in self.batch_sampler)
        elif self.sampler is not None:
            fetched = (self.dataset[i] for i in self.sampler)
        else:
            fetched = self._streamed()
        new_seed(self.generator)  # what PyTorch's workers are seeded with
        return map(self.collate_fn, fetched)

    def _streamed(self) -> Iterator[Any]:
        if self.batch_size is None:
            yield from self.dataset
        else:
            yield from chunks(self.dataset, self.batch_size, self.drop_last)

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        if self.sampler is not None:
            return len(self.sampler)  # type: ignore[arg-type]
        if self.batch_size is None:
            return len(self.dataset)
        return len(BatchSampler(range(len(self.dataset)), self.batch_size, self.drop_last))


def _check_workers(workers: Any, timeout: Any, prefetch: Any, persistent: Any) -> None:
    """Refuse what PyTorch refuses of the arguments about workers."""
    if workers < 0:
        raise ValueError(f"DataLoader: num_workers must not be negative, got {workers}")
    if timeout < 0:
        raise ValueError(f"DataLoader: timeout must not be negative, got {timeout}")
    if prefetch is not None and (not workers or prefetch < 0):
        raise ValueError("DataLoader: prefetch_factor goes with workers, and is not negative")
    if persistent and not workers:
        raise ValueError("DataLoader: persistent_workers needs num_workers > 0")

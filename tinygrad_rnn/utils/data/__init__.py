"""Data sets, the order in which to go through them, and batches.

The order is PyTorch's for the same seed.

>>> import tinygrad_rnn as tg
>>> from tinygrad_rnn.utils.data import DataLoader, TensorDataset
>>> _ = tg.manual_seed(0)
>>> data = TensorDataset(tg.arange(5), tg.arange(5) ** 2)
>>> for x, y in DataLoader(data, batch_size=2, shuffle=True):
...     print(x.tolist(), y.tolist())
[1, 4] [1, 16]
[2, 3] [4, 9]
[0] [0]
"""

from tinygrad_rnn.utils.data.collate import default_collate, default_convert
from tinygrad_rnn.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)
from tinygrad_rnn.utils.data.loader import DataLoader
from tinygrad_rnn.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "default_convert",
    "random_split",
]

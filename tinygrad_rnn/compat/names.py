"""Names that `torch` has, so that programs can be imported, and that are nowhere else here.

What they do to the computer's threads, kernels and devices is of no consequence here: they take
their arguments and do nothing.
"""

from __future__ import annotations

from typing import Any

from tinygrad_rnn import cuda as mps  # there is none of these devices either
from tinygrad_rnn import cuda as xpu
from tinygrad_rnn.amp import autocast
from tinygrad_rnn.autograd.transforms import vmap
from tinygrad_rnn.compat.stubs import accelerator, backends, cuda, nn, onnx, optim, utils, version
from tinygrad_rnn.nn.functional import (  # which torch has under both names
    adaptive_avg_pool1d,
    adaptive_max_pool1d,
    alpha_dropout,
    avg_pool1d,
    bilinear,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    cosine_similarity,
    dropout,
    group_norm,
    hardshrink,
    layer_norm,
    max_pool1d,
    max_pool2d,
    pairwise_distance,
    rms_norm,
    threshold,
)

__version__ = version.__version__

_precision = ["highest"]
_deterministic = [False]


def set_num_threads(int: Any) -> None:
    """Without effect: NumPy's library of linear algebra decides."""


def get_num_threads() -> int:
    """One."""
    return 1


set_num_interop_threads, get_num_interop_threads = set_num_threads, get_num_threads


def set_float32_matmul_precision(precision: str) -> None:
    """Without effect: products of float32 are always of the highest precision."""
    _precision[0] = precision


def get_float32_matmul_precision() -> str:
    """What was set."""
    return _precision[0]


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Without effect: all algorithms here are deterministic."""
    _deterministic[0] = mode


def are_deterministic_algorithms_enabled() -> bool:
    """What was set."""
    return _deterministic[0]


__all__ = [
    "__version__",
    "accelerator",
    "adaptive_avg_pool1d",
    "adaptive_max_pool1d",
    "alpha_dropout",
    "are_deterministic_algorithms_enabled",
    "autocast",
    "avg_pool1d",
    "backends",
    "bilinear",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_similarity",
    "cuda",
    "dropout",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "group_norm",
    "hardshrink",
    "layer_norm",
    "max_pool1d",
    "max_pool2d",
    "mps",
    "nn",
    "onnx",
    "optim",
    "pairwise_distance",
    "rms_norm",
    "set_float32_matmul_precision",
    "set_num_interop_threads",
    "set_num_threads",
    "threshold",
    "use_deterministic_algorithms",
    "utils",
    "version",
    "vmap",
    "xpu",
]


def __dir__() -> list[str]:
    return __all__

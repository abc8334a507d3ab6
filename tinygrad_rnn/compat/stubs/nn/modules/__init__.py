"""`torch.nn.modules`: all of `torch.nn`'s classes, and the modules where they are defined."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn import nn
from tinygrad_rnn.compat.stubs.nn.modules import loss, rnn
from tinygrad_rnn.nn import (
    container,
    distance,
    dropout,
    flatten,
    linear,
    module,
    normalization,
    transformer,
)
from tinygrad_rnn.nn import embedding as sparse
from tinygrad_rnn.nn import nonlinearity as activation
from tinygrad_rnn.nn import normalization as batchnorm

__all__ = [
    "activation",
    "batchnorm",
    "container",
    "distance",
    "dropout",
    "flatten",
    "linear",
    "loss",
    "module",
    "normalization",
    "rnn",
    "sparse",
    "transformer",
]


def __getattr__(name: str) -> Any:
    if name in nn.__all__ and name not in ("functional", "init", "utils"):
        return getattr(nn, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *(name for name in nn.__all__ if not name.islower())]

"""What makes programs of PyTorch faster and changes nothing they compute: here it does nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tinygrad_rnn.compat import jit

Model = TypeVar("Model")


def compile(model: Model | None = None, **options: Any) -> Model | Callable[[Model], Model]:
    """The model or function itself; also as a decorator, with or without options.

    Examples
    --------
    >>> compile(len) is len
    True
    >>> compile(mode="reduce-overhead")(len) is len
    True
    """
    return _itself if model is None else model


def _itself(model: Model) -> Model:
    return model


__all__ = ["compile", "jit"]

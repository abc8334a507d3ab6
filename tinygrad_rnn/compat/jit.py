"""``torch.jit``: here programs run as they are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from tinygrad_rnn.nn import Module as ScriptModule

Model = TypeVar("Model")


def script(obj: Model, *arguments: Any, **options: Any) -> Model:
    """The model or function itself.

    Examples
    --------
    >>> script(len) is len
    True
    """
    return obj


def trace(func: Model, example_inputs: Any = None, *arguments: Any, **options: Any) -> Model:
    """The model or function itself; nothing is run."""
    return func


def ignore(drop: Any = False, **options: Any) -> Any:
    """The method itself; as a decorator with or without options."""
    return drop if callable(drop) else script


def freeze(mod: Model, *arguments: Any, **options: Any) -> Model:
    """The module itself."""
    return mod


def annotate(the_type: Any, the_value: Model) -> Model:
    """The value itself."""
    return the_value


def is_scripting() -> bool:
    """Never."""
    return False


script_method: Callable[[Any], Any] = script
export: Callable[[Any], Any] = script
unused: Callable[[Any], Any] = script
is_tracing: Callable[[], bool] = is_scripting
optimize_for_inference: Callable[..., Any] = freeze


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "Final",
    "ScriptModule",
    "annotate",
    "export",
    "freeze",
    "ignore",
    "is_scripting",
    "is_tracing",
    "optimize_for_inference",
    "script",
    "script_method",
    "trace",
    "unused",
]

"""What is said of a name that PyTorch has, or may have, and this package has not."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from tinygrad_rnn.autograd.tracing import is_of_package


def no_attribute(module: ModuleType, name: str) -> AttributeError:
    """The error for ``module.name``."""
    if name.startswith("__"):  # asked for by Python itself, all the time
        return AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
    return AttributeError(_said(f"{module.__name__}.{name}", name, module))


def no_module(above: ModuleType | None, name: str) -> ImportError:
    """The error for ``import name`` (and for ``from above import …``)."""
    return ModuleNotFoundError(_said(name, name.rpartition(".")[2], above))


def hint_for(error: BaseException) -> str | None:
    """The name nearest to the attribute that an object of this package was found to lack."""
    if not isinstance(error, AttributeError) or not isinstance(error.name, str):
        return None
    if isinstance(error.obj, ModuleType):  # which has said so itself
        return None
    owner = error.obj if isinstance(error.obj, type) else type(error.obj)
    inside = (kind.__module__.partition(".")[0] == "tinygrad_rnn" for kind in owner.__mro__)
    if not any(inside) or not (other := nearest(error.name, dir(error.obj))):
        return None
    return f"tinygrad_rnn has no {owner.__name__}.{error.name}; the nearest there is: {other}"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that is most like one, if any is."""
    public = [other for other in names if not other.startswith("_")]
    lower = {other.lower(): other for other in public}
    found = difflib.get_close_matches(name, public, 1, 0.7) or [
        lower[other] for other in difflib.get_close_matches(name.lower(), lower, 1, 0.7)
    ]
    return found[0] if found else None


def _said(what: str, name: str, above: Any) -> str:
    at = _of_the_program()
    asked = f" ({Path(at.f_code.co_filename).name}, line {at.f_lineno})" if at else ""
    other = nearest(name, dir(above)) if above is not None else None
    hint = f"; the nearest there is: {above.__name__}.{other}" if other else ""
    return f"tinygrad_rnn has no {what}{asked}{hint}"


def _of_the_program() -> FrameType | None:
    """The innermost call that is neither this package's nor the import system's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_machinery(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def is_machinery(filename: str) -> bool:
    """Whether code is this package's, or the import system's: not the program's."""
    return is_of_package(filename) or filename.startswith("<frozen importlib")

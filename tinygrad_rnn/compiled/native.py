"""Loops over elements, compiled by numba where it is installed.

The compiler takes seconds; what it made is kept on disk, in the user's folder for such things.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from tinygrad_rnn import files

CALLS = 32
"""After so many calls a program is worth the compiler's time."""

MOST = 256
"""Elements of a state up to which such loops win over NumPy's calls."""


@functools.cache
def is_installed() -> bool:
    """Whether there is numba, and it is not told to rest."""
    rests = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
    return not rests and importlib.util.find_spec("numba") is not None


def contiguous(array: Any) -> Any:
    """An array as the functions want it: else each kind of memory would be compiled for itself."""
    return array if array.flags.carray else np.require(array, None, ["C", "W"])


def loaded(functions: Sequence[str], consts: Mapping[str, Any]) -> dict[str, Any]:
    """Functions by their names, from their source; they are compiled when they are called first."""
    numbers = [f"{name} = {_number(array)}" for name, array in consts.items() if not array.ndim]
    head = ["import numpy as np", "from numba import njit", *numbers]
    source = "\n".join(head) + "\n"
    for function in functions:
        source += f'\n\n@njit(cache=True, error_model="numpy")\n{function}\n'
    try:
        found = vars(_module(source))
    except OSError:  # nowhere to keep anything
        found = {}
        exec(compile(source.replace("cache=True, ", ""), "<loops over elements>", "exec"), found)
    return {name: found[name] for name in found if name.startswith("loop_")}


def _number(array: Any) -> str:
    value = array.item()
    text = repr(value) if np.isfinite(array) else f"float('{value}')"
    return f"np.{array.dtype.name}({text})"


def _module(source: str) -> ModuleType:
    """A module of this source, in a file, next to which numba keeps what it compiled."""
    name = f"tinygrad_rnn_loops_{hashlib.sha256(source.encode()).hexdigest()[:32]}"
    path, data = files.cache_folder() / f"{name}.py", source.encode()
    if files.kept(path.name) != data:
        files.keep(path.name, data)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise OSError(f"{path} cannot be loaded")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # numba asks for it by name
    spec.loader.exec_module(module)
    return module

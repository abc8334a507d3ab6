"""A world in which ``import torch``, and whatever is under it, means this package."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from tinygrad_rnn.compat.missing import no_attribute, no_module
from tinygrad_rnn.compiled.choice import fused
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.tensor import Tensor

# Where the names of torch are looked for, in this order; `torch.nn` is looked for in `nn` of each.
_SOURCES = ("tinygrad_rnn.compat.names", "tinygrad_rnn.compat.identity", "tinygrad_rnn")


# Classes of which programs print the type: where they are at home in torch.
_KINDS: dict[type, str] = {Tensor: "torch", Parameter: "torch.nn.parameter"}


class Face(ModuleType):
    """A module as torch has it, whose names are looked for in modules of this package."""

    def __init__(self, name: str, sources: Sequence[Any]) -> None:
        super().__init__(name)
        self.__path__: list[str] = []  # which makes it a package: others may be under it
        self._sources = tuple(sources)
        self._children: dict[str, Face | None] = {}

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [name for name in dir(self) if not name.startswith("_")]
        for source in self._sources:
            if name in dir(source):
                value = getattr(source, name)
                if not isinstance(value, ModuleType):
                    return value
                if _is_ours(value):
                    break
        if not name.startswith("__") and (child := self.child(name)):
            return child
        raise no_attribute(self, name)

    def __dir__(self) -> list[str]:
        found = {name for source in self._sources for name in dir(source)}
        return sorted(found.union(vars(self)))

    def child(self, name: str) -> Face | None:
        """The module of this name under this one, if there is such a thing."""
        if name not in self._children:
            found = [module for source in self._sources if (module := _under(source, name))]
            self._children[name] = Face(f"{self.__name__}.{name}", found) if found else None
        return self._children[name]


def _is_ours(module: ModuleType) -> bool:
    return module.__name__.partition(".")[0] == "tinygrad_rnn"


def _under(source: Any, name: str) -> Any:
    """A module, or what stands for one, under another."""
    if name in dir(source):
        value = getattr(source, name)
        return value if isinstance(value, ModuleType) and _is_ours(value) else None
    if source.__name__ == "tinygrad_rnn" or not hasattr(source, "__path__"):
        return None  # what the package has beside its families is no part of torch
    return _imported(f"{source.__name__}.{name}")


def _imported(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


class _Finder:
    """Finds ``torch`` and what is under it among faces: both finder and loader of its modules."""

    def __init__(self) -> None:
        found = [module for name in _SOURCES if (module := _imported(name))]
        self.torch = Face("torch", found)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """How a module is loaded, if it is torch's."""
        if not _is_torch(name):
            return None
        if self._face(name) is None:
            raise no_module(self._face(name.rpartition(".")[0]), name)
        return ModuleSpec(name, self, origin="tinygrad_rnn", is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The face: it is complete from the beginning."""
        return self._face(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing remains to be run."""

    def _face(self, name: str) -> Face | None:
        face: Face | None = self.torch
        for part in name.split(".")[1:]:
            face = face and face.child(part)
        return face


def _is_torch(name: str) -> bool:
    return name.partition(".")[0] == "torch"


@contextmanager
def as_torch() -> Iterator[ModuleType]:
    """Let ``import torch``, and of all modules under it, mean this package inside a block.

    PyTorch itself is not imported, and recurrent layers are `fused`, as there.  Whatever happens
    inside, afterwards ``torch`` means what it meant before: PyTorch, untouched, where that is
    installed.  What was imported inside goes on working.

    Returns
    -------
    module
        What ``import torch`` gives inside.

    Raises
    ------
    AttributeError, ImportError
        Inside, for a name of PyTorch that this package lacks: it says where it was asked for, and
        which name comes nearest.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> with tg.as_torch():
    ...     import torch
    ...     from torch import nn, optim
    ...     import torch.nn.functional as F
    >>> layer = nn.Linear(2, 1)
    >>> optim.SGD(layer.parameters(), lr=0.1).zero_grad()
    >>> isinstance(F.relu(layer(torch.ones(3, 2))), tg.Tensor)
    True
    """
    finder = _Finder()
    homes = {kind: kind.__module__ for kind in _KINDS}
    outside = {name: sys.modules.pop(name) for name in [*sys.modules] if _is_torch(name)}
    sys.meta_path.insert(0, finder)
    try:
        for kind, home in _KINDS.items():
            kind.__module__ = home
        with fused():  # as PyTorch computes its layers
            yield finder.torch
    finally:
        for kind, home in homes.items():
            kind.__module__ = home
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_torch(name)]:
            del sys.modules[name]
        sys.modules.update(outside)

"""What a function knows besides its arguments: tensors that it may use, and what decides for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tinygrad_rnn.autograd.tracing import is_of_package
from tinygrad_rnn.tensor import Tensor

_PLAIN = (
    bool, int, float, complex, str, bytes, type(None), type, CodeType, BuiltinFunctionType,
    np.generic, np.ufunc,
)  # fmt: skip
DEPTH = 6


def captured(function: Callable[..., Any]) -> tuple[list[Tensor], tuple[Any, ...]]:
    """The tensors that a function can reach, each once, and all that may decide what it does.

    Looked through are the variables of enclosing functions, the globals that it names, its
    defaults, ``self``, and what is in their lists, tuples, dicts and attributes. If the second part
    is the same another time, the function computes the same of the tensors, though it be another
    object: a lambda is made anew whenever its line is run.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> cell = tg.nn.RNNCell(1, 2)
    >>> len(captured(lambda h, x: cell(x, h))[0])
    4
    """
    looking = _Looking()
    made_anew = isinstance(function, FunctionType | partial)
    looking.found.append(type(function) if made_anew else function)
    for inside in _inside(function):
        looking.at(inside, DEPTH)
    return list(looking.tensors.values()), tuple(looking.found)


class _Itself:
    """Something that cannot be looked into: the same only as itself."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other.thing is self.thing

    def __hash__(self) -> int:
        return id(self.thing)


class _Looking:
    """What was come across: tensors, and in ``found`` a trace of the whole way."""

    def __init__(self) -> None:
        self.tensors: dict[int, Tensor] = {}
        self.found: list[Any] = []
        self._seen: dict[int, tuple[int, Any]] = {}  # objects, which are held, by their order

    def at(self, thing: Any, depth: int) -> None:
        """Look at something, and into it."""
        if isinstance(thing, _PLAIN) or _is_own(thing):
            signed = isinstance(thing, float | complex)  # -0.0 == 0.0
            self.found.append((type(thing), thing, str(thing) if signed else ""))
        elif isinstance(thing, np.ndarray):
            self.found.append((thing.dtype.str, thing.shape, thing.tobytes()))
        elif id(thing) in self._seen:
            self.found.append(("again", self._seen[id(thing)][0]))
        else:
            self._seen[id(thing)] = len(self._seen), thing
            if isinstance(thing, Tensor):
                self.tensors[id(thing)] = thing
                fixed = thing.array.dtype.kind != "f"  # what is made of it is not recorded
                self.found.append(thing.array.tobytes() if fixed else "tensor")
            elif depth and not isinstance(thing, ModuleType) and _is_open(thing):
                inner = _inside(thing)
                self.found.append((type(thing), len(inner)))
                for each in inner:
                    self.at(each, depth - 1)
            else:
                self.found.append(_Itself(thing))


def _is_own(at: Any) -> bool:
    """Whether it is a function of this package: these know no tensors of the program."""
    return isinstance(at, FunctionType) and is_of_package(at.__code__.co_filename)


_COLLECTIONS = (list, tuple, set, frozenset, Mapping)


def _is_open(at: Any) -> bool:
    """Whether all that it consists of can be seen."""
    if isinstance(at, (*_COLLECTIONS, FunctionType, MethodType, partial)):
        return True
    return hasattr(at, "__dict__") or any("__slots__" in vars(kind) for kind in type(at).__mro__)


def _inside(at: Any) -> list[Any]:
    if isinstance(at, MethodType):
        return [at.__self__, at.__func__]
    if isinstance(at, FunctionType):
        cells = [cell.cell_contents for cell in at.__closure__ or () if _is_full(cell)]
        named = [at.__globals__[name] for name in _names(at.__code__) if name in at.__globals__]
        own = [at.__defaults__ or (), at.__kwdefaults__ or {}, at.__dict__]
        return [at.__code__, *cells, *named, *own]
    if isinstance(at, partial):
        return [at.func, at.args, at.keywords]
    return [*_items(at), *_attributes(at)]


def _items(at: Any) -> list[Any]:
    """What is in a collection."""
    if isinstance(at, Mapping):
        return [each for pair in at.items() for each in pair]
    return list(at) if isinstance(at, _COLLECTIONS) else []


def _attributes(at: Any) -> list[Any]:
    slots = [name for kind in type(at).__mro__ for name in _slots(kind) if hasattr(at, name)]
    attributes = {name: getattr(at, name) for name in slots} | getattr(at, "__dict__", {})
    return [each for pair in attributes.items() for each in pair]


def _slots(kind: type) -> Sequence[str]:
    names = kind.__dict__.get("__slots__", ())
    own = f"_{kind.__name__.lstrip('_')}"  # before names that are private to the class
    return [
        f"{own}{name}" if name.startswith("__") and not name.endswith("__") else name
        for name in ((names,) if isinstance(names, str) else names)
    ]


def _is_full(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # a variable that has no value yet
        return False


def _names(code: CodeType) -> list[str]:
    """The globals that code, or code inside it, may name."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    return [*code.co_names, *[name for each in inner for name in _names(each)]]

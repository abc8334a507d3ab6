"""What the program calls its tensors, where it asks for a record or a picture.

The variables of the code that asks are looked at once, and so is what they hold: lists, dicts,
modules, and objects with attributes. Names are kept, neither tensors nor the code's frame.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from types import FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from tinygrad_rnn.autograd.tracing import is_own
from tinygrad_rnn.engine.graph import Node, Variable
from tinygrad_rnn.engine.memory import owner
from tinygrad_rnn.nn import Module, ParameterDict, ParameterList
from tinygrad_rnn.writing.text import clean

_DEEPEST, _MOST = 4, 20_000  # of what variables hold; how many things are looked at

_HOLDERS = (Variable, list, tuple, dict)

Called = dict[Node, str]


def alive(places: list[Node], of: Callable[[Node], Node] = lambda node: node) -> Called:
    """The names of tensors in the code that called into this package, by their places.

    A tensor that is not in the graph, as the last hidden state where only an output is read, names
    the newest place that was made in the same way with the same weights.

    Parameters
    ----------
    places : list of Node
        Of the graph that names are for, oldest first.
    of : callable
        What stands in that graph for a tensor's node.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> hidden, gates = tg.ones(1, requires_grad=True), {"i": tg.ones(1, requires_grad=True)}
    >>> list(alive([hidden.node, gates["i"].node]).values())
    ['hidden', 'gates[i]']
    """
    frame = _asking()
    found: Called = {}
    akin: Called = {}
    here = {place: place for place in places}
    alike = {key: place for place in places if (key := _kind(place, of))}
    for variables in _variables(frame) if frame is not None else ():
        for name, tensor in _Search(variables).tensors():
            node, written = tensor.node, clean(name)
            if node is None or not written:
                continue
            if place := here.get(of(node)):
                found.setdefault(place, written)
            elif other := alike.get(_kind(node, of)):
                akin.setdefault(other, written)
    return akin | found


def shown(places: list[Node], value: Callable[[Node], Any] = lambda at: at.value) -> Called:
    """The names of tensors of which constants of a graph show a part, as x[t] does of x.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> xs, w = tg.ones(3), tg.ones((), requires_grad=True)
    >>> products = [w * xs[t] for t in range(3)]
    >>> list(shown(list(products[0].node.parents)).values())
    ['xs']
    """
    memory: dict[int, str] = {}
    parts: dict[int, str] = {}
    frame = _asking()
    for variables in _variables(frame) if frame is not None else ():
        for name, tensor in _Search(variables).tensors():
            whole = owner(tensor.array)
            found = memory if tensor.array.size == whole.size else parts
            found.setdefault(id(whole), clean(name))
    memory = parts | memory
    leaves = [at for at in places if at.is_leaf and not at.requires_grad]
    constants = [(at, value(at) if at.value is None else at.value) for at in leaves]
    known = [(at, array) for at, array in constants if isinstance(array, np.ndarray)]
    named = [(at, memory.get(id(owner(array)), "")) for at, array in known]
    return {at: name for at, name in named if name}


def _asking() -> FrameType | None:
    """The code that called into this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_own(frame):
        frame = frame.f_back
    return frame


def _kind(node: Node, of: Callable[[Node], Node]) -> object:
    """What made a node, and with which weights; ``None`` if it has none of its own."""
    weights = tuple([of(p) for p in node.parents if p.is_leaf and p.requires_grad])
    return (node.primitive, node.tag.scope, weights) if weights else None


def _variables(frame: FrameType) -> Iterator[dict[str, Any]]:
    """The local variables of a call, and then the global ones that it sees."""
    held = frame.f_locals
    yield dict(held)
    if held is not frame.f_globals:
        yield dict(frame.f_globals)
    # before Python 3.13 a function's frame would keep this copy, and with it the tensors
    is_copy = bool(frame.f_code.co_flags & inspect.CO_OPTIMIZED) and sys.version_info < (3, 13)
    if is_copy and sys.getrefcount(held) <= _OWN_REFERENCES:
        held.clear()


_OWN_REFERENCES = 3  # the frame's, the variable's, the argument's: nobody called locals()


class _Search:
    """Through variables and what they hold, those that are tensors first."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self.variables = variables
        self.seen: set[int] = set()
        self.left = _MOST

    def tensors(self) -> Iterator[tuple[str, Variable]]:
        """Every tensor with what the program would write for it."""
        level = [(name, it) for name, it in self.variables.items() if not name.startswith("_")]
        for _ in range(_DEEPEST):
            inner: list[tuple[str, Any]] = []
            for name, it in level:
                self.left -= 1
                if self.left < 0:
                    return
                if issubclass(type(it), Variable):
                    yield name, it
                elif id(it) not in self.seen:
                    self.seen.add(id(it))
                    inner += _held(name, it)
            level = inner


def _held(name: str, it: Any) -> list[tuple[str, Any]]:
    """What a variable holds, by the names that the program has for it.

    Its type is asked, not the thing itself, which may answer with code of its own.
    """
    kind = type(it)
    if issubclass(kind, list | tuple):
        return [(f"{name}[{i}]", each) for i, each in enumerate(it[:_MOST])]
    if issubclass(kind, dict) and "__builtins__" in it:  # the variables of a program that has run
        return [(key, each) for key, each in it.items() if not key.startswith("_")]
    if issubclass(kind, dict):
        return [(f"{name}[{key}]", each) for key, each in it.items() if type(key) in (str, int)]
    if issubclass(kind, Module):
        return _of_module("" if name == "self" else name, it)
    if issubclass(kind, type | ModuleType | FunctionType):
        return []
    own = _attributes(it)
    return [(key, each) for key, each in own.items() if not key.startswith("_")]


def _attributes(it: Any) -> dict[str, Any]:
    """What an object of a class of the program's own has in its attributes."""
    try:
        own = object.__getattribute__(it, "__dict__")
    except AttributeError:
        return {}
    return dict(own) if type(own) is dict else {}


def _of_module(path: str, module: Module) -> list[tuple[str, Any]]:
    """The parameters of a module by their whole path; other attributes by their own name."""
    found: list[tuple[str, Any]] = []
    for inner, each in module.named_modules(prefix=path):
        place = "{}[{}]" if isinstance(each, ParameterList | ParameterDict) else "{}.{}"
        own = [*each._parameters.items(), *each._buffers.items()]
        found += [(place.format(inner, key) if inner else key, it) for key, it in own]
        plain = [(key, it) for key, it in vars(each).items() if not key.startswith("_")]
        found += [(key, it) for key, it in plain if issubclass(type(it), _HOLDERS)]
    return [(name, it) for name, it in found if it is not None]

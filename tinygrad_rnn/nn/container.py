"""Modules that hold others, or parameters, in a row or by name."""

from __future__ import annotations

import itertools
import operator
from collections import OrderedDict
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, NoReturn, TypeVar, cast, overload

from tinygrad_rnn.nn.module import Module, indented
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.tensor import Tensor

Line = TypeVar("Line", bound="_Line")


def _position(index: Any, size: int) -> int:
    """A place counted from the start, from one that may be counted from the end."""
    i = operator.index(index)
    if not -size <= i < size:
        raise IndexError(f"index {i} is out of range for {size} entries")
    return i % size


def _iterable(owner: str, given: Any) -> Iterable[Any]:
    if not isinstance(given, Iterable) or isinstance(given, Tensor):
        raise TypeError(f"{owner}: expected an iterable, got {type(given).__name__}")
    return given


def _pairs(owner: str, given: Any) -> Iterator[tuple[str, Any]]:
    """The pairs of a mapping, or of an iterable of pairs."""
    if isinstance(given, Mapping | ModuleDict | ParameterDict):
        yield from given.items()
        return
    for i, pair in enumerate(_iterable(owner, given)):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{owner}: element {i} must be a pair, got {type(pair).__name__}")
        if len(both := tuple(pair)) != 2:
            raise ValueError(f"{owner}: element {i} must be a pair, got {len(both)} values")
        yield both


def _held_in(container: Module) -> dict[str, Module]:
    """The modules of a container, to which nobody but on purpose gives ``None``."""
    return cast("dict[str, Module]", container._modules)


# -- modules in a row ----------------------------------------------------------------------------


class _Line(Module):
    """Modules in a row, named by numbers."""

    def _key(self, index: Any) -> str:
        return list(self._modules)[_position(index, len(self))]

    def _refill(self, modules: Iterable[Module | None]) -> None:
        """Hold these modules, numbered anew."""
        rest = list(modules)
        self._modules.clear()
        for module in rest:
            self.add_module(str(len(self)), module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(_held_in(self).values())

    @overload
    def __getitem__(self: Line, index: slice) -> Line: ...
    @overload
    def __getitem__(self, index: int) -> Module: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._part(index)
        return _held_in(self)[self._key(index)]

    def _part(self, part: slice) -> Any:
        """A row of some of the modules."""
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: int | slice) -> None:
        modules = list(self)
        if not isinstance(index, slice):
            index = _position(index, len(self))
        del modules[index]
        self._refill(modules)

    def __iadd__(self: Line, other: Iterable[Module]) -> Line:
        return self.extend(other)

    def append(self: Line, module: Module) -> Line:
        """Add a module at the end; returns this one."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: Line, modules: Iterable[Module]) -> Line:
        """Add modules at the end; returns this one."""
        for module in list(_iterable(f"{type(self).__name__}.extend", modules)):
            self.append(module)
        return self

    def insert(self: Line, index: int, module: Module) -> Line:
        """Put a module in before the one at a place; returns this one."""
        n, i = len(self), operator.index(index)
        if not -n <= i <= n:
            raise IndexError(f"insert: index {i} is out of range for {n} entries")
        if not isinstance(module, Module):
            raise TypeError(f"insert: expected a Module, got {type(module).__name__}")
        modules = list(self)
        modules.insert(i, module)
        self._refill(modules)
        return self

    def pop(self, key: int | slice) -> Module:
        """Take a module out and return it."""
        module = self[key]
        del self[key]
        return module

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]


class Sequential(_Line):
    """Modules each of which computes with the output of the one before.

    Parameters
    ----------
    *args : modules, or one OrderedDict of modules by name

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> net = tg.nn.Sequential(tg.nn.Linear(3, 4), tg.nn.Tanh())
    >>> net(tg.ones(2, 3)).shape
    torch.Size([2, 4])
    >>> net
    Sequential(
      (0): Linear(in_features=3, out_features=4, bias=True)
      (1): Tanh()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = len(args) == 1 and isinstance(args[0], OrderedDict)
        for name, module in args[0].items() if named else enumerate(args):
            self.add_module(str(name), module)

    def forward(self, input: Any) -> Tensor:
        """The output of the last module (the input itself, if there is none)."""
        output: Tensor = input
        for module in self:
            output = module(output)
        return output

    def _part(self, part: slice) -> Any:
        named = OrderedDict(list(self._modules.items())[part])  # names stay as they are
        return type(self)(named)

    def __add__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"Sequential: can only add a Sequential, not {type(other).__name__}")
        return Sequential(*self, *other)

    def __iadd__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"Sequential: can only add a Sequential, not {type(other).__name__}")
        return self.extend(other)

    def __mul__(self, count: int) -> Sequential:
        return Sequential(*_repeated(self, count))

    __rmul__ = __mul__

    def __imul__(self, count: int) -> Sequential:
        return self.extend(_repeated(self, count)[len(self) :])


def _repeated(line: Sequential, count: Any) -> list[Any]:
    if not isinstance(count, int):
        raise TypeError(f"Sequential: can only multiply by an int, not {type(count).__name__}")
    if count < 1:
        raise ValueError(f"Sequential: can only multiply by a positive number, not {count}")
    return list(line) * count


# -- modules that are kept, not called -----------------------------------------------------------


class _Shelf(Module):
    """Modules that are called one by one, so their scopes begin with the name of the shelf."""

    def __init__(self) -> None:
        super().__init__()
        self._scope_name = ""  # nothing to begin with, until it is assigned to a module

    def _called(self, name: str) -> None:
        super()._called(name)
        for key, module in self._modules.items():
            if module is not None:
                self._introduce(key, module)

    def _introduce(self, name: str, child: Module) -> None:
        if self._scope_name:
            child._called(f"{self._scope_name}.{name}")


class ModuleList(_Shelf, _Line):
    """A list of modules, whose parameters are found.

    Parameters
    ----------
    modules : iterable of Module, optional

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> layers = tg.nn.ModuleList([tg.nn.Tanh(), tg.nn.Tanh()])
    >>> layers.append(tg.nn.Sigmoid())
    ModuleList(
      (0-1): 2 x Tanh()
      (2): Sigmoid()
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def _part(self, part: slice) -> Any:
        return type(self)(list(self)[part])

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *_iterable("ModuleList", other)])

    def _child_lines(self) -> list[str]:
        lines, start = [], 0
        for text, group in itertools.groupby(self, repr):
            count = len(list(group))
            last = start + count - 1
            name, times = (f"{start}-{last}", f"{count} x ") if count > 1 else (f"{start}", "")
            lines.append(indented(name, times + text))
            start += count
        return lines


class ModuleDict(_Shelf):
    """Modules by name, whose parameters are found; a dict, in the order of insertion.

    Parameters
    ----------
    modules : mapping, or iterable of pairs, optional

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> choices = tg.nn.ModuleDict({"tanh": tg.nn.Tanh(), "relu": tg.nn.ReLU()})
    >>> choices["relu"](tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        self.update(() if modules is None else modules)

    def __getitem__(self, key: str) -> Module:
        return _held_in(self)[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Take a module out and return it."""
        return _held_in(self).pop(key)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Module]:
        """The names with their modules."""
        return _held_in(self).items()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return _held_in(self).values()

    def update(self, modules: Any) -> None:
        """Add modules, given as a mapping or as pairs; those of the same names are replaced."""
        for name, module in list(_pairs("ModuleDict.update", modules)):
            self[name] = module


# -- parameters ----------------------------------------------------------------------------------


def _held(value: Any) -> Any:
    """What a container of parameters makes of a value: of a tensor a parameter."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value)
    return value


def _line_for(name: Any, value: Any, kind: Callable[[Tensor], Any]) -> str:
    """How a container of parameters shows one of them; ``kind`` says of what type it is."""
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {type(value).__name__}"
    sizes = "x".join(map(str, value.shape))
    return f"  ({name}): Parameter containing: [{kind(value)} of size {sizes}]"


class _Parameters(Module):
    """What holds parameters under keys: they are called by its name and theirs, as ``W[0]``."""

    def _called(self, name: str) -> None:
        super()._called(name)
        self.__dict__["_attached"] = name
        for key, param in self._parameters.items():
            if param is not None and param.name == key:
                param.name = f"{name}[{key}]"

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a key."""
        super().register_parameter(name, param)
        if "_attached" in self.__dict__:
            self._called(self.__dict__["_attached"])


class ParameterList(_Parameters):
    """A list of parameters, which a module finds there; tensors become parameters.

    Parameters
    ----------
    values : iterable, optional
        Tensors, but other things may be kept among them.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.ParameterList([tg.zeros(2), tg.zeros(1, 3)])
    ParameterList(
        (0): Parameter containing: [torch.float32 of size 2]
        (1): Parameter containing: [torch.float32 of size 1x3]
    )
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        self.extend(() if values is None else values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(len(self))])

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return getattr(self, str(_position(index, len(self))))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, str(_position(index, len(self))), _held(value))

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def append(self, value: Any) -> ParameterList:
        """Add a parameter at the end; returns the list."""
        setattr(self, str(self._size), _held(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add parameters at the end; returns the list."""
        for value in list(_iterable("ParameterList.extend", values)):
            self.append(value)
        return self

    def forward(self, *inputs: Any, **options: Any) -> NoReturn:
        """Raise: it is not a layer."""
        raise RuntimeError("ParameterList: it holds parameters and cannot be called")

    def extra_repr(self) -> str:
        """The parameters, by their types and sizes."""
        return "\n".join(_line_for(i, value, lambda x: x.dtype) for i, value in enumerate(self))

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]


class ParameterDict(_Parameters):
    """Parameters by name, which a module finds there; tensors become parameters.

    Parameters
    ----------
    parameters : mapping, or iterable of pairs, optional
        A plain dict is sorted by its keys, as in PyTorch; an OrderedDict keeps its order.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.ParameterDict({"w": tg.zeros(2), "b": tg.zeros(1)})
    ParameterDict(
        (b): Parameter containing: [torch.FloatTensor of size 1]
        (w): Parameter containing: [torch.FloatTensor of size 2]
    )
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._names: dict[str, None] = {}
        self.update(() if parameters is None else parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._names:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"ParameterDict: names are strings, not {type(key).__name__}")
        if key not in self._names and hasattr(self, key):
            raise KeyError(f"attribute {key!r} already exists")
        setattr(self, key, _held(value))
        self._names[key] = None

    def __delitem__(self, key: str) -> None:
        del self._names[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._names)

    def __contains__(self, key: object) -> bool:
        return key in self._names

    def copy(self) -> ParameterDict:
        """Another dict of the same parameters."""
        return ParameterDict(OrderedDict(self.items()))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """What has this name; the default, which then gets it, if nothing has."""
        if key not in self:
            self[key] = default
        return self[key]

    def get(self, key: str, default: Any = None) -> Any:
        """What has this name, or the default."""
        return self[key] if key in self else default  # noqa: SIM401

    def clear(self) -> None:
        """Take everything out."""
        for key in list(self):
            del self[key]

    def pop(self, key: str) -> Any:
        """Take a parameter out and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last parameter out and return it with its name."""
        key = next(reversed(self._names))
        return key, self.pop(key)

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dict, with the default under each name."""
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._names.keys()

    def items(self) -> Iterator[tuple[str, Any]]:
        """The names with their parameters."""
        return ((key, self[key]) for key in self)

    def values(self) -> Iterator[Any]:
        """The parameters."""
        return (self[key] for key in self)

    def update(self, parameters: Any) -> None:
        """Add parameters, given as a mapping or as pairs; those of the same names are replaced."""
        pairs = list(_pairs("ParameterDict.update", parameters))
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs.sort(key=lambda pair: pair[0])
        for key, value in pairs:
            self[key] = value

    def __or__(self, other: Any) -> ParameterDict:
        both = self.copy()
        both.update(other)
        return both

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self

    def forward(self, *inputs: Any, **options: Any) -> NoReturn:
        """Raise: it is not a layer."""
        raise RuntimeError("ParameterDict: it holds parameters and cannot be called")

    def extra_repr(self) -> str:
        """The parameters, by their types and sizes."""
        return "\n".join(_line_for(key, value, Tensor.type) for key, value in self.items())

"""Arrays that write down what is done with them.

A `Symbol` stands for an array: whatever NumPy function it is given to becomes a `Value`, one line
of a program, and the result is a symbol again.  It carries a sample of the array, from which shapes
and types are seen; whoever wants to decide something by a number of it is refused.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

Array = np.ndarray[Any, Any]


class CannotWrite(Exception):
    """Something that cannot be written as a NumPy program; ``where``: the line that asked for it.

    Examples
    --------
    >>> print(CannotWrite("np.sort", 'File "step.py", line 3, in step').where)
    <BLANKLINE>
      File "step.py", line 3, in step
    """

    def __init__(self, what: str, where: Any = "") -> None:
        super().__init__(what)
        self.where = f"\n  {where}" if where else ""


class Value:
    """One line of a program: what a function makes of earlier values.

    Attributes
    ----------
    fn : str
        A ufunc of NumPy by its name, one of `FUNCTIONS`, or "input" or "const".
    args : tuple of Value
    params : dict
    sample : ndarray or number
        What it was when the step was traced; of a constant, what it always is.
    name : str
        What the program calls it, if anything.
    why : str
        The derivative rule that made it, if one did.
    number : int
        The order of creation, in which a program can run.
    """

    __slots__ = ("args", "fn", "name", "number", "params", "sample", "why")

    def __init__(
        self, fn: str, args: tuple[Value, ...], params: dict[str, Any], sample: Any, number: int
    ) -> None:
        self.fn, self.args, self.params, self.sample = fn, args, params, sample
        self.name, self.why, self.number = "", "", number

    def described_as(self, other: Value) -> Value:
        """The same, with what is said of another where nothing is said of this one."""
        self.name, self.why = self.name or other.name, self.why or other.why
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes in one step."""
        return np.shape(self.sample)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its elements."""
        return np.asarray(self.sample).dtype

    def __repr__(self) -> str:
        args = ", ".join(f"%{arg.number}" for arg in self.args)
        return f"%{self.number} = {self.fn}({args}) {self.shape}"


def _assembled(*parts: Any, indices: Sequence[Any], shape: tuple[int, ...]) -> Array:
    total = np.zeros(shape, np.result_type(*parts))
    for part, index in zip(parts, indices, strict=True):
        total[index] += part
    return total


AT = "at"
"""Where in an index an array stands, which is an operand."""


def filled(index: Sequence[Any], arrays: Iterable[Any]) -> tuple[Any, ...]:
    """An index with arrays, or their names, where they stand."""
    given = iter(arrays)
    return tuple([next(given) if i is AT else i for i in index])


def _added_at(part: Any, *at: Any, index: Sequence[Any], shape: tuple[int, ...]) -> Array:
    total = np.zeros(shape, part.dtype)
    np.add.at(total, filled(index, at), part)
    return total


def _replaced(x: Any, part: Any, *at: Any, index: Sequence[Any]) -> Array:
    made = np.array(x)
    made[filled(index, at)] = part
    return made


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "put": _replaced,
    "take": lambda x, *at, index: x[filled(index, at)],
    "add_at": _added_at,
    "cumsum": lambda x, axis: np.cumsum(x, axis),
    "cumprod": lambda x, axis: np.cumprod(x, axis),
    "prod": lambda x, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims),
    "getitem": lambda x, index: x[index],
    "reshape": lambda x, shape: np.reshape(x, shape),
    "transpose": lambda x, axes: np.transpose(x, axes),
    "astype": lambda x, dtype: x.astype(dtype),
    "broadcast_to": lambda x, shape: np.broadcast_to(x, shape),
    "sum": lambda x, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
    "max": lambda x, axis, keepdims: np.max(x, axis=axis, keepdims=keepdims),
    "min": lambda x, axis, keepdims: np.min(x, axis=axis, keepdims=keepdims),
    "mean": lambda x, axis, keepdims: np.mean(x, axis=axis, keepdims=keepdims),
    "where": np.where,
    "concatenate": lambda *xs, axis: np.concatenate(xs, axis),
    "assemble": _assembled,
    "matmul": np.matmul,
}
"""The functions besides ufuncs that a program is made of."""

VIEWS = ("getitem", "reshape", "transpose")
"""Those that may show their operand's memory."""


def function(fn: str) -> Callable[..., Any]:
    """What a value's ``fn`` computes, of arrays."""
    found: Callable[..., Any] = FUNCTIONS.get(fn) or getattr(np, fn)
    return found


def is_elementwise(value: Value) -> bool:
    """Whether each element is made of the operands' elements at the same place."""
    is_ufunc = isinstance(getattr(np, value.fn, None), np.ufunc) and value.fn != "matmul"
    return is_ufunc or value.fn == "where"


class Book:
    """The lines written so far, numbered from ``first`` on; none is written twice."""

    def __init__(self, first: int = 0) -> None:
        self._count = itertools.count(first)
        self._known: dict[Any, Value] = {}

    def input(self, sample: Any, **params: Any) -> Value:
        """Something that the program is given."""
        return Value("input", (), params, sample, next(self._count))

    def const(self, number: Any) -> Value:
        """A number or an array that is always the same."""
        if isinstance(number, np.ndarray | np.generic):
            array = np.asarray(number)
            key: Any = ("const", array.dtype, array.shape, array.tobytes())
        else:
            key = ("const", type(number), number if number == number else "nan")
        if key not in self._known:
            self._known[key] = Value("const", (), {}, number, next(self._count))
        return self._known[key]

    def line(self, fn: str, *args: Value, **params: Any) -> Value:
        """What a function makes of values; of constants it is computed now."""
        key = (fn, tuple(arg.number for arg in args), _frozen(params))
        found = self._known.get(key)
        if found is None:
            with np.errstate(all="ignore"):
                sample = function(fn)(*[arg.sample for arg in args], **params)
            if args and all(arg.fn == "const" for arg in args):
                plain = not any(hasattr(arg.sample, "dtype") for arg in args)
                found = self.const(sample.item() if plain else sample)  # as numbers of Python's
            else:
                found = Value(fn, args, params, sample, next(self._count))
            self._known[key] = found
        return found


def _frozen(params: Any) -> Any:
    if isinstance(params, dict):
        return tuple((name, _frozen(params[name])) for name in sorted(params))
    if isinstance(params, list | tuple):
        return tuple(_frozen(part) for part in params)
    if isinstance(params, slice):
        return ("slice", params.start, params.stop, params.step)
    if isinstance(params, np.ndarray):
        return (params.dtype, params.shape, params.tobytes())
    return params


class Symbol(NDArrayOperatorsMixin):
    """An array of which only its shape and type are known, and what was done with it."""

    __slots__ = ("book", "value")

    def __init__(self, book: Book, value: Value) -> None:
        self.book, self.value = book, value

    def __repr__(self) -> str:
        return repr(self.value)

    # -- what NumPy's own functions do with it --

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        (out,) = options.pop("out", (None,))  # y += x: a program has no use for the old y
        if out is not None and not isinstance(out, Symbol):
            raise CannotWrite("a change in place of an array that is none of the step's")
        if method == "at" and ufunc is np.add and isinstance(inputs[0], Symbol):
            return inputs[0]._add_at(*inputs[1:])
        if method == "accumulate" and ufunc in _ACCUMULATIONS:
            x = self if options.get("dtype") is None else self.astype(options["dtype"])
            axis = options.get("axis", 0) % max(1, self.ndim)
            return x._line(_ACCUMULATIONS[ufunc], x, axis=axis)
        if method == "reduce" and ufunc in _REDUCTIONS:
            options.pop("dtype", None)
            return getattr(self, _REDUCTIONS[ufunc])(
                options.get("axis", 0), options.get("keepdims", False)
            )
        if method != "__call__" or options or ufunc.nout != 1:
            how = "" if method == "__call__" else f".{method}"
            raise CannotWrite(f"np.{ufunc.__name__}{how}" + "".join(f" with {o}" for o in options))
        return self._line(ufunc.__name__, *inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = _OF_NUMPY.get(func.__name__)
        if name is None:
            raise CannotWrite(f"np.{func.__name__}")
        return name(self, *args, **kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise CannotWrite("something that needs the numbers of an array")

    def _line(self, fn: str, *args: Any, **params: Any) -> Symbol:
        return Symbol(self.book, self.book.line(fn, *[self._known(x) for x in args], **params))

    def _known(self, x: Any) -> Value:
        if isinstance(x, Symbol):
            return x.value
        if isinstance(x, np.ndarray | np.generic | bool | int | float):
            return self.book.const(x)
        raise CannotWrite(f"arithmetic with {type(x).__name__}")

    # -- what an array answers --

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.value.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def T(self) -> Symbol:
        return self.transpose()

    @property
    def base(self) -> None:
        """A line of a program owns what it makes."""

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        if self.value.fn == "const":
            return bool(self.value.sample)
        raise CannotWrite("a decision that depends on the numbers of an array")

    def __getitem__(self, index: Any) -> Symbol:
        index = _spelled_out(index, self.ndim)
        arrays = list(filter(_is_array, index))
        if arrays:
            return self._line("take", self, *arrays, index=_pattern(index))
        trivial = all(isinstance(i, slice) and i == slice(None) for i in index)
        return self if trivial else self._line("getitem", self, index=index)

    def __setitem__(self, index: Any, part: Any) -> None:
        """Write a part into zeros, or add one to what is there: that makes an "assemble"."""
        index = _spelled_out(index, self.ndim)
        whole, there = self.value, self[index].value
        g = self._known(part)
        is_added = g.fn == "add" and there in g.args
        if any(map(_is_array, index)) and is_added:
            self._add_at(index, Symbol(self.book, g.args[1 - g.args.index(there)]))
            return
        if any(map(_is_array, index)) or not (is_added or self._is_partly_filled()):
            self._put(index, Symbol(self.book, g))
            return
        if whole.fn == "assemble":
            parts, indices = whole.args, whole.params["indices"]
        elif self._is_partly_filled():
            parts, indices = (), ()
        else:
            raise CannotWrite("a change in place of what is not zero")
        if is_added:
            g = g.args[1 - g.args.index(there)]
        elif _overlaps(index, indices, whole.shape):
            self._put(index, Symbol(self.book, g))
            return
        if g.shape != there.shape:
            g = self.book.line("broadcast_to", g, shape=there.shape)
        self.value = self.book.line(
            "assemble", *parts, g, indices=(*indices, index), shape=whole.shape
        )

    def _is_partly_filled(self) -> bool:
        """Whether this is zero but for parts that were written into it."""
        whole = self.value
        return whole.fn == "assemble" or (whole.fn == "const" and not np.any(whole.sample))

    def _put(self, index: Any, part: Symbol) -> None:
        """Write a part over what is there."""
        arrays = filter(_is_array, index)
        part = part.astype(self.dtype)
        self.value = self._line("put", self, part, *arrays, index=_pattern(index)).value

    def _add_at(self, index: Any, part: Any) -> None:
        """Add a part where arrays point, perhaps several times to one place."""
        index = _spelled_out(index, self.ndim)
        shape, arrays = self[index].shape, filter(_is_array, index)
        part = Symbol(self.book, self._known(part))
        part = part if part.shape == shape else part._line("broadcast_to", part, shape=shape)
        added = part._line("add_at", part, *arrays, index=_pattern(index), shape=self.shape)
        is_zero = self.value.fn == "const" and not np.any(self.value.sample)
        self.value = (added if is_zero else self + added).value

    def reshape(self, *shape: Any) -> Symbol:
        sizes = tuple(shape[0]) if shape and isinstance(shape[0], tuple | list) else shape
        sizes = np.reshape(self.value.sample, sizes).shape
        return self if sizes == self.shape else self._line("reshape", self, shape=sizes)

    def transpose(self, *axes: Any) -> Symbol:
        order = axes[0] if axes and isinstance(axes[0], tuple | list) else axes
        order = tuple(a % self.ndim for a in order) or tuple(range(self.ndim))[::-1]
        if order == tuple(range(self.ndim)):
            return self
        own = self.value.params.get("axes") if self.value.fn == "transpose" else None
        if own is not None and [own[a] for a in order] == list(range(self.ndim)):
            return Symbol(self.book, self.value.args[0])  # turned back
        return self._line("transpose", self, axes=order)

    def squeeze(self, axis: Any = None) -> Symbol:
        return self.reshape(np.squeeze(self.value.sample, axis).shape)

    def swapaxes(self, a: int, b: int) -> Symbol:
        order = list(range(self.ndim))
        order[a], order[b] = order[b], order[a]
        return self.transpose(tuple(order))

    def dot(self, other: Any) -> Symbol:
        return self._line("matmul", self, other)

    def astype(self, dtype: Any, *args: Any, **options: Any) -> Symbol:
        return self if self.dtype == dtype else self._line("astype", self, dtype=np.dtype(dtype))

    def copy(self, order: str = "C") -> Symbol:
        return Symbol(self.book, self.value)

    def _reduced(self, fn: str, axis: Any, keepdims: bool) -> Symbol:
        axes = range(self.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = tuple(a % self.ndim for a in axes)
        return self._line(fn, self, axis=axes, keepdims=bool(keepdims)) if axes else self

    def sum(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Symbol:
        return self._reduced("sum", axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Symbol:
        return self._reduced("max", axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Symbol:
        return self._reduced("min", axis, keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Symbol:
        return self._reduced("prod", axis, keepdims)

    def cumsum(self, axis: int, *args: Any, **options: Any) -> Symbol:
        return self._line("cumsum", self, axis=axis % self.ndim)

    def cumprod(self, axis: int, *args: Any, **options: Any) -> Symbol:
        return self._line("cumprod", self, axis=axis % self.ndim)

    def mean(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Symbol:
        return self._reduced("mean", axis, keepdims)

    def any(self, *args: Any, **options: Any) -> Any:
        return self._looked_at("any")

    def all(self, *args: Any, **options: Any) -> Any:
        return self._looked_at("all")

    def _looked_at(self, how: str) -> Any:
        if self.value.fn != "const":
            raise CannotWrite("a decision that depends on the numbers of an array")
        return getattr(np.asarray(self.value.sample), how)()


def _spelled_out(index: Any, ndim: int) -> tuple[Any, ...]:
    """An index as a tuple in which ``...`` is written as the slices that it stands for."""
    parts: tuple[Any, ...] = index if isinstance(index, tuple) else (index,)
    if any(isinstance(i, Symbol) and i.dtype.kind not in "iu" for i in parts):
        raise CannotWrite("an index that depends on the numbers of an array")
    at = next((n for n, i in enumerate(parts) if i is Ellipsis), None)
    if at is None:
        return parts
    missing = ndim - sum(map(_axes, parts))
    return (*parts[:at], *[slice(None)] * missing, *parts[at + 1 :])


def _axes(part: Any) -> int:
    """How many axes a part of an index takes up."""
    if isinstance(part, np.ndarray) and part.dtype.kind == "b":
        return part.ndim
    return int(part is not None and part is not Ellipsis)


def _is_array(part: Any) -> bool:
    return isinstance(part, Symbol | np.ndarray)


def _pattern(index: Sequence[Any]) -> tuple[Any, ...]:
    """An index without its arrays, but for their places."""
    return tuple([AT if _is_array(i) else i for i in index])


def _overlaps(index: Any, others: Iterable[Any], shape: tuple[int, ...]) -> bool:
    taken = np.zeros(shape, bool)
    for other in others:
        taken[other] = True
    return bool(taken[index].any())


_REDUCTIONS = {np.add: "sum", np.maximum: "max", np.minimum: "min", np.multiply: "prod"}
_ACCUMULATIONS = {np.add: "cumsum", np.multiply: "cumprod"}


def _where(self: Symbol, condition: Any, x: Any, y: Any) -> Symbol:
    return self._line("where", condition, x, y)


def _concatenate(self: Symbol, arrays: Iterable[Any], axis: int = 0, **options: Any) -> Symbol:
    xs = list(arrays)
    return self._line("concatenate", *xs, axis=axis % len(np.shape(self._known(xs[0]).sample)))


def _stack(self: Symbol, arrays: Iterable[Any], axis: int = 0, **options: Any) -> Symbol:
    xs = [Symbol(self.book, self._known(x)) for x in arrays]
    axis %= xs[0].ndim + 1
    one = (slice(None),) * axis + (None,)
    return _concatenate(self, [x[one] for x in xs], axis)


def _expand_dims(self: Symbol, x: Any, axis: int) -> Symbol:
    made: Symbol = x[(slice(None),) * (axis % (x.ndim + 1)) + (None,)]
    return made


def _full(self: Symbol, kind: Any, x: Any, options: Any) -> Symbol:
    shape = options.get("shape")
    return Symbol(self.book, self.book.const(kind(x.shape if shape is None else shape, x.dtype)))


def _moveaxis(self: Symbol, x: Any, source: int, destination: int) -> Symbol:
    order = [a for a in range(x.ndim) if a != source % x.ndim]
    order.insert(destination % x.ndim, source % x.ndim)
    moved: Symbol = x.transpose(tuple(order))
    return moved


def _flip(self: Symbol, x: Any, axis: Any = None) -> Symbol:
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    turned = {a % x.ndim for a in axes}
    flipped: Symbol = x[
        tuple([slice(None, None, -1 if a in turned else None) for a in range(x.ndim)])
    ]
    return flipped


def _grid(shape: Sequence[int], at: Any, axis: int) -> tuple[Any, ...]:
    """An index array for one axis, among those that count along the others."""
    counting = np.indices(shape, sparse=True)
    return tuple([at if a == axis % len(shape) else own for a, own in enumerate(counting)])


def _take_along(self: Symbol, x: Any, at: Any, axis: int) -> Symbol:
    found: Symbol = x[_grid(at.shape, at, axis)]
    return found


def _put_along(self: Symbol, x: Any, at: Any, part: Any, axis: int) -> None:
    x[_grid(at.shape, at, axis)] = part


def _triangle(self: Symbol, x: Any, k: int, kind: Any) -> Symbol:
    return self._line("where", kind(np.ones(x.shape, bool), k), x, x.dtype.type(0))


def _roll(self: Symbol, x: Any, shift: Any, axis: Any = None) -> Symbol:
    shifts, axes = (each if isinstance(each, tuple) else (each,) for each in (shift, axis))
    if axis is None:
        return _roll(self, x.reshape(-1), shift, 0).reshape(x.shape)
    for by, a in zip(shifts, axes, strict=True):
        before, at = (slice(None),) * (a % x.ndim), -by % max(1, x.shape[a])
        if at:
            x = _concatenate(self, [x[(*before, slice(at, None))], x[(*before, slice(at))]], a)
    rolled: Symbol = x
    return rolled


def _tile(self: Symbol, x: Any, repeats: Sequence[int]) -> Symbol:
    x = x.reshape((1,) * (len(repeats) - x.ndim) + x.shape)
    for axis, times in enumerate(repeats, x.ndim - len(repeats)):
        x = (
            x
            if times == 1
            else x[(slice(None),) * axis + (np.tile(np.arange(x.shape[axis]), times),)]
        )
    tiled: Symbol = x
    return tiled


def _repeat(self: Symbol, x: Any, repeats: Any, axis: int) -> Symbol:
    """Rows looked up several times."""
    places = np.repeat(np.arange(x.shape[axis]), repeats)
    made: Symbol = x[(slice(None),) * (axis % x.ndim) + (places,)]
    return made


_OF_NUMPY: dict[str, Callable[..., Any]] = {
    "take_along_axis": _take_along,
    "put_along_axis": _put_along,
    "tril": lambda self, x, k=0: _triangle(self, x, k, np.tril),
    "triu": lambda self, x, k=0: _triangle(self, x, k, np.triu),
    "roll": _roll,
    "repeat": _repeat,
    "tile": _tile,
    "squeeze": lambda self, x, axis=None: x.squeeze(axis),
    "flip": _flip,
    "cumsum": lambda self, x, axis, **options: x.cumsum(axis),
    "cumprod": lambda self, x, axis, **options: x.cumprod(axis),
    "prod": lambda self, x, axis=None, **options: x.prod(axis, options.get("keepdims", False)),
    "where": _where,
    "concatenate": _concatenate,
    "stack": _stack,
    "expand_dims": _expand_dims,
    "moveaxis": _moveaxis,
    "sum": lambda self, x, axis=None, **options: x.sum(axis, options.get("keepdims", False)),
    "max": lambda self, x, axis=None, **options: x.max(axis, options.get("keepdims", False)),
    "amax": lambda self, x, axis=None, **options: x.max(axis, options.get("keepdims", False)),
    "mean": lambda self, x, axis=None, **options: x.mean(axis, options.get("keepdims", False)),
    "reshape": lambda self, x, shape, **options: x.reshape(shape),
    "transpose": lambda self, x, axes=None: x.transpose(*(() if axes is None else (axes,))),
    "swapaxes": lambda self, x, a, b: x.swapaxes(a, b),
    "broadcast_to": lambda self, x, shape, **options: self._line("broadcast_to", x, shape=shape),
    "full_like": lambda self, x, value, **options: _full(
        self, lambda shape, dtype: np.full(shape, value, dtype), x, options
    ),
    "zeros_like": lambda self, x, **options: _full(self, np.zeros, x, options),
    "ones_like": lambda self, x, **options: _full(self, np.ones, x, options),
    "dot": lambda self, a, b: self._line("matmul", a, b),
    "copy": lambda self, x, **options: x.copy(),
    "shape": lambda self, x: x.shape,
    "ndim": lambda self, x: x.ndim,
    "size": lambda self, x: x.size,
}

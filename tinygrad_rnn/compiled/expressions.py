"""How the lines of a program read: names, expressions, comments."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_rnn.compiled.homes import index_text
from tinygrad_rnn.compiled.lines import uses
from tinygrad_rnn.compiled.spans import tiling
from tinygrad_rnn.compiled.symbols import VIEWS, Value, filled
from tinygrad_rnn.compiled.trace import COTANGENT

INFIX = {
    "add": ("+", 4), "subtract": ("-", 4), "multiply": ("*", 5), "divide": ("/", 5),
    "bitwise_and": ("&", 3), "bitwise_or": ("|", 3), "matmul": ("@", 5),
    "power": ("**", 7), "less_equal": ("<=", 2), "less": ("<", 2),
    "greater": (">", 2), "greater_equal": (">=", 2), "equal": ("==", 2), "not_equal": ("!=", 2),
}  # fmt: skip
"""Signs between two operands, and how tightly they bind."""
_SHORT = {"absolute": "abs"}
_ATOM, _UNARY = 9, 6
WIDTH, WIDEST = 88, 104
"""Of a line without its comment, and with it."""
BREAK = ",\0"  # where a line may be broken


HELPERS = {
    "sigmoid": ["def sigmoid(x):", "    return 1 / (1 + np.exp(-x))"],
    "_replaced": [
        "def _replaced(whole, index, part):", "    whole = whole.copy()",
        "    whole[index] = part", "    return whole",
    ],
    "_put": [
        "def _put(whole, index, part):", "    np.add.at(whole, index, part)", "    return whole",
    ],
}  # fmt: skip


# -- names ---------------------------------------------------------------------------------------


class Names:
    """What is called how: each name once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken) | {
            "np", "t", "T", "forward", "backward", "saved", "len", "range", "reversed", *HELPERS,
        }  # fmt: skip

    def new(self, wish: str) -> str:
        """A name that is free, near the one wished for."""
        name = re.sub(r"\W", "_", wish.replace(COTANGENT, "d")) or "v"
        if keyword.iskeyword(name) or not name.isidentifier():
            name = f"v_{re.sub('[^A-Za-z0-9_]', '_', name)}"
        free, n = name, 2
        while free in self._taken:
            free, n = f"{name}{n}", n + 1
        self._taken.add(free)
        return free

    def inside(self) -> Names:
        """Names of a part of the program, which may be used again elsewhere."""
        return Names(self._taken)


def commented(line: str, *comments: str) -> str:
    """A line with as much of what can be said of it as there is room for."""
    mark = "  # "
    for comment in comments:
        if comment and len(line) + len(mark) + len(comment) <= WIDEST:
            line, mark = f"{line}{mark}{comment}", ", "
    return line


class Body:
    """Lines of one function or loop, on the way: what values are called, and how they read."""

    def __init__(
        self, names: Names, steps: int, called: dict[Value, str], keep: Mapping[Value, str]
    ) -> None:  # fmt: skip
        self.names, self.steps = names, steps
        self.called, self.keep = called, keep
        self.written: dict[Value, tuple[str, int]] = {}

    def text(self, values: Sequence[Value], ends: Sequence[Value | None], indent: str) -> list[str]:
        """A line for what has a name or is read more than once; the rest stands inside these."""
        count, text = uses(ends), []
        for value in values:
            if value in self.called or value.fn in ("const", "input"):
                continue
            kept, expression = value in self.keep, self._expression(value)
            once = count[value] <= 1 and not value.name
            trivial = value.fn in VIEWS and not value.name
            if (once or trivial) and not kept and len(expression[0]) < WIDTH:
                self.written[value] = expression
                continue
            self.called[value] = self.keep[value] if kept else self.names.new(value.name or "v")
            line = f"{indent}{self.called[value]} = {expression[0]}"
            if len(line) > WIDTH and value.fn == "assemble":
                line = line.replace(BREAK, f",\n{indent}    ")
            text.append(commented(of_terms(line), *self._comments(value)))
        return text

    def _comments(self, value: Value) -> Iterator[str]:
        """What can be said of a line: its shape, whose gradient it is, by which rule."""
        yield f"({', '.join(['T' if n == self.steps else str(n) for n in value.shape])})"
        if value.name.startswith(COTANGENT):
            yield f"∂L/{value.name}"
        yield value.why

    def of(self, value: Value, above: int = 0) -> str:
        """A value where it is used, in brackets if what stands around binds more."""
        if value in self.called:
            return self.called[value]
        if value.fn == "const":
            number = _number(value.sample)
            return f"({number})" if number.startswith("-") and above else number
        text, strength = self.written.get(value) or self._expression(value)
        return f"({text})" if strength < above else text

    def _expression(self, value: Value) -> tuple[str, int]:
        fn, args, params = value.fn, value.args, value.params
        if fn in INFIX:
            sign, strength = INFIX[fn]
            less = args[-1]
            if fn == "add" and less.fn == "negative" and less not in self.called:
                sign, args = "-", (args[0], less.args[0])
            left, right = self.of(args[0], strength), self.of(args[1], strength + 1)
            return f"{left} {sign} {right}", strength
        if fn == "negative":
            return f"-{self.of(args[0], _UNARY)}", _UNARY
        if fn == "getitem":
            return f"{self.of(args[0], _ATOM)}{index_text(params['index'])}", _ATOM
        if fn == "transpose":
            plain = params["axes"] == tuple(range(len(value.shape)))[::-1]
            how = ".T" if plain else f".transpose{params['axes']}"
            return f"{self.of(args[0], _ATOM)}{how}", _ATOM
        if fn == "reshape":
            sizes = params["shape"] or "(())"
            return f"{self.of(args[0], _ATOM)}.reshape{sizes}", _ATOM
        given = [self.of(arg) for arg in args]
        if fn == "take":
            index = index_text(filled(params["index"], given[1:]))
            return f"{self.of(args[0], _ATOM)}{index}", _ATOM
        if fn == "put":
            index = index_alone(filled(params["index"], given[2:]))
            return f"_replaced({given[0]}, {index}, {given[1]})", _ATOM
        if fn == "add_at":
            index = index_alone(filled(params["index"], given[1:]))
            return f"_put({_zeros(value)}, {index}, {given[0]})", _ATOM
        if fn in ("cumsum", "cumprod"):
            return f"np.{fn}({given[0]}, {params['axis']})", _ATOM
        if fn == "sigmoid":
            return f"sigmoid({given[0]})", _ATOM
        if fn in ("sum", "max", "min", "mean", "prod"):
            axis = params["axis"][0] if len(params["axis"]) == 1 else params["axis"]
            more = ", keepdims=True" if params["keepdims"] else ""
            return f"{self.of(args[0], _ATOM)}.{fn}({axis}{more})", _ATOM
        if fn == "assemble":
            tiles = tiling(value)
            if tiles is not None:
                axis, parts = tiles
                row = BREAK.join(self.of(part) for _, part in parts)
                return f"np.concatenate([{row}], {axis})", _ATOM
            zero = _zeros(value)
            for part, index in zip(given, params["indices"], strict=True):
                zero = f"_put({zero}, {index_alone(index)}, {part})"
            return zero, _ATOM
        if fn == "concatenate":
            one = (slice(None),) * params["axis"] + (None,)
            if all(arg.fn == "getitem" and arg.params["index"] == one for arg in args):
                rows = ", ".join([self.of(arg.args[0]) for arg in args])
                axis = f", {params['axis']}" if params["axis"] else ""
                return f"np.stack([{rows}]{axis})", _ATOM
            return f"np.concatenate([{', '.join(given)}], {params['axis']})", _ATOM
        if fn == "astype":
            return f"{self.of(args[0], _ATOM)}.astype('{params['dtype'].char}')", _ATOM
        if fn == "broadcast_to":
            return f"np.broadcast_to({given[0]}, {params['shape']})", _ATOM
        return f"np.{_SHORT.get(fn, fn)}({', '.join(given)})", _ATOM


def _number(number: Any) -> str:
    array = np.asarray(number)
    if array.ndim == 0:
        number = array.item()
        is_whole = isinstance(number, float) and number.is_integer() and abs(number) < 1e6
        text = repr(int(number) if is_whole else number)
        return _finite(text)
    if array.dtype == np.int64 and np.array_equal(array.ravel(), np.arange(array.size)):
        shape = f".reshape{array.shape}" if array.ndim > 1 else ""
        return f"np.arange({array.size}){shape}"
    return _finite(f"np.array({array.tolist()}, '{array.dtype.char}')")


def _finite(number: str) -> str:
    """Numbers with NumPy's names for those that Python writes as it cannot read them."""
    return re.sub(r"\b(inf|nan)\b", r"np.\1", number)


def _zeros(like: Value) -> str:
    kind = "" if like.dtype == np.float64 else f", '{like.dtype.char}'"
    return f"np.zeros({like.shape}{kind})"


def index_alone(index: Sequence[Any]) -> str:
    """An index where it is not behind what it is an index of."""
    plain = all(isinstance(part, str | int) for part in index)
    if not plain:
        return f"np.s_{index_text(index)}"
    return str(index[0]) if len(index) == 1 else f"({', '.join(map(str, index))})"


def of_terms(line: str) -> str:
    """A long sum with its terms below each other."""
    head, equals, rest = line.partition(" = ")
    if len(line) <= WIDEST or "\n" in line or not equals:
        return line
    depth, start, terms = 0, 0, list[str]()
    for i, sign in enumerate(rest):
        depth += (sign in "([") - (sign in ")]")
        if not depth and rest[i : i + 3] in (" + ", " - "):
            terms.append(rest[start:i])
            start = i + 1
    inner = " " * (len(head) - len(head.lstrip()) + 4)
    if not terms:
        return line
    return "\n".join([f"{head} = (", *[inner + t for t in (*terms, rest[start:])], f"{inner[4:]})"])


def folded(head: str, names: Sequence[str], tail: str = "") -> list[str]:
    """A list of names, over several lines if it is long."""
    line = f"{head}{', '.join(names)}{tail}"
    if len(line) <= WIDTH:
        return [line]
    opened, closed = ("", "") if head.endswith("(") else ("(", ")")
    indent = " " * (len(head) - len(head.lstrip()) + 4)
    rows = textwrap.wrap(", ".join(names) + ",", WIDTH - len(indent))
    return [f"{head}{opened}", *[indent + row for row in rows], f"{indent[4:]}{closed}{tail}"]

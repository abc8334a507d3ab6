"""What the program calls a tensor on the line that made it, where lines were traced.

``h = tanh(x @ u)`` calls what was made last ``h``, ``x`` and ``u`` what it was made of. What a
function returns has besides the name that its caller gives to it. Where the source is not to be
had nothing is found.
"""

from __future__ import annotations

import ast
import linecache
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from types import CodeType, SimpleNamespace
from typing import Any, NamedTuple

from tinygrad_rnn.autograd.tracing import Trace
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.given import role_of
from tinygrad_rnn.writing.text import clean

Span = tuple[int, int, int, int]  # line and column of the first letter; of the end

_LIST = re.compile(r"\[(?:[^\W\d]\w*)?\]$")  # the end of a name whose index is a variable


def assigned(places: list[Node]) -> dict[Node, list[str]]:
    """The names that lines of the program gave to places, the innermost call's first.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.engine.graph import tape
    >>> with tg.bptt.traced():
    ...     w = tg.ones(2, requires_grad=True); y = w.exp()
    >>> list(assigned(tape([y.node])).values())
    [['y'], ['w']]
    """
    made: dict[int, list[Node]] = defaultdict(list)
    for place in places:
        if isinstance(place.tag.line, Trace) and place.tag.line.calls:
            made[place.tag.line.operation].append(place)
    found: dict[Node, list[str]] = defaultdict(list)
    handed: set[tuple[int, str]] = set()
    for nodes in reversed(made.values()):  # what a variable had last is what it returns
        _name_results(nodes, found, handed)
    turns: Counter[tuple[int, int]] = Counter()  # how often a call has come to an instruction
    for nodes in made.values():
        _name_operands(nodes, found)
        call = nodes[-1].tag.line.calls[-1]
        _name_in_turn(nodes[-1], turns[call.number, call.at], found)
        turns[call.number, call.at] += 1
    return dict(found)


def filled(place: Node, name: str) -> tuple[int, int] | None:
    """Which statement of which call filled a list with a place, if ``name`` is a member of one.

    That is one whose index the source does not tell: ``states[layer]``, or of ``outs.append(…)``
    what `assigned` calls ``outs[]``.
    """
    if not _LIST.search(name) or not isinstance(place.tag.line, Trace):
        return None
    for call in reversed(place.tag.line.calls):
        source, span = _of(call.code), _span(call.code, call.at)
        if source is not None and span is not None and name in source.targets.get(span, ()):
            return call.number, call.at
    return None


def _name_results(
    nodes: list[Node], found: dict[Node, list[str]], handed: set[tuple[int, str]]
) -> None:
    """Name what one call into this package returned, as the calls round it assigned that.

    ``handed`` has the variables of calls whose last values have been met already.
    """
    inside = {parent for node in nodes for parent in node.parents}
    results = [p for p in nodes if p not in inside and (not p.is_leaf or p.requires_grad)]
    place = Part(0, len(results))  # of the first of them among the values of the expression
    if not results:
        return
    for call in reversed(nodes[-1].tag.line.calls):
        source, span = _of(call.code), _span(call.code, call.at)
        if source is None or span is None:
            return
        targets = source.targets.get(span, ())
        if len(targets) == place.of:
            for result, target in zip(results, targets[place.number :]):
                if target and target not in found[result]:
                    found[result].append(target)
        target = targets[place.number] if len(targets) == place.of else ""
        returned = source.returned(span, target.removesuffix("[]"))
        if returned is None or len(results) > 1 or (call.number, target) in handed:
            return
        if target:
            handed.add((call.number, target))
        place = returned


def _name_in_turn(node: Node, turn: int, found: dict[Node, list[str]]) -> None:
    """Name a member of ``i, f, o = (sigmoid(a) for a in parts)``."""
    call = node.tag.line.calls[-1]
    source, span = _of(call.code), _span(call.code, call.at)
    names = source.members.get(span, ()) if source is not None and span is not None else ()
    if names and (name := names[turn % len(names)]):  # the next step begins anew
        found[node].append(name)


def _name_operands(nodes: list[Node], found: dict[Node, list[str]]) -> None:
    """Name the constants, and other tensors without a line, that a call was given."""
    call = nodes[-1].tag.line.calls[-1]
    source, span = _of(call.code), _span(call.code, call.at)
    written = source.operands.get(span, ()) if source is not None and span is not None else ()
    made = {node for node in nodes if not node.is_leaf}
    all_given = [p for node in nodes if not node.is_leaf for p in _with_rules(node)]
    given = [p for p in dict.fromkeys(all_given) if p not in made]
    data = [p for p in given if role_of(p) != "parameter"]
    for operands in written:
        for read in (given, data):
            if len(read) == len(operands):
                for place, name in zip(read, operands):
                    if name and place.is_leaf and name not in found[place]:
                        found[place].append(name)
                return


def _with_rules(node: Node) -> list[Node]:
    """The operands that can have a derivative: of a dropout not the mask."""
    primitive = node.primitive
    if primitive.joint or not primitive.rules:
        return list(node.parents)
    return [parent for parent, rule in zip(node.parents, primitive.rules) if rule]


# -- the program's text ----------------------------------------------------------------------------


def _span(code: CodeType, at: int) -> Span | None:
    """Which piece of source an instruction stands for."""
    if sys.version_info < (3, 11):
        return _deduced_span(code, at)
    line, end_line, column, end = next(islice(code.co_positions(), at // 2, None), (None,) * 4)
    if line is None or end_line is None or column is None or end is None:
        return None
    return line, column, end_line, end


@lru_cache(4096)
def _deduced_span(code: CodeType, at: int) -> Span | None:
    """The same before Python 3.11, whose instructions know their line only.

    `executing` compiles pieces of the line until the instruction is among what comes of one.
    """
    from executing import Source  # which is installed on these Pythons only

    line = next((line for start, end, line in code.co_lines() if start <= at < end), None)
    if line is None:
        return None
    frame: Any = SimpleNamespace(f_code=code, f_lasti=at, f_lineno=line, f_globals={})
    node = Source.executing(frame).node
    return None if node is None else _place(node)


def _of(code: CodeType) -> _Source | None:
    return _read("".join(linecache.getlines(code.co_filename)))


@lru_cache(64)
def _read(text: str) -> _Source | None:
    try:
        return _Source(ast.parse(text)) if text else None
    except (SyntaxError, ValueError, RecursionError):
        return None


class Part(NamedTuple):
    """Which of several values something is."""

    number: int
    of: int


class _Function(NamedTuple):
    """The variables that a function hands to its caller."""

    first: int
    last: int
    names: dict[str, Part]


class _Source:
    """A program's pieces: to what they are assigned, and what they are computed of."""

    def __init__(self, tree: ast.Module) -> None:
        self.targets: dict[Span, tuple[str, ...]] = {}
        self.operands: dict[Span, list[tuple[str, ...]]] = {}
        self.members: dict[Span, tuple[str, ...]] = {}  # in turn, of what is made for each of many
        self._values: dict[Span, Part] = {}  # of return and yield
        self._functions: list[_Function] = []
        for at in ast.walk(tree):
            self._look(at)

    def returned(self, span: Span, target: str) -> Part | None:
        """As which value a function hands out what it made here: at once, or as a variable."""
        if span in self._values:
            return self._values[span]
        around = [f for f in self._functions if f.first <= span[0] <= f.last]
        inner = max(around, key=lambda each: each.first, default=None)
        return None if inner is None else inner.names.get(target)

    def _look(self, at: ast.AST) -> None:
        if isinstance(at, ast.Assign):
            for target in at.targets:
                self._bind(target, at.value)
        elif isinstance(at, ast.AnnAssign | ast.NamedExpr) and at.value is not None:
            self._bind(at.target, at.value)
        elif isinstance(at, ast.AugAssign):
            self._put(at, _name(at.target))
            self.operands[_place(at)] = [(_name(at.target), _name(at.value))]
        elif isinstance(at, ast.For | ast.comprehension):
            self._iterate(at.target, at.iter)
        elif isinstance(at, ast.Return | ast.Yield) and at.value is not None:
            self._values |= {_place(value): part for value, part in _returns(at.value)}
        elif isinstance(at, ast.Lambda):
            self._values |= {_place(value): part for value, part in _returns(at.body)}
        elif isinstance(at, ast.BinOp):
            self.operands[_place(at)] = [(_name(at.left), _name(at.right))]
        elif isinstance(at, ast.Call):
            self._call(at)
        elif isinstance(at, ast.FunctionDef):
            values = [r.value for r in ast.walk(at) if isinstance(r, ast.Return | ast.Yield)]
            each = [one for value in values if value for one in _returns(value)]
            names = {name: part for value, part in each if (name := _name(value))}
            self._functions.append(_Function(at.lineno, at.end_lineno or at.lineno, names))

    def _put(self, at: ast.AST, *names: str) -> None:
        if any(names):
            self.targets.setdefault(_place(at), names)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                for one, each in zip(target.elts, value.elts):
                    self._bind(one, each)
                return
            names = tuple(map(_name, target.elts))
            if isinstance(value, ast.GeneratorExp | ast.ListComp):
                self.members[_place(value.elt)] = names
            self._put(value, *names)
            return
        if isinstance(target, ast.Subscript):
            self._put(target, _name(target.value))  # the whole, after the part is written
            self._put(value, ast.unparse(target))
            return
        self._put(value, _name(target))
        if isinstance(value, ast.IfExp):
            self._bind(target, value.body)
            self._bind(target, value.orelse)

    def _iterate(self, target: ast.expr, over: ast.expr) -> None:
        """``for x in xs``: what is taken from ``xs`` is called ``x``."""
        if isinstance(over, ast.Call) and isinstance(over.func, ast.Name):
            if over.func.id == "enumerate" and isinstance(target, ast.Tuple) and over.args:
                self._iterate(target.elts[-1], over.args[0])
        elif isinstance(target, ast.Name):
            self._put(over, target.id)

    def _call(self, at: ast.Call) -> None:
        given = [*at.args, *(word.value for word in at.keywords)]
        names = tuple(_name(each) for one in given for each in _parts(one))
        choices = [names]
        if isinstance(at.func, ast.Attribute):
            choices.append((_name(at.func.value), *names))
            is_list = isinstance(at.func.value, ast.Name) and len(at.args) == 1
            if at.func.attr == "append" and is_list:
                self._put(at.args[0], f"{name}[]" if (name := _name(at.func.value)) else "")
        self.operands[_place(at)] = choices


def _returns(value: ast.expr) -> Iterator[tuple[ast.expr, Part]]:
    """The values that a function returns, one or several."""
    several = value.elts if isinstance(value, ast.Tuple) else [value]
    for i, each in enumerate(several):
        yield each, Part(i, len(several))


def _parts(given: ast.expr) -> Iterator[ast.expr]:
    """What an argument holds, but for numbers and texts."""
    if isinstance(given, ast.Tuple | ast.List):
        for each in given.elts:
            yield from _parts(each)
    elif not isinstance(given, ast.Constant):
        yield given


def _name(at: ast.expr) -> str:
    """A variable, the attribute, or the place in a list that an expression is; "" for others."""
    if isinstance(at, ast.Name):
        return "" if at.id.startswith("_") else clean(at.id)
    if isinstance(at, ast.Attribute):
        return clean(at.attr)
    if isinstance(at, ast.Starred):
        return ""
    if isinstance(at, ast.Subscript):
        whole, index = _name(at.value), at.slice
        is_place = isinstance(index, ast.Constant) and whole
        return f"{whole}[{ast.unparse(index)}]" if is_place else whole
    return ""


def _place(at: ast.AST) -> Span:
    return at.lineno, at.col_offset, at.end_lineno, at.end_col_offset  # type: ignore[attr-defined]

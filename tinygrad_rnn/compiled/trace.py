"""One step of a recurrence as two lists of NumPy's functions: the step, and its backward.

The step is run once on tensors.  The forwards of what it recorded are then fed symbols, and so are
their rules, by the engine's own walk: nothing is derived here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinygrad_rnn.autograd.tracing import Naming
from tinygrad_rnn.compiled import integers
from tinygrad_rnn.compiled.lines import lines
from tinygrad_rnn.compiled.symbols import Book, CannotWrite, Symbol, Value
from tinygrad_rnn.engine.graph import Node, leaf, place
from tinygrad_rnn.engine.memory import tick, version
from tinygrad_rnn.engine.mode import Mode, Tag, here
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.engine.traversal import walk
from tinygrad_rnn.tensor import Tensor, wrap
from tinygrad_rnn.tensor.generator import default_generator

Array = np.ndarray[Any, Any]
Flat = Sequence[Tensor]
COTANGENT = "∂"
"""What the name of ∂L/∂h begins with."""
StepFunction = Callable[[Flat, Flat, Flat], tuple[Flat, Flat]]
"""(state, what comes in, what is the same at every step) -> (the next state, what goes out)."""


@dataclass(frozen=True)
class Traced:
    """A step and its backward as lines of a program.

    Attributes
    ----------
    states, xs, consts : lists of Value
        What the step is given: from the step before, from the sequences, always the same.
    next_states, ys : lists of Value
        What it makes.
    g_states, g_ys : lists of Value
        What its backward is given: the cotangents of these.
    d_states, d_xs, d_consts : lists of Value or None
        What the backward makes; ``None``: nothing comes there.
    """

    book: Book
    states: list[Value]
    xs: list[Value]
    consts: list[Value]
    next_states: list[Value]
    ys: list[Value]
    g_states: list[Value]
    g_ys: list[Value]
    d_states: list[Value | None]
    d_xs: list[Value | None]
    d_consts: list[Value | None]
    places: list[Place] = field(default_factory=list)


class Place(NamedTuple):
    """An operation of a step: its name, its own numbers, and the line that asked for it, if known.

    The line is looked for only when something has to be said of it.
    """

    name: str
    numbers: str
    line: Any


def traced(
    step: StepFunction,
    states: Sequence[Array],
    xs: Sequence[Array],
    consts: Flat,
    captured: Flat = (),
    check: bool = True,
    wants: Sequence[bool] | None = None,
    mode: type[Mode] = Mode,
) -> Traced:
    """Trace a step.

    Parameters
    ----------
    step : function of lists of tensors, see `StepFunction`
    states, xs : sequences of ndarray
        Examples of what it is given at one step.
    consts : sequence of Tensor
        What is the same at every step, and given to it.
    captured : sequence of Tensor
        What is the same at every step, and known to it: they follow in ``Traced.consts``. What else
        it uses is a constant of the program.
    check : bool
        Whether to compare the lines with the numbers of the step and of its ordinary walk.
    wants : sequence of bool, optional
        Of states, xs and consts together: which want a gradient; all floating-point ones unless
        told otherwise.

    Raises
    ------
    CannotWrite
        If the step does something that cannot be written; the message names the operation.
    """
    outer, places = here.mode, [x.node for x in captured]
    here.mode = mode(True, float("inf"), Tag())
    try:
        for x in captured:  # the program ends at them
            x.node = leaf(x.array, x.array.dtype.kind == "f")
        start = tick()
        arrays = [[*states], [*xs], [x.array for x in consts]]
        floats = [a.dtype.kind == "f" for group in arrays for a in group]
        want = iter(floats if wants is None else wants)
        one, two, fixed = ([_own(array, next(want)) for array in group] for group in arrays)
        handed = [list(map(_handed, group)) for group in (one, two, fixed)]  # no leaves: a change
        watched = [*itertools.chain(*handed), *captured]  # in place is seen, not refused as such
        before = [version(x.array) for x in watched]
        next_states, ys = step(*handed)
        if before != [version(x.array) for x in watched]:
            raise CannotWrite("a change in place of what the step was given")
        fixed += captured
        return _written(one, two, fixed, list(next_states), list(ys), start, check)
    finally:
        here.mode = outer
        for x, at in zip(captured, places, strict=True):
            x.node = at


def _own(array: Array, wanted: bool) -> Tensor:
    """A tensor of one's own; if a gradient is wanted, all that is computed of it is recorded."""
    own = wrap(integers.known(array), None)
    own.node = leaf(own.array, wanted)
    return own


def _handed(own: Tensor) -> Tensor:
    return own.clone() if own.requires_grad else own


def _written(
    states: Flat, xs: Flat, consts: Flat, next_states: Flat, ys: Flat, start: int, check: bool
) -> Traced:
    book, known = Book(), {}
    groups = {"states": states, "xs": xs, "consts": consts}
    values: dict[str, Any] = {
        name: [book.input(np.asarray(x.array), role=name, index=i) for i, x in enumerate(group)]
        for name, group in groups.items()
    }
    for name, group in groups.items():
        for x, value in zip(group, values[name], strict=True):
            if x.node is not None:
                known[x.node] = Symbol(book, value)
    outputs = [*next_states, *ys]
    nodes = _made(outputs, start, known)
    expected = walk(_roots(outputs, [x.array for x in outputs]), retain_graph=True)
    symbols = [
        (x.array, Symbol(book, value))
        for name, group in groups.items()
        for x, value in zip(group, values[name], strict=True)
    ]
    places = []
    for node in nodes:
        node.params = integers.with_symbols(node.params, symbols)
        if not node.is_leaf:
            places.append(_place(node, known))
        _write(node, book, known, check)
    made = [_symbol(x, book, known) for x in outputs]
    incoming = [book.input(x.array, role="cotangent", index=i) for i, x in enumerate(outputs)]
    arrived = _walked(_roots(outputs, [Symbol(book, value) for value in incoming]))
    for node, g in expected.items():
        if check and node in arrived and not _agrees(arrived[node], g):
            raise CannotWrite("a derivative rule that computes otherwise when it is written down")
    results: dict[str, Any] = {
        f"d_{name}": [_arrived(arrived, x) for x in group] for name, group in groups.items()
    }
    count = len(next_states)
    return Traced(
        book, **values,
        next_states=[x.value for x in made[:count]], ys=[x.value for x in made[count:]],
        g_states=incoming[:count], g_ys=incoming[count:],
        **results, places=places,
    )  # fmt: skip


def _walked(roots: dict[Node, Any]) -> dict[Node, Any]:
    """The engine's own walk, of symbols."""
    visited: list[Node] = []

    def seen(node: Node, g: Any, sent: Any) -> None:
        visited.append(node)
        _describe(node, g, sent)

    try:
        return walk(roots, create_graph=True, observer=seen)
    except (CannotWrite, TypeError, AttributeError, ValueError) as error:
        waiting = {parent for node in visited for parent in node.parents} | set(roots)
        at = max(waiting.difference(visited), key=lambda node: (node.requires_grad, node.order))
        what = f"{at.primitive.name}: its derivative rule ({error})"
        raise CannotWrite(what, at.tag.line) from None


def _place(node: Node, known: dict[Node, Symbol]) -> Place:
    """An operation, and all numbers that it does not get from others."""
    constants = [at for at in node.parents if at in known and known[at].value.fn == "const"]
    own = [np.asarray(at.value).tolist() for at in constants]
    return Place(node.primitive.name, repr((node.params, own)), node.tag.line)


def _roots(outputs: Flat, gs: Sequence[Any]) -> dict[Node, Any]:
    """Where a walk begins: the cotangents of places, of which several outputs may be one."""
    roots: dict[Node, Any] = {}
    for x, g in zip(outputs, gs, strict=True):
        if x.requires_grad:
            at = place(x)
            roots[at] = roots[at] + g if at in roots else g
    return roots


def _agrees(made: Any, array: Any) -> bool:
    """Whether the sample of a symbol is what was computed without symbols."""
    sample = made.value.sample if isinstance(made, Symbol) else made
    same = np.shape(sample) == np.shape(array) and np.asarray(sample).dtype == array.dtype
    return same and np.allclose(sample, array, rtol=1e-3, atol=1e-5, equal_nan=True)


def _made(outputs: Flat, start: int, known: dict[Node, Symbol]) -> list[Node]:
    """The nodes that the step made, oldest first."""
    stack = [x.node for x in outputs if x.node is not None]
    seen = set(stack)
    while stack:
        node = stack.pop()
        if node.order < start and node not in known and node.requires_grad:
            raise CannotWrite(
                f"a tensor of shape {node.shape} that requires grad and was made outside the step"
            )
        if node.order >= start:
            fresh = [parent for parent in node.parents if parent not in seen]
            seen.update(fresh)
            stack.extend(fresh)
    return sorted((node for node in seen if node not in known), key=lambda node: node.order)


def _write(node: Node, book: Book, known: dict[Node, Symbol], check: bool) -> None:
    """Write down what a node computes, and let its rules find symbols."""
    if node.is_leaf:
        if node.value is None:
            raise CannotWrite(f"a constant of shape {node.shape}, whose numbers nobody kept")
        known[node] = Symbol(book, book.const(node.value))
        return
    name, where = node.primitive.name, node.tag.line
    if not isinstance(node.primitive, Primitive):
        raise CannotWrite(f"{name}: it has a derivative of its own", where)
    if node.notes is not None and node.notes.attentive:
        raise CannotWrite(f"{name}: somebody watches its gradient", where)
    operands = [known[parent] for parent in node.parents]
    try:
        made = node.primitive.forward(*operands, **node.params)
        if not isinstance(made, Symbol) or (check and not _agrees(made, np.asarray(node.value))):
            raise CannotWrite("its forward, which computes otherwise when it is written down")
    except CannotWrite as error:
        raise CannotWrite(f"{name}: {error}", where) from None
    except (TypeError, AttributeError, ValueError) as error:
        raise CannotWrite(f"{name}: its forward ({error})", where) from None
    if node.notes is not None and node.notes.name and not made.value.name:
        made.value.name = node.notes.name
    known[node], node.saved = made, (*operands, made)


def _describe(node: Node, g: Any, sent: Any) -> None:
    """A cotangent is called after what it is of; what is sent on is made by a rule."""
    named = node.notes is not None and node.notes.name
    if named and isinstance(g, Symbol) and g.value.fn != "input" and not g.value.name:
        g.value.name = f"{COTANGENT}{named}"
    if isinstance(node.primitive, Primitive):
        joint = node.primitive.joint
        rules = [joint] * len(sent) if joint else node.primitive.rules
        for c, rule in zip(sent, rules):
            passed_on = not isinstance(c, Symbol) or c.value is getattr(g, "value", None)
            if not passed_on and rule is not None and not c.value.why:
                c.value.why = f"{node.primitive.name}: {rule.formula}" if rule.formula else ""


def _symbol(x: Tensor, book: Book, known: dict[Node, Symbol]) -> Symbol:
    return known[x.node] if x.node in known else Symbol(book, book.const(x.array))


def _arrived(arrived: dict[Node, Any], x: Tensor) -> Value | None:
    found = arrived.get(x.node) if x.node is not None else None
    return found.value if isinstance(found, Symbol) else None


def verified(
    step: StepFunction, states: Sequence[Array], xs: Sequence[Array], captured: Flat,
    known: Sequence[Array] | None = None,
) -> Traced:  # fmt: skip
    """A trace that says the same as others, on quite different numbers.

    What a step decides by numbers, or computes without a derivative (a comparison, the place of a
    maximum, what was detached), stands in a trace as a constant; others have another one there.

    ``known``: of what comes in all that is known, such as whole sequences: other integers are
    taken from there.
    """
    drawn = default_generator.get_state().array.copy()
    numbers = np.random.default_rng(0)
    ends = [integers.bounds(array) for array in known or xs]
    xs = integers.others(xs, ends, numbers)
    found = _traced_or_named(step, states, xs, captured)
    if (default_generator.get_state().array != drawn).any():
        raise CannotWrite("random numbers, which differ from step to step")
    expected, arrays = text_of(found), [x.array for x in captured]
    try:
        for signs in _SIGNS:
            one, two, three = (
                [_other(array, sign, numbers) for array in group]
                for group, sign in zip((states, xs, arrays), signs, strict=True)
            )
            two = integers.others(two, ends, numbers)
            for x, array in zip(captured, three, strict=True):
                x.array = array
            with np.errstate(all="ignore"):
                again = _traced_or_named(step, one, two, captured, check=False)
                if text_of(again) != expected:
                    other = traced(step, one, two, (), captured, check=False, mode=Naming)
                    break
        else:
            return found
    finally:
        for x, array in zip(captured, arrays, strict=True):
            x.array = array
    one_way = traced(step, states, xs, (), captured, mode=Naming)
    where = _parting(one_way.places, other.places)
    raise CannotWrite("a decision that depends on the numbers of a tensor", where)


def _traced_or_named(
    step: StepFunction, states: Sequence[Array], xs: Sequence[Array], captured: Flat,
    check: bool = True,
) -> Traced:  # fmt: skip
    """A trace; if there can be none, the error says at which line."""
    try:
        return traced(step, states, xs, (), captured, check)
    except CannotWrite:
        traced(step, states, xs, (), captured, check, mode=Naming)
        raise


def _parting(one: Sequence[Place], other: Sequence[Place]) -> Any:
    """The line at which two ways of one step part."""
    for a, b in itertools.zip_longest(one, other):
        if a is None or b is None or a != b:
            return (a or b).line
    return ""


_SIGNS = ((1, -1, 1), (-1, 1, -1), (1, 1, -1), (-1, -1, 1), (0, 0, 0), (None, None, None))
"""Of states, sequences and tensors that the step knows; ``None``: of either sign."""


def _other(array: Array, sign: int | None, numbers: np.random.Generator) -> Array:
    """Other numbers in the place of floating-point ones: large, with one sign, or zero."""
    if array.dtype.kind != "f":
        return array
    drawn = numbers.normal(size=array.shape)
    return np.asarray(drawn if sign is None else sign * (100 + abs(drawn))).astype(array.dtype)


def text_of(step: Traced) -> list[Any]:
    """All that a traced step computes, by which two traces can be compared."""
    ends = [*step.next_states, *step.ys, *step.d_states, *step.d_xs, *step.d_consts]
    written: list[Any] = [None if end is None else end.number for end in ends]
    for value in lines(ends):
        args = [arg.number for arg in value.args]
        number = np.asarray(value.sample).tolist() if value.fn == "const" else None
        written.append((value.number, value.fn, args, repr(value.params), repr(number)))
    return written

"""Why a gradient is zero: followed back to where something came, and nothing went on.

A rule is linear in what comes to it, so it can be asked: with other numbers at the places where
something came.  If nothing goes on then either, the operation lets nothing through there.  If
something does, a part of what came is sent alone: when that goes on, parts cancel; when no part
does, the products were too small for the type of their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record, Visit, expect_record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.engine.sums import dense, fitted
from tinygrad_rnn.operations.decomposition import LinAlgError
from tinygrad_rnn.operations.traits import is_linear, moves_only, traits_of
from tinygrad_rnn.reading.given import role_of, was_detached
from tinygrad_rnn.reading.layers import Layer, where
from tinygrad_rnn.reading.names import names
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.writing.formulas import without_step
from tinygrad_rnn.writing.rules import rule, uses
from tinygrad_rnn.writing.text import Report, clean

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
_PARTS = 16  # of what came that are sent alone; each leaves out any element with a chance of ½


def why_zero(record: Record, tensor: Tensor | Node, at: Any = ...) -> WhyZero:
    """Why a tensor has no gradient, or one of zeros.

    Each reason holds for this walk, by its numbers: what is called saturated has a slope of 0, what
    is called too small would arrive if it were larger.  All elements asked for are 0 for the
    reasons told together; where a weight serves many steps, each may have its own.

    Parameters
    ----------
    record : Record
    tensor : Tensor or Node
    at : index, optional
        Which elements are meant, as in ``tensor[at]``: by default all. So is asked for one unit.

    Returns
    -------
    WhyZero
        Prints as a table; a sequence of `Reason`.

    Raises
    ------
    TypeError
        If these are not a record and a tensor.
    ValueError
        If what is asked for is not zero.
    IndexError
        If the tensor has no such elements, or what is asked for is none.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> rnn = tg.nn.RNN(2, 3)
    >>> output, _ = rnn(tg.randn(1, 2))
    >>> print(why_zero(tg.bptt.record(output.sum()), rnn.weight_hh_l0))
    Why the gradient of weight_hh_l0 is 0
      reason       where               what
      zero factor  rnn layer 0, t = 1  what it is multiplied by, h₀, is 0: an initial state
    """
    expect_record(record, "why_zero")
    place = record.place_of(tensor, "why_zero")
    told = Zeros(record)
    if place is None or place not in told.known:
        return _of_a_stranger(tensor)
    mask = np.zeros(place.shape, bool)
    try:
        mask[at] = True
    except IndexError as error:
        raise IndexError(f"why_zero: {told.called[place]} has no such elements: {error}") from None
    if not mask.any() and mask.size:
        raise IndexError(f"why_zero: at={at!r} is no element of {told.called[place]}")
    gradient = record.gradient(place)
    if gradient is not None and np.any(np.asarray(gradient)[mask]):
        raise ValueError(
            f"why_zero: the gradient of {told.called[place]} is not 0 there; say which elements "
            "are, by at="
        )
    return WhyZero(told.called[place], told.why(place, mask))


@dataclass(frozen=True)
class Reason:
    """One reason for which a gradient is zero.

    Attributes
    ----------
    kind : str
        "needs none", "detached", "no path", "begins with 0"; "dead unit", "saturated", "zero
        factor", "flat", "closed" (the operation lets nothing through, for another reason), "too
        small", "cancels", "hook", "function" (a `Function` sent nothing).
    where : str
        Layer and time steps.
    what : str
        What was found there.
    visits : tuple of int
        The numbers of the visits at which it ends.
    steps : tuple of int
        Their time steps, in order.
    """

    kind: str
    where: str
    what: str
    visits: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()


class WhyZero(Report):
    """Why a gradient is zero: a sequence of reasons.

    Attributes
    ----------
    tensor : str
        What it is called.
    reasons : tuple of Reason
    """

    def __init__(self, tensor: str, reasons: Sequence[Reason]) -> None:
        self.tensor, self.reasons = tensor, tuple(reasons)

    @property
    def heading(self) -> str:
        """The line above the table."""
        return f"Why the gradient of {self.tensor} is 0"

    def __iter__(self) -> Iterator[Reason]:
        return iter(self.reasons)

    def __len__(self) -> int:
        return len(self.reasons)

    def __getitem__(self, index: int) -> Reason:
        return self.reasons[index]

    def rows(self) -> list[list[str]]:
        """The table's rows: kind, place, what was found."""
        return [["reason", "where", "what"], *([r.kind, r.where, r.what] for r in self.reasons)]


@dataclass(frozen=True)
class _Stop:
    """Where a zero begins: at a visit, or at a place to which nothing came.

    ``what`` is said ``about`` some places, whose names stand where it has {}.
    """

    kind: str
    what: str
    place: Node
    about: tuple[Node, ...] = ()
    visit: int | None = None


class Zeros:
    """The zeros of one walk, whose reasons are found as they are asked for.

    Attributes
    ----------
    record : Record
    known : set of Node
        All places of the graph.
    called : dict of str, by place
    """

    def __init__(self, record: Record, called: Mapping[Node, str] | None = None) -> None:
        self.record, self.known, self._called = record, set(record.places), called
        self._uses: dict[Node, list[tuple[Visit, int]]] = {}
        for visit in record.visits:
            for operand, parent in enumerate(visit.node.parents):
                self._uses.setdefault(parent, []).append((visit, operand))
        self._sources: dict[Node, _Source] = {}
        self._found: dict[tuple[Node, bytes], dict[_Stop, None]] = {}

    @cached_property
    def called(self) -> Mapping[Node, str]:
        """What places are called, where nobody has said it."""
        given = self._called
        return names(self.record.places, self.record.called) if given is None else given

    def why(self, place: Node, mask: Mask | None = None) -> list[Reason]:
        """The reasons for which a place has no gradient, or zeros where the mask is true."""
        mask = np.ones(place.shape, bool) if mask is None else mask
        groups: dict[tuple[str, str], list[_Stop]] = {}
        for stop in self._stops(place, mask):
            timeless = stop.what.format(*(without_step(self.called[at]) for at in stop.about))
            groups.setdefault((Layer.of(stop.place).spoken, timeless), []).append(stop)
        return [self._reason(*key, stops) for key, stops in groups.items()]

    def _reason(self, layer: str, timeless: str, stops: list[_Stop]) -> Reason:
        """What is the same at several steps is said once."""
        first, *others = stops
        what = timeless if others else first.what.format(*(self.called[at] for at in first.about))
        steps = [stop.place.tag.step for stop in stops]
        known = tuple(sorted({step for step in steps if step is not None}))
        visits = tuple(sorted({stop.visit for stop in stops if stop.visit is not None}))
        return Reason(first.kind, where(layer, steps), what, visits, known)

    def visits(self, place: Node) -> list[Visit]:
        """The visits to which something came, and that sent nothing on towards a place."""
        stops = self._stops(place, np.ones(place.shape, bool))
        numbers = sorted({stop.visit for stop in stops if stop.visit is not None})
        return [self.record.visits[number - 1] for number in numbers]

    def _stops(self, place: Node, mask: Mask) -> dict[_Stop, None]:
        """Where the zeros begin.  Nothing recurses: a graph may be a million steps deep."""
        asked = [(place, mask)]
        order: list[tuple[tuple[Node, bytes], list[tuple[Node, bytes]]]] = []
        while asked:
            at, which = asked.pop()
            key = at, which.tobytes()
            if key in self._found:
                continue
            own, further = self._look(at, which)
            self._found[key] = dict.fromkeys(own)
            order.append((key, [(node, part.tobytes()) for node, part in further]))
            asked += further
        for key, further_keys in sorted(order, key=lambda entry: -entry[0][0].order):
            for other in further_keys:  # which are younger, and complete
                self._found[key] |= self._found[other]
        return self._found[place, mask.tobytes()]

    def _look(self, place: Node, mask: Mask) -> tuple[list[_Stop], list[tuple[Node, Mask]]]:
        """What is to be said at a place itself, and the places of whose zeros its own are made."""
        if not place.requires_grad:
            return [self._needs_none(place)], []
        received = [
            (visit, operand, visit.contribution(operand))
            for visit, operand in self._uses.get(place, ())
        ]
        if place is self.record.root and not received:
            what = "the gradient that the walk began with is 0 there"
            return [_Stop("begins with 0", what, place)], []
        if not received:
            what = "nothing that led to the result, and needs a gradient, has used it"
            return [_Stop("no path", what, place)], []
        if any(c is not None and np.any(c[mask]) for _, _, c in received):
            return [self._undone(place, mask, [c for _, _, c in received if c is not None])], []
        stops: list[_Stop] = []
        further: list[tuple[Node, Mask]] = []
        for visit, operand, sent in received:
            if sent is None:
                what = f"the backward of {_operation(visit.node)} returned None for it"
                stops.append(_Stop("function", what, visit.node, (), visit.number))
                continue
            local = _Local(self.record, visit, self._source(visit.node), operand, mask)
            if local.has_come:
                stops.append(_Stop(*self._verdict(local), visit.number))
            others = local.behind & ~local.support
            if others.any() and (not local.has_come or local.lets_through(others)):
                further.append((visit.node, others))
        if not stops and not further:
            stops = [_Stop("no path", "what uses it reads other elements of it", place)]
        return stops, further

    def _source(self, node: Node) -> _Source:
        if node not in self._sources:
            self._sources[node] = _Source(self.record, node)
        return self._sources[node]

    def _needs_none(self, place: Node) -> _Stop:
        if was_detached(place):
            return _Stop("detached", "it was detached: gradients do not go back from here", place)
        return _Stop("needs none", "it needs none: requires_grad is not set", place)

    def _undone(self, place: Node, mask: Mask, sent: list[Array]) -> _Stop:
        """Something came, but the gradient is 0: its parts cancel, or a hook made it so."""
        with np.errstate(all="ignore"):
            if np.any(sum(c[mask] for c in sent)):
                return _Stop("hook", "a hook made the gradient of {} 0", place, (place,))
        return _Stop("cancels", f"the {len(sent)} contributions to {{}} cancel", place, (place,))

    # -- what stops at one visit -------------------------------------------------------------

    def _verdict(self, local: _Local) -> tuple[str, str, Node, tuple[Node, ...]]:
        """Why something came to a visit, and nothing went on."""
        node = local.visit.node
        if not isinstance(node.primitive, Primitive):
            return "function", f"the backward of {_operation(node)} made of it 0", node, ()
        if local.is_closed:
            return self._closed(local)
        if local.cancels:
            return "cancels", "the parts of what {} sends to it cancel", node, (node,)
        kind = local.visit.cotangent.dtype.name
        return "too small", f"what {{}} sends to it is too small for {kind}", node, (node,)

    def _closed(self, local: _Local) -> tuple[str, str, Node, tuple[Node, ...]]:
        """Which property of an operation lets nothing through where something came."""
        node, traits, operation = local.visit.node, local.traits, _operation(local.visit.node)
        if rule(node, local.operand) == "0":
            return (
                "flat",
                f"{{}} is made by {operation}, whose slope is 0 everywhere",
                node,
                (node,),
            )
        output = np.asarray(self.record.value(node))[local.support]
        if traits.squashes and np.isin(output, traits.squashes).all():
            what = f"{{}}, made by {operation}, is at the end of its range there: its slope is 0"
            return "saturated", what, node, (node,)
        if traits.activation and not np.any(output):
            what = f"{{}}, made by {operation}, is 0 there, and so is its slope"
            return "dead unit", what, node, (node,)
        for factor in uses(node, local.operand):
            if factor is not node and local.is_zero(factor):
                what = self._times(factor, node.parents[local.operand])
                return "zero factor", what, node, (factor,)
        why = _plain(traits.stops or "its rule gives 0 there")
        return "closed", f"{{}}, made by {operation}, lets nothing through: {why}", node, (node,)

    def _times(self, factor: Node, receiver: Node) -> str:
        if factor is receiver:
            return "{} is 0 there, and so is the slope"
        value = self.record.value(factor)
        somewhere = "" if value is None or not np.any(value) else " there"
        initial = ": an initial state" if _is_initial(factor) else ""
        return f"what it is multiplied by, {{}}, is 0{somewhere}{initial}"


def _is_initial(place: Node) -> bool:
    return place.is_leaf and not place.requires_grad and role_of(place) == "state"


def _operation(node: Node) -> str:
    return _plain(clean(node.primitive.name))


def _plain(text: str) -> str:
    """A text whose braces are no places for names."""
    return text.replace("{", "{{").replace("}", "}}")


def _of_a_stranger(tensor: Any) -> WhyZero:
    """Of a tensor that is not in the walk's graph."""
    called = clean(getattr(tensor, "name", None) or "") or "this tensor"
    if not tensor.requires_grad:
        return WhyZero(
            called, [Reason("needs none", "", "it needs none: requires_grad is not set")]
        )
    what = "no operation of the walk's graph has used it, or only what was detached from it"
    return WhyZero(called, [Reason("no path", "", what)])


class _Source:
    """What rules see of a node: with what they asked for, though the walk has freed it."""

    def __init__(self, record: Record, node: Node) -> None:
        self.node, self.params, self.parents = node, node.params, node.parents
        self.saved = record.saved(node)


class _Local:
    """One operand of one visit: what came, where it came, and what the rule does with it.

    Attributes
    ----------
    behind : array of bool
        The elements of the output on which those that are asked for have any influence.
    support : array of bool
        Those of them to which something came.
    """

    def __init__(
        self, record: Record, visit: Visit, source: _Source, operand: int, asked: Mask
    ) -> None:
        self.record, self.visit, self.source = record, visit, source
        self.operand, self.asked = operand, asked
        self.traits = traits_of(visit.node.primitive)
        self.behind = self._behind()
        self.support = self.behind & (visit.cotangent != 0)

    @cached_property
    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(0)

    @property
    def has_come(self) -> bool:
        return bool(self.support.any())

    @property
    def is_closed(self) -> bool:
        """Whether nothing at all goes on, of whatever comes to these places."""
        return not self._sends(self._numbers() * self.support)

    def lets_through(self, places: Mask) -> bool:
        """Whether something would go on from some places, which tells of them."""
        return self._sends(self._numbers() * places)

    @property
    def cancels(self) -> bool:
        """Whether a part of what came would go on alone."""
        came = self.visit.cotangent * self.support
        return any(
            self._sends(came * self._rng.integers(0, 2, came.shape)) for _ in range(_PARTS)
        )  # fmt: skip

    def is_zero(self, factor: Node) -> bool:
        """Whether a factor is 0: all of it, or where something came."""
        value = self.record.value(factor)
        if value is None:
            return False
        value, shape = np.asarray(value), self.visit.node.shape
        if not value.any():
            return True
        if self.traits.product:
            return True  # by numbers: nothing goes through the product where something came
        fits = _broadcasts(value.shape, shape)
        return fits and not np.broadcast_to(value, shape)[self.support].any()

    def _numbers(self) -> Array:
        """Numbers that do not cancel, of the kind of those that came."""
        g = self.visit.cotangent
        return np.asarray(self._rng.uniform(1, 2, g.shape)).astype(g.dtype)

    def _sends(self, cotangent: Array) -> bool:
        """Whether anything of it goes on to the elements that are asked for."""
        return bool(np.any(self._pulled(np.asarray(cotangent, self.visit.cotangent.dtype))))

    def _pulled(self, cotangent: Array) -> Array:
        """What the rule hands on to the elements that are asked for."""
        node, rules = self.source.node, self.source.node.primitive.pulls
        with np.errstate(all="ignore"):
            if node.primitive.joint:
                sent = node.primitive.joint.pull(cotangent, self.source)[self.operand]
            else:
                sent = rules[min(self.operand, len(rules) - 1)](cotangent, self.source)
            shape = node.parents[self.operand].shape
            found: Array = dense(fitted(sent, shape, False), shape)
        return found[self.asked]

    def _behind(self) -> Mask:
        node, receiver = self.visit.node, self.visit.node.parents[self.operand]
        everything = np.ones(node.shape, bool)
        if not isinstance(node.primitive, Primitive):
            return everything
        if moves_only(node.primitive):
            return self._sorted()
        is_put_somewhere = self.traits.collects and receiver.shape != node.shape
        if self.asked.all() and not is_put_somewhere:
            return everything
        if is_linear(node.primitive, [self.operand]):
            moved = self._moved()
            if moved is not None:
                return moved
        if _broadcasts(receiver.shape, node.shape):
            same = np.broadcast_to(self.asked, node.shape)
            if not self._sends(self._numbers() * ~same):
                return np.array(same)
        return everything

    def _sorted(self) -> Mask:
        """Where elements went that are only put elsewhere: each output is sent its own number."""
        shape = self.visit.node.shape
        numbers = np.arange(1.0, math.prod(shape) + 1)
        went = self._pulled(numbers.reshape(shape)).astype(np.int64)
        behind = np.isin(numbers, went).reshape(shape)
        is_right = not self._sends(~behind)  # what was put in several places received a sum
        return behind if is_right else np.ones(shape, bool)

    def _moved(self) -> Mask | None:
        """What of the output moves with the elements asked for, whatever the other factors are."""
        node, found = self.visit.node, np.zeros(self.visit.node.shape, bool)
        for flag in (True, False):
            operands = [self._filled(parent, flag) for parent in node.parents]
            if any(operand is None for operand in operands):
                return None
            try:
                moved = self._computed(operands, np.zeros(self.asked.shape))
                for sign in (1.0, -1.0):
                    found |= self._computed(operands, sign * self.asked) != moved
            except LinAlgError:  # of a matrix of ones, which is singular
                return None
        return found

    def _computed(self, operands: list[Any], own: Array) -> Array:
        node = self.visit.node
        dtype = np.asarray(operands[self.operand]).dtype
        given = [own.astype(dtype) if i == self.operand else x for i, x in enumerate(operands)]
        with np.errstate(all="ignore"):
            return np.asarray(node.primitive.compute(given, node.params))

    def _filled(self, parent: Node, flag: bool) -> Any:
        """An operand of numbers as ones, a choice as always the same one, an index as it is."""
        value = self.record.value(parent)
        if value is None:
            return None
        kind = np.asarray(value).dtype.kind
        return (
            np.full_like(value, flag)
            if kind == "b"
            else np.ones_like(value)
            if kind in "fc"
            else value
        )


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False

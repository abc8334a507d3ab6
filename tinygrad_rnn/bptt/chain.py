"""The states of a recurrent layer as a chain: which state each step goes on from.

The state after a step is what the step computed, together with the parts that it did not compute
and that are carried on as they were.  All of this is read off the structure of the graph alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tinygrad_rnn.engine.graph import Node, tape
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.operations.traits import moves_only
from tinygrad_rnn.reading.states import Series
from tinygrad_rnn.reading.steps import of_another_step
from tinygrad_rnn.reading.uses import Use

Part = int  # the number of one, such as 1 for c in (h, c)
Held = Node | Part  # where a part stands: a place in the graph, or that part's initial value
State = dict[Part, Held]  # without the parts that are not to be seen then


class Chain:
    """The states of a layer one after the other, in the order of the walk.

    Attributes
    ----------
    steps : list of int
        The time step that leads to the i-th state is number i − 1: all of those that compute a
        part of the state, but for such as lie between others that compute more of it.
    made : list of dict of Node, by part
        What was computed on the way to each state; nothing on the way to the initial one.
    states : list of dict, by part
        The initial state, of which nothing may be known, and the state after each step.
    reach : dict of frozenset, by place
        The states that it depends on, each on some way without another one.
    skips : bool
        Whether a step uses older states than the one before.
    first, last : int
        The states from which and up to which every part is to be seen.
    """

    def __init__(self, places: list[Node], parts: Sequence[Series]) -> None:
        self.places = places
        made: dict[int, dict[Part, Node]] = defaultdict(dict)
        for part, series in enumerate(parts):
            for t, place in series.places.items():
                made[t][part] = place
        self.steps = sorted(made, key=lambda t: min(place.order for place in made[t].values()))
        self.made = [{}, *(made[t] for t in self.steps)]
        self._before = self._label_before()
        self.part = {place: part for at in self.made for part, place in at.items()}
        self._initial: dict[Use, Part] = {}
        self.states = self._states(set(self.part.values()))
        self.reach = self._reached_from()
        self._initial = self._initial_uses()
        carried = self._carried()
        self._go_on(carried)
        self.skips = any(self.skipped(i) is not None for i in range(1, len(self.made)))
        self._join(carried)
        self._go_on(carried)
        self.first, self.last = self._whole(len(parts))

    def label(self, i: int) -> int:
        """The step that leads to a state; for the initial one a number that no step has."""
        return self.steps[i - 1] if i else self._before

    def _label_before(self) -> int:
        first, second = (self.steps * 2)[:2]
        before = first - 1 if first <= second else first + 1
        return before if before not in self.steps else min(self.steps) - 1

    def held(self, node: Node, operand: int) -> Held | None:
        """The part of a state that a node is given there, if it is one."""
        parent = node.parents[operand]
        return parent if parent in self.part else self._initial.get((node, operand))

    def feeding(self, i: int) -> frozenset[Held]:
        """The states that the i-th one depends on, each on some way without another one."""
        made = self.made[i].values()
        return frozenset[Held]().union(*[self.reach[place] for place in made]).difference(made)

    def skipped(self, i: int) -> int | None:
        """The latest state that the i-th one uses besides the one before; ``None`` if it is alone.

        That may be one that comes later, if the parts go different ways through time.
        """
        others = self.feeding(i).difference(self.states[i - 1].values())
        return max((self._until[held] for held in others), default=None)

    def replaced(self, i: int) -> int | None:
        """The last state with an initial part that the one before the i-th no longer has."""
        ends = [self._until[part] for part in self.states[0]]
        return max((end for end in ends if end < i - 1), default=None)

    def has_a_batch(self) -> bool:
        """Whether the parts of a state may have the elements of a batch along their first axis."""
        return all(
            len(place.shape) > 1 and place.shape[0] == next(iter(made.values())).shape[0]
            for made in self.made
            for place in made.values()
        )

    # -- what is carried on --

    def _go_on(self, carried: set[Part]) -> None:
        """Work out the states, and what leads to them."""
        self.states = self._states(carried)
        self.reach = self._reached_from()
        self._until = {held: i for i, at in enumerate(self.states) for held in at.values()}

    def _states(self, carried: set[Part]) -> list[State]:
        """The states, if these parts are carried on where they are not computed."""
        states: list[State] = [{part: part for part in self._initial.values()}]
        for made in self.made[1:]:
            kept = {part: held for part, held in states[-1].items() if part in carried}
            states.append({**kept, **made})
        return states

    def _carried(self) -> set[Part]:
        """The parts that some step leaves as they are, for later ones to use.

        Any other that a step lacks was computed, but the graph does not have it: nothing that
        leads to the loss uses it.
        """
        found = set(self._initial.values()) - set(self.made[1])
        feeding = [self.feeding(i) for i in range(len(self.made))]
        for i, state in enumerate(self.states):
            for part, held in state.items():
                if part not in self.made[i] and part not in found:
                    renewed = (k for k in range(i, len(self.made)) if part in self.made[k])
                    later = feeding[i + 1 : next(renewed, len(feeding)) + 1]
                    if any(held in each for each in later):
                        found.add(part)
        return found

    def _join(self, carried: set[Part]) -> None:
        """Let a step that leaves parts as they are belong to the next one that renews them all."""
        kept: list[int] = []
        whole = [i for i, made in enumerate(self.made) if i and made.keys() >= carried]
        for i in range(len(self.made) - 1, 0, -1):
            between = whole and whole[0] < i < whole[-1] and i not in whole
            if not between or not self.made[i].keys() <= self.made[kept[0]].keys():
                kept.insert(0, i)
        self.steps = [self.steps[i - 1] for i in kept]
        self.made = [{}, *(self.made[i] for i in kept)]
        self.part = {place: part for at in self.made for part, place in at.items()}

    def _whole(self, parts: int) -> tuple[int, int]:
        """The first and the last state with every part."""
        known = [len(state) == parts for state in self.states]
        if self._initial:  # of which parts may be missing that nobody uses
            used = set[Part]().union(*map(self._used, range(2, len(self.made))))
            known[0] = used <= self.states[0].keys() and len(self.states[1]) == parts
        if not any(known):
            return 0, 0
        return known.index(True), len(known) - 1 - known[::-1].index(True)

    def _used(self, i: int) -> set[Part]:
        """The parts of the state before that the i-th one depends on."""
        feeding = self.feeding(i)
        return {part for part, held in self.states[i - 1].items() if held in feeding}

    # -- ways through the graph --

    def _reached_from(self) -> dict[Node, frozenset[Held]]:
        reach: dict[Node, frozenset[Held]] = {}
        for node in self.places:
            found: frozenset[Held] = frozenset()
            for operand, parent in enumerate(node.parents):
                held = self.held(node, operand)
                new = reach[parent] if held is None else frozenset((held,))
                if not new <= found:  # most places share the set of one that they use
                    found = new if found <= new else found | new
            reach[node] = found
        return reach

    def _initial_uses(self) -> dict[Use, Part]:
        """Where the first steps use an initial state: as later ones use the state before them.

        Only of parts of which that is to be seen at every step until they are computed.
        """
        uses: dict[Use, Part] = {}
        begun: set[Part] = set()
        known = every = set(self.part.values())
        for i, made in enumerate(self.made[1:], 1):
            shown = set(begun)
            for k in range(i + 1, len(self.made)):
                if shown != every and made.keys() == self.made[k].keys():
                    found = self._initial_uses_like(k, i, begun)
                    if found is None:
                        shown = begun
                        break
                    uses |= found
                    shown |= set(found.values())
            known = known & shown
            begun |= made.keys()
        return {use: part for use, part in uses.items() if part in known}

    def _initial_uses_like(self, k: int, i: int, begun: set[Part]) -> dict[Use, Part] | None:
        """Where the i-th step uses parts not yet begun, if the k-th does just the same later on.

        ``None`` if it does something else.
        """
        if not all(_alike(place, self.made[k][part]) for part, place in self.made[i].items()):
            return None
        wanted = {self.states[k - 1][part]: part for part in self._used(k) - begun}
        uses: dict[Use, Part] = {}
        others = []
        for node, operand, twin in self._abreast(i, k):
            given = node.parents[operand]
            if given in self.part:
                continue
            state = self._handed_on(twin)
            if state in wanted and given.shape == twin.shape and _may_send(node, given):
                uses[node, operand] = wanted[state]
            elif state not in wanted and (
                not self.reach[twin] or of_another_step(twin, self.steps[k - 1])
            ):
                others.append(given)  # also for what is fed back, which had to be given at first
            else:
                return None
        initial = {(part, node.parents[operand]) for (node, operand), part in uses.items()}
        if sorted(part for part, _ in initial) != sorted(wanted.values()):
            return None
        return uses if {at for _, at in initial}.isdisjoint(tape(others)) else {}

    def _handed_on(self, place: Node) -> Held:
        """The state that a place is, or that it only hands on, as what a layer returns does."""
        if place in self.part or not moves_only(place.primitive):
            return place
        return next(iter(self.reach[place])) if len(self.reach[place]) == 1 else place

    def _abreast(self, i: int, k: int) -> Iterator[tuple[Node, int, Node]]:
        """What two steps are given, side by side: what both compute alike is followed further.

        Node and operand of the i-th step, and what the k-th one has there: a state that one of
        them goes on from, or where their ways part.
        """
        mine, its = set(self.made[i].values()), set(self.made[k].values())
        both = self.made[i].keys() & self.made[k].keys()
        waiting = [(self.made[i][part], self.made[k][part]) for part in both]
        seen = set(waiting)
        while waiting:
            node, twin = waiting.pop()
            for operand, pair in enumerate(zip(node.parents, twin.parents)):
                one, other = pair
                inside = one in mine and other in its
                is_state = one in self.part or other in self.part
                if pair in seen or (one is other and not is_state):
                    continue
                if _alike(*pair) and (inside or not is_state) and self.reach[other]:
                    seen.add(pair)
                    waiting.append(pair)
                else:
                    yield node, operand, other


def _alike(one: Node, other: Node) -> bool:
    """Whether two places are results of the same operation."""
    return one.primitive is other.primitive and len(one.parents) == len(other.parents)


def _may_send(node: Node, given: Node) -> bool:
    """Whether a node can send something there: one of a `Function` only where it has to."""
    return given.requires_grad or isinstance(node.primitive, Primitive)

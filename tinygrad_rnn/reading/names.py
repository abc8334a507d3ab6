"""What places are called in a picture.

A name that was given is kept, with its time step as a subscript.  Next comes what the program
calls a tensor: its variable where the picture was asked for, or the assignment on a traced line;
one name for the same place of every time step.  What has none is named after
its part in the graph: ``a_i`` is what goes into the gate ``i``, ``f⊙c′`` the product of ``f`` and
of the step before's ``c``, ``W_ih x₁`` what a layer makes of ``x₁``.  The rest is v1, v2, … with
the same number at the same place of every time step.

All of this is worked out when a picture is drawn: a forward pass pays nothing for it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import count
from math import prod
from types import MappingProxyType
from typing import Any

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.operations.traits import inputs_of, traits_of
from tinygrad_rnn.reading.assignments import assigned, filled
from tinygrad_rnn.reading.given import given_name, is_inline, may_be_parameter, role_of
from tinygrad_rnn.reading.layers import Layer, module_of
from tinygrad_rnn.reading.seats import Seats, Sitting, whole
from tinygrad_rnn.reading.steps import positions
from tinygrad_rnn.reading.uses import users_of
from tinygrad_rnn.writing import formulas
from tinygrad_rnn.writing.formulas import in_step, without_step
from tinygrad_rnn.writing.text import clean, cut

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LONGEST_FORMULA, _LONGEST_EXPRESSION = 18, 120  # characters; the layout cuts again, by width
_WHOLE_AXES = re.compile(r"(, :)+\]$")  # of an index, which means the same without
_PICKED = re.compile(r"\[indices \d+\]$")  # an index that is a tensor
_LOOSE = " ⊙·/−;²ᵀ"  # signs of names that are formulas


def names(places: list[Node], called: Mapping[Node, str] = MappingProxyType({})) -> Names:
    """The names of all places of a tape, which is oldest first.

    Parameters
    ----------
    places : list of Node
    called : mapping of str, optional
        What the program calls some of them, as a record knows it (``record.called``).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.engine.graph import tape
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True).named("x")
    >>> with tg.step(1):
    ...     i = tg.sigmoid(x * 2 + 1).named("i")
    >>> places = tape([i.node])
    >>> called = names(places)
    >>> [called[place] for place in places]
    ['x', '2', 'x·2', '1', 'a_i₁', 'i₁']
    """
    return _Naming(places, called).found


def expression(node: Node, names: Mapping[Node, str]) -> str:
    """How a node was computed, in the names of its operands: "= tanh(a₁)".

    `Names` tell other layers' operands by their layer; any other mapping is taken at its word.
    """
    if node.is_leaf:
        return names.how.get(node, "") if isinstance(names, Names) else ""
    told = names.told if isinstance(names, Names) else lambda parent, _: names[parent]
    operands = [told(parent, node) for parent in node.parents]
    return cut("= " + formulas.computed(node, operands), _LONGEST_EXPRESSION)


def stem(place: Node, names: Mapping[Node, str]) -> str:
    """The name by which a tensor is found again at other time steps."""
    return given_name(place) or without_step(names[place])


def distinct_names(places: Iterable[Node], names: Names) -> dict[Node, str]:
    """A name for each place that no other has: with its layer, and at last with a number."""
    taken: set[str] = set()
    boxed = [place for place in places if not is_inline(place)]
    return {place: distinct(clean(names.alone(place)), taken) for place in boxed}


def distinct(name: str, taken: set[str]) -> str:
    """The name, or with a number one that is not taken yet; it is then.

    Examples
    --------
    >>> taken = {"h"}
    >>> distinct("h", taken), distinct("h", taken), distinct("c", taken)
    ('h (2)', 'h (3)', 'c')
    """
    free, n = name, 2
    while free in taken:
        free, n = f"{name} ({n})", n + 1
    taken.add(free)
    return free


def plain_name(place: Node) -> str:
    """What tables call a place, without a graph around it: its name and step, or its shape."""
    name, step = given_name(place), place.tag.step
    if not name:
        return f"a tensor {place.shape}"
    return name if step is None else f"{name}_{step}"


class Names(dict[Node, str]):
    """The name of each place, as it stands in the place's own box."""

    def __init__(self) -> None:
        super().__init__()
        self.how: dict[Node, str] = {}  # constants that other steps compute: what of
        self._homes: dict[Node, Layer] = {}
        self._sharers: dict[str, set[Layer]] = {}
        self._steps: dict[tuple[str, Layer], set[int | None]] = {}

    def told(self, place: Node, by: Node | None = None) -> str:
        """The name as another box, ``by``, says it, or a text outside of all boxes.

        In a box it needs no addition where the other stands in the same layer.  Elsewhere
        ``h₁⁽⁰⁾`` is that of layer 0 (whose weights are called ``…_l0``), ``h₁⁽⁰ʳ⁾`` that of its
        reverse direction, ``decoder.h₁`` that of the module or scope.
        """
        return self._with_layer(self[place], self[place], place, by)

    def atom(self, place: Node, by: Node | None = None) -> str:
        """`told` for formulas and sentences, where a name that is a formula stands in brackets.

        If it says what several steps made, it gets their numbers too: ``(f⊙c′)₁``.
        """
        if is_inline(place):
            return self[place]
        name = self._with_step(place)
        return self._with_layer(formulas.bracketed(name, _LOOSE), name, place, by)

    def alone(self, place: Node) -> str:
        """`told` outside of all boxes, with its time step where several steps have that name."""
        name = self._with_step(place)
        return self._with_layer(name, name, place, None)

    def _with_step(self, place: Node) -> str:
        name, step = self[place], place.tag.step
        home = self._homes.get(place)
        alike = self._steps.get((name, home), set()) if home is not None else ()
        return in_step(formulas.enclosed(name), step) if len(alike) > 1 else name

    def _with_layer(self, written: str, name: str, place: Node, by: Node | None) -> str:
        """A name as it is written, with its layer where others of that name could be meant."""
        home = self._homes.get(place)
        sharers = self._sharers.get(name, set())
        if len(sharers) < 2 or home is None or (by is not None and self._homes.get(by) == home):
            return written
        if home.number is not None and len({(at.number, at.direction) for at in sharers}) > 1:
            reverse = "ʳ" if home.direction == "reverse" else ""
            written += f"⁽{str(home.number).translate(_SUPERSCRIPTS)}{reverse}⁾"
        if home.scope and len({at.scope for at in sharers}) > 1:
            written = f"{module_of(home.scope)}.{written}"
        return written

    def copy(self) -> Names:
        """The same names, to put others in the place of some."""
        new = Names()
        new.update(self)
        new.how = self.how
        new._homes, new._sharers, new._steps = self._homes, self._sharers, self._steps
        return new

    def share(self, homes: dict[Node, Layer]) -> None:
        """Find out which places bear the same name in different layers, or at different steps."""
        self._homes, layers, steps = homes, defaultdict(set), defaultdict(set)
        known = [place for place in self if place in homes]
        for place in known:
            steps[self[place], homes[place]].add(place.tag.step)
        self._steps = steps
        for place in known:
            layers[self[place]].add(homes[place])
            layers[self._with_step(place)].add(homes[place])
        self._sharers = layers


class _Naming:
    """One pass after another over a tape: each names what it can of what is left."""

    def __init__(self, places: list[Node], called: Mapping[Node, str]) -> None:
        self.places, self.called, self.found = places, called, Names()
        self.said: set[Node] = set()  # what has its name of the program
        self.folded: dict[Node, tuple[Sitting, int | None]] = {}  # constants, and what computes it
        self.initial: set[Node] = set()  # constants that are the first of a state
        self.same: dict[Node, Node] = {}  # what was wrapped by one step and taken out by another
        self.stems: dict[Node, str] = {}  # a name without its step, as formulas have it
        self.taken: set[tuple[Any, ...]] = set()
        self.numbers: dict[tuple[Any, ...], int] = {}  # from which on a name may be free
        self.users = users_of(places)
        homes = {place: self._home(place) for place in places if not is_inline(place)}
        self._as_given()
        self._as_the_program_says()
        self.found.share(homes)
        self._by_role()
        self._taken_out()
        self._seated()
        self._gates()
        self._formulas()
        self._seated()
        self._formulas(or_operation=True)
        self._seated()
        self._numbered()
        self._say_how()
        self.found.share(homes)

    def _home(self, place: Node) -> Layer:
        """The layer of a place; an initial state belongs to the one that reads it."""
        if place.tag.layer is None and len({user.tag[2:4] for user in self.users[place]}) == 1:
            return Layer.of(self.users[place][0])._replace(scope=place.tag.scope)
        return Layer.of(place)

    def _call(self, place: Node, stem: str, shown: str | None = None) -> None:
        """Name a place, unless another of its layer and step is called so already."""
        shown = in_step(stem, place.tag.step) if shown is None else shown
        key = (shown, *place.tag[:4])
        if key not in self.taken:
            self.taken.add(key)
            self.stems[place], self.found[place] = stem, shown

    def _call_again(self, place: Node, stem: str, step: int | None) -> None:
        """Name a place, the second of its layer and step that is called so ``x#2``."""
        key = (stem, step, *place.tag[:4])
        for number in count(self.numbers.get(key, 1)):
            numbered = stem if number == 1 else f"{stem}#{number}"
            self._call(place, numbered, in_step(numbered, step))
            if place in self.found:
                self.numbers[key] = number + 1  # all those before it are taken
                return

    # -- given names --

    def _as_given(self) -> None:
        modules = self._modules()
        for place in self.places:
            if is_inline(place):
                self.stems[place] = self.found[place] = formulas.number(place.value)
            elif name := given_name(place):
                stem = modules.get(place) or self._member(place, name)
                self.stems[place], self.found[place] = stem, in_step(stem, place.tag.step)
                self.taken.add((self.found[place], *place.tag[:4]))
                self.said.add(place)

    def _member(self, place: Node, name: str) -> str:
        """A member of a list of parameters by the name of that: ``ws[0]`` for ``0``."""
        called = self.called.get(place, "").rpartition(".")[2]
        return called if name.isdigit() and called.endswith(f"[{name}]") else name

    def _modules(self) -> dict[Node, str]:
        """Names such as ``out.weight``, for all parameters of a module if one name needs it."""
        called = defaultdict(list)
        for place in self.places:
            named = place.is_leaf and place.tag.step is None and given_name(place)
            named = named if named and self._member(place, named) == named else ""
            if named and may_be_parameter(place) and self.users[place]:
                called[named].append(place)
        owners = self._owners(called)
        needed: dict[str, int] = {}  # by module: how many parts of its path tell it from others
        for places in called.values():
            paths = {owners[place] for place in places}
            for path in sorted(paths) if len(paths) > 1 else ():
                parts = next(n for n in count(1) if _end(path, n) not in _ends(paths - {path}, n))
                needed[path] = max(parts, needed.get(path, 0))
        return {
            place: f"{_end(path, needed[path])}.{name}"
            for name, places in called.items()
            for place in places
            if (path := owners[place]) in needed and path
        }

    def _owners(self, called: Mapping[str, list[Node]]) -> dict[Node, str]:
        """The module of each parameter: the one that used it first.

        Modules that are no other's attributes have but the name of their class; which they are the
        program says, where its variables are known, or else a number.
        """
        owners: dict[Node, str] = {}
        for name, places in called.items():
            of_scope = defaultdict(list)
            for place in places:
                of_scope[clean(self.users[place][0].tag.scope)].append(place)
            for scope, alike in of_scope.items():
                for number, place in enumerate(alike, 1):
                    path, _, end = self.called.get(place, "").rpartition(".")
                    known = path if path and end == name else scope
                    same = len(alike) > 1
                    owners[place] = known if same and known != scope else scope
                    if same and known == scope and number > 1:
                        owners[place] = f"{scope} {number}"
        return owners

    # -- the program's names --

    def _as_the_program_says(self) -> None:
        """Variables' names before those of lines, each at all steps."""
        lines, self.seats = assigned(self.places), Seats(self.places)
        groups = self.seats.groups(self.places)
        for said in (self._variable, self._assigned):
            told: list[tuple[list[Node], str]] = []
            for group in groups:
                left = [place for place in group if place not in self.found]
                if said == self._assigned:  # of a first state the line has the name of its use
                    left = [place for place in left if not self.seats.stands_for(place)]
                if left and (stem := said(group, lines)):
                    told.append((left, stem))
            for group, stem in _in_lists(told, self.called):
                for place in group:
                    self._say(place, stem)
        self._seated()

    def _variable(self, group: list[Node], lines: Mapping[Node, list[str]]) -> str:
        """A variable that is alive, unless lines tell that other steps had nothing in it."""
        names = [self.called[place] for place in group if place in self.called]
        assignments = [lines[place] for place in group if place in lines]
        for name in reversed(names):
            agreeing = sum(name in each or f"{name}[]" in each for each in assignments)
            if whole(name) == name and (len(group) == 1 or 2 * agreeing >= len(assignments)):
                return name
        if not names or assignments:
            return ""
        lists = {whole(name) for name in names}
        return names[0] if len(set(names)) == 1 else lists.pop() if len(lists) == 1 else ""

    def _assigned(self, group: list[Node], lines: Mapping[Node, list[str]]) -> str:
        """What most lines say that made the group's places."""
        names = Counter(lines[place][0] for place in group if place in lines)
        return names.most_common(1)[0][0] if names else ""

    def _say(self, place: Node, stem: str, step: int | None = None) -> None:
        """Give a place a name of the program; a total at the end needs no step."""
        root = self.places[-1]
        is_total = place is root and (place.is_leaf or traits_of(place.primitive).collects)
        step = None if is_total else self.seats.step(place) if step is None else step
        self._call_again(place, stem, step)
        self.said.add(place)

    # -- constants of the first step --

    def _seated(self) -> None:
        """Name constants by what other steps have in their place.

        That is a state, which this one is the first of, or something that could be computed once
        and for all at this step, because it was computed of constants.
        """
        for place in self.places:
            if place in self.found or role_of(place) == "parameter":
                continue
            at, read = self.seats.stands_for(place) or (None, 0)
            if at is None or at.place not in self.stems:
                continue
            stem, step = self.stems[at.place], self.seats.step(place)
            shift = at.shift or 0
            origin = self.same.get(at.place)
            if origin is not None and origin.tag.step is not None and at.place.tag.step is not None:
                shift += origin.tag.step - at.place.tag.step
            if not shift:
                says_step = self.found[at.place] != stem
                self._call(place, stem, in_step(_as_one(stem), step) if says_step else stem)
                self.folded[place] = at, step
            else:
                self._say(place, _as_one(stem), read + shift if shift < 0 else 0)
                self.initial.add(place)

    def _say_how(self) -> None:
        """Of what was computed of constants: how, as other steps compute it."""
        for place, (at, step) in self.folded.items():
            self.found.how[place] = "= " + formulas.computed(at.place, self._at(at, step))

    def _at(self, at: Sitting, step: int | None) -> list[str]:
        """The operands of what was computed at one step as another step would have them."""
        found = []
        for operand in at.place.parents:
            made = self.seats.step(operand)
            stem = self.stems.get(operand, self.found.get(operand, "…"))
            if made is not None and step is not None:
                stem = in_step(_as_one(stem), step + made - at.step)
            found.append(stem)
        return found

    def _by_role(self) -> None:
        """``h`` is what is carried on, ``Σ`` a sum carried on; ``x`` are inputs, ``W`` weights.

        So equations have it; this is for what neither the program names nor a layer.
        """
        self._carried()
        self._seated()
        for node in self.places:
            if not node.is_leaf and (factors := traits_of(node.primitive).product):
                x, weight = inputs_of(node, factors)
                self._play(x, "x", learned=False)
                self._play(weight, "W", learned=True)
        for place in self.places:
            if self.seats.step(place) is not None:
                self._play(place, "x", learned=False)
            self._play(place, "θ", learned=True)
            self._play(place, "const", learned=False)

    def _play(self, leaf: Node, part: str, *, learned: bool) -> None:
        """Call a leaf by the part that it plays, unless it stands for what is computed."""
        ours = leaf.is_leaf and leaf not in self.found and leaf.requires_grad == learned
        if ours and self.users[leaf] and self.seats.stands_for(leaf) is None:
            self._call_again(leaf, part, self.seats.step(leaf))

    def _carried(self) -> None:
        carried = self.seats.carried()
        for group in self.seats.groups(self.places):
            is_series = len(group) > 1 and not carried.isdisjoint(group)
            if is_series and not any(place in self.found for place in group):
                total = all(place.primitive.symbol == "+" for place in group)
                for place in group:
                    self._say(place, "Σ" if total else "h")

    def _taken_out(self) -> None:
        """A state that a layer returns is wrapped, and taken out by the next call: it is the same.

        That is so where a program calls a layer once for each step.
        """
        for place in self.places:
            origin = _handed_on(place)
            if place in self.found or place.shape != origin.shape or origin not in self.stems:
                continue
            if None not in (origin.tag.step, place.tag.step) and origin.tag.step != place.tag.step:
                self._call(place, self.stems[origin], self.found[origin])
                self.same[place] = origin

    # -- what goes into a gate --

    def _gates(self) -> None:
        """``a_i`` goes into the gate ``i``, and into a_r go the parts ``r_x`` and ``r_h``.

        The whole of which a_i, a_f, … are the parts is ``a``.
        """
        gates: dict[Node, str] = {}  # of what goes into one, and of what that is made of
        found: dict[Node, str] = {}  # newest first
        for place in reversed(self.places):
            if place in self.found or place.is_leaf:
                continue
            users = self.users[place]
            first = users[0] if users else place
            if len(users) == 1 and first in self.said and _activates(first, place):
                gates[place] = self.stems[first]
                found[place] = f"a_{gates[place]}"
            elif len(users) == 1 and first in gates:
                gates[place] = gates[first]
                if source := self._source(place):
                    found[place] = f"{gates[place]}_{source}"
                elif first in found and (added := self._added(place, first)):
                    found[place] = f"{found[first]}−{added}"
            elif len(users) > 1 and all(
                _is_part(user) and found.get(user, "").startswith("a_") for user in users
            ):
                found[place] = "a"
        for place, stem in reversed(found.items()):
            self._call_again(place, stem, place.tag.step)

    def _added(self, part: Node, total: Node) -> str:
        """What learned tensor is added to a sum of others to get what goes into a gate."""
        others = [parent for parent in total.parents if parent is not part]
        if total.primitive.symbol != "+" or part.primitive.symbol != "+" or len(others) != 1:
            return ""
        return self.stems.get(others[0], "") if others[0].requires_grad else ""

    def _source(self, part: Node) -> str:
        """Of a part of a product with weights: what was multiplied with them.

        That is the layer's input, x, if it is of the same step, whatever made it; else the state.
        """
        whole = part.parents[0]
        factors = traits_of(whole.primitive).product
        if not factors or not _is_part(part):
            return ""
        source = _handed_on(inputs_of(whole, factors)[0])
        if _is_part(source) and source.parents[0].tag.step not in (None, part.tag.step):
            source = source.parents[0]  # of a batch that grows smaller: the state of another step
        same_step = source.tag.step is not None and source.tag.step == part.tag.step
        same_step &= source not in self.initial
        return "x" if same_step else self.stems.get(source, "")

    # -- formulas --

    def _formulas(self, *, or_operation: bool = False) -> None:
        root = self.places[-1]
        if root not in self.found and root.shape == () and not root.is_leaf:
            self._call(root, "loss", "loss")
        for node in self.places:
            if node.is_leaf or node in self.found:
                continue
            operands = _written_out(node)
            if name := self._collected(node):
                self._call(node, name)
            elif operands and all(operand in self.stems for operand in operands):
                self._call_by_formula(node, operands)
            if or_operation and node not in self.found and (name := self._by_operation(node)):
                self._call(node, name)
                if node not in self.found and (of := self._said_of(operands)):
                    self._call(node, f"{name} {of}")
                if node not in self.found:
                    self._call_again(node, name, node.tag.step)

    def _said_of(self, operands: list[Node]) -> str:
        """The short name that the program has for the only operand, if that is so."""
        if len(operands) != 1 or operands[0] not in self.said:
            return ""
        name = self.stems[operands[0]]
        return _as_one(name) if len(name) <= _LONGEST_FORMULA else ""

    def _call_by_formula(self, node: Node, operands: list[Node]) -> None:
        """Name a node ``f⊙c′``, within its step; or ``tanh c₁``, which says the step itself."""
        stem = formulas.formula(node, [self._near(parent, node) for parent in operands])
        if not 0 < len(stem.replace("′", "")) <= _LONGEST_FORMULA:
            return
        shown = stem
        if len(operands) == 1 or traits_of(node.primitive).product:
            shown = formulas.formula(node, [self.found.told(p, node) for p in operands])
        elif any(user.tag.step != node.tag.step for user in self.users[node]):
            shown = in_step(formulas.enclosed(stem), node.tag.step)
        self._call(node, stem, shown)
        users = self.users[node]
        if node not in self.found and len(users) == 1 and _is_function(users[0]):
            reader = f" in {users[0].primitive.name}"  # the same again, to be read there
            self._call(node, stem, shown + reader)
        for number in count(2):
            if node in self.found:
                break
            self._call(node, f"{stem}#{number}", f"{shown}#{number}")

    def _near(self, parent: Node, node: Node) -> str:
        """A parent's name inside a formula: of this step ``c``, of the one before ``c′``."""
        parent = self.same.get(parent, parent)
        if parent in self.initial:
            return f"{self.stems[parent]}′"
        before, now = parent.tag.step, node.tag.step
        if before is None or before == now:
            return self.stems[parent]
        is_before = now is not None and (abs(now - before) == 1 or before == 0)
        if is_before and parent in self.said:
            return f"{self.stems[parent]}′"
        return self.found[parent]

    def _collected(self, node: Node) -> str:
        """The name of all steps' results in one, ``output``, or of all layers' states, ``h_n``."""
        if node.primitive.name == "embedding":
            return "embedded"
        tags, stems = [p.tag for p in node.parents], {self.stems.get(p) for p in node.parents}
        stem = stems.pop()
        if not traits_of(node.primitive).joins or stems or not stem or len(tags) < 2:
            return ""
        steps, layers = {tag.step for tag in tags}, {tag[2:4] for tag in tags}
        if node.tag.step is None and len(layers) == 1 and len(steps) == len(tags):
            return "output"
        return f"{stem}_n" if node.tag.step is None and len(layers) == len(tags) else ""

    # -- the rest --

    def _by_operation(self, node: Node) -> str:
        """What formulas do not say shortly: ``h[0]``, ``softmax``, ``layer_norm``."""
        if not _is_part(node):
            return node.primitive.name if _is_function(node) else ""
        source = node.parents[0]
        if source not in self.stems:
            return ""
        if source in self.said and source.tag.step is None and node.tag.step is not None:
            return self.stems[source]  # of a sequence the part that is this step's
        part = formulas.computed(node, [_as_one(self.stems[source])])
        part = _WHOLE_AXES.sub("]", part)
        part = _PICKED.sub("[…]", part)
        return part if len(part) <= _LONGEST_FORMULA else ""

    def _numbered(self) -> None:
        """v1, v2, …: the first addition of a step is called the same in every step."""
        given = set(self.stems.values())
        free = (name for n in count(1) if (name := f"v{n}") not in given)
        unnamed = positions(place for place in self.places if place not in self.found)
        numbers = dict(zip(dict.fromkeys(unnamed.values()), free))
        for place, position in unnamed.items():
            self.found[place] = in_step(numbers[position], place.tag.step)


def _in_lists(
    told: list[tuple[list[Node], str]], called: Mapping[Node, str]
) -> list[tuple[list[Node], str]]:
    """The groups with their names, of which members of one list have their place in it.

    Where the list is alive it tells the place, as of one that is filled backwards. Else, as one
    statement of a loop fills it, its members are in the order in which they were made:
    ``states[layer]`` of two layers becomes ``states[0]`` and ``states[1]``. A list that has one
    member at each step is called as a whole, as the step tells the place.
    """
    lists = defaultdict(list)
    for number, (group, stem) in enumerate(told):
        if filler := next(filter(None, (filled(place, stem) for place in group)), None):
            lists[stem, filler].append(number)
    named = [(group, stem.removesuffix("[]")) for group, stem in told]
    for (stem, _), members in lists.items():
        for index, number in enumerate(members if len(members) > 1 else ()):
            group = told[number][0]
            alive = [said for place in group if whole(said := called.get(place, "")) == whole(stem)]
            in_order = f"{whole(stem)}[{index}]"
            named[number] = group, next((it for it in alive if it != whole(stem)), in_order)
    return named


def _as_one(stem: str) -> str:
    """A name that can bear a step's number: a formula in brackets."""
    return stem if formulas.bracketed(stem, _LOOSE) == stem else formulas.enclosed(stem)


def _activates(node: Node, place: Node) -> bool:
    """Whether a node is a nonlinearity of a place (which is not the slope that it learns)."""
    return traits_of(node.primitive).activation and node.parents[0] is place


def _handed_on(place: Node) -> Node:
    """What a place is but a wrapping of: a stack of the one state there is, and its part."""
    while not place.is_leaf and len(place.parents) == 1:
        traits = traits_of(place.primitive)
        if not traits.joins and not (
            _is_part(place) and prod(place.shape) == prod(place.parents[0].shape)
        ):
            break
        place = place.parents[0]
    return place


def _is_function(node: Node) -> bool:
    """Whether a program calls it by a word, and not by a sign."""
    symbol = node.primitive.symbol
    return not node.primitive.name.startswith("add") and any(c.isalpha() for c in symbol)


def _is_part(node: Node) -> bool:
    return traits_of(node.primitive).part


def _written_out(node: Node) -> list[Node]:
    """The operands that a formula names: of an affine map not the bias, of a dropout not the mask.

    That has no derivative. A part of a tensor is not called by a formula: it would say no more
    than the expression.
    """
    primitive, traits = node.primitive, traits_of(node.primitive)
    if traits.part:
        return []
    if traits.product:
        return inputs_of(node, traits.product)
    if primitive.joint or not primitive.rules:
        return list(node.parents)
    return [parent for parent, rule in zip(node.parents, primitive.rules, strict=True) if rule]


def _end(path: str, parts: int) -> str:
    """The last parts of a dotted name."""
    return ".".join(path.split(".")[-parts:])


def _ends(paths: set[str], parts: int) -> set[str]:
    return {_end(path, parts) for path in paths}

"""The derivation of a gradient, as a page to read: in symbols, then in numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.equations import Chain, Equation, Term, array, folded, whole
from tinygrad_rnn.bptt.record import Record, expect_record
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.reading.layers import Layer
from tinygrad_rnn.reading.names import expression
from tinygrad_rnn.reading.states import recurrences
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.writing.figures import LONGEST_ROW
from tinygrad_rnn.writing.formulas import opened
from tinygrad_rnn.writing.latex import escaped, latex
from tinygrad_rnn.writing.latex import name as latex_name
from tinygrad_rnn.writing.text import table

_LONGEST = 24  # so many operations of one time step, or outside of any, are shown
_WIDEST = 96


def explain(
    record: Record, param: Tensor | Node, *, full: bool = False, step: int | None = None
) -> Explanation:
    """The derivation of ∂L/∂param, with every term traceable to a visit of the walk.

    Parameters
    ----------
    record : Record
        Of `bptt.record`.
    param : Tensor
        A parameter, or any tensor or node of the graph that received a gradient.
    full : bool
        Leave nothing out: all time steps, and every array whole however large it is.
    step : int, optional
        Show one time step alone, with its arrays whole.

    Returns
    -------
    Explanation
        Prints as text; ``markdown``, ``latex``; notebooks show it.

    Raises
    ------
    TypeError
        If these are not a record and a tensor.
    ValueError
        If no gradient came to the tensor in this walk, or none by way of the ``step``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.5, requires_grad=True).named("w")
    >>> x = tg.tensor(2.0).named("x")
    >>> y = (w * x).named("y")
    >>> print(tg.bptt.explain(tg.bptt.record((y * y).named("L")), w))
    The derivative of L with respect to w, as a walk of 2 visits computes it
    <BLANKLINE>
    Forward
      y = w * x,  L = y * y
    <BLANKLINE>
    The chain rule: w receives from its uses, states receive through time
      visit  t
          2     ∂L/∂w = ∂L/∂y ⊙ x
    <BLANKLINE>
    The walk in numbers, newest first
      visit  t
                ∂L/∂L = 1                         = 1.000
          1     ∂L/∂y = ∂L/∂L ⊙ y  1.000 ⊙ 1.000  = 1.000
          1           + ∂L/∂L ⊙ y  1.000 ⊙ 1.000  = 1.000
                                             sum  = 2.000
    <BLANKLINE>
    The result: the sum over all uses of w
      visit  t
          2     ∂L/∂w = ∂L/∂y ⊙ x  2.000 ⊙ 2.000  = 4.000
    """
    expect_record(record, "explain")
    place = record.place_of(param, "explain")
    if place is None or record.gradient(place) is None:
        raise ValueError(
            f"explain: no gradient came to the tensor {param!r:.80} in this walk: nothing leads "
            "from the loss to it, or it does not require grad"
        )
    explanation = Explanation(record, place, full=full, step=step)
    known = {t for node in explanation.path if (t := node.tag.step) is not None}
    if step is not None and step not in known:
        there = ", ".join(map(str, sorted(known))) or "none"
        raise ValueError(f"explain: nothing on the way is of step {step}; there are: {there}")
    return explanation


class Explanation:
    """How the gradient of one tensor came about; made by `explain`.

    Long sums, many time steps and large arrays are folded on the page; `equation` has them all.

    Attributes
    ----------
    record : Record
    path : list of Node
        What lies between the loss and the tensor, newest first; the tensor itself is the last.
    """

    def __init__(
        self, record: Record, param: Node, *, full: bool = False, step: int | None = None
    ) -> None:
        self.record, self._param, self._chain = record, param, Chain(record)
        self._full, self._step = full, step
        self._whole = full or step is not None
        between = _descendants(record.places, param)
        self.path = [visit.node for visit in record.visits if visit.node in between]
        self.path = [node for node in self.path if node is not param] + [param]
        self._on_path = set(self.path)

    def equation(self, of: Tensor | Node | None = None) -> Equation:
        """One step of the derivation: the gradient of a tensor as the sum of what came to it.

        Parameters
        ----------
        of : Tensor or Node, optional
            Of the path; by default what is explained.

        Raises
        ------
        ValueError
            If it does not lie between the loss and what is explained.
        """
        place = self._param if of is None else self.record.place_of(of, "equation")
        if place not in self._on_path:
            called = self._chain.called(self._param)
            raise ValueError(f"equation: the tensor does not lie between the loss and {called}")
        return self._chain.equation(place)

    # -- what the page consists of: strings are notes between the equations --

    def _title(self, loss: str, called: str) -> str:
        visits = len(self.record)
        return (
            f"The derivative of {loss} with respect to {called}, as a walk of {visits} "
            f"visit{'s' * (visits != 1)} computes it"
        )

    def _headings(self, called: str) -> tuple[str, str, str, str]:
        return (
            "Forward",
            f"The chain rule: {called} receives from its uses, states receive through time",
            "The walk in numbers, newest first",
            f"The result: the sum over all uses of {called}",
        )

    def _forward(self) -> list[list[Node] | str]:
        operands = {parent for place in self.path for parent in place.parents}
        shown = self._on_path | operands
        computed = (p for p in self.record.places if p in shown and not p.is_leaf)
        return self._grouped([p for p in computed if not self._is_named_after_itself(p)])

    def _is_named_after_itself(self, node: Node) -> bool:
        """Whether an equation would say xs[0] = xs[0]."""
        left, right = self._made(node)
        return left == right

    def _grouped(self, nodes: list[Node]) -> list[list[Node] | str]:
        """Nodes by time step, in their order, as far as they are shown."""
        if self._step is not None:
            nodes = [node for node in nodes if node.tag.step == self._step]
        return by_step(nodes, fold=not self._whole)

    def _rule(self) -> Iterator[Equation | str]:
        """The parameter's equation, and those of the states that lead through time."""
        yield self.equation()
        layers = self._states()
        for layer, series in layers.items():
            if len(layers) > 1:
                yield f"{layer}:"
            for states in series:
                if self._step is not None:
                    states = [state for state in states if state.tag.step == self._step]
                head, middle, tail = folded(states) if not self._whole else (states, [], [])
                yield from map(self.equation, head)
                if middle:
                    yield _likewise([state.tag.step for state in middle])
                yield from map(self.equation, tail)

    def _states(self) -> dict[str, list[list[Node]]]:
        """By layer, its states over time, as far as they are on the path: newest first."""
        order = {place: i for i, place in enumerate(self.path[:-1])}
        layers: dict[str, list[list[Node]]] = {}
        for found in reversed(recurrences(self.record.places)):
            for series in reversed(found.states):
                if on_path := order.keys() & series.places.values():
                    states = sorted(on_path, key=order.__getitem__)
                    layers.setdefault(found.layer.spoken, []).append(states)
        return layers

    def _walk(self) -> Iterator[Equation | str]:
        for group in self._grouped(self.path[:-1]):
            if isinstance(group, str):
                yield group
            else:
                yield from map(self.equation, group)

    def _made(self, node: Node) -> tuple[str, str]:
        """A node's name, and how it was made."""
        called = {place: self._chain.called(place, node) for place in (node, *node.parents)}
        return called[node], expression(node, called).removeprefix("= ")

    # -- as text --

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        called = self._chain.called(self._param)
        parts = (
            self._forward_text(),
            self._table(self._rule(), with_numbers=False),
            self._table(self._walk()),
            self._table([self.equation()]),
        )
        sections = map("\n".join, zip(self._headings(called), parts, strict=True))
        return "\n\n".join([self._title(self._chain.loss, called), *sections])

    def _forward_text(self) -> str:
        lines = []
        for group in self._forward():
            if isinstance(group, str):
                lines.append(f"  {group}")
                continue
            step = group[0].tag.step
            first = "  " if step is None else f"  t = {step}  "
            made = [f"{opened(left)} = {right}" for left, right in map(self._made, group)]
            text = ",  ".join(equation.replace(" ", "\u00a0") for equation in made)
            wrapped = textwrap.wrap(
                text, _WIDEST, initial_indent=first, subsequent_indent=" " * len(first)
            )
            lines += [line.replace("\u00a0", " ") for line in wrapped]
        return "\n".join(lines)

    # -- as LaTeX and Markdown --

    @property
    def latex(self) -> str:
        r"""A fragment for a LaTeX document with amsmath: paragraphs with displayed formulas."""
        return "\n\n".join(
            f"\\paragraph{{{heading}}}\n\\[\n{formulas}\n\\]"
            for heading, formulas in self._formulas()
        )

    @property
    def markdown(self) -> str:
        """Markdown with the formulas between ``$$``, as notebooks and GitHub show it."""
        names = self._chain.loss, self._chain.called(self._param)
        parts = [f"### {self._title(*(f'${latex_name(name)}$' for name in names))}"]
        parts += [f"#### {title}\n\n$$\n{formulas}\n$$" for title, formulas in self._formulas()]
        return "\n\n".join(parts)

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        return self.markdown

    def _formulas(self) -> Iterator[tuple[str, str]]:
        """The parts of the page: headings and LaTeX."""
        parts = (
            (line for group in self._forward() for line in self._forward_latex(group)),
            (line for part in self._rule() for line in self._latex(part, with_numbers=False)),
            (line for part in self._walk() for line in self._latex(part)),
            self._latex(self.equation()),
        )
        called = f"${latex_name(self._chain.called(self._param))}$"
        for heading, lines in zip(self._headings(called), parts, strict=True):
            body = " \\\\\n".join(lines)
            yield heading, f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def _shown(self, part: Equation) -> Sequence[Term]:
        return part.terms if self._full else part.shown

    def _lines(self, value: Any) -> list[str]:
        """An array in a table: on one line, or whole."""
        small = max(np.shape(value), default=0) <= LONGEST_ROW
        return whole(value) if self._whole and not small else [array(value)]

    def _line(self, value: Any) -> str:
        """An array in LaTeX, which knows no more than two axes."""
        if np.ndim(value) > 2:
            return array(value)
        return " ".join(" ".join(self._lines(value)).split()).replace("[ ", "[")

    def _table(self, parts: Iterable[Equation | str], with_numbers: bool = True) -> str:
        rows = [["visit", "t", "", "", ""]]
        for part in parts:
            if isinstance(part, str):
                rows.append(["", "", part, "", ""])
                continue
            for i, term in enumerate(self._shown(part)):
                left = f"{part.left} =" if i == 0 else f"{' ' * len(part.left)} +"
                origin = _span(term.visits), _span(term.steps)
                value, *more = self._lines(term.value)
                rows.append([*origin, f"{left} {term.formula}", term.numbers, f"= {value}"])
                rows += [["", "", "", "", f"  {line}"] for line in more]
            if len(part.terms) > 1:
                value, *more = self._lines(part.value)
                rows.append(["", "", "", "sum", f"= {value}"])
                rows += [["", "", "", "", f"  {line}"] for line in more]
        if not with_numbers:
            rows = [row[:3] for row in rows if row[2] or row[0]]
        return table(rows, right=[0, 1, 3])

    def _latex(self, part: Equation | str, with_numbers: bool = True) -> Iterator[str]:
        """Lines of an ``aligned`` environment."""
        if isinstance(part, str):
            yield _note(part)
            return
        shown, known = self._shown(part), part.names
        for i, term in enumerate(shown):
            left = f"{latex(part.left, known)} &=" if i == 0 else r"&\quad +"
            visits = _span(term.visits)
            origin = rf" && \text{{visit {visits}}}" if visits else ""
            yield f"{left} {latex(term.formula, known)}{origin}"
        if not with_numbers:
            return
        if len(shown) == 1 and shown[0].numbers:
            yield f"&= {latex(shown[0].numbers)}"
        if len(shown) > 1:
            yield f"&= {' + '.join(latex(self._line(term.value)) for term in shown)}"
        yield f"&= {latex(self._line(part.value))}"

    def _forward_latex(self, group: list[Node] | str) -> Iterator[str]:
        if isinstance(group, str):
            yield _note(group)
            return
        for i, node in enumerate(group):
            left, right = self._made(node)
            known = [self._chain.called(parent, node) for parent in node.parents]
            step = "" if node.tag.step is None or i else rf" && t = {node.tag.step}"
            yield f"{opened(latex_name(left))} &= {latex(right, known)}{step}"


def _descendants(places: list[Node], of: Node) -> set[Node]:
    """All places that depend on one; ``places`` are oldest first."""
    found = {of}
    for place in places:
        if not found.isdisjoint(place.parents):
            found.add(place)
    return found


def by_step(nodes: list[Node], fold: bool = True) -> list[list[Node] | str]:
    """Nodes in their order, in groups of one time step, with notes between them.

    Where a loop, or a layer, has many steps, most are left out. Modules that one step calls in turn
    share its group: each line may use what is above it.
    """
    blocks = [_Block(*key, list(group)) for key, group in groupby(nodes, key=_block)]
    several = len({block.title for block in blocks}) > 1
    parts: list[list[Node] | str] = []
    above = ""
    for sweep in _sweeps(blocks):
        timed = [block for block in sweep if block.step is not None]
        hidden = folded(timed)[1] if fold else []
        first, last = (sweep.index(hidden[i]) if hidden else -1 for i in (0, -1))
        for i, block in enumerate(sweep):
            if several and above != block.title and not (hidden and first < i <= last):
                parts.append(f"{block.title}:" if block.title else "outside of layers:")
                above = block.title
            if hidden and i == first:
                parts.append(_likewise([block.step for block in hidden]))
            elif not (hidden and first < i <= last):
                parts += _cut(block.nodes) if fold else [block.nodes]
    return parts


def _block(node: Node) -> tuple[str, int | None]:
    """What nodes of a block share: the time step, and the layer of `nn` or what is outside time."""
    layer, step = Layer.of(node), node.tag.step
    return "" if layer.number is None and step is not None else layer.spoken, step


class _Block:
    """Neighbours of one time step."""

    def __init__(self, layer: str, step: int | None, nodes: list[Node]) -> None:
        self.layer, self.step, self.nodes = layer, step, nodes
        self.title = ", ".join(filter(None, dict.fromkeys(Layer.of(n).spoken for n in nodes)))


def _sweeps(blocks: list[_Block]) -> list[list[_Block]]:
    """The blocks of one layer, or loop, and of what stands between them: each step comes once."""
    sweeps: list[list[_Block]] = []
    seen: set[tuple[str, int]] = set()
    for block in blocks:
        fresh = block.step is None or not seen
        same = fresh or ((block.layer, block.step) not in seen and block.layer in dict(seen))
        if not sweeps or not same:
            sweeps.append([])
            seen = set()
        sweeps[-1].append(block)
        if block.step is not None:
            seen.add((block.layer, block.step))
    return sweeps


def _cut(group: list[Node]) -> list[list[Node] | str]:
    """A group without its middle, if it is long."""
    if len(group) <= _LONGEST:
        return [group]
    half = _LONGEST // 2
    return [group[:half], f"… {len(group) - _LONGEST} more operations", group[-half:]]


def _likewise(steps: Sequence[int | None]) -> str:
    return f"… {len(steps)} steps likewise, t = {steps[0]} … {steps[-1]}"


def _span(numbers: Sequence[int | None]) -> str:
    known = [number for number in numbers if number is not None]
    return "…".join(map(str, known if len(known) < 2 else [known[0], known[-1]]))


def _note(text: str) -> str:
    return rf"& \quad \text{{{escaped(text)}}}"

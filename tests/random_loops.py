"""Random loops of every kind that people write, each one function for tinygrad_rnn and PyTorch.

A program is told its library and asks its `Loop` for everything else: numbers, the ``with`` of a
time step, and what is carried on.  At the top of each pass `Loop.on` is given what came from the
passes before; that is where PyTorch detaches, and where this package finds out by itself.

    ours, theirs = program("skip", seed, tinygrad_rnn), program("skip", seed, torch, cut=every(2))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Cut = Callable[[int], bool]


def never(passed: int) -> bool:
    """Cut nowhere."""
    return False


def every(k: int) -> Cut:
    """Cut before each k-th pass, as training on windows of k steps does."""
    return lambda passed: passed > 0 and passed % k == 0


def before(at: int) -> Cut:
    """Cut before one pass, of which 0 is the first."""
    return lambda passed: passed == at and passed > 0


@dataclass(eq=False)
class Loop:
    """One run of a program.

    Attributes
    ----------
    weights : dict of tensor, by name
        The leaves that require grad.
    states : dict of list of tensor, by name
        What it says it carries on, pass by pass.
    read : dict of list, by name
        In PyTorch, the copies of it that later passes use: their gradients come through time.
    terms : list of (int, tensor)
        What the loss is a sum of, each with the pass it was made in; empty if it is no sum.
    """

    lib: Any
    rng: np.random.Generator
    steps: bool = True
    cut: Cut = never
    weigh: Callable[[int], float] = lambda passed: 1.0
    named: bool = False
    weights: dict[str, Any] = field(default_factory=dict)
    states: dict[str, list[Any]] = field(default_factory=dict)
    read: dict[str, list[list[Any]]] = field(default_factory=dict)
    terms: list[tuple[int, Any]] = field(default_factory=list)
    additive: bool = True

    # -- numbers --

    def weight(self, name: str, *shape: int, scale: float = 0.7) -> Any:
        """A parameter."""
        array = self.rng.standard_normal(shape) * scale
        made = self.weights[name] = self.lib.tensor(array, requires_grad=True)
        return made

    def constant(self, *shape: int) -> Any:
        """An input, a target, an initial state."""
        return self.lib.tensor(self.rng.standard_normal(shape))

    def chance(self, p: float = 0.5) -> bool:
        """One toss."""
        return bool(self.rng.random() < p)

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    # -- time --

    def step(self, t: int) -> Any:
        """The ``with`` of a time step, where the library knows of time and is told."""
        return self.lib.step(t) if self.steps and hasattr(self.lib, "step") else nullcontext()

    def on(self, passed: int, *carried: Any) -> Any:
        """What earlier passes hand on to this one, which is where a window may end."""
        found = tuple([self._passed(passed, self._read(x)) for x in carried])
        return found if len(found) > 1 else found[0]

    def ends(self, passed: int) -> bool:
        """Whether a window ends before this pass, or may have ended there."""
        return self.cut(passed) or self.weigh(passed) != 1

    def _passed(self, passed: int, x: Any) -> Any:
        if self.cut(passed):
            return x.detach()
        weight = self.weigh(passed)
        return x if weight == 1 else x.detach() + weight * (x - x.detach())

    def _read(self, x: Any) -> Any:
        for name, states in self.states.items():
            for i, state in enumerate(states):
                if state is x and not hasattr(self.lib, "step"):
                    copy = x.clone()
                    copy.retain_grad()
                    self.read[name][i].append(copy)
                    return copy
        return x

    def state(self, name: str, value: Any) -> Any:
        """Say that this is carried on."""
        self.states.setdefault(name, []).append(value)
        self.read.setdefault(name, []).append([])
        if not hasattr(self.lib, "step"):
            value.retain_grad()
        elif self.named:
            value.named(name)
        return value

    # -- loss --

    def loss(self, passed: int, total: Any, term: Any, idiom: str = "plus") -> Any:
        """A term more, in one of the ways in which programs keep a total; ``None``: the first."""
        self.terms.append((passed, term))
        self.additive &= idiom in ADDITIVE
        return IDIOMS[idiom](self.lib, total, term, passed)

    def idiom(self) -> str:
        """One of the ways to keep a total."""
        return list(IDIOMS)[self.number(0, len(IDIOMS) - 1)]


# -- totals ---------------------------------------------------------------------------------------

Idiom = Callable[[Any, Any, Any, int], Any]


def _in_place(lib: Any, total: Any, term: Any, n: int) -> Any:
    total = lib.zeros((), dtype=lib.float64) if total is None else total
    total += term
    return total


def _first(rest: Idiom) -> Idiom:
    return lambda lib, total, term, n: term if total is None else rest(lib, total, term, n)


def _from_number(start: float, rest: Idiom) -> Idiom:
    return lambda lib, total, term, n: rest(lib, start if total is None else total, term, n)


ADDITIVE = ("plus", "in place", "other way round", "stack and sum", "by torch.add")
IDIOMS: dict[str, Idiom] = {
    "plus": _from_number(0, lambda lib, total, term, n: total + term),
    "in place": _in_place,
    "other way round": _from_number(0, lambda lib, total, term, n: term + total),
    "by torch.add": _first(lambda lib, total, term, n: lib.add(total, term)),
    "stack and sum": _first(lambda lib, total, term, n: lib.stack([total, term]).sum()),
    "minus": _from_number(0, lambda lib, total, term, n: total - term),
    "discounted": _from_number(0, lambda lib, total, term, n: 0.9 * total + term),
    "later less": _from_number(0, lambda lib, total, term, n: total + 0.9**n * term),
    "running mean": _from_number(0.0, lambda lib, total, term, n: total + (term - total) / (n + 1)),
    "mean again": _from_number(0, lambda lib, total, term, n: (total * n + term) / (n + 1)),
    "largest": _first(lambda lib, total, term, n: lib.maximum(total, term)),
    "product": _from_number(1, lambda lib, total, term, n: total * lib.exp(-term)),
    "logaddexp": _first(lambda lib, total, term, n: lib.logaddexp(total, term)),
    "lerp": _first(lambda lib, total, term, n: lib.lerp(total, term, 0.3)),
    "cat": lambda lib, total, term, n: (
        term.reshape(1) if total is None else lib.cat([total, term.reshape(1)])
    ),
}


def whole(total: Any) -> Any:
    """The loss itself, of a total that was kept in whichever way."""
    return total.sum() if total.ndim else total


# -- kinds ----------------------------------------------------------------------------------------

KINDS: dict[str, Callable[[Loop], Any]] = {}
N, X = 3, 2  # features of states and inputs


def kind(function: Callable[[Loop], Any]) -> Callable[[Loop], Any]:
    """List a program under its name."""
    KINDS[function.__name__.replace("_", " ")] = function
    return function


def _length(loop: Loop) -> int:
    return loop.number(3, 7)


def _square(loop: Loop, y: Any) -> Any:
    return ((y - 0.3) * (y - 0.3)).sum()


def _times(loop: Loop, length: int) -> Iterator[tuple[int, int]]:
    """Passes from 0 and step numbers, from 1 or 0."""
    return enumerate(range(first := loop.number(0, 1), first + length))


@kind
def plain(loop: Loop) -> Any:
    """Elman's net, with a total in some idiom."""
    tanh = loop.lib.tanh
    w, u, v = loop.weight("w", X, N), loop.weight("u", N, N), loop.weight("v", N, 1)
    h, total, idiom = loop.constant(N), None, loop.idiom()
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            h = loop.on(n, h)
            h = loop.state("h", tanh(loop.constant(X) @ w + h @ u))
            total = loop.loss(n, total, _square(loop, h @ v), idiom)
    return whole(total)


@kind
def loss_at_the_end(loop: Loop) -> Any:
    """Only the last state is read."""
    w, u = loop.weight("w", X, N), loop.weight("u", N, N)
    h = loop.constant(N)
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            h = loop.on(n, h)
            h = loop.state("h", loop.lib.tanh(loop.constant(X) @ w + h @ u))
    return loop.loss(n, None, _square(loop, h))


@kind
def loss_outside(loop: Loop) -> Any:
    """Outputs and total are made outside of the steps."""
    w, u, v = loop.weight("w", X, N), loop.weight("u", N, N), loop.weight("v", N, 1)
    h, total = loop.constant(N), None
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            h = loop.on(n, h)
            h = loop.state("h", loop.lib.tanh(loop.constant(X) @ w + h @ u))
        total = loop.loss(n, total, _square(loop, h @ v), "plus")
    return total


@kind
def residual(loop: Loop) -> Any:
    """What a step adds to the state is computed of it; read at every step, or at the end."""
    w, u, v = loop.weight("w", X, N), loop.weight("u", N, N), loop.weight("v", N, 1)
    h, total, idiom, often = loop.constant(N), None, loop.idiom(), loop.chance()
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            h = loop.on(n, h)
            h = loop.state("h", h + loop.lib.tanh(loop.constant(X) @ w + h @ u))
            if often:
                total = loop.loss(n, total, _square(loop, h @ v), idiom)
    return whole(total) if often else loop.loss(n, None, _square(loop, h @ v))


@kind
def stream(loop: Loop) -> Any:
    """A sum of what is computed of the inputs alone: it is all that is carried on."""
    w, v = loop.weight("w", X, N), loop.weight("v", N, 1)
    h, total, often = loop.constant(N), None, loop.chance()
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            h = loop.on(n, h)
            h = loop.state("h", h + loop.lib.tanh(loop.constant(X) @ w))
            if often:
                total = loop.loss(n, total, _square(loop, h @ v))
    return total if often else loop.loss(n, None, _square(loop, h @ v))


@kind
def skip(loop: Loop) -> Any:
    """Also the state before the last is used."""
    u, z, v = loop.weight("u", N, N), loop.weight("z", N, N), loop.weight("v", N, 1)
    old, h, total, idiom = loop.constant(N), loop.constant(N), None, loop.idiom()
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            kept, (old, h) = h, loop.on(n, old, h)
            now = loop.state("h", loop.lib.tanh(h @ u + old @ z + loop.constant(N)))
            old, h = h if loop.ends(n) else kept, now
            total = loop.loss(n, total, _square(loop, h @ v), idiom)
    return whole(total)


@kind
def clockwork(loop: Loop) -> Any:
    """A slow state is renewed at every other step."""
    u, z, q, v = (loop.weight(name, N, N) for name in "uzqv")
    fast, slow, total = loop.constant(N), loop.constant(N), None
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            kept, (fast, slow) = slow, loop.on(n, fast, slow)
            using = slow
            if n % 2 == 0:
                using = slow = loop.state("slow", loop.lib.tanh(slow @ u + fast @ z))
            elif not loop.ends(n):
                slow = kept
            fast = loop.state("fast", loop.lib.tanh(fast @ q + using + loop.constant(N)))
            total = loop.loss(n, total, _square(loop, fast @ v))
    return total


@kind
def buffer(loop: Loop) -> Any:
    """States are written into an array, and read back from it."""
    w, u, z = loop.weight("w", X, N), loop.weight("u", N, N), loop.constant(N)
    length, copy, at_the_end = _length(loop), loop.chance(), loop.chance()
    out, total = loop.lib.zeros(length, N, dtype=loop.lib.float64), None
    for n in range(length):
        with loop.step(n + 1):
            h = loop.on(n, out[n - 1].clone() if n else z)
            h = loop.state("h", loop.lib.tanh(loop.constant(X) @ w + h @ u))
            if copy:
                out[n].copy_(h)
            else:
                out[n] = h
            if not at_the_end:
                total = loop.loss(n, total, _square(loop, h))
    return (out * out).sum() if at_the_end else total


@kind
def outputs_in_a_buffer(loop: Loop) -> Any:
    """States are written into an array that nobody reads before the end."""
    u, v = loop.weight("u", N, N), loop.weight("v", N, 1)
    h, length = loop.constant(N), _length(loop)
    out = loop.lib.zeros(length, N, dtype=loop.lib.float64)
    for n in range(length):
        with loop.step(n + 1):
            h = loop.on(n, h)
            h = loop.state("h", loop.lib.tanh(h @ u + loop.constant(N)))
            out[n] = h
    return _square(loop, out @ v)


@kind
def conditional(loop: Loop) -> Any:
    """Some steps compute something else, or leave the state as it is."""
    u, z, v = loop.weight("u", N, N), loop.weight("z", N, N), loop.weight("v", N, 1)
    h, total, idiom = loop.constant(N), None, loop.idiom()
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            h, way = loop.on(n, h), loop.number(0, 2)
            if n == 0 or way == 0:
                h = loop.lib.tanh(h @ u + loop.constant(N))
            elif way == 1:
                h = loop.lib.sigmoid(h @ z * loop.constant(N) + 0.5)
            total = loop.loss(n, total, _square(loop, h @ v), idiom)
    return whole(total)


@kind
def feedback(loop: Loop) -> Any:
    """The output of a step is the input of the next."""
    w, u, v = loop.weight("w", X, N), loop.weight("u", N, N), loop.weight("v", N, X)
    h, y, total, idiom = loop.constant(N), loop.constant(X), None, loop.idiom()
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            y, h = loop.on(n, y, h)
            h = loop.state("h", loop.lib.tanh(y @ w + h @ u))
            y = loop.state("y", h @ v)
            total = loop.loss(n, total, _square(loop, y), idiom)
    return whole(total)


@kind
def teacher_by_chance(loop: Loop) -> Any:
    """Now and then the output is the next input, else what it should have been."""
    w, u, v = loop.weight("w", X, N), loop.weight("u", N, N), loop.weight("v", N, X)
    h, y, total, p = loop.constant(N), loop.constant(X), None, loop.rng.uniform(0.1, 0.9)
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            target, (y, h) = loop.constant(X), loop.on(n, y, h)
            h = loop.state("h", loop.lib.tanh(y @ w + h @ u))
            y = h @ v
            total = loop.loss(n, total, ((y - target) * (y - target)).sum())
            y = y if loop.chance(p) else target
    return total


@kind
def attention(loop: Loop) -> Any:
    """Each step looks at all states before it, which stand in a list."""
    u, q, v = loop.weight("u", N, N), loop.weight("q", N), loop.weight("v", N, 1)
    hs, total, idiom = [loop.constant(N)], None, loop.idiom()
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            hs = [loop.on(n, h) for h in hs]
            past = loop.lib.stack(hs)
            context = loop.lib.softmax(past @ q, 0) @ past
            hs.append(loop.lib.tanh(hs[-1] @ u + context + loop.constant(N)))
            total = loop.loss(n, total, _square(loop, hs[-1] @ v), idiom)
    return whole(total)


@kind
def memory(loop: Loop) -> Any:
    """Each step looks at all states before it, which are joined in one tensor that grows."""
    u, q, v = loop.weight("u", N, N), loop.weight("q", N), loop.weight("v", N, 1)
    past, h, total = loop.constant(1, N), loop.constant(N), None
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            past, h = loop.on(n, past, h)
            context = loop.lib.softmax(past @ q, 0) @ past
            h = loop.lib.tanh(h @ u + context + loop.constant(N))
            past = loop.lib.cat([past, h.reshape(1, N)])
            total = loop.loss(n, total, _square(loop, h @ v))
    return total


@kind
def packed(loop: Loop) -> Any:
    """Sequences end before others; the loss reads the last state of each."""
    w, u = loop.weight("w", X, N), loop.weight("u", N, N)
    lengths = sorted([loop.number(1, 6) for _ in range(3)], reverse=True)
    h, ended = loop.constant(3, N), []
    for n in range(lengths[0]):
        with loop.step(n + 1):
            here = sum(length > n for length in lengths)
            if here < h.shape[0]:
                ended.append(h[here:])
                h = h[:here]
            h = loop.on(n, h)
            h = loop.lib.tanh(loop.constant(here, X) @ w + h @ u)
    return _square(loop, loop.lib.cat([h, *reversed(ended)]))


def _in_order(loop: Loop, order: list[int]) -> Any:
    u, v = loop.weight("u", N, N), loop.weight("v", N, 1)
    h, total, often = loop.constant(N), None, loop.chance()
    for n, t in enumerate(order):
        with loop.step(t):
            h = loop.on(n, h)
            h = loop.state("h", loop.lib.tanh(h @ u + loop.constant(N)))
            if often:
                total = loop.loss(n, total, _square(loop, h @ v))
    return total if often else loop.loss(n, None, _square(loop, h @ v))


@kind
def downward(loop: Loop) -> Any:
    """From the last number to the first."""
    return _in_order(loop, list(range(_length(loop), 0, -1)))


@kind
def strided(loop: Loop) -> Any:
    """Numbers some way apart."""
    stride = loop.number(2, 4)
    first = loop.number(-1, 5)
    return _in_order(loop, [first + stride * n for n in range(_length(loop))])


@kind
def out_of_order(loop: Loop) -> Any:
    """Numbers as they come."""
    return _in_order(loop, [int(t) + 1 for t in loop.rng.permutation(_length(loop))])


@kind
def lstm(loop: Loop) -> Any:
    """Gates written out, one layer or two; perhaps only h is handed on."""
    lib, layers = loop.lib, loop.number(1, 2)
    w = [loop.weight(f"w{n}", N, 4 * N) for n in range(layers)]
    u = [loop.weight(f"u{n}", N, 4 * N) for n in range(layers)]
    state = [loop.constant(N) for _ in range(2 * layers)]
    total, idiom = None, loop.idiom()
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            state, y = list(loop.on(n, *state)), loop.constant(N)
            for i in range(layers):
                h, c = state[2 * i], state[2 * i + 1]
                gates = y @ w[i] + h @ u[i]
                i_, f, g, o = (gates[N * k : N * (k + 1)] for k in range(4))
                c = lib.sigmoid(f) * c + lib.sigmoid(i_) * lib.tanh(g)
                c = loop.state(f"c{i}", c)
                y = loop.state(f"h{i}", lib.sigmoid(o) * lib.tanh(c))
                state[2 * i], state[2 * i + 1] = y, c
            total = loop.loss(n, total, _square(loop, y), idiom)
    return whole(total)


@kind
def gru(loop: Loop) -> Any:
    """A gate chooses between old and new."""
    lib = loop.lib
    u, z, v = loop.weight("u", N, N), loop.weight("z", N, N), loop.weight("v", N, 1)
    h, total, often = loop.constant(N), None, loop.chance()
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            h = loop.on(n, h)
            gate = lib.sigmoid(h @ z + loop.constant(N))
            h = loop.state("h", gate * h + (1 - gate) * lib.tanh(h @ u))
            if often:
                total = loop.loss(n, total, _square(loop, h @ v))
    return total if often else loop.loss(n, None, _square(loop, h))


@kind
def two_that_swap(loop: Loop) -> Any:
    """Each of two states comes of the other."""
    a, b, total = loop.constant(N), loop.constant(N), None
    u, z = loop.weight("u", N, N), loop.weight("z", N, N)
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            a, b = loop.on(n, a, b)
            a, b = loop.lib.tanh(b @ u + loop.constant(N)), loop.lib.sigmoid(a @ z)
            loop.state("a", a), loop.state("b", b)
            total = loop.loss(n, total, _square(loop, a * b))
    return total


@kind
def early_exit(loop: Loop) -> Any:
    """It stops when the state says so."""
    u, v = loop.weight("u", N, N), loop.weight("v", N, 1)
    h, total, idiom = loop.constant(N), None, loop.idiom()
    for n, t in _times(loop, 9):
        with loop.step(t):
            h = loop.on(n, h)
            h = loop.state("h", loop.lib.tanh(h @ u + loop.constant(N)))
            total = loop.loss(n, total, _square(loop, h @ v), idiom)
        if n > 1 and float(h.detach().sum()) > 0.2:
            break
    return whole(total)


@kind
def several_losses(loop: Loop) -> Any:
    """Two totals in different idioms, one that is a list, and the last state."""
    u, v, z = loop.weight("u", N, N), loop.weight("v", N, 1), loop.weight("z", N, 1)
    h, one, other, listed = loop.constant(N), None, None, []
    first, second = loop.idiom(), loop.idiom()
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            h = loop.on(n, h)
            h = loop.state("h", loop.lib.tanh(h @ u + loop.constant(N)))
            one = loop.loss(n, one, _square(loop, h @ v), first)
            other = loop.loss(n, other, _square(loop, h @ z), second)
            listed.append(_square(loop, h))
    return whole(one) + whole(other) + sum(listed) + (h * h).sum()


@kind
def truncated_by_hand(loop: Loop) -> Any:
    """The program detaches its state itself, now and then."""
    u, v = loop.weight("u", N, N), loop.weight("v", N, 1)
    h, total = loop.constant(N), None
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            h = h.detach() if n > 1 and loop.chance(0.3) else h
            h = loop.on(n, h)
            h = loop.lib.tanh(h @ u + loop.constant(N))
            total = loop.loss(n, total, _square(loop, h @ v))
    return total


@kind
def between_steps(loop: Loop) -> Any:
    """Something is done to the state between the steps."""
    u, v, s = loop.weight("u", N, N), loop.weight("v", N, 1), loop.weight("s", N)
    h, total = loop.constant(N), None
    for n, t in _times(loop, _length(loop)):
        h = loop.on(n, h)
        with loop.step(t):
            h = loop.lib.tanh(h @ u + loop.constant(N))
            total = loop.loss(n, total, _square(loop, h @ v))
        h = h * s
    return total + (h * h).sum()


@kind
def pooled(loop: Loop) -> Any:
    """What is read at the end is the mean of all states, or the largest of each."""
    u, v = loop.weight("u", N, N), loop.weight("v", N, 1)
    h, pool, largest = loop.constant(N), None, loop.chance()
    for n, t in _times(loop, _length(loop)):
        with loop.step(t):
            h = loop.on(n, h)
            h = loop.state("h", loop.lib.tanh(h @ u + loop.constant(N)))
            if pool is None:
                pool = h
            else:
                pool = loop.lib.maximum(pool, h) if largest else pool + h
    return _square(loop, (pool / (n + 1)) @ v)


@kind
def learned_start(loop: Loop) -> Any:
    """The initial state is computed in step 0."""
    u, v, s = loop.weight("u", N, N), loop.weight("v", N, 1), loop.weight("s", N, N)
    z, total = loop.constant(N), None
    with loop.step(0):
        h = z @ s
    for n in range(_length(loop)):
        with loop.step(n + 1):
            h = loop.on(n, h)
            h = loop.state("h", loop.lib.tanh(h @ u + loop.constant(N)))
            total = loop.loss(n, total, _square(loop, h @ v))
    return total


@kind
def both_ways(loop: Loop) -> Any:
    """One loop upward and one downward, whose states meet."""
    u, z, v = loop.weight("u", N, N), loop.weight("z", N, N), loop.weight("v", N, 1)
    length, total, ways = _length(loop), None, []
    for name, weight, order in (("a", u, 1), ("b", z, -1)):
        h, hs = loop.constant(N), {}
        for n, t in enumerate(range(1, length + 1)[::order]):
            with loop.step(t):
                h = loop.on(n, h)
                hs[t] = h = loop.state(name, loop.lib.tanh(h @ weight + loop.constant(N)))
        ways.append(hs)
    for t in range(1, length + 1):
        term = _square(loop, (ways[0][t] * ways[1][t]) @ v)
        total = term if total is None else total + term
    return total


@kind
def one_after_the_other(loop: Loop) -> Any:
    """A second loop over the states of the first, with step numbers of its own."""
    u, z, w = loop.weight("u", N, N), loop.weight("z", N, N), loop.weight("w", N, N)
    length, total, hs, h, k = _length(loop), None, [], loop.constant(N), loop.constant(N)
    for n in range(length):
        with loop.step(n + 1):
            h = loop.on(n, h)
            h = loop.state("h", loop.lib.tanh(h @ u + loop.constant(N)))
            hs.append(h)
    for n in range(length):
        with loop.step(n + 1):
            k = loop.on(n, k)
            k = loop.state("k", loop.lib.tanh(k @ z + hs[n] @ w))
            total = loop.loss(n, total, _square(loop, k))
    return total


def program(name: str, seed: int, lib: Any, **options: Any) -> tuple[Any, Loop]:
    """The loss of a random program of some kind, and what is known of its run.

    The same name and seed make the same program in every library. The options are those of `Loop`:
    ``steps``, whether to say ``with step(t)``; ``named``, whether states get names; in PyTorch
    ``cut``, before which passes to detach, and ``weigh``, by how much to multiply what goes back
    from a pass to those before it.
    """
    loop = Loop(lib, np.random.default_rng([seed, list(KINDS).index(name)]), **options)
    return KINDS[name](loop), loop

"""Random loops with named states, for this package and for PyTorch, and what their Jacobians are.

A loop has one to three parts of a state, of different sizes, each renewed at every step, by a
clock or by chance; they read each other old or new, themselves two renewals ago, outputs that are
fed back from one or more steps ago, inside a step, outside or by another module; they may be
detached on their way to the next step; its steps have any numbers in any order.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt
from tinygrad_rnn.reading.states import recurrences

NAMES = ("a", "b", "c")


class Readout(tg.nn.Module):
    """Another module, which a state may come back through."""

    @staticmethod
    def forward(x, weight):
        return (x @ weight).tanh()


@dataclass
class Loop:
    """A program that either package runs; all of it is drawn from a seed."""

    seed: int
    skips: bool = field(init=False)

    def __post_init__(self) -> None:
        rng = self.rng = np.random.default_rng(self.seed)
        steps = int(rng.integers(3, 7))
        numbers = [list(range(1, steps + 1)), list(range(steps, 0, -1)), list(range(2, 20, 3))]
        self.steps = [*numbers, [int(t) for t in rng.permutation(steps) + 1]][rng.integers(4)]
        self.steps = self.steps[:steps]
        self.batch = int(rng.integers(0, 4))
        self.parts = NAMES[: rng.integers(1, 4)]
        self.size = {part: int(rng.integers(1, 4)) for part in self.parts}
        self.renewed = {part: self._pattern(steps) for part in self.parts}
        self.renewed[self.parts[0]] |= ~np.any([*self.renewed.values()], axis=0)
        self.feedback = str(rng.choice(["", "", "", "inside", "outside", "module"]))
        self.delay = int(rng.choice([1, 1, 2]))  # of the output that is fed back
        self.twice = rng.random() < 0.15
        self.skips = self.twice or (bool(self.feedback) and self.delay > 1)
        self.reads = {(i, j): rng.random() < 0.7 or i == j for i in self.parts for j in self.parts}
        self.gated = {part: rng.random() < 0.3 for part in self.parts}
        self.residual = {part: rng.random() < 0.2 for part in self.parts}
        self.detached = {
            (t, part)
            for i, t in enumerate(self.steps)
            for part in self.parts
            if rng.random() < 0.05 * (not self.skips) and self.renewed[part][: i + 1].any()
        }
        self.at_the_end = rng.random() < 0.4  # the loss sees the last states alone
        lead = (self.batch,) if self.batch else ()
        self.start = {part: self._draw(*lead, n) for part, n in self.size.items()}
        self.inputs = [self._draw(*lead, 2) for _ in self.steps]
        everything = sum(self.size.values())
        self.weights = {"V": self._draw(everything, 2)}
        for i in self.parts:
            self.weights["x" + i] = self._draw(2, self.size[i])
            self.weights["y" + i] = self._draw(2, self.size[i])
            self.weights["2" + i] = self._draw(self.size[i], self.size[i])
            for j in self.parts:
                self.weights[j + i] = self._draw(self.size[j], self.size[i])
                self.weights["g" + j + i] = self._draw(self.size[j], self.size[i])

    def _draw(self, *shape: int) -> np.ndarray:
        return self.rng.standard_normal(shape)

    def _pattern(self, steps: int) -> np.ndarray:
        kind = self.rng.random()
        period = int(self.rng.integers(2, 4))
        if kind < 0.6:
            return np.ones(steps, bool)
        if kind < 0.85:
            return np.arange(steps) % period == self.rng.integers(period)
        return self.rng.random(steps) < 0.6

    def run(self, lib, keep, at=lambda t: nullcontext()):
        """The loss; ``keep(i, part, x)`` sees each part as step number i has computed it."""
        make = {n: lib.tensor(w, requires_grad=lib is tg) for n, w in self.weights.items()}
        s = {part: keep(0, part, lib.tensor(x)) for part, x in self.start.items()}
        older = {part: lib.tensor(x + 1) for part, x in self.start.items()}
        outputs = [lib.tensor(self.inputs[0]) * 0] * 2
        loss = 0.0
        for i, t in enumerate(self.steps, 1):
            with at(t):
                x = lib.tensor(self.inputs[i - 1])
                for part in self.parts:
                    if not self.renewed[part][i - 1]:
                        continue
                    total = x @ make["x" + part]
                    for j in self.parts:
                        if self.reads[part, j]:
                            total = total + s[j] @ make[j + part]
                    if self.feedback:
                        total = total + outputs[-self.delay] @ make["y" + part]
                    if self.twice:
                        total = total + older[part] @ make["2" + part]
                    new = lib.tanh(total)
                    if self.gated[part]:
                        other = self.parts[i % len(self.parts)]
                        new = new * lib.sigmoid(s[other] @ make["g" + other + part])
                    new = new + s[part] * 0.5 if self.residual[part] else new
                    older[part], s[part] = s[part], keep(i, part, new)
            with at(t) if self.feedback == "inside" else nullcontext():
                read = Readout() if lib is tg and self.feedback == "module" else Readout.forward
                y = read(lib.cat([*s.values()], -1), make["V"])
                outputs.append(y.named("y", "input") if lib is tg else y)
            if not self.at_the_end:
                loss = loss + sum((each * each).sum() for each in s.values())
            for part in self.parts:
                if (t, part) in self.detached:
                    s[part] = s[part].detach()
        return loss + sum((each * each).sum() for each in s.values())

    def ours(self) -> tuple[tg.Tensor, dict]:
        """The loss, and the nodes of the states by number of step and part."""
        nodes = {}

        def keep(i, part, x):
            if i:
                x = x.named(part, "state")
                nodes[i, part] = x.node
            return x

        return self.run(tg, keep, tg.step), nodes

    def truth(self, torch, s: int, t: int) -> np.ndarray:
        """∂state_t/∂state_s of PyTorch, all states before s being given: (batch, n, n)."""
        values = {}
        self.run(torch, lambda i, part, x: values.setdefault((i, part), x))
        held = {at: {p: max(i for i, q in values if q == p and i <= at) for p in self.parts}
                for at in (s, t)}  # fmt: skip

        def after(*given):
            found = dict(zip(self.parts, given))

            def keep(i, part, x):
                if i == held[s][part]:
                    x = given[self.parts.index(part)]
                elif i <= s:
                    x = values[i, part]
                if i == held[t][part]:
                    found[part] = x
                return x

            self.run(torch, keep)
            return tuple(found.values())

        at = tuple(values[held[s][part], part].detach() for part in self.parts)
        blocks = torch.autograd.functional.jacobian(after, at)
        rows = max(self.batch, 1)
        n = sum(self.size.values())
        whole = np.zeros((rows, n, rows, n))
        ends = np.cumsum([0, *self.size.values()])
        for i, row in enumerate(blocks):
            for j, block in enumerate(row):
                block = block.numpy().reshape(rows, ends[i + 1] - ends[i], rows, -1)
                whole[:, ends[i] : ends[i + 1], :, ends[j] : ends[j + 1]] = block
        return whole[np.arange(rows), :, np.arange(rows)]


def check(torch, seed: int) -> dict[str, int]:
    """Compare all that is measured of a loop with PyTorch; how much of what there was."""
    loop = Loop(seed)
    loss, nodes = loop.ours()
    if not loss.requires_grad:  # all is detached
        return {"constant": 1}
    record = bptt.record(loss, retain_graph=True)
    places = set(record.places)
    read = {
        p for each in recurrences(record.places) for s in each.states for p in s.places.values()
    }
    if read != places & set(nodes.values()):
        return {"other states": 1}  # a name that only one step has
    try:
        js = bptt.jacobians(loss)
    except ValueError as error:
        return {str(error).split(" of ")[0]: 1}
    number = {t: i for i, t in enumerate(loop.steps, 1)}
    second, first = next(iter(js.before.items()))
    if number.get(first, 99) > number[second]:
        number[first] = number[second] - 1
    ends = np.cumsum([0, *loop.size.values()])
    slices = {part: slice(*ends[i : i + 2]) for i, part in enumerate(loop.parts)}
    order = np.concatenate([np.arange(99)[slices[part]] for part in js.states])

    def compare(found: np.ndarray, s: int, t: int) -> None:
        want = loop.truth(torch, number[s], number[t])
        for part in js.states:
            renewals = [i for i in range(number[t] + 1) if not i or loop.renewed[part][i - 1]]
            if renewals[-1] and nodes[renewals[-1], part] not in places:
                eye = np.eye(loop.size[part])
                is_eye = (found[..., js.states[part], js.states[part]] == eye).all()
                # the graph does not have it, and cannot tell whether it was kept
                want[:, slices[part]] = 0
                if is_eye and not loop.renewed[part].all():
                    want[:, slices[part], slices[part]] = eye
            elif number[t] > renewals[-1] and part in {part for _, part in loop.detached}:
                rows = js.states[part]  # it may not have that it is kept
                if not found[..., rows, :].any():
                    want[:, slices[part]] = 0
        for part in js.states:
            renewals = [i for i in range(1, number[s] + 1) if loop.renewed[part][i - 1]]
            if renewals and nodes[renewals[-1], part] not in places and len(renewals) < number[s]:
                want[:, :, slices[part]] = found[..., :, js.states[part]]
        want = want[:, order][:, :, order]
        found = found if loop.batch else found[None]
        np.testing.assert_allclose(found, want, atol=1e-10, err_msg=f"{seed}: {s} to {t}")

    counts = {"loops": 1, "J": len(js), "spans": 0, "refused spans": 0}
    walked = [first, *js]
    if number[first] and {(loop.steps[number[first] - 1], p) for p in loop.parts} & loop.detached:
        walked = walked[1:]  # begins from a constant, which PyTorch does not
    for t in walked[1:]:
        compare(js[t], js.before[t], t)
        for s in walked[: walked.index(t) - 1]:
            try:
                span = js.between(s, t)
            except ValueError:
                assert loop.skips or loop.feedback, seed
                counts["refused spans"] += 1
                continue
            compare(span, s, t)
            counts["spans"] += 1
    return counts

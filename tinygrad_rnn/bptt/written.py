"""Backpropagation through time of one's own cell, written as a NumPy program."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.bptt.rolled import rolled
from tinygrad_rnn.compiled.captured import captured
from tinygrad_rnn.compiled.lines import lines
from tinygrad_rnn.compiled.program import compiled
from tinygrad_rnn.compiled.scan import flat, like
from tinygrad_rnn.compiled.symbols import CannotWrite
from tinygrad_rnn.compiled.text import Read, Stage, Variable, program_text, shape_text
from tinygrad_rnn.compiled.trace import Traced, traced, verified
from tinygrad_rnn.engine.graph import Node, place, tape
from tinygrad_rnn.nn.cells import KINDS, RNNCellBase, check_sizes
from tinygrad_rnn.nn.fused import flat_step
from tinygrad_rnn.nn.recurrent import RNNBase
from tinygrad_rnn.reading.called import shown
from tinygrad_rnn.reading.given import name_of
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import zeros
from tinygrad_rnn.writing.text import Code

Step = Callable[[Any, Any], tuple[Any, Any]]


def program(
    of: Record | RNNBase | RNNCellBase | Step, state: Any = None, x: Any = None, *, batch: int = 2,
    optimised: bool = False,
) -> ProgramText:  # fmt: skip
    """The forward and the backward of a recurrence over time, as the text of a NumPy program.

    It is written from the graph and from the same rules that the walk uses, and has two functions.
    Of a layer, a cell or a step ``forward(x, *states, *weights)`` returns (what goes out at every
    step, the last states, what the other needs), ``backward(cotangents of these, saved)`` returns
    the gradients of x, of the initial states and of the weights. Of a walk ``forward(**arguments)``
    returns the loss and ``saved``, and ``backward(dloss, saved)`` the gradients of the leaves.

    Parameters
    ----------
    of : Record, nn.RNN, nn.LSTM, nn.GRU, one of their cells, or a step
        A walk is that of any program: steps that are alike are one loop over t, others are written
        out. What the program decided by numbers stays as it was decided. A step is
        ``step(state, x) -> (state, y)``, as for `scan`.
    state, x : Tensor or tuple of Tensors
        Of a step: an example of what it is given at one time step.
    batch : int
        Of a layer or cell: how many sequences.
    optimised : bool
        As it is run, with results put straight into buffers, instead of as it is read: of a step, a
        cell or a single layer.

    Returns
    -------
    ProgramText
        A str, which a notebook shows highlighted; of a walk it has the ``arguments`` with which its
        forward computes the same loss again.

    Raises
    ------
    TypeError
        If it is none of these, or a step comes without an example.
    ValueError
        If it is a walk, or has several layers, and is to be optimised.
    RuntimeError
        If it does something that cannot be written; the message says what, and at which line.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w, h = tg.tensor(0.5, requires_grad=True), tg.tensor(0.0)
    >>> for x in tg.ones(4):
    ...     h = tg.tanh(w * h + x)
    >>> text = program(tg.bptt.record(h))
    >>> print(text[text.index("def backward") :])
    def backward(dh, saved):
        # dh: ∂L/∂h after the last step
        w, h = saved
        dw = np.zeros_like(w)
        for t in reversed(range(4)):
            v = dh * (1 - h[t + 1] * h[t + 1])  # (), tanh: g ⊙ (1 − y²)
            dw += v * h[t]  # mul: g ⊙ b
            dh = v * w
        return dw
    <BLANKLINE>
    """
    try:
        several = isinstance(of, RNNBase) and (of.num_layers > 1 or of.bidirectional)
        if optimised and (several or isinstance(of, Record)):
            raise ValueError(
                "program: optimised=True writes a step, a cell or a single layer in one direction"
            )
        if isinstance(of, Record):
            return _of_record(of)
        if several:
            return _of_layers(of, batch)
        if isinstance(of, RNNBase | RNNCellBase):
            found, title, names = _of_module(of, batch)
        else:
            found, title, names = _of_step(of, state, x)
    except CannotWrite as error:
        raise RuntimeError(
            f"program: this cannot be written, because of {error}{error.where}"
        ) from None
    if optimised:
        wanted = [v.dtype.kind == "f" for v in found.xs]
        floats = [v.dtype.kind == "f" for v in found.consts]
        return ProgramText(compiled(found, wanted, True, floats).source)
    return _written(found, title, *names)


class ProgramText(Code):
    """The text of a program, which a notebook shows highlighted.

    Attributes
    ----------
    arguments : dict of ndarray or None, by name
        Of a walk: what its ``forward`` was given, as far as that is known.
    leaves : dict of list of Node, by name
        Of a walk: the leaves of its graph that an argument is, or is made of.
    """

    arguments: Mapping[str, Any] = MappingProxyType({})
    leaves: Mapping[str, list[Node]] = MappingProxyType({})


def _of_record(walk: Record) -> ProgramText:
    """The program of a walk, from its leaves to its loss."""
    called = {**walk.called, **shown(walk.places, walk.value)}
    found = rolled(walk.places, [walk.root], walk.value, called)
    text, names = program_text(
        "A walk", [found.arguments], found.stages, [found.results], grouped=False
    )
    made = ProgramText(text)
    made.arguments = dict(zip(names, found.numbers, strict=True))
    made.leaves = dict(zip(names, found.leaves, strict=True))
    return made


STEPS = 4  # at least, for which layers are unrolled; what is written is the same for any number


def _of_layers(module: Any, batch: int) -> ProgramText:
    """The program of all layers and directions of a module: a loop for each."""
    check_sizes("program", batch=batch)
    dtype, name = module._weights()[0].ih.array.dtype, type(module).__name__
    sizes = [module.proj_size or module.hidden_size, module.hidden_size]
    states = KINDS[module.mode].states
    count = module.num_layers * (1 + module.bidirectional)
    others = {n for w in module.parameters() for n in w.shape} | {
        batch,
        count,
        *sizes,
        2 * sizes[0],
    }
    steps = next(n for n in itertools.count(STEPS) if n not in others)
    shape = (batch, steps) if module.batch_first else (steps, batch)
    x = zeros(*shape, module.input_size, dtype=dtype).requires_grad_()
    hx = [zeros(count, batch, n, dtype=dtype).requires_grad_() for n, _ in zip(sizes, states)]
    was, module.training = module.training, False  # what is dropped is no part of the program
    try:
        output, last = module(x, tuple(hx) if len(hx) > 1 else hx[0])
    finally:
        module.training = was
    outputs = [output, *(last if isinstance(last, tuple) else (last,))]
    tensors = {"x": x, **dict(zip([f"{s}_0" for s in states], hx))}
    tensors |= {_short(name): w for name, w in module.named_parameters()}
    tensors |= dict(zip(("y", *[f"{s}_n" for s in states]), outputs))
    called = {place(tensor): name for name, tensor in tensors.items()}
    roots = [place(y) for y in outputs]
    found = rolled(tape(roots), roots, lambda at: at.value, called)
    of = {leaves[0]: v for v, leaves in zip(found.arguments, found.leaves, strict=True)}
    given = [[of[place(t)] for t in group] for group in ([x], hx, list(module.parameters()))]
    sizes_of_x = ", ".join(["T" if n == steps else str(n) for n in shape])
    given[0][0].note = f"({sizes_of_x}, {module.input_size})"
    results = [found.results[:1], found.results[1:]]
    text, _ = program_text(name, given, found.stages, results, steps=steps)
    return ProgramText(text)


def _short(weight: str) -> str:
    """The name of a weight as equations have it."""
    return weight.replace("weight_", "W_").replace("bias_", "b_")


def _written(
    step: Traced, title: str, states: Sequence[str], xs: Sequence[str], consts: Sequence[str],
    ys: Sequence[str],
) -> ProgramText:  # fmt: skip
    """The program of one step over time."""
    given = [
        [Variable(name, shape_text(value, head) + tail, value.dtype.kind == "f")
         for name, value in zip(names, values, strict=True)]
        for names, values, head, tail in (
            (xs, step.xs, "T, ", ""), (states, step.states, "", ", the initial one"),
            (consts, step.consts, "", ""),
        )
    ]  # fmt: skip
    sequences, starts, weights = given
    outs = [Variable(y) for y in ys]
    stage = Stage(
        step, [Read(w) for w in weights], outs, (sequences[0], 0, 0),
        [Read(x, "[t]") for x in sequences], starts, [Read(s) for s in starts],
    )  # fmt: skip
    results = [[Read(y) for y in outs], [Read(s, last=True) for s in starts]]
    return ProgramText(program_text(title, given, [stage], results)[0])


Names = tuple[Sequence[str], Sequence[str], Sequence[str], Sequence[str]]
_WEIGHTS = ("W_ih", "W_hh", "b_ih", "b_hh", "W_hr")


def _of_module(module: Any, batch: int) -> tuple[Traced, str, Names]:
    if isinstance(module, RNNBase):
        mode, weights = module.mode, module._weights()[0]
    else:
        mode, weights = module._kind, module._weights()
    check_sizes("program", batch=batch)
    kind, dtype = KINDS[mode], weights.ih.array.dtype
    sizes = [weights.hh.array.shape[1], module.hidden_size][: len(kind.states)]
    numbers = np.random.default_rng(0)
    examples = [numbers.normal(size=(batch, size)).astype(dtype) for size in sizes]
    x = numbers.normal(size=(batch, module.input_size)).astype(dtype)
    found = traced(flat_step(kind, weights), examples, [x], weights.present())
    consts = [name for name, each in zip(_WEIGHTS, weights) if each is not None]
    return found, type(module).__name__, (kind.states, ["x"], consts, ["y"])


def _of_step(step: Any, state: Any, x: Any) -> tuple[Traced, str, Names]:
    if not callable(step):
        raise TypeError(
            "program: expected a Record, a recurrent layer, a cell, or a step(state, x), got "
            f"{step!r:.60}"
        )
    for what, given in (("state", state), ("x", x)):
        if not all(isinstance(each, Tensor) for each in flat(given)):
            raise TypeError(
                f"program: of a step an example of its {what} is needed, a Tensor or a tuple of "
                f"them; got {given!r:.60}"
            )
    known, _ = captured(step)
    outs: list[int] = []

    def listed(states: Any, xs: Any, _: Any) -> Any:
        after, y = step(like(state, states), like(x, xs))
        ys = [] if y is None else flat(y)
        outs[:] = [len(ys)]
        return flat(after), ys

    found = verified(
        listed, [s.array for s in flat(state)], [each.array for each in flat(x)], known
    )
    consts = [_named(each, f"w{i + 1}") for i, each in enumerate(known)]
    found, consts = _used(found, consts)
    states = [_named(each, "h") for each in flat(state)]
    xs = [_named(each, "x") for each in flat(x)]
    return found, getattr(step, "__name__", "step"), (states, xs, consts, ["y"] * outs[0])


def _used(found: Traced, names: Sequence[str]) -> tuple[Traced, list[str]]:
    """The step without the tensors that it knows but does not use, and the names of the others."""
    there = set(lines([*found.next_states, *found.ys, *found.d_states, *found.d_xs]))
    keep = [i for i, value in enumerate(found.consts) if value in there]
    consts = [found.consts[i] for i in keep]
    d_consts = [found.d_consts[i] for i in keep]
    return replace(found, consts=consts, d_consts=d_consts), [names[i] for i in keep]


def _named(tensor: Tensor, otherwise: str) -> str:
    return (name_of(tensor.node) if tensor.node is not None else "") or otherwise

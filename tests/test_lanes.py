"""Ordinary programs take the lanes: the general way only at an operation's first use."""

import pickle
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.engine.primitive import Primitive


def general_calls(work: Callable[[], Any]) -> Counter[str]:
    """How often each primitive is applied in the general way while something runs."""
    calls: Counter[str] = Counter()

    def see(frame: Any, event: str, _: object) -> None:
        if event == "call" and frame.f_code is Primitive.general.__code__:
            calls[frame.f_locals["self"].name] += 1

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def made(dtype: Any) -> Callable[..., tg.Tensor]:
    return lambda *values: tg.tensor(values, dtype=dtype, requires_grad=True)


WAYS: dict[str, Callable[..., tg.Tensor]] = {
    "from a list": made(None),
    "float32": made(tg.float32),
    "named by a string": made("float64"),
    "double": lambda *values: made(None)(*values).double().detach().requires_grad_(),
    "unpickled": lambda *values: pickle.loads(pickle.dumps(made(None)(*values))),
    "from NumPy": lambda *values: tg.from_numpy(np.array(values, "f4")).requires_grad_(),
    "as a new type": lambda *values: tg.from_numpy(
        np.array(values, np.dtype("f4").newbyteorder("="))
    ).requires_grad_(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_recurrence_takes_the_lanes(way):
    tensor = WAYS[way]
    w, b, x = tensor([0.1, 0.2], [0.3, 0.4]), tensor([0.1, 0.2]), tensor([1.0, 2.0])

    def program() -> None:
        h = x
        for _ in range(3):
            h = tg.tanh(x @ w + h @ w + b)
        ((h - x) * tg.sigmoid(h)).sum().backward()

    program()
    assert not general_calls(program)


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
@pytest.mark.parametrize("change", [nn.Module.float, nn.Module.double, pickle.dumps])
def test_cells_take_the_lanes(kind, change):
    cell = change(kind(2, 2))
    cell = pickle.loads(cell) if isinstance(cell, bytes) else cell
    x = tg.ones(1, 2, dtype=cell.weight_ih.dtype)

    def program() -> None:
        state = None
        for _ in range(3):
            state = cell(x, state)
        (state[0] if isinstance(state, tuple) else state).sum().backward()

    program()
    assert not general_calls(program)


PARTS: dict[str, Callable[[tg.Tensor], Any]] = {
    "chunk": lambda x: x.chunk(6, 1),
    "split": lambda x: x.split(1, 1),
    "split, by sizes": lambda x: x.split([1] * 6, 1),
    "tensor_split": lambda x: x.tensor_split(6, 1),
    "unbind": lambda x: x.unbind(1),
    "iteration": lambda x: tuple(x.T),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_share_what_is_the_same_for_all(name):
    """Their place's parent, and all that is asked before: a part costs its view and its node."""
    x = tg.ones(2, 6, requires_grad=True) * 2
    PARTS[name](x)
    assert not general_calls(lambda: PARTS[name](x))
    parts = PARTS[name](x)
    assert len({id(part.node) for part in parts}) == 6
    assert len({id(part.node.parents) for part in parts}) == 1


def test_the_count_sees_the_general_way():
    x = tg.ones(2)
    assert general_calls(lambda: x + x) == {"add": 1}  # nobody wants its gradient

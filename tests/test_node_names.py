"""What the nodes that end operations are called: as PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cases import leaf
from operations.harness import draw, tensors

import tinygrad_rnn as tg

X, CUBE = draw(3, 3), draw(2, 4, 1)
ENDS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "squeeze": (lambda lib, x: x.squeeze(), (CUBE,)),
    "squeeze of one axis": (lambda lib, x: x.squeeze(-1), (CUBE,)),
    "squeeze of the only one": (lambda lib, x: lib.squeeze(x, 0), (draw(1, 3),)),
    "squeeze of none": (lambda lib, x: x.squeeze(0), (CUBE,)),
    "squeeze of some": (lambda lib, x: x.squeeze((0, 2)), (CUBE,)),
    "clamp_min": (lambda lib, x: x.clamp_min(0.1), (X,)),
    "clamp_min of a tensor": (lambda lib, x: x.clamp_min(x.detach()), (X,)),
    "clamp_max": (lambda lib, x: lib.clamp_max(x, 0.1), (X,)),
    "clamp": (lambda lib, x: x.clamp(0.1), (X,)),
}


def ends(lib: Any, name: str) -> list[str]:
    fn, arrays = ENDS[name]
    made = tensors(fn(lib, *(leaf(lib, a) for a in arrays)))
    return [repr(y).rpartition("grad_fn=")[2] for y in made]


@pytest.mark.parametrize("name", ENDS)
def test_ends_are_called_as_in_pytorch(torch, name):
    assert ends(tg, name) == ends(torch, name)

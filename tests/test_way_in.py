"""The short reverse loop of docs/engine.md gives what the engine gives, for any recurrent net."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from random_layers import layers
from test_docs import BLOCK

import tinygrad_rnn as tg

PAGE = Path(__file__).parents[1] / "docs" / "engine.md"


def short_loop() -> Any:
    """The function that the page shows."""
    (code,) = [code for code, _ in BLOCK.findall(PAGE.read_text("utf-8")) if "def grad" in code]
    namespace: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), namespace)
    return namespace["gradients"]


gradients = short_loop()


@given(layers())
def test_the_short_loop_agrees_on_recurrent_layers(net):
    loss, layer, x = net
    received = gradients(loss)
    loss.backward()
    for tensor in (x, *layer.parameters()):
        np.testing.assert_allclose(received[tensor.node], tensor.grad, rtol=1e-9, atol=1e-12)


def test_the_short_loop_agrees_on_slices_and_joint_rules():
    x = tg.randn(5, 4, dtype=tg.float64, requires_grad=True)
    a, b = (x[1:4] * x[2:]).chunk(2, 1)
    loss = tg.logsumexp(tg.cat([a, b * a], 0), 0).sum()
    received = gradients(loss)
    loss.backward()
    np.testing.assert_allclose(received[x.node], x.grad, rtol=1e-9)

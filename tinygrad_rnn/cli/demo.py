"""The demonstration: backpropagation through time on a two-step RNN, worked out in full.

The network is that of a lecture notebook which computes it forward with NumPy and promises, but
does not give, the way back: states [h ; x] @ W with 2 units, and outputs h @ w + b_out.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.files import write
from tinygrad_rnn.reading.names import expression, names
from tinygrad_rnn.testing import ThreeWay, three_way
from tinygrad_rnn.writing.text import table

INPUTS: dict[str, Any] = {
    "W": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]],
    "b": [0.1, -0.1],
    "w": [[1.0], [2.0]],
    "b_out": [0.1],
    "h₀": [0.0, 0.0],
    "x₁": [1.0],
    "x₂": [2.0],
}
TITLE = "Two-step RNN: the graph that backward() walks"
EQUATIONS = "h_t = tanh([h_t-1 ; x_t] @ W + b),  y_t = h_t @ w + b_out,  L = y_1 + y_2"


def one_step(
    lib: Any, W: Any, b: Any, w: Any, b_out: Any, h: Any, x: Any, name: Callable[[Any, str], Any]
) -> tuple[Any, Any]:
    """The next state and what goes out."""
    hx = name(lib.cat([h, x]), "hx")
    m = name(hx @ W, "m")
    a = name(m + b, "a")
    h = name(lib.tanh(a), "h")
    p = name(h @ w, "p")
    return h, name(p + b_out, "y")


def two_step_rnn(
    lib: Any,
    W: Any,
    b: Any,
    w: Any,
    b_out: Any,
    h: Any,
    *xs: Any,
    step: Callable[[int], Any] = nullcontext,
    name: Callable[[Any, str], Any] = lambda tensor, _: tensor,
) -> Any:
    """The loss of the network, by the functions of ``lib`` (this package or torch).

    ``step`` and ``name`` label the graph, where that is wanted.
    """
    loss = None
    for t, x in enumerate(xs, 1):
        with step(t):
            h, y = one_step(lib, W, b, w, b_out, h, x, name)
        loss = y if loss is None else loss + y
    return name(loss, "L")


def run(directory: Path, language: str = "en") -> bool:
    """Write the pictures and print the demonstration; whether every gradient is right."""
    tensors, seen, loss = forward()
    walk = bptt.record(loss)
    picture = viz.draw(walk, title=TITLE, language=language)
    paths = [picture.save(directory / f"bptt.{suffix}") for suffix in ("svg", "dot")]
    paths.append(viz.play(walk, directory / "bptt.html", title=TITLE, language=language))
    paths.append(directory / "bptt.py")
    write(paths[-1], _program(tensors))
    check = three_way(two_step_rnn, {key: np.array(value) for key, value in INPUTS.items()})
    parts = {
        f"A two-step RNN\n  {EQUATIONS}": "",
        "Forward": f"{_forward_table(seen)}\n  L = {loss.item():.8f}",
        f"Backward: the walk, newest first ({len(walk)} visits)": _walk_table(walk),
        "Gradients of the parameters, by time step": _steps_table(walk, tensors),
        "Check of every gradient: largest relative error": f"{check}\n  {_verdict(check)}",
    }
    for title, text in parts.items():
        print(title, *([text] if text else []), "", sep="\n")
    for path in paths:
        print(f"wrote {path}")
    return check.ok


def forward() -> tuple[dict[str, tg.Tensor], dict[str, list[tg.Tensor]], tg.Tensor]:
    """The labelled forward pass: inputs by name, results by name in time, the loss."""
    tensors = {}
    for key, value in INPUTS.items():
        label, t = (key[0], "₀₁₂".index(key[-1])) if key[-1] in "₀₁₂" else (key, None)
        with tg.step(t):
            role = {"h": "state", "x": "input"}.get(label, "parameter")
            made = tg.tensor(value, dtype=tg.float64, requires_grad=True)
            tensors[key] = made.named(label, role)
    seen: dict[str, list[tg.Tensor]] = {}

    def name(tensor: tg.Tensor, label: str) -> tg.Tensor:
        seen.setdefault(label, []).append(tensor)
        return tensor.named(label, "state" if label == "h" else None)

    loss = two_step_rnn(tg, *tensors.values(), step=tg.step, name=name)
    return tensors, seen, loss


def _program(tensors: dict[str, tg.Tensor]) -> str:
    """Both ways through time as a NumPy program."""
    W, b, w, b_out, h, x, _ = tensors.values()

    def step(h: tg.Tensor, x: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        return one_step(tg, W, b, w, b_out, h, x, tg.Tensor.named)

    return bptt.program(step, h, x)


def _forward_table(seen: dict[str, list[tg.Tensor]]) -> str:
    rows = [["t", "h", "y"]]
    for t, (h, y) in enumerate(zip(seen["h"], seen["y"], strict=True), 1):
        rows.append([str(t), _numbers(h.array, 8), f"{y.item():.8f}"])
    return table(rows)


def _walk_table(walk: bptt.Record) -> str:
    called = names(walk.places, walk.called)
    rows = [["visit", "t", "operation", "∂L/∂it", "sends back"]]
    for visit in walk.visits:
        sent = [
            f"{called[parent]} += {_numbers(c)}"
            for parent, c in zip(visit.node.parents, visit.contributions, strict=True)
            if c is not None
        ]
        operation = f"{called[visit.node]} {expression(visit.node, called)}"
        step = "" if visit.step is None else str(visit.step)
        first = [str(visit.number), step, operation, _numbers(visit.cotangent), sent[0]]
        rows += [first, *(["", "", "", "", more] for more in sent[1:])]
    return table(rows, right=[0])


def _steps_table(walk: bptt.Record, tensors: dict[str, tg.Tensor]) -> str:
    rows = [["parameter", "t = 1", "t = 2", "sum over t = .grad"]]
    for key in ("W", "b", "w", "b_out"):
        shares = bptt.contributions(walk, tensors[key])
        grad = tensors[key].grad
        assert grad is not None
        if not np.allclose(sum(shares.values()), grad.array, rtol=1e-12, atol=0):
            raise AssertionError(f"the contributions to {key} do not add up to its gradient")
        cells = [np.atleast_2d(x) for x in (shares[1], shares[2], grad.array)]
        rows += [
            [key if i == 0 else "", *(_numbers(cell[i]) for cell in cells)]
            for i in range(len(cells[0]))
        ]
    return table(rows)


def _verdict(check: ThreeWay) -> str:
    worst = f"worst {check.worst_differences_error:.1e} against central differences"
    if check.worst_torch_error is None:
        worst += "; torch is not installed, so not compared with PyTorch"
    else:
        worst += f", {check.worst_torch_error:.1e} against PyTorch"
    return f"{'all gradients agree' if check.ok else 'MISMATCH'}: {worst}"


def _numbers(array: Any, digits: int = 4) -> str:
    """An array on one line; matrices as rows in brackets."""
    array = np.asarray(array)
    if array.ndim == 0:
        return f"{float(array):.{digits}f}"
    return "[" + " ".join(_numbers(x, digits) for x in array) + "]"

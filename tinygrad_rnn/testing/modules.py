"""One module with both libraries: outputs, gradients, and the gradients of each time step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_rnn import bptt
from tinygrad_rnn.nn.recurrent import RNNBase
from tinygrad_rnn.testing.crosscheck import Beside, CrossCheck
from tinygrad_rnn.testing.exchange import from_torch
from tinygrad_rnn.testing.pairs import Pair, Tolerance, paired
from tinygrad_rnn.testing.runs import array_of, aside, called, place
from tinygrad_rnn.testing.unrolled import Unrolled

Array = np.ndarray[Any, Any]


def crosscheck_module(
    module: Any,
    *inputs: Any,
    second_order: bool = False,
    rtol: float | None = None,
    atol: float | None = None,
    own_scale: bool = False,
    seed: int = 0,
) -> CrossCheck:
    """Run a module of this package beside its twin in PyTorch, which gets the same weights.

    Compared are the weights after a journey there and back, outputs, gradients of inputs and
    parameters, and of an `nn.RNN`, `LSTM` or `GRU` the share of every time step in the gradient of
    every parameter: ours by `bptt.contributions`, PyTorch's by a loop over time in which every step
    has clones of the weights.

    Parameters
    ----------
    module : Module, or a pair (ours, PyTorch's)
        As in `crosscheck`. It is copied, and does not change.
    *inputs : arrays, Tensors, PackedSequences, or nested lists, tuples and dicts of them
        What the module is called with; which of them require grad, as in `crosscheck`.
    second_order, rtol, atol, own_scale, seed
        As in `crosscheck`, which also says what is returned and raised. With ``own_scale`` the
        share of each time step is measured by its own largest entry, too.

    Examples
    --------
    >>> torch = __import__("pytest").importorskip("torch")
    >>> import numpy as np
    >>> import tinygrad_rnn as tg
    >>> rnn = tg.nn.RNN(1, 2, dtype=tg.float64)
    >>> check = tg.testing.crosscheck_module(rnn, np.ones((3, 1, 1)))
    >>> for pair in check.pairs:
    ...     print(pair.what)
    output[0]
    output[1]
    gradient of input
    gradient of weight_ih_l0
    gradient of weight_hh_l0
    gradient of bias_ih_l0
    gradient of bias_hh_l0
    weights, there and back
    gradient of weight_ih_l0 by step
    gradient of weight_hh_l0 by step
    gradient of bias_ih_l0 by step
    gradient of bias_hh_l0 by step
    >>> check.ok
    True
    """

    def call(lib: Any, *arguments: Any) -> Any:
        *xs, layer = arguments
        return layer(*xs)

    ours = module[0] if isinstance(module, tuple) else module
    names = called(getattr(ours, "forward", call), len(inputs))
    check = Beside(
        "crosscheck_module",
        call,
        inputs,
        [module],
        Tolerance(rtol, atol, own_scale),
        second_order,
        seed,
        names,
    )
    return check.report([*_journey(check), *_by_step(check)])


def _journey(check: Beside) -> list[Pair]:
    """The weights, after they have been to PyTorch and have come back."""
    back = from_torch(check.twins[0].state_dict())
    weights = [{k: array_of(v) for k, v in d.items()} for d in (check.mine[0].state_dict(), back)]
    if not weights[0]:
        return []
    sent, returned = (np.concatenate([d[k].ravel() for k in weights[0]]) for d in weights)
    return [paired("weights, there and back", sent, returned, Tolerance(0, 0))]


def _by_step(check: Beside) -> list[Pair]:
    """The gradient of each parameter of a recurrent layer, step by step along a first axis."""
    layer, twin = check.mine[0], check.twins[0]
    random = layer.training and getattr(layer, "dropout", 0)
    failed = check.ours.error is not None or check.theirs.error is not None
    if not isinstance(layer, RNNBase) or random or failed:
        return []
    ours, theirs = _shares(check), aside(lambda: _shares_there(check, twin))
    return [
        paired_by_step(f"gradient of {name} by step", ours[name], theirs[name], check.tolerance)
        for name in ours
        if name in theirs
    ]


def paired_by_step(what: str, ours: Array, theirs: Array, tolerance: Tolerance) -> Pair:
    """Shares of all steps as one pair; on their own scale they are compared step by step."""
    whole = paired(what, ours, theirs, tolerance)
    if not (whole.ok and tolerance.own_scale):
        return whole
    for t, (a, b) in enumerate(zip(ours, theirs, strict=True), 1):
        if trouble := paired(what, a, b, tolerance).trouble:
            return replace(whole, trouble=f"at step {t}: {trouble}")
    return whole


def _shares(check: Beside) -> dict[str, Array]:
    parameters = {n: p for n, p in check.mine[0].named_parameters() if p.requires_grad}
    ends = zip(check.ours.ends, check.ours.cotangents, strict=True)
    total = sum((y * v).sum() for y, v in ends)
    walk = bptt.record(total, retain_graph=True)  # of our own copy: its .grad is nobody's
    steps = max(place.tag.step or 0 for place in walk.places)
    found = {}
    for name, p in parameters.items():
        shares = bptt.contributions(walk, p)
        zeros = np.zeros(p.shape, p.dtype)
        found[name] = np.stack([shares.get(t, zeros) for t in range(1, steps + 1)])
    return found


def _shares_there(check: Beside, twin: Any) -> dict[str, Array]:
    torch = check.torch
    unrolled = Unrolled(torch, twin)
    ends = unrolled(*[place(torch, x, "", {}) for x in check.inputs])
    names, clones = unrolled.clones.keys(), unrolled.clones.values()
    flat = [clone for some in clones for clone in some if clone.requires_grad]
    gs = iter(torch.autograd.grad(ends, flat, check.theirs.cotangents, materialize_grads=True))
    return {
        name: np.stack([array_of(next(gs)) for _ in some])
        for name, some in zip(names, clones, strict=True)
        if some[0].requires_grad
    }

"""A recurrent net with random weights and inputs, to draw and to play."""

from __future__ import annotations

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.engine.graph import place
from tinygrad_rnn.viz.player.walk import boxed

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def boxes_of(cell: str, *, layers: int = 1, steps: int = 4, **others: bool) -> int:
    """How many boxes a picture of all operations of `unrolled` has, without unrolling it.

    It grows evenly with the layers and with the steps, so a few small nets tell.

    Examples
    --------
    >>> boxes_of("lstm", layers=2, steps=200_000)
    6600023
    """
    count = {
        (i, t): len(boxed(place(unrolled(cell, layers=i, steps=t, **others))))
        for i in (2, 3)
        for t in (3, 4)
    }
    start, wider, longer = count[2, 3], count[3, 3] - count[2, 3], count[2, 4] - count[2, 3]
    both = count[3, 4] - count[3, 3] - longer
    more, further = layers - 2, steps - 3
    return start + more * wider + further * longer + more * further * both


def unrolled(
    cell: str,
    *,
    layers: int = 1,
    steps: int = 4,
    hidden: int = 2,
    inputs: int = 2,
    bidirectional: bool = False,
    every_step: bool = False,
    seed: int = 0,
) -> tg.Tensor:
    """The loss of a recurrent layer with a linear readout, on one random sequence.

    Parameters
    ----------
    cell : str
        "rnn", "lstm" or "gru".
    layers, steps, hidden, inputs : int
        Layers of the stack, time steps, and the sizes of state and input.
    bidirectional : bool
        Whether a second layer reads the sequence backwards.
    every_step : bool
        Whether the loss compares an output at every step with a target, or only at the last.
    seed : int
        Of weights, inputs and targets.

    Returns
    -------
    Tensor
        ½ · mean (y − target)², called "L".

    Examples
    --------
    >>> loss = unrolled("gru", steps=3)
    >>> loss.shape, tg.bptt.record(loss)
    (torch.Size([]), Record(64 visits, 3 time steps))
    """
    tg.manual_seed(seed)
    layer = CELLS[cell](inputs, hidden, layers, bidirectional=bidirectional)
    readout = nn.Linear(hidden * (1 + bidirectional), 1)
    x = tg.randn(steps, inputs, requires_grad=True).named("inputs")
    output, _ = layer(x)
    y = readout(output if every_step else output[-1]).named("y")
    target = tg.randn(*y.shape).named("target")
    return (((y - target) ** 2).mean() / 2).named("L")

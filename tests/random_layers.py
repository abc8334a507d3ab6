"""Recurrent layers with random options, for properties that all of them must have."""

from __future__ import annotations

from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn.nn.utils.rnn import pack_padded_sequence


@st.composite
def layers(draw) -> tuple[tg.Tensor, tg.nn.Module, tg.Tensor]:
    """A loss of a recurrent layer with random options, the layer, and its input."""
    tg.manual_seed(draw(st.integers(0, 99)))
    kind = draw(st.sampled_from(["RNN", "LSTM", "GRU"]))
    options = {
        "num_layers": draw(st.integers(1, 3)),
        "bias": draw(st.booleans()),
        "bidirectional": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
    }
    if kind == "LSTM" and draw(st.booleans()):
        options["proj_size"] = 1
    if kind == "RNN":
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    layer = getattr(tg.nn, kind)(2, 3, **options, dtype=tg.float64)
    steps, batch = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    sizes = (batch, steps, 2) if options["batch_first"] else (steps, batch, 2)
    x = tg.randn(*sizes, dtype=tg.float64).requires_grad_()
    given: object = x
    if draw(st.booleans()):
        lengths = draw(st.lists(st.integers(1, steps), min_size=batch, max_size=batch))
        lengths[0] = steps
        given = pack_padded_sequence(x, lengths, options["batch_first"], enforce_sorted=False)
    output, last = layer(given)
    output = output.data if hasattr(output, "batch_sizes") else output
    last = last[1] if kind == "LSTM" else last
    return (output * output).sum() + last.sum(), layer, x

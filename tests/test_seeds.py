"""The two documents that this project came from run with their import lines swapped."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from alike import assert_alike

import tinygrad_rnn as tg

SEEDS = Path(__file__).parent / "seeds"

STACKED = """\
weight_ih_l0: torch.Size([1, 1])
tensor([[-0.0075]])
weight_hh_l0: torch.Size([1, 1])
tensor([[0.5364]])
bias_ih_l0: torch.Size([1])
tensor([-0.8230])
bias_hh_l0: torch.Size([1])
tensor([-0.7359])
weight_ih_l1: torch.Size([1, 1])
tensor([[-0.3852]])
weight_hh_l1: torch.Size([1, 1])
tensor([[0.2682]])
bias_ih_l1: torch.Size([1])
tensor([-0.0198])
bias_hh_l1: torch.Size([1])
tensor([0.7929])
weight_ih_l2: torch.Size([1, 1])
tensor([[-0.0887]])
weight_hh_l2: torch.Size([1, 1])
tensor([[0.2646]])
bias_ih_l2: torch.Size([1])
tensor([-0.3022])
bias_hh_l2: torch.Size([1])
tensor([-0.1966])
hn:tensor([[[0.0000]],

        [[1.0360]],

        [[0.0000]]], grad_fn=<StackBackward0>)
output:tensor([[[0.]],

        [[0.]],

        [[0.]]], grad_fn=<StackBackward0>)
"""
CELLS = """\
状态值_0:  [0.53704957 0.46211716]
输出值_0:  [1.56128388]
状态值_1:  [0.85973818 0.88366641]
输出值_1:  [2.72707101]
wih形状torch.Size([20, 10]),whh形状torch.Size([20, 20]),bih形状torch.Size([20])
torch.Size([100, 32, 20]) torch.Size([2, 32, 20])
torch.Size([32, 10]) torch.Size([32, 20])
"""


@pytest.mark.parametrize(("name", "printed"), [("stacked_rnn", STACKED), ("cells", CELLS)])
def test_prints_what_it_printed(name, printed, capsys):
    runpy.run_path(str(SEEDS / f"{name}.py"))
    assert_alike(capsys.readouterr().out, printed)


def test_the_stacked_rnn_in_numbers():
    """The right computation, where the document's own goes wrong, and the gradients."""
    tg.manual_seed(0)
    rnn = tg.nn.RNN(1, 1, num_layers=3, nonlinearity="relu")
    data = tg.tensor([[1.0], [2.0], [3.0]]).reshape(3, 1, 1)
    _, hn = rnn(data, tg.zeros(3, 1, 1))
    walk = tg.bptt.record(hn.sum())
    states = [[walk.over_time("h", layer=k)[t].item() for t in (1, 2, 3)] for k in (0, 1)]
    np.testing.assert_allclose(states, [[0, 0, 0], [0.773076, 0.980382, 1.035973]], atol=1e-6)
    grads = {name: p.grad.item() for name, p in rnn.named_parameters()}
    assert grads["weight_hh_l1"] == pytest.approx(1.1876886, abs=1e-6)
    assert grads["bias_hh_l1"] == pytest.approx(1.3400657, abs=1e-6)
    rnn.zero_grad()
    loss = tg.nn.functional.mse_loss(rnn(data)[0].view(-1), tg.tensor([2.0, 3.0, 4.0]))
    loss.backward()
    assert loss.item() == pytest.approx(9.666667)
    assert all(not p.grad.any() for p in rnn.parameters())


def test_cells_in_a_loop_agree_with_the_layer(torch):
    """The loop that the second document leaves out."""
    cell, layer = tg.nn.RNNCell(10, 20), tg.nn.RNN(10, 20)
    layer.load_state_dict({f"{k}_l0": v for k, v in cell.state_dict().items()})
    xs, h = tg.randn(100, 32, 10), tg.randn(32, 20)
    expected, _ = layer(xs, h.unsqueeze(0))
    output = []
    for x in xs:
        h = cell(x, h)
        output.append(h)
    np.testing.assert_allclose(
        tg.stack(output).detach().numpy(), expected.detach().numpy(), atol=1e-6
    )


# -- LSTMTagger, trained as in PyTorch's tutorial -------------------------------------------------

TRAINING = [
    ("The dog ate the apple".split(), ["DET", "NN", "V", "DET", "NN"]),
    ("Everybody read that book".split(), ["NN", "V", "DET", "NN"]),
]
WORDS = {w: i for i, w in enumerate(dict.fromkeys(w for words, _ in TRAINING for w in words))}
TAGS = {"DET": 0, "NN": 1, "V": 2}


def tagger_of(lib):
    """The document's class for either library."""
    source = (SEEDS / "cells.py").read_text(encoding="utf-8")
    code = source[source.index("class LSTMTagger") : source.index("rnn = nn.RNN(")]
    namespace = {"torch": lib, "nn": lib.nn, "F": lib.nn.functional}
    exec(code, namespace)
    return namespace["LSTMTagger"]


def train(lib, epochs: int = 300):
    """The losses of all epochs, and the tags of the first sentence."""
    lib.manual_seed(1)
    model = tagger_of(lib)(6, 6, len(WORDS), len(TAGS))
    loss_function = lib.nn.NLLLoss()
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(epochs):
        for words, tags in TRAINING:
            model.zero_grad()
            model.hidden = model.init_hidden()
            scores = model(lib.tensor([WORDS[w] for w in words]))
            loss = loss_function(scores, lib.tensor([TAGS[t] for t in tags]))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    with lib.no_grad():
        model.hidden = model.init_hidden()
        scores = model(lib.tensor([WORDS[w] for w in TRAINING[0][0]]))
    return losses, scores.argmax(1).tolist()


def test_the_tagger_learns_as_in_torch(torch):
    (ours, tags), (theirs, expected) = train(tg), train(torch)
    assert tags == expected == [TAGS[t] for t in TRAINING[0][1]]
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_tagger_must_begin_anew():
    model = tagger_of(tg)(6, 6, len(WORDS), len(TAGS))
    sentence, tags = tg.tensor([0, 1, 2]), tg.tensor([0, 1, 2])
    tg.nn.NLLLoss()(model(sentence), tags).backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        tg.nn.NLLLoss()(model(sentence), tags).backward()

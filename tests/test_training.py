"""Whole trainings beside PyTorch's: the same seed, the same curve."""

from __future__ import annotations

import codecs
import contextlib
import io

import numpy as np

import tinygrad_rnn as tg


def zen() -> str:
    """The Zen of Python, which the standard library carries."""
    with contextlib.redirect_stdout(io.StringIO()):
        import this
    return codecs.decode(this.s, "rot13")


def train_characters(lib, steps: int = 200, span: int = 16, batch: int = 4):
    """A character model: truncated backpropagation through time, Adam, clipped gradients."""
    text = zen()
    alphabet = sorted(set(text))
    codes = np.array([alphabet.index(c) for c in text])
    rows = codes[: len(codes) // batch * batch].reshape(batch, -1)
    lib.manual_seed(0)
    net = lib.nn.ModuleDict(
        {
            "embedding": lib.nn.Embedding(len(alphabet), 12),
            "lstm": lib.nn.LSTM(12, 24, num_layers=2, dropout=0.1),
            "head": lib.nn.Linear(24, len(alphabet)),
        }
    )
    optimizer = lib.optim.Adam(net.parameters(), lr=5e-3)
    scheduler = lib.optim.lr_scheduler.StepLR(optimizer, 80, gamma=0.5)
    state, losses = None, []
    for number in range(steps):
        start = number * span % (rows.shape[1] - span - 1)
        x = lib.from_numpy(rows[:, start : start + span].T.copy())
        y = lib.from_numpy(rows[:, start + 1 : start + span + 1].T.copy())
        output, state = net["lstm"](net["embedding"](x), state)
        state = tuple(s.detach() for s in state)
        scores = net["head"](output)
        loss = lib.nn.functional.cross_entropy(scores.reshape(-1, len(alphabet)), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        lib.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


def test_a_character_model_follows_torchs_curve(torch):
    ours, theirs = train_characters(tg), train_characters(torch)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert np.mean(ours[-20:]) < 0.8 * np.mean(ours[:5])

"""Nets for spreadsheets, and a spreadsheet program that calculates them."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.bptt.sheets.plan import AFTER, WALK
from tinygrad_rnn.nn import functional as F

pytest.importorskip("xlsxwriter", reason="spreadsheets are written by XlsxWriter")
openpyxl = pytest.importorskip("openpyxl", reason="spreadsheets are read by openpyxl")

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")


def drawn(*shape, grad=False):
    return tg.randn(*shape, dtype=tg.float64, requires_grad=grad)


def layer(kind, *sizes, steps=3, batch=None, **options):
    """A recurrent layer with a readout, and a squared error."""
    net = kind(*sizes, dtype=tg.float64, **options)
    shape = (steps, sizes[0]) if batch is None else (steps, batch, sizes[0])
    output, _ = net(drawn(*shape).named("x"))
    readout = nn.Linear(output.shape[-1], 1, dtype=tg.float64)
    return F.mse_loss(readout(output[-1]), drawn(*readout(output[-1]).shape).named("target"))


def by_hand():
    """The network of many a lecture: h = tanh(x W_xh + h W_hh + b), its outputs summed."""
    w_hh, w_xh, b = (drawn(*s, grad=True).named(n) for s, n in
                     (((2, 2), "W_hh"), ((1, 2), "W_xh"), ((2,), "b")))  # fmt: skip
    w_out, h, loss = drawn(2, 1, grad=True).named("w_out"), tg.zeros(2, dtype=tg.float64), 0
    for x in drawn(2, 1).unbind():
        h = tg.tanh(h @ w_hh + x @ w_xh + b).named("h")
        loss = loss + (h @ w_out).sum()
    return loss


def own_cell():
    """A cell that nobody has a name for, in a loop."""
    w, u, h = drawn(3, 3, grad=True), drawn(3, grad=True), drawn(3)
    for t in range(4):
        with tg.step(t + 1):
            z = tg.sigmoid(h * u)
            h = (1 - z) * h + z * tg.sin(w @ h) * tg.exp(-h * h)
    return (h.abs() + tg.log1p(h**2)).sum()


def own_gates():
    """An LSTM in a loop, its weights one matrix that stands at the right of a product."""
    w, x = drawn(5, 12, grad=True).named("W"), drawn(2, 2)
    h, c = drawn(3), drawn(3)
    for t in range(2):
        i, f, g, o = (tg.cat((x[t], h)) @ w).chunk(4, -1)
        c = tg.sigmoid(f) * c + tg.sigmoid(i) * tg.tanh(g)
        h = tg.sigmoid(o) * tg.tanh(c)
    return (h * drawn(3)).sum()


def attention():
    """Dot-product attention over the states of an RNN, with a mask."""
    rnn = nn.RNN(2, 3, dtype=tg.float64)
    states, last = rnn(drawn(4, 2))
    scores = states @ last[-1] / 3**0.5
    scores = scores.masked_fill(tg.tensor([False, True, False, False]), -tg.inf)
    context = tg.softmax(scores, 0) @ states
    return (context**2).mean()


def transformer_like():
    """A layer of self-attention with a causal mask, and normalization."""
    q, k, v = (nn.Linear(3, 3, dtype=tg.float64)(drawn(2, 4, 3)) for _ in range(3))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return (nn.LayerNorm(3, dtype=tg.float64)(y) * drawn(3)).mean()


def tagger(words=(0, 2, 1), tags=(1, 0, 2)):
    """Embedding, LSTM, Linear, log-softmax, as in PyTorch's tutorial."""
    embedding = nn.Embedding(4, 2, dtype=tg.float64)
    lstm, readout = nn.LSTM(2, 2, dtype=tg.float64), nn.Linear(2, 3, dtype=tg.float64)
    output, _ = lstm(embedding(tg.tensor(words)))
    return F.nll_loss(F.log_softmax(readout(output), 1), tg.tensor(tags))


def classes(target=2):
    """One word of three letters, its class, and a dropped unit."""
    rnn = nn.RNN(2, 3, dtype=tg.float64)
    _, last = rnn(drawn(3, 1, 2))
    return F.cross_entropy(
        nn.Linear(3, 4, dtype=tg.float64)(F.dropout(last[0], 0.5)), tg.tensor([target])
    )


def gathered():
    """Reads by index, a largest element, a running sum, parts written in place."""
    x, index = drawn(3, 4, grad=True), tg.tensor([[1, 0], [2, 3], [3, 3]])
    y = x.gather(1, index) * drawn(3, 2)
    z = x.cumsum(1)[:, ::2] + x.clamp(-0.5, 0.5)[:, 1:3]
    return (y * z).sum() + x.max() + tg.where(x > 0, x, 0.1 * x).mean(0).sum()


def decided():
    """Losses that choose by what they were told: a class to be ignored, an infinity in sight."""
    scores = nn.Linear(2, 3, dtype=tg.float64)(drawn(3, 2))
    return F.cross_entropy(scores, tg.tensor([0, -100, 2])) + scores.logsumexp(1).mean()


NETS = {
    "by hand": by_hand,
    "rnn": lambda: layer(nn.RNN, 2, 3),
    "relu rnn, two layers": lambda: layer(nn.RNN, 1, 2, 2, nonlinearity="relu"),
    "lstm": lambda: layer(nn.LSTM, 2, 2),
    "lstm of 4": lambda: layer(nn.LSTM, 2, 4, steps=2),
    "lstm of 5, batch": lambda: layer(nn.LSTM, 1, 5, steps=2, batch=2),
    "gru of 4": lambda: layer(nn.GRU, 16, 4, steps=2),
    "gates of one's own": own_gates,
    "lstm, two layers, batch": lambda: layer(nn.LSTM, 1, 2, 2, batch=2),
    "lstm with a projection": lambda: layer(nn.LSTM, 2, 3, proj_size=2),
    "gru": lambda: layer(nn.GRU, 2, 2),
    "gru, both directions": lambda: layer(nn.GRU, 2, 2, bidirectional=True),
    "wide rnn": lambda: layer(nn.RNN, 9, 8, steps=2),
    "own cell": own_cell,
    "attention": attention,
    "self-attention": transformer_like,
    "tagger": tagger,
    "classes": classes,
    "gathered": gathered,
}


def calculated(paths, into):
    """Let one process of LibreOffice open workbooks, calculate, and save them elsewhere."""
    profile = into / "profile"
    command = [
        SOFFICE, "--headless", f"-env:UserInstallation=file://{profile}", "--convert-to", "xlsx",
        "--outdir", str(into), *map(str, paths),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return [into / path.name for path in paths]


def numbers_of(sheet, block):
    """What the cells of a block hold."""
    found = [sheet.cell(cell.row + 1, cell.column + 1).value for cell in block.cells]
    assert all(isinstance(x, int | float | bool) for x in found), (block, found)
    return np.array(found, float).reshape(block.shape)


def changed(path, plan, values, into):
    """A workbook with other numbers in some blocks, and without any that were calculated."""
    book = openpyxl.load_workbook(path)
    for block, array in values.items():
        for cell, number in zip(block.cells, np.ravel(array).tolist()):
            book[WALK].cell(cell.row + 1, cell.column + 1).value = number
    book.save(into)
    return into


__all__ = ["AFTER", "NETS", "SOFFICE", "WALK", "calculated", "changed", "numbers_of"]

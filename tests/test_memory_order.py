"""Where the elements of a result lie in memory: it decides which of them Dropout drops.

A random draw fills a tensor in the order of its memory, so a net trains to PyTorch's numbers only
if everything before a draw lies as it does there. Axes of size 1 do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import assert_same, numpy

import tinygrad_rnn as tg
from tinygrad_rnn.testing.cases import CASES


def lying(shape: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """Numbers of a shape that lie in memory in all the ways that views can give them."""
    rng = np.random.default_rng(0)
    yield "in order", rng.normal(size=shape).astype(np.float32)
    for outer in range(len(shape)):
        axes = (*range(outer + 1, len(shape)), *range(outer + 1))
        for name, order in (("rotated", axes), ("reversed", axes[::-1])):
            sizes = [shape[axis] for axis in order]
            a = rng.normal(size=sizes).astype(np.float32).transpose(np.argsort(order))
            yield f"{name} by {outer}", a
    yield "every second", rng.normal(size=(*shape[:-1], 2 * shape[-1])).astype(np.float32)[..., ::2]
    yield "repeated", np.broadcast_to(rng.normal(size=(*shape[:-1], 1)).astype(np.float32), shape)


def places(x: Any) -> tuple[tuple[int, ...], list[int]]:
    return tuple(x.shape), [step for step, n in zip(x.stride(), x.shape, strict=True) if n > 1]


def assert_lies_as_in_torch(ours: Any, theirs: Any, what: str) -> None:
    if isinstance(theirs, tuple | list):
        for a, b in zip(ours, theirs, strict=True):
            assert_lies_as_in_torch(a, b, what)
    elif hasattr(theirs, "stride") and theirs.numel() > 1:
        assert places(ours) == places(theirs), what


# what PyTorch has no function for, and where it leaves the order to how it happens to compute
_OPEN = ("add_slices", "einsum")


@pytest.mark.parametrize("primitive", [name for name in CASES if name not in _OPEN])
def test_of_every_primitive(primitive: str, torch: Any) -> None:
    for case in CASES[primitive]:
        if "torch" not in case.categories:
            continue
        for backwards in (False, True):
            arrays = [np.array(a, order="F" if backwards else "C") for a in case.arrays]
            ours, theirs = (
                case.fn(lib, *[lib.from_numpy(a.copy("K")) for a in arrays]) for lib in (tg, torch)
            )
            assert_lies_as_in_torch(ours, theirs, f"{case}, backwards: {backwards}")


CALLS = """
x.clone()
x + 0
x.contiguous()
x.to(lib.float64)
x.double()
x.int()
x > 0
lib.zeros_like(x)
lib.ones_like(x)
lib.full_like(x, 2)
lib.rand_like(x)
lib.bernoulli(x * 0)
lib.bernoulli(x, 0.5)
F.dropout(x)
F.dropout(x, 1.0)
x.detach()
lib.tensor(x.numpy())
lib.from_numpy(x.numpy())
lib.normal(x, 1.0)
lib.normal(x, x.abs())
lib.normal(0.0, x.abs())
lib.normal(x, x.contiguous().abs())
lib.normal(x.contiguous(), x.abs())
x.abs()
-x
~(x > 0)
x.sign()
x.round()
x ** 2
x * 2.5
x / 2
x // 2
x % 2
x.floor()
lib.where(x > 0, x, x)
lib.where(x.contiguous() > 0, x, x)
lib.where(x > 0, x.contiguous(), x)
lib.where(x > 0, x.contiguous(), x.contiguous())
lib.repeat_interleave(x, 2, 0)
x.repeat(*(2,) * x.ndim)
x[[0, 1]]
x[:, 0]
x[0]
x[..., None]
x[x > 0]
x[..., ::2]
x.index_select(1, lib.tensor([0, 1]))
x.index_select(0, lib.tensor([0, 1]))
lib.gather(x, 1, lib.zeros(*x.shape, dtype=lib.int64))
lib.gather(x, 1, lib.zeros_like(x).long())
lib.take_along_dim(x, lib.zeros_like(x).long(), 1)
x.masked_fill(x > 0, 1.0)
x.masked_fill(x.contiguous() > 0, 1.0)
x.contiguous().masked_fill(x > 0, 1.0)
x.masked_select(x > 0)
x.scatter(1, lib.zeros_like(x).long(), 1.0)
x.scatter_add(1, lib.zeros_like(x).long(), x)
x.index_add(0, lib.tensor([0]), x[:1])
F.pad(x, (1, 1))
F.pad(x, (0, 0))
F.pad(x, (-1, 0))
F.pad(x, (1, 1), mode="replicate")
x.sum(0)
x.sum(1)
x.sum(-1)
x.sum(-1, keepdim=True)
x.mean(0)
x.amax(0)
x.max(0)[0]
x.max(0)[1]
x.min(1)[0]
x.norm(dim=0)
lib.linalg.vector_norm(x, dim=1)
x.std(0)
x.var(1)
x.logsumexp(0)
x.argmax(0)
x.argmin(1)
x.prod(0)
x.prod(1)
x.any(0)
x.all(1)
x.cumsum(0)
x.median(0)[0]
x.sort(0)[0]
x.sort(0)[1]
x.argsort(1)
x.topk(2, 1)[0]
x.topk(2, 0)[0]
x.topk(2, 0)[1]
lib.flip(x, (0,))
x.roll(1, 0)
lib.diff(x)
lib.diff(x, dim=0)
x.softmax(0)
x.log_softmax(1)
F.softmin(x, 0)
F.normalize(x, dim=1)
F.normalize(x, dim=0)
F.layer_norm(x, x.shape[-1:])
F.rms_norm(x, x.shape[-1:])
F.batch_norm(x, None, None, training=True)
lib.nn.BatchNorm1d(x.shape[1])(x)
lib.nn.BatchNorm1d(x.shape[1]).eval()(x)
lib.nn.LayerNorm(x.shape[-1])(x)
lib.nn.RMSNorm(x.shape[-1])(x)
F.gelu(x)
F.gelu(x, approximate="tanh")
F.silu(x)
F.mish(x)
F.elu(x)
F.selu(x)
F.glu(x, 0)
F.glu(x[..., :2])
F.relu(x)
F.relu6(x)
F.hardtanh(x)
F.leaky_relu(x)
F.prelu(x, lib.ones(1))
F.prelu(x, lib.ones(x.shape[1]))
F.softplus(x)
F.softsign(x)
F.logsigmoid(x)
x.sigmoid()
x.tanh()
x.exp()
x.erf()
x.clamp(0, 1)
x.clamp(min=0)
x.sqrt()
x.rsqrt()
lib.logaddexp(x, x)
lib.maximum(x, x)
lib.atan2(x, x)
x.matmul(x.transpose(-1, -2))
x.transpose(-1, -2) @ x
x @ lib.ones(x.shape[-1])
x @ lib.ones(x.shape[-1], 5)
F.linear(x, lib.ones(5, x.shape[-1]), lib.ones(5))
F.linear(x, lib.ones(5, x.shape[-1]))
lib.nn.Linear(x.shape[-1], 5)(x)
lib.nn.Linear(x.shape[-1], 5, bias=False)(x)
F.bilinear(x, x, lib.ones(2, x.shape[-1], x.shape[-1]))
lib.tensordot(x, lib.ones(x.shape[-1], 3), 1)
lib.outer(x[:, 0].flatten(), x[:, 0].flatten())
lib.einsum("...i,ij->...j", x, lib.ones(x.shape[-1], 5))
lib.einsum("...i->...", x)
lib.cat([x, x])
lib.cat([x, x], 1)
lib.cat([x], 1)
lib.cat([x.contiguous(), x], 1)
lib.stack([x, x])
lib.stack([x, x], 1)
lib.stack([x, x], -1)
lib.hstack([x, x])
lib.vstack([x, x])
x.chunk(2, 1)[0]
x.split(1, 0)[0]
x.unbind(0)[0]
x.flatten()
x.flatten(0, 1)
x.reshape(-1)
x.reshape(x.shape[0], -1)
x.unsqueeze(0)
x.squeeze()
x.expand(2, *x.shape)
x.movedim(0, 1)
x.swapaxes(0, 1)
x.tril()
x.triu()
x.diagonal()
F.one_hot(x.abs().long())
F.embedding(x.abs().long(), lib.ones(9, 5))
lib.nn.Embedding(9, 5)(x.abs().long())
F.embedding(lib.tensor([[0, 1], [1, 0]]), x[:, :, 0] if x.ndim == 3 else x)
lib.nn.Dropout(0.5)(x)
lib.nn.Flatten()(x)
lib.nn.Softmax(-1)(x)
lib.nn.Identity()(x)
F.mse_loss(x, x, reduction="none")
F.mse_loss(x, x.contiguous(), reduction="none")
F.l1_loss(x, x, reduction="none")
F.smooth_l1_loss(x, x, reduction="none")
F.huber_loss(x, x, reduction="none")
F.kl_div(x, x, reduction="none")
F.binary_cross_entropy(x.sigmoid(), x.sigmoid(), reduction="none")
F.binary_cross_entropy_with_logits(x, x.sigmoid(), reduction="none")
F.cross_entropy(x, x.softmax(1), reduction="none")
F.cosine_similarity(x, x, 0)
x.clone().add_(1)
x.clone().zero_()
x.requires_grad_().clone()
x.type(lib.float64)
x.to(lib.float32, copy=True)
x + x.contiguous()
x.contiguous() + x
x * lib.ones(x.shape[-1])
lib.ones(x.shape[-1]) * x
x * lib.ones(*x.shape[:-1], 1)
lib.ones(*x.shape[:-1], 1) * x
lib.broadcast_tensors(x, x[:1])[1]
lib.addmm(lib.ones(3, 3), x[:3, :3, 0] if x.ndim == 3 else x[:3, :3], lib.ones(3, 3))
lib.bmm(x, x.transpose(-1, -2)) if x.ndim == 3 else x
lib.baddbmm(x @ x.transpose(-1, -2), x, x.transpose(-1, -2)) if x.ndim == 3 else x
rnn.pad_sequence([x, x[:1]])
rnn.pad_sequence([x, x[:1]], batch_first=True)
rnn.pad_sequence([x, x[:1]], batch_first=True, padding_side="left")
rnn.pack_padded_sequence(x, [2] * x.shape[1]).data
rnn.pack_padded_sequence(x, [3, 2] + [1] * (x.shape[0] - 2), batch_first=True).data
rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, [2] * x.shape[1]))[0]
rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, [2] * x.shape[1]), batch_first=True)[0]
rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, [2] * x.shape[1]), True, 0, 4)[0]
rnn.unpad_sequence(x, lib.tensor([2] * x.shape[1]))[0]
lib.nn.RNN(x.shape[-1], 3)(x)[0]
lib.nn.RNN(x.shape[-1], 3)(x)[1]
lib.nn.LSTM(x.shape[-1], 3, batch_first=True, bidirectional=True)(x)[0]
lib.nn.LSTM(x.shape[-1], 3, batch_first=True, bidirectional=True)(x)[1][1]
lib.nn.GRU(x.shape[-1], 3, 2, batch_first=True)(x)[0]
lib.nn.GRU(x.shape[-1], 3, 2, batch_first=True)(x)[1]
lib.nn.LSTMCell(x.shape[-1], 3)(x)[1]
lib.nn.GRUCell(x.shape[-1], 3)(x)
lib.nn.RNNCell(x.shape[-1], 3)(x)
lib.nn.Sequential(lib.nn.Linear(x.shape[-1], 5), lib.nn.Tanh(), lib.nn.Dropout(0.1))(x)
lib.autograd.grad((x.requires_grad_() * x).sum(), x)[0]
lib.autograd.grad(x.requires_grad_().exp().sum(), x)[0]
lib.autograd.grad(x.requires_grad_().softmax(-1).sum(), x)[0]
lib.autograd.grad(x.requires_grad_().transpose(0, 1).exp().sum(), x)[0]
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", CALLS.strip().splitlines())
def test_of_functions_and_modules(text: str, torch: Any) -> None:
    call, compared = eval(f"lambda lib, F, rnn, x: {text}"), 0
    for shape in ((4, 3), (4, 3, 2), (3, 4, 5)):
        for name, array in lying(shape):
            results = []
            for lib in (torch, tg):
                whole = lib.from_numpy(np.array(array) if 0 in array.strides else array.copy("K"))
                x = whole[..., :1].expand(shape) if name == "repeated" else whole
                x = lib.from_numpy(np.repeat(array, 2, -1))[..., ::2] if "second" in name else x
                try:
                    results.append(call(lib, lib.nn.functional, lib.nn.utils.rnn, x))
                except (RuntimeError, ValueError, IndexError):
                    assert not results, f"{text} of {shape}, {name}: PyTorch computes this"
                    break
            else:
                assert_lies_as_in_torch(results[1], results[0], f"{text} of {shape}, {name}")
                compared += 1
    assert compared >= 5


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_training_with_dropout_behind_a_layer(kind: str, bidirectional: bool, torch: Any) -> None:
    """The commonest net: for one seed it starts from, drops and learns what PyTorch's does."""
    rng = np.random.default_rng(0)
    data, target = rng.normal(size=(4, 6, 3)), rng.normal(size=(4, 6, 2))

    def losses(lib: Any) -> tuple[list[float], np.ndarray]:
        lib.manual_seed(0)
        options = {"num_layers": 2, "dropout": 0.25, "bidirectional": bidirectional}
        layer = getattr(lib.nn, kind)(3, 5, batch_first=True, **options)
        drop, head = lib.nn.Dropout(0.4), lib.nn.Linear(10 if bidirectional else 5, 2)
        net = lib.nn.ModuleList([layer, drop, head])
        optimizer = lib.optim.Adam(net.parameters(), lr=0.02)
        x, y = (lib.tensor(a.astype(np.float32)) for a in (data, target))
        found = []
        for _ in range(20):
            optimizer.zero_grad()
            mask = (x[:, :, :1] > -1).float()
            loss = lib.nn.functional.mse_loss(head(drop(layer(x)[0] * mask)), y)
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return found, numpy(head.weight)

    (ours, weight), (theirs, expected) = losses(tg), losses(torch)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    np.testing.assert_allclose(weight, expected, rtol=1e-3, atol=1e-4)


def test_what_is_drawn_after_a_sum_of_two_orders(torch: Any) -> None:
    """The first operand decides where the sum lies, in PyTorch."""
    for lib_first in (True, False):
        masks = []
        for lib in (tg, torch):
            lib.manual_seed(1)
            a, b = lib.ones(5, 4).t(), lib.ones(4, 5)
            both = a + b if lib_first else b + a
            masks.append(lib.nn.functional.dropout(both))
        assert_same(*masks)


@pytest.mark.parametrize("name", ["in order", "reversed by 0", "rotated by 0", "every second"])
def test_gradients_lie_as_their_leaf(name: str, torch: Any) -> None:
    array = dict(lying((3, 4, 5)))[name]
    for fn in (lambda x: x * 2, lambda x: x.transpose(0, 2).exp(), lambda x: x.mean(1)):
        found = []
        for lib in (tg, torch):
            x = lib.from_numpy(np.repeat(array, 2, -1))[..., ::2] if "second" in name else (
                lib.from_numpy(array.copy("K"))
            )  # fmt: skip
            x = x.detach().requires_grad_()
            fn(x).sum().backward()
            found.append(x.grad)
        assert_lies_as_in_torch(*found, name)


@pytest.mark.parametrize("draw", ["dropout", "sum", "uniform_", "normal_", "bernoulli_"])
def test_draws_in_place_follow_the_order_in_memory(draw: str, torch: Any) -> None:
    found = []
    for lib in (tg, torch):
        lib.manual_seed(3)
        x = (lib.ones(6, 4, requires_grad=True) * 2).t()
        if draw == "dropout":
            lib.nn.functional.dropout(x, 0.5, inplace=True)
        elif draw == "sum":
            x = x.add_(lib.rand_like(x))
        else:
            getattr(x.detach(), draw)()
        found.append(x)
    np.testing.assert_allclose(*(numpy(x) for x in found), rtol=1e-5)

"""A user's program, with the types that checkers must see in it (`tests/test_typing.py`)."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_type

import tinygrad_rnn as tg
import tinygrad_rnn.nn.functional as F
from tinygrad_rnn import Tensor, bptt, nn, viz
from tinygrad_rnn.autograd.function import Context
from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.nn.utils.rnn import PackedSequence, pack_sequence

Pair = tuple[Tensor, Tensor]
MaybeNone = Any  # checkers let it be, though there may be none


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor, state: Pair | None = None) -> tuple[Tensor, Pair]:
        output, state = assert_type(self.rnn(x, state), tuple[Tensor, Pair])
        return assert_type(self.head(output), Tensor), state


class Square(tg.autograd.Function):
    @staticmethod
    def forward(ctx: Context, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Context, grad: Tensor) -> Tensor:
        return 2 * grad * assert_type(ctx.saved_tensors, tuple[Tensor, ...])[0]


x = assert_type(tg.tensor([[1.0, 2.0, 3.0], [0.5, 0.1, 0.2]]), Tensor)
w = assert_type(tg.rand(3, requires_grad=True).named("w"), Tensor)
for y in (x + 1, 1 - x, x * w, x / 2, x**2, -x, x @ w, x == 1, x < w, ~(x > 0), x[0], x.T):
    assert_type(y, Tensor)
assert_type(x.exp().add_(1).clamp_(max=2.0), Tensor)
assert_type(tg.eq(x, other=x), Tensor)
assert_type(x.logical_and(other=x), Tensor)
assert_type(x.shape, tg.Size)
assert_type(x.size(), tg.Size)
assert_type(x.size(0), int)
assert_type(x.stride(0), int)
assert_type(x.sum().item(), bool | int | float)
assert_type(float(x.sum()), float)
assert_type(x.double().dtype == tg.float64, bool)
assert_type(x.max(), Tensor)
assert_type(x.max(0).indices, Tensor)
assert_type(tg.sort(x).values, Tensor)
assert_type(tg.var_mean(x), Pair)
assert_type(x.unique(return_counts=True), Pair)
assert_type(x.nonzero(as_tuple=True), tuple[Tensor, ...])
assert_type(x.unbind(), tuple[Tensor, ...])
assert_type(list(x), list[Tensor])
assert_type(tg.linalg.svd(x).S, Tensor)
assert_type(F.softmax(x, -1), Tensor)
assert_type(F.mse_loss(x @ w, tg.zeros(2)), Tensor)

net = Net()
output, (h, c) = assert_type(net(x), tuple[Tensor, Pair])
assert_type(nn.GRU(3, 4)(x), Pair)
assert_type(nn.GRU(3, 4)(pack_sequence([x]))[0], PackedSequence)
assert_type(nn.GRUCell(3, 4)(x), Tensor)
assert_type(nn.Sequential(nn.Linear(3, 2), nn.Tanh())(x), Tensor)
assert_type(net.eval(), Net)
assert_type(nn.Parameter(x).requires_grad_(), nn.Parameter)

loss = F.cross_entropy(output, tg.tensor([0, 1]))
assert_type(tg.autograd.grad(loss, net.parameters(), retain_graph=True), tuple[Tensor, ...])
assert_type(tg.autograd.grad((x * w).sum(), {"w": w}), dict[str, Tensor])
assert_type(tg.autograd.functional.hessian(tg.sum, w), Tensor)
walk = assert_type(bptt.record(loss), bptt.Record)
assert_type(bptt.contributions(walk, net.rnn.weight_hh_l0), bptt.Contributions)
matrix = bptt.contributions(walk, net.rnn.weight_hh_l0, by=("loss", "step"))
assert_type(viz.contribution_map(matrix), viz.Chart)
assert_type(viz.heat_map(walk), viz.Chart)
assert_type(net.head.weight.grad, Tensor | MaybeNone)
assert_type(loss.grad_fn, Node | MaybeNone)
assert_type(nn.utils.clip_grad_norm_(net.parameters(), 1.0), Tensor)
optimizer = assert_type(tg.optim.Adam(net.parameters()), tg.optim.Adam)
assert_type(tg.optim.lr_scheduler.StepLR(optimizer, 3).get_last_lr(), list[float])


@tg.no_grad()
def accuracy(net: Net, x: Tensor) -> float:
    return float(net(x)[0].mean())


assert_type(accuracy(net, x), float)

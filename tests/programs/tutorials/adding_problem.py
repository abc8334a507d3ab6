"""The adding problem: two of many numbers are marked, and their sum is asked for."""

import torch
from torch import nn, optim

torch.manual_seed(13)
torch.set_default_dtype(torch.float64)


def batch_of(size, length):
    values = torch.rand(size, length)
    marks = torch.zeros(size, length)
    half = length // 2
    first = torch.randint(0, half, (size,))
    second = torch.randint(half, length, (size,))
    rows = torch.arange(size)
    marks[rows, first] = 1
    marks[rows, second] = 1
    target = (values * marks).sum(dim=1, keepdim=True)
    return torch.stack((values, marks), dim=-1), target


class Adder(nn.Module):
    def __init__(self, kind, hidden=8):
        super().__init__()
        layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[kind]
        self.rnn = layer(2, hidden, batch_first=True)
        self.linear = nn.Linear(hidden, 1)
        for name, p in self.rnn.named_parameters():
            if "weight_hh" in name:
                nn.init.orthogonal_(p)

    def forward(self, x):
        outputs, _ = self.rnn(x)
        return self.linear(outputs[:, -1])


x, y = batch_of(200, 8)
print(x.size(), y.size(), "guessing 1 gives %.4f" % ((y - 1) ** 2).mean())
for kind in ("rnn", "gru", "lstm"):
    net = Adder(kind)
    optimizer = optim.Adam(net.parameters(), lr=1e-2)
    for iteration in range(10):
        x, y = batch_of(20, 8)
        loss = nn.functional.mse_loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    first = net.rnn.weight_hh_l0.grad
    print(f"{kind:5s} loss {loss.item():.6f} grad of weight_hh {first.norm().item():.6f}")

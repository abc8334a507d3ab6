"""Exploding gradients: norms over time, and what clipping by norm and by value make of them."""

import torch
from torch import nn

torch.manual_seed(33)


class Vanilla(nn.Module):
    def __init__(self, gain):
        super().__init__()
        self.cell = nn.RNNCell(1, 8, nonlinearity="relu")
        self.read = nn.Linear(8, 1)
        with torch.no_grad():
            self.cell.weight_hh.mul_(gain)

    def forward(self, x):
        h, states = None, []
        for x_t in x.unbind(0):
            h = self.cell(x_t, h)
            h.retain_grad()
            states.append(h)
        return self.read(h), states


x, y = torch.rand(8, 4, 1), torch.rand(4, 1)
for gain in (0.5, 2.0, 4.0):
    net = Vanilla(gain)
    prediction, states = net(x)
    loss = (prediction - y).pow(2).mean()
    loss.backward()
    norms = [h.grad.norm().item() for h in states]
    print(f"gain {gain}:", " ".join(f"{norm:.3e}" for norm in norms))

net = Vanilla(4.0)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(6):
    optimizer.zero_grad()
    prediction, _ = net(x)
    loss = nn.functional.huber_loss(prediction, y)
    loss.backward()
    total_norm = nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
    after = torch.cat([p.grad.flatten() for p in net.parameters()]).norm()
    optimizer.step()
    print(f"step {step}: loss {loss.item():.4f} norm {total_norm:.4f} -> {after:.4f}")
net(x)[0].sum().backward()
nn.utils.clip_grad_value_(net.parameters(), clip_value=0.5)
print(max(p.grad.abs().max() for p in net.parameters()))

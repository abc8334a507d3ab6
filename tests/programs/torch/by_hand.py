"""An LSTM written gate by gate, with parameters in a ParameterList, and a learning-rate schedule."""

import math

import torch
from torch import nn


class HandLSTM(nn.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.W = nn.ParameterList([nn.Parameter(torch.empty(n_in, n_hidden)) for _ in range(4)])
        self.U = nn.ParameterList([nn.Parameter(torch.empty(n_hidden, n_hidden)) for _ in range(4)])
        self.b = nn.ParameterList([nn.Parameter(torch.zeros(n_hidden)) for _ in range(4)])
        bound = 1 / math.sqrt(n_hidden)
        for p in [*self.W, *self.U]:
            nn.init.uniform_(p, -bound, bound)
        self.n_hidden = n_hidden

    def forward(self, xs):
        h = xs.new_zeros(xs.shape[1], self.n_hidden)
        c = xs.new_zeros(xs.shape[1], self.n_hidden)
        hs = []
        for x in xs:
            i, f, o, g = (x @ w + h @ u + b for w, u, b in zip(self.W, self.U, self.b))
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            hs.append(h)
        return torch.stack(hs), (h, c)


torch.manual_seed(5)
net, head = HandLSTM(2, 6), nn.Linear(6, 1)
optimizer = torch.optim.RMSprop([*net.parameters(), *head.parameters()], lr=0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.5)
for step in range(12):  # the adding problem
    values, marks = torch.rand(6, 16), torch.zeros(6, 16)
    marks[0], marks[3] = 1.0, 1.0
    target = (values * marks).sum(0, keepdim=True).t()
    _, (h, c) = net(torch.stack((values, marks), dim=2))
    loss = nn.functional.mse_loss(head(h), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 4 == 3:
        print(f"step {step:2d} lr {scheduler.get_last_lr()[0]:.5f} loss {loss.item():.5f}")
print(len(net.state_dict()), h.shape, h.grad_fn is not None)

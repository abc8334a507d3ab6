"""An RNN from scratch, several layers deep, whose weights lie in ParameterLists."""

import torch
from torch import nn


class DeepRNN(nn.Module):
    def __init__(self, n_in, n_hidden, n_layers):
        super().__init__()
        sizes = [n_in] + [n_hidden] * (n_layers - 1)
        self.n_hidden = n_hidden
        self.W = nn.ParameterList([nn.Parameter(torch.randn(n, n_hidden) * 0.3) for n in sizes])
        self.U = nn.ParameterList(
            [nn.Parameter(torch.randn(n_hidden, n_hidden) * 0.3) for _ in sizes]
        )
        self.b = nn.ParameterList([nn.Parameter(torch.zeros(n_hidden)) for _ in sizes])
        self.out = nn.Linear(n_hidden, 1)

    def forward(self, x):
        states = [torch.zeros(x.shape[1], self.n_hidden) for _ in self.W]
        for t in range(x.shape[0]):
            below = x[t]
            for layer, (W, U, b) in enumerate(zip(self.W, self.U, self.b)):
                states[layer] = torch.tanh(below @ W + states[layer] @ U + b)
                below = states[layer]
        return self.out(below)


torch.manual_seed(0)
net = DeepRNN(2, 5, 2)
print(net)
print([name for name, _ in net.named_parameters()])
x = torch.rand(6, 16, 2)
y = x.sum(dim=(0, 2)).unsqueeze(1) / 6
optimizer = torch.optim.RMSprop(net.parameters(), lr=0.01)
for epoch in range(31):
    optimizer.zero_grad()
    loss = ((net(x) - y) ** 2).mean()
    loss.backward()
    optimizer.step()
    if epoch % 10 == 0:
        print("epoch {:2d} loss {:.5f}".format(epoch, loss.item()))
print(net.U[1].grad.shape, net.b[0].grad)

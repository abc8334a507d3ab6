"""Normalizations beside each other over sequences, padding layers, upsampling, a causal convolution (WaveNet)."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.randn(2, 4, 6, requires_grad=True)
for norm in (nn.InstanceNorm1d(4, affine=True), nn.GroupNorm(2, 4), nn.BatchNorm1d(4), nn.LayerNorm([4, 6]), nn.RMSNorm(6)):
    x.grad = None
    y = norm(x)
    (y**3).mean().backward()
    print(norm, x.grad[0, 0, :3], y.std().item())


class CausalConv1d(nn.Conv1d):
    def __init__(self, cin, cout, k, dilation=1):
        super().__init__(cin, cout, k, dilation=dilation)
        self._left = (k - 1) * dilation

    def forward(self, x):
        return super().forward(F.pad(x, (self._left, 0)))


class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.ModuleList(CausalConv1d(4, 4, 2, 2**i) for i in range(3))
        self.g = nn.ModuleList(CausalConv1d(4, 4, 2, 2**i) for i in range(3))
        self.out = nn.Conv1d(4, 2, 1)

    def forward(self, x):
        skip = 0
        for f, g in zip(self.f, self.g):
            z = torch.tanh(f(x)) * torch.sigmoid(g(x))
            x = x + z
            skip = skip + z
        return self.out(F.relu(skip))


net = WaveNet()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for i in range(4):
    loss = F.cross_entropy(net(x.detach()), torch.randint(0, 2, (2, 6)))
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss)
print(F.pad(x[:1, :1].detach(), (1, 2), value=0.5), F.pad(x[:1, :1].detach(), (1, 1), mode="reflect").shape)
print(F.glu(x.detach(), dim=1).shape, F.avg_pool1d(x.detach(), 2).mean(), F.adaptive_avg_pool1d(x.detach(), 1).squeeze()[0])

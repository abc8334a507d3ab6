"""WGAN-GP of short sequences: a GRU critic, gradient penalty through it."""
import torch
import torch.nn as nn
from torch.autograd import grad

torch.manual_seed(0)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.RNNCell(1, 6)
        self.out = nn.Linear(6, 1)

    def forward(self, x):
        h = x.new_zeros(x.size(0), 6)
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h)
        return self.out(h)


G = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2, inplace=True), nn.Linear(8, 5), nn.Unflatten(1, (5, 1)))
D = Critic()
opt_d = torch.optim.Adam(D.parameters(), lr=1e-2, betas=(0.5, 0.9))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-2, betas=(0.5, 0.9))
real = torch.sin(torch.arange(5.0)[None, :, None] + torch.rand(4, 1, 1) * 6.28)
for i in range(4):
    for p in D.parameters():
        p.requires_grad = True
    fake = G(torch.randn(4, 2)).detach()
    alpha = torch.rand(4, 1, 1).expand_as(real)
    inter = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    score = D(inter)
    (gr,) = grad(score, inter, grad_outputs=torch.ones_like(score), create_graph=True, retain_graph=True, only_inputs=True)
    gp = ((gr.reshape(4, -1).norm(2, dim=1) - 1) ** 2).mean()
    d_loss = D(fake).mean() - D(real).mean() + 10 * gp
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()
    for p in D.parameters():
        p.requires_grad = False
    g_loss = -D(G(torch.randn(4, 2))).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    print("%d d %.4f g %.4f gp %.4f" % (i, d_loss, g_loss, gp))
print(G)

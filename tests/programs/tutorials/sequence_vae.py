"""A sequence VAE: reparametrization, KL annealing, word dropout, distributions."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Normal, Independent, kl_divergence

torch.manual_seed(3)


class SeqVAE(nn.Module):
    def __init__(self, V=7, E=4, H=6, Z=2):
        super().__init__()
        self.emb = nn.Embedding(V, E)
        self.enc = nn.GRU(E, H, batch_first=True, bidirectional=True)
        self.mu, self.logvar = nn.Linear(2 * H, Z), nn.Linear(2 * H, Z)
        self.z2h = nn.Linear(Z, H)
        self.dec = nn.GRU(E, H, batch_first=True)
        self.out = nn.Linear(H, V)

    def forward(self, x, word_dropout=0.3):
        e = self.emb(x)
        _, h = self.enc(e)
        h = torch.cat([h[0], h[1]], dim=-1)
        mu, logvar = self.mu(h), self.logvar(h)
        std = torch.exp(0.5 * logvar)
        z = mu + torch.randn_like(std) * std
        keep = (torch.rand_like(x, dtype=torch.float) > word_dropout).unsqueeze(-1)
        o, _ = self.dec(e * keep, self.z2h(z).tanh().unsqueeze(0))
        return self.out(o), mu, logvar


x = torch.randint(0, 7, (4, 5))
model = SeqVAE()
opt = torch.optim.Adamax(model.parameters(), lr=0.01)
for step in range(6):
    logits, mu, logvar = model(x[:, :-1])
    rec = F.cross_entropy(logits.transpose(1, 2), x[:, 1:], reduction="none").sum(1).mean()
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1).mean()
    q = Independent(Normal(mu, (0.5 * logvar).exp()), 1)
    kl2 = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(1).mean()
    beta = min(1.0, step / 4)
    loss = rec + beta * kl
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(f"{step} rec {rec:.4f} kl {kl:.4f} {kl2:.4f} logq {q.log_prob(mu).mean():.4f}")

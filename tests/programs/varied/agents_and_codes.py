"""A2C, DQN with replay, LSTM policy; attention and rotary; Gumbel; straight-through; label stuff."""
import random, collections
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from torch.distributions import Categorical, Normal, Bernoulli
torch.manual_seed(0); random.seed(0); np.random.seed(0)
Transition = collections.namedtuple("Transition", ("state", "action", "next_state", "reward"))
class DQN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(3, 8); self.layer2 = nn.Linear(8, 2)
    def forward(self, x): return self.layer2(F.relu(self.layer1(x)))
policy, target = DQN(), DQN()
target.load_state_dict(policy.state_dict())
opt = torch.optim.AdamW(policy.parameters(), lr=1e-2, amsgrad=True)
mem = collections.deque([], maxlen=50)
for i in range(30):
    s = torch.randn(1, 3)
    with torch.no_grad():
        a = policy(s).max(1).indices.view(1, 1) if random.random() > .3 else torch.tensor([[random.randrange(2)]], dtype=torch.long)
    mem.append(Transition(s, a, None if i % 5 == 0 else torch.randn(1, 3), torch.tensor([float(a)])))
for step in range(4):
    batch = Transition(*zip(*random.sample(mem, 8)))
    mask = torch.tensor(tuple(map(lambda s: s is not None, batch.next_state)), dtype=torch.bool)
    nxt = torch.cat([s for s in batch.next_state if s is not None])
    q = policy(torch.cat(batch.state)).gather(1, torch.cat(batch.action))
    v = torch.zeros(8)
    with torch.no_grad(): v[mask] = target(nxt).max(1).values
    loss = nn.SmoothL1Loss()(q, ((v * .99) + torch.cat(batch.reward)).unsqueeze(1))
    opt.zero_grad(); loss.backward()
    nn.utils.clip_grad_value_(policy.parameters(), 100); opt.step()
    sd, td = policy.state_dict(), target.state_dict()
    for k in sd: td[k] = sd[k] * .1 + td[k] * .9
    target.load_state_dict(td)
    print(step, loss.item())
logits = torch.randn(3, 4, requires_grad=True)
y = F.gumbel_softmax(logits, tau=.5, hard=True); (y * torch.arange(4.)).sum().backward(); print(y, logits.grad)
def rope(x):
    T, D = x.shape[-2:]
    f = 1. / 10000 ** (torch.arange(0, D, 2).float() / D)
    ang = torch.outer(torch.arange(T).float(), f)
    x1, x2 = x[..., ::2], x[..., 1::2]
    return torch.stack((x1 * ang.cos() - x2 * ang.sin(), x1 * ang.sin() + x2 * ang.cos()), -1).flatten(-2)
q, k, v = (torch.randn(2, 2, 5, 4, requires_grad=True) for _ in range(3))
o = F.scaled_dot_product_attention(rope(q), rope(k), v, is_causal=True); o.square().mean().backward(); print(o[0, 0, -1], q.grad.norm())
class Quant(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(6, 4); self.e.weight.data.uniform_(-1/6, 1/6)
    def forward(self, z):
        d = z.pow(2).sum(1, keepdim=True) + self.e.weight.pow(2).sum(1) - 2 * z @ self.e.weight.t()
        i = torch.argmin(d, 1).unsqueeze(1)
        enc = torch.zeros(i.shape[0], 6).scatter_(1, i, 1)
        qz = enc @ self.e.weight
        l = F.mse_loss(qz.detach(), z) * .25 + F.mse_loss(qz, z.detach())
        qz = z + (qz - z).detach()
        p = torch.exp(-torch.sum(enc.mean(0) * torch.log(enc.mean(0) + 1e-10)))
        return l, qz, p
z = torch.randn(5, 4, requires_grad=True); l, qz, p = Quant()(z); (l + qz.sum()).backward(); print(l, round(p.item(), 3), z.grad[0])
mu, sd = torch.zeros(2, requires_grad=True), torch.ones(2, requires_grad=True)
d = Normal(mu, sd); act = d.rsample(); lp = d.log_prob(act).sum(); (-lp * 2 - d.entropy().sum()).backward(); print(act, mu.grad, sd.grad)
c = Categorical(logits=torch.randn(2, 3)); a = c.sample(); print(a, c.log_prob(a), c.entropy(), c.probs)
adv = torch.randn(6); ratio = torch.exp(torch.randn(6) * .1).requires_grad_()
ppo = -torch.min(ratio * adv, torch.clamp(ratio, .8, 1.2) * adv).mean(); ppo.backward(); print(ppo, ratio.grad)
lengths = torch.tensor([3, 1, 2]); m = torch.arange(3).expand(3, 3) < lengths.unsqueeze(1); print(m.float().cumsum(1), torch.cumprod(m.long(), 1))
print(torch.einsum("bi,bj->bij", torch.ones(1, 2), torch.ones(1, 2)), torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), dims=1))
print(torch.finfo(torch.float32).max, -torch.inf, torch.full((2,), -1e9), torch.linspace(-1, 1, 5)[1:4:2])
print(nn.MultiheadAttention(4, 2, batch_first=True)(torch.ones(1, 2, 4), torch.ones(1, 2, 4), torch.ones(1, 2, 4))[1])
for s in (nn.Softplus(), nn.SiLU(), nn.ELU(), nn.Hardtanh(), nn.PReLU(), nn.Softsign(), nn.LogSigmoid(), nn.Threshold(0.1, 20)): print(s, s(torch.tensor([-1., .5])).tolist())

"""Bits: spiking loop in place, batch of sequences with hooks on time, grad accumulation, Elman with noise, learned init, masks."""
import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(2)
class Net(nn.Module):
    def __init__(s, h0_learn=True):
        super().__init__()
        s.h0 = nn.Parameter(torch.zeros(1, 1, 4)); s.rnn = nn.GRU(2, 4, batch_first=True); s.ln = nn.LayerNorm(4); s.out = nn.Linear(4, 1)
    def forward(s, x, lens):
        h0 = s.h0.expand(-1, x.size(0), -1).contiguous()
        p = nn.utils.rnn.pack_padded_sequence(x, lens, batch_first=True, enforce_sorted=False)
        o, h = s.rnn(p, h0); o, l = nn.utils.rnn.pad_packed_sequence(o, batch_first=True, padding_value=-1.)
        m = (torch.arange(o.size(1))[None] < l[:, None])
        a = torch.softmax(s.out(o).squeeze(-1).masked_fill(~m, -torch.inf), 1)
        return s.out(s.ln((a.unsqueeze(-1) * o).sum(1))), a
net = Net(); x = torch.randn(3, 5, 2); lens = torch.tensor([5, 2, 4])
opt = torch.optim.Adam([{"params": [net.h0], "lr": .1}, {"params": [p for n, p in net.named_parameters() if n != "h0"]}], lr=.01)
for i in range(4):
    y, a = net(x, lens); l = F.huber_loss(y.squeeze(), torch.tensor([1., 0., -1.])) / 2
    l.backward()
    if i % 2: opt.step(); opt.zero_grad()
    print(i, l, a[1].tolist())
print(net.h0.detach().flatten(), net)
class Leaky(nn.Module):
    def __init__(s, n):
        super().__init__(); s.W = nn.Parameter(torch.randn(n, n) / n**.5); s.alpha = .2; s.register_buffer("mask", torch.ones(n, n) - torch.eye(n)); s.b = nn.Parameter(torch.zeros(n))
    def forward(s, u, noise=.05):
        x = torch.zeros(u.shape[1], s.W.shape[0]); r = torch.tanh(x); R = []
        for t in range(len(u)):
            x = (1 - s.alpha) * x + s.alpha * (r @ (s.W * s.mask).t() + u[t] + s.b) + noise * (2 * s.alpha)**.5 * torch.randn_like(x)
            r = x.tanh(); R.append(r)
        return torch.stack(R)
m = Leaky(4); R = m(torch.randn(6, 2, 4)); loss = (R[-1]**2).mean() + 1e-2 * sum(p.abs().sum() for p in m.parameters()); loss.backward(); print(loss, m.W.grad.diagonal(), m.b.grad)
trace = []
h = torch.zeros(1, 3, requires_grad=True); W = nn.Linear(3, 3); hs = [h]
for t in range(4):
    h = F.relu(W(hs[-1]) + 1); h.register_hook(lambda g, t=t: trace.append((t, round(g.norm().item(), 4)))); hs.append(h)
hs[-1].sum().backward(); print(trace, hs[0].grad)
out = torch.empty(4, 2); out[:] = torch.arange(4.).unsqueeze(1); print(out.mean(0), torch.cat([out, out]).chunk(3)[2].shape, out.clone().detach().requires_grad_(True).sum())
x = torch.linspace(0, 1, 5, requires_grad=True); u = torch.sin(3 * x); du = torch.autograd.grad(u, x, torch.ones_like(u), create_graph=True)[0]; d2 = torch.autograd.grad(du.sum(), x)[0]; print(du, d2 + 9 * u.detach())
print(torch.autograd.functional.jvp(lambda x: x**2, x.detach(), torch.ones(5))[1])
seq = [torch.ones(i, 2) for i in (1, 3)]; print(nn.utils.rnn.pad_sequence(seq, padding_value=9).shape, nn.utils.rnn.pack_sequence(seq, enforce_sorted=False).batch_sizes)
s = torch.jit.trace(net.out, torch.ones(1, 4)) if hasattr(torch.jit, "trace") else net.out; print(s(torch.ones(1, 4)))
for k, v in net.state_dict().items(): print(k, tuple(v.shape), f"{v.float().mean():.3f}")
print(torch.tensor([0.1, 0.2]).double(), (torch.arange(3) / 3).half(), torch.tensor(5).float().sqrt())
print([f"{t:.3f}" for t in torch.randn(3)], "%.2f" % torch.tensor(1.5), round(torch.tensor(2.345).item(), 2), int(torch.tensor(3.7)), float(torch.tensor(2)))

"""An LSTM by hand with einsum, and one with a fused F.linear; peephole and coupled gates; zoneout."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(5)


class EinsumLSTM(nn.Module):
    def __init__(self, D, H):
        super().__init__()
        self.W = nn.Parameter(torch.randn(4, D, H) * 0.3)
        self.U = nn.Parameter(torch.randn(4, H, H) * 0.3)
        self.b = nn.Parameter(torch.zeros(4, H))

    def forward(self, x):
        B, T, _ = x.shape
        h = c = x.new_zeros(B, self.b.size(-1))
        outs = []
        xw = torch.einsum("btd,gdh->btgh", x, self.W)
        for t in range(T):
            g = xw[:, t] + torch.einsum("bh,ghk->bgk", h, self.U) + self.b
            i, f, o, u = g.unbind(1)
            c = f.sigmoid() * c + i.sigmoid() * u.tanh()
            h = o.sigmoid() * c.tanh()
            outs.append(h)
        return torch.stack(outs, 1), (h, c)


class Peephole(nn.Module):
    def __init__(self, D, H, zoneout=0.1):
        super().__init__()
        self.lin = nn.Linear(D + H, 3 * H)
        self.p_i, self.p_o = nn.Parameter(torch.zeros(H)), nn.Parameter(torch.zeros(H))
        self.register_buffer("h0", torch.zeros(1, H))
        self.zoneout = zoneout

    def forward(self, x):
        h = c = self.h0.expand(x.size(0), -1)
        for x_t in x.transpose(0, 1):
            i, g, o = torch.split(self.lin(torch.cat([x_t, h], dim=-1)), h.size(-1), dim=-1)
            i = torch.sigmoid(i + self.p_i * c)
            new_c = torch.addcmul((1 - i) * c, i, torch.tanh(g))
            o = torch.sigmoid(torch.addcmul(o, self.p_o, new_c))
            new_h = o * torch.tanh(new_c)
            if self.training:
                mask = torch.bernoulli(torch.full_like(h, self.zoneout))
                h = mask * h + (1 - mask) * new_h
            else:
                h = self.zoneout * h + (1 - self.zoneout) * new_h
            c = new_c
        return h


class IndRNN(nn.Module):
    def __init__(self, D, H):
        super().__init__()
        self.inp = nn.Linear(D, H, bias=False)
        self.u = nn.Parameter(torch.empty(H).uniform_(-1, 1))
        self.bn = nn.BatchNorm1d(H)

    def forward(self, x):
        h = torch.zeros(x.size(0), self.u.numel())
        for t in range(x.size(1)):
            h = F.relu(self.bn(self.inp(x[:, t])) + self.u * h)
        return h


x = torch.randn(3, 6, 2)
y = torch.tensor([0, 1, 2])
for make in (lambda: EinsumLSTM(2, 3), lambda: Peephole(2, 3), lambda: IndRNN(2, 3)):
    net = make()
    opt = torch.optim.Adagrad(net.parameters(), lr=0.05)
    for _ in range(4):
        out = net(x)
        logits = out[1][0] if isinstance(out, tuple) else out
        loss = F.nll_loss(F.log_softmax(logits, -1), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if hasattr(net, "u"):
            with torch.no_grad():
                net.u.clamp_(-0.9, 0.9)
    print(type(net).__name__, f"{loss.item():.4f}")
    for name, p in net.named_parameters():
        print(f"  {name:12} {tuple(p.shape)!s:10} {p.grad.norm():.4f}")
net.eval()
print(net(x[:1]), net.bn.running_mean)

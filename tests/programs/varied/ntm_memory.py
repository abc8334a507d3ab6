"""A memory-augmented net: content addressing by cosine similarity, shift by circular convolution, sharpening."""
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)


def _convolve(w, s):
    t = torch.cat([w[-1:], w, w[:1]])
    return F.conv1d(t.view(1, 1, -1), s.view(1, 1, -1)).view(-1)


class NTM(nn.Module):
    def __init__(self, N=5, M=4, D=3):
        super().__init__()
        self.N, self.M = N, M
        self.ctrl = nn.GRUCell(D + M, 6)
        self.params = nn.Linear(6, M + 1 + 1 + 3 + 1 + 2 * M)
        self.out = nn.Linear(6 + M, D)
        self.register_buffer("mem_bias", torch.full((N, M), 0.1))
        nn.init.xavier_uniform_(self.params.weight, gain=1.4)
        nn.init.normal_(self.params.bias, std=0.01)

    def forward(self, xs):
        mem = self.mem_bias.clone()
        w = F.one_hot(torch.tensor(0), self.N).float()
        r, h = torch.zeros(1, self.M), torch.zeros(1, 6)
        ys = []
        for x in xs:
            h = self.ctrl(torch.cat([x, r], 1), h)
            k, beta, g, s, gamma, e, a = torch.split(self.params(h), [self.M, 1, 1, 3, 1, self.M, self.M], 1)
            beta, g, gamma = F.softplus(beta), torch.sigmoid(g), 1 + F.softplus(gamma)
            wc = F.softmax(beta * F.cosine_similarity(mem + 1e-16, k + 1e-16, dim=-1), dim=-1).squeeze(0)
            wg = g * wc + (1 - g) * w
            ws = _convolve(wg.view(-1), F.softmax(s, 1).view(-1))
            w = ws**gamma.view(())
            w = torch.div(w, torch.sum(w).view(-1) + 1e-16)
            r = torch.matmul(w.unsqueeze(0), mem)
            mem = mem * (1 - torch.outer(w, e.sigmoid().squeeze(0))) + torch.ger(w, a.squeeze(0))
            ys.append(self.out(torch.cat([h, r], 1)))
        return torch.cat(ys)


net = NTM()
seq = (torch.rand(4, 1, 3) > 0.5).float()
opt = torch.optim.RMSprop(net.parameters(), lr=1e-2, momentum=0.9, alpha=0.95)
for i in range(5):
    y = net(torch.cat([seq, torch.zeros_like(seq)]))[4:]
    loss = F.binary_cross_entropy_with_logits(y, seq.squeeze(1))
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, f"{loss.item():.5f}", f"{net.params.weight.grad.norm():.5f}")

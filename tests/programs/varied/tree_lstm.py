"""A child-sum Tree-LSTM over a parse, and a pointer network; dataclasses and ParameterDict."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from dataclasses import dataclass, field

torch.manual_seed(9)


@dataclass
class Tree:
    word: int
    children: list = field(default_factory=list)


class ChildSumTreeLSTM(nn.Module):
    def __init__(self, V, D, H):
        super().__init__()
        self.emb = nn.Embedding(V, D)
        self.ioux, self.iouh = nn.Linear(D, 3 * H), nn.Linear(H, 3 * H)
        self.fx, self.fh = nn.Linear(D, H), nn.Linear(H, H)
        self.H = H

    def node_forward(self, x, child_c, child_h):
        child_h_sum = torch.sum(child_h, dim=0, keepdim=True)
        iou = self.ioux(x) + self.iouh(child_h_sum)
        i, o, u = torch.split(iou, iou.size(1) // 3, dim=1)
        i, o, u = F.sigmoid(i), F.sigmoid(o), F.tanh(u)
        f = F.sigmoid(self.fh(child_h) + self.fx(x).repeat(len(child_h), 1))
        c = torch.mul(i, u) + torch.sum(torch.mul(f, child_c), dim=0, keepdim=True)
        return c, torch.mul(o, F.tanh(c))

    def forward(self, tree):
        x = self.emb(torch.tensor([tree.word]))
        if not tree.children:
            c = h = x.detach().new(1, self.H).fill_(0.).requires_grad_()
        else:
            cs, hs = zip(*map(self.forward, tree.children))
            c, h = torch.cat(cs, dim=0), torch.cat(hs, dim=0)
        return self.node_forward(x, c, h)


tree = Tree(0, [Tree(1), Tree(2, [Tree(3), Tree(4)])])
net = ChildSumTreeLSTM(5, 3, 4)
params = nn.ParameterDict({"q": nn.Parameter(torch.randn(4, 1))})
opt = torch.optim.Adadelta([*net.parameters(), *params.values()], lr=1.0)
for i in range(5):
    c, h = net(tree)
    loss = F.binary_cross_entropy(torch.sigmoid(h @ params["q"]), torch.ones(1, 1))
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, f"{loss:.5f}", net.fh.weight.grad.norm())


class Ptr(nn.Module):
    def __init__(self, H=6):
        super().__init__()
        self.enc, self.dec = nn.LSTM(1, H, batch_first=True), nn.LSTMCell(1, H)
        self.w1, self.w2, self.v = nn.Linear(H, H, bias=False), nn.Linear(H, H, bias=False), nn.Linear(H, 1, bias=False)

    def forward(self, x, target):
        out, (h, c) = self.enc(x)
        h, c = h.squeeze(0), c.squeeze(0)
        inp = x.new_zeros(x.size(0), 1)
        mask = torch.zeros(x.shape[:2], dtype=torch.bool)
        loss = 0
        for t in range(x.size(1)):
            h, c = self.dec(inp, (h, c))
            score = self.v(torch.tanh(self.w1(out) + self.w2(h).unsqueeze(1))).squeeze(-1)
            score = score.masked_fill(mask, -1e9)
            loss = loss + F.cross_entropy(score, target[:, t])
            mask = mask.scatter(1, target[:, t : t + 1], True)
            inp = x[torch.arange(x.size(0)), target[:, t]]
        return loss / x.size(1)


x = torch.rand(3, 4, 1)
target = x.squeeze(-1).argsort(dim=1)
ptr = Ptr()
opt = torch.optim.NAdam(ptr.parameters(), lr=0.02)
for i in range(4):
    loss = ptr(x, target)
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss.item())

"""The copy task: symbols are shown, then blanks; when the mark comes they must be repeated."""

import torch
import torch.nn as nn

torch.manual_seed(17)
S, K, WAIT, HIDDEN, BATCH = 5, 3, 2, 16, 8
BLANK, MARK = S, S + 1


def make_batch():
    seq = torch.randint(0, S, (K, BATCH))
    wait = torch.full((WAIT, BATCH), BLANK, dtype=torch.int64)
    mark = torch.full((1, BATCH), MARK, dtype=torch.int64)
    rest = torch.full((K - 1, BATCH), BLANK, dtype=torch.int64)
    x = torch.cat([seq, wait, mark, rest])
    y = torch.cat([torch.full((K + WAIT, BATCH), BLANK, dtype=torch.int64), seq])
    return x, y


class Copier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(S + 2, HIDDEN)
        self.cell = nn.LSTMCell(HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, S + 1)

    def forward(self, x):
        hx = torch.zeros(x.size(1), HIDDEN)
        cx = torch.zeros(x.size(1), HIDDEN)
        logits = []
        for t in range(x.size(0)):
            hx, cx = self.cell(self.embed(x[t]), (hx, cx))
            logits.append(self.out(hx))
        return torch.stack(logits)


net = Copier()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for i in range(1, 31):
    x, y = make_batch()
    logits = net(x)
    loss = nn.CrossEntropyLoss()(logits.permute(1, 2, 0), y.t())
    opt.zero_grad()
    loss.backward()
    opt.step()
    if i % 10 == 0:
        right = (logits[-K:].argmax(-1) == y[-K:]).float().mean().item()
        print(f"{i:3d}: loss {loss.item():.4f}, copied {100 * right:.1f} %")
print(x[:, 0].tolist(), "->", logits[:, 0].argmax(-1).tolist())

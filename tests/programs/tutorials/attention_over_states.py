"""A GRU cell that looks back: at each step it attends over all its own earlier states."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(2)


class LookingBack(nn.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        self.cell = nn.GRUCell(n_in + n_hidden, n_hidden)
        self.query = nn.Linear(n_hidden, n_hidden, bias=False)
        self.out = nn.Linear(n_hidden, n_out)

    def forward(self, xs):
        h = xs.new_zeros(xs.size(1), self.cell.hidden_size)
        memory = [h]
        weights = None
        for x in xs:
            keys = torch.stack(memory, dim=1)
            scores = torch.einsum("bh,bsh->bs", self.query(h), keys) / keys.size(-1) ** 0.5
            weights = F.softmax(scores, dim=-1)
            context = (weights.unsqueeze(-1) * keys).sum(1)
            h = self.cell(torch.cat([x, context], dim=-1), h)
            memory.append(h)
        return self.out(h), weights


# which symbol of six was shown first?
symbols = torch.randint(0, 4, (6, 12))
xs, first = F.one_hot(symbols, 4).float(), symbols[0]
net = LookingBack(4, 8, 4)
print(net)
optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
for i in range(20):
    logits, weights = net(xs)
    loss = F.cross_entropy(logits, first)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if i % 5 == 4:
        accuracy = (logits.argmax(-1) == first).float().mean()
        print(f"{i + 1:2d} loss {loss.item():.4f} accuracy {accuracy:.2f}")
print("looks at", weights.mean(0))

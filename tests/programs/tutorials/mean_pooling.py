"""Words embedded, read by a GRU, and pooled: mean, maximum and last state together."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(21)
PAD = 0
reviews = [[4, 7, 2, 9], [1, 3, 8], [4, 2, 2, 9, 5], [6, 3, 1]]
labels = torch.tensor([[1.0], [0.0], [1.0], [0.0]])
longest = max(map(len, reviews))
tokens = torch.tensor([review + [PAD] * (longest - len(review)) for review in reviews])


class Pooled(nn.Module):
    def __init__(self, vocab=10, dim=6, hidden=6):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim, padding_idx=PAD)
        self.gru = nn.GRU(dim, hidden, batch_first=True)
        self.norm = nn.LayerNorm(3 * hidden)
        self.fc = nn.Linear(3 * hidden, 1)

    def forward(self, tokens):
        mask = (tokens != PAD).unsqueeze(-1)
        out, h = self.gru(self.emb(tokens))
        mean = (out * mask).sum(1) / mask.sum(1)
        largest = out.masked_fill(~mask, float("-inf")).max(dim=1).values
        return self.fc(self.norm(torch.cat([mean, largest, h[-1]], dim=1)))


net = Pooled()
print(net)
opt = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=1e-3)
for epoch in range(1, 13):
    logits = net(tokens)
    loss = F.binary_cross_entropy_with_logits(logits, labels)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if epoch % 3 == 0:
        print(epoch, "%.4f" % loss.item(), torch.sigmoid(logits).flatten().tolist())
print(net.emb.weight[PAD], net.emb.weight.grad[PAD].abs().sum())

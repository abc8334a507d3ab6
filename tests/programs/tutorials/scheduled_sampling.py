"""Scheduled sampling: the decoder is fed the truth ever less often, its own words ever more."""

import random

import torch
from torch import nn

torch.manual_seed(9)
random.seed(9)
torch.set_default_dtype(torch.float64)

N, H, BOS = 6, 12, 0
emb = nn.Embedding(N, H)
cell = nn.GRUCell(H, H)
out = nn.Linear(H, N)
params = [*emb.parameters(), *cell.parameters(), *out.parameters()]
opt = torch.optim.Adam(params, lr=0.01)
loss_fn = nn.CrossEntropyLoss()


def sequences(batch):
    start = torch.randint(1, N, (batch, 1))
    return (start - 1 + torch.arange(5)) % (N - 1) + 1  # counting on in a circle


def probability(i, k=8.0):
    return k / (k + torch.exp(torch.tensor(i / k)).item())


for i in range(30):
    target = sequences(4)
    word = torch.full((4,), BOS)
    h = torch.zeros(4, H)
    loss, fed = 0.0, 0
    p = probability(i)
    for t in range(target.size(1)):
        h = cell(emb(word), h)
        logits = out(h)
        loss = loss + loss_fn(logits, target[:, t])
        if random.random() < p:
            word = target[:, t]
        else:
            word = logits.argmax(dim=-1)
            fed += 1
    loss = loss / target.size(1)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if i % 6 == 5:
        print(f"iter {i + 1}: p = {p:.3f}, own words {fed}, loss = {loss.item():.4f}")
print(logits.dtype, logits.argmax(1) == target[:, -1])

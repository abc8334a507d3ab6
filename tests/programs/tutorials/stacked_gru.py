"""Three layers of GRU, batch first: what comes out, of what shape, and which layer learns."""

import torch
from torch import nn

torch.manual_seed(12)
batch, length, features, hidden, layers = 4, 5, 3, 6, 3
gru = nn.GRU(features, hidden, num_layers=layers, batch_first=True)
head = nn.Linear(hidden, features)
x = torch.randn(batch, length, features)
h0 = torch.zeros(layers, batch, hidden)
output, hn = gru(x, h0)
print("output", output.shape)
print("h_n   ", hn.shape)
print("last step of the last layer:", torch.equal(output[:, -1], hn[-1]))
print(gru)

target = torch.roll(x, shifts=-1, dims=1)
criterion = nn.SmoothL1Loss()
groups = [{"params": gru.parameters()}, {"params": head.parameters(), "lr": 0.05}]
optimizer = torch.optim.AdamW(groups, lr=0.02)
for step in range(12):
    output, hn = gru(x, h0)
    loss = criterion(head(output)[:, :-1], target[:, :-1])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 4 == 3:
        print(f"{step + 1:3d}: {loss:.5f}")
for name, p in gru.named_parameters():
    if name.startswith("weight_hh"):
        print(name, p.shape, f"|grad| = {p.grad.norm():.5f}")

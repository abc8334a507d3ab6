"""Series of various lengths: pad_sequence, a mask, and the last output that counts."""

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence

torch.manual_seed(8)
lengths = [3, 6, 4, 5]
series = [torch.randn(n, 2) for n in lengths]
targets = torch.tensor([s[:, 0].mean() for s in series])
padded = pad_sequence(series, batch_first=True)
mask = torch.arange(padded.size(1))[None, :] < torch.tensor(lengths)[:, None]
print(padded.shape)
print(mask)


class LastOutput(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 6, batch_first=True)
        self.score = nn.Linear(6, 1)

    def forward(self, x, lengths):
        out, _ = self.gru(x)
        index = (torch.tensor(lengths) - 1).view(-1, 1, 1).expand(-1, 1, out.size(2))
        last = out.gather(1, index).squeeze(1)
        return self.score(last).squeeze(1), out


net = LastOutput()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for epoch in range(20):
    optimizer.zero_grad()
    prediction, out = net(padded, lengths)
    smooth = ((out[:, 1:] - out[:, :-1]) ** 2).sum(-1)
    loss = nn.functional.mse_loss(prediction, targets)
    loss = loss + 0.01 * (smooth * mask[:, 1:]).sum() / mask[:, 1:].sum()
    loss.backward()
    optimizer.step()
    if epoch % 5 == 0:
        print(epoch, f"{loss.item():.5f}")
print(prediction.detach())
print(net.gru.weight_hh_l0.grad.norm().item())

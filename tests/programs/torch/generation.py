"""Characters by a GRU with dropout and clipping; it then writes by itself."""

import torch
import torch.nn as nn

text = "hello world, hello net, hello time"
chars = sorted(set(text))
index = {ch: i for i, ch in enumerate(chars)}


class CharRNN(nn.Module):
    def __init__(self, n_chars, n_hidden=16, n_layers=2, drop_prob=0.2):
        super().__init__()
        self.gru = nn.GRU(n_chars, n_hidden, n_layers, dropout=drop_prob, batch_first=True)
        self.dropout = nn.Dropout(drop_prob)
        self.fc = nn.Linear(n_hidden, n_chars)

    def forward(self, x, hidden=None):
        r_output, hidden = self.gru(x, hidden)
        out = self.dropout(r_output)
        return self.fc(out.contiguous().view(-1, out.size(2))), hidden


def one_hot(ids):
    return torch.eye(len(chars))[ids].unsqueeze(0)


torch.manual_seed(0)
net = CharRNN(len(chars))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()
ids = torch.tensor([index[ch] for ch in text])
for epoch in range(1, 16):
    net.train()
    opt.zero_grad()
    output, h = net(one_hot(ids[:-1]))
    loss = criterion(output, ids[1:])
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5)
    opt.step()
    if epoch % 5 == 0:
        print("epoch {}: {:.4f}".format(epoch, loss.item()))
net.eval()
with torch.no_grad():
    h, written = None, "h"
    for _ in range(12):
        out, h = net(one_hot(torch.tensor([index[written[-1]]])), h)
        p = torch.softmax(out, dim=1).data
        written += chars[p.topk(1)[1].item()]
print(repr(written), h.shape)
torch.save(net.state_dict(), "chars.pt")
again = CharRNN(len(chars))
print(again.load_state_dict(torch.load("chars.pt")))

"""A word model with tied weights, trained on windows of the text (truncated BPTT)."""

import torch
import torch.nn as nn

text = "the cat sat on the mat and the dog sat on the cat and the cat ran".split() * 3
words = sorted(set(text))
ids = torch.tensor([words.index(w) for w in text])


class RNNModel(nn.Module):
    def __init__(self, ntoken, ninp):
        super().__init__()
        self.drop = nn.Dropout(0.1)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, ninp, 2, dropout=0.1)
        self.decoder = nn.Linear(ninp, ntoken)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, input, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(input)), hidden)
        return self.decoder(self.drop(output)).view(-1, len(words)), hidden


def repackage_hidden(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    return data.narrow(0, 0, nbatch * bsz).view(bsz, -1).t().contiguous()


torch.manual_seed(1111)
model = RNNModel(len(words), 12)
criterion = nn.CrossEntropyLoss()
data, bptt, lr = batchify(ids, 3), 5, 2.0
print(sum(p.numel() for p in model.parameters()), "parameters;", data.size())
for epoch in range(1, 4):
    model.train()
    hidden, total = None, 0.0
    for i in range(0, data.size(0) - 1, bptt):
        n = min(bptt, len(data) - 1 - i)
        source, target = data[i : i + n], data[i + 1 : i + 1 + n].reshape(-1)
        model.zero_grad()
        if hidden is not None:
            hidden = repackage_hidden(hidden)
        output, hidden = model(source, hidden)
        loss = criterion(output, target)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-lr)
        total += loss.item()
    print("| epoch {:2d} | loss {:5.3f}".format(epoch, total))

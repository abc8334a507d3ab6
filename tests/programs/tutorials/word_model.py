"""A language model of words: tied weights, batches of text in columns, truncated BPTT."""

import math

import torch
import torch.nn as nn

torch.manual_seed(1111)

text = """
the cat sat on the mat . the dog sat on the log . the cat saw the dog .
the dog saw the cat . on the mat sat the cat . on the log sat the dog .
"""
words = text.split()
vocabulary = {word: i for i, word in enumerate(dict.fromkeys(words))}
corpus = torch.tensor([vocabulary[word] for word in words])
batch_size, bptt, clip, lr = 2, 5, 0.25, 2.0


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    data = data.narrow(0, 0, nbatch * bsz)
    return data.view(bsz, -1).t().contiguous()


def repackage_hidden(h):
    """Cut states off their history."""
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


class RNNModel(nn.Module):
    def __init__(self, ntoken, ninp, nhid, nlayers, dropout=0.2):
        super().__init__()
        self.ntoken, self.nhid, self.nlayers = ntoken, nhid, nlayers
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid, nlayers, dropout=dropout)
        self.decoder = nn.Linear(nhid, ntoken)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, input, hidden):
        emb = self.drop(self.encoder(input))
        output, hidden = self.rnn(emb, hidden)
        decoded = self.decoder(self.drop(output))
        return nn.functional.log_softmax(decoded.view(-1, self.ntoken), dim=1), hidden

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        return (
            weight.new_zeros(self.nlayers, bsz, self.nhid),
            weight.new_zeros(self.nlayers, bsz, self.nhid),
        )


data = batchify(corpus, batch_size)
print(len(vocabulary), "words,", data.shape)
model = RNNModel(len(vocabulary), 8, 8, 2)
print(sum(p.numel() for p in model.parameters()), "parameters")
criterion = nn.NLLLoss()

for epoch in range(1, 4):
    model.train()
    total_loss, hidden = 0.0, model.init_hidden(batch_size)
    for batch, i in enumerate(range(0, data.size(0) - 1, bptt)):
        seq_len = min(bptt, len(data) - 1 - i)
        source, targets = data[i : i + seq_len], data[i + 1 : i + 1 + seq_len].view(-1)
        model.zero_grad()
        hidden = repackage_hidden(hidden)
        output, hidden = model(source, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-lr)
        total_loss += loss.item()
    mean = total_loss / (batch + 1)
    print(f"| epoch {epoch:2d} | loss {mean:5.3f} | ppl {math.exp(mean):7.2f}")

model.eval()
with torch.no_grad():
    word, hidden, said = data[:1, :1], model.init_hidden(1), []
    for _ in range(6):
        output, hidden = model(word, hidden)
        word = output.argmax(1, keepdim=True)
        said.append(list(vocabulary)[word.item()])
print(" ".join(said))

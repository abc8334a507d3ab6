"""A model of characters: two LSTM layers with dropout, one-hot letters, clipped gradients."""

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

text = "it was the best of times, it was the worst of times, " * 3
chars = tuple(sorted(set(text)))
int2char = dict(enumerate(chars))
char2int = {ch: ii for ii, ch in int2char.items()}
encoded = np.array([char2int[ch] for ch in text])


def one_hot_encode(arr, n_labels):
    one_hot = np.zeros((arr.size, n_labels), dtype=np.float32)
    one_hot[np.arange(one_hot.shape[0]), arr.flatten()] = 1.0
    return one_hot.reshape((*arr.shape, n_labels))


def get_batches(arr, batch_size, seq_length):
    n_batches = len(arr) // (batch_size * seq_length)
    arr = arr[: n_batches * batch_size * seq_length].reshape((batch_size, -1))
    for n in range(0, arr.shape[1], seq_length):
        x = arr[:, n : n + seq_length]
        y = np.zeros_like(x)
        try:
            y[:, :-1], y[:, -1] = x[:, 1:], arr[:, n + seq_length]
        except IndexError:
            y[:, :-1], y[:, -1] = x[:, 1:], arr[:, 0]
        yield x, y


class CharRNN(nn.Module):
    def __init__(self, tokens, n_hidden=16, n_layers=2, drop_prob=0.3):
        super().__init__()
        self.n_layers, self.n_hidden = n_layers, n_hidden
        self.lstm = nn.LSTM(len(tokens), n_hidden, n_layers, dropout=drop_prob, batch_first=True)
        self.dropout = nn.Dropout(drop_prob)
        self.fc = nn.Linear(n_hidden, len(tokens))

    def forward(self, x, hidden):
        r_output, hidden = self.lstm(x, hidden)
        out = self.dropout(r_output)
        out = out.contiguous().view(-1, self.n_hidden)
        return self.fc(out), hidden

    def init_hidden(self, batch_size):
        weight = next(self.parameters()).data
        shape = self.n_layers, batch_size, self.n_hidden
        return weight.new(*shape).zero_(), weight.new(*shape).zero_()


torch.manual_seed(11)
net = CharRNN(chars)
print(net)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()
counter = 0
for e in range(2):
    h = net.init_hidden(3)
    for x, y in get_batches(encoded, 3, 6):
        counter += 1
        inputs, targets = torch.from_numpy(one_hot_encode(x, len(chars))), torch.from_numpy(y)
        h = tuple([each.data for each in h])
        net.zero_grad()
        output, h = net(inputs, h)
        loss = criterion(output, targets.view(3 * 6).long())
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5)
        opt.step()
        if counter % 4 == 0:
            print("Epoch: {}/2...".format(e + 1), "Step: {}...".format(counter),
                  "Loss: {:.4f}...".format(loss.item()))

net.eval()
h = net.init_hidden(1)
x = torch.from_numpy(one_hot_encode(np.array([[char2int["t"]]]), len(chars)))
out, h = net(x, h)
p = F.softmax(out, dim=1).data
p, top_ch = p.topk(3)
print(p.numpy().squeeze().round(4), [int2char[int(c)] for c in top_ch.numpy().squeeze()])

"""Reversing a sequence with attention: at each step the decoder looks at all encoder outputs."""

import random

import torch
from torch import nn, optim
from torch.nn import functional as F

torch.manual_seed(5)
random.seed(5)
MAX_LENGTH, SOS, EOS, N = 5, 0, 1, 7
teacher_forcing_ratio = 0.5


class Encoder(nn.Module):
    def __init__(self, n_words, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(n_words, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)

    def forward(self, word, hidden):
        return self.gru(self.embedding(word).view(1, 1, -1), hidden)


class AttnDecoder(nn.Module):
    def __init__(self, hidden_size, n_words, dropout_p=0.1, max_length=MAX_LENGTH):
        super().__init__()
        self.embedding = nn.Embedding(n_words, hidden_size)
        self.attn = nn.Linear(hidden_size * 2, max_length)
        self.attn_combine = nn.Linear(hidden_size * 2, hidden_size)
        self.dropout = nn.Dropout(dropout_p)
        self.gru = nn.GRU(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, n_words)

    def forward(self, word, hidden, encoder_outputs):
        embedded = self.dropout(self.embedding(word).view(1, 1, -1))
        scores = self.attn(torch.cat((embedded[0], hidden[0]), 1))
        attn_weights = F.softmax(scores, dim=1)
        context = torch.bmm(attn_weights.unsqueeze(0), encoder_outputs.unsqueeze(0))
        output = torch.cat((embedded[0], context[0]), 1)
        output = F.relu(self.attn_combine(output).unsqueeze(0))
        output, hidden = self.gru(output, hidden)
        return F.log_softmax(self.out(output[0]), dim=1), hidden, attn_weights


encoder, decoder = Encoder(N, 10), AttnDecoder(10, N)
print(decoder)
optimizers = [optim.Adam(m.parameters(), lr=0.01) for m in (encoder, decoder)]
criterion = nn.NLLLoss()


def run(source, target, teacher_forcing):
    hidden = torch.zeros(1, 1, encoder.hidden_size)
    encoder_outputs = torch.zeros(MAX_LENGTH, encoder.hidden_size)
    for i in range(len(source)):
        encoder_output, hidden = encoder(source[i], hidden)
        encoder_outputs[i] = encoder_output[0, 0]
    word, loss, attentions = torch.tensor([[SOS]]), 0, []
    for i in range(len(target)):
        output, hidden, attention = decoder(word, hidden, encoder_outputs)
        attentions.append(attention)
        loss = loss + criterion(output, target[i])
        if teacher_forcing:
            word = target[i]
        else:
            word = output.argmax(1).detach()
            if word.item() == EOS:
                break
    return loss, torch.cat(attentions)


total = 0.0
for iteration in range(1, 51):
    words = [random.randint(2, N - 1) for _ in range(3)]
    source = torch.tensor([*words, EOS]).view(-1, 1)
    target = torch.tensor([*words[::-1], EOS]).view(-1, 1)
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss, attention = run(source, target, random.random() < teacher_forcing_ratio)
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    total += loss.item() / len(target)
    if iteration % 10 == 0:
        print("iteration", iteration, "loss %.4f" % (total / 10))
        total = 0.0
decoder.eval()
with torch.no_grad():
    _, attention = run(source, target, True)
print(attention.shape, attention[0])

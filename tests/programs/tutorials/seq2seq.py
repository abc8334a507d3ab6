"""Reversing a sequence: an encoder of GRU steps, and a decoder that starts where it ended."""

import random

import torch
import torch.nn as nn
import torch.nn.functional as F

SOS, EOS, HIDDEN, WORDS = 0, 1, 16, 8
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.manual_seed(3)
random.seed(3)


class EncoderRNN(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(input_size, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)

    def forward(self, input, hidden):
        embedded = self.embedding(input).view(1, 1, -1)
        output, hidden = self.gru(embedded, hidden)
        return output, hidden

    def initHidden(self):
        return torch.zeros(1, 1, self.hidden_size, device=device)


class DecoderRNN(nn.Module):
    def __init__(self, hidden_size, output_size):
        super().__init__()
        self.embedding = nn.Embedding(output_size, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        output = F.relu(self.embedding(input).view(1, 1, -1))
        output, hidden = self.gru(output, hidden)
        return self.softmax(self.out(output[0])), hidden


encoder = EncoderRNN(WORDS, HIDDEN).to(device)
decoder = DecoderRNN(HIDDEN, WORDS).to(device)
print(encoder, decoder, sep="\n")
encoder_optimizer = torch.optim.SGD(encoder.parameters(), lr=0.05)
decoder_optimizer = torch.optim.SGD(decoder.parameters(), lr=0.05)
criterion = nn.NLLLoss()


def train(source, target):
    encoder_hidden = encoder.initHidden()
    encoder_optimizer.zero_grad()
    decoder_optimizer.zero_grad()
    loss = 0
    for ei in range(source.size(0)):
        encoder_output, encoder_hidden = encoder(source[ei], encoder_hidden)
    decoder_input = torch.tensor([[SOS]], device=device)
    decoder_hidden = encoder_hidden
    for di in range(target.size(0)):
        decoder_output, decoder_hidden = decoder(decoder_input, decoder_hidden)
        topv, topi = decoder_output.topk(1)
        decoder_input = topi.squeeze().detach()
        loss += criterion(decoder_output, target[di])
        if decoder_input.item() == EOS:
            break
    loss.backward()
    encoder_optimizer.step()
    decoder_optimizer.step()
    return loss.item() / target.size(0)


def pair(length=3):
    words = [random.randrange(2, WORDS) for _ in range(length)]
    source, target = words + [EOS], words[::-1] + [EOS]
    return torch.tensor(source).view(-1, 1), torch.tensor(target).view(-1, 1)


total = 0
for iteration in range(1, 61):
    total += train(*pair())
    if iteration % 20 == 0:
        print(f"{iteration:3d}  {total / 20:.4f}")
        total = 0
print(decoder.embedding.weight.grad.norm())

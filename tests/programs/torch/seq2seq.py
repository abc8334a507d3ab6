"""An encoder reads a number, a decoder with attention writes it backwards."""

import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim

SOS, EOS, SIZE, MAX = 0, 1, 8, 6


class EncoderRNN(nn.Module):
    def __init__(self, input_size, hidden_size):
        super(EncoderRNN, self).__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(input_size, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)

    def forward(self, input, hidden):
        embedded = self.embedding(input).view(1, 1, -1)
        output, hidden = self.gru(embedded, hidden)
        return output, hidden


class AttnDecoderRNN(nn.Module):
    def __init__(self, hidden_size, output_size, max_length=MAX):
        super(AttnDecoderRNN, self).__init__()
        self.embedding = nn.Embedding(output_size, hidden_size)
        self.attn = nn.Linear(hidden_size * 2, max_length)
        self.attn_combine = nn.Linear(hidden_size * 2, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, input, hidden, encoder_outputs):
        embedded = self.embedding(input).view(1, 1, -1)
        attn_weights = F.softmax(self.attn(torch.cat((embedded[0], hidden[0]), 1)), dim=1)
        attn_applied = torch.bmm(attn_weights.unsqueeze(0), encoder_outputs.unsqueeze(0))
        output = torch.cat((embedded[0], attn_applied[0]), 1)
        output = F.relu(self.attn_combine(output).unsqueeze(0))
        output, hidden = self.gru(output, hidden)
        return F.log_softmax(self.out(output[0]), dim=1), hidden, attn_weights


torch.manual_seed(3)
random.seed(3)
encoder, decoder = EncoderRNN(SIZE, 12), AttnDecoderRNN(12, SIZE)
optimizers = [optim.SGD(m.parameters(), lr=0.05) for m in (encoder, decoder)]
criterion = nn.NLLLoss()


def train(source, target, teacher_forcing_ratio=0.5):
    hidden = torch.zeros(1, 1, encoder.hidden_size)
    for optimizer in optimizers:
        optimizer.zero_grad()
    encoder_outputs = torch.zeros(MAX, encoder.hidden_size)
    loss = 0
    for ei in range(source.size(0)):
        encoder_output, hidden = encoder(source[ei], hidden)
        encoder_outputs[ei] = encoder_output[0, 0]
    decoder_input = torch.tensor([[SOS]])
    forced = random.random() < teacher_forcing_ratio
    for di in range(target.size(0)):
        decoder_output, hidden, _ = decoder(decoder_input, hidden, encoder_outputs)
        loss += criterion(decoder_output, target[di])
        if forced:
            decoder_input = target[di]
        else:
            topv, topi = decoder_output.topk(1)
            decoder_input = topi.squeeze().detach()
            if decoder_input.item() == EOS:
                break
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    return loss.item() / target.size(0)


for epoch in range(1, 5):
    losses = []
    for _ in range(8):
        digits = [random.randrange(2, SIZE) for _ in range(4)]
        source = torch.tensor(digits + [EOS]).view(-1, 1)
        target = torch.tensor(digits[::-1] + [EOS]).view(-1, 1)
        losses.append(train(source, target))
    print(f"epoch {epoch}: {sum(losses) / len(losses):.4f}")

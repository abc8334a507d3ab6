"""Which language is a name from? A recurrent net of two linear layers, character by character."""

import random

import torch
import torch.nn as nn

NAMES = {
    "Italian": ["rossi", "bianchi", "ricci", "marino", "greco"],
    "Japanese": ["sato", "suzuki", "takahashi", "tanaka", "ito"],
    "English": ["smith", "jones", "taylor", "brown", "wilson"],
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
CATEGORIES = list(NAMES)


def letters_of(name):
    tensor = torch.zeros(len(name), 1, len(LETTERS))
    for i, letter in enumerate(name):
        tensor[i][0][LETTERS.index(letter)] = 1
    return tensor


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.i2o = nn.Linear(input_size + hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, letter, hidden):
        combined = torch.cat((letter, hidden), 1)
        hidden = self.i2h(combined)
        output = self.softmax(self.i2o(combined))
        return output, hidden

    def init_hidden(self):
        return torch.zeros(1, self.hidden_size)


torch.manual_seed(1)
random.seed(1)
rnn = RNN(len(LETTERS), 16, len(CATEGORIES))
criterion = nn.NLLLoss()
print(rnn)


def train(category, line, rate=0.05):
    hidden = rnn.init_hidden()
    rnn.zero_grad()
    for i in range(line.size()[0]):
        output, hidden = rnn(line[i], hidden)
    loss = criterion(output, category)
    loss.backward()
    for p in rnn.parameters():
        p.data.add_(p.grad.data, alpha=-rate)
    return output, loss.item()


total = 0.0
for n in range(1, 201):
    category = random.choice(CATEGORIES)
    name = random.choice(NAMES[category])
    output, loss = train(
        torch.tensor([CATEGORIES.index(category)], dtype=torch.long), letters_of(name)
    )
    total += loss
    if n % 50 == 0:
        guess = CATEGORIES[output.topk(1)[1][0].item()]
        print("%d (%s / %s) loss %.4f mean %.4f" % (n, name, guess, loss, total / 50))
        total = 0.0

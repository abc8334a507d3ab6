"""New names, letter by letter, from a category and the letter before."""

import random

import torch
import torch.nn as nn
from torch import optim

random.seed(7)
torch.manual_seed(7)

names = {"boys": ["tom", "bob", "otto", "tobi"], "girls": ["anna", "nina", "mia", "ina"]}
kinds = sorted(names)
alphabet = sorted(set("".join(sum(names.values(), []))))
n_letters = len(alphabet) + 1  # and the end
END = n_letters - 1


class Generator(nn.Module):
    def __init__(self, hidden_size):
        super(Generator, self).__init__()
        self.hidden_size = hidden_size
        size = len(kinds) + n_letters + hidden_size
        self.i2h = nn.Linear(size, hidden_size)
        self.i2o = nn.Linear(size, n_letters)
        self.o2o = nn.Linear(hidden_size + n_letters, n_letters)
        self.dropout = nn.Dropout(0.1)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, category, input, hidden):
        input_combined = torch.cat((category, input, hidden), 1)
        hidden = self.i2h(input_combined)
        output = self.i2o(input_combined)
        output_combined = torch.cat((hidden, output), 1)
        output = self.o2o(output_combined)
        output = self.dropout(output)
        return self.softmax(output), hidden


def one_hot(index, size):
    vector = torch.zeros(1, size)
    vector[0, index] = 1
    return vector


model = Generator(12)
criterion = nn.NLLLoss()
optimizer = optim.SGD(model.parameters(), lr=0.05)


def train(kind, name):
    category = one_hot(kinds.index(kind), len(kinds))
    indices = [alphabet.index(letter) for letter in name]
    target = torch.LongTensor(indices[1:] + [END])
    target.unsqueeze_(-1)
    hidden = torch.zeros(1, model.hidden_size)
    optimizer.zero_grad()
    loss = torch.Tensor([0])
    for i, index in enumerate(indices):
        output, hidden = model(category, one_hot(index, n_letters), hidden)
        loss += criterion(output, target[i])
    loss.backward()
    optimizer.step()
    return loss.item() / len(name)


history = []
for step in range(1, 101):
    kind = random.choice(kinds)
    history.append(train(kind, random.choice(names[kind])))
    if step % 25 == 0:
        print("%d (%d%%) %.4f" % (step, step, sum(history[-25:]) / 25))


def sample(kind, start, max_length=8):
    model.eval()
    with torch.no_grad():
        category = one_hot(kinds.index(kind), len(kinds))
        hidden = torch.zeros(1, model.hidden_size)
        name, index = start, alphabet.index(start)
        for _ in range(max_length):
            output, hidden = model(category, one_hot(index, n_letters), hidden)
            _, top = output.topk(1)
            index = top[0][0].item()
            if index == END:
                break
            name += alphabet[index]
    return name


for kind in kinds:
    print(kind, [sample(kind, start) for start in "atn"])

"""From which language a surname comes, read letter by letter by Linear layers and cat."""

import random
import string

import torch
import torch.nn as nn

torch.manual_seed(1)
random.seed(1)

surnames = {
    "Russian": ["Ivanov", "Petrov", "Sokolov", "Orlov"],
    "Italian": ["Rossi", "Bianchi", "Romano", "Conti"],
    "Scottish": ["Campbell", "Stewart", "Murray", "Reid"],
}
languages = list(surnames)
letters = string.ascii_letters + " .,;'"


def line_to_tensor(line):
    tensor = torch.zeros(len(line), 1, len(letters))
    for place, letter in enumerate(line):
        tensor[place][0][letters.find(letter)] = 1
    return tensor


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.i2o = nn.Linear(input_size + hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        combined = torch.cat((input, hidden), 1)
        hidden = self.i2h(combined)
        output = self.softmax(self.i2o(combined))
        return output, hidden

    def init_hidden(self):
        return torch.zeros(1, self.hidden_size)


rnn = RNN(len(letters), 16, len(languages))
print(rnn)
criterion = nn.NLLLoss()
learning_rate = 0.005


def train(category_tensor, line):
    hidden = rnn.init_hidden()
    rnn.zero_grad()
    for i in range(line.size()[0]):
        output, hidden = rnn(line[i], hidden)
    loss = criterion(output, category_tensor)
    loss.backward()
    for p in rnn.parameters():
        p.data.add_(p.grad.data, alpha=-learning_rate)
    return output, loss.item()


print(line_to_tensor("Reid").size())
total = 0
for iteration in range(1, 121):
    language = random.choice(languages)
    name = random.choice(surnames[language])
    target = torch.tensor([languages.index(language)], dtype=torch.long)
    output, loss = train(target, line_to_tensor(name))
    total += loss
    if iteration % 40 == 0:
        guess = languages[output.topk(1)[1][0].item()]
        mark = "right" if guess == language else f"wrong ({language})"
        print(f"{iteration:4d} {total / 40:.4f} {name} / {guess} {mark}")
        total = 0

with torch.no_grad():
    hidden = rnn.init_hidden()
    for letter in line_to_tensor("Orlov"):
        output, hidden = rnn(letter, hidden)
print(output)

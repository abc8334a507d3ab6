"""Which language is a name from?  The classifier of many PyTorch tutorials, by Linear and cat.

To see what its first backward() does: tinygrad-rnn run --draw names.svg examples/programs/names.py
"""

import torch
import torch.nn as nn

LETTERS = "abcdefghijklmnopqrstuvwxyz"
NAMES = {
    "Japanese": ["ito", "abe", "mori", "sato", "kato", "ueda"],
    "Russian": ["orlov", "popov", "belov", "titov", "zotov", "lvov"],
}
LANGUAGES = list(NAMES)


def name_to_tensor(name):
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
        hidden = torch.tanh(self.i2h(combined))
        output = self.softmax(self.i2o(combined))
        return output, hidden

    def init_hidden(self):
        return torch.zeros(1, self.hidden_size)


torch.manual_seed(0)
rnn = RNN(len(LETTERS), 4, len(LANGUAGES))
criterion = nn.NLLLoss()
optimizer = torch.optim.SGD(rnn.parameters(), lr=0.1)


def predict(name):
    hidden = rnn.init_hidden()
    for letter in name_to_tensor(name):
        output, hidden = rnn(letter, hidden)
    return output


for epoch in range(1, 31):
    total = 0.0
    for pair in zip(*NAMES.values()):
        for category, name in enumerate(pair):
            loss = criterion(predict(name), torch.tensor([category]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
    if epoch % 10 == 0:
        print(f"epoch {epoch}: loss {total / 12:.4f}")

with torch.no_grad():
    for name in ("sano", "petrov"):
        output = predict(name)
        print(name, "is", LANGUAGES[output.argmax(1).item()], output)

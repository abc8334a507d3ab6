"""A Dataset of one's own, a collate function that pads, and a DataLoader that shuffles."""

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset, random_split


class Digits(Dataset):
    """Sums as text, "3+5+1", and what they come to."""

    alphabet = "_0123456789+"

    def __init__(self, count):
        self.items = []
        for n in range(count):
            digits = [(n * 7 + k * 3) % 5 for k in range(2 + n % 3)]
            self.items.append(("+".join(map(str, digits)), sum(digits)))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        text, total = self.items[index]
        return torch.tensor([self.alphabet.index(c) for c in text]), torch.tensor(float(total))


def collate(batch):
    texts, totals = zip(*batch)
    lengths = torch.tensor([len(text) for text in texts])
    return pad_sequence(texts, batch_first=True), lengths, torch.stack(totals)


class Calculator(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(len(Digits.alphabet), 6, padding_idx=0)
        self.gru = nn.GRU(6, 10, batch_first=True)
        self.out = nn.Linear(10, 1)

    def forward(self, text, lengths):
        packed = pack_padded_sequence(
            self.embed(text), lengths, batch_first=True, enforce_sorted=False
        )
        _, h = self.gru(packed)
        return self.out(h.squeeze(0)).squeeze(1)


torch.manual_seed(19)
dataset = Digits(24)
train_set, test_set = random_split(dataset, [18, 6])
train_loader = DataLoader(train_set, batch_size=6, shuffle=True, collate_fn=collate)
test_loader = DataLoader(test_set, batch_size=6, collate_fn=collate)
print(len(dataset), len(train_loader), dataset[1])
net = Calculator()
optimizer = torch.optim.Adam(net.parameters(), lr=0.03)
for epoch in range(6):
    running_loss = 0.0
    for text, lengths, totals in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.l1_loss(net(text, lengths), totals)
        loss.backward()
        optimizer.step()
        running_loss += loss.item() * len(totals)
    print(f"epoch {epoch}: {running_loss / len(train_set):.4f}")
net.eval()
with torch.no_grad():
    for text, lengths, totals in test_loader:
        print(text.shape, lengths, net(text, lengths), totals)

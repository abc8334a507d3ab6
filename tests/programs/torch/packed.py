"""Sequences of several lengths, packed, read in both directions and classified."""

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset


class Parity(Dataset):
    """Is the number of ones odd?"""

    def __init__(self, count):
        g = torch.Generator().manual_seed(0)
        self.items = []
        for i in range(count):
            bits = torch.randint(0, 2, (2 + i % 4,), generator=g)
            self.items.append((bits.float().unsqueeze(1), int(bits.sum()) % 2))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def collate(batch):
    xs, ys = zip(*batch)
    return pad_sequence(xs, batch_first=True), torch.tensor([len(x) for x in xs]), torch.tensor(ys)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(1, 8, batch_first=True, bidirectional=True)
        self.head = nn.Linear(16, 2)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, (h, c) = self.rnn(packed)
        unpacked, lens = pad_packed_sequence(out, batch_first=True)
        return self.head(torch.cat((h[-2], h[-1]), dim=1)), unpacked.shape


torch.manual_seed(0)
model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
loader = DataLoader(Parity(24), batch_size=8, shuffle=True, collate_fn=collate)
for epoch in range(4):
    total = correct = 0
    for x, lengths, y in loader:
        optimizer.zero_grad()
        scores, shape = model(x, lengths)
        loss = nn.functional.cross_entropy(scores, y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item() * len(y)
        correct += (scores.argmax(1) == y).sum().item()
    print(f"epoch {epoch}: loss {total / 24:.4f}, {correct} of 24 right, last batch {tuple(shape)}")

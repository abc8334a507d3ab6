"""Training in two sittings: a module that writes itself to a file and goes on from there."""

import os
import tempfile

import torch
import torch.nn as nn


class Forecaster(nn.Module):
    def __init__(self, hidden=6):
        super().__init__()
        self.hidden = hidden
        self.gru = nn.GRU(1, hidden)
        self.readout = nn.Linear(hidden, 1)
        self.register_buffer("scale", torch.tensor(2.0))

    def forward(self, x):
        out, _ = self.gru(x / self.scale)
        return self.readout(out[-1])

    def save(self, path, optimizer, epoch):
        torch.save(
            {
                "hidden": self.hidden,
                "epoch": epoch,
                "model_state_dict": self.state_dict(),
                "optimizer_state_dict": optimizer.state_dict(),
            },
            path,
        )

    @classmethod
    def load(cls, path):
        checkpoint = torch.load(path)
        model = cls(checkpoint["hidden"])
        print(model.load_state_dict(checkpoint["model_state_dict"]))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
        return model, optimizer, checkpoint["epoch"]


torch.manual_seed(6)
x = torch.rand(5, 8, 1)
y = 2 * x[-1] - x[-2]


def train(model, optimizer, first, last):
    for epoch in range(first, last):
        loss = nn.MSELoss()(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"[{epoch}] {loss.item():.6f}")
    return last


model = Forecaster()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
epoch = train(model, optimizer, 0, 4)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "forecaster.pt")
    model.save(path, optimizer, epoch)
    again, optimizer, epoch = Forecaster.load(path)
for name, tensor in again.state_dict().items():
    print(name, "\t", tensor.size())
print(all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters())))
train(again, optimizer, epoch, epoch + 4)

"""A stateful LSTM: its state lives on from batch to batch, and is reset at each epoch."""

import torch
import torch.nn as nn

torch.manual_seed(4)


class StatefulLSTM(nn.Module):
    def __init__(self, in_size, out_size):
        super().__init__()
        self.lstm = nn.LSTMCell(in_size, out_size)
        self.out_size = out_size
        self.reset_state()

    def reset_state(self):
        self.h = None
        self.c = None

    def detach_state(self):
        if self.h is not None:
            self.h = self.h.detach()
            self.c = self.c.detach()

    def forward(self, x):
        if self.h is None:
            self.h = torch.zeros(x.size(0), self.out_size)
            self.c = torch.zeros(x.size(0), self.out_size)
        self.h, self.c = self.lstm(x, (self.h, self.c))
        return self.h


lstm = StatefulLSTM(1, 10)
fc = nn.Linear(10, 1)
optimizer = torch.optim.Adagrad([*lstm.parameters(), *fc.parameters()], lr=0.1)
# two streams, a saw and a square wave, cut into batches of five steps
ticks = torch.arange(40)
streams = torch.stack([(ticks % 5) / 4.0, ((ticks // 3) % 2).float()])
k = 5
for epoch in range(3):
    lstm.reset_state()
    epoch_loss = 0.0
    for begin in range(0, streams.size(1) - k, k):
        lstm.detach_state()
        loss = torch.zeros(())
        for t in range(begin, begin + k):
            y = fc(lstm(streams[:, t : t + 1]))
            loss += nn.functional.mse_loss(y, streams[:, t + 1 : t + 2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    print(f"epoch {epoch}: {epoch_loss:.4f}")
print(lstm.h.requires_grad, lstm.c.shape)
print(optimizer)

"""Learning rates on a schedule: StepLR, exponential, cosine, a warm-up by lambda, on a plateau."""

import torch
import torch.nn as nn
from torch.optim import lr_scheduler

torch.manual_seed(40)


class Parity(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 6, batch_first=True)
        self.fc = nn.Linear(6, 1)

    def forward(self, bits):
        out, (h_n, c_n) = self.lstm(bits)
        return self.fc(h_n[-1]).squeeze(-1)


bits = torch.randint(0, 2, (16, 5, 1)).float()
parity = bits.sum((1, 2)) % 2
schedulers = {
    "step": lambda opt: lr_scheduler.StepLR(opt, step_size=3, gamma=0.1),
    "exponential": lambda opt: lr_scheduler.ExponentialLR(opt, gamma=0.8),
    "cosine": lambda opt: lr_scheduler.CosineAnnealingLR(opt, T_max=8),
    "warm-up": lambda opt: lr_scheduler.LambdaLR(opt, lambda epoch: min(1, (epoch + 1) / 4)),
    "plateau": lambda opt: lr_scheduler.ReduceLROnPlateau(opt, "min", factor=0.5, patience=1),
}
criterion = nn.BCEWithLogitsLoss()
for name, make in schedulers.items():
    net = Parity()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9, nesterov=True)
    scheduler = make(optimizer)
    rates = []
    for epoch in range(8):
        optimizer.zero_grad()
        loss = criterion(net(bits), parity)
        loss.backward()
        optimizer.step()
        rates.append(optimizer.param_groups[0]["lr"])
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(loss.item())
        else:
            scheduler.step()
    print(f"{name:12s}", " ".join(f"{rate:.4f}" for rate in rates), f"loss {loss.item():.4f}")
print(optimizer.param_groups[0].keys())

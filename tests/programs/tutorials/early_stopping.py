"""Training with a validation set: stop when it gets no better, and go back to the best."""

import copy

import torch
from torch import nn

torch.manual_seed(14)


class EarlyStopping:
    def __init__(self, patience=3, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best_score, self.counter, self.early_stop = None, 0, False
        self.best_state = None

    def __call__(self, val_loss, model):
        if self.best_score is None or val_loss < self.best_score - self.min_delta:
            self.best_score, self.counter = val_loss, 0
            self.best_state = copy.deepcopy(model.state_dict())
        else:
            self.counter += 1
            print(f"EarlyStopping counter: {self.counter} out of {self.patience}")
            self.early_stop = self.counter >= self.patience


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(1, 10, nonlinearity="relu", batch_first=True)
        self.out = nn.Linear(10, 1)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


x = torch.linspace(0, 12, 60)
wave = torch.sin(x) + 0.2 * torch.randn(60)
windows = wave.unfold(0, 6, 1)
inputs, targets = windows[:, :5].unsqueeze(-1), windows[:, 5:]
train, valid = slice(0, 30), slice(30, None)
net, stopper = Net(), EarlyStopping(patience=3, min_delta=0.001)
optimizer = torch.optim.Adam(net.parameters(), lr=0.03)
criterion = nn.MSELoss()
for epoch in range(60):
    net.train()
    loss = criterion(net(inputs[train]), targets[train])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        val_loss = criterion(net(inputs[valid]), targets[valid]).item()
    if epoch % 4 == 0:
        print(f"epoch {epoch:2d} train {loss.item():.4f} valid {val_loss:.4f}")
    stopper(val_loss, net)
    if stopper.early_stop:
        print("Early stopping at", epoch)
        break
net.load_state_dict(stopper.best_state)
print(f"best {stopper.best_score:.4f}", inputs.shape, targets.shape)

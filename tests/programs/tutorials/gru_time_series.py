"""The next value of a time series from a window of past ones, by a GRU."""

import math

import torch
import torch.nn as nn

torch.manual_seed(101)


class GRUModel(nn.Module):
    def __init__(self, input_dim, hidden_dim, layer_dim, output_dim):
        super(GRUModel, self).__init__()
        self.hidden_dim = hidden_dim
        self.layer_dim = layer_dim
        self.gru = nn.GRU(input_dim, hidden_dim, layer_dim, batch_first=True)
        self.fc = nn.Linear(hidden_dim, output_dim)

    def forward(self, x):
        h0 = torch.zeros(self.layer_dim, x.size(0), self.hidden_dim).requires_grad_()
        out, hn = self.gru(x, h0.detach())
        out = self.fc(out[:, -1, :])
        return out


series = torch.tensor([math.sin(0.4 * t) + 0.3 * math.cos(1.1 * t) for t in range(60)])
minimum, maximum = series.min(), series.max()
series = (series - minimum) / (maximum - minimum)
window = 7
X = torch.stack([series[i : i + window] for i in range(len(series) - window)]).unsqueeze(-1)
Y = series[window:].unsqueeze(-1)
train_x, test_x = X[:40], X[40:]
train_y, test_y = Y[:40], Y[40:]
print("train", train_x.shape, train_y.shape, "test", test_x.shape)

model = GRUModel(1, 10, 1, 1)
criterion = torch.nn.MSELoss(reduction="mean")
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for t in range(30):
    y_pred = model(train_x)
    loss = criterion(y_pred, train_y)
    if t % 6 == 0:
        print("Epoch ", t, "MSE: ", loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
model.eval()
with torch.no_grad():
    predicted = model(test_x)
rmse = torch.sqrt(torch.mean((predicted - test_y) ** 2)) * (maximum - minimum)
print("test RMSE:", rmse)
print(predicted[:3])

"""Many to one: whether a row of numbers sums up to more than zero."""

import torch
import torch.nn as nn

torch.manual_seed(0)
n_samples, length = 24, 6
X = torch.randn(n_samples, length, 1)
y = (X.sum(1).squeeze() > 0).long()


class ManyToOne(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.rnn = nn.RNN(input_size=1, hidden_size=hidden, num_layers=1, batch_first=True)
        self.head = nn.Sequential(nn.Linear(hidden, 8), nn.ReLU(), nn.Linear(8, 2))

    def forward(self, x):
        r_out, h_n = self.rnn(x, None)
        return self.head(r_out[:, -1])


model = ManyToOne(8)
print(model)
for name, p in model.named_parameters():
    print(f"{name:20} {tuple(p.shape)}")
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for epoch in range(25):
    logits = model(X)
    loss = nn.functional.cross_entropy(logits, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if (epoch + 1) % 5 == 0:
        _, predicted = torch.max(logits, 1)
        correct = (predicted == y).sum().item()
        print(f"epoch {epoch + 1}, loss {loss.item():.4f}, {correct}/{n_samples} right")
print(loss)

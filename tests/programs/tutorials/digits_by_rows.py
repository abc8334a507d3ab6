"""Pictures of digits, made here, read row by row by an LSTM."""

import torch
import torch.nn as nn

device = torch.device("cpu")
sequence_length, input_size, hidden_size, num_layers, num_classes = 7, 5, 12, 1, 4
batch_size, num_epochs, learning_rate = 10, 3, 0.02
torch.manual_seed(30)

GLYPHS = """
.###. ..#.. .###. .###.
#...# .##.. #...# #...#
#...# ..#.. ....# ....#
#...# ..#.. ..##. ..##.
#...# ..#.. .#... ....#
#...# ..#.. #.... #...#
.###. .###. ##### .###.
"""
rows = [line.split() for line in GLYPHS.split("\n") if line]
images = torch.tensor(
    [[[float(c == "#") for c in row[digit]] for row in rows] for digit in range(num_classes)]
)
labels = torch.arange(num_classes).repeat(10)
images = (images[labels] + 0.2 * torch.randn(40, 7, 5)).unsqueeze(1)
train_loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(images, labels), batch_size=batch_size, shuffle=True
)


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, num_layers, num_classes):
        super(RNN, self).__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        h0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size).to(device)
        c0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size).to(device)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out[:, -1, :])


model = RNN(input_size, hidden_size, num_layers, num_classes).to(device)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
total_step = len(train_loader)
for epoch in range(num_epochs):
    for i, (images, labels) in enumerate(train_loader):
        images = images.reshape(-1, sequence_length, input_size).to(device)
        labels = labels.to(device)
        outputs = model(images)
        loss = criterion(outputs, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (i + 1) % 2 == 0:
            print("Epoch [{}/{}], Step [{}/{}], Loss: {:.4f}".format(
                epoch + 1, num_epochs, i + 1, total_step, loss.item()))
with torch.no_grad():
    correct = total = 0
    for images, labels in train_loader:
        outputs = model(images.reshape(-1, sequence_length, input_size))
        _, predicted = torch.max(outputs.data, 1)
        total += labels.size(0)
        correct += (predicted == labels).sum().item()
print("Accuracy: {} %".format(100 * correct / total))

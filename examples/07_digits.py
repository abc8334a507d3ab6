"""
Handwritten digits, row by row
==============================

An LSTM looks at a picture of a digit one row of pixels at a time, from the top down, and says which
digit it was. Eight steps of eight numbers: the digits that come with scikit-learn.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import tinygrad_rnn as tg
import tinygrad_rnn.nn.functional as F
from tinygrad_rnn import bptt, nn, optim, viz
from tinygrad_rnn.utils import options
from tinygrad_rnn.utils.data import DataLoader, TensorDataset

settings = options(
    epochs=(40, "over the training pictures"),
    units=(64, "of the LSTM"),
    picture=("digits.svg", "where the picture goes"),
)
tg.manual_seed(0)

# %%
# The pictures
# ------------
#
# A quarter is kept to test with, the same share of each digit.

digits = load_digits()
pictures = (digits.images / 16).astype(np.float32)  # (n, 8 rows, 8 pixels), 0 to 1
train_x, test_x, train_y, test_y = (
    tg.tensor(part)
    for part in train_test_split(
        pictures, digits.target, test_size=0.25, stratify=digits.target, random_state=0
    )
)
for row in test_x[0].tolist():
    print("".join(" ·+#"[int(3.99 * pixel)] * 2 for pixel in row))
print("is a", test_y[0].item())

# %%
# The net
# -------
#
# ``batch_first``: a picture's rows are its time. Only the last state is asked.


class RowReader(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.lstm = nn.LSTM(8, units, batch_first=True, fused=True)
        self.head = nn.Linear(units, 10)

    def forward(self, pictures):
        _, (h, _) = self.lstm(pictures)
        return self.head(h[-1])


net = RowReader(settings.units)
optimizer = optim.Adam(net.parameters(), lr=0.01)
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs)
loader = DataLoader(TensorDataset(train_x, train_y), batch_size=32, shuffle=True)

# %%
# Learning
# --------

history = bptt.History()
for _ in history.over(range(settings.epochs), desc="reading"):
    for x, y in loader:
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        history.add(loss=loss)
    schedule.step()

with tg.no_grad():
    said = net(test_x).argmax(1)
accuracy = (said == test_y).double().mean().item()
print(f"{accuracy:.1%} of {len(test_y)} pictures that it had never seen")

# %%
# Which ones it gets wrong, as pairs of what they are and what it says:

wrong = said != test_y
print(*(f"{is_a}→{says}" for is_a, says in zip(test_y[wrong].tolist(), said[wrong].tolist())))

# %%
# Which rows it decides by
# ------------------------
#
# The gradient of each picture's own class, by its pixels: how much a little more ink there would
# have said. Rows are time steps, so this is how far back through time the net looks.

x = test_x.clone().requires_grad_()
bptt.record(net(x).gather(1, test_y[:, None]).sum())
for row, norm in enumerate(x.grad.norm(dim=2).mean(0).tolist(), 1):
    print(f"row {row} {norm:6.3f}", "▒" * round(4 * norm))

# %%
# And the walk of the one that it finds hardest, unrolled, cell by cell: what would have to change?

with tg.no_grad():
    hardest = F.cross_entropy(net(test_x), test_y, reduction="none").argmax().item()
x, y = test_x[hardest : hardest + 1], test_y[hardest : hardest + 1]
walk = bptt.record(F.cross_entropy(net(x), y))
picture = viz.draw(walk, title=f"A {y.item()} that is read as a {said[hardest].item()}, row by row")
picture.save(settings.picture)
picture

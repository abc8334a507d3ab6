"""What people write, without a type anywhere: no checker has anything to say of it.

`tests/test_typing.py` holds that.
"""

import numpy as np

import tinygrad_rnn as tg
import tinygrad_rnn.nn.functional as F
from tinygrad_rnn import bptt, nn, optim, viz

tg.manual_seed(0)


class Tagger(nn.Module):
    def __init__(self, letters, hidden, tags):
        super().__init__()
        self.hidden = hidden
        self.embedding = nn.Embedding(letters, hidden)
        self.cell = nn.LSTMCell(hidden, hidden)
        self.head = nn.Linear(hidden, tags)

    def forward(self, word, state=None):
        h, c = state or (tg.zeros(1, self.hidden), tg.zeros(1, self.hidden))
        outputs = []
        for letter in word:
            h, c = self.cell(self.embedding(letter).unsqueeze(0), (h, c))
            outputs.append(self.head(h))
        return tg.cat(outputs), (h, c)


# Training
net = Tagger(5, 4, 3)
optimizer = optim.Adam(net.parameters(), lr=0.05)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
data = tg.utils.data.TensorDataset(tg.randint(5, (8, 6)), tg.randint(3, (8, 6)))
losses = []
for _ in range(2):
    for words, tags in tg.utils.data.DataLoader(data, batch_size=2, shuffle=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(words[0])[0], tags[0])
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    scheduler.step()
norms = {name: p.grad.norm().item() for name, p in net.named_parameters()}
print(sum(losses) / len(losses), max(norms, key=lambda name: norms[name]))

with tg.no_grad():
    scores, _ = net(tg.tensor([1, 2, 3]))
    best = scores.argmax(1).tolist()
    accuracy = (scores.argmax(1) == tg.tensor([0, 1, 2])).float().mean().item()
    values, indices = scores.softmax(1).max(1)
print(best, f"{accuracy:.2f}", values.numpy().round(2), indices[0].item())

# The laboratory
scores, _ = net(tg.tensor([1, 2, 3, 4]))
loss = F.cross_entropy(scores, tg.tensor([0, 1, 2, 0]))
walk = bptt.record(loss, retain_graph=True)
shares = bptt.contributions(walk, net.cell.weight_hh)
for t, share in shares.items():
    print(t, np.linalg.norm(share))
for visit in walk.visits:
    print(visit.step, visit.node.name())
    break
print(loss.grad_fn.name(), loss.grad_fn.next_functions[0][0].name())
print(bptt.diagnose(walk), bptt.explain(walk, net.head.bias), bptt.flow(walk))
picture = viz.draw(walk, level="cell", theme="dark")
print(
    len(picture.svg),
    viz.contribution_map(bptt.contributions(walk, net.head.weight, ("loss", "step"))),
)

# By hand
w = tg.randn(3, 3, requires_grad=True)
h = tg.ones(1, 3)
for x in tg.randn(4, 1, 3):
    h = (x + h @ w).tanh()
h.sum().backward()
w.data -= 0.1 * w.grad
w.grad.zero_()
print(
    w.grad.abs().max(),
    tg.autograd.gradcheck(tg.tanh, [tg.ones(2, dtype=tg.float64, requires_grad=True)]),
)

"""
Sequence to sequence, with attention
====================================

"three seven one four" is to become 3714. A GRU reads the letters, another one writes the digits,
and before each digit it looks back at all letters and decides which of them to attend to. Nobody
tells it that there are words.
"""

import numpy as np

import tinygrad_rnn as tg
import tinygrad_rnn.nn.functional as F
from tinygrad_rnn import bptt, nn, optim, viz
from tinygrad_rnn.utils import options

settings = options(
    steps=(600, "of training"),
    units=(48, "of both nets"),
    picture=("attention.svg", "where the picture goes"),
)
tg.manual_seed(0)
numbers = np.random.default_rng(0)

# %%
# Pairs of letters and digits
# ---------------------------

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
ALPHABET = sorted({*"".join(NAMES), " "})
DIGITS, START = 4, 10
LONGEST = DIGITS * 6


def spelled(digits):
    return " ".join(NAMES[digit] for digit in digits).ljust(LONGEST)


def batch(size):
    digits = numbers.integers(0, 10, size=(size, DIGITS))
    letters = [[ALPHABET.index(letter) for letter in spelled(each)] for each in digits]
    return tg.tensor(letters).t(), tg.tensor(digits).t()  # time first


print(repr(spelled([3, 7, 1, 4])))

# %%
# The net
# -------
#
# The reader's states are the memory. The writer's state is the question: its product with each
# place of the memory, made to shares by softmax, says how much of that place it gets.


class Translator(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.letters = nn.Embedding(len(ALPHABET), units)
        self.digits = nn.Embedding(START + 1, units)
        self.reader = nn.GRU(units, units, fused=True)
        self.writer = nn.GRUCell(2 * units, units)
        self.question = nn.Linear(units, units)
        self.head = nn.Linear(2 * units, 10)

    def attend(self, h, memory):
        scores = (memory * self.question(h)).sum(-1)  # (places, batch)
        attention = scores.softmax(0).named("attention")
        return (attention[..., None] * memory).sum(0), attention

    def forward(self, letters, digits):
        """Scores of each digit, told the right ones before it; and where it looked."""
        memory, h = self.reader(self.letters(letters))
        h, said, looked = h[0], [], []
        for before in (tg.full_like(digits[0], START), *digits[:-1]):
            context, attention = self.attend(h, memory)
            h = self.writer(tg.cat([self.digits(before), context], 1), h)
            said.append(self.head(tg.cat([h, context], 1)))
            looked.append(attention)
        return tg.stack(said), tg.stack(looked)


net = Translator(settings.units)
optimizer = optim.Adam(net.parameters(), lr=5e-3)

# %%
# Learning
# --------

history = bptt.History()
for _ in history.over(range(settings.steps), desc="learning"):
    letters, digits = batch(32)
    said, _ = net(letters, digits)
    loss = F.cross_entropy(said.flatten(0, 1), digits.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    history.add(loss=loss)

with tg.no_grad():
    letters, digits = batch(200)
    said, _ = net(letters, digits)
right = (said.argmax(-1) == digits).double().mean().item()
losses = history["loss"]
print(
    f"loss {losses[0]:.2f} at first, {losses[-1]:.4f} at last; {right:.1%} of new digits are right"
)

# %%
# Where it looks
# --------------
#
# One line for each digit that it writes; under each letter, how much it attended to its place. The
# reader's state at the end of a word knows the whole word.

letters, digits = batch(1)
with tg.no_grad():
    said, looked = net(letters, digits)
print("  ", spelled(digits[:, 0].tolist()))
for digit, shares in zip(said.argmax(-1)[:, 0].tolist(), looked[:, :, 0].tolist()):
    print(digit, "", "".join(" ·-+=*#%@█"[min(int(10 * share), 9)] for share in shares))

# %%
# What flows back
# ---------------
#
# Attention is a second way for the gradient to go: from a digit straight to the letters that it was
# read from, and not only through the time in between. Here is the last digit's loss on its way.

said, _ = net(letters, digits)
walk = bptt.record(F.cross_entropy(said[-1], digits[-1]))
picture = viz.draw(walk, level="cell", title="The last digit's gradient, back to the letters")
picture.save(settings.picture)
picture

# %%
# Of the gradient of the reader's states, this came directly, by attention, and this through time:

reader = next(series for series in bptt.flow(walk) if series.layer.scope.endswith("reader"))
gradient, direct, through_time = reader.norms()
for t, letter in enumerate(spelled(digits[:, 0].tolist())):
    print(f"{letter}  directly {direct[t]:.5f}  through time {through_time[t]:.5f}")

"""
A character at a time
=====================

An LSTM reads a text and says after each character which ones may come next, by truncated
backpropagation through time. The text is one that you name; otherwise it is what Python's own
``help`` says of the language. In a terminal or a notebook the bar shows the loss curve, live.
"""

from pathlib import Path
from pydoc_data.topics import topics

import numpy as np

import tinygrad_rnn as tg
import tinygrad_rnn.nn.functional as F
from tinygrad_rnn import bptt, nn, optim, viz
from tinygrad_rnn.utils import options

settings = options(
    text=("", "a file to learn from; Python's help, if none is named"),
    passes=(25, "over the text"),
    characters=(60_000, "of the text that are read"),
    units=(128, "of the LSTM"),
    span=(50, "of characters after which backpropagation is cut"),
    beginning=("The ", "of what it writes"),
    picture=("characters.svg", "where the picture goes"),
)
tg.manual_seed(0)

# %%
# The text, as rows that are read side by side
# --------------------------------------------

if settings.text:
    text = Path(settings.text).read_text(encoding="utf-8")
else:
    text = " ".join(" ".join(topics.values()).split())  # without line breaks and indentation
text = text[: settings.characters]
alphabet = sorted({*text, *settings.beginning})
codes = tg.tensor([alphabet.index(character) for character in text])
rows = 16
codes = codes[: len(codes) // rows * rows].view(rows, -1).t()  # (time, rows)
print(len(text), "characters,", len(alphabet), "different ones;", *codes.shape)

# %%
# The net
# -------
#
# ``fused`` runs the layer as a compiled program. Whoever looks gets the literal graph.


class Writer(nn.Module):
    def __init__(self, size, units):
        super().__init__()
        self.embedding = nn.Embedding(size, 32)
        self.lstm = nn.LSTM(32, units, fused=True)
        self.head = nn.Linear(units, size)

    def forward(self, characters, state=None):
        output, state = self.lstm(self.embedding(characters), state)
        return self.head(output), state


@tg.no_grad()
def write(beginning, length=200, temperature=0.6):
    written, state = beginning, None
    read = tg.tensor([[alphabet.index(character)] for character in beginning])
    for _ in range(length):
        scores, state = writer(read, state)
        read = tg.multinomial((scores[-1] / temperature).softmax(-1), 1)
        written += alphabet[read.item()]
    return written


writer = Writer(len(alphabet), settings.units)
print(write(settings.beginning, 60))

# %%
# Learning
# --------
#
# The state goes on from span to span, its history does not: ``detach`` is the truncation.

optimizer = optim.Adam(writer.parameters(), lr=4e-3)
starts = range(0, len(codes) - settings.span, settings.span)
history, state = bptt.History(), None
for number in history.over(range(settings.passes * len(starts)), desc="reading"):
    start = starts[number % len(starts)]
    state = tuple(s.detach() for s in state) if start else None
    scores, state = writer(codes[start : start + settings.span], state)
    loss = F.cross_entropy(scores.flatten(0, 1), codes[start + 1 :][: settings.span].flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(writer.parameters(), 1.0)
    optimizer.step()
    history.add(loss=loss)

# %%
# The loss is the negative logarithm of the probability that it gives to the character that comes.
# Guessing blindly that is ln of the alphabet's size.

of_pass = history["loss"].reshape(settings.passes, -1).mean(1)
print(f"blindly {np.log(len(alphabet)):.2f};", *(f"{loss:.2f}" for loss in of_pass))
viz.training_curves(history)

# %%
print(write(settings.beginning))

# %%
# How far back does it look?
# --------------------------
#
# The gradient of one character's loss, on its way back through the span before it.

scores, _ = writer(codes[: settings.span, :1])
walk = bptt.record(F.cross_entropy(scores[-1], codes[settings.span, :1]))
picture = viz.gradient_flow(walk)
picture.save(settings.picture)
picture

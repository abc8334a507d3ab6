"""
Tagging words with an LSTM
==========================

A lecture notebook writes a tagger, word by word through an embedding and an LSTM, and never runs
it. Here it learns, makes the mistake that everybody makes once, and shows what a tag hangs on.
"""

import numpy as np

import tinygrad_rnn as tg
import tinygrad_rnn.nn.functional as F
from tinygrad_rnn import bptt, nn, optim, viz
from tinygrad_rnn.utils import options

settings = options(epochs=(300, "over both sentences"), picture=("tagger.svg", "where it goes"))

# %%
# The net, as the notebook has it
# -------------------------------
#
# Its hidden state is kept between calls, as an attribute.


class LSTMTagger(nn.Module):
    def __init__(self, embedding_dim, hidden_dim, vocab_size, tagset_size):
        super().__init__()
        self.hidden_dim = hidden_dim
        self.word_embeddings = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim)
        self.hidden2tag = nn.Linear(hidden_dim, tagset_size)
        self.hidden = self.init_hidden()

    def init_hidden(self):
        return tg.zeros(1, 1, self.hidden_dim), tg.zeros(1, 1, self.hidden_dim)

    def forward(self, sentence):
        embeds = self.word_embeddings(sentence)
        lstm_out, self.hidden = self.lstm(embeds.view(len(sentence), 1, -1), self.hidden)
        tag_space = self.hidden2tag(lstm_out.view(len(sentence), -1))
        return F.log_softmax(tag_space, dim=1)


TAGS = ["DET", "NN", "V"]
SENTENCES = {
    "The dog ate the apple": "DET NN V DET NN",
    "Everybody read that book": "NN V DET NN",
}
WORDS = list(dict.fromkeys(" ".join(SENTENCES).split()))
data = [
    (tg.tensor([WORDS.index(word) for word in words.split()]),
     tg.tensor([TAGS.index(tag) for tag in tags.split()]))
    for words, tags in SENTENCES.items()
]  # fmt: skip

tg.manual_seed(1)
tagger = LSTMTagger(6, 6, len(WORDS), len(TAGS))
optimizer = optim.SGD(tagger.parameters(), lr=0.1)

# %%
# The mistake
# -----------
#
# Two sentences, one after the other. The state of the first goes into the second, so that the
# second backward would walk into the first sentence's graph, which its own backward has freed.

(first, first_tags), (second, second_tags) = data
F.nll_loss(tagger(first), first_tags).backward()
try:
    F.nll_loss(tagger(second), second_tags).backward()
except RuntimeError as error:
    print(error)

# %%
# Each sentence begins anew: that is what ``init_hidden`` is there for. (Where the state is to go
# on, as in a long text, it is carried over by ``detach``.)

history = bptt.History()
for _ in history.over(range(settings.epochs), desc="training"):
    for sentence, tags in data:
        tagger.hidden = tagger.init_hidden()
        loss = F.nll_loss(tagger(sentence), tags)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.add(loss=loss)
losses = history["loss"]
print(f"loss: {losses[0]:.3f} at first, {losses[-1]:.3f} at last")

# %%
# What it says now:

for words, (sentence, tags) in zip(SENTENCES, data):
    tagger.hidden = tagger.init_hidden()
    said = tagger(sentence).argmax(1)
    print(*(f"{word}/{TAGS[tag]}" for word, tag in zip(words.split(), said.tolist())))
    print("right:", (said == tags).sum().item(), "of", len(tags))

# %%
# What a tag hangs on
# -------------------
#
# The loss of the last tag alone: how much of it came back to the embedding of each word?

tagger.hidden = tagger.init_hidden()
walk = bptt.record(F.nll_loss(tagger(first)[-1:], first_tags[-1:]))
arrived = np.linalg.norm(walk.gradient(tagger.word_embeddings.weight)[first.numpy()], axis=1)
for word, norm in zip(next(iter(SENTENCES)).split(), arrived):
    print(f"{word:6} {norm:.6f}")
picture = viz.draw(walk, title="The tag of the last word, and what flows back from it")
picture.save(settings.picture)
picture

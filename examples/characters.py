"""An LSTM learns to write like the Zen of Python, by truncated backpropagation through time."""

from __future__ import annotations

import codecs
import contextlib
import io
import os

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, nn, optim, viz


def zen() -> str:
    """The text, which the standard library carries."""
    with contextlib.redirect_stdout(io.StringIO()):
        import this
    return codecs.decode(this.s, "rot13")


class Writer(nn.Module):
    """Says, after each character, which ones may come next."""

    def __init__(self, alphabet: str, width: int) -> None:
        super().__init__()
        self.alphabet = alphabet
        self.embedding = nn.Embedding(len(alphabet), 16)
        self.lstm = nn.LSTM(16, width)
        self.head = nn.Linear(width, len(alphabet))

    def forward(self, characters: tg.Tensor, state=None):
        output, state = self.lstm(self.embedding(characters), state)
        return self.head(output), state

    def encoded(self, text: str) -> tg.Tensor:
        return tg.tensor([self.alphabet.index(c) for c in text])

    @tg.no_grad()
    def write(self, beginning: str, length: int) -> str:
        text, state, read = beginning, None, self.encoded(beginning)
        for _ in range(length):
            scores, state = self(read, state)
            read = tg.multinomial(scores[-1].softmax(-1), 1)
            text += self.alphabet[read.item()]
        return text


def main(passes: int = 60, span: int = 25, width: int = 64) -> float:
    """Train; returns the last loss."""
    tg.manual_seed(0)
    text = zen()
    writer = Writer("".join(sorted(set(text))), width)
    codes = writer.encoded(text)
    optimizer = optim.Adam(writer.parameters(), lr=5e-3)
    history = bptt.History()
    for number in history.over(range(passes)):
        state = None
        for start in range(0, len(codes) - 1 - span, span):
            x, y = codes[start : start + span], codes[start + 1 : start + span + 1]
            scores, state = writer(x, state)
            state = tuple(s.detach() for s in state)  # the state goes on, its history does not
            loss = nn.functional.cross_entropy(scores, y)
            optimizer.zero_grad()
            loss.backward()
            history.add(loss=loss, net=writer)
            nn.utils.clip_grad_norm_(writer.parameters(), 1.0)
            optimizer.step()
        if number % 10 == 0:
            print(f"pass {number:3}: loss {history['loss'][-1]:.3f}")
    print("loss and gradients:", viz.training_curves(history).save("characters.svg"))
    print(writer.write("Beautiful ", 60).replace("\n", " / "))
    return float(history["loss"][-1])


if __name__ == "__main__":
    main(passes=1 if os.environ.get("TINYGRAD_RNN_SMALL") else 60)

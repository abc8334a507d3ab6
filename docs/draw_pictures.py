"""Draw the pictures of README and docs; a test keeps them current."""

from __future__ import annotations

from pathlib import Path

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, demo, viz


def draw(directory: Path) -> None:
    """Write every picture into a directory."""
    _, _, loss = demo.forward()
    viz.draw(bptt.record(loss), title=demo.TITLE).save(directory / "two_step_rnn.svg")

    tg.manual_seed(0)
    layer = tg.nn.RNN(1, 2)
    output, _ = layer(tg.tensor([[[1.0]], [[2.0]], [[3.0]]]))
    walk = bptt.record((output * output).sum().named("L"))
    viz.draw(walk, title="nn.RNN(1, 2), unrolled over three steps").save(
        directory / "rnn_layer.svg"
    )


if __name__ == "__main__":
    draw(Path(__file__).parent / "pictures")

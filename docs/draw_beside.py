"""Draw one small net by torchviz, torchview and TorchLens, and count what they draw of others.

They are no part of this project's environment: pip install torch==2.13.0 torchviz==0.0.3
torchview==0.2.7 torchlens==2.36.1, and Graphviz's ``dot``.  `comparison.md` shows the result.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
import torchlens
from torch import nn
from torchview import draw_graph
from torchviz import make_dot

FOLDER = Path(__file__).parent / "pictures" / "beside"


class Loop(nn.Module):
    """The net of many tutorials: Linear and cat, a step for each row of x."""

    def __init__(self) -> None:
        super().__init__()
        self.i2h, self.i2o = nn.Linear(5, 3), nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(1, 3)
        for row in x:
            h = torch.tanh(self.i2h(torch.cat((row, h), 1)))
        return self.i2o(h).sum()


class Last(nn.Module):
    """The last output of a layer of PyTorch's own."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, 3, num_layers=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lstm(x)[0][-1].sum()


def drawn(net: nn.Module, steps: int) -> dict[str, object]:
    """The three graphs of a net that reads so many steps."""
    x = torch.randn(steps, 1, 2)
    seen = draw_graph(net, input_data=x, expand_nested=True).visual_graph
    return {
        "torchviz": make_dot(net(x), params=dict(net.named_parameters())),
        "torchview": seen,
        "torchlens": torchlens.trace(net, x),
    }


def main() -> None:
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    FOLDER.mkdir(exist_ok=True)
    for tool, graph in drawn(Loop(), 4).items():
        if tool == "torchlens":
            path = str(FOLDER / tool)
            graph.draw(
                vis_mode="rolled", vis_outpath=path, vis_save_only=True, vis_fileformat="svg"
            )
        else:
            (FOLDER / f"{tool}.svg").write_bytes(graph.pipe(format="svg"))
    for name, net, steps in (("loop", Loop(), 4), ("loop", Loop(), 50), ("nn.LSTM", Last(), 4)):
        graphs = drawn(net, steps)
        counts = {tool: graphs[tool].source.count("->") for tool in ("torchviz", "torchview")}
        print(name, steps, "steps; arrows:", counts, "operations:", len(graphs["torchlens"].ops))


if __name__ == "__main__":
    main()

"""A layer-norm LSTM as in the benchmarks of TorchScript: jit.ScriptModule, script_method, Final, NamedTuple."""
import math
import warnings
from collections import namedtuple
from typing import List, Tuple

import torch
import torch.jit as jit
import torch.nn as nn
from torch import Tensor
from torch.nn import Parameter

torch.manual_seed(4)
LSTMState = namedtuple("LSTMState", ["hx", "cx"])


class LayerNormLSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.weight_ih = Parameter(torch.empty(4 * hidden_size, input_size))
        self.weight_hh = Parameter(torch.empty(4 * hidden_size, hidden_size))
        stdv = 1 / math.sqrt(hidden_size)
        for weight in self.parameters():
            nn.init.uniform_(weight, -stdv, stdv)
        self.layernorm_i = nn.LayerNorm(4 * hidden_size)
        self.layernorm_h = nn.LayerNorm(4 * hidden_size)
        self.layernorm_c = nn.LayerNorm(hidden_size, eps=1e-3)

    def forward(self, input: Tensor, state: Tuple[Tensor, Tensor]) -> Tuple[Tensor, Tuple[Tensor, Tensor]]:
        hx, cx = state
        igates = self.layernorm_i(torch.mm(input, self.weight_ih.t()))
        hgates = self.layernorm_h(torch.mm(hx, self.weight_hh.t()))
        gates = igates + hgates
        ingate, forgetgate, cellgate, outgate = gates.chunk(4, 1)
        ingate = torch.sigmoid(ingate)
        forgetgate = torch.sigmoid(forgetgate)
        cellgate = torch.tanh(cellgate)
        outgate = torch.sigmoid(outgate)
        cy = self.layernorm_c((forgetgate * cx) + (ingate * cellgate))
        hy = outgate * torch.tanh(cy)
        return hy, (hy, cy)


class LSTMLayer(nn.Module):
    def __init__(self, cell, *cell_args):
        super().__init__()
        self.cell = cell(*cell_args)

    def forward(self, input: Tensor, state: LSTMState):
        inputs = input.unbind(0)
        outputs = torch.jit.annotate(List[Tensor], [])
        for i in range(len(inputs)):
            out, state = self.cell(inputs[i], state)
            outputs += [out]
        return torch.stack(outputs), state


class ReverseLSTMLayer(LSTMLayer):
    def forward(self, input: Tensor, state: LSTMState):
        outputs, state = super().forward(input.flip(0), state)
        return outputs.flip(0), state


layer = LSTMLayer(LayerNormLSTMCell, 3, 4)
back = ReverseLSTMLayer(LayerNormLSTMCell, 3, 4)
x = torch.randn(5, 2, 3)
state = LSTMState(torch.zeros(2, 4), torch.zeros(2, 4))
opt = torch.optim.RMSprop([*layer.parameters(), *back.parameters()], lr=5e-3, momentum=0.9)
for i in range(5):
    opt.zero_grad(set_to_none=True)
    out, s = layer(x, state)
    rev, _ = back(x, state)
    loss = torch.cat([out, rev], dim=-1).pow(2).mean() + (s[1] - 1).abs().mean()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(layer.parameters(), max_norm=0.5)
    opt.step()
    print(f"{i} {loss.item():.5f} {float(norm):.5f}")
print(layer.cell.layernorm_c.weight.grad, layer.cell.layernorm_c)
print(sum(p.numel() for p in back.parameters()))

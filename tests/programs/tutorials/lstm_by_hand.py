"""An LSTM by hand, with all four gates, compared with the one of the library."""

import math

import torch
import torch.nn as nn


class CustomLSTM(nn.Module):
    def __init__(self, input_sz, hidden_sz):
        super().__init__()
        self.hidden_size = hidden_sz
        self.W = nn.Parameter(torch.Tensor(input_sz, hidden_sz * 4))
        self.U = nn.Parameter(torch.Tensor(hidden_sz, hidden_sz * 4))
        self.bias = nn.Parameter(torch.Tensor(hidden_sz * 4))
        self.init_weights()

    def init_weights(self):
        stdv = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            weight.data.uniform_(-stdv, stdv)

    def forward(self, x, init_states=None):
        bs, seq_sz, _ = x.size()
        hidden_seq = []
        if init_states is None:
            h_t, c_t = (
                torch.zeros(bs, self.hidden_size).to(x.device),
                torch.zeros(bs, self.hidden_size).to(x.device),
            )
        else:
            h_t, c_t = init_states
        HS = self.hidden_size
        for t in range(seq_sz):
            x_t = x[:, t, :]
            gates = x_t @ self.W + h_t @ self.U + self.bias
            i_t, f_t, g_t, o_t = (
                torch.sigmoid(gates[:, :HS]),
                torch.sigmoid(gates[:, HS : HS * 2]),
                torch.tanh(gates[:, HS * 2 : HS * 3]),
                torch.sigmoid(gates[:, HS * 3 :]),
            )
            c_t = f_t * c_t + i_t * g_t
            h_t = o_t * torch.tanh(c_t)
            hidden_seq.append(h_t.unsqueeze(0))
        hidden_seq = torch.cat(hidden_seq, dim=0)
        hidden_seq = hidden_seq.transpose(0, 1).contiguous()
        return hidden_seq, (h_t, c_t)


torch.manual_seed(20)
mine = CustomLSTM(3, 5)
x = torch.randn(2, 6, 3)
y = torch.randn(2, 5)
print([tuple(p.shape) for p in mine.parameters()])
optimizer = torch.optim.Adam(mine.parameters(), lr=0.05)
for step in range(10):
    out, (h, c) = mine(x)
    loss = ((h - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, round(loss.item(), 4))

theirs = nn.LSTM(3, 5, batch_first=True)
with torch.no_grad():
    theirs.weight_ih_l0.copy_(mine.W.t())
    theirs.weight_hh_l0.copy_(mine.U.t())
    theirs.bias_ih_l0.copy_(mine.bias)
    theirs.bias_hh_l0.zero_()
print(torch.allclose(mine(x)[0], theirs(x)[0], atol=1e-6), out.shape)

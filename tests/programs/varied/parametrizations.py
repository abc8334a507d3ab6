"""Weight norm, orthogonal and spectral parametrizations of recurrent weights."""
import torch
import torch.nn as nn
import torch.nn.utils.parametrize as parametrize
from torch.nn.utils import parametrizations

torch.manual_seed(0)


class Symmetric(nn.Module):
    def forward(self, X):
        return X.triu() + X.triu(1).transpose(-1, -2)


class Skew(nn.Module):
    def forward(self, X):
        A = X.triu(1)
        return A - A.transpose(-1, -2)

    def right_inverse(self, A):
        return A.triu(1)


lin = nn.Linear(3, 3)
parametrize.register_parametrization(lin, "weight", Symmetric())
print(lin, torch.allclose(lin.weight, lin.weight.T), [n for n, _ in lin.named_parameters()])
print(parametrize.is_parametrized(lin), parametrize.is_parametrized(lin, "bias"))
lin.weight.sum().backward()
print(lin.parametrizations.weight.original.grad)
with torch.no_grad():
    with parametrize.cached():
        print(lin.weight is lin.weight)
parametrize.remove_parametrizations(lin, "weight")
print(lin, lin.weight.shape)

m = parametrizations.weight_norm(nn.Linear(4, 2), name="weight")
print(m, list(m.state_dict()))
opt = torch.optim.SGD(m.parameters(), lr=0.1)
for i in range(3):
    loss = (m(torch.ones(1, 4)) - 1).pow(2).sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss)
print(m.parametrizations.weight.original0.grad)

o = parametrizations.orthogonal(nn.Linear(3, 3, bias=False))
print(torch.dist(o.weight.T @ o.weight, torch.eye(3)) < 1e-5)
rnn = nn.RNN(2, 3)
parametrize.register_parametrization(rnn, "weight_hh_l0", Skew())
rnn(torch.randn(4, 1, 2))[0].sum().backward()
print(rnn.weight_hh_l0)

s = parametrizations.spectral_norm(nn.Linear(4, 3), n_power_iterations=2)
for _ in range(10):
    s(torch.ones(4))
print(torch.linalg.matrix_norm(s.weight, 2).item() < 1.2, sorted(s.state_dict()))
old = nn.utils.weight_norm(nn.Linear(2, 2))
print(old.weight_g.shape, old.weight_v.shape)

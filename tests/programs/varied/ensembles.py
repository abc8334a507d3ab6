"""Old and functional ways: torch.lstm_cell-like helpers, skip_init, vmap ensembles, stack_module_state, cond."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import functional_call, stack_module_state, vmap, grad

torch.manual_seed(0)
nets = [nn.Linear(3, 2) for _ in range(3)]
x = torch.randn(4, 3)
params, buffers = stack_module_state(nets)
print({k: v.shape for k, v in params.items()})
one = torch.stack([functional_call(n, dict(n.named_parameters()), x) for n in nets])
many = vmap(lambda p: functional_call(nets[0], p, (x,)))(params)
print(torch.allclose(one, many))


def loss(p, a, b):
    return F.mse_loss(functional_call(nets[0], p, (a,)), b)


p = {k: v.detach() for k, v in nets[0].named_parameters()}
per_sample = vmap(grad(loss), in_dims=(None, 0, 0))(p, x, torch.zeros(4, 2))
print({k: v.shape for k, v in per_sample.items()}, per_sample["bias"])
print(torch.vmap(torch.dot)(x, x), torch.vmap(lambda v: v.sum())(x))
print(torch.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 2)), torch.layer_norm(x, (3,)).std(), torch.dropout(x, 0.0, True).equal(x))

"""Hessians and Jacobians: autograd.functional, torch.func, hessian-vector products, Newton's method."""
import torch
from torch.autograd.functional import hessian, hvp, jacobian, vhp, vjp
from torch.func import functional_call, grad, grad_and_value, jacrev, vjp as fvjp

torch.manual_seed(1)
w = torch.randn(3, 3)


def f(x):
    h = torch.zeros(3)
    for _ in range(3):
        h = torch.tanh(w @ h + x)
    return (h**2).sum()


x = torch.tensor([0.1, -0.2, 0.3])
print(hessian(f, x))
print(hvp(f, x, torch.ones(3)))
print(vhp(f, x, torch.ones(3))[1])
print(jacobian(lambda x: torch.tanh(w @ x), x))
print(vjp(lambda x: w @ x, x, torch.ones(3)))
print(grad(f)(x))
g, v = grad_and_value(f)(x)
print(g, v)
print(grad(grad(lambda s: (s**3).sin()))(torch.tensor(0.7)))
print(jacrev(lambda x: torch.tanh(w @ x))(x))
out, back = fvjp(lambda a, b: a * b, x, x + 1)
print(out, back(torch.ones(3)))
net = torch.nn.Linear(3, 1)
params = dict(net.named_parameters())


def loss(params, x, y):
    return ((functional_call(net, params, (x,)) - y) ** 2).mean()


gs = grad(loss)(params, torch.ones(2, 3), torch.zeros(2, 1))
print({k: v.detach() for k, v in gs.items()})
print(torch.func.hessian(f)(x).diagonal())
point = torch.tensor([0.5, 0.5, 0.5])
for i in range(4):
    H, gr = hessian(f, point), jacobian(f, point)
    point = point - torch.linalg.solve(H + 0.5 * torch.eye(3), gr)
    print(i, f(point).item())

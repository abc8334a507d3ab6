"""A neural ODE: Euler and Runge-Kutta in loops, and the adjoint as a Function of one's own."""
import torch
from torch import nn
from torch.autograd import Function

torch.manual_seed(2)
torch.set_default_dtype(torch.float64)


class ODEF(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))

    def forward(self, t, z):
        return self.net(torch.cat([z, t.expand(z.shape[0], 1)], dim=-1))


def rk4(f, z, t0, t1, n=4):
    h = (t1 - t0) / n
    t = t0
    for _ in range(n):
        k1 = f(t, z)
        k2 = f(t + h / 2, z + h / 2 * k1)
        k3 = f(t + h / 2, z + h / 2 * k2)
        k4 = f(t + h, z + h * k3)
        z = z + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        t = t + h
    return z


def euler(f, z, ts):
    zs = [z]
    for t0, t1 in zip(ts[:-1], ts[1:]):
        z = z + (t1 - t0) * f(t0.reshape(1, 1), z)
        zs.append(z)
    return torch.stack(zs)


f = ODEF()
ts = torch.linspace(0, 1, 6)
z0 = torch.randn(3, 2, requires_grad=True)
path = euler(f, z0, ts)
loss = path.square().mean(dim=(1, 2)).sum()
loss.backward()
print(path[-1], loss)
print(z0.grad, f.net[0].weight.grad[:, -1], sep="\n")
f.zero_grad()
end = rk4(f, z0, ts[0].view(1, 1), ts[-1].view(1, 1))
flat = torch.cat([g.flatten() for g in torch.autograd.grad(end.sum(), [*f.parameters(), z0])])
print(flat)


class Adjoint(Function):
    @staticmethod
    def forward(ctx, z0, ts, flat, func):
        with torch.no_grad():
            z = euler(func, z0, ts)
        ctx.func = func
        ctx.save_for_backward(z, ts, flat)
        return z[-1]

    @staticmethod
    def backward(ctx, a):
        z, ts, flat = ctx.saved_tensors
        total = torch.zeros_like(flat)
        for i in range(len(ts) - 2, -1, -1):
            with torch.enable_grad():
                zi = z[i].detach().requires_grad_(True)
                nxt = zi + (ts[i + 1] - ts[i]) * ctx.func(ts[i].reshape(1, 1), zi)
                grads = torch.autograd.grad(nxt, (zi, *ctx.func.parameters()), a, allow_unused=True)
            a = grads[0]
            total += torch.cat([g.flatten() for g in grads[1:]])
        return a, None, total, None


flat_params = nn.utils.parameters_to_vector(f.parameters())
z0.grad = None
out = Adjoint.apply(z0, ts, flat_params, f)
out.pow(2).sum().backward()
print(z0.grad)
torch.set_default_dtype(torch.float32)

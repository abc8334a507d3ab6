"""Functions of one's own: straight-through, gradient reversal, surrogate spikes; hooks; gradcheck."""
import torch
import torch.nn as nn
from torch.autograd import Function, gradcheck, gradgradcheck
from torch.autograd.function import once_differentiable

torch.manual_seed(0)


class STE(Function):
    @staticmethod
    def forward(ctx, x):
        return torch.sign(x)

    @staticmethod
    def backward(ctx, grad_output):
        return torch.clamp(grad_output, -0.1, 0.1)


class SurrGradSpike(Function):
    scale = 10.0

    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        out = torch.zeros_like(input)
        out[input > 0] = 1.0
        return out

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        return grad_input / (SurrGradSpike.scale * torch.abs(input) + 1.0) ** 2


class Reverse(Function):
    @staticmethod
    def forward(ctx, x, lam):
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        return g.neg() * ctx.lam, None


class Exp(Function):
    @staticmethod
    def forward(x):
        return x.exp()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y


spike_fn = SurrGradSpike.apply
w1, w2 = torch.randn(4, 6, requires_grad=True), torch.randn(6, 2, requires_grad=True)
x = (torch.rand(2, 8, 4) < 0.4).float()
h1 = torch.einsum("abc,cd->abd", (x, w1))
syn, mem = torch.zeros(2, 6), torch.zeros(2, 6)
spk_rec, mem_rec = [], []
for t in range(8):
    mthr = mem - 1.0
    out = spike_fn(mthr)
    rst = out.detach()
    new_syn = 0.8 * syn + h1[:, t]
    new_mem = (0.9 * mem + syn) * (1.0 - rst)
    mem_rec.append(mem)
    spk_rec.append(out)
    mem, syn = new_mem, new_syn
spk_rec = torch.stack(spk_rec, dim=1)
out = torch.einsum("abc,cd->abd", spk_rec, w2)
m, _ = torch.max(out, 1)
loss = nn.NLLLoss()(nn.LogSoftmax(dim=1)(m), torch.tensor([0, 1])) + 1e-3 * spk_rec.sum()
loss.backward()
print(loss, spk_rec.sum().item())
print(w1.grad)
v = torch.tensor([-0.5, 0.3, 2.0], requires_grad=True)
(STE.apply(v) * torch.tensor([1.0, 0.05, -3.0])).sum().backward()
print(v.grad)
v.grad.zero_()
Reverse.apply(v, 0.5).sum().backward()
print(v.grad)

lin = nn.Linear(3, 2)
acts, grads = {}, {}
h1 = lin.register_forward_hook(lambda mod, inp, out: acts.__setitem__("lin", out.detach()))
h2 = lin.register_full_backward_hook(lambda mod, gi, go: grads.__setitem__("lin", go[0]))
h3 = lin.weight.register_hook(lambda g: g * 2)
y = lin(torch.ones(1, 3))
y.retain_grad()
y.sum().backward()
print(acts["lin"], grads["lin"], lin.weight.grad, y.grad)
for h in (h1, h2, h3):
    h.remove()
d = torch.randn(3, dtype=torch.double, requires_grad=True)
print(gradcheck(Exp.apply, (d,)), gradgradcheck(Exp.apply, (d,)))

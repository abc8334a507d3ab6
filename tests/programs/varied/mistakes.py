"""Mistakes that people make, and what they are told."""
import warnings
import torch
import torch.nn as nn
import torch.nn.functional as F

warnings.simplefilter("ignore")


def tell(fn):
    try:
        print(fn())
    except Exception as e:
        print(type(e).__name__)


w = torch.ones(2, 2, requires_grad=True)
y = (w * w).sum()
y.backward()
tell(lambda: y.backward())
tell(lambda: (w * 2).backward())
tell(lambda: torch.ones(2).sum().backward())
tell(lambda: w.add_(1))
tell(lambda: F.cross_entropy(torch.randn(2, 3), torch.tensor([0, 5])))
tell(lambda: nn.Linear(2, 3)(torch.ones(2, 4)))
tell(lambda: nn.LSTM(2, 3)(torch.ones(2, 2, 4)))
tell(lambda: nn.Embedding(3, 2)(torch.tensor([0, 3])))
tell(lambda: torch.cat([torch.ones(2, 2), torch.ones(3, 3)]))
tell(lambda: torch.ones(2, 3).view(4, 2))
tell(lambda: torch.ones(2, 3).t().view(6))
tell(lambda: torch.autograd.grad(w.sum(), torch.ones(1, requires_grad=True)))
tell(lambda: w.detach().numpy().sum())
tell(lambda: torch.tensor([1, 2], requires_grad=True))
tell(lambda: nn.Module()(1))
tell(lambda: torch.stack([]))
tell(lambda: torch.zeros(3)[5])
tell(lambda: F.mse_loss(torch.ones(2), torch.ones(2, requires_grad=True)).item())


def changed():
    h = torch.ones(2, requires_grad=True) * 1
    z = h.tanh()
    z.add_(1)
    z.sum().backward()


tell(changed)
with torch.autograd.detect_anomaly():
    x = torch.tensor(-1.0, requires_grad=True)
    tell(lambda: torch.sqrt(x).backward())
with torch.autograd.set_detect_anomaly(True):
    tell(lambda: (x * 0).sqrt().mul(0).backward())
with torch.no_grad():
    print((w * 2).requires_grad)
with torch.set_grad_enabled(False):
    print((w * 2).requires_grad)
with torch.enable_grad():
    print((w * 2).requires_grad)


@torch.inference_mode()
def ev():
    return (w * 2).requires_grad


print(ev())

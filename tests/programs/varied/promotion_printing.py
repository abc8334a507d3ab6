"""Type promotion, printing, set_printoptions, reprs."""
import numpy as np
import torch

torch.manual_seed(0)
a = torch.tensor([1, 2, 3])
print(a / 2, a // 2, a * 1.5, a + True, (a > 1) + (a > 2), a.float() @ a.float())
print((a + torch.tensor(1.5)).dtype, (a.int() + a).dtype, torch.result_type(a, 2.0), (a.half() + 1).dtype)
print(torch.tensor([1.0, 2.5, 1e6]), torch.tensor([1e-8, 1.0]), torch.tensor([float("nan"), float("inf"), -1.0]))
print(torch.arange(0, 1, 0.25), torch.linspace(0, 1, 3), torch.eye(2), torch.zeros(0), torch.empty(2, 0))
print(torch.randn(2, 3))
print(torch.randn(12, 100).sum(0).shape, torch.ones(1200))
torch.set_printoptions(precision=2, sci_mode=False)
print(torch.tensor([1.23456, 1e-5, 1234.5]))
torch.set_printoptions(precision=6, linewidth=60, threshold=5, edgeitems=2)
print(torch.arange(30.0).reshape(3, 10))
torch.set_printoptions(profile="default")
w = torch.ones(2, requires_grad=True)
print(w, w * 2, (w * 2).sum(), (w @ w), torch.tanh(w), w.unsqueeze(0), torch.nn.Parameter(w.detach()))
print(repr(w.grad), w.is_leaf, w.data_ptr() == w.detach().data_ptr(), w.requires_grad, w.device, w.dtype, w.layout if False else "")
print(torch.Size([2, 3]), torch.zeros(2, 3).size(), torch.zeros(2, 3).size(-1), torch.zeros(2, 3).numel(), tuple(torch.zeros(2, 3).shape))
print(f"{torch.tensor(3.14159):.2f} {torch.tensor(7)} {torch.tensor(2.5).item()!r} {torch.tensor([1, 2]).tolist()}")
print(torch.tensor(np.array([1.0, 2.0])), torch.from_numpy(np.arange(3, dtype=np.int32)), torch.as_tensor([1, 2]).numpy())
print(torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8), torch.tensor([True, False]), torch.tensor("a" == "a"))
print(torch.finfo(torch.float32).eps, torch.iinfo(torch.int64).max, torch.is_tensor(w), torch.is_floating_point(a))
print(torch.cat([a, a.float()]).dtype, torch.stack([a, a * 2]).dtype, torch.where(a > 1, 1.0, 0).dtype, torch.sum(a > 1).dtype)
print(a.mean(dtype=torch.float), a.float().std(), a.float().var(unbiased=False), torch.std_mean(a.float()))
print(torch.round(torch.tensor([0.5, 1.5, 2.5])), torch.floor(torch.tensor(-1.5)), torch.tensor(-7) % 3, torch.fmod(torch.tensor(-7), 3))
print(torch.max(torch.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1), torch.sort(torch.tensor([3, 1, 2])))
print(torch.tensor([1e10, 1.0]), torch.tensor([100000.0, 0.1]), torch.tensor(123456789), torch.tensor([0.00001]))
for bad in (lambda: a.mean(), lambda: torch.ones(2, 3) @ torch.ones(2, 3), lambda: w.numpy(), lambda: bool(a), lambda: torch.ones(2).item()):
    try:
        bad()
    except (RuntimeError, ValueError) as e:
        print(type(e).__name__)

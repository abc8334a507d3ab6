"""MAML on sine waves: two inner steps with create_graph, functional weights."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(7)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict({"l1": nn.Linear(1, 10), "l2": nn.Linear(10, 1)})

    def functional(self, x, w):
        x = F.relu(F.linear(x, w["layers.l1.weight"], w["layers.l1.bias"]))
        return F.linear(x, w["layers.l2.weight"], w["layers.l2.bias"])

    def forward(self, x):
        return self.functional(x, dict(self.named_parameters()))


net = Net()
meta = torch.optim.Adam(net.parameters(), lr=1e-2)
for it in range(4):
    meta_loss = torch.tensor(0.0)
    for task in range(2):
        amp, phase = torch.rand(2) * torch.tensor([4.9, 3.14]) + torch.tensor([0.1, 0.0])
        xs, xq = torch.rand(2, 5, 1) * 10 - 5
        ys, yq = amp * torch.sin(xs + phase), amp * torch.sin(xq + phase)
        fast = {k: v for k, v in net.named_parameters()}
        for _ in range(2):
            loss = F.mse_loss(net.functional(xs, fast), ys)
            grads = torch.autograd.grad(loss, fast.values(), create_graph=True)
            fast = {k: p - 0.01 * g for (k, p), g in zip(fast.items(), grads)}
        meta_loss += F.mse_loss(net.functional(xq, fast), yq)
    meta.zero_grad()
    meta_loss.backward()
    meta.step()
    print(it, meta_loss.item(), {k: round(p.grad.norm().item(), 4) for k, p in net.named_parameters()})

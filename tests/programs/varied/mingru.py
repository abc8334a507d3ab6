"""minGRU in log space, all steps at once by logcumsumexp, beside the loop."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


def g(x):
    return torch.where(x >= 0, x + 0.5, x.sigmoid())


def log_g(x):
    return torch.where(x >= 0, (F.relu(x) + 0.5).log(), -F.softplus(-x))


def heinsen_associative_scan_log(log_coeffs, log_values):
    a_star = log_coeffs.cumsum(dim=1)
    log_h0_plus_b_star = (log_values - a_star).logcumsumexp(dim=1)
    return (a_star + log_h0_plus_b_star).exp()


class MinGRU(nn.Module):
    def __init__(self, dim, expansion=1.5):
        super().__init__()
        inner = int(dim * expansion)
        self.to_hidden_and_gate = nn.Linear(dim, inner * 2, bias=False)
        self.to_out = nn.Linear(inner, dim, bias=False)

    def parallel(self, x):
        hidden, gate = self.to_hidden_and_gate(x).chunk(2, dim=-1)
        log_coeffs = -F.softplus(gate)
        log_z = -F.softplus(-gate)
        log_values = log_z + log_g(hidden)
        return self.to_out(heinsen_associative_scan_log(log_coeffs, log_values))

    def sequential(self, x):
        hidden, gate = self.to_hidden_and_gate(x).chunk(2, dim=-1)
        h, outs = torch.zeros_like(hidden[:, 0]), []
        for t in range(x.shape[1]):
            z = gate[:, t].sigmoid()
            h = torch.lerp(h, g(hidden[:, t]), z)
            outs.append(h)
        return self.to_out(torch.stack(outs, dim=1))


model = MinGRU(4)
x = torch.randn(2, 7, 4)
a, b = model.parallel(x), model.sequential(x)
print(torch.allclose(a, b, atol=1e-5), (a - b).abs().max().item() < 1e-5)
opt = torch.optim.AdamW(model.parameters(), lr=1e-2, betas=(0.9, 0.95))
target = x.roll(1, dims=1)
for step in range(6):
    loss = F.mse_loss(model.parallel(x) if step % 2 else model.sequential(x), target)
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(step, round(loss.item(), 5), model.to_out.weight.grad.norm().item())

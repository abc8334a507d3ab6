"""Linear recurrences: an S4-like diagonal state space by scan and by convolution; HiPPO; matrix powers."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class DiagonalSSM(nn.Module):
    def __init__(self, d, n):
        super().__init__()
        self.log_A = nn.Parameter(torch.log(torch.arange(1, n + 1).float()).repeat(d, 1))
        self.B = nn.Parameter(torch.ones(d, n))
        self.C = nn.Parameter(torch.randn(d, n))
        self.log_dt = nn.Parameter(torch.rand(d) * 0.1 - 2)
        self.D = nn.Parameter(torch.ones(d))

    def discrete(self):
        dt = self.log_dt.exp()[:, None]
        A = -self.log_A.exp()
        Ad = torch.exp(dt * A)
        return Ad, (Ad - 1) / A * self.B

    def recurrent(self, u):
        A, B = self.discrete()
        x = torch.zeros(u.size(0), *A.shape)
        ys = []
        for t in range(u.size(1)):
            x = A * x + B * u[:, t, :, None]
            ys.append((x * self.C).sum(-1) + self.D * u[:, t])
        return torch.stack(ys, 1)

    def convolution(self, u):
        A, B = self.discrete()
        L = u.size(1)
        powers = A[..., None] ** torch.arange(L)
        K = torch.einsum("dn,dnl->dl", B * self.C, powers)
        y = F.conv1d(F.pad(u.transpose(1, 2), (L - 1, 0)), K.flip(-1)[:, None], groups=u.size(2))
        return y.transpose(1, 2) + self.D * u


ssm = DiagonalSSM(2, 3)
u = torch.randn(2, 6, 2)
a, b = ssm.recurrent(u), ssm.convolution(u)
print(torch.allclose(a, b, atol=1e-5))
ga = torch.autograd.grad(a.pow(2).sum(), list(ssm.parameters()))
gb = torch.autograd.grad(b.pow(2).sum(), list(ssm.parameters()))
for p, q in zip(ga, gb):
    print(torch.allclose(p, q, atol=1e-4), p.flatten()[:2])


def make_hippo(N):
    P = torch.sqrt(1 + 2 * torch.arange(N, dtype=torch.float))
    A = P[:, None] * P[None, :]
    return -(torch.tril(A) - torch.diag(torch.arange(N, dtype=torch.float)))


A = make_hippo(3)
I = torch.eye(3)
step = 0.1
BL = torch.linalg.inv(I - (step / 2.0) * A)
Ab = BL @ (I + (step / 2.0) * A)
print(Ab, torch.linalg.matrix_power(Ab, 3), torch.matrix_exp(A * step), sep="\n")

"""A Hopfield net, a modern one, and an echo-state network with a readout by least squares."""
import torch

torch.manual_seed(3)
patterns = torch.where(torch.rand(3, 16) > 0.5, 1.0, -1.0)
W = patterns.t() @ patterns / 16
W.fill_diagonal_(0)
state = patterns[0].clone()
state[:4] *= -1
for _ in range(5):
    state = torch.sign(W @ state)
print("recalled:", torch.equal(state, patterns[0]), -0.5 * state @ W @ state)

xi = (patterns[1] + 0.3 * torch.randn(16)).requires_grad_()
for _ in range(3):
    xi_new = torch.softmax(2.0 * patterns @ xi, dim=0) @ patterns
energy = -torch.logsumexp(2.0 * patterns @ xi, 0) / 2 + 0.5 * xi.dot(xi)
energy.backward()
print(energy.item(), torch.allclose(xi.grad, xi.detach() - xi_new.detach(), atol=1e-5))

N = 20
Wres = torch.randn(N, N) * (torch.rand(N, N) < 0.3).float()
rho = torch.linalg.eigvals(Wres).abs().max()
Wres *= 0.9 / rho
Win = torch.empty(N, 1).uniform_(-0.5, 0.5)
u = torch.sin(torch.arange(120) * 0.2)
h = torch.zeros(N)
H = []
for t in range(119):
    h = 0.7 * h + 0.3 * torch.tanh(Win @ u[t : t + 1] + Wres @ h)
    H.append(h)
X = torch.stack(H)[20:].double()
y = u[21:].double()
I = torch.eye(N, dtype=torch.float64)
Wout = torch.linalg.solve(X.T @ X + 1e-4 * I, X.T @ y)
print(rho, ((X @ Wout - y) ** 2).mean().sqrt())
Wout2 = torch.inverse(X.T @ X + 1e-4 * I) @ X.T @ y
print(torch.allclose(Wout, Wout2, atol=1e-4), torch.linalg.det(0.1 * I[:3, :3] + 1), torch.linalg.norm(Wres, 2))

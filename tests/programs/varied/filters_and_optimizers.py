"""Learned optimizer, hypernetwork, evolution, fast weights, Kalman by hand, HMM forward in log space, GP."""
import torch, math, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(5)
# LSTM optimizer (learning to learn)
opt_net = nn.LSTMCell(1, 4); head = nn.Linear(4, 1); meta = torch.optim.Adam([*opt_net.parameters(), *head.parameters()], lr=.01)
for it in range(3):
    target = torch.randn(3); theta = torch.zeros(3, requires_grad=True); h = c = torch.zeros(3, 4); total = 0.
    for t in range(4):
        loss = (theta - target).pow(2).sum(); total = total + loss
        g, = torch.autograd.grad(loss, theta, retain_graph=True, create_graph=True)
        h, c = opt_net(g.detach().unsqueeze(1), (h, c)); theta = theta + .1 * head(h).squeeze(1)
    meta.zero_grad(); total.backward(); nn.utils.clip_grad_norm_(opt_net.parameters(), 1.); meta.step(); print(it, total.item())
# HMM forward
A, B, pi = (torch.randn(*s, dtype=torch.double, requires_grad=True) for s in ((3, 3), (3, 4), (3,)))
obs = [0, 2, 3, 1, 1]
la = pi.log_softmax(0) + B.log_softmax(1)[:, obs[0]]
for o in obs[1:]: la = torch.logsumexp(la[:, None] + A.log_softmax(1), 0) + B.log_softmax(1)[:, o]
ll = torch.logsumexp(la, 0); ll.backward(); print(ll, A.grad.sum(), pi.grad)
# Kalman filter
F_, H, Q, R = torch.tensor([[1., 1.], [0., 1.]]), torch.tensor([[1., 0.]]), nn.Parameter(torch.eye(2) * .1), nn.Parameter(torch.tensor([[.5]]))
x, P, nll = torch.zeros(2, 1), torch.eye(2), 0
for z in [1., 2., 2.9, 4.2]:
    x, P = F_ @ x, F_ @ P @ F_.T + Q @ Q.T
    y = z - H @ x; S = H @ P @ H.T + R @ R.T; K = P @ H.T @ torch.linalg.inv(S)
    nll = nll + .5 * (torch.logdet(S) + (y.T @ torch.linalg.solve(S, y)).squeeze()); x = x + K @ y; P = (torch.eye(2) - K @ H) @ P
nll.backward(); print(nll, Q.grad, R.grad, x.detach().flatten())
# GP marginal likelihood with Cholesky
X = torch.linspace(0, 1, 6, dtype=torch.double)[:, None]; Y = torch.sin(6 * X).squeeze(); ls = torch.tensor(.3, dtype=torch.double, requires_grad=True)
Kx = torch.exp(-.5 * torch.cdist(X, X).pow(2) / ls**2) + 1e-2 * torch.eye(6, dtype=torch.double)
L = torch.linalg.cholesky(Kx); al = torch.cholesky_solve(Y[:, None], L) if False else torch.linalg.solve(Kx, Y)
ml = -.5 * Y @ al - L.diagonal().log().sum(); ml.backward(); print(ml, ls.grad)
# fast weights / linear attention
k, v, q = (torch.randn(5, 3, requires_grad=True) for _ in range(3)); Wf = torch.zeros(3, 3); outs = []
for t in range(5):
    kt = F.elu(k[t]) + 1; Wf = .9 * Wf + torch.outer(v[t] - Wf @ kt, kt) * .5; outs.append(Wf @ (F.elu(q[t]) + 1))
o = torch.stack(outs).square().sum(); o.backward(); print(o, k.grad.norm(), v.grad.norm())
# hypernetwork and evolution strategies
z = torch.randn(4); hyper = nn.Linear(4, 6); W, b = hyper(z).split([4, 2]); print(F.linear(torch.ones(1, 2), W.view(2, 2), b))
th = torch.zeros(3)
for _ in range(3):
    eps = torch.randn(8, 3); f = -((th + .1 * eps - 1) ** 2).sum(1); f = (f - f.mean()) / f.std(); th = th + .05 / .8 * (f @ eps) / 8
print(th)
e = torch.linalg.eigvalsh(Kx.detach()); print(e[-1], torch.linalg.matrix_rank(torch.ones(2, 2)), torch.trace(P), torch.linalg.norm(P), torch.det(P) > 0)
Qm, Rm = torch.linalg.qr(torch.randn(4, 2)); print((Qm.T @ Qm - torch.eye(2)).abs().max() < 1e-6)
print(torch.linalg.lstsq(X, Y[:, None]).solution if hasattr(torch.linalg, "lstsq") else torch.linalg.pinv(X) @ Y[:, None])
print(torch.linalg.multi_dot([torch.ones(2, 3), torch.ones(3, 1), torch.ones(1, 2)]), torch.linalg.vecdot(torch.ones(3), torch.ones(3)))

"""In-place tricks, masking, scatter and gather, indexing, one-hot."""
import torch
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.randn(3, 5, requires_grad=True)
lengths = torch.tensor([5, 2, 3])
mask = torch.arange(5)[None, :] < lengths[:, None]
print(mask, ~mask)
h = torch.zeros(3, 4)
w = torch.randn(4, 4, requires_grad=True)
buffer = torch.zeros(5, 3, 4)
for t in range(5):
    new = torch.tanh(h @ w + x[:, t, None])
    h = torch.where(mask[:, t, None], new, h)
    buffer[t] = h
last = buffer.gather(0, (lengths - 1).view(1, -1, 1).expand(1, 3, 4)).squeeze(0)
print(torch.allclose(last, h))
loss = (buffer.transpose(0, 1) * mask[..., None]).sum() / mask.sum()
loss.backward()
print(loss, x.grad, w.grad, sep="\n")
onehot = torch.zeros(3, 6).scatter_(1, lengths.unsqueeze(1), 1)
print(onehot, F.one_hot(lengths, 6).float().equal(onehot))
score = torch.randn(4, 4, requires_grad=True)
s = score.clone()
s[torch.triu(torch.ones(4, 4), diagonal=1).bool()] = -1e9
p = s.softmax(-1)
p.diagonal().log().sum().backward()
print(score.grad)
y = torch.zeros(4)
y.index_add_(0, torch.tensor([0, 1, 1, 3]), torch.tensor([1.0, 2.0, 3.0, 4.0]))
y.index_fill_(0, torch.tensor([2]), -1)
y[[0, 3]] += 10
print(y, y.masked_select(y > 0), torch.nonzero(y > 4), (y > 4).nonzero(as_tuple=True))
z = torch.arange(12.0).reshape(3, 4).requires_grad_()
v = z * 1
v[1:, ::2].mul_(2).add_(1)
v.T[0].zero_()
v.sum().backward()
print(v, z.grad)
print(torch.scatter_add(torch.zeros(3), 0, torch.tensor([0, 0, 2]), torch.ones(3)))
print(torch.take_along_dim(z, z.argsort(dim=1, descending=True), dim=1).detach())
print(torch.masked_fill(z.detach(), z > 5, 0.0), z.detach().clamp(min=2, max=7), z.detach().unfold(1, 2, 1).shape)
print(torch.cat([t.flatten() for t in torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij")]))
print(torch.bincount(torch.tensor([0, 1, 1, 4])), torch.unique(torch.tensor([3, 1, 1, 2]), return_counts=True))
src = torch.ones(2, 2)
print(torch.zeros(4).masked_scatter_(torch.tensor([True, False, True, True]), src))
print(torch.tensor([1, 1, 2, 2, 3]).unique_consecutive())

"""A model of characters from bare tensors: three matrices, two biases, and a loop."""

import torch

data = "hello world, hello words "
chars = sorted(set(data))
char_to_ix = {ch: i for i, ch in enumerate(chars)}
vocab_size, hidden_size, seq_length, learning_rate = len(chars), 14, 6, 0.1
print("data has %d characters, %d unique." % (len(data), vocab_size))

torch.manual_seed(0)
Wxh = torch.randn(hidden_size, vocab_size) * 0.1
Whh = torch.randn(hidden_size, hidden_size) * 0.1
Why = torch.randn(vocab_size, hidden_size) * 0.1
bh = torch.zeros(hidden_size, 1)
by = torch.zeros(vocab_size, 1)
params = [Wxh, Whh, Why, bh, by]
for p in params:
    p.requires_grad_(True)
memory = [torch.zeros_like(p) for p in params]


def loss_fun(inputs, targets, hprev):
    hs, loss = hprev, 0
    for t in range(len(inputs)):
        x = torch.zeros((vocab_size, 1))
        x[inputs[t]] = 1
        hs = torch.tanh(torch.mm(Wxh, x) + torch.mm(Whh, hs) + bh)
        ys = torch.mm(Why, hs) + by
        ps = torch.exp(ys) / torch.sum(torch.exp(ys))
        loss += -torch.log(ps[targets[t], 0])
    return loss, hs


p, hprev = 0, torch.zeros(hidden_size, 1)
smooth_loss = -torch.log(torch.tensor(1.0 / vocab_size)) * seq_length
for n in range(61):
    if p + seq_length + 1 >= len(data):
        hprev, p = torch.zeros(hidden_size, 1), 0
    inputs = [char_to_ix[ch] for ch in data[p : p + seq_length]]
    targets = [char_to_ix[ch] for ch in data[p + 1 : p + seq_length + 1]]
    loss, hprev = loss_fun(inputs, targets, hprev)
    loss.backward()
    hprev = hprev.detach()
    smooth_loss = smooth_loss * 0.95 + loss.detach() * 0.05
    if n % 20 == 0:
        print("iter %d, loss: %f" % (n, smooth_loss))
    with torch.no_grad():
        for param, mem in zip(params, memory):
            grad = torch.clamp(param.grad, -5, 5)
            mem += grad * grad
            param -= learning_rate * grad / torch.sqrt(mem + 1e-8)
            param.grad.zero_()
    p += seq_length
print(hprev.t())

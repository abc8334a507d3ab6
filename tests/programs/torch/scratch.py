"""A recurrent net from bare tensors, with a loss at every step."""

import torch

torch.manual_seed(0)
vocab, hidden = 5, 8
Wxh = torch.randn(vocab, hidden, requires_grad=True)
Whh = torch.randn(hidden, hidden, requires_grad=True)
Why = torch.randn(hidden, vocab, requires_grad=True)
bh = torch.zeros(hidden, requires_grad=True)
by = torch.zeros(vocab, requires_grad=True)
parameters = [Wxh, Whh, Why, bh, by]
text = [0, 1, 2, 2, 3, 4, 0, 1]

for epoch in range(5):
    h = torch.zeros(1, hidden)
    loss = 0.0
    for t in range(len(text) - 1):
        x = torch.zeros(1, vocab)
        x[0, text[t]] = 1.0
        h = torch.tanh(x @ Wxh + h @ Whh * 0.3 + bh)
        y = h @ Why + by
        p = torch.softmax(y, dim=-1)
        loss = loss - torch.log(p[0, text[t + 1]])
    loss.backward()
    with torch.no_grad():
        for w in parameters:
            w -= 0.02 * w.grad
            w.grad.zero_()
    print("epoch", epoch, "loss", round(loss.item(), 4))
print(h)

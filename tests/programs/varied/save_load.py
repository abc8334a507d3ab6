"""Checkpoints: state_dict of model and optimizer, strict=False, BytesIO, deepcopy."""
import copy
import io
import os
import tempfile
import torch
import torch.nn as nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2, 4, num_layers=2)
        self.fc = nn.Linear(4, 1)
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, x):
        self.steps += 1
        return self.fc(self.rnn(x)[0][-1])


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01, amsgrad=True)
x = torch.randn(5, 3, 2)
for _ in range(3):
    loss = net(x).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
with tempfile.TemporaryDirectory() as d:
    path = os.path.join(d, "model.pt")
    torch.save({"epoch": 3, "model_state_dict": net.state_dict(), "optimizer_state_dict": opt.state_dict(), "loss": loss}, path)
    checkpoint = torch.load(path, weights_only=False)
new = Net()
print(new.load_state_dict(checkpoint["model_state_dict"]))
opt2 = torch.optim.Adam(new.parameters())
opt2.load_state_dict(checkpoint["optimizer_state_dict"])
print(checkpoint["epoch"], checkpoint["loss"].item(), new.steps)
for a, b in ((net, opt), (new, opt2)):
    loss = a(x).pow(2).mean()
    b.zero_grad()
    loss.backward()
    b.step()
    print(loss.item())
buf = io.BytesIO()
torch.save(net.state_dict(), buf)
buf.seek(0)
sd = torch.load(buf, map_location="cpu")
del sd["fc.bias"]
sd["extra"] = torch.zeros(1)
other = copy.deepcopy(net)
print(other.load_state_dict(sd, strict=False))
try:
    other.load_state_dict(sd)
except RuntimeError as e:
    print(e)
for n, p in net.state_dict().items():
    print(n, "\t", p.size())

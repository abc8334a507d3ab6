# The program of the first document that this project came from, with its import lines swapped.
import tinygrad_rnn as torch
import tinygrad_rnn.nn as nn

data = torch.tensor([[1.], [2.], [3.]], dtype=torch.float).reshape(3, 1, 1)
label = torch.tensor([2., 3., 4.], dtype=torch.float)

torch.manual_seed(0)

rnn = nn.RNN(1, 1, num_layers=3, nonlinearity='relu')
h0 = torch.zeros(3, 1, 1)

output, hn = rnn(data, h0)

for name, param in rnn.named_parameters():
    print(f"{name}: {param.size()}")
    print(param.data)
print(f"hn:{hn}")
print(f"output:{output}")

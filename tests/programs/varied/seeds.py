"""Reproducible seeds: manual_seed, get_rng_state, fork_rng, Generator, worker seeds."""
import random
import numpy as np
import torch


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


set_seed(42)
print(torch.rand(3), torch.randn(2, 2), torch.randint(0, 10, (4,)), torch.randperm(6))
with torch.random.fork_rng():
    torch.manual_seed(0)
    print(torch.rand(2))
print(torch.rand(2))
state = torch.get_rng_state()
a = torch.rand(2)
torch.set_rng_state(state)
print(torch.equal(a, torch.rand(2)), torch.initial_seed())
g = torch.Generator().manual_seed(7)
print(torch.randn(3, generator=g), torch.randperm(5, generator=g), torch.empty(2).uniform_(generator=g))
print(torch.normal(0.0, 1.0, (2, 2)), torch.normal(torch.zeros(3), torch.ones(3)), torch.bernoulli(torch.full((5,), 0.5)))
print(torch.multinomial(torch.tensor([0.1, 0.3, 0.6]), 6, replacement=True))
print(torch.empty(3).exponential_(), torch.nn.init.xavier_uniform_(torch.empty(2, 2)), torch.nn.init.orthogonal_(torch.empty(3, 3)).abs())
print(torch.nn.init.kaiming_normal_(torch.empty(2, 3), nonlinearity="relu"), torch.nn.init.trunc_normal_(torch.empty(2)))
print(torch.random.initial_seed(), torch.random.get_rng_state().shape)
d = torch.distributions.Normal(torch.tensor([0.0]), 1.0)
print(d.sample((2,)), d.rsample(), d.log_prob(torch.tensor(0.5)), torch.distributions.Uniform(0.0, 2.0).sample((2,)))
print(torch.nn.functional.dropout(torch.ones(8), 0.5))

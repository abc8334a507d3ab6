"""A policy with a memory, by the policy gradient: remember the first sign, act on it at the end."""

import torch
import torch.nn as nn
from torch.distributions import Categorical

torch.manual_seed(2)
cell, actor = nn.LSTMCell(1, 8), nn.Linear(8, 2)
optimizer = torch.optim.Adam(list(cell.parameters()) + list(actor.parameters()), lr=0.03)
baseline = 0.0
for episode in range(1, 61):
    sign = torch.randint(0, 2, (8, 1)).float()
    state = None
    for t in range(4):
        x = sign * 2 - 1 if t == 0 else torch.zeros(8, 1)
        state = cell(x, state)
    policy = Categorical(logits=actor(state[0]))
    action = policy.sample()
    reward = (action == sign.squeeze(1).long()).float()
    loss = -(policy.log_prob(action) * (reward - baseline)).mean() - 0.01 * policy.entropy().mean()
    baseline = 0.9 * baseline + 0.1 * reward.mean().item()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if episode % 20 == 0:
        print(episode, "reward", round(reward.mean().item(), 3), "baseline", round(baseline, 4))

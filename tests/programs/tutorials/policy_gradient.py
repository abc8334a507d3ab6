"""REINFORCE over an LSTM: the way is shown at the first step only, and must be remembered."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical

torch.manual_seed(543)


class Corridor:
    """Shows a sign at the start; at each step going the way it showed is worth 1."""

    length = 4

    def reset(self):
        self.sign, self.t = int(torch.randint(2, (1,))), 0
        return self._seen()

    def _seen(self):
        seen = torch.zeros(1, 3)
        seen[0, self.sign if self.t == 0 else 2] = 1.0
        return seen

    def step(self, action):
        self.t += 1
        return self._seen(), float(action == self.sign), self.t == self.length


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTMCell(3, 8)
        self.affine = nn.Linear(8, 2)
        self.saved_log_probs = []
        self.rewards = []

    def forward(self, x, state):
        h, c = self.lstm(x, state)
        return F.softmax(self.affine(h), dim=1), (h, c)


policy = Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=2e-2)
eps = 1e-6


def finish_episode():
    R, returns, policy_loss = 0, [], []
    for r in policy.rewards[::-1]:
        R = r + 0.9 * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    for log_prob, R in zip(policy.saved_log_probs, returns):
        policy_loss.append(-log_prob * R)
    optimizer.zero_grad()
    policy_loss = torch.cat(policy_loss).sum()
    policy_loss.backward()
    optimizer.step()
    del policy.rewards[:]
    del policy.saved_log_probs[:]
    return policy_loss.item()


env, running = Corridor(), 0.0
for i_episode in range(1, 41):
    observation, done, ep_reward, state = env.reset(), False, 0, None
    while not done:
        probs, state = policy(observation, state)
        m = Categorical(probs)
        action = m.sample()
        policy.saved_log_probs.append(m.log_prob(action))
        observation, reward, done = env.step(action.item())
        policy.rewards.append(reward)
        ep_reward += reward
    running = 0.1 * ep_reward + 0.9 * running
    loss = finish_episode()
    if i_episode % 10 == 0:
        print(f"Episode {i_episode}\tLast reward: {ep_reward:.2f}\tAverage reward: {running:.2f}")
print("last loss: {:.4f}".format(loss), probs)

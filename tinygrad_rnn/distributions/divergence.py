"""How far one distribution is from another of its kind."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn import operations
from tinygrad_rnn.distributions.bernoulli import Bernoulli
from tinygrad_rnn.distributions.categorical import Categorical
from tinygrad_rnn.distributions.independent import Independent
from tinygrad_rnn.distributions.normal import Normal
from tinygrad_rnn.distributions.uniform import Uniform
from tinygrad_rnn.nn.functional import softplus
from tinygrad_rnn.tensor import Tensor


def kl_divergence(p: Any, q: Any) -> Tensor:
    """Kullback and Leibler's divergence E_p[ln p − ln q].

    Parameters
    ----------
    p, q : two of one kind

    Raises
    ------
    NotImplementedError
        For other pairs.

    Examples
    --------
    >>> from tinygrad_rnn.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    match p, q:
        case Normal(), Normal():
            ratio, shift = (p.scale / q.scale) ** 2, ((p.loc - q.loc) / q.scale) ** 2
            return 0.5 * (ratio + shift - 1 - ratio.log())
        case Independent(), Independent() if p.event_shape == q.event_shape:
            return p._summed(kl_divergence(p.base_dist, q.base_dist))
        case Uniform(), Uniform():
            outside = (q.low > p.low) | (q.high < p.high)
            ratio = (q.high - q.low) / (p.high - p.low)
            return ratio.log().masked_fill(outside, float("inf"))
        case Categorical(), Categorical():
            inside = operations.where(p.probs == 0, 0.0, p.probs * (p.logits - q.logits))
            impossible = (q.probs == 0) & (p.probs != 0)
            return inside.masked_fill(impossible, float("inf")).sum(-1)
        case Bernoulli(), Bernoulli():
            yes = p.probs * (softplus(-q.logits) - softplus(-p.logits))
            return yes + (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    raise NotImplementedError(
        f"kl_divergence: of two distributions of one kind, not of {type(p).__name__} and "
        f"{type(q).__name__}"
    )

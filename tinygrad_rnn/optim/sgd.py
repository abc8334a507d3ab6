"""Stochastic gradient descent, with momentum or averaged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_rnn.optim.optimizer import Array, Optimizer, State, count, kept, scalar
from tinygrad_rnn.tensor.creation import from_numpy


class SGD(Optimizer):
    """Gradient descent with momentum: b ← μ b + (1 − τ) g and w ← w − γ b.

    The first step sets b to g. With ``nesterov``, w ← w − γ (g + μ b). From Sutskever et al., On
    the importance of initialization and momentum in deep learning (2013), but with γ outside b.

    Parameters
    ----------
    params : iterable of Tensors, of (name, Tensor) pairs, or of dicts
    lr : float
        γ, the learning rate.
    momentum : float
        μ.
    dampening : float
        τ.
    weight_decay : float
        λ: g is the gradient plus λ w.
    nesterov : bool
        Whether to look ahead along b; needs a momentum and no dampening.
    maximize : bool
        Whether to climb.
    foreach, fused
        Accepted, and without effect.
    differentiable : bool
        Must be False.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([w], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (w * w).sum().backward()
    ...     optimizer.step()
    >>> w
    tensor([0.4600, 0.9200], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        self._check(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("SGD: nesterov needs a momentum and no dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def update(self, w: Array, g: Array, state: State, options: Any) -> None:
        """One step; see the class."""
        o = options
        if o.momentum:
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = from_numpy(np.array(g))
                b = state["momentum_buffer"].array
            else:
                b = kept(state, "momentum_buffer", w)
                b *= o.momentum
                b += (1 - o.dampening) * g
            g = g + o.momentum * b if o.nesterov else b
        w -= o.lr * g


class ASGD(Optimizer):
    """Averaged gradient descent: w ← (1 − λ η) w − η g, and a ← a + μ (w − a) averages w.

    η = γ / (1 + λ γ t)^α and μ = 1 / max(1, t − t₀) follow each step. From Polyak and Juditsky,
    Acceleration of stochastic approximation by averaging (1992). a is ``state[w]["ax"]``.

    Parameters
    ----------
    params : iterable of Tensors, of (name, Tensor) pairs, or of dicts
    lr : float
        γ, the learning rate.
    lambd : float
        λ, the decay.
    alpha : float
        α, the power by which η falls.
    t0 : float
        t₀, where averaging starts.
    weight_decay : float
        g is the gradient plus this times w.
    foreach
        Accepted, and without effect.
    maximize : bool
        Whether to climb.
    differentiable, capturable : bool
        Must be False.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tg.optim.ASGD([w], lr=0.1).step()
    >>> w
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        self._check(lr=lr, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def update(self, w: Array, g: Array, state: State, options: Any) -> None:
        """One step; see the class."""
        o = options
        t = count(state)
        if "eta" not in state:
            state["eta"], state["mu"] = scalar(o.lr), scalar(1)
        eta, mu = state["eta"].item(), state["mu"].item()
        a = kept(state, "ax", w)
        w *= 1 - o.lambd * eta
        w -= eta * g
        if mu == 1:
            a[...] = w
        else:
            a += (w - a) * mu
        state["eta"].array[...] = scalar(o.lr / (1 + o.lambd * o.lr * t) ** o.alpha).array
        state["mu"].array[...] = scalar(1 / max(1, t - o.t0)).array

"""Adagrad, RMSprop, Adadelta: steps divided by the size that gradients have had."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_rnn.optim.optimizer import (
    Array,
    Optimizer,
    State,
    average,
    average_square,
    count,
    kept,
    scalar,
)


class Adagrad(Optimizer):
    """Adagrad: s ← s + g² and w ← w − γ / (1 + (t − 1) η) · g / (√s + ε).

    From Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic
    optimization (2011).

    Parameters
    ----------
    params : iterable of Tensors, of (name, Tensor) pairs, or of dicts
    lr : float
        γ, the learning rate.
    lr_decay : float
        η.
    weight_decay : float
        λ: g is the gradient plus λ w.
    initial_accumulator_value : float
        s to begin with.
    eps : float
        ε.
    foreach, fused
        Accepted, and without effect.
    maximize : bool
        Whether to climb.
    differentiable : bool
        Must be False.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tg.optim.Adagrad([w], lr=0.1).step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        self._check(lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps)
        self._check(initial_accumulator_value=initial_accumulator_value)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own; their state is there at once."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for p in group["params"]:
            self.state[p]["step"] = scalar(0)
            kept(self.state[p], "sum", p.array, group["initial_accumulator_value"])

    def update(self, w: Array, g: Array, state: State, options: Any) -> None:
        """One step; see the class."""
        o = options
        t = count(state)
        s = kept(state, "sum", w)
        s += g * g
        w -= o.lr / (1 + (t - 1) * o.lr_decay) * g / (np.sqrt(s) + o.eps)


class RMSprop(Optimizer):
    """RMSprop: v ← α v + (1 − α) g² and w ← w − γ g / (√v + ε).

    With ``momentum`` μ: b ← μ b + g / (√v + ε) and w ← w − γ b. From Hinton, Neural networks for
    machine learning, lecture 6; centered: Graves, Generating sequences with recurrent neural
    networks (2013).

    Parameters
    ----------
    params : iterable of Tensors, of (name, Tensor) pairs, or of dicts
    lr : float
        γ, the learning rate.
    alpha : float
        α.
    eps : float
        ε.
    weight_decay : float
        λ: g is the gradient plus λ w.
    momentum : float
        μ.
    centered : bool
        Whether to subtract the square of g's average from v: its variance, then.
    foreach
        Accepted, and without effect.
    maximize : bool
        Whether to climb.
    capturable, differentiable : bool
        Must be False.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tg.optim.RMSprop([w], lr=0.01).step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        self._check(lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, w: Array, g: Array, state: State, options: Any) -> None:
        """One step; see the class."""
        o = options
        count(state)
        v = kept(state, "square_avg", w)
        average_square(v, g, o.alpha)
        if o.centered:
            mean = kept(state, "grad_avg", w)
            average(mean, g, 1 - o.alpha)
            v = v - mean * mean
        scale = np.sqrt(v) + o.eps
        if o.momentum:
            b = kept(state, "momentum_buffer", w)
            b *= o.momentum
            b += g / scale
            w -= o.lr * b
        else:
            w -= o.lr * g / scale


class Adadelta(Optimizer):
    """Adadelta: v ← ρ v + (1 − ρ) g², d = g √(u + ε) / √(v + ε), w ← w − γ d.

    u ← ρ u + (1 − ρ) d² then, so that steps have the unit of w. From Zeiler, ADADELTA: An adaptive
    learning rate method (2012).

    Parameters
    ----------
    params : iterable of Tensors, of (name, Tensor) pairs, or of dicts
    lr : float
        γ, a factor.
    rho : float
        ρ.
    eps : float
        ε.
    weight_decay : float
        λ: g is the gradient plus λ w.
    foreach
        Accepted, and without effect.
    maximize : bool
        Whether to climb.
    capturable, differentiable : bool
        Must be False.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tg.optim.Adadelta([w]).step()
    >>> w
    tensor([0.9968, 1.9968], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        self._check(lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)
        if rho > 1:
            raise ValueError(f"Adadelta: rho must be at most 1, got {rho}")
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, w: Array, g: Array, state: State, options: Any) -> None:
        """One step; see the class."""
        o = options
        count(state)
        v, u = kept(state, "square_avg", w), kept(state, "acc_delta", w)
        average_square(v, g, o.rho)
        d = np.sqrt(u + o.eps) / np.sqrt(v + o.eps) * g
        average_square(u, d, o.rho)
        w -= o.lr * d

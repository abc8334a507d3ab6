"""Adam and its kin: averages of the gradient and of its square set the step of each element."""

from __future__ import annotations

import math
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


class Adam(Optimizer):
    """Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← w − γ m̂ / (√v̂ + ε).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) correct for the start at 0. From Kingma and Ba, Adam: A
    method for stochastic optimization (2014).

    Parameters
    ----------
    params : iterable of Tensors, of (name, Tensor) pairs, or of dicts
    lr : float
        γ, the learning rate.
    betas : pair of floats
        β₁ and β₂.
    eps : float
        ε.
    weight_decay : float
        λ: g is the gradient plus λ w.
    amsgrad : bool
        Whether v̂ is made of the largest v so far (Reddi et al., 2018).
    foreach, fused
        Accepted, and without effect.
    maximize : bool
        Whether to climb.
    capturable, differentiable : bool
        Must be False.
    decoupled_weight_decay : bool
        Whether to decay as `AdamW` does.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tg.optim.Adam([w], lr=0.1).step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        self._check(lr=lr, eps=eps, weight_decay=weight_decay)
        self._check_betas(betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def update(self, w: Array, g: Array, state: State, options: Any) -> None:
        """One step; see the class."""
        o = options
        beta1, beta2 = o.betas
        t = count(state)
        m, v = kept(state, "exp_avg", w), kept(state, "exp_avg_sq", w)
        average(m, g, 1 - beta1)
        average_square(v, g, beta2)
        if o.amsgrad:
            largest = kept(state, "max_exp_avg_sq", w)
            v = np.maximum(largest, v, out=largest)
        scale = np.sqrt(v)
        scale /= math.sqrt(1 - beta2**t)
        scale += o.eps
        w -= o.lr / (1 - beta1**t) * m / scale


class AdamW(Adam):
    """`Adam` with decoupled weight decay: w ← (1 − γ λ) w first, and g is the gradient alone.

    From Loshchilov and Hutter, Decoupled weight decay regularization (2017).

    Parameters
    ----------
    params, lr, betas, eps, amsgrad, maximize, foreach, capturable, differentiable, fused
        As in `Adam`.
    weight_decay : float
        λ.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tg.optim.AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w
    tensor([0.8500, 1.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )


class Adamax(Optimizer):
    """Adam with a maximum for v: u ← max(β₂ u, |g| + ε) and w ← w − γ m̂ / u.

    From Kingma and Ba, Adam: A method for stochastic optimization (2014), section 7.1.

    Parameters
    ----------
    params, lr, betas, eps, weight_decay, foreach, maximize, differentiable, capturable
        As in `Adam`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tg.optim.Adamax([w], lr=0.1).step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        self._check(lr=lr, eps=eps, weight_decay=weight_decay)
        self._check_betas(betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
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
        beta1, beta2 = o.betas
        t = count(state)
        m, u = kept(state, "exp_avg", w), kept(state, "exp_inf", w)
        average(m, g, 1 - beta1)
        u *= beta2
        np.maximum(u, np.abs(g) + o.eps, out=u)
        w -= o.lr / (1 - beta1**t) * m / u


class NAdam(Optimizer):
    """Adam with Nesterov's momentum: m̂ looks one step ahead.

    With μₜ = β₁ (1 − 0.96^(t ψ) / 2) and Πₜ = μ₁ ⋯ μₜ:
    m̂ = μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ). From Dozat, Incorporating Nesterov momentum
    into Adam (2016).

    Parameters
    ----------
    params, lr, betas, eps, weight_decay, foreach, maximize, capturable, differentiable
        As in `Adam`.
    momentum_decay : float
        ψ.
    decoupled_weight_decay : bool
        Whether to decay as `AdamW` does.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tg.optim.NAdam([w], lr=0.1).step()
    >>> w
    tensor([0.8944, 1.8944], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        self._check(lr=lr, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
        self._check_betas(betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, w: Array, g: Array, state: State, options: Any) -> None:
        """One step; see the class."""
        o = options
        beta1, beta2 = o.betas
        t = count(state)
        mu, ahead = (beta1 * (1 - 0.5 * 0.96 ** (n * o.momentum_decay)) for n in (t, t + 1))
        if "mu_product" not in state:
            state["mu_product"] = scalar(1)
        state["mu_product"].array *= mu
        product = state["mu_product"].item()
        m, v = kept(state, "exp_avg", w), kept(state, "exp_avg_sq", w)
        average(m, g, 1 - beta1)
        average_square(v, g, beta2)
        scale = np.sqrt(v / (1 - beta2**t)) + o.eps
        w -= o.lr * (1 - mu) / (1 - product) * g / scale
        w -= o.lr * ahead / (1 - product * ahead) * m / scale


class RAdam(Optimizer):
    """Adam with a rectified step: w ← w − γ r m̂ / √v̂ once v̂ can be trusted, till then w − γ m̂.

    With ρ∞ = 2 / (1 − β₂) − 1 and ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ), that is when ρ > 5, and
    r² = (ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ). From Liu et al., On the variance of the adaptive
    learning rate and beyond (2019).

    Parameters
    ----------
    params, lr, betas, eps, weight_decay, foreach, maximize, capturable, differentiable
        As in `Adam`.
    decoupled_weight_decay : bool
        Whether to decay as `AdamW` does.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tg.optim.RAdam([w], lr=0.1).step()
    >>> w
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        self._check(lr=lr, eps=eps, weight_decay=weight_decay)
        self._check_betas(betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, w: Array, g: Array, state: State, options: Any) -> None:
        """One step; see the class."""
        o = options
        beta1, beta2 = o.betas
        t = count(state)
        m, v = kept(state, "exp_avg", w), kept(state, "exp_avg_sq", w)
        average(m, g, 1 - beta1)
        average_square(v, g, beta2)
        step = m / (1 - beta1**t) * o.lr
        rest = 1 - beta2**t
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * t * beta2**t / rest
        if rho > 5:
            r = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
            step *= math.sqrt(rest) / (np.sqrt(v) + o.eps)
            step *= math.sqrt(r)
        w -= step

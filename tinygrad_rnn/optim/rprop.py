"""Resilient backpropagation: steps that follow the signs of gradients alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_rnn.optim.optimizer import Array, Optimizer, State, count, kept


class Rprop(Optimizer):
    """Rprop: w ← w − sign(g) s, where each element's step s grows until the sign of g changes.

    s ← η₊ s while the sign stays; s ← η₋ s, and no step, when it changes. For whole batches. From
    Riedmiller and Braun, A direct adaptive method for faster backpropagation learning (1993).

    Parameters
    ----------
    params : iterable of Tensors, of (name, Tensor) pairs, or of dicts
    lr : float
        s to begin with.
    etas : pair of floats
        η₋ < 1 < η₊.
    step_sizes : pair of floats
        The bounds of s.
    capturable, differentiable : bool
        Must be False.
    foreach
        Accepted, and without effect.
    maximize : bool
        Whether to climb.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> tg.optim.Rprop([w], lr=0.1).step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        self._check(lr=lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"Rprop: expected 0 < etas[0] < 1 < etas[1], got {etas}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def update(self, w: Array, g: Array, state: State, options: Any) -> None:
        """One step; see the class."""
        o = options
        count(state)
        before, s = kept(state, "prev", w), kept(state, "step_size", w, o.lr)
        agreement = g * before
        smaller, larger = o.etas
        s *= np.where(agreement > 0, larger, np.where(agreement < 0, smaller, 1)).astype(s.dtype)
        np.clip(s, *o.step_sizes, out=s)
        before[...] = np.where(agreement < 0, 0, g)
        w -= np.where(before > 0, s, 0) - np.where(before < 0, s, 0)  # NaN has no sign

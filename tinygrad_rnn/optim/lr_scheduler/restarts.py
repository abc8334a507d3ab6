"""Rates that begin anew."""

from __future__ import annotations

import math

from tinygrad_rnn.optim.lr_scheduler.base import LRScheduler, check_positive
from tinygrad_rnn.optim.optimizer import Optimizer


class CosineAnnealingWarmRestarts(LRScheduler):
    """Down to ``eta_min`` along half a cosine wave, again and again.

    From Loshchilov and Hutter, SGDR: Stochastic gradient descent with warm restarts (2016).

    Parameters
    ----------
    optimizer : Optimizer
    T_0 : int
        Epochs until the first restart.
    T_mult : int
        How much longer each wave is than the one before.
    eta_min : float
    last_epoch : int

    Raises
    ------
    ValueError
        If ``T_0`` or ``T_mult`` is no positive integer, or ``eta_min`` no number.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> for epoch in range(3):
    ...     print(f"{scheduler.get_last_lr()[0]:.2f}")
    ...     optimizer.step()
    ...     scheduler.step()
    1.00
    0.50
    1.00
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        check_positive("T_0", T_0)
        check_positive("T_mult", T_mult)
        if not isinstance(eta_min, int | float):
            raise ValueError(f"eta_min must be a number, got {eta_min!r}")
        self.T_0, self.T_i, self.T_mult, self.eta_min = T_0, T_0, T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """η + (base − η) (1 + cos(π t / T)) / 2, for the t-th epoch of T until the restart."""
        wave = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (lr - self.eta_min) * wave for lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to any, also in the middle of one."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            self._find(epoch)
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())

    def _find(self, epoch: float) -> None:
        """Which wave an epoch is in, and where in it."""
        if epoch < 0:
            raise ValueError(f"an epoch must not be negative, got {epoch}")
        if self.T_mult == 1:
            self.T_cur, self.T_i = epoch % self.T_0, self.T_0
            return
        waves = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
        before = self.T_0 * (self.T_mult**waves - 1) / (self.T_mult - 1)
        self.T_cur, self.T_i = epoch - before, self.T_0 * self.T_mult**waves

    def _go_to(self, epoch: int | None) -> None:
        self.step(epoch)

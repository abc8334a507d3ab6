"""Rates that go up and down, and momenta the other way round."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinygrad_rnn.optim.lr_scheduler.base import (
    LRScheduler,
    check_positive,
    checked,
    per_group,
    set_lr,
)
from tinygrad_rnn.optim.optimizer import Optimizer


class _Momentum(LRScheduler):
    """A scheduler that also changes the momentum, or Adam's β₁."""

    def _check_momentum(self, optimizer: Optimizer) -> None:
        if self.cycle_momentum and not {"momentum", "betas"} & set(optimizer.defaults):
            raise ValueError(
                f"{type(self).__name__}: {type(optimizer).__name__} has neither momentum nor "
                "betas; pass cycle_momentum=False"
            )

    cycle_momentum: bool

    def _set_momentum(self, momenta: list[float]) -> None:
        for group, momentum in zip(self.optimizer.param_groups, momenta):
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


class CyclicLR(_Momentum):
    """Up and down between two rates, in straight lines; momentum the other way round.

    From Smith, Cyclical learning rates for training neural networks (2015). Steps are batches.

    Parameters
    ----------
    optimizer : Optimizer
    base_lr, max_lr : float, or list of one per group
        The bounds of the first cycle.
    step_size_up, step_size_down : int
        Steps on the way up, and down (as many, unless given).
    mode : "triangular", "triangular2" or "exp_range"
        The upper bound stays, is halved each cycle, or is multiplied by ``gamma`` each step.
    gamma : float
    scale_fn : function, optional
        The height of a cycle, instead of ``mode``.
    scale_mode : "cycle" or "iterations"
        Whether ``scale_fn`` is given the number of the cycle, from 1, or of the step.
    cycle_momentum : bool
    base_momentum, max_momentum : float, or list of one per group
    last_epoch : int
        The last step.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], momentum=0.9)
    >>> scheduler = tg.optim.lr_scheduler.CyclicLR(optimizer, 1.0, 3.0, step_size_up=2)
    >>> for step in range(5):
    ...     print(scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    [1.0]
    [2.0]
    [3.0]
    [2.0]
    [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        modes = ("triangular", "triangular2", "exp_range")
        if scale_fn is None and mode not in modes:
            raise ValueError(f"CyclicLR: mode must be one of {modes}, not {mode!r}")
        step_size_down = step_size_up if step_size_down is None else step_size_down
        if not step_size_up > 0:
            raise ValueError(f"CyclicLR: step_size_up must be positive, got {step_size_up}")
        groups = checked(optimizer).param_groups
        base_lrs = per_group(optimizer, "CyclicLR: base_lr", base_lr)
        self.max_lrs = per_group(optimizer, "CyclicLR: max_lr", max_lr)
        self.total_size = float(step_size_up + step_size_down)
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self.scale_fn = mode, gamma, scale_fn
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode, self.cycle_momentum = scale_mode, cycle_momentum
        self._check_momentum(optimizer)
        self.base_momentums = per_group(optimizer, "CyclicLR: base_momentum", base_momentum)
        self.max_momentums = per_group(optimizer, "CyclicLR: max_momentum", max_momentum)
        if last_epoch == -1:
            for group, lr in zip(groups, base_lrs):
                set_lr(group, lr)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs  # also where another scheduler has set the group's "initial_lr"

    def _height(self) -> tuple[float, float]:
        """How far up the cycle, from 0 to 1, and how high that is."""
        cycles = self.last_epoch / self.total_size
        cycle = math.floor(1 + cycles)
        x = 1 + cycles - cycle
        up = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        return up, self._scale(cycle if self.scale_mode == "cycle" else self.last_epoch)

    def _scale(self, x: int) -> float:
        if self.scale_fn is not None:
            return self.scale_fn(x)
        if self.mode == "triangular2":
            return 1 / 2.0 ** (x - 1)
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[float]:
        """The base + (max − base) · height; sets the momentum, too."""
        up, scale = self._height()
        if self.cycle_momentum:
            bounds = zip(self.base_momentums, self.max_momentums)
            self._set_momentum([high - (high - low) * up * scale for low, high in bounds])
        bounds = zip(self.base_lrs, self.max_lrs)
        return [low + (high - low) * up * scale for low, high in bounds]

    def state_dict(self) -> dict[str, Any]:
        """Everything the scheduler knows, but for the optimizer and ``scale_fn``."""
        return {key: value for key, value in super().state_dict().items() if key != "scale_fn"}


class OneCycleLR(_Momentum):
    """Up to ``max_lr`` and far down again, once; momentum the other way round.

    From Smith and Topin, Super-convergence: Very fast training of neural networks using large
    learning rates (2017). Steps are batches.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float, or list of one per group
    total_steps : int, optional
    epochs, steps_per_epoch : int, optional
        Their product is the number of steps if that is not given.
    pct_start : float
        The part of the steps that goes up.
    anneal_strategy : "cos" or "linear"
    cycle_momentum : bool
    base_momentum, max_momentum : float, or list of one per group
    div_factor : float
        The first rate is ``max_lr / div_factor``.
    final_div_factor : float
        The last one is the first one divided by this.
    three_phase : bool
        Whether to come down to the first rate as fast as it went up, and then to the last.
    last_epoch : int
        The last step.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], momentum=0.9)
    >>> scheduler = tg.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=9)
    >>> for step in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     print([f"{lr:.2f}" for lr in scheduler.get_last_lr()])
    ['0.65']
    ['0.99']
    ['0.90']
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        groups = checked(optimizer).param_groups
        if total_steps is not None:
            check_positive("OneCycleLR: total_steps", total_steps)
        elif epochs is None or steps_per_epoch is None:
            raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
        else:
            check_positive("OneCycleLR: epochs", epochs)
            check_positive("OneCycleLR: steps_per_epoch", steps_per_epoch)
            total_steps = epochs * steps_per_epoch
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be a float from 0 to 1, got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}"
            )
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        self.cycle_momentum = cycle_momentum
        self._check_momentum(optimizer)
        top = pct_start * total_steps - 1
        end = total_steps - 1
        names = [("initial_lr", "max_momentum"), ("max_lr", "base_momentum")]
        if three_phase:
            ends = [top, 2 * top, end]
            names += [("initial_lr", "max_momentum"), ("min_lr", "max_momentum")]
        else:
            ends = [top, end]
            names += [("min_lr", "max_momentum")]
        self._phases = list(zip([0, *ends], ends, names, names[1:]))
        max_lrs = per_group(optimizer, "OneCycleLR: max_lr", max_lr)
        lows = per_group(optimizer, "OneCycleLR: base_momentum", base_momentum)
        highs = per_group(optimizer, "OneCycleLR: max_momentum", max_momentum)
        if last_epoch == -1:
            for group, lr, low, high in zip(groups, max_lrs, lows, highs):
                first = lr / div_factor
                group |= {"initial_lr": first, "max_lr": lr, "min_lr": first / final_div_factor}
                if cycle_momentum:
                    group |= {"max_momentum": high, "base_momentum": low}
        super().__init__(optimizer, last_epoch)

    def _between(self, start: float, end: float, part: float) -> float:
        if self.anneal_strategy == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2 * (math.cos(math.pi * part) + 1)

    def get_lr(self) -> list[float]:
        """Between the rates at the ends of the phase; sets the momentum, too."""
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"OneCycleLR: this is step {t}, but total_steps is {self.total_steps}")
        begin, end, here, there = next((p for p in self._phases if t <= p[1]), self._phases[-1])
        part = (t - begin) / (end - begin) if end > begin else 1.0
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            momenta = [self._between(group[here[1]], group[there[1]], part) for group in groups]
            self._set_momentum(momenta)
        return [self._between(group[here[0]], group[there[0]], part) for group in groups]

"""Learning rates that change as training goes on.

Most schedulers here compute a rate from the one before (`LRScheduler.get_lr`), so that several of
them, or one and a change by hand, work together.
"""

from __future__ import annotations

import math
import types
import warnings
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tinygrad_rnn.optim.optimizer import Optimizer, number
from tinygrad_rnn.tensor import Tensor

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


def __dir__() -> list[str]:
    return __all__


class LRScheduler:
    """Base class of schedulers, which set the ``lr`` of an optimizer's groups.

    A subclass defines `get_lr`, which may use ``last_epoch``, ``base_lrs`` and the rates of the
    groups.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int
        To resume: the epoch that was last.

    Raises
    ------
    TypeError
        If it is not an `Optimizer`.
    KeyError
        If a resumed optimizer's groups lack "initial_lr".

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> class Harmonic(tg.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / (1 + self.last_epoch) for lr in self.base_lrs]
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = Harmonic(optimizer)
    >>> for epoch in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     scheduler.get_last_lr()
    [0.5]
    [0.3333333333333333]
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = _checked(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", number(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"group {i} has no 'initial_lr', which resuming at last_epoch={last_epoch} "
                    "needs: load the optimizer's state first, or begin with last_epoch=-1"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._begin()

    def _begin(self) -> None:
        """Make the first step, to the rates that training starts with."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def _undo(self) -> None:
        """Take back the first step: a `SequentialLR` says when it is to be made."""
        self.last_epoch -= 1

    def get_lr(self) -> list[float]:
        """The rates at ``last_epoch``, given those of the epoch before; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    def closed_form(self) -> list[float]:
        """The rates at ``last_epoch`` whatever came before, where there is a formula for them."""
        return self.get_lr()

    def get_last_lr(self) -> list[float]:
        """The rates that the last step has set, one per group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch; to be called after the optimizer's step.

        ``epoch``, to go to a certain one, is deprecated as it is in PyTorch.
        """
        if self._step_count == 1 and not self.optimizer._stepped:
            warnings.warn(
                "lr_scheduler.step() was called before optimizer.step(): the first learning rate "
                "was never used. Call optimizer.step() first.",
                stacklevel=2,
            )
        if epoch is not None:
            _warn_of_epoch()
        self._go_to(epoch)

    def _go_to(self, epoch: int | None) -> None:
        self._step_count += 1
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set(self.get_lr() if epoch is None else self.closed_form())

    def _set(self, rates: list[float]) -> None:
        if len(rates) != len(self.optimizer.param_groups):
            raise ValueError(
                f"{type(self).__name__}: there are rates for {len(rates)} parameter groups, but "
                f"the optimizer has {len(self.optimizer.param_groups)} now; make a new scheduler"
            )
        for group, lr in zip(self.optimizer.param_groups, rates):
            _set_lr(group, lr)
        self._last_lr = self._rates()

    def _rates(self) -> list[float]:
        return [number(group["lr"]) for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[float]:
        """The rates of the groups now, times a factor."""
        return [lr * factor for lr in self._rates()]

    def state_dict(self) -> dict[str, Any]:
        """Everything the scheduler knows, but for the optimizer."""
        return {key: value for key, value in vars(self).items() if key != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where another scheduler was."""
        vars(self).update(state_dict)


def _checked(optimizer: Any) -> Any:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def _check_positive(name: str, value: Any) -> None:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")


def _warn_of_epoch() -> None:
    warnings.warn(
        "the epoch of scheduler.step() is deprecated: call step() without it", stacklevel=3
    )


def _set_lr(group: dict[str, Any], lr: float) -> None:
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr


def _per_group(optimizer: Optimizer, name: str, value: Any) -> list[Any]:
    """One value for each group, or one for all, as a list."""
    groups = optimizer.param_groups
    if not isinstance(value, list | tuple):
        return [value] * len(groups)
    if len(value) != len(groups):
        raise ValueError(f"{name} has {len(value)} values for {len(groups)} parameter groups")
    return list(value)


class LambdaLR(LRScheduler):
    """The first rate times a function of the epoch.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : function, or list of one per group
        A function is not part of `state_dict`; of another callable, its attributes are.
    last_epoch : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = _per_group(_checked(optimizer), "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The first rates · λ(epoch)."""
        return [lr * f(self.last_epoch) for lr, f in zip(self.base_lrs, self.lr_lambdas)]

    def state_dict(self) -> dict[str, Any]:
        """Everything the scheduler knows, but for the optimizer and functions."""
        kept = [
            None if isinstance(f, types.FunctionType) else dict(getattr(f, "__dict__", {}))
            for f in self.lr_lambdas
        ]
        return super().state_dict() | {"lr_lambdas": kept}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where another scheduler was; its functions are to be given again."""
        for f, kept in zip(self.lr_lambdas, state_dict["lr_lambdas"]):
            if kept:
                vars(f).update(kept)
        super().load_state_dict({**state_dict, "lr_lambdas": self.lr_lambdas})


class StepLR(LRScheduler):
    """The rate times ``gamma`` every ``step_size`` epochs.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float
    last_epoch : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for epoch in range(4):
    ...     print(scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    [1.0]
    [1.0]
    [0.5]
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        _check_positive("StepLR: step_size", step_size)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """γ times the rate before, at multiples of the step size."""
        due = self.last_epoch and self.last_epoch % self.step_size == 0
        return self._scaled(self.gamma) if due else self._rates()

    def closed_form(self) -> list[float]:
        """The first rates · γ^⌊epoch / step size⌋."""
        return [lr * self.gamma ** (self.last_epoch // self.step_size) for lr in self.base_lrs]


class MultiStepLR(LRScheduler):
    """The rate times ``gamma`` at each milestone.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : iterable of ints
        Epochs, in any order; at one that is there twice the rate is multiplied twice.
    gamma : float
    last_epoch : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3], gamma=0.5)
    >>> for epoch in range(4):
    ...     print(scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    [1.0]
    [0.5]
    [0.5]
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = dict(Counter(milestones)), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """γ times the rate before, at milestones."""
        if self.last_epoch not in self.milestones:
            return self._rates()
        return self._scaled(self.gamma ** self.milestones[self.last_epoch])

    def closed_form(self) -> list[float]:
        """The first rates · γ^(milestones passed)."""
        passed = sum(n for epoch, n in self.milestones.items() if epoch <= self.last_epoch)
        return [lr * self.gamma**passed for lr in self.base_lrs]


class ConstantLR(LRScheduler):
    """The rate times ``factor`` for the first epochs, and as it is after them.

    Parameters
    ----------
    optimizer : Optimizer
    factor : float
        From 0 to 1.
    total_iters : int
        How many epochs.
    last_epoch : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=1)
    >>> for epoch in range(2):
    ...     print(scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    [0.5]
    [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"ConstantLR: factor must be from 0 to 1, got {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Times the factor at first, divided by it at the end."""
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        return self._scaled(1 / self.factor) if self._ends() else self._rates()

    def _ends(self) -> bool:
        return self.last_epoch == self.total_iters

    def closed_form(self) -> list[float]:
        """The first rates times the factor, or as they are."""
        factor = self.factor if self.last_epoch < self.total_iters else 1
        return [lr * factor for lr in self.base_lrs]


class LinearLR(LRScheduler):
    """The rate times a factor that goes from one value to another in equal steps.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor, end_factor : float
        From 0 to 1; the first not 0.
    total_iters : int
        How many epochs it takes.
    last_epoch : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> for epoch in range(3):
    ...     print(scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    [0.5]
    [0.75]
    [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(
                f"LinearLR: start_factor must be greater than 0 and at most 1, got {start_factor}"
            )
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR: end_factor must be from 0 to 1, got {end_factor}")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate before, times this factor over that before."""
        if self.last_epoch == 0:
            return self._scaled(self.start_factor)
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return self._scaled(1 + rise / before)

    def closed_form(self) -> list[float]:
        """The first rates · (start + (end − start) · epoch / total)."""
        done = min(self.last_epoch, self.total_iters) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * done
        return [lr * factor for lr in self.base_lrs]


class ExponentialLR(LRScheduler):
    """The rate times ``gamma`` every epoch.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
    last_epoch : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> for epoch in range(3):
    ...     print(scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    [1.0]
    [0.5]
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """γ times the rate before."""
        return self._rates() if self._is_initial else self._scaled(self.gamma)

    def closed_form(self) -> list[float]:
        """The first rates · γ^epoch."""
        return [lr * self.gamma**self.last_epoch for lr in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """Down to ``eta_min`` in ``T_max`` epochs along half a cosine wave, and up again.

    From Loshchilov and Hutter, SGDR: Stochastic gradient descent with warm restarts (2016), without
    the restarts.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
    eta_min : float
    last_epoch : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> for epoch in range(3):
    ...     print(f"{scheduler.get_last_lr()[0]:.2f}")
    ...     optimizer.step()
    ...     scheduler.step()
    1.00
    0.50
    0.00
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if not T_max > 0:
            raise ValueError(f"CosineAnnealingLR: T_max must be positive, got {T_max}")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _wave(self, epoch: int) -> float:
        return 1 + math.cos(math.pi * epoch / self.T_max)

    def get_lr(self) -> list[float]:
        """The distance from η, times the height of this wave over that before."""
        t, low = self.last_epoch, self.eta_min
        if self._is_initial:
            return self._rates()
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # the height before was 0
            up = (1 - math.cos(math.pi / self.T_max)) / 2
            return [lr + (base - low) * up for lr, base in zip(self._rates(), self.base_lrs)]
        return [self._wave(t) / self._wave(t - 1) * (lr - low) + low for lr in self._rates()]

    def closed_form(self) -> list[float]:
        """η + (base − η) (1 + cos(π epoch / T)) / 2."""
        low, wave = self.eta_min, self._wave(self.last_epoch)
        return [low + (lr - low) * wave / 2 for lr in self.base_lrs]


class SequentialLR(LRScheduler):
    """One scheduler after another.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of LRSchedulers
        Each begins anew, from the optimizer's first rate.
    milestones : list of ints
        The epochs at which the second and each further one takes over.
    last_epoch : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.optim.lr_scheduler import ExponentialLR, LinearLR, SequentialLR
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> warm_up = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> decay = ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler = SequentialLR(optimizer, [warm_up, decay], milestones=[2])
    >>> for epoch in range(4):
    ...     print(scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    [0.5]
    [0.75]
    [1.0]
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        _checked(optimizer)
        if not schedulers or len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: expected one milestone fewer than schedulers, got "
                f"{len(milestones)} and {len(schedulers)}"
            )
        for i, scheduler in enumerate(schedulers):
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"SequentialLR: scheduler {i} is a ReduceLROnPlateau, whose step needs metrics"
                )
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"SequentialLR: scheduler {i} belongs to another optimizer")
        self.optimizer = optimizer
        self._schedulers, self._milestones = schedulers, milestones
        self.last_epoch = last_epoch + 1
        self._undo()
        self._begin()

    def _undo(self) -> None:
        self._reset()
        for scheduler in self._schedulers:
            scheduler._undo()

    def _reset(self) -> None:
        for group in self.optimizer.param_groups:
            _set_lr(group, group["initial_lr"])

    def _begin(self) -> None:
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._begin()
        self._last_lr = first.get_last_lr()

    def _go_to(self, epoch: int | None) -> None:
        self._reset()  # its turn has come in another sequence
        self._begin()

    def step(self) -> None:  # type: ignore[override]
        """Go to the next epoch, with the scheduler whose turn it is."""
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        if turn and self._milestones[turn - 1] == self.last_epoch:
            scheduler._go_to(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Everything the scheduler and its schedulers know, but for the optimizer."""
        states = [scheduler.state_dict() for scheduler in self._schedulers]
        return super().state_dict() | {"_schedulers": states}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where another scheduler was."""
        for scheduler, kept in zip(self._schedulers, state_dict["_schedulers"]):
            scheduler.load_state_dict(kept)
        super().load_state_dict({**state_dict, "_schedulers": self._schedulers})


class ReduceLROnPlateau(LRScheduler):
    """The rate times ``factor`` when a metric has not improved for more than some epochs.

    Parameters
    ----------
    optimizer : Optimizer
    mode : "min" or "max"
        Whether a lower or a higher metric is better.
    factor : float
        Less than 1.
    patience : int
        How many epochs without improvement are let pass.
    threshold : float
        How much better is better.
    threshold_mode : "rel" or "abs"
        Whether the threshold is a fraction of the best metric.
    cooldown : int
        How many epochs after a change do not count.
    min_lr : float, or list of one per group
    eps : float
        Changes that are not larger are not made.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     optimizer.step()
    ...     scheduler.step(loss)
    ...     print(scheduler.get_last_lr())
    [1.0]
    [1.0]
    [1.0]
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if not factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be less than 1, got {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: mode must be 'min' or 'max', not {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: threshold_mode must be 'rel' or 'abs', not {threshold_mode!r}"
            )
        self.optimizer = _checked(optimizer)
        self.min_lrs = _per_group(optimizer, "ReduceLROnPlateau: min_lr", min_lr)
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.factor, self.patience, self.cooldown, self.eps = factor, patience, cooldown, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = self._rates()

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Tell it the metric of an epoch: a number, or a tensor with one element."""
        metric = float(metrics)
        if epoch is not None:
            _warn_of_epoch()
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.is_better(metric, self.best):
            self.best, self.num_bad_epochs = metric, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._rates()

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        self.min_lrs += self.min_lrs[-1:] * (len(groups) - len(self.min_lrs))  # added since
        for group, old, least in zip(groups, self._rates(), self.min_lrs):
            new = max(old * self.factor, least)
            if old - new > self.eps:
                _set_lr(group, new)

    @property
    def in_cooldown(self) -> bool:
        """Whether the epoch does not count."""
        return self.cooldown_counter > 0

    def is_better(self, a: float, best: float) -> bool:
        """Whether a metric is better than the best by more than the threshold."""
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "rel":
            bound = best * (1 + sign * self.threshold)
        else:
            bound = best + sign * self.threshold
        return a < bound if self.mode == "min" else a > bound


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
        groups = _checked(optimizer).param_groups
        base_lrs = _per_group(optimizer, "CyclicLR: base_lr", base_lr)
        self.max_lrs = _per_group(optimizer, "CyclicLR: max_lr", max_lr)
        self.total_size = float(step_size_up + step_size_down)
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self.scale_fn = mode, gamma, scale_fn
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode, self.cycle_momentum = scale_mode, cycle_momentum
        self._check_momentum(optimizer)
        self.base_momentums = _per_group(optimizer, "CyclicLR: base_momentum", base_momentum)
        self.max_momentums = _per_group(optimizer, "CyclicLR: max_momentum", max_momentum)
        if last_epoch == -1:
            for group, lr in zip(groups, base_lrs):
                _set_lr(group, lr)
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
        groups = _checked(optimizer).param_groups
        if total_steps is not None:
            _check_positive("OneCycleLR: total_steps", total_steps)
        elif epochs is None or steps_per_epoch is None:
            raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
        else:
            _check_positive("OneCycleLR: epochs", epochs)
            _check_positive("OneCycleLR: steps_per_epoch", steps_per_epoch)
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
        max_lrs = _per_group(optimizer, "OneCycleLR: max_lr", max_lr)
        lows = _per_group(optimizer, "OneCycleLR: base_momentum", base_momentum)
        highs = _per_group(optimizer, "OneCycleLR: max_momentum", max_momentum)
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

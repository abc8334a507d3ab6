"""What schedulers of learning rates have in common."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from tinygrad_rnn.optim.optimizer import Optimizer, number
from tinygrad_rnn.tensor import Tensor


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
        self.optimizer = checked(optimizer)
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
            warn_of_epoch()
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
            set_lr(group, lr)
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


def checked(optimizer: Any) -> Any:
    """The optimizer, if it is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def check_positive(name: str, value: Any) -> None:
    """Raise unless an option is a positive integer."""
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")


def warn_of_epoch() -> None:
    """Warn of an argument that is deprecated as it is in PyTorch."""
    warnings.warn(
        "the epoch of scheduler.step() is deprecated: call step() without it", stacklevel=3
    )


def set_lr(group: dict[str, Any], lr: float) -> None:
    """Give a group a rate, in its tensor if that is what it has."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr


def per_group(optimizer: Optimizer, name: str, value: Any) -> list[Any]:
    """One value for each group, or one for all, as a list."""
    groups = optimizer.param_groups
    if not isinstance(value, list | tuple):
        return [value] * len(groups)
    if len(value) != len(groups):
        raise ValueError(f"{name} has {len(value)} values for {len(groups)} parameter groups")
    return list(value)

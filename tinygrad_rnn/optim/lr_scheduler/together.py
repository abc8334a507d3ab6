"""Several schedulers, one after another or at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from tinygrad_rnn.optim.lr_scheduler.base import LRScheduler, checked, set_lr
from tinygrad_rnn.optim.lr_scheduler.plateau import ReduceLROnPlateau
from tinygrad_rnn.optim.optimizer import Optimizer


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
        checked(optimizer)
        if not schedulers or len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: expected one milestone fewer than schedulers, got "
                f"{len(milestones)} and {len(schedulers)}"
            )
        _check_parts("SequentialLR", schedulers, optimizer)
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
            set_lr(group, group["initial_lr"])

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


class ChainedScheduler(LRScheduler):
    """Several schedulers at once, one after the other in each step.

    Parameters
    ----------
    schedulers : sequence of LRSchedulers
    optimizer : Optimizer, optional
        Theirs.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.optim.lr_scheduler import ChainedScheduler, ConstantLR, ExponentialLR
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> first = ConstantLR(optimizer, factor=0.5, total_iters=1)
    >>> scheduler = ChainedScheduler([first, ExponentialLR(optimizer, gamma=0.5)])
    >>> for epoch in range(3):
    ...     print(scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    [0.5]
    [0.5]
    [0.25]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler: expected at least one scheduler")
        optimizer = schedulers[0].optimizer if optimizer is None else optimizer
        _check_parts("ChainedScheduler", schedulers, optimizer)
        self.optimizer, self._schedulers = optimizer, list(schedulers)
        self._last_lr = self._rates()

    def step(self) -> None:  # type: ignore[override]
        """Let each of them go to its next epoch."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._rates()

    def state_dict(self) -> dict[str, Any]:
        """Everything the schedulers know, but for the optimizer."""
        states = [scheduler.state_dict() for scheduler in self._schedulers]
        return super().state_dict() | {"_schedulers": states}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where others were."""
        for scheduler, kept in zip(self._schedulers, state_dict["_schedulers"]):
            scheduler.load_state_dict(kept)
        super().load_state_dict({**state_dict, "_schedulers": self._schedulers})


def _check_parts(owner: str, schedulers: Sequence[LRScheduler], optimizer: Optimizer) -> None:
    """Raise unless all schedulers need no metrics, and belong to the optimizer."""
    for i, scheduler in enumerate(schedulers):
        if isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError(
                f"{owner}: scheduler {i} is a ReduceLROnPlateau, whose step needs metrics"
            )
        if scheduler.optimizer is not optimizer:
            raise ValueError(f"{owner}: scheduler {i} belongs to another optimizer")

"""Averages of a model's weights over training, and the learning rate that goes with them.

https://arxiv.org/abs/1803.05407
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from tinygrad_rnn.autograd.contexts import no_grad
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.normalization import _BatchNorm
from tinygrad_rnn.optim.lr_scheduler import LRScheduler
from tinygrad_rnn.optim.lr_scheduler.base import per_group
from tinygrad_rnn.optim.optimizer import Optimizer
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import tensor

Average = Callable[[Tensor, Tensor, Any], Tensor]
ManyAverage = Callable[[Any, Any, Any], None]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """How an average moves by 1 − ``decay`` of the way to each new value."""
    _check_decay(decay)

    def ema(average: Tensor, current: Tensor, number: Any) -> Tensor:
        return average * decay + current * (1 - decay)

    return ema


def get_swa_avg_fn() -> Average:
    """How an average comes to be the mean of all values."""

    def mean(average: Tensor, current: Tensor, number: Any) -> Tensor:
        moved: Tensor = average + (current - average) / (number + 1)
        return moved

    return mean


def get_ema_multi_avg_fn(decay: float = 0.999) -> ManyAverage:
    """`get_ema_avg_fn` of lists of tensors, in place."""
    return _of_many(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> ManyAverage:
    """`get_swa_avg_fn` of lists of tensors, in place."""
    return _of_many(get_swa_avg_fn())


def _of_many(one: Average) -> ManyAverage:
    def many(averages: Iterable[Tensor], currents: Iterable[Tensor], number: Any) -> None:
        with no_grad():
            for average, current in zip(averages, currents):
                average.copy_(one(average, current, number))

    return many


def _check_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"a decay must be from 0 to 1, got {decay}")


class AveragedModel(Module):
    """A copy of a model whose weights are averages of those that the model had.

    Parameters
    ----------
    model : Module
    device : "cpu", optional
    avg_fn : function of (average, current, number), optional
        What the average becomes; the mean of all if absent.
    multi_avg_fn : function of (averages, currents, number), optional
        The same of lists, in place; not both.
    use_buffers : bool
        Whether buffers are averaged as well; else they stay as they were copied.

    Attributes
    ----------
    module : Module
        The copy.
    n_averaged : 0-d buffer of int64

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> model = tg.nn.Linear(1, 1)
    >>> average = tg.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 3.0):
    ...     _ = tg.nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> average.module.weight.item()
    2.0
    """

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: ManyAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("AveragedModel: give avg_fn or multi_avg_fn, not both")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the copy computes."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the weights that the model has now into the averages."""
        averages, currents = ([x.detach() for x in self._averaged(m)] for m in (self.module, model))
        number = self.n_averaged
        if not number.item():
            for average, current in zip(averages, currents):
                average.copy_(current)
        elif self.multi_avg_fn is not None:
            self.multi_avg_fn(averages, currents, number)
        else:
            _of_many(self.avg_fn or get_swa_avg_fn())(averages, currents, number.item())
        if not self.use_buffers:
            for mine, theirs in zip(self.module.buffers(), model.buffers()):
                mine.detach().copy_(theirs.detach())
        number.add_(1)

    def _averaged(self, module: Module) -> Iterable[Tensor]:
        if not self.use_buffers:
            return module.parameters()
        return itertools.chain(module.parameters(), module.buffers())


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Let a model's batch normalizations see all batches again, each of which counts the same.

    Parameters
    ----------
    loader : iterable of batches
        Of a tuple or list, the first part goes in.
    model : Module
    device : "cpu", optional
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    was_training = model.training
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    with no_grad():
        for batch in loader:
            model(batch[0] if isinstance(batch, list | tuple) else batch)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """To a rate that stays, in some epochs, along half a cosine wave or a straight line.

    Parameters
    ----------
    optimizer : Optimizer
    swa_lr : float, or list of one per group
    anneal_epochs : int
    anneal_strategy : "cos" or "linear"
    last_epoch : int

    Raises
    ------
    ValueError
        If an option is something else.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.swa_utils.SWALR(optimizer, 0.5, 2, "linear")
    >>> for epoch in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     scheduler.get_last_lr()
    [0.75]
    [0.5]
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Any,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for lr, group in zip(per_group(optimizer, "swa_lr", swa_lr), optimizer.param_groups):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be an integer from 0 on, got {anneal_epochs!r}")
        self.anneal_epochs, self.anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def _done(self, step: int) -> float:
        """The part of the way that is behind."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self.anneal_strategy == "cos" else t

    def get_lr(self) -> list[float]:
        """The rate at which it began, and that which stays, mixed."""
        step = self._step_count - 1
        step = max(1, step) if not self.anneal_epochs else step
        before, now = self._done(step - 1), self._done(step)
        rates = []
        for lr, group in zip(self._rates(), self.optimizer.param_groups):
            last = group["swa_lr"]
            first = last if before == 1 else (lr - before * last) / (1 - before)
            rates.append(last * now + first * (1 - now))
        return rates


__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

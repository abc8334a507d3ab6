"""Mixed precision, as far as there is any on this computer's own processor.

Small gradients of float16 vanish; a `GradScaler` makes the loss larger before its backward and
the gradients smaller again before the optimizer's step. `autocast` changes nothing here.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import ContextDecorator
from typing import Any

import numpy as np

from tinygrad_rnn.tensor import Tensor


class GradScaler:
    """Scales losses, and unscales gradients before a step, which it skips if one is not finite.

    https://arxiv.org/abs/1710.03740

    Parameters
    ----------
    device : str
        Of "cuda", which is not there, it does nothing; of "cpu" what it says.
    init_scale : float
    growth_factor, growth_interval : float, int
        After so many steps without ∞ and NaN the scale grows by this factor.
    backoff_factor : float
        By which it changes after a step with.
    enabled : bool

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.ones(1, requires_grad=True)
    >>> optimizer, scaler = tg.optim.SGD([w], lr=0.5), tg.amp.GradScaler("cpu")
    >>> scaler.scale(w.sum()).backward()
    >>> w.grad
    tensor([65536.])
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> w
    tensor([0.5000], requires_grad=True)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and device != "cpu":
            warnings.warn(f"GradScaler: there is no {device}; it does nothing", stacklevel=2)
        self._enabled = enabled and device == "cpu"
        if self._enabled and not (growth_factor > 1 and backoff_factor < 1):
            raise AssertionError("GradScaler: growth_factor must be > 1, backoff_factor < 1")
        self._scale, self._growth_tracker = init_scale, 0
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        self._found: dict[int, bool] = {}  # of each optimizer: whether something is not finite
        self._stepped: set[int] = set()

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def scale(self, outputs: Any) -> Any:
        """A tensor, or each of several, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, Iterable):
            scaled = [self.scale(y) for y in outputs]
            return type(outputs)(scaled) if isinstance(outputs, list | tuple) else scaled
        raise ValueError("GradScaler: expected a tensor, or several")

    def unscale_(self, optimizer: Any) -> None:
        """Make the gradients of an optimizer's parameters what they are without the scale."""
        if not self._enabled:
            return
        if id(optimizer) in self._stepped:
            raise RuntimeError("GradScaler: unscale_() comes before step()")
        if id(optimizer) in self._found:
            raise RuntimeError("GradScaler: unscale_() was called already since the last update()")
        gradients = [
            p.grad for group in optimizer.param_groups for p in group["params"]
            if p.grad is not None
        ]  # fmt: skip
        if not gradients:
            raise AssertionError("GradScaler: no gradients; call backward() first")
        for gradient in gradients:
            gradient.detach().mul_(1 / self._scale)
        self._found[id(optimizer)] = not all(np.isfinite(g.array).all() for g in gradients)

    def step(self, optimizer: Any, *arguments: Any, **options: Any) -> Any:
        """The optimizer's step, with gradients unscaled, unless one is not finite."""
        if not self._enabled:
            return optimizer.step(*arguments, **options)
        if "closure" in options or arguments:
            raise RuntimeError("GradScaler: closures are not supported while it is enabled")
        if id(optimizer) in self._stepped:
            raise RuntimeError("GradScaler: step() was called already since the last update()")
        if id(optimizer) not in self._found:
            self.unscale_(optimizer)
        self._stepped.add(id(optimizer))
        return None if self._found[id(optimizer)] else optimizer.step(**options)

    def update(self, new_scale: Any = None) -> None:
        """Let the scale grow, or shrink if something was not finite; or set it."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._found:
            raise AssertionError("GradScaler: update() comes after step()")
        elif any(self._found.values()):
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
        self._found, self._stepped = {}, set()

    def get_scale(self) -> float:
        """The scale; 1 if it does nothing."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """By which it grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Let it grow by another factor."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By which it shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Let it shrink by another factor."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many steps it grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Let it grow after another number of steps."""
        self._growth_interval = new_interval

    def state_dict(self) -> dict[str, Any]:
        """The scale and the options; nothing if it does nothing."""
        names = ("scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker")
        kept = {name: getattr(self, f"_{name.removeprefix('_')}") for name in names}
        return kept if self._enabled else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from where another was."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError("GradScaler: the state is that of one that did nothing")
        for name, value in state_dict.items():
            setattr(self, f"_{name.removeprefix('_')}", value)


class autocast(ContextDecorator):
    """A block, or a function, in which PyTorch would compute in a narrower type.

    Here it is computed as always: there is no bfloat16, which PyTorch takes on a processor like
    this one. A warning says so where that changes digits.

    Parameters
    ----------
    device_type : str
    dtype : optional
    enabled : bool
    cache_enabled : bool, optional
        Without effect.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> with tg.amp.autocast("cuda", enabled=tg.cuda.is_available()):
    ...     tg.ones(2, 2) @ tg.ones(2)
    tensor([2., 2.])
    """

    def __init__(
        self,
        device_type: str,
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(  # as PyTorch
                f"autocast: device_type must be a str, got {device_type!r:.60}"
            )
        self.device, self.fast_dtype = device_type, dtype
        self._enabled = enabled and device_type == "cpu"

    def __enter__(self) -> autocast:
        if self._enabled:
            warnings.warn(
                "autocast: computed as always, in more digits than PyTorch's bfloat16 has; pass "
                "enabled=False to say so",
                stacklevel=2,
            )
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing was changed."""


def is_autocast_available(device_type: str) -> bool:
    """Whether narrower types are computed with: never."""
    return False


__all__ = ["GradScaler", "autocast", "is_autocast_available"]

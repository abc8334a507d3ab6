"""`torch.cuda.amp`: the older names of `torch.amp`, for a device that is not there."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn import amp


class GradScaler(amp.GradScaler):
    """`amp.GradScaler` of "cuda": it does nothing."""

    def __init__(
        self,
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        super().__init__(
            "cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled
        )


class autocast(amp.autocast):
    """`amp.autocast` of "cuda": it does nothing."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


__all__ = ["GradScaler", "autocast"]

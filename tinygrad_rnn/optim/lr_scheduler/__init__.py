"""Learning rates that change as training goes on.

Most schedulers here compute a rate from the one before (`LRScheduler.get_lr`), so that several of
them, or one and a change by hand, work together.
"""

from tinygrad_rnn.optim.lr_scheduler.base import (
    LRScheduler,
)
from tinygrad_rnn.optim.lr_scheduler.cyclic import (
    CyclicLR,
    OneCycleLR,
)
from tinygrad_rnn.optim.lr_scheduler.formulas import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from tinygrad_rnn.optim.lr_scheduler.plateau import (
    ReduceLROnPlateau,
)
from tinygrad_rnn.optim.lr_scheduler.restarts import (
    CosineAnnealingWarmRestarts,
)
from tinygrad_rnn.optim.lr_scheduler.together import (
    ChainedScheduler,
    SequentialLR,
)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]

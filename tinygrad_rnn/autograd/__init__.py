"""Ways of differentiating: `backward`, `grad`, recording on and off, numerical checks."""

from tinygrad_rnn.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck, jacobians
from tinygrad_rnn.autograd.modes import (
    enable_grad,
    is_grad_enabled,
    keep_values,
    no_grad,
    scope,
    set_grad_enabled,
    step,
)
from tinygrad_rnn.autograd.walks import backward, grad

__all__ = [
    "GradcheckError",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "is_grad_enabled",
    "jacobians",
    "keep_values",
    "no_grad",
    "scope",
    "set_grad_enabled",
    "step",
]

"""Ways of differentiating: `backward`, `grad`, recording on and off, numerical checks."""

from tinygrad_rnn.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck, jacobians
from tinygrad_rnn.autograd.walks import backward, grad
from tinygrad_rnn.modes import (
    enable_grad,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)

__all__ = [
    "GradcheckError",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "is_grad_enabled",
    "jacobians",
    "no_grad",
    "set_grad_enabled",
]

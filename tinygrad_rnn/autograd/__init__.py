"""Ways of differentiating: `backward`, `grad`, one's own functions, Jacobians, numerical checks."""

from tinygrad_rnn.autograd import function, functional
from tinygrad_rnn.autograd.contexts import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from tinygrad_rnn.autograd.function import Function
from tinygrad_rnn.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck, jacobians
from tinygrad_rnn.autograd.variable import Variable
from tinygrad_rnn.autograd.walks import backward, grad
from tinygrad_rnn.tensor.collector import growing_graph


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "function",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "growing_graph",
    "inference_mode",
    "is_grad_enabled",
    "jacobians",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]

"""Functions of functions, with the names of ``torch.func``: `grad`, `vjp`, `jacrev`, `vmap`."""

from tinygrad_rnn.autograd.transforms import (
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    vjp,
    vmap,
)
from tinygrad_rnn.nn.utils.stateless import functional_call, stack_module_state


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "stack_module_state",
    "vjp",
    "vmap",
]

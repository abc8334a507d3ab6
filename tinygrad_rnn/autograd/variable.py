"""`Variable`: what tensors with a history were called before tensors had one themselves."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.tensor import Tensor


class _Variables(type):
    def __call__(cls, data: Any, requires_grad: bool = False, volatile: Any = None) -> Tensor:
        """See `Variable`."""
        if not isinstance(data, Tensor):
            raise TypeError(
                f"Variable: expected a tensor, got {type(data).__name__}; make one with tensor()"
            )
        return data.detach().requires_grad_(requires_grad)

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor)


class Variable(metaclass=_Variables):
    """A leaf that shares a tensor's memory: ``data.detach().requires_grad_(requires_grad)``.

    Old programs wrap every input in one. All tensors are variables; new programs need none.

    Parameters
    ----------
    data : Tensor
    requires_grad : bool
    volatile
        Without effect, as in PyTorch: what it meant is `no_grad`.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.autograd.Variable(tg.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

"""Parameter: a tensor that a module registers as its own when it is assigned to it."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.tensor import Tensor


class Parameter(Tensor):
    """A tensor that requires grad and that modules find among their attributes.

    Parameters
    ----------
    data : Tensor or anything `tensor` takes
        A tensor's memory is shared, as in PyTorch.
    requires_grad : bool

    Examples
    --------
    >>> from tinygrad_rnn import nn, tensor
    >>> nn.Parameter(tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __new__(cls, data: Any, requires_grad: bool = True) -> Parameter:
        """Make a parameter; see the class."""
        self = object.__new__(cls)
        self.array = data.array if isinstance(data, Tensor) else Tensor(data).array
        self.node = None
        self.requires_grad_(requires_grad)
        self._notes().role = "parameter"
        return self

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"

"""Parameter: a tensor that a module registers as its own when it is assigned to it."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from tinygrad_rnn.engine.graph import leaf
from tinygrad_rnn.engine.memory import apart
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import empty, to_array


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

    def __new__(cls, data: Any = (), requires_grad: bool = True) -> Parameter:
        """Make a parameter; see the class."""
        self = object.__new__(cls)
        self.array = apart(data.array) if isinstance(data, Tensor) else to_array(data)
        self.node = None
        self.requires_grad_(requires_grad)
        self._notes().role = "parameter"
        return self

    def _convert(self, dtype: np.dtype[Any]) -> None:
        """Become one of another type, with its gradient, but stay this object."""
        if dtype == self.dtype:
            return
        requires_grad, grad, notes = self.requires_grad, self.grad, self._notes()
        self.array = self.array.astype(dtype)
        self.node = leaf(self.array, requires_grad)  # what was recorded before stays as it is
        self.node.notes = notes
        self.grad = None if grad is None else grad.detach().to(dtype)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class UninitializedParameter(Parameter):
    """A parameter whose shape is not known yet: it becomes one when its module sees an input.

    Examples
    --------
    >>> from tinygrad_rnn import nn
    >>> w = nn.UninitializedParameter()
    >>> w.materialize((2, 3))
    >>> type(w).__name__, w.shape
    ('Parameter', torch.Size([2, 3]))
    """

    __slots__ = ()

    def __new__(
        cls, requires_grad: bool = True, device: Any = None, dtype: Any = None
    ) -> UninitializedParameter:
        """Make a parameter without elements; see the class."""
        nothing = empty(0, device=device, dtype=dtype)
        return cast("UninitializedParameter", super().__new__(cls, nothing, requires_grad))

    def materialize(self, shape: tuple[int, ...], device: Any = None, dtype: Any = None) -> None:
        """Become a `Parameter` of some shape, which stays this object."""
        requires_grad, notes = self.requires_grad, self._notes()
        kind = self.array.dtype if dtype is None else dtype
        self.array = empty(shape, device=device, dtype=kind).array
        self.node = leaf(self.array, requires_grad)
        self.node.notes = notes
        self.__class__ = Parameter  # type: ignore[assignment]

    def numel(self) -> int:
        """Refused: nobody knows yet."""
        raise ValueError(
            "an uninitialized parameter has no elements yet: let an input pass its module first"
        )

    def __repr__(self) -> str:
        return "<UninitializedParameter>"

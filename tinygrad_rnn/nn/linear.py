"""Linear layers."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn import init
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.parameter import Parameter, UninitializedParameter
from tinygrad_rnn.operations.dtypes import DTypeLike
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import empty


class Identity(Module):
    """The input itself; takes any arguments, so it can stand for any layer.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.Identity(54, unused=True)(tg.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The input."""
        return input


class Linear(Module):
    """y = x Wᵀ + b.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether there is b.
    device : "cpu", optional
    dtype : optional
        Type of the parameters.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features)
    bias : Parameter of shape (out_features,), or None
        Both drawn from U(−k, k) with k = 1/√in_features.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.nn.Linear(3, 2)(tg.ones(3))
    tensor([-0.1812, -0.0347], grad_fn=<ViewBackward0>)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        weight = empty(out_features, in_features, device=device, dtype=dtype)
        self.weight = Parameter(weight)
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters again."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (..., in_features) an output of shape (..., out_features)."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear`, of the name that PyTorch gives the last one of its attention."""


class LazyLinear(Linear):
    """A `Linear` that takes ``in_features`` from its first input, and is one then.

    Parameters
    ----------
    out_features : int
    bias : bool
    device : "cpu", optional
    dtype : optional

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> layer = tg.nn.LazyLinear(2)
    >>> layer(tg.ones(5, 3)).shape, layer
    (torch.Size([5, 2]), Linear(in_features=3, out_features=2, bias=True))
    """

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: DTypeLike = None
    ) -> None:
        Module.__init__(self)  # a `Linear` would draw what has no shape yet
        self.in_features, self.out_features = 0, out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        made = UninitializedParameter(device=device, dtype=dtype) if bias else None
        self.register_parameter("bias", made)

    def reset_parameters(self) -> None:
        """Draw the parameters again, if there are any yet."""
        if not isinstance(self.weight, UninitializedParameter):
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Take the number of features from an input, and draw the parameters."""
        self.in_features = input.shape[-1]
        shapes = ((self.out_features, self.in_features), (self.out_features,))
        for parameter, shape in zip((self.weight, self.bias), shapes):
            if isinstance(parameter, UninitializedParameter):
                parameter.materialize(shape)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        """Of an input of shape (..., in_features) an output of shape (..., out_features)."""
        if isinstance(self.weight, UninitializedParameter):
            self.initialize_parameters(input)
        self.__class__ = Linear  # type: ignore[assignment]
        return F.linear(input, self.weight, self.bias)


class Bilinear(Module):
    """y_k = x₁ᵀ W_k x₂ + b_k.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
    bias : bool
        Whether there is b.
    device : "cpu", optional
    dtype : optional
        Type of the parameters.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in1_features, in2_features)
    bias : Parameter of shape (out_features,), or None
        Both drawn from U(−k, k) with k = 1/√in1_features.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.Bilinear(3, 4, 5)(tg.ones(2, 3), tg.ones(2, 4)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        if in1_features < 1:
            raise ValueError(f"Bilinear: in1_features must be greater than zero: {in1_features}")
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters again."""
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """Of inputs (..., in1_features) and (..., in2_features) an output (..., out_features)."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )

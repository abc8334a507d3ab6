"""Nonlinearities as modules: `nn.functional`'s, with their options kept."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn import init
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.operations.dtypes import DTypeLike
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import full


class _Overwriting(Module):
    """A nonlinearity that can overwrite its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return ", ".join([*self._options(), *["inplace=True"] * bool(self.inplace)])

    def _options(self) -> list[str]:
        return []


class ReLU(_Overwriting):
    """max(x, 0).

    Parameters
    ----------
    inplace : bool
        Whether to overwrite the input.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.ReLU()(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.relu(input, self.inplace)


class ReLU6(_Overwriting):
    """min(max(x, 0), 6).

    Parameters
    ----------
    inplace : bool
        Whether to overwrite the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.relu6(input, self.inplace)


class LeakyReLU(_Overwriting):
    """``x`` for x > 0, else ``negative_slope`` · x.

    Parameters
    ----------
    negative_slope : float
    inplace : bool
        Whether to overwrite the input.
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def _options(self) -> list[str]:
        return [f"negative_slope={self.negative_slope}"]


class PReLU(Module):
    """``x`` for x > 0, else ``weight`` · x, with a weight that is learned.

    https://arxiv.org/abs/1502.01852

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels (the second axis), for one weight each.
    init : float
        Their first value.
    device : "cpu", optional
    dtype : optional
        Type of the parameter.

    Attributes
    ----------
    weight : Parameter of shape (num_parameters,)

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.PReLU()(tg.tensor([-1.0, 2.0])).detach()
    tensor([-0.2500,  2.0000])
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(full((num_parameters,), float(init), device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Set the weight to its first value."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"num_parameters={self.num_parameters}"


class ELU(_Overwriting):
    """``x`` for x > 0, else α · (eˣ − 1): https://arxiv.org/abs/1511.07289.

    Parameters
    ----------
    alpha : float
    inplace : bool
        Whether to overwrite the input.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.elu(input, self.alpha, self.inplace)

    def _options(self) -> list[str]:
        return [f"alpha={self.alpha}"]


class CELU(_Overwriting):
    """``x`` for x > 0, else α · (exp(x/α) − 1).

    Parameters
    ----------
    alpha : float
        Not 0.
    inplace : bool
        Whether to overwrite the input.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.celu(input, self.alpha, self.inplace)

    def _options(self) -> list[str]:
        return [f"alpha={self.alpha}"]


class SELU(_Overwriting):
    """A scaled ELU that keeps mean 0 and variance 1: https://arxiv.org/abs/1706.02515.

    Parameters
    ----------
    inplace : bool
        Whether to overwrite the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.selu(input, self.inplace)


class SiLU(_Overwriting):
    """``x · σ(x)``, also called swish.

    Parameters
    ----------
    inplace : bool
        Whether to overwrite the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.silu(input, self.inplace)


class Mish(_Overwriting):
    """``x · tanh(softplus(x))``: https://arxiv.org/abs/1908.08681.

    Parameters
    ----------
    inplace : bool
        Whether to overwrite the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.mish(input, self.inplace)


class GELU(Module):
    """``x · Φ(x)``, with the normal distribution function: https://arxiv.org/abs/1606.08415.

    Parameters
    ----------
    approximate : "none" or "tanh"
        How Φ is computed.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"approximate={self.approximate!r}"


class Hardtanh(_Overwriting):
    """``x`` cut off at ``min_val`` and ``max_val``.

    Parameters
    ----------
    min_val, max_val : float
    inplace : bool
        Whether to overwrite the input.

    Raises
    ------
    AssertionError
        If ``max_val`` is not greater than ``min_val``.
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not max_val > min_val:
            raise AssertionError(f"Hardtanh: max_val {max_val} is not greater than {min_val}")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def _options(self) -> list[str]:
        return [f"min_val={self.min_val}", f"max_val={self.max_val}"]


class Hardsigmoid(Module):
    """min(max(x + 3, 0), 6) / 6: a sigmoid of straight lines.

    Parameters
    ----------
    inplace : bool
        Whether to overwrite the input.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.Hardsigmoid()(tg.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.hardsigmoid(input, self.inplace)


class Hardswish(Module):
    """``x`` · `Hardsigmoid` (x).

    Parameters
    ----------
    inplace : bool
        Whether to overwrite the input.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.hardswish(input, self.inplace)


class Softplus(Module):
    """ln(1 + exp(β x)) / β; x itself where β x > ``threshold``.

    Parameters
    ----------
    beta, threshold : float
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.softsign(input)


class Tanh(Module):
    """tanh(x).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.Tanh()(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.tanh(input)


class Sigmoid(Module):
    """σ(x) = 1 / (1 + exp(−x)).

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.Sigmoid()(tg.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.sigmoid(input)


class LogSigmoid(Module):
    """ln σ(x), exact also where σ(x) rounds to 0."""

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.logsigmoid(input)


class _Along(Module):
    """A function along an axis."""

    def __init__(self, dim: Any = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"dim={self.dim}"


class GLU(_Along):
    """``a · σ(b)``, where a and b are the halves of the input along ``dim``.

    Parameters
    ----------
    dim : int
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim)

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.glu(input, self.dim)


class Softmax(_Along):
    """exp(x) / Σ exp(x) along ``dim``.

    Parameters
    ----------
    dim : int

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.Softmax(dim=1)(tg.tensor([[0.0, 1.0]]))
    tensor([[0.2689, 0.7311]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.softmax(input, self.dim)


class LogSoftmax(_Along):
    """``ln softmax(x)`` along ``dim``.

    Parameters
    ----------
    dim : int
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.log_softmax(input, self.dim)


class Softmin(_Along):
    """softmax(−x) along ``dim``.

    Parameters
    ----------
    dim : int
    """

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return F.softmin(input, self.dim)

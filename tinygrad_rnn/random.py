"""Random numbers: PyTorch's CPU stream, so that equal seeds give equal weights.

The generator is MT19937 seeded as PyTorch seeds it; a float32 uniform is the low 24 bits of one
word, a float64 uniform the low 53 bits of two.  NumPy's global random state is never touched.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.dtypes import DTypeLike, as_dtype, float32, float64, get_default_dtype
from tinygrad_rnn.functions.arguments import sizes_of, tensor_of
from tinygrad_rnn.functions.types import on_cpu
from tinygrad_rnn.tensor import Tensor, wrap


class Generator:
    """A stream of random numbers of its own.

    Examples
    --------
    >>> from tinygrad_rnn.random import Generator, rand
    >>> g = Generator()
    >>> _ = g.manual_seed(0)
    >>> rand(3, generator=g)
    tensor([0.4963, 0.7682, 0.0885])
    """

    def __init__(self) -> None:
        self.manual_seed(67280421310721)  # PyTorch's default seed

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream again from ``seed``; returns the generator."""
        self._words = np.random.RandomState(int(seed) & 0xFFFFFFFF)
        return self

    def uniform(self, count: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """``count`` numbers from [0, 1), float32 or float64."""
        if dtype == float32:
            words = self._words.randint(0, 2**32, size=count, dtype=np.uint32)
            return ((words & 0xFFFFFF) * np.float32(2.0**-24)).astype(float32)
        if dtype == float64:
            pairs = self._words.randint(0, 2**32, size=(count, 2), dtype=np.uint32)
            doubles = (pairs[:, 0].astype(np.uint64) << np.uint64(32)) | pairs[:, 1]
            return (doubles & np.uint64(2**53 - 1)) * 2.0**-53
        raise TypeError(f"uniform: expected float32 or float64, got {dtype}")


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(seed)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Uniform random numbers from [0, 1): PyTorch's, for the same seed."""
    on_cpu("rand", device)
    shape = sizes_of("rand", size)
    source = generator or default_generator
    array = source.uniform(int(np.prod(shape)), as_dtype(dtype or get_default_dtype()))
    made = wrap(array.reshape(shape), None)
    return made.requires_grad_() if requires_grad else made


def rand_like(
    input: Any,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Uniform random numbers from [0, 1), of the shape and type of ``input``.

    Raises
    ------
    RuntimeError
        If the type is not float32 or float64.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> _ = tg.manual_seed(0)
    >>> tg.rand_like(tg.zeros(1, 2))
    tensor([[0.4963, 0.7682]])
    """
    x = tensor_of("rand_like", input).array
    kind = x.dtype if dtype is None else as_dtype(dtype)
    if kind not in (float32, float64):
        raise RuntimeError(f"rand_like: expected float32 or float64, got {kind}")
    axes = sorted(range(x.ndim), key=lambda i: -x.strides[i])  # filled in the order of memory
    made = rand([x.shape[i] for i in axes], generator=generator, dtype=kind, device=device)
    made = wrap(made.array.transpose(np.argsort(axes)), None) if axes else made
    return made.requires_grad_() if requires_grad else made


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Fill a tensor in place with uniform numbers from [a, b); returns it."""
    u = default_generator.uniform(tensor.numel(), tensor.dtype).reshape(tensor.shape)
    low, high = tensor.dtype.type(a), tensor.dtype.type(b)
    # rounded once, after the whole of u·(high − low) + low, as PyTorch's fused operation does
    array = (u.astype(float64) * float64.type(high - low) + low).astype(tensor.dtype)
    return tensor.copy_(wrap(array, None))

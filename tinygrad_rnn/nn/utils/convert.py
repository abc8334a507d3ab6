"""Parameters as one vector, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tinygrad_rnn import operations
from tinygrad_rnn.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters in a row; gradients flow back to them.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.utils.parameters_to_vector([tg.tensor([1.0, 2.0]), tg.tensor([[3.0]])])
    tensor([1., 2., 3.])
    """
    flat = [operations.reshape(x, (-1,)) for x in parameters]
    if not flat:
        raise ValueError("parameters_to_vector: there are no parameters")
    vector: Tensor = operations.cat(flat)
    return vector


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Let parameters show the elements of a vector, whose memory they share from then on.

    Raises
    ------
    RuntimeError
        If the vector is too short.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.nn.Parameter(tg.zeros(1, 2))
    >>> tg.nn.utils.vector_to_parameters(tg.tensor([1.0, 2.0]), [w])
    >>> w.tolist()
    [[1.0, 2.0]]
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: expected a Tensor, got {type(vec).__name__}")
    rest = vec.detach()
    for parameter in parameters:
        count = math.prod(parameter.shape)
        if count > len(rest):
            raise RuntimeError(
                f"vector_to_parameters: {len(vec)} elements are too few, those left do not fill "
                f"a parameter of shape {parameter.array.shape}"
            )
        parameter.data, rest = rest[:count].view(parameter.shape), rest[count:]

"""Layers that change shapes."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_rnn import operations
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.tensor import Tensor


class Flatten(Module):
    """Several axes made one: all but the batch's, if nothing else is said.

    Parameters
    ----------
    start_dim, end_dim : int
        The first and the last of them.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.Flatten()(tg.ones(2, 3, 4)).shape
    torch.Size([2, 12])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return operations.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis made several.

    Parameters
    ----------
    dim : int
        The axis.
    unflattened_size : sequence of int
        What it becomes; one of them may be −1.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.Unflatten(1, (3, 4))(tg.ones(2, 12)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        sizes = unflattened_size
        if not isinstance(sizes, tuple | list) or not all(isinstance(n, int) for n in sizes):
            raise TypeError(f"Unflatten: unflattened_size must be a tuple of ints, got {sizes!r}")
        if not isinstance(dim, int):
            raise TypeError(f"Unflatten: dim must be an int, got {dim!r}: axes have no names here")
        self.dim, self.unflattened_size = dim, sizes

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        return operations.unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"

"""Embedding: a table of vectors."""

from __future__ import annotations

from typing import Any

from tinygrad_rnn.nn import functional as F
from tinygrad_rnn.nn import init
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.operations.dtypes import DTypeLike
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import empty


class Embedding(Module):
    """A table of vectors, looked up by number.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Numbers of rows and of columns.
    padding_idx : int, optional
        A row that is 0 at first and receives no gradient; negative ones count from the end.
    max_norm : float, optional
        The norm that rows may have: each time, longer ones among those looked up are scaled to it,
        in the table itself.
    norm_type : float
        Which norm: the p of the p-norm.
    scale_grad_by_freq, sparse : bool
        PyTorch's; only ``False`` is supported.
    device : "cpu", optional
    dtype : optional
        Type of the table.

    Attributes
    ----------
    weight : Parameter of shape (num_embeddings, embedding_dim)
        Drawn from the standard normal distribution.

    Raises
    ------
    AssertionError
        If ``padding_idx`` is not one of the rows.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> table = tg.nn.Embedding(10, 3, padding_idx=0)
    >>> table(tg.tensor([[1, 2, 0, 0]])).shape
    torch.Size([1, 4, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        if scale_grad_by_freq or sparse:
            raise NotImplementedError("Embedding: scale_grad_by_freq and sparse are not supported")
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError(
                    f"Embedding: padding_idx {padding_idx} is not one of {num_embeddings} rows"
                )
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx, self.max_norm, self.norm_type = padding_idx, max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        if _weight is None:
            made = empty(num_embeddings, embedding_dim, device=device, dtype=dtype)
            self.weight = Parameter(made, not _freeze)
            self.reset_parameters()
        elif _weight.shape == (num_embeddings, embedding_dim):
            self.weight = Parameter(_weight, not _freeze)
        else:
            raise AssertionError(
                f"Embedding: a weight of shape {_weight.array.shape} is not "
                f"({num_embeddings}, {embedding_dim})"
            )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An Embedding of given vectors, whose memory it shares.

        Parameters
        ----------
        embeddings : Tensor of shape (num_embeddings, embedding_dim)
        freeze : bool
            Whether they stay as they are: ``weight`` does not require grad.
        padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse
            See the class.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> table = tg.nn.Embedding.from_pretrained(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        >>> table(tg.tensor([1]))
        tensor([[3., 4.]])
        """
        if embeddings.ndim != 2:
            raise AssertionError(
                f"Embedding: expected a matrix of embeddings, got shape {embeddings.array.shape}"
            )
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def reset_parameters(self) -> None:
        """Draw the table again."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            row = self.weight.detach()[self.padding_idx]
            row.zero_()

    def forward(self, input: Tensor) -> Tensor:
        """The vectors of shape (*input.shape, embedding_dim) at an input of integers."""
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        return text


class EmbeddingBag(Module):
    """A table of vectors, of which each bag of numbers gets the mean, the sum or the largest.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Numbers of rows and of columns.
    max_norm, norm_type, scale_grad_by_freq, sparse
        As of `Embedding`.
    mode : "mean", "sum" or "max"
    include_last_offset : bool
        Whether the last of the offsets is where the last bag ends.
    padding_idx : int, optional
        A row that is 0 at first and does not count.
    device : "cpu", optional
    dtype : optional

    Attributes
    ----------
    weight : Parameter of shape (num_embeddings, embedding_dim)
        Drawn from the standard normal distribution.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.nn.EmbeddingBag(10, 3)(tg.tensor([[1, 2], [4, 4]])).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        if scale_grad_by_freq or sparse:
            raise NotImplementedError(
                "EmbeddingBag: scale_grad_by_freq and sparse are not supported"
            )
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError(
                    f"EmbeddingBag: padding_idx {padding_idx} is not one of {num_embeddings} rows"
                )
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.max_norm, self.norm_type, self.padding_idx = max_norm, norm_type, padding_idx
        self.scale_grad_by_freq, self.sparse, self.mode = scale_grad_by_freq, sparse, mode
        self.include_last_offset = include_last_offset
        if _weight is None:
            self.weight = Parameter(
                empty(num_embeddings, embedding_dim, device=device, dtype=dtype)
            )
            self.reset_parameters()
        elif _weight.shape == (num_embeddings, embedding_dim):
            self.weight = Parameter(_weight)
        else:
            raise AssertionError(
                f"EmbeddingBag: a weight of shape {_weight.array.shape} is not "
                f"({num_embeddings}, {embedding_dim})"
            )

    def reset_parameters(self) -> None:
        """Draw the table again."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            row = self.weight.detach()[self.padding_idx]
            row.zero_()

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        """Vectors of shape (bags, embedding_dim): see `nn.functional.embedding_bag`."""
        return F.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type,
            mode=self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        text += f", mode={self.mode!r}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        return text

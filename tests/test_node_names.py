"""What the nodes that end operations are called: as PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import leaf
from operations.harness import draw, tensors

import tinygrad_rnn as tg

X, CUBE = draw(3, 3), draw(2, 4, 1)
ENDS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "squeeze": (lambda lib, x: x.squeeze(), (CUBE,)),
    "squeeze of one axis": (lambda lib, x: x.squeeze(-1), (CUBE,)),
    "squeeze of the only one": (lambda lib, x: lib.squeeze(x, 0), (draw(1, 3),)),
    "squeeze of none": (lambda lib, x: x.squeeze(0), (CUBE,)),
    "squeeze of some": (lambda lib, x: x.squeeze((0, 2)), (CUBE,)),
    "flatten and reshape to fewer axes": (
        lambda lib, x: [x.flatten(), x.reshape(2, 4), x.view(8), x.flatten(1), x.ravel()], (CUBE,)
    ),
    "clamp_min": (lambda lib, x: x.clamp_min(0.1), (X,)),
    "clamp_min of a tensor": (lambda lib, x: x.clamp_min(x.detach()), (X,)),
    "clamp_max": (lambda lib, x: lib.clamp_max(x, 0.1), (X,)),
    "clamp": (lambda lib, x: x.clamp(0.1), (X,)),
    "einsum of matrices": (lambda lib, x, y: lib.einsum("ij,jk->ik", x, y), (X, X)),
    "einsum without a sum": (lambda lib, x, y: lib.einsum("ij,kl->ijkl", x, y), (X, X)),
    "einsum that sums": (lambda lib, x: lib.einsum("ij->i", x), (X,)),
    "einsum that sums all": (lambda lib, x: lib.einsum("ii", x), (X,)),
    "einsum that turns": (lambda lib, x: lib.einsum("ij->ji", x), (X,)),
    "einsum that does nothing": (lambda lib, x: lib.einsum("ij->ij", x * 2), (X,)),
    "einsum of three": (lambda lib, x, y: lib.einsum("bi,oi,bj->bo", x, y, x), (X, X)),
    "einsum of stacks": (lambda lib, x: lib.einsum("bij,bkj->bik", x, x), (CUBE,)),
    "einsum of one inner sum": (lambda lib, x, y: lib.einsum("ij,k->k", x, y), (X, draw(3))),
    "glu": (lambda lib, x: lib.nn.functional.glu(x), (draw(2, 4),)),
    "prelu": (lambda lib, x, w: lib.nn.functional.prelu(x, w), (X, draw(1))),
    "LayerNorm": (lambda lib, x: lib.nn.LayerNorm(3)(x), (X,)),
    "LayerNorm without bias": (lambda lib, x: lib.nn.LayerNorm(3, bias=False)(x), (X,)),
    "layer_norm": (lambda lib, x: lib.nn.functional.layer_norm(x, (3,)), (X,)),
    "BatchNorm1d": (lambda lib, x: lib.nn.BatchNorm1d(3)(x), (X,)),
    "BatchNorm1d, plain": (lambda lib, x: lib.nn.BatchNorm1d(3, affine=False)(x), (X,)),
    "BatchNorm1d, evaluation": (lambda lib, x: lib.nn.BatchNorm1d(4).eval()(x), (CUBE,)),
    **{
        f"pad, {mode}": (
            lambda lib, x, m=mode: lib.nn.functional.pad(x, (1, 1), m), (X,)
        )
        for mode in ("constant", "reflect", "replicate", "circular")
    },
    "pad of two axes": (
        lambda lib, x: lib.nn.functional.pad(x, (1, 1, 0, 1), "replicate"), (draw(2, 3, 3),)
    ),
    "cross_entropy of probabilities": (
        lambda lib, x, t: lib.nn.functional.cross_entropy(x, t.detach()), (X, X)
    ),
    "cross_entropy, smoothed": (
        lambda lib, x: lib.nn.functional.cross_entropy(
            x, lib.tensor([0, 1, 2]), label_smoothing=0.1
        ),
        (X,),
    ),
    "sum of a vector": (lambda lib, x: [x.sum(), x.sum(0), x.sum(0, True)], (draw(3),)),
    "mean of a vector": (lambda lib, x: [x.mean(), x.mean(-1), x.mean(dim=(0,))], (draw(3),)),
    "prod": (lambda lib, x: [x.prod(), x.prod(0), x[0].prod(0)], (X,)),
    "var_mean": (lambda lib, x: [*lib.var_mean(x), *lib.std_mean(x, 0)], (X,)),
    "diag": (lambda lib, x: [x.diag(), x[0].diag()], (X,)),
    "trace": (lambda lib, x: x.trace(), (X,)),
    "erfc and others": (
        lambda lib, x: [x.erfc(), x.frac(), x.deg2rad(), x.rad2deg(), x.nansum(), x.nansum(0)], (X,)
    ),
    "max of a number": (lambda lib, x: lib.max(x, 0), (draw(),)),
    "min of a number": (lambda lib, x: x.min(0), (draw(),)),
    "sort of a number": (lambda lib, x: x.sort(), (draw(),)),
    "median of a number": (lambda lib, x: x.median(0), (draw(),)),
    "kthvalue": (lambda lib, x: x.kthvalue(2), (X,)),
    "mode": (lambda lib, x: x.mode(), (X,)),
    "quantile": (lambda lib, x: x.quantile(0.5), (X,)),
    "cummax": (lambda lib, x: x.cummax(0), (X,)),
    "cummin": (lambda lib, x: x.cummin(0), (X,)),
    "logcumsumexp": (lambda lib, x: x.logcumsumexp(0), (X,)),
    "aminmax": (lambda lib, x: x.aminmax(), (X,)),
    "msort": (lambda lib, x: x.msort(), (X,)),
    "block_diag": (lambda lib, x, y: lib.block_diag(x, y), (X, X)),
    "column_stack": (lambda lib, x, y: lib.column_stack([x, y]), (X, X)),
    "rot90": (lambda lib, x: x.rot90(), (X,)),
    "diag_embed": (lambda lib, x: x.diag_embed(), (X,)),
    "cross": (lambda lib, x, y: x.cross(y, 0), (X, X)),
    "dist": (lambda lib, x, y: x.dist(y), (X, X)),
    "cdist": (lambda lib, x, y: lib.cdist(x, y), (X, X)),
    "cov": (lambda lib, x: x.cov(), (X,)),
    "corrcoef": (lambda lib, x: x.corrcoef(), (X,)),
    "cartesian_prod": (lambda lib, x, y: lib.cartesian_prod(x[0], y[0]), (X, X)),
    "written": (
        lambda lib, x: [
            changed(x, lambda v: v.__setitem__(0, 2.0)),
            changed(x, lambda v: v.__setitem__(lib.tensor([0, 1]), 2.0)),
            changed(x, lambda v: v[1:].mul_(2)),
            changed(x, lambda v: v.T[0].zero_()),
            changed(x, lambda v: v.__setitem__((0, 1), x[0, 0])),
        ],
        (X,),
    ),
    "index_copy and others": (
        lambda lib, x, y: [
            x.index_copy(0, lib.tensor([0]), y[:1]), x.index_fill(0, lib.tensor([0]), 2.0),
            x.masked_scatter(y.detach() > 0, y),
        ],
        (X, X),
    ),
    "linalg": (
        lambda lib, x: [
            lib.linalg.inv(x), lib.linalg.solve(x, x), lib.linalg.det(x), lib.linalg.matrix_exp(x),
            *lib.linalg.slogdet(x), *lib.linalg.qr(x), lib.linalg.cholesky(x @ x.T + 3),
            *lib.linalg.eigh(x), lib.linalg.eigvalsh(x), lib.logdet(x @ x.T),
        ],
        (X[:, :3] + 2 * np.eye(3, dtype=X.dtype),),
    ),
    "cumulative_trapezoid": (lambda lib, x: lib.cumulative_trapezoid(x), (X,)),
}  # fmt: skip


def changed(x: Any, how: Any) -> Any:
    """A tensor made of x, after it was changed in place."""
    y = x * 1
    how(y)
    return y


def ends(lib: Any, name: str) -> list[str]:
    fn, arrays = ENDS[name]
    made = tensors(fn(lib, *(leaf(lib, a) for a in arrays)))
    return [repr(y).rpartition("grad_fn=")[2] for y in made]


@pytest.mark.parametrize("name", ENDS)
def test_ends_are_called_as_in_pytorch(torch, name):
    assert ends(tg, name) == ends(torch, name)

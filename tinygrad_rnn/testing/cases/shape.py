"""Cases of primitives that move elements."""

from __future__ import annotations

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.testing.cases.table import Array, add_case, plain, received, signed

for _one, _two in [
    ((), (1, 1)),
    ((1,), ()),
    ((6,), (2, 3)),
    ((2, 3), (3, -1)),
    ((2, 3), (-1,)),
    ((0,), (2, 0)),
    ((1, 6), (3, 1, 2)),
]:
    add_case(
        "reshape",
        f"{_one} → {_two}",
        lambda lib, x, s=_two: lib.reshape(x, s),
        [signed(*_one)],
        lambda x, s=_two: x.reshape(s),
    )
add_case(
    "reshape",
    "of a transposed view",
    lambda lib, x: x.T.reshape(-1),
    [signed(2, 3)],
    lambda x: x.T.reshape(-1),
)
add_case("reshape", "squeeze", lambda lib, x: x.squeeze(-1), [signed(2, 1)], lambda x: x[:, 0])
add_case(
    "reshape", "unsqueeze", lambda lib, x: x.unsqueeze(-2), [signed(2, 3)], lambda x: x[:, None]
)

for _shape, _dims in [
    ((), ()),
    ((3,), (0,)),
    ((2, 3), (1, 0)),
    ((2, 3, 4), (2, 0, 1)),
    ((2, 1, 3), (-1, 0, -2)),
    ((0, 2), (1, 0)),
]:
    add_case(
        "permute",
        f"{_shape} to {_dims}",
        lambda lib, x, d=_dims: lib.permute(x, d),
        [signed(*_shape)],
        lambda x, d=_dims: np.transpose(x, d),
    )
add_case(
    "permute",
    "transpose",
    lambda lib, x: lib.transpose(x, 0, -1),
    [signed(2, 3, 4)],
    lambda x: x.swapaxes(0, -1),
)

for _one, _two in [
    ((), (3,)),
    ((1,), (4,)),
    ((3,), (2, 3)),
    ((2, 1, 3), (2, 4, 3)),
    ((1, 1), (2, 3)),
    ((1, 3), (0, 3)),
    ((2, 3), (2, 3)),
]:
    add_case(
        "expand",
        f"{_one} → {_two}",
        lambda lib, x, s=_two: x.expand(s),
        [signed(*_one)],
        lambda x, s=_two: np.broadcast_to(x, s),
    )
add_case(
    "expand",
    "−1 keeps a size",
    lambda lib, x: x.expand(2, -1, 4),
    [signed(3, 1)],
    lambda x: np.broadcast_to(x, (2, 3, 4)),
)

for _shape, _offset, _dim1, _dim2 in [
    ((3, 3), 0, 0, 1),
    ((2, 4), 1, 0, 1),
    ((4, 2), -1, 0, 1),
    ((2, 3), 5, 0, 1),
    ((2, 3, 4), -1, 2, 0),
    ((0, 2), 0, 1, 0),
]:
    add_case(
        "diagonal",
        f"{_shape}, {_offset}, {_dim1}, {_dim2}",
        lambda lib, x, args=(_offset, _dim1, _dim2): lib.diagonal(x, *args),
        [signed(*_shape)],
        lambda x, args=(_offset, _dim1, _dim2): np.diagonal(x, *args),
    )


def _embedded(x: Array, offset: int, dim1: int, dim2: int) -> Array:
    n = x.shape[-1] + abs(offset)
    last = np.zeros((*x.shape[:-1], n, n))
    for i in range(x.shape[-1]):
        last[..., i + max(0, -offset), i + max(0, offset)] = x[..., i]
    return np.moveaxis(last, (-2, -1), (dim1, dim2))


for _shape, _offset, _dim1, _dim2 in [
    ((3,), 0, -2, -1),
    ((2,), 1, 0, 1),
    ((2,), -2, 0, 1),
    ((2, 3), 1, 2, 0),
    ((2, 3), 0, 0, 2),
    ((0,), 1, 0, 1),
]:
    _whole = _embedded(np.zeros(_shape), _offset, _dim1, _dim2)
    add_case(
        "diag_embed",
        f"{_shape}, {_offset}, {_dim1}, {_dim2}",
        lambda lib, g, x=_whole, args=(_offset, _dim1, _dim2): received(
            lib, x, lambda y: lib.diagonal(y, *args), g
        ),
        [signed(*_shape)],
        lambda g, args=(_offset, _dim1, _dim2): _embedded(g, *args),
    )
add_case(
    "diag_embed", "diag", lambda lib, x: lib.diag(x, -1), [signed(3)], lambda x: np.diag(x, -1)
)

for _operation, _ref in [(tg.tril, np.tril), (tg.triu, np.triu)]:
    _call = plain(_operation)
    for _shape, _offset in [((3, 3), 0), ((2, 4), 1), ((4, 2), -1), ((2, 2, 3), 9), ((0, 2), 0)]:
        add_case(
            _operation,
            f"{_shape}, {_offset}",
            lambda lib, x, f=_call, k=_offset: f(lib, x, k),
            [signed(*_shape)],
            lambda x, r=_ref, k=_offset: r(x, k),
        )

for _shape, _dims in [
    ((), ()),
    ((3,), (0,)),
    ((2, 3), (-1,)),
    ((2, 3, 2), (0, 2)),
    ((2, 3), ()),
    ((0, 2), (0,)),
]:
    add_case(
        "flip",
        f"{_shape}, {_dims}",
        lambda lib, x, d=_dims: lib.flip(x, d),
        [signed(*_shape)],
        lambda x, d=_dims: np.flip(x, d),
    )

for _shape, _shifts, _dims in [
    ((), 1, None),
    ((4,), 1, 0),
    ((2, 3), -4, 1),
    ((2, 3), 2, None),
    ((2, 3, 2), (1, 2), (2, -2)),
    ((2, 3), (1, 1), (1, 1)),
    ((0, 2), 1, 0),
]:
    add_case(
        "roll",
        f"{_shape}, {_shifts}, {_dims}",
        lambda lib, x, s=_shifts, d=_dims: lib.roll(x, s, d),
        [signed(*_shape)],
        lambda x, s=_shifts, d=_dims: np.roll(x, s, d),
    )

for _shape, _counts in [
    ((), ()),
    ((), (2, 3)),
    ((3,), (2,)),
    ((2, 3), (2, 1, 2)),
    ((2, 1), (1, 1)),
    ((2, 3), (0, 2)),
    ((0,), (2,)),
]:
    add_case(
        "repeat",
        f"{_shape}, {_counts}",
        lambda lib, x, n=_counts: x.repeat(n),
        [signed(*_shape)],
        lambda x, n=_counts: np.tile(x, n),
    )

for _shape, _count, _axis in [((), 2, None), ((3,), 2, 0), ((2, 3), 3, -1), ((2, 3), 2, None),
                              ((2, 3), 0, 0), ((0, 2), 2, 0)]:  # fmt: skip
    add_case(
        "repeat_interleave",
        f"{_shape}, {_count}, {_axis}",
        lambda lib, x, n=_count, d=_axis: lib.repeat_interleave(x, n, d),
        [signed(*_shape)],
        lambda x, n=_count, d=_axis: np.repeat(x, n, d),
    )

for _dim, _shapes in [
    (0, [(2,), (3,)]),
    (1, [(2, 1), (2, 3)]),
    (-2, [(1, 2), (3, 2), (2, 2)]),
    (0, [(2, 2)]),
    (0, [(2, 3), (0, 3)]),
    (0, [(0,), (0,)]),
    (1, [(2, 2, 3), (2, 1, 3)]),
]:
    add_case(
        "cat",
        f"{_shapes}, dim={_dim}",
        lambda lib, *xs, d=_dim: lib.cat(xs, d),
        [signed(*s) for s in _shapes],
        lambda *xs, d=_dim: np.concatenate(xs, d),
    )
add_case(
    "cat",
    "a tensor with itself",
    lambda lib, x: lib.cat([x, x.T], -1),
    [signed(2, 2)],
    lambda x: np.concatenate([x, x.T], -1),
)

for _dim, _shape in [(0, ()), (0, (3,)), (1, (2, 3)), (-1, (2, 3)), (-3, (2, 3)), (0, (0,))]:
    add_case(
        "stack",
        f"{_shape}, dim={_dim}",
        lambda lib, *xs, d=_dim: lib.stack(xs, d),
        [signed(*_shape) for _ in range(2)],
        lambda *xs, d=_dim: np.stack(xs, d),
    )
add_case(
    "stack",
    "a tensor with itself",
    lambda lib, x: lib.stack([x, x, x]),
    [signed(2)],
    lambda x: np.stack([x, x, x]),
)

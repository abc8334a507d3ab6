"""Calls of losses that ask for a distance, or are likelihoods (see `operations.nn` for others)."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from operations.harness import INF, NAN, call, draw
from operations.nn import of

_REDUCTIONS = ("none", "mean", "sum")
_PAIRS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((), ()), ((4,), (4,)), ((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((0, 3), (0, 3)),
    ((2, 3), (2,)), ((2, 3), (2, 1)),
]  # fmt: skip


def signs(*shape: int, dtype: Any = "float32") -> np.ndarray:
    """Random targets, 1 or −1."""
    return np.where(draw(*shape, dtype="bool"), 1, -1).astype(dtype)


def told(name: str, *arguments: Any, **options: Any) -> Any:
    """A call of a loss whose last operand, the targets, gets no gradient."""
    loss = of(name, *arguments, **options)
    return lambda lib, *xs: loss(lib, *xs[:-1], xs[-1].detach())


# -- of scores -----------------------------------------------------------------------------------

for (_input, _target), _reduce in product(_PAIRS, _REDUCTIONS):
    _label = f"{_input}, {_target}, {_reduce}"
    _x, _t = draw(*_input), signs(*_target)
    call("hinge_embedding_loss", _label, told("hinge_embedding_loss", reduction=_reduce), _x, _t)
    call("soft_margin_loss", _label, told("soft_margin_loss", reduction=_reduce), _x, _t)
    _three = (_x, draw(*_target), _t)
    call("margin_ranking_loss", _label, of("margin_ranking_loss", reduction=_reduce), *_three)
    call(
        "multilabel_soft_margin_loss", _label, of("multilabel_soft_margin_loss", reduction=_reduce),
        _x, (_t + 1) / 2,
    )  # fmt: skip
    for _log, _full in product((True, False), (True, False)):
        _low = -1 if _log else 0.1
        call(
            "poisson_nll_loss", f"{_label}, {_log}, {_full}",
            of("poisson_nll_loss", _log, _full, reduction=_reduce),
            draw(*_input, low=_low), draw(*_target, low=0.1, high=4),
        )  # fmt: skip
for _margin in (0.0, 0.3, -0.5, 2, "1"):
    _x, _t = draw(3, 4), signs(3, 4)
    call("hinge_embedding_loss", f"margin {_margin}", told("hinge_embedding_loss", _margin), _x, _t)
    call("margin_ranking_loss", f"margin {_margin}", of("margin_ranking_loss", _margin), _x, _x, _t)
_ODD = np.array([0.0, 1.0, -1.0, 0.5], np.float32)
call("hinge_embedding_loss", "other targets", told("hinge_embedding_loss"), draw(4), _ODD)
call("hinge_embedding_loss", "kinks", told("hinge_embedding_loss"), [1.0, 0.0, NAN, INF], [-1] * 4)
call("soft_margin_loss", "targets that require grad", of("soft_margin_loss"), draw(3), draw(3))
call("soft_margin_loss", "far", told("soft_margin_loss"), [50.0, -50.0], [1.0, 1.0])
for _weight in (draw(3), draw(1), draw(2), draw(2, 3)):
    call(
        "multilabel_soft_margin_loss", f"weight {_weight.shape}",
        of("multilabel_soft_margin_loss"), draw(2, 3), draw(2, 3, low=0, high=1), _weight,
    )  # fmt: skip
call("poisson_nll_loss", "eps", of("poisson_nll_loss", False, eps=0.5), draw(3, low=0), draw(3))
for _name in ("hinge_embedding_loss", "soft_margin_loss", "poisson_nll_loss",
              "multilabel_soft_margin_loss"):  # fmt: skip
    call(_name, "reduction", told(_name, reduction="average"), draw(3), signs(3))
    for _dtype in ("float64", "float16", "int64"):
        _fn, _near = told(_name), 2e-3 if _dtype == "float16" else 1e-6
        _targets = signs(2, 3, dtype=_dtype)
        call(_name, f"targets of {_dtype}", _fn, draw(2, 3), _targets, tolerance=_near)
        if _name != "hinge_embedding_loss" or _dtype != "int64":  # a mean of integers
            _inputs = draw(2, 3, dtype=_dtype)
            call(_name, f"inputs of {_dtype}", _fn, _inputs, signs(2, 3), tolerance=_near)
for _dtype in ("float64", "int64", "int32"):
    _pair = (draw(2, 3), draw(2, 3, dtype=_dtype))
    call("margin_ranking_loss", f"{_dtype}", told("margin_ranking_loss"), *_pair, signs(2, 3))

# -- of vectors ----------------------------------------------------------------------------------

for _shapes, _reduce, _margin in product(
    [((2, 3), (2, 3), (2,)), ((3,), (3,), ()), ((2, 3), (1, 3), (2,)), ((0, 3), (0, 3), (0,)),
     ((2, 3), (2, 3), ()), ((3,), (2, 3), ()), ((2, 3), (2, 3), (3,)), ((2, 3), (2, 3), (2, 3)),
     ((2, 3), (2, 4), (2,))],
    _REDUCTIONS, (0, 0.4, -0.5),
):  # fmt: skip
    _one, _two, _target = _shapes
    call(
        "cosine_embedding_loss", f"{_shapes}, {_reduce}, margin {_margin}",
        of("cosine_embedding_loss", _margin, reduction=_reduce),
        draw(*_one), draw(*_two), signs(*_target, dtype="int64"),
    )  # fmt: skip
call("cosine_embedding_loss", "zeros", of("cosine_embedding_loss"), np.zeros((2, 3)), draw(2, 3),
     signs(2, dtype="int64"))  # fmt: skip
for _dtype in ("float64", "float16"):
    _pair = (draw(2, 3, dtype=_dtype), draw(2, 3, dtype=_dtype))
    call("cosine_embedding_loss", _dtype, told("cosine_embedding_loss"), *_pair, signs(2))

for _pair, _p, _keep in product(
    [((2, 3), (2, 3)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 4, 3), (4, 3)),
     ((0, 3), (0, 3)), ((2, 3), (2, 4)), ((), ())],
    (2.0, 1, 3, 0.5, INF), (False, True),
):  # fmt: skip
    call(
        "pairwise_distance", f"{_pair}, p={_p}, {_keep}",
        of("pairwise_distance", _p, keepdim=_keep), draw(*_pair[0]), draw(*_pair[1]),
    )  # fmt: skip
_SAME = draw(2, 3)
for _p in (2.0, 1.0):
    call("pairwise_distance", f"equal, p={_p}", of("pairwise_distance", _p), _SAME, _SAME)
call("pairwise_distance", "eps", of("pairwise_distance", eps=0.5), _SAME, draw(2, 3))
for _dtype in ("float64", "float16", "int64"):
    call("pairwise_distance", _dtype, of("pairwise_distance"), draw(2, 3, dtype=_dtype), _SAME)

_TRIPLES = [((2, 3),) * 3, ((3,),) * 3, ((2, 3), (1, 3), (2, 3)), ((2, 3), (2, 3), (3,)),
            ((2, 4, 3),) * 3]  # fmt: skip
for _shapes, _reduce, _p, _swap in product(_TRIPLES, _REDUCTIONS, (2, 1), (False, True)):
    call(
        "triplet_margin_loss", f"{_shapes}, {_reduce}, p={_p}, {_swap}",
        of("triplet_margin_loss", 1.5, _p, swap=_swap, reduction=_reduce),
        *(draw(*s) for s in _shapes),
    )  # fmt: skip
for _margin in (0, -1.0, 0.5, "1"):
    for _name in ("triplet_margin_loss", "triplet_margin_with_distance_loss"):
        _three = (draw(2, 3), draw(2, 3), draw(2, 3))
        call(_name, f"margin {_margin}", of(_name, margin=_margin), *_three)
for _swap, _reduce in product((False, True), _REDUCTIONS):
    call(
        "triplet_margin_with_distance_loss", f"{_swap}, {_reduce}",
        lambda lib, *xs, s=_swap, r=_reduce: (
            lib.nn.functional.triplet_margin_with_distance_loss(
                *xs, distance_function=lambda x, y: (x - y).abs().sum(-1), swap=s, reduction=r
            )
        ),
        draw(4, 3), draw(4, 3), draw(4, 3),
    )  # fmt: skip
for _name in ("triplet_margin_loss", "triplet_margin_with_distance_loss"):
    call(_name, "reduction", of(_name, reduction="x"), *(draw(2, 3) for _ in range(3)))

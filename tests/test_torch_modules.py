"""Modules beside PyTorch's of the same options: weights, outputs, gradients of two orders, repr."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from cases import assert_same, leaf, outcome
from operations.harness import tensors

import tinygrad_rnn as tg


class Made(NamedTuple):
    """A module to be built, and arrays to call it with: those of floats get gradients."""

    build: Callable[[Any], Any]
    arrays: tuple[np.ndarray, ...]
    prepare: Callable[..., Any] = lambda module, *xs: module(*xs)


RNG = np.random.default_rng(3)


def floats(*shape: int) -> np.ndarray:
    return np.asarray(RNG.uniform(-2, 2, shape))


def signs(*shape: int) -> np.ndarray:
    return np.asarray(RNG.integers(0, 2, shape) * 2 - 1)


def results(lib: Any, made: Made) -> Any:
    """Values of what the module has and makes, and gradients of first and second order."""
    lib.manual_seed(0)
    module = made.build(lib)
    weights = {name: value.clone() for name, value in module.state_dict().items()}
    module.double()
    xs = [leaf(lib, a) if a.dtype.kind == "f" else lib.from_numpy(a.copy()) for a in made.arrays]
    outputs = [y for y in tensors(made.prepare(module, *xs)) if y is not None]
    wanted = [x for x in (*xs, *module.parameters()) if x.requires_grad]
    ends = [y for y in outputs if y.requires_grad]
    loss = sum((y * y * (i + 1)).sum() for i, y in enumerate(ends))
    first = lib.autograd.grad(loss, wanted, create_graph=True, allow_unused=True)
    slope = sum((g * g).sum() for g in first if g is not None and g.requires_grad)
    second = lib.autograd.grad(slope, wanted, allow_unused=True, materialize_grads=True)
    after = list(module.state_dict().values())
    return repr(module), weights, [outputs, list(first), list(second), after]


def assert_alike(torch: Any, made: Made, what: str) -> None:
    answers = []
    for lib in (tg, torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answers.append(outcome(lambda lib=lib: results(lib, made)))
    ours, theirs = answers
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs), f"{what}: {ours!r}, but PyTorch: {theirs!r:.300}"
        return
    if isinstance(ours, Exception):
        raise AssertionError(f"{what}: refused, but PyTorch computes it") from ours
    assert ours[0] == theirs[0], what
    assert list(ours[1]) == list(theirs[1]), what
    for name in ours[1]:
        assert_same(ours[1][name], theirs[1][name], f"{what}: {name}", 2e-6)
    for kind, mine, reference in zip(
        ("output", "gradient", "second gradient", "state"), ours[2], theirs[2], strict=True
    ):
        for i, (a, b) in enumerate(zip(mine, reference, strict=True)):
            assert_same(a, b, f"{what}: {kind} {i}", 1e-5)  # of weights that are drawn in float32


def assert_same_signature(ours: Any, theirs: Any, what: str) -> None:
    """Names, order and defaults of what can be given are PyTorch's."""
    mine, reference = (inspect.signature(fn).parameters.values() for fn in (ours, theirs))
    assert [(p.name, p.default) for p in mine] == [(p.name, p.default) for p in reference], what


# -- losses --------------------------------------------------------------------------------------

PAIR, TRIPLE = (floats(3, 4), floats(3, 4)), (floats(3, 4), floats(3, 4), floats(3, 4))
LOSSES: dict[str, tuple[list[dict[str, Any]], tuple[np.ndarray, ...]]] = {
    "HingeEmbeddingLoss": ([{}, {"margin": 0.3}], (floats(3, 4), signs(3, 4))),
    "MarginRankingLoss": ([{}, {"margin": 0.3}], (*PAIR, signs(3, 4))),
    "CosineEmbeddingLoss": ([{}, {"margin": -0.2}], (*PAIR, signs(3))),
    "SoftMarginLoss": ([{}], (floats(3, 4), signs(3, 4))),
    "MultiLabelSoftMarginLoss": ([{}], (floats(3, 4), (signs(3, 4) + 1) // 2)),
    "TripletMarginLoss": ([{}, {"p": 1.0, "swap": True}, {"margin": 0}], TRIPLE),
    "TripletMarginWithDistanceLoss": ([{}, {"swap": True, "margin": 2.0}, {"margin": -1}], TRIPLE),
    "PoissonNLLLoss": ([{}, {"full": True}], (floats(3, 4), np.abs(signs(3, 4)) * 2)),
}


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(torch, name, reduction):
    all_options, arrays = LOSSES[name]
    for options in all_options:
        made = Made(lambda lib, o=options: getattr(lib.nn, name)(**o, reduction=reduction), arrays)
        assert_alike(torch, made, f"{name}({options}, {reduction})")
    assert_same_signature(getattr(tg.nn, name), getattr(torch.nn, name), name)


@pytest.mark.parametrize("options", [{}, {"p": 1.0}, {"keepdim": True}, {"eps": 0.1}], ids=str)
def test_pairwise_distance(torch, options):
    assert_alike(torch, Made(lambda lib: lib.nn.PairwiseDistance(**options), PAIR), str(options))


FUNCTIONS = """
    hinge_embedding_loss margin_ranking_loss cosine_embedding_loss soft_margin_loss
    multilabel_soft_margin_loss triplet_margin_loss triplet_margin_with_distance_loss
    poisson_nll_loss group_norm embedding_bag gumbel_softmax threshold tanhshrink
""".split()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_pytorchs_signatures(torch, name):
    ours, theirs = (getattr(lib.nn.functional, name) for lib in (tg, torch))
    assert_same_signature(ours, theirs, name)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_nodes_of_losses_have_pytorchs_names(torch, reduction):
    def names(lib: Any) -> list[str]:
        F, (x, y, z) = lib.nn.functional, (leaf(lib, a) for a in TRIPLE)
        t = lib.ones(3, 4)
        losses = [
            F.hinge_embedding_loss(x, t, reduction=reduction),
            F.margin_ranking_loss(x, y, t, reduction=reduction),
            F.cosine_embedding_loss(x, y, t[:, 0], reduction=reduction),
            F.soft_margin_loss(x, t, reduction=reduction),
            F.triplet_margin_loss(x, y, z, reduction=reduction),
            F.poisson_nll_loss(x, t, reduction=reduction),
            F.pairwise_distance(x, y),
        ]
        return [repr(y).rpartition("grad_fn=")[2] for y in losses]

    assert names(tg) == names(torch)


# -- attention -----------------------------------------------------------------------------------

SELF, CROSS = (floats(3, 2, 4),), (floats(3, 2, 4), floats(5, 2, 4), floats(5, 2, 4))
OTHERS = (floats(3, 2, 4), floats(5, 2, 3), floats(5, 2, 6))
PADDED = np.array([[False] * 4 + [True], [False, True, False, False, False]])
AHEAD = np.triu(np.ones((3, 3), bool), 1)
ATTENTION: dict[str, tuple[dict[str, Any], tuple[np.ndarray, ...], Callable[..., Any]]] = {
    "self": ({}, SELF, lambda m, x: m(x, x, x)),
    "self without bias": ({"bias": False}, SELF, lambda m, x: m(x, x, x)),
    "cross": ({}, CROSS, lambda m, *xs: m(*xs)),
    "no batch": ({}, tuple(x[:, 0] for x in CROSS), lambda m, *xs: m(*xs)),
    "batch first": ({"batch_first": True}, SELF, lambda m, x: m(x, x, x)),
    "batch first, no batch": ({"batch_first": True}, (floats(3, 4),), lambda m, x: m(x, x, x)),
    "other features": ({"kdim": 3, "vdim": 6}, OTHERS, lambda m, *xs: m(*xs)),
    "other features, no bias": (
        {"kdim": 3, "vdim": 6, "bias": False, "add_bias_kv": True}, OTHERS, lambda m, *xs: m(*xs)
    ),
    "bias of keys": ({"add_bias_kv": True}, CROSS, lambda m, *xs: m(*xs)),
    "zeros": ({"add_zero_attn": True, "add_bias_kv": True}, CROSS, lambda m, *xs: m(*xs)),
    "padding": ({}, (*CROSS, PADDED), lambda m, *xs: m(*xs)),
    "padding of numbers": ({}, (*CROSS, PADDED * -1e9), lambda m, *xs: m(*xs[:3], xs[3].detach())),
    "padding, one more": ({"add_bias_kv": True}, (*CROSS, PADDED), lambda m, *xs: m(*xs)),
    "each head": ({}, CROSS, lambda m, *xs: m(*xs, average_attn_weights=False)),
    "no weights": ({}, CROSS, lambda m, *xs: m(*xs, need_weights=False)),
    "no weights, zeros": (
        {"add_zero_attn": True}, (*CROSS, PADDED), lambda m, *xs: m(*xs, need_weights=False)
    ),
    "causal": ({}, (*SELF, AHEAD), lambda m, x, a: m(x, x, x, attn_mask=a)),
    "causal by hint": (
        {}, (*SELF, AHEAD), lambda m, x, a: m(x, x, x, None, False, a, is_causal=True)
    ),
    "a hint alone": ({}, SELF, lambda m, x: m(x, x, x, is_causal=True)),
    "a mask for each head": (
        {}, (*SELF, floats(4, 3, 3)), lambda m, x, a: m(x, x, x, attn_mask=a.detach())
    ),
    "a mask for each head, no weights": (
        {}, (*SELF, floats(4, 3, 3)),
        lambda m, x, a: m(x, x, x, need_weights=False, attn_mask=a.detach()),
    ),
    "both masks": (
        {}, (*SELF, AHEAD, PADDED[:, 2:]),
        lambda m, x, a, p: m(x, x, x, p, attn_mask=a, average_attn_weights=False),
    ),
    "a mask of integers": ({}, (*SELF, AHEAD * 1), lambda m, x, a: m(x, x, x, attn_mask=a)),
    "a mask of another shape": ({}, (*SELF, AHEAD[:2]), lambda m, x, a: m(x, x, x, attn_mask=a)),
    "a mask of too many axes": (
        {}, (*SELF, AHEAD[None, None]), lambda m, x, a: m(x, x, x, attn_mask=a)
    ),
    "padding of another shape": ({}, (*SELF, PADDED), lambda m, x, p: m(x, x, x, p)),
    "padding of one axis": ({}, (*SELF, PADDED[0]), lambda m, x, p: m(x, x, x, p)),
    "too few features": ({}, (floats(3, 2, 3),), lambda m, x: m(x, x, x)),
    "four axes": ({}, (floats(1, 3, 2, 4),), lambda m, x: m(x, x, x)),
    "keys without a batch": ({}, SELF, lambda m, x: m(x, x[:, 0], x[:, 0])),
    "fewer values": ({}, SELF, lambda m, x: m(x, x, x[:2])),
    "dropout": ({"dropout": 0.5}, CROSS, lambda m, *xs: m(*xs)),
    "dropout, no weights": ({"dropout": 0.5}, CROSS, lambda m, *xs: m(*xs, need_weights=False)),
    "evaluation": ({"dropout": 0.5}, CROSS, lambda m, *xs: m.eval()(*xs)),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTENTION)
def test_multihead_attention(torch, name):
    options, arrays, call = ATTENTION[name]
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # has derivatives
        made = Made(lambda lib: lib.nn.MultiheadAttention(4, 2, **options), arrays, call)
        assert_alike(torch, made, name)


@pytest.mark.parametrize("sizes", [(4, 3), (0, 1), (4, 0), (6, 3), (4, 1)], ids=str)
def test_sizes_of_multihead_attention(torch, sizes):
    features = max(sizes[0], 1)
    made = Made(
        lambda lib: lib.nn.MultiheadAttention(*sizes), (floats(3, 2, features),),
        lambda m, x: m(x, x, x),
    )  # fmt: skip
    assert_alike(torch, made, str(sizes))


def test_attention_has_pytorchs_signatures(torch):
    assert_same_signature(tg.nn.MultiheadAttention, torch.nn.MultiheadAttention, "")
    for fn in (lambda lib: lib.nn.MultiheadAttention.forward,
               lambda lib: lib.nn.functional.multi_head_attention_forward):  # fmt: skip
        assert_same_signature(fn(tg), fn(torch), "")


def test_nodes_of_attention_have_pytorchs_names(torch):
    def names(lib: Any) -> list[str]:
        x = leaf(lib, SELF[0].astype("float32"))
        made = [
            *lib.nn.MultiheadAttention(4, 2)(x, x, x),
            *lib.nn.MultiheadAttention(4, 2)(x, x, x, average_attn_weights=False),
            lib.nn.MultiheadAttention(4, 2, batch_first=True)(x, x, x)[0],
            *lib.nn.MultiheadAttention(4, 2)(x[:, 0], x[:, 0], x[:, 0]),
        ]
        return [repr(y).rpartition("grad_fn=")[2] for y in made]

    assert names(tg) == names(torch)


# -- windows -------------------------------------------------------------------------------------

LINES, PICTURES = (floats(2, 4, 6),), (floats(2, 4, 5, 6),)
OF_LINES = [
    {"kernel_size": 2}, {"kernel_size": (3,), "stride": 2, "bias": False},
    {"kernel_size": 3, "padding": 1, "dilation": 2, "groups": 2},
    {"kernel_size": 2, "padding": "same"}, {"kernel_size": 3, "padding": "valid"},
    *({"kernel_size": 3, "padding": 2, "padding_mode": m} for m in ("reflect", "circular")),
    {"kernel_size": 4, "padding": "same", "padding_mode": "replicate"},
    {"kernel_size": 2, "groups": 0}, {"kernel_size": 2, "groups": 3},
    {"kernel_size": 2, "padding": "x"}, {"kernel_size": 2, "padding": "same", "stride": 2},
    {"kernel_size": 2, "padding_mode": "x"}, {"kernel_size": 9},
]  # fmt: skip
OF_PICTURES = [
    *OF_LINES[:1], *OF_LINES[2:], {"kernel_size": (2, 3), "stride": (1, 2), "padding": (1, 0)},
    {"kernel_size": (1, 3), "padding": "same", "dilation": (1, 2)},
    {"kernel_size": (2, 3), "padding": (2, 1), "padding_mode": "circular"},
]  # fmt: skip
BACK = [
    {"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
    {"kernel_size": 2, "groups": 2, "bias": False, "dilation": 2},
    {"kernel_size": 2, "padding_mode": "reflect"}, {"kernel_size": 2, "groups": 3},
]  # fmt: skip


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("Conv1d", options) for options in OF_LINES),
        *(("Conv2d", options) for options in OF_PICTURES),
        *((f"ConvTranspose{n}d", options) for options in BACK for n in (1, 2)),
    ],
    ids=str,
)
def test_convolutions(torch, name, options, batched):
    (x,) = LINES if "1d" in name else PICTURES
    made = Made(
        lambda lib: getattr(lib.nn, name)(4, 6, **options),
        (x if batched else x[0],),
    )
    assert_alike(torch, made, f"{name}({options})")
    assert_same_signature(getattr(tg.nn, name), getattr(torch.nn, name), name)


@pytest.mark.parametrize("size", [(12,), (13,), (11,), (14,), (2, 6, 13), (3, 3, 3, 3)], ids=str)
def test_the_size_of_a_transposed_convolution(torch, size):
    made = Made(
        lambda lib: lib.nn.ConvTranspose1d(4, 6, 2, stride=2), LINES,
        lambda m, x: m(x, output_size=size),
    )  # fmt: skip
    assert_alike(torch, made, str(size))
    square = Made(
        lambda lib: lib.nn.ConvTranspose2d(4, 6, 2, stride=2), PICTURES,
        lambda m, x: m(x, output_size=(10, *size)),
    )  # fmt: skip
    assert_alike(torch, square, str(size))


POOLS: list[tuple[str, dict[str, Any]]] = [
    *((f"MaxPool{n}d", o) for n in (1, 2) for o in (
        {"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": 2, "return_indices": True, "ceil_mode": True, "stride": 3},
    )),
    *((f"AvgPool{n}d", o) for n in (1, 2) for o in (
        {"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
        {"kernel_size": 3, "padding": 1, "count_include_pad": False},
    )),
    ("AvgPool2d", {"kernel_size": (2, 3), "divisor_override": 3}),
    *((f"Adaptive{kind}Pool{n}d", {"output_size": size})
      for n in (1, 2) for kind in ("Avg", "Max") for size in (1, 4, 9)),
    ("AdaptiveAvgPool2d", {"output_size": (None, 3)}),
    ("AdaptiveMaxPool2d", {"output_size": (2, 3)}),
    ("AdaptiveMaxPool1d", {"output_size": 2, "return_indices": True}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), POOLS, ids=str)
def test_pooling(torch, name, options):
    arrays = LINES if "1d" in name else PICTURES
    assert_alike(torch, Made(lambda lib: getattr(lib.nn, name)(**options), arrays), name)
    assert_same_signature(getattr(tg.nn, name), getattr(torch.nn, name), name)


def test_nodes_of_windows_have_pytorchs_names(torch):
    def names(lib: Any) -> list[str]:
        nn, F = lib.nn, lib.nn.functional
        x, y = (leaf(lib, a[0].astype("float32")) for a in (LINES, PICTURES))
        made = [
            nn.Conv1d(4, 3, 2)(x), nn.Conv1d(4, 3, 2, bias=False)(x), nn.Conv1d(4, 3, 2)(x[0]),
            nn.Conv2d(4, 3, 2)(y), nn.Conv2d(4, 3, 2)(y[0]), nn.ConvTranspose1d(4, 3, 2)(x),
            F.max_pool1d(x, 2), F.max_pool2d(y, 2), F.avg_pool1d(x, 2), F.avg_pool2d(y, 2),
            F.adaptive_avg_pool1d(x, 2), F.adaptive_avg_pool2d(y, 2), F.adaptive_avg_pool2d(y, 1),
            F.adaptive_max_pool1d(x, 2), F.adaptive_max_pool2d(y, 2),
        ]  # fmt: skip
        return [repr(z).rpartition("grad_fn=")[2] for z in made]

    assert names(tg) == names(torch)


# -- normalization, tables and others ------------------------------------------------------------

SINGLE: list[tuple[str, dict[str, Any], tuple[np.ndarray, ...]]] = [
    *(("GroupNorm", o, (floats(*s),)) for s in ((3, 4, 5), (3, 4), (2, 4, 2, 3)) for o in (
        {"num_groups": 2, "num_channels": 4}, {"num_groups": 1, "num_channels": 4, "affine": False},
        {"num_groups": 2, "num_channels": 4, "bias": False, "eps": 0.1},
        {"num_groups": 4, "num_channels": 4}, {"num_groups": 3, "num_channels": 4},
        {"num_groups": 2, "num_channels": 6},
    )),
    *(("BatchNorm2d", o, (floats(3, 4, 2, 2),)) for o in (
        {"num_features": 4}, {"num_features": 4, "affine": False, "momentum": None},
        {"num_features": 4, "track_running_stats": False}, {"num_features": 3},
    )),
    ("BatchNorm2d", {"num_features": 4}, (floats(3, 4, 2),)),
    ("BatchNorm1d", {"num_features": 4}, (floats(3, 4, 2, 2),)),
    ("Threshold", {"threshold": 0.3, "value": -1.0}, (floats(3, 4),)),
    ("Threshold", {"threshold": 0.3, "value": 2, "inplace": False}, (floats(3, 4),)),
    ("Hardshrink", {}, (floats(3, 4),)), ("Hardshrink", {"lambd": 1.0}, (floats(3, 4),)),
    ("Softshrink", {}, (floats(3, 4),)), ("Softshrink", {"lambd": -1.0}, (floats(3, 4),)),
    ("Tanhshrink", {}, (floats(3, 4),)), ("Softmax2d", {}, (floats(3, 4, 2),)),
    ("Softmax2d", {}, (floats(2, 3, 4, 2),)), ("Softmax2d", {}, (floats(2, 3),)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "arrays"), SINGLE, ids=str)
def test_modules_of_one_input(torch, name, options, arrays):
    what = f"{name}({options})"
    assert_alike(torch, Made(lambda lib: getattr(lib.nn, name)(**options), arrays), what)
    after = lambda module, *xs: (module(*xs), module.eval()(*xs))[1]  # noqa: E731
    assert_alike(torch, Made(lambda lib: getattr(lib.nn, name)(**options), arrays, after), what)
    if name not in ("Softmax2d", "Tanhshrink"):
        assert_same_signature(getattr(tg.nn, name), getattr(torch.nn, name), name)


def test_a_lazy_layer_becomes_a_linear_one(torch):
    def told(lib: Any) -> list[Any]:
        lib.manual_seed(0)
        layer = lib.nn.LazyLinear(2)
        optimizer = lib.optim.SGD(layer.parameters(), lr=0.1)
        before = [repr(layer), repr(layer.weight), list(layer.state_dict()), type(layer).__name__]
        layer(lib.ones(4, 3)).sum().backward()
        optimizer.step()
        return [*before, repr(layer), type(layer).__name__, layer.weight.tolist()]

    ours, theirs = told(tg), told(torch)
    assert ours[:-1] == theirs[:-1]
    np.testing.assert_allclose(ours[-1], theirs[-1], rtol=1e-6)
    with pytest.raises(ValueError, match="uninitialized"):
        sum(p.numel() for p in tg.nn.LazyLinear(2).parameters())


FLAT, SQUARE = RNG.integers(0, 5, 7), RNG.integers(0, 5, (3, 4))
BAGS: list[tuple[dict[str, Any], tuple[np.ndarray, ...]]] = [
    *(({"mode": mode, **o}, arrays) for mode in ("mean", "sum", "max")
      for o in ({}, {"padding_idx": 1}, {"include_last_offset": True}, {"padding_idx": -1})
      for arrays in ((SQUARE,), (FLAT, np.array([0, 2, 2, 7])), (FLAT, np.array([0, 3, 7])),
                     (FLAT[:0], np.array([0, 0])))),
    ({"mode": "x"}, (SQUARE,)), ({}, (FLAT,)), ({}, (SQUARE, np.array([0]))),
    ({}, (FLAT, np.array([1, 2]))), ({}, (FLAT, np.array([0, 9]))),
    ({}, (FLAT.reshape(1, 1, 7),)), ({}, (FLAT + 1, np.array([0, 2]))),
    ({"padding_idx": 7}, (SQUARE,)), ({"max_norm": 1.0}, (SQUARE,)),
]  # fmt: skip


@pytest.mark.parametrize(("options", "arrays"), BAGS, ids=str)
def test_bags(torch, options, arrays):
    def call(module: Any, *xs: Any) -> Any:  # PyTorch has no second derivative
        return module(*xs)

    def first(lib: Any) -> Any:
        lib.manual_seed(0)
        module = lib.nn.EmbeddingBag(5, 3, **options)
        y = call(module, *(lib.from_numpy(a.copy()) for a in arrays))
        (y * y).sum().backward()
        return [repr(module), y, module.weight.grad, module.weight]

    ours, theirs = (outcome(lambda lib=lib: first(lib)) for lib in (tg, torch))
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs), f"{ours!r}, but PyTorch: {theirs!r:.200}"
        return
    assert ours[0] == theirs[0]
    for a, b in zip(ours[1:], theirs[1:], strict=True):
        assert_same(a, b, str(options), 2e-6)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_weights_in_bags(torch, mode):
    def first(lib: Any) -> Any:
        table, factors = leaf(lib, floats_of_bags), leaf(lib, floats_of_words)
        words, starts = lib.from_numpy(FLAT), lib.tensor([0, 3])
        bag = lib.nn.functional.embedding_bag
        y = bag(words, table, starts, mode=mode, per_sample_weights=factors)
        (y * y).sum().backward()
        return [y, table.grad, factors.grad]

    floats_of_bags, floats_of_words = np.linspace(-1, 1, 15).reshape(5, 3), np.linspace(1, 2, 7)
    ours, theirs = (outcome(lambda lib=lib: first(lib)) for lib in (tg, torch))
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs)
        return
    for a, b in zip(ours, theirs, strict=True):
        assert_same(a, b, mode, 1e-9)


@pytest.mark.parametrize("shape", [(3,), (2, 5), (2, 3, 4), ()], ids=str)
@pytest.mark.parametrize("options", [{}, {"tau": 0.5, "dim": 0}, {"hard": True}], ids=str)
def test_gumbel_softmax(torch, shape, options):
    values = np.random.default_rng(1).normal(size=shape).astype("float32")

    def drawn(lib: Any) -> list[Any]:
        lib.manual_seed(3)
        x = leaf(lib, values)
        y = lib.nn.functional.gumbel_softmax(x, **options)
        (y * lib.arange(1.0, 1.0 + y.numel()).reshape(y.shape)).sum().backward()
        more = lib.empty(3, 4).exponential_(2.0)
        return [y, x.grad, more, lib.empty(5, dtype=lib.float64).exponential_(), lib.rand(2)]

    for a, b in zip(drawn(tg), drawn(torch), strict=True):
        assert_same(a, b, f"{shape}, {options}", 2e-6)


def test_exponential_draws_are_refused_as_in_pytorch(torch):
    for rate in (0.0, -1.0, "a"):
        answers = [
            outcome(lambda lib=lib, r=rate: lib.empty(2).exponential_(r)) for lib in (tg, torch)
        ]
        assert type(answers[0]) is type(answers[1])

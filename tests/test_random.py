"""Random numbers are PyTorch's: values, types, order in memory, and what each draw consumes."""

# ruff: noqa: B023 (functions made in loops are called there)

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import ROUNDING

import tinygrad_rnn as tg

SIZES = [0, 1, 2, 15, 16, 17, 31, 100, 1000]
FLOATS = ["float32", "float64", "float16"]
Draw = Callable[[Any], Any]

# Normal numbers come of logarithms and cosines, whose last bits are each processor's own.
NORMAL = {"float64": 1e-14, "float32": 5e-6, "float16": 2e-3}


def both(torch: Any, seed: int, draw: Draw) -> list[np.ndarray]:
    """The same code in both libraries, after the same seed, and one uniform number more."""
    answers = []
    for lib in (tg, torch):
        lib.manual_seed(seed)
        answers += [np.asarray(draw(lib).detach().numpy()), lib.rand(1, dtype=lib.float64).numpy()]
    assert answers[1] == answers[3], "the streams are no longer at the same place"
    assert answers[0].dtype == answers[2].dtype
    assert answers[0].shape == answers[2].shape
    return [answers[0], answers[2]]


def check(torch: Any, seed: int, draw: Draw, tolerance: float = 0) -> None:
    ours, theirs = both(torch, seed, draw)
    if tolerance:
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(ours, theirs)


def check_between(torch: Any, a: float, b: float, empty: Draw, seed: int = 1) -> None:
    """Numbers from ``a`` to ``b``, drawn into what ``empty`` makes: PyTorch's but for rounding."""
    ours, theirs = both(torch, seed, lambda lib: empty(lib).uniform_(a, b))
    unit = ROUNDING[theirs.dtype.name]
    least = 2 * np.finfo(theirs.dtype).smallest_subnormal
    atol = max(unit * max(abs(a), abs(b)), float(least))
    np.testing.assert_allclose(ours, theirs, rtol=unit, atol=atol)


# -- one sampler at a time -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", SIZES)
def test_uniform_and_normal(torch, n, dtype) -> None:
    kind: Draw = lambda lib: getattr(lib, dtype)  # noqa: E731
    for seed in range(5):
        check(torch, seed, lambda lib: lib.rand(n, dtype=kind(lib)))
        check(torch, seed, lambda lib: lib.randn(n, dtype=kind(lib)), NORMAL[dtype])
        for a, b in [(-0.3, 0.8), (5, 5), (-1e4, 2e4)]:
            check_between(torch, a, b, lambda lib: lib.zeros(n, dtype=kind(lib)), seed)
        for mean, std in [(1.5, 0.7), (0, 3), (-4, 0), (2, 1e-3)]:
            check(
                torch,
                seed,
                lambda lib: lib.zeros(n, dtype=kind(lib)).normal_(mean, std),
                3 * NORMAL[dtype],
            )
            check(
                torch,
                seed,
                lambda lib: lib.normal(mean, std, (n,), dtype=kind(lib)),
                3 * NORMAL[dtype],
            )


def test_extreme_limits(torch) -> None:
    for a, b in [(0, 3e38), (-1.7e38, 1.6e38), (1, 1 + 3e-7), (100, 100.0001), (1e-40, 1e-39)]:
        check_between(torch, a, b, lambda lib: lib.zeros(50))
    for a, b in [(0, 1.7e308), (-8e290, 9e290), (1, 1 + 1e-15), (1e-250, 1e-240)]:
        check_between(torch, a, b, lambda lib: lib.zeros(50, dtype=lib.float64))
    for a, b in [(0.1, 0.2), (0, 6e4), (1, 1.002)]:
        check_between(torch, a, b, lambda lib: lib.zeros(2000, dtype=lib.float16))
    for mean, std in [(float("inf"), 1), (0, float("inf")), (float("nan"), 1), (1e280, 1e290)]:
        draw: Draw = lambda lib: lib.zeros(50, dtype=lib.float64).normal_(mean, std)  # noqa: E731
        check(torch, 1, draw, NORMAL["float64"])


@pytest.mark.parametrize("n", SIZES)
def test_integers(torch, n) -> None:
    for seed in range(3):
        for low, high in [(0, 1), (0, 10), (-5, 5), (0, 2**28 - 1), (0, 2**28), (0, 2**40)]:
            check(torch, seed, lambda lib: lib.randint(low, high, (n,)))
        check(torch, seed, lambda lib: lib.randint(-(2**63), 2**63 - 1, (n,)))
        check(torch, seed, lambda lib: lib.randint(7, size=(n,)))
        check(torch, seed, lambda lib: lib.randperm(n))
        for dtype in ("int8", "uint8", "int16", "int32", "float16", "float32", "float64"):
            check(torch, seed, lambda lib: lib.randint(0, 100, (n,), dtype=getattr(lib, dtype)))


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
)
def test_random_(torch, dtype) -> None:
    for limits in [(), (2,), (0, 2), (1, None), (0, None), (-(2**63), None)]:
        if limits[:1] == (-(2**63),) and dtype != "int64":
            continue
        check(torch, 3, lambda lib: lib.zeros(40, dtype=getattr(lib, dtype)).random_(*limits))
    if dtype != "bool":
        check(torch, 3, lambda lib: lib.zeros(40, dtype=getattr(lib, dtype)).random_(3, None))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8"])
def test_randperm_types(torch, dtype) -> None:
    for n in (0, 1, 2, 100, 255):
        check(torch, n, lambda lib: lib.randperm(n, dtype=getattr(lib, dtype)))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", SIZES)
def test_bernoulli(torch, n, dtype, rng) -> None:
    p = rng.random(n).astype(dtype)
    for seed in range(3):
        check(torch, seed, lambda lib: lib.bernoulli(lib.from_numpy(p)))
        check(torch, seed, lambda lib: lib.bernoulli(lib.from_numpy(p), 0.3))
        check(torch, seed, lambda lib: lib.from_numpy(p.copy()).bernoulli_())
        for target in ("float32", "float64", "int64", "bool"):
            check(
                torch,
                seed,
                lambda lib: lib.zeros(2, n, dtype=getattr(lib, target)).bernoulli_(
                    lib.from_numpy(p)
                ),
            )
    for q in (0, 1, 0.0, 1.0):
        check(torch, 4, lambda lib: lib.ones(n, dtype=getattr(lib, dtype)).bernoulli_(q))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1,), (7,), (40,), (3, 5), (5, 40), (0, 3)])
def test_multinomial(torch, shape, dtype, rng) -> None:
    weights = (rng.random(shape) * 3 + 0.05).astype(dtype)
    for seed in range(10):
        for count in {1, min(3, shape[-1]), shape[-1]}:
            for replacement in (False, True):
                if dtype == "float16" and count > 1 and not replacement:
                    continue  # ranks are often equal there, and PyTorch sorts them in any order
                check(
                    torch,
                    seed,
                    lambda lib: lib.multinomial(lib.from_numpy(weights), count, replacement),
                )
        check(torch, seed, lambda lib: lib.multinomial(lib.from_numpy(weights), 1000, True))


def test_multinomial_with_zeros(torch) -> None:
    for seed in range(50):
        check(torch, seed, lambda lib: lib.multinomial(lib.tensor([0.0, 2.0, 0.0, 1.0]), 2))
        check(torch, seed, lambda lib: lib.multinomial(lib.tensor([0.0, 2.0, 0.0, 1.0]), 9, True))


def test_normal_of_tensors(torch, rng) -> None:
    for seed, n in enumerate(SIZES):
        for mean_type in FLOATS:
            for std_type in {"float64", mean_type}:
                m = rng.standard_normal((2, n)).astype(mean_type)
                s = rng.random(n).astype(std_type)
                loose = 4 * NORMAL[mean_type]
                of = (
                    lambda lib: lib.normal(lib.from_numpy(m), 0.7),
                    lambda lib: lib.normal(0.3, lib.from_numpy(s)),
                    lambda lib: lib.normal(lib.from_numpy(m), lib.from_numpy(s)),
                )
                for draw in of:
                    check(torch, seed, draw, loose)
    check(torch, 0, lambda lib: lib.normal(lib.tensor(1.0), lib.tensor([1.0, 2.0])))
    check(torch, 0, lambda lib: lib.normal(lib.tensor(1.0)))


# -- order in memory -----------------------------------------------------------------------------

LAYOUTS: dict[str, Draw] = {
    "transposed": lambda x: x[:, :, 0].T,
    "permuted": lambda x: x.permute(2, 0, 1),
    "strided": lambda x: x[:, ::2, 1],
    "strided and permuted": lambda x: x[::2].permute(1, 2, 0),
    "expanded": lambda x: x[:, :1, 0].expand(4, 6),
    "expanded and transposed": lambda x: x[:, :1, 0].expand(4, 6).T,
    "transposed and expanded": lambda x: x[:, :, 0].T.expand(3, 6, 4),
    "0-d": lambda x: x[0, 0, 0],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_order_in_memory(torch, layout) -> None:
    base = np.arange(4 * 6 * 5, dtype=np.float32).reshape(4, 6, 5)
    of = LAYOUTS[layout]

    def view(lib: Any) -> Any:
        return of(lib.from_numpy(base.copy()))

    check(torch, 1, lambda lib: lib.rand_like(view(lib)))
    check(torch, 1, lambda lib: lib.randint_like(view(lib), 1000))
    check(torch, 1, lambda lib: lib.randint_like(view(lib), -5, 5, dtype=lib.int64))
    check(torch, 1, lambda lib: lib.randn_like(view(lib)), NORMAL["float32"])
    check(torch, 1, lambda lib: lib.randn_like(view(lib), dtype=lib.float64), NORMAL["float64"])
    check(torch, 1, lambda lib: lib.bernoulli(view(lib) / 120))
    check(torch, 1, lambda lib: lib.nn.functional.dropout(view(lib) + 1, 0.4))
    check(torch, 1, lambda lib: lib.normal(view(lib), 1.0), 1e-5)
    if "expanded" not in layout:
        check_between(torch, -1, 2, view)
        check(torch, 1, lambda lib: view(lib).normal_(-1, 2), NORMAL["float32"])
        check(torch, 1, lambda lib: view(lib).bernoulli_(0.4))
        check(torch, 1, lambda lib: view(lib).bernoulli_(view(lib) / 120))
        check(torch, 1, lambda lib: view(lib).random_(100))


# -- one after another ---------------------------------------------------------------------------

SAMPLERS: list[Callable[[Any, int, Any], Any]] = [
    lambda lib, n, g: lib.rand(n, generator=g),
    lambda lib, n, g: lib.rand(n, generator=g, dtype=lib.float64),
    lambda lib, n, g: lib.rand(n, generator=g, dtype=lib.float16),
    lambda lib, n, g: lib.randn(n, generator=g),
    lambda lib, n, g: lib.randn(n, generator=g, dtype=lib.float64),
    lambda lib, n, g: lib.randn(n, generator=g, dtype=lib.float16),
    lambda lib, n, g: lib.zeros(3, n).T.normal_(generator=g),
    lambda lib, n, g: lib.normal(lib.ones(n), lib.ones(n), generator=g),
    lambda lib, n, g: lib.randint(3, 90, (n,), generator=g),
    lambda lib, n, g: lib.randint(2**50, (n,), generator=g),
    lambda lib, n, g: lib.randperm(n, generator=g),
    lambda lib, n, g: lib.bernoulli(lib.ones(n) * 0.3, generator=g),
    lambda lib, n, g: lib.bernoulli(lib.ones(n), 0.3, generator=g),
    lambda lib, n, g: lib.multinomial(lib.ones(n + 1), 1, generator=g),
    lambda lib, n, g: lib.multinomial(lib.ones(n + 1), n + 1, generator=g),
    lambda lib, n, g: lib.multinomial(lib.ones(n + 1), 5, True, generator=g),
    lambda lib, n, g: lib.zeros(n).uniform_(-1, 1, generator=g),
    lambda lib, n, g: lib.zeros(n).random_(generator=g),
]


@pytest.mark.parametrize("own", [False, True], ids=["default", "own"])
@pytest.mark.parametrize("seed", range(30))
def test_interleaved(torch, seed, own, rng) -> None:
    rng = np.random.default_rng(seed)
    sources: list[Any] = [None, None]
    if own:
        sources = [lib.Generator().manual_seed(seed) for lib in (tg, torch)]
    tg.manual_seed(seed)
    torch.manual_seed(seed)
    for _ in range(40):
        draw, n = SAMPLERS[rng.integers(len(SAMPLERS))], int(rng.choice(SIZES))
        ours, theirs = (
            draw(lib, n, g).numpy() for lib, g in zip((tg, torch), sources, strict=True)
        )
        assert ours.dtype == theirs.dtype
        loose = NORMAL.get(ours.dtype.name, 0)
        np.testing.assert_allclose(ours, theirs, rtol=loose, atol=loose)
    if own:
        np.testing.assert_array_equal(tg.rand(3).numpy(), torch.rand(3).numpy())


def test_dropout_between_draws(torch) -> None:
    for seed in range(20):
        check(
            torch,
            seed,
            lambda lib: lib.cat(
                [lib.randn(3), lib.nn.functional.dropout(lib.ones(7), 0.3), lib.randn(2)]
            ),
        )


# -- generators ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 3, -1, 2**31, 2**32 - 1, 2**32, 2**40 + 3, 2**64 - 1])
def test_seeds(torch, seed) -> None:
    check(torch, seed, lambda lib: lib.rand(4))
    assert tg.initial_seed() == torch.initial_seed()
    assert tg.Generator().manual_seed(seed).initial_seed() == tg.initial_seed()


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, "a", 1.5, True, None])
def test_bad_seeds(torch, seed) -> None:
    """`manual_seed` says int(seed), a generator wants an integer; both as in PyTorch."""
    for lib in (tg, torch):
        if seed in (1.5, True):
            assert lib.manual_seed(seed).initial_seed() == 1
        else:
            with pytest.raises((ValueError, TypeError)):
                lib.manual_seed(seed)
        if seed is not True:
            with pytest.raises((ValueError, RuntimeError)):
                lib.Generator().manual_seed(seed)


def test_the_first_generator_is_pytorchs(torch) -> None:
    g, h = tg.Generator(device="cpu"), torch.Generator(device="cpu")
    assert g.initial_seed() == h.initial_seed()
    assert tg.rand(3, generator=g).tolist() == torch.rand(3, generator=h).tolist()
    with pytest.raises(RuntimeError, match="cpu"):
        tg.Generator("cuda")


def test_seed_is_another_every_time() -> None:
    g = tg.Generator()
    seeds = [g.seed() for _ in range(5)]
    assert len(set(seeds)) == 5
    assert g.initial_seed() == seeds[-1]
    assert tg.seed() == tg.initial_seed()


@pytest.mark.parametrize("n", [0, 1, 3, 623, 624, 625, 1248, 2000])
@pytest.mark.parametrize("spare", [False, True])
def test_states_are_pytorchs(torch, n, spare) -> None:
    sources = {lib: lib.Generator().manual_seed(2**35 + n) for lib in (tg, torch)}

    def numbers(lib: Any, g: Any) -> list[float]:
        return [*lib.rand(n, generator=g).tolist(), *lib.randn(2 + spare, generator=g).tolist()]

    for lib, g in sources.items():
        numbers(lib, g)
    states = {lib: g.get_state().numpy().copy() for lib, g in sources.items()}
    assert states[tg].shape == states[torch].shape
    assert states[tg].dtype == states[torch].dtype
    after = numbers(tg, sources[tg])
    assert after == numbers(torch, sources[torch])
    for lib in (tg, torch):
        for origin in (tg, torch):
            g = lib.Generator()
            g.set_state(lib.from_numpy(states[origin]))
            assert g.initial_seed() == 2**35 + n
            assert numbers(lib, g) == after


def test_bad_states(torch) -> None:
    for lib in (tg, torch):
        g = lib.Generator()
        for state, kind in [
            (lib.zeros(5056, dtype=lib.uint8), RuntimeError),
            (lib.zeros(5, dtype=lib.uint8), RuntimeError),
            (lib.zeros(5056), TypeError),
            (3, TypeError),
        ]:
            with pytest.raises(kind):
                g.set_state(state)


def test_the_default_state(torch) -> None:
    tg.manual_seed(4)
    tg.randn(3)
    state = tg.get_rng_state()
    expected = tg.randn(5).tolist()
    tg.set_rng_state(state)
    assert tg.randn(5).tolist() == expected
    torch.set_rng_state(torch.from_numpy(state.numpy()))
    assert torch.randn(5).tolist() == pytest.approx(expected, rel=NORMAL["float32"])


def test_generators_are_copied_and_pickled() -> None:
    g = tg.Generator().manual_seed(9)
    tg.randn(3, generator=g)
    twins = [copy.deepcopy(g), pickle.loads(pickle.dumps(g))]
    expected = tg.randn(3, generator=g).tolist()
    assert [tg.randn(3, generator=twin).tolist() for twin in twins] == [expected, expected]


def test_numpys_global_random_state_is_not_touched() -> None:
    before = np.random.get_state()
    tg.manual_seed(0)
    for draw in SAMPLERS:
        draw(tg, 20, None)
    tg.seed()
    after = np.random.get_state()
    assert before[2:] == after[2:]
    assert np.array_equal(before[1], after[1])


# -- leaves and graphs ---------------------------------------------------------------------------


def test_new_leaves() -> None:
    for make in (tg.rand, tg.randn):
        x = make(2, 3, requires_grad=True)
        assert x.requires_grad
        assert x.is_leaf
        assert make((2, 3)).shape == make([2, 3]).shape == make(size=(2, 3)).shape == (2, 3)
        assert make(()).shape == ()
    assert tg.randint(0, 4, (2,), dtype=tg.float32, requires_grad=True).requires_grad
    assert tg.rand_like(tg.ones(2), requires_grad=True).requires_grad
    assert not tg.rand_like(tg.ones(2, requires_grad=True)).requires_grad


@pytest.mark.parametrize("name", ["uniform_", "normal_", "bernoulli_", "random_"])
def test_in_place(torch, name) -> None:
    for lib in (tg, torch):
        w = lib.ones(3, requires_grad=True)
        with pytest.raises(RuntimeError):
            getattr(w, name)()
        with lib.no_grad():
            assert getattr(w, name)() is w
        y = w * 2
        getattr(y, name)()
        assert y.requires_grad
        y.sum().backward()
        assert w.grad.tolist() == [0, 0, 0]
        x = w * w  # whose derivative needs w
        with lib.no_grad():
            getattr(w, name)()
        with pytest.raises(RuntimeError):
            x.sum().backward()


# -- refusals ------------------------------------------------------------------------------------

NAN = float("nan")
REFUSED: dict[str, Draw] = {
    "rand negative": lambda lib: lib.rand(-1),
    "rand int": lambda lib: lib.rand(3, dtype=lib.int64),
    "rand float size": lambda lib: lib.rand(2.5),
    "rand no size": lambda lib: lib.rand(),
    "rand nested": lambda lib: lib.rand(2, [1]),
    "rand bool": lambda lib: lib.rand(True),
    "rand two sizes": lambda lib: lib.rand(2, size=(2,)),
    "rand dtype": lambda lib: lib.rand(2, dtype=3),
    "rand requires_grad": lambda lib: lib.rand(2, requires_grad=1),
    "rand generator": lambda lib: lib.rand(2, generator=3),
    "randn int": lambda lib: lib.randn(3, dtype=lib.int64),
    "rand_like int": lambda lib: lib.rand_like(lib.ones(3, dtype=lib.int64)),
    "randn_like int": lambda lib: lib.randn_like(lib.ones(3, dtype=lib.int64)),
    "rand_like list": lambda lib: lib.rand_like([1.0]),
    "randint no size": lambda lib: lib.randint(5),
    "randint none": lambda lib: lib.randint(5, 5, (3,)),
    "randint none of none": lambda lib: lib.randint(5, 5, (0,)),
    "randint uint8": lambda lib: lib.randint(0, 300, (3,), dtype=lib.uint8),
    "randint below uint8": lambda lib: lib.randint(-1, 3, (3,), dtype=lib.uint8),
    "randint bool": lambda lib: lib.randint(0, 3, (3,), dtype=lib.bool),
    "randint float": lambda lib: lib.randint(0, 2.5, (3,)),
    "randint True": lambda lib: lib.randint(True, (3,)),
    "randint int size": lambda lib: lib.randint(0, 10, 3),
    "randint requires_grad": lambda lib: lib.randint(0, 4, (2,), requires_grad=True),
    "randint two sizes": lambda lib: lib.randint(1, (3,), size=(2,)),
    "randint negative size": lambda lib: lib.randint(0, 5, (-2,)),
    "randint_like no limit": lambda lib: lib.randint_like(lib.ones(2)),
    "randint_like low only": lambda lib: lib.randint_like(lib.ones(2), low=5),
    "randint_like float": lambda lib: lib.randint_like(lib.ones(2), 5.5),
    "randperm negative": lambda lib: lib.randperm(-1),
    "randperm float": lambda lib: lib.randperm(5.0),
    "randperm bool": lambda lib: lib.randperm(5, dtype=lib.bool),
    "randperm uint8": lambda lib: lib.randperm(300, dtype=lib.uint8),
    "randperm float16": lambda lib: lib.randperm(2050, dtype=lib.float16),
    "randperm requires_grad": lambda lib: lib.randperm(3, requires_grad=True),
    "bernoulli above": lambda lib: lib.bernoulli(lib.tensor([1.5])),
    "bernoulli nan": lambda lib: lib.bernoulli(lib.tensor([NAN])),
    "bernoulli int": lambda lib: lib.bernoulli(lib.tensor([1])),
    "bernoulli p": lambda lib: lib.bernoulli(lib.ones(2), 1.3),
    "bernoulli p nan": lambda lib: lib.bernoulli(lib.ones(2), NAN),
    "bernoulli p str": lambda lib: lib.bernoulli(lib.ones(2), "a"),
    "bernoulli p None": lambda lib: lib.bernoulli(lib.ones(2), None),
    "bernoulli list": lambda lib: lib.bernoulli([0.5]),
    "bernoulli_ str": lambda lib: lib.zeros(2).bernoulli_("a"),
    "bernoulli_ int tensor": lambda lib: lib.zeros(2).bernoulli_(lib.tensor([1, 0])),
    "bernoulli_ shape": lambda lib: lib.zeros(3).bernoulli_(lib.tensor([0.1, 0.2])),
    "bernoulli_ above": lambda lib: lib.zeros(2).bernoulli_(lib.tensor([1.5, 0.2])),
    "multinomial too many": lambda lib: lib.multinomial(lib.ones(2), 3),
    "multinomial 0": lambda lib: lib.multinomial(lib.ones(2), 0),
    "multinomial negative": lambda lib: lib.multinomial(lib.tensor([0.5, -0.2]), 1),
    "multinomial negative 2": lambda lib: lib.multinomial(lib.tensor([0.5, -0.2]), 2, True),
    "multinomial zeros": lambda lib: lib.multinomial(lib.zeros(2), 1),
    "multinomial zeros 2": lambda lib: lib.multinomial(lib.zeros(2), 2, True),
    "multinomial inf": lambda lib: lib.multinomial(lib.tensor([0, float("inf")]), 1),
    "multinomial nan": lambda lib: lib.multinomial(lib.tensor([0, NAN]), 2, True),
    "multinomial int": lambda lib: lib.multinomial(lib.tensor([1, 2]), 1),
    "multinomial 0-d": lambda lib: lib.multinomial(lib.tensor(1.0), 1),
    "multinomial 3-d": lambda lib: lib.multinomial(lib.ones(2, 2, 2), 1),
    "multinomial empty": lambda lib: lib.multinomial(lib.ones(0), 1),
    "multinomial empty 2": lambda lib: lib.multinomial(lib.ones(2, 0), 1, True),
    "multinomial list": lambda lib: lib.multinomial([1.0, 2.0], 1),
    "multinomial float": lambda lib: lib.multinomial(lib.ones(3), 2.0),
    "multinomial flag": lambda lib: lib.multinomial(lib.ones(3), 2, replacement=1),
    "normal no size": lambda lib: lib.normal(0.0, 1.0),
    "normal int size": lambda lib: lib.normal(0.0, 1.0, 3),
    "normal negative": lambda lib: lib.normal(0.0, -1.0, (3,)),
    "normal nan": lambda lib: lib.normal(0.0, NAN, (3,)),
    "normal str": lambda lib: lib.normal("a", 1.0, (3,)),
    "normal int": lambda lib: lib.normal(0.0, 1.0, (3,), dtype=lib.int64),
    "normal shapes": lambda lib: lib.normal(lib.zeros(3), lib.ones(2)),
    "normal negative tensor": lambda lib: lib.normal(lib.zeros(3), -lib.ones(3)),
    "normal tensor, -1": lambda lib: lib.normal(lib.zeros(3), -1.0),
    "normal int tensor": lambda lib: lib.normal(lib.zeros(3, dtype=lib.int64), 1.0),
    "normal tensor and size": lambda lib: lib.normal(lib.zeros(3), 1.0, (3,)),
    "normal tensor and dtype": lambda lib: lib.normal(lib.zeros(3), 1.0, dtype=lib.float64),
    "normal_ negative": lambda lib: lib.zeros(3).normal_(0, -1),
    "normal_ negative, empty": lambda lib: lib.zeros(0).normal_(0, -1),
    "normal_ int": lambda lib: lib.zeros(3, dtype=lib.int64).normal_(),
    "normal_ str": lambda lib: lib.zeros(3).normal_("a"),
    "uniform_ order": lambda lib: lib.zeros(3).uniform_(1, 0),
    "uniform_ order, empty": lambda lib: lib.zeros(0).uniform_(2, 1),
    "uniform_ int": lambda lib: lib.zeros(3, dtype=lib.int64).uniform_(),
    "uniform_ inf": lambda lib: lib.zeros(3).uniform_(0, float("inf")),
    "uniform_ wide": lambda lib: lib.zeros(3).uniform_(-3e38, 3e38),
    "uniform_ large": lambda lib: lib.zeros(3).uniform_(0, 1e39),
    "uniform_ nan": lambda lib: lib.zeros(3).uniform_(NAN, 1),
    "uniform_ float16": lambda lib: lib.zeros(3, dtype=lib.float16).uniform_(0, 1e5),
    "uniform_ str": lambda lib: lib.zeros(3).uniform_("a"),
    "uniform_ expanded": lambda lib: lib.zeros(2, 1).expand(2, 3).uniform_(),
    "random_ 0": lambda lib: lib.zeros(3).random_(0),
    "random_ float": lambda lib: lib.zeros(3).random_(5.5),
    "random_ uint8": lambda lib: lib.zeros(3, dtype=lib.uint8).random_(0, 300),
    "random_ three": lambda lib: lib.zeros(3).random_(1, 2, 3),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(torch, what) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        REFUSED[what](torch)
    kind = RuntimeError if isinstance(theirs.value, NotImplementedError) else theirs.type
    with pytest.raises(kind, match=r"\w"):
        REFUSED[what](tg)


def test_integers_without_gaps_only() -> None:
    """PyTorch warns that it will refuse limits beyond which floats have gaps; here they are."""
    with pytest.raises(RuntimeError, match="float32 does not hold"):
        tg.randint(0, 2**25, (2,), dtype=tg.float32)

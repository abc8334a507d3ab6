"""Names of PyTorch that older programs and tutorials use: they mean here what they mean there."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from cases import assert_same, leaf, outcome

import tinygrad_rnn as tg
from tinygrad_rnn.compat import names
from tinygrad_rnn.tensor.typed import KINDS as KINDS_OF_TENSORS


def both(torch: Any, fn: Callable[[Any], Any], what: str = "", tolerance: Any = None) -> None:
    """Both libraries give the same values, or refuse with the same kind of error."""
    answers = []
    for lib in (tg, torch):
        lib.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answers.append(outcome(lambda lib=lib: fn(lib)))
    assert_alike(*answers, what, tolerance)


def assert_alike(ours: Any, theirs: Any, what: str, tolerance: Any = None) -> None:
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs), f"{what}: {ours!r}, but PyTorch: {theirs!r:.200}"
    elif isinstance(ours, tg.Tensor):
        assert_same(ours, theirs, what, tolerance)
        assert ours.requires_grad == theirs.requires_grad, what
    elif isinstance(ours, list | tuple):
        assert isinstance(theirs, list | tuple), f"{what}: {ours} is not {theirs}"
        assert len(ours) == len(theirs), f"{what}: {ours} is not {theirs}"
        for a, b in zip(ours, theirs, strict=True):
            assert_alike(a, b, what, tolerance)
    else:
        assert ours == theirs, f"{what}: {ours!r} is not {theirs!r}"


# -- LongTensor and its kin ----------------------------------------------------------------------

KINDS = [kind.__name__ for kind in KINDS_OF_TENSORS]
DATA: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "a list": lambda lib: ([[1, 2, 0], [0, 1, 3]],),
    "floats": lambda lib: ([1.5, 0.0, 2.0],),
    "bools": lambda lib: ([True, False],),
    "nothing": lambda lib: (),
    "an empty list": lambda lib: ([],),
    "a tuple": lambda lib: ((2, 3),),
    "a range": lambda lib: (range(3),),
    "an array of integers": lambda lib: (np.array([[1, 2]]),),
    "an array of floats": lambda lib: (np.array([1.5, 2.5]),),
    "a 0-d array": lambda lib: (np.array(2.0),),
    "tensors in a list": lambda lib: ([lib.tensor(1), lib.tensor(2)],),
    "a tensor of another type": lambda lib: (lib.ones(2, dtype=lib.uint8),),
    "float64": lambda lib: (lib.ones(2, dtype=lib.float64),),
    "ragged": lambda lib: ([[1, 2], [3]],),
    "a string": lambda lib: ("a",),
    "a number": lambda lib: (2.5,),
    "a NumPy number": lambda lib: (np.float64(2.5),),
    "a negative size": lambda lib: (-1,),
    "a list and a size": lambda lib: ([1], 2),
}


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("kind", [*KINDS, "Tensor"])
def test_older_constructors(torch, kind, data):
    both(torch, lambda lib: getattr(lib, kind)(*DATA[data](lib)), f"{kind} of {data}")


@pytest.mark.parametrize("kind", [*KINDS, "Tensor"])
@pytest.mark.parametrize("sizes", [(3,), (2, 0), (1, 2, 3), (np.int64(2),)], ids=str)
def test_older_constructors_take_sizes(torch, kind, sizes):
    ours, theirs = (getattr(lib, kind)(*sizes) for lib in (tg, torch))
    assert (ours.shape, ours.dtype) == (tuple(theirs.shape), theirs.numpy().dtype)
    assert not ours.any(), "zeros, where PyTorch leaves what was in memory"


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_types(torch, kind):
    def fn(lib: Any) -> Any:
        x = lib.tensor([0.5, 1.0, -2.0])
        own, given = getattr(lib, kind), getattr(lib, kind)([1, 0])
        parameter = lib.nn.Parameter(lib.ones(1))
        return [
            abs(x).type(own), abs(x).type(kind if lib is tg else f"torch.{kind}"),
            isinstance(given, own), isinstance(given, lib.Tensor), isinstance(x, own),
            isinstance(parameter, own), isinstance(3, own), own.__name__,
            given.new([1, 1]), given.new(2, 0), given.new(np.array([1.0])), given.new(),
            own([1], device="cpu"),
        ]  # fmt: skip

    both(torch, fn, kind)


def test_tensor_and_new_refuse_what_pytorch_refuses(torch):
    both(torch, lambda lib: lib.Tensor([1, 2], device="cpu"))
    both(torch, lambda lib: lib.ones(2).new(lib.ones(2, dtype=lib.float64)))
    for lib in (tg, torch):
        with pytest.raises(RuntimeError):
            lib.FloatTensor([1.0], device="cuda:7")


def test_set_default_tensor_type(torch):
    def fn(lib: Any) -> Any:
        try:
            lib.set_default_tensor_type("torch.DoubleTensor")
            first = lib.ones(2), lib.Tensor([1])
            lib.set_default_tensor_type(lib.FloatTensor)
            return [*first, lib.ones(2)]
        finally:
            lib.set_default_dtype(lib.float32)

    both(torch, fn)
    both(torch, lambda lib: lib.set_default_tensor_type("torch.LongTensor"))
    both(torch, lambda lib: lib.set_default_tensor_type(3))


def test_variable(torch):
    def fn(lib: Any) -> Any:
        Variable, w = lib.autograd.Variable, lib.ones(2, requires_grad=True)
        x, y = lib.zeros(2), w * 2
        v = Variable(x, requires_grad=True)
        (v * 3).sum().backward()
        x[0] = 5  # the memory is shared
        made = [Variable(y), Variable(w), Variable(y, requires_grad=True), Variable(x, False, True)]
        return [v.detach(), v.grad, *made, [z.is_leaf for z in made], isinstance(x, Variable)]

    both(torch, fn)
    both(torch, lambda lib: lib.autograd.Variable([1.0]))
    both(torch, lambda lib: isinstance([1.0], lib.autograd.Variable))


@pytest.mark.parametrize("index", [0, (0,), slice(None), (0, 0), -1], ids=str)
def test_an_index_of_a_number_hints_at_item(torch, index):
    both(torch, lambda lib: lib.tensor(1.0).data[index])
    with pytest.raises(IndexError, match=r"\.item\(\)"):
        tg.tensor(1.0).data[index]


# -- in place, but for the shape ------------------------------------------------------------------


def random_reshaping(lib: Any, seed: int) -> Any:
    """Views, changes in place and changes of shape in place, in random order."""
    random = Random(seed)
    w = leaf(lib, np.random.default_rng(seed).normal(size=(2, 3, 1)))
    y = w * 2
    tensors = [y, y[0], y.transpose(0, 1)]
    shapes = []
    for _ in range(6):
        x = random.choice(tensors)
        axes = [random.randrange(-x.ndim, x.ndim) for _ in range(2)] if x.ndim else [0, 0]
        match random.randrange(5):
            case 0:
                x.unsqueeze_(axes[0])
            case 1 if x.ndim > 1:
                x.squeeze_(axes[0])
            case 2 if x.ndim > 1:
                random.choice([x.transpose_, x.swapaxes_])(*axes)
            case 3:
                x.mul_(random.choice([0.5, 2.0, -1.0]))
            case 4 if x.ndim < 3:
                x.t_()
        shapes.append([tuple(z.shape) for z in tensors])
    total = sum(((z * z * (i + 1)).sum() for i, z in enumerate(tensors)), start=lib.zeros(()))
    total.backward()
    return [shapes, total.detach(), w.grad, *(z.detach() for z in tensors)]


@pytest.mark.parametrize("seed", range(60))
def test_shapes_in_place(torch, seed):
    both(torch, lambda lib: random_reshaping(lib, seed), f"seed {seed}", 1e-6)


def test_shapes_of_leaves_in_place(torch):
    def fn(lib: Any, recording: bool) -> Any:
        w = lib.ones(2, 3, requires_grad=True)
        with lib.set_grad_enabled(recording):
            w.t_().unsqueeze_(0)
        (w * w).sum().backward()
        return [w, w.grad, w.is_leaf]

    both(torch, lambda lib: fn(lib, True))
    both(torch, lambda lib: fn(lib, False))
    both(torch, lambda lib: lib.ones(2, 3).squeeze_().unsqueeze_(0).swapaxes_(0, 2))
    both(torch, lambda lib: lib.ones(2, 3, 4).t_())
    both(torch, lambda lib: lib.ones(2).unsqueeze_(5))


# -- older names -----------------------------------------------------------------------------------

INITS = "uniform normal eye xavier_uniform xavier_normal kaiming_uniform kaiming_normal orthogonal"


@pytest.mark.parametrize("name", INITS.split())
def test_older_names_of_initial_values(torch, name):
    both(torch, lambda lib: getattr(lib.nn.init, name)(lib.empty(3, 4)), name, 1e-5)
    with pytest.warns(FutureWarning, match=f"use {name}_"):
        getattr(tg.nn.init, name)(tg.zeros(2, 2))
    assert getattr(tg.nn.init, name).__name__ == name


def test_draws_are_methods_too(torch):
    def fn(lib: Any) -> Any:
        weights = lib.tensor([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])
        return [weights.multinomial(1), weights.multinomial(4, True), weights.bernoulli()]

    both(torch, fn)
    both(torch, lambda lib: lib.ones(2, dtype=lib.int64).multinomial(1))


def test_axes_at_least(torch):
    for shape in ((), (3,), (2, 3), (0,)):
        for name in ("atleast_1d", "atleast_2d"):
            both(torch, lambda lib, n=name, s=shape: getattr(lib, n)(lib.ones(s)), name)


# -- dropout of channels --------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 3, 4), (2, 3, 2, 2), (1, 2, 2, 2, 3), (0, 2)])
@pytest.mark.parametrize("name", ["Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"])
def test_dropout_of_channels(torch, name, shape):
    values = np.random.default_rng(0).normal(size=shape).astype("float32")

    def fn(lib: Any, p: float, inplace: bool = False) -> Any:
        x = leaf(lib, values)
        layer = getattr(lib.nn, name)(p, inplace)
        y = layer(x * 1)
        y.sum().backward()
        return [y.detach(), x.grad, layer.eval()(x * 1), repr(layer)]

    for p in (0.0, 0.3, 0.5, 1.0):
        both(torch, lambda lib, p=p: fn(lib, p), f"{name}({p}) of {shape}", 1e-6)
    if name != "Dropout1d" or len(shape) == 3:
        both(torch, lambda lib: fn(lib, 0.5, True), f"{name}(inplace) of {shape}", 1e-6)


def test_dropout_of_channels_refuses(torch):
    for name in ("Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"):
        both(torch, lambda lib, name=name: getattr(lib.nn, name)(1.5), name)
    for name in ("dropout1d", "dropout2d", "dropout3d", "alpha_dropout"):
        drop = lambda lib, name=name: getattr(lib.nn.functional, name)(lib.ones(2, 3, 4), -0.1)  # noqa: E731
        both(torch, drop, name)
        ints = lambda lib, name=name: getattr(lib.nn.functional, name)(  # noqa: E731
            lib.ones(2, 3, 4, dtype=lib.int64), 0.5, True
        )
        both(torch, ints, name)


# -- the older flags of losses --------------------------------------------------------------------

LOSSES = "MSELoss L1Loss SmoothL1Loss CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss KLDivLoss"


@pytest.mark.parametrize("name", LOSSES.split())
def test_older_flags_of_losses(torch, name):
    values = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4)).astype("float32")
    weighted = name in ("CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss")

    def fn(lib: Any, *given: Any, **options: Any) -> Any:
        x = leaf(lib, values)
        classes = name in ("CrossEntropyLoss", "NLLLoss")
        target = lib.tensor([0, 3, 1]) if classes else lib.from_numpy(values[::-1].copy())
        criterion = getattr(lib.nn, name)(*given, **options)
        loss = criterion(x, target)
        loss.sum().backward()
        return [loss, x.grad, criterion.reduction]

    for size_average in (None, True, False):
        for reduce in (None, True, False):
            flags = {"size_average": size_average, "reduce": reduce}
            both(torch, lambda lib, f=flags: fn(lib, **f), f"{name}({flags})", 1e-5)
    by_place = (None, False) if weighted else (False,)
    both(torch, lambda lib: fn(lib, *by_place), f"{name}{by_place}", 1e-5)
    with pytest.warns(UserWarning, match="pass reduction"):
        getattr(tg.nn, name)(size_average=False)


# -- distributions --------------------------------------------------------------------------------

MADE: dict[str, Callable[[Any, Any, Any], Any]] = {
    "Categorical of probs": lambda d, x, y: d.Categorical(x.exp()),
    "Categorical of logits": lambda d, x, y: d.Categorical(logits=x),
    "Bernoulli of probs": lambda d, x, y: d.Bernoulli(x.sigmoid()),
    "Bernoulli of logits": lambda d, x, y: d.Bernoulli(logits=x),
    "Normal": lambda d, x, y: d.Normal(x, y.exp()),
    "Normal, broadcast": lambda d, x, y: d.Normal(x[..., :1], y.exp()),
    "Uniform": lambda d, x, y: d.Uniform(x, x + y.exp()),
    "Uniform of numbers": lambda d, x, y: d.Uniform(x - 3, 5.0),
    "Independent": lambda d, x, y: d.Independent(d.Normal(x, y.exp()), 1),
    "Independent of none": lambda d, x, y: d.Independent(d.Bernoulli(logits=x), 0),
    "Normal of a number": lambda d, x, y: d.Normal(0.5, y.exp()),
}


@pytest.mark.parametrize("shape", [(4,), (2, 3), (3, 1, 2)], ids=str)
@pytest.mark.parametrize("name", MADE)
def test_distributions(torch, name, shape):
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape).astype("float32") for _ in range(4)]

    def fn(lib: Any) -> Any:
        x, y, *others = (leaf(lib, v) for v in values)
        d = MADE[name](lib.distributions, x, y)
        q = MADE[name](lib.distributions, *others)
        first, more = d.sample(), d.sample((2, 3))
        parts = [d.log_prob(first), d.log_prob(more), d.entropy(), d.perplexity()]
        parts.append(lib.distributions.kl_divergence(d, q))
        if name.startswith(("Normal", "Uniform")):
            parts += [d.rsample((2,)), d.cdf(more), d.mean, d.variance, d.stddev]
        elif name.startswith("Independent"):
            parts += [d.mean, d.variance, d.stddev]
        elif name.startswith("Categorical"):
            parts += [d.probs, d.logits, d.enumerate_support(), d.mode]
        else:
            parts += [d.probs, d.logits, d.mean, d.variance, d.stddev]
        sum((p * p).sum() for p in parts if p.requires_grad).backward()
        return [
            first, more, *parts, [z.grad for z in (x, y, *others)],
            tuple(d.batch_shape), tuple(d.event_shape), d.has_rsample, repr(d),
        ]  # fmt: skip

    both(torch, fn, name, 1e-4)


WRONG: dict[str, Callable[[Any], Any]] = {
    "both": lambda lib: lib.distributions.Categorical(lib.ones(2), lib.ones(2)),
    "neither": lambda lib: lib.distributions.Bernoulli(),
    "no axis": lambda lib: lib.distributions.Categorical(lib.tensor(1.0)),
    "negative": lambda lib: lib.distributions.Categorical(lib.tensor([0.5, -0.5, 1.0])),
    "nan": lambda lib: lib.distributions.Categorical(logits=lib.tensor([float("nan"), 1.0])),
    "no class": lambda lib: lib.distributions.Categorical(lib.ones(2)).log_prob(lib.tensor(2)),
    "half a class": lambda lib: lib.distributions.Categorical(lib.ones(2)).log_prob(
        lib.tensor(0.5)
    ),
    "not checked": lambda lib: lib.distributions.Bernoulli(0.5, validate_args=False).log_prob(
        lib.tensor(0.5)
    ),
    "a list": lambda lib: lib.distributions.Categorical(lib.ones(2)).log_prob([1]),
    "too likely": lambda lib: lib.distributions.Bernoulli(1.5),
    "neither 0 nor 1": lambda lib: lib.distributions.Bernoulli(0.5).log_prob(lib.tensor(0.5)),
    "no width": lambda lib: lib.distributions.Uniform(1.0, 1.0),
    "too many axes": lambda lib: lib.distributions.Independent(
        lib.distributions.Normal(0.0, 1.0), 1
    ),
    "no spread": lambda lib: lib.distributions.Normal(0.0, 0.0),
    "no rsample": lambda lib: lib.distributions.Categorical(lib.ones(2)).rsample(),
    "certain": lambda lib: lib.distributions.Categorical(lib.tensor([0.0, 1.0])).entropy(),
    "other kinds": lambda lib: lib.distributions.kl_divergence(
        lib.distributions.Normal(0.0, 1.0), lib.distributions.Categorical(lib.ones(2))
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_distributions_refuse(torch, what):
    both(torch, WRONG[what], what, 1e-5)


# -- names that are there to be imported -----------------------------------------------------------


@pytest.mark.parametrize("other", ["1.8", "2.13", "2.13.0", "2.4.1", "10.0", "2.14.0a0", "2.9"])
def test_the_version_compares_as_pytorchs(torch, other):
    ours, theirs = names.__version__, torch.torch_version.TorchVersion("2.13.0")
    assert isinstance(ours, str)
    for version in (other, tuple(int(part) for part in other.rstrip("a0.").split("."))):
        for compare in (operator.lt, operator.le, operator.gt, operator.ge):
            assert compare(ours, version) == compare(theirs, version), (compare, version)
    assert tuple(map(int, ours.split("+")[0].split("."))) >= (2, 13, 0)
    assert ours == "2.13.0" != "2.13.1"
    assert hash(ours) == hash(str(ours))


@pytest.mark.parametrize("module", ["", "nn.modules", "nn.modules.rnn", "utils.data.dataloader"])
def test_stubs_offer_what_they_say(module):
    stub = names
    for part in filter(None, module.split(".")):
        stub = getattr(stub, part)
    for name in dir(stub):
        assert getattr(stub, name) is not None
    with pytest.raises(AttributeError):
        stub.no_such_name  # noqa: B018


@pytest.mark.parametrize(
    "use",
    [
        lambda: names.utils.tensorboard.SummaryWriter("runs"),
        lambda: names.onnx.export(tg.nn.Linear(1, 1), tg.ones(1), "x.onnx"),
    ],
    ids=["SummaryWriter", "onnx"],
)
def test_what_is_there_to_be_imported_says_so_when_used(use):
    with pytest.raises(NotImplementedError, match="tinygrad_rnn"):
        use()


def test_settings_of_the_computer_are_taken():
    names.set_num_threads(4)
    names.use_deterministic_algorithms(True)
    names.set_float32_matmul_precision("high")
    assert names.are_deterministic_algorithms_enabled()
    assert names.get_float32_matmul_precision() == "high"
    names.backends.cudnn.benchmark = True
    assert not names.backends.mps.is_available()
    assert not names.accelerator.is_available()
    assert names.accelerator.current_accelerator() is None
    assert tg.cuda.manual_seed_all(0) is tg.cuda.empty_cache() is None
    assert names.nn.modules.LSTM is names.nn.modules.rnn.LSTM is tg.nn.LSTM

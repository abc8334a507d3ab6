"""Optimizers and schedulers against PyTorch's, number by number."""

from __future__ import annotations

import copy
import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import optim
from tinygrad_rnn.optim import lr_scheduler

SHAPES = [(3, 2), (4,), (), (0, 2)]


def grid(**options: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(options, values)) for values in itertools.product(*options.values())]


COMMON = {"weight_decay": [0, 0.1], "maximize": [False, True]}
GRID: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        *grid(lr=[0.1], momentum=[0, 0.9], dampening=[0, 0.3], **COMMON),
        *grid(momentum=[0.9], nesterov=[True], **COMMON),
    ],
    "Adam": grid(
        lr=[0.01],
        betas=[(0.9, 0.999), (0.0, 0.9), (0.5, 0.5)],
        eps=[1e-8, 0.1],
        amsgrad=[False, True],
        decoupled_weight_decay=[False, True],
        **COMMON,
    ),
    "AdamW": [{}, *grid(betas=[(0.8, 0.99)], amsgrad=[False, True], **COMMON)],
    "RMSprop": grid(
        alpha=[0.99, 0.5], momentum=[0, 0.9], centered=[False, True], eps=[1e-8, 0.1], **COMMON
    ),
    "Adagrad": grid(lr_decay=[0, 0.1], initial_accumulator_value=[0, 0.5], **COMMON),
    "Adadelta": grid(lr=[1.0, 0.1], rho=[0.9, 0, 1], eps=[1e-6, 0.1], **COMMON),
    "Adamax": grid(betas=[(0.9, 0.999), (0.5, 0.6)], eps=[1e-8, 0.1], **COMMON),
    "NAdam": grid(
        betas=[(0.9, 0.999), (0.5, 0.6)],
        momentum_decay=[0.004, 0.1],
        decoupled_weight_decay=[False, True],
        **COMMON,
    ),
    "RAdam": grid(
        betas=[(0.9, 0.999), (0.5, 0.6), (0.8, 0.95)],
        decoupled_weight_decay=[False, True],
        **COMMON,
    ),
    "ASGD": grid(lambd=[1e-4, 0.1], alpha=[0.75, 0.5], t0=[1e6, 3, 0], **COMMON),
    "Rprop": grid(
        lr=[0.01, 1],
        etas=[(0.5, 1.2), (0.1, 3.0)],
        step_sizes=[(1e-6, 50), (0.02, 0.1)],
        maximize=[False, True],
    ),
}
CASES = [(name, options) for name, several in GRID.items() for options in several]
DTYPES = ["float32", "float64"]
TOLERANCE = {"float32": (1e-6, 1e-7), "float64": (1e-12, 1e-15)}


def start(dtype: str) -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    return [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]


def gradients(dtype: str, steps: int) -> list[list[np.ndarray | None]]:
    """Some of them zero or missing, in turn."""
    rng = np.random.default_rng(11)
    rows = []
    for step in range(steps):
        row: list[Any] = [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]
        if step % 4 == 1:
            row[0] = np.zeros_like(row[0])
        if step % 3 == 2:
            row[1] = None
        if row[0].size and step % 5 == 0:
            row[0][1] = 0
        rows.append(row)
    return rows


def close(own: np.ndarray, other: np.ndarray, what: str = "") -> None:
    """To 1e-6 in float32; elements that are small by cancellation, by the largest one."""
    tolerance, rounding = TOLERANCE[str(own.dtype)]
    size = max(1.0, np.abs(other).max(initial=0))
    np.testing.assert_allclose(own, other, rtol=tolerance, atol=rounding * size, err_msg=what)


class Twins:
    """One optimizer here and the same in PyTorch."""

    def __init__(self, torch: Any, name: str, dtype: str, options: dict[str, Any]) -> None:
        self.torch = torch
        self.ours = [tg.tensor(a, requires_grad=True) for a in start(dtype)]
        self.theirs = [torch.tensor(a, requires_grad=True) for a in start(dtype)]
        self.our = getattr(optim, name)(self.groups(self.ours), **options)
        self.their = getattr(torch.optim, name)(self.groups(self.theirs), **options)

    @staticmethod
    def groups(params: list[Any]) -> list[dict[str, Any]]:
        return [{"params": params[:1]}, {"params": params[1:], "lr": 0.05}]

    def run(self, rows: list[list[np.ndarray | None]]) -> None:
        for row in rows:
            for p, q, g in zip(self.ours, self.theirs, row):
                p.grad = None if g is None else tg.tensor(g)
                q.grad = None if g is None else self.torch.tensor(g)
            self.our.step()
            self.their.step()
            for p, g in zip(self.ours, row):
                assert g is None or np.array_equal(
                    p.grad.numpy(), g, equal_nan=True
                )  # left as it was

    def check(self, dtype: str) -> None:
        for p, q in zip(self.ours, self.theirs):
            assert p.dtype == dtype
            close(p.detach().numpy(), q.detach().numpy())
        ours, theirs = self.our.state_dict(), self.their.state_dict()
        assert ours["param_groups"] == theirs["param_groups"]
        assert ours["state"].keys() == theirs["state"].keys()
        for i, kept in theirs["state"].items():
            assert ours["state"][i].keys() == kept.keys()
            for key, value in kept.items():
                own = ours["state"][i][key]
                assert str(own.dtype) == str(value.dtype), key
                assert own.shape == tuple(value.shape)
                close(own.numpy(), value.numpy(), key)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_ten_steps_like_torch(torch, name, options, dtype) -> None:
    twins = Twins(torch, name, dtype, options)
    twins.run(gradients(dtype, 10))
    twins.check(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "options"), [(n, o[-1]) for n, o in GRID.items()], ids=str)
def test_state_goes_on(torch, name, options, dtype) -> None:
    rows = gradients(dtype, 12)
    straight = Twins(torch, name, dtype, options)
    straight.run(rows[:6])
    saved, saved_params = (
        copy.deepcopy(straight.our.state_dict()),
        [p.detach().clone() for p in straight.ours],
    )
    again = Twins(torch, name, dtype, {})
    # ours takes torch's state as it is, torch's takes its own
    again.our.load_state_dict(straight.their.state_dict())
    again.their.load_state_dict(copy.deepcopy(straight.their.state_dict()))
    with tg.no_grad(), torch.no_grad():
        for p, q, r in zip(again.ours, again.theirs, straight.theirs):
            p.copy_(tg.from_numpy(r.numpy()))
            q.copy_(r)
    again.run(rows[6:])
    again.check(dtype)
    # and torch takes ours
    back = Twins(torch, name, dtype, {})
    with tg.no_grad(), torch.no_grad():
        for p, q, r in zip(back.ours, back.theirs, saved_params):
            p.copy_(r)
            q.copy_(torch.tensor(r.numpy()))
    as_torch = {
        "param_groups": copy.deepcopy(saved["param_groups"]),
        "state": {
            i: {key: torch.tensor(value.numpy()) for key, value in kept.items()}
            for i, kept in saved["state"].items()
        },
    }
    back.their.load_state_dict(as_torch)
    back.our.load_state_dict(saved)
    back.run(rows[6:])
    back.check(dtype)
    for i, kept in saved["state"].items():  # a copy was taken
        for key, value in straight.our.state_dict()["state"][i].items():
            assert np.array_equal(kept[key].numpy(), value.numpy(), equal_nan=True)


@pytest.mark.parametrize("name", GRID)
def test_repr_defaults_and_signature_like_torch(torch, name) -> None:
    import inspect

    twins = Twins(torch, name, "float32", {})
    assert repr(twins.our) == repr(twins.their)
    assert twins.our.defaults == twins.their.defaults
    ours, theirs = (inspect.signature(getattr(m, name)) for m in (optim, torch.optim))
    assert [(p.name, p.kind, p.default) for p in ours.parameters.values()] == [
        (p.name, p.kind, p.default) for p in theirs.parameters.values()
    ]


@pytest.mark.parametrize("name", GRID)
def test_default_dtype_sets_that_of_scalars(torch, name) -> None:
    try:
        tg.set_default_dtype("float64")
        torch.set_default_dtype(torch.float64)
        twins = Twins(torch, name, "float32", {})
        twins.run(gradients("float32", 3))
        twins.check("float32")
    finally:
        tg.set_default_dtype("float32")
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", GRID)
def test_nan_and_infinity_pass_silently(torch, name) -> None:
    twins = Twins(torch, name, "float32", {})
    rows = gradients("float32", 4)
    rows[0][0][0, 0], rows[1][0][1, 0], rows[1][0][2, 0] = np.nan, np.inf, 3e38
    twins.run(rows)
    for p, q in zip(twins.ours, twins.theirs):
        np.testing.assert_allclose(
            p.detach().numpy(), q.detach().numpy(), rtol=1e-5, equal_nan=True
        )


@pytest.mark.parametrize("name", GRID)
def test_memory_stays_and_stale_graphs_notice(name) -> None:
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    array, optimizer = w.array, getattr(optim, name)([w], lr=0.1)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    assert w.array is array
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("name", GRID)
def test_descends(name) -> None:
    layer = tg.nn.Parameter(tg.tensor([[2.0, -1.0], [0.5, 3.0]]))
    optimizer = getattr(optim, name)([layer], lr=0.05)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (layer * layer).sum()
        loss.backward()
        return loss

    with tg.no_grad():  # the closure records all the same
        losses = [optimizer.step(closure).item() for _ in range(20)]
    assert losses[-1] < losses[0]


def test_add_param_group_gives_adagrad_its_state() -> None:
    v, w = (tg.tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = optim.Adagrad([v], lr=0.1)
    optimizer.add_param_group({"params": w, "initial_accumulator_value": 3.0})
    w.grad = tg.tensor([1.0])
    optimizer.step()
    assert w.item() == pytest.approx(0.95)


# -- LBFGS --


def rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def quartic(x: Any) -> Any:
    return ((x - 1) ** 4).sum() + (x.sum() - 2) ** 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [rosenbrock, quartic])
@pytest.mark.parametrize(
    "options",
    [
        *grid(line_search_fn=["strong_wolfe"], lr=[1, 0.1], history_size=[100, 3]),
        {"line_search_fn": "strong_wolfe", "max_iter": 3},
        *grid(line_search_fn=["strong_wolfe"], lr=[1, 1e-3], max_eval=[1, 2, 4, 9, 15]),
        {"line_search_fn": "strong_wolfe", "lr": 1e-4},
        {"line_search_fn": "strong_wolfe", "lr": 100},
        {"lr": 0.01},
        {"lr": 0.01, "history_size": 2, "max_iter": 7},
        {"lr": 0.01, "tolerance_grad": 1.0},
        {"lr": 0.01, "tolerance_change": 0.1},
    ],
    ids=str,
)
def test_lbfgs_like_torch(torch, function, options, dtype) -> None:
    values = np.array([-1.2, 1.0, 0.7, -0.3], dtype)
    w, unused = tg.tensor(values, requires_grad=True), tg.zeros(2, dtype=dtype, requires_grad=True)
    v = torch.tensor(values, requires_grad=True)
    spare = torch.zeros(2, dtype=v.dtype, requires_grad=True)
    ours = optim.LBFGS([w, unused], **options)
    theirs = torch.optim.LBFGS([v, spare], **options)
    trace: list[list[float]] = [[], []]

    def closure(optimizer: Any, x: Any, losses: list[float]) -> Any:
        def run() -> Any:
            optimizer.zero_grad()
            loss = function(x)
            loss.backward()
            losses.append(loss.item())
            return loss

        return run

    tiny = options.get("lr", 1) < 0.01  # no cubic can be told from such steps in float32
    for _ in range(1 if tiny else 3):
        own = ours.step(closure(ours, w, trace[0]))
        other = theirs.step(closure(theirs, v, trace[1]))
        if dtype == "float64":
            assert own.item() == pytest.approx(other.item(), rel=1e-6, abs=1e-12)
    if dtype == "float64":
        np.testing.assert_allclose(w.detach().numpy(), v.detach().numpy(), rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(trace[0], trace[1], rtol=1e-6, atol=1e-12)
        state = ours.state_dict()["state"][0]
        twin = theirs.state_dict()["state"][0]
        assert twin.keys() - state.keys() <= {"al"}
        assert (state["n_iter"], state["func_evals"]) == (twin["n_iter"], twin["func_evals"])
        assert len(state.get("ro", ())) == len(twin.get("ro", ()))
    first = min(len(trace[0]), len(trace[1]), 2 if tiny else 8)
    np.testing.assert_allclose(trace[0][:first], trace[1][:first], rtol=2e-3)


FUNCTIONS = {
    "fourth powers": lambda w: -(w**4).sum(),
    "huge": lambda w: (w * 1e200 * w * 1e200).sum(),
    "nan": lambda w: (w * math.nan).sum(),
    "flat": lambda w: (w * 0).sum(),
    "exponentials": lambda w: (w**4).sum() * 1e-3 + w.exp().sum(),
}


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_lbfgs_where_there_is_no_minimum(torch, name, search) -> None:
    ends = []
    for library in (tg, torch):
        w = library.tensor([3.0, -2.0, 0.5], dtype=library.float64, requires_grad=True)
        optimizer = library.optim.LBFGS([w], line_search_fn=search)

        def closure(w: Any = w, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            with np.errstate(all="ignore"):
                loss = FUNCTIONS[name](w)
                loss.backward()
            return loss

        optimizer.step(closure)
        ends.append([*w.tolist(), optimizer.state_dict()["state"][0]["func_evals"]])
    np.testing.assert_allclose(*ends, rtol=1e-4)


def test_lbfgs_state_goes_on(torch) -> None:
    values = np.array([-1.2, 1.0, 0.7, -0.3])
    w, v = tg.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)

    def run(optimizer: Any, x: Any) -> None:
        def closure() -> Any:
            optimizer.zero_grad()
            loss = rosenbrock(x)
            loss.backward()
            return loss

        optimizer.step(closure)

    options = {"max_iter": 4, "line_search_fn": "strong_wolfe"}
    theirs = torch.optim.LBFGS([v], **options)
    run(theirs, v)
    ours = optim.LBFGS([w])
    ours.load_state_dict(theirs.state_dict())
    with tg.no_grad():
        w.copy_(tg.from_numpy(v.detach().numpy()))
    run(ours, w)
    run(theirs, v)
    np.testing.assert_allclose(w.detach().numpy(), v.detach().numpy(), rtol=1e-9)
    other = tg.tensor(w.detach().numpy(), requires_grad=True)
    again = optim.LBFGS([other])
    again.load_state_dict(ours.state_dict())
    run(again, other)
    run(ours, w)
    assert np.array_equal(other.detach().numpy(), w.detach().numpy())


# -- groups and errors --


@pytest.fixture(params=["tg", "torch"])
def library(request, torch) -> Any:
    """Each of the two, in tests that say what both do."""
    return {"tg": tg, "torch": torch}[request.param]


def parameters(library: Any, n: int = 2) -> list[Any]:
    return [library.ones(2, requires_grad=True) for _ in range(n)]


def construct(name: str, library: Any, **options: Any) -> Any:
    return getattr(library.optim, name)(parameters(library), **options)


WRONG_OPTIONS = [
    *[(name, {"lr": -1}) for name in [*GRID, "LBFGS"]],
    *[(name, {"lr": None}) for name in [*GRID, "LBFGS"]],
    *[(name, {"lr": "0.1"}) for name in GRID],
    *[(name, {"eps": -1}) for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam")],
    *[(name, {"eps": -1}) for name in ("RMSprop", "Adagrad", "Adadelta")],
    *[(name, {"weight_decay": -1}) for name in GRID if name != "Rprop"],
    *[
        (name, {"betas": betas})
        for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam")
        for betas in [(1, 0.9), (-0.1, 0.9), (0.9, 1.0), (0.9, -1), (0.9,), 0.9, ("a", 0.9)]
    ],
    *[(name, {"foreach": True, "fused": True}) for name in ("SGD", "Adam", "AdamW", "Adagrad")],
    *[(name, {"nothing": 1}) for name in [*GRID, "LBFGS"]],
    ("SGD", {"momentum": -1}),
    ("SGD", {"nesterov": True}),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    ("NAdam", {"momentum_decay": -1}),
    ("RMSprop", {"momentum": -1}),
    ("RMSprop", {"alpha": -1}),
    ("Adagrad", {"lr_decay": -1}),
    ("Adagrad", {"initial_accumulator_value": -1}),
    ("Adadelta", {"rho": -1}),
    ("Adadelta", {"rho": 1.1}),
    ("Rprop", {"etas": (1, 2)}),
    ("Rprop", {"etas": (0, 2)}),
    ("Rprop", {"etas": (0.5, 1)}),
]
WRONG_PARAMS = {
    "none": lambda lib: [],
    "an empty generator": lambda lib: iter(()),
    "one tensor": lambda lib: parameters(lib)[0],
    "a dict": lambda lib: {"params": parameters(lib)},
    "a string": lambda lib: "ab",
    "None": lambda lib: None,
    "numbers": lambda lib: [1, 2],
    "a result": lambda lib: [parameters(lib)[0] * 2],
    "a result in a group": lambda lib: [{"params": [parameters(lib)[0] * 2]}],
    "a number in a group": lambda lib: [{"params": 1}],
    "a set in a group": lambda lib: [{"params": set(parameters(lib))}],
    "a dict in a group": lambda lib: [{"params": {"a": parameters(lib)[0]}}],
    "no params": lambda lib: [{"lr": 1}],
    "a tensor, then a group": lambda lib: [*parameters(lib), {"params": parameters(lib)}],
    "a group, then a tensor": lambda lib: [{"params": parameters(lib)}, *parameters(lib)],
    "in two groups": lambda lib: [{"params": p} for p in parameters(lib, 1) * 2],
    "some names": lambda lib: [("a", parameters(lib)[0]), parameters(lib)[0]],
    "names in some groups": lambda lib: [
        {"params": [("a", parameters(lib)[0])]},
        {"params": parameters(lib)},
    ],
}


def assert_same_error(ours: Any, theirs: Any) -> None:
    with pytest.raises(Exception) as expected:  # noqa: PT011
        theirs()
    with pytest.raises(expected.type):
        ours()


@pytest.mark.parametrize(("name", "options"), WRONG_OPTIONS, ids=str)
def test_wrong_options_raise_like_torch(torch, name, options) -> None:
    assert_same_error(
        lambda: construct(name, tg, **options), lambda: construct(name, torch, **options)
    )


@pytest.mark.parametrize("what", WRONG_PARAMS)
def test_wrong_params_raise_like_torch(torch, what) -> None:
    make = WRONG_PARAMS[what]
    assert_same_error(lambda: optim.SGD(make(tg)), lambda: torch.optim.SGD(make(torch)))


@pytest.mark.parametrize("name", GRID)
@pytest.mark.parametrize("flag", ["differentiable", "capturable"])
def test_unsupported_flags_are_refused(name, flag) -> None:
    if flag in construct(name, tg).defaults:
        with pytest.raises(RuntimeError, match=flag):
            construct(name, tg, **{flag: True})


@pytest.mark.parametrize("value", [math.nan, tg.tensor([0.1, 0.2])])
def test_rates_that_are_no_numbers_are_refused(value) -> None:
    with pytest.raises(ValueError, match="lr"):
        construct("SGD", tg, lr=value)


@pytest.mark.parametrize(
    "lr", [tg.tensor(0.1), tg.tensor([0.1]), np.float64(0.1), np.float32(0.1)], ids=repr
)
def test_rates_of_other_kinds(lr) -> None:
    w = tg.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=lr)
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    w.grad = tg.tensor([1.0])
    optimizer.step()
    assert w.dtype == np.float32
    assert w.item() == pytest.approx(0.9)
    scheduler.step()
    assert type(optimizer.param_groups[0]["lr"]) is (tg.Tensor if tg.is_tensor(lr) else float)
    assert scheduler.get_last_lr() == [pytest.approx(0.05)]


def test_lbfgs_refuses(torch) -> None:
    for library in (tg, torch):
        with pytest.raises(ValueError, match="group"):
            library.optim.LBFGS([{"params": p} for p in parameters(library)])
        with pytest.raises(TypeError):
            construct("LBFGS", library).step()
        for loss in ("a", library.ones(2)):
            with pytest.raises(ValueError):  # noqa: PT011
                construct("LBFGS", library).step(lambda loss=loss: loss)
    with pytest.raises(RuntimeError, match="line_search_fn"):
        construct("LBFGS", tg, line_search_fn="weak_wolfe")
    with pytest.raises(ValueError, match="history_size"):
        construct("LBFGS", tg, history_size=0)


def test_duplicates_in_a_group_warn(library) -> None:
    with pytest.warns(UserWarning, match="parameter"):
        library.optim.SGD(parameters(library, 1) * 2)


def test_ways_to_give_params(library) -> None:
    v, w = parameters(library)
    for params in ([v, w], (v, w), iter([v, w]), {v: 0, w: 1}.keys(), [{"params": iter([v, w])}]):
        (group,) = library.optim.SGD(params).param_groups
        assert [id(p) for p in group["params"]] == [id(v), id(w)]
    named = library.optim.SGD([("a", v), ("b", w)])
    assert named.param_groups[0]["param_names"] == ["a", "b"]
    assert named.state_dict()["param_groups"][0]["params"] == [0, 1]
    assert "param_names: ['a', 'b']" in repr(named)
    assert len(library.optim.SGD([{"params": []}]).param_groups) == 1


def test_modules_give_params() -> None:
    cell = tg.nn.RNNCell(2, 3)
    optimizer = optim.Adam(cell.parameters(), lr=0.1)
    before = cell.weight_hh.detach().clone()
    cell(tg.ones(1, 2), tg.ones(1, 3)).sum().backward()
    optimizer.step()
    assert not np.array_equal(before.numpy(), cell.weight_hh.detach().numpy())


def test_add_param_group(library) -> None:
    v, w = parameters(library)
    optimizer = library.optim.SGD([v], lr=0.1)
    optimizer.add_param_group({"params": w, "extra": 1})
    assert optimizer.param_groups[1]["extra"] == 1
    assert optimizer.param_groups[1]["lr"] == 0.1
    with pytest.raises(ValueError, match="more than one"):
        optimizer.add_param_group({"params": w})
    with pytest.raises(TypeError):
        optimizer.add_param_group([w])


def test_load_state_dict_refuses(torch) -> None:
    for library in (tg, torch):
        optimizer = construct("SGD", library, lr=0.3)
        for wrong in (
            {"state": {}, "param_groups": []},
            {"state": {}, "param_groups": [{"params": []}]},
        ):
            with pytest.raises(ValueError, match="group"):
                optimizer.load_state_dict(wrong)
        with pytest.raises(KeyError):
            optimizer.load_state_dict({"state": {}})
        assert optimizer.param_groups[0]["lr"] == 0.3
    with pytest.raises(TypeError, match="state_dict"):
        construct("SGD", tg).load_state_dict(3)


def test_state_of_another_shape_is_refused() -> None:
    optimizer = construct("Adam", tg)
    state = {0: {"step": tg.tensor(1.0), "exp_avg": tg.ones(5), "exp_avg_sq": tg.ones(5)}}
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    optimizer.param_groups[0]["params"][0].grad = tg.ones(2)
    with pytest.raises(RuntimeError, match="exp_avg"):
        optimizer.step()


def test_old_states_lack_options_and_count_in_numbers() -> None:
    optimizer = construct("Adam", tg, lr=0.3)
    group = {"params": [0, 1], "lr": 0.5}
    state = {0: {"step": 3, "exp_avg": tg.ones(2), "exp_avg_sq": tg.ones(2)}}
    optimizer.load_state_dict({"param_groups": [group], "state": state})
    p = optimizer.param_groups[0]["params"][0]
    p.grad = tg.ones(2)
    optimizer.step()
    assert optimizer.state[p]["step"].item() == 4
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.999)


def test_zero_grad() -> None:
    w = tg.tensor([2.0], requires_grad=True)
    optimizer = optim.SGD([w, tg.zeros(1, requires_grad=True)])
    (w * w).sum().backward(create_graph=True)
    optimizer.zero_grad(set_to_none=False)
    assert w.grad.item() == 0
    assert not w.grad.requires_grad
    optimizer.zero_grad()
    assert w.grad is None


def test_gradients_with_a_graph_are_used_as_numbers() -> None:
    w = tg.tensor([2.0], requires_grad=True)
    (w * w).sum().backward(create_graph=True)
    optim.SGD([w], lr=0.25, weight_decay=0.1, maximize=True).step()
    assert w.is_leaf
    assert w.item() == pytest.approx(2 + 0.25 * (4 - 0.2))


def test_hooks(library) -> None:
    optimizer, calls = construct("SGD", library), []
    before = optimizer.register_step_pre_hook(lambda o, a, k: calls.append((a == (o,), k)))
    optimizer.register_step_post_hook(lambda o, a, k: calls.append("after"))
    optimizer.step()
    before.remove()
    optimizer.step(lambda: calls.append("closure"))
    assert calls == [(True, {}), "after", "closure", "after"]
    optimizer.register_step_pre_hook(lambda o, a, k: ((o, lambda: 5), {}))
    assert optimizer.step() == 5


def test_a_step_of_ones_own(library) -> None:
    class Sign(library.optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        def step(self) -> None:
            with library.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p -= group["lr"] * p.grad.sign()

    (w,) = parameters(library, 1)
    (3 * w).sum().backward()
    optimizer, calls = Sign([w], 0.25), []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    scheduler = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()
    assert w.tolist() == [0.75, 0.75]
    assert calls == [1]


def test_an_optimizer_without_a_formula() -> None:
    (w,) = parameters(tg, 1)
    w.grad = tg.ones(2)
    with pytest.raises(NotImplementedError):
        optim.Optimizer([w], {}).step()


def test_copies_go_on_alone() -> None:
    w = tg.tensor([1.0], requires_grad=True)
    optimizer = optim.Adam([w], lr=0.1)
    w.grad = tg.ones(1)
    optimizer.step()
    other = copy.deepcopy(optimizer)
    (twin,) = other.param_groups[0]["params"]
    twin.grad = tg.ones(1)
    other.step()
    assert other.state[twin]["step"].item() == 2
    assert optimizer.state[w]["step"].item() == 1


# -- schedulers --


def several(library: Any) -> Any:
    v, w = parameters(library)
    return library.optim.SGD([{"params": v}, {"params": w, "lr": 0.5}], lr=0.1, momentum=0.9)


def up(step: int) -> float:
    return 1 / (1 + step)


SCHEDULES: dict[str, Any] = {
    "step": lambda s, o: s.StepLR(o, 3),
    "step 1.0": lambda s, o: s.StepLR(o, 1.0, gamma=0.1),
    "step 1": lambda s, o: s.StepLR(o, 1, 0.9),
    "milestones": lambda s, o: s.MultiStepLR(o, [9, 2, 5, 5], 0.3),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.9),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 7),
    "cosine to": lambda s, o: s.CosineAnnealingLR(o, 40, eta_min=0.01),
    "cosine 1": lambda s, o: s.CosineAnnealingLR(o, 1),
    "lambda": lambda s, o: s.LambdaLR(o, up),
    "lambdas": lambda s, o: s.LambdaLR(o, [up, lambda e: 0.9**e]),
    "linear": lambda s, o: s.LinearLR(o),
    "linear down": lambda s, o: s.LinearLR(o, 1.0, 0.0, 11),
    "linear 0": lambda s, o: s.LinearLR(o, 0.5, 1.0, 1),
    "constant": lambda s, o: s.ConstantLR(o, 0.1, 4),
    "cyclic": lambda s, o: s.CyclicLR(o, 0.01, [0.1, 0.3], 4, 7),
    "cyclic 2": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, mode="triangular2"),
    "cyclic exp": lambda s, o: s.CyclicLR(
        o, [0.01, 0.02], 0.1, 3, mode="exp_range", gamma=0.9, base_momentum=[0.5, 0.6]
    ),
    "cyclic own": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, scale_fn=up, scale_mode="iterations"),
    "cyclic alone": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, cycle_momentum=False),
    "one": lambda s, o: s.OneCycleLR(o, 1.0, total_steps=35),
    "one epochs": lambda s, o: s.OneCycleLR(o, [1.0, 0.5], epochs=4, steps_per_epoch=8),
    "one linear": lambda s, o: s.OneCycleLR(
        o, 1.0, 32, anneal_strategy="linear", pct_start=0.4, div_factor=10.0, final_div_factor=100.0
    ),
    "one three": lambda s, o: s.OneCycleLR(o, 1.0, 32, three_phase=True, max_momentum=[0.9, 0.8]),
    "one alone": lambda s, o: s.OneCycleLR(o, 1.0, 40, cycle_momentum=False),
    "one short": lambda s, o: s.OneCycleLR(o, 1.0, 40, pct_start=0.01),
    "sequence": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 20), s.ExponentialLR(o, 0.9)], [20]
    ),
    "warm up": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, 1.0, 5), s.CosineAnnealingLR(o, 9), s.StepLR(o, 3)], [5, 14]
    ),
    "sequence of all": lambda s, o: s.SequentialLR(
        o,
        [s.MultiStepLR(o, [1, 2]), s.LambdaLR(o, up), s.LinearLR(o), s.ConstantLR(o, 0.2, 2)],
        [4, 7, 15],
    ),
    "two": lambda s, o: [s.ExponentialLR(o, 0.9), s.MultiStepLR(o, [3, 8])],
    "three": lambda s, o: [
        s.CosineAnnealingLR(o, 6, 0.001),
        s.StepLR(o, 4, 0.5),
        s.LinearLR(o, 0.5, 1.0, 7),
    ],
}


def rates(library: Any, make: Any, steps: int = 30, meddle: bool = False) -> list[Any]:
    """The rates and momenta of all steps."""
    optimizer = several(library)
    schedulers = make(library.optim.lr_scheduler, optimizer)
    schedulers = schedulers if isinstance(schedulers, list) else [schedulers]
    rows = []
    for step in range(steps):
        rows.append([g[key] for g in optimizer.param_groups for key in ("lr", "momentum")])
        rows.append([lr for s in schedulers for lr in s.get_last_lr()])
        optimizer.step()
        if meddle and step == 7:
            optimizer.param_groups[1]["lr"] *= 0.3
        for scheduler in schedulers:
            scheduler.step()
    return rows


@pytest.mark.parametrize("meddle", [False, True])
@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_like_torch(torch, name, meddle) -> None:
    ours, theirs = (rates(lib, SCHEDULES[name], meddle=meddle) for lib in (tg, torch))
    for row, twin in zip(ours, theirs):
        np.testing.assert_allclose(row, twin, rtol=1e-12, atol=1e-17)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_go_on(torch, name) -> None:
    if "one" in name and "epochs" not in name:
        return
    whole = rates(tg, SCHEDULES[name])
    optimizer = several(tg)
    made = SCHEDULES[name](lr_scheduler, optimizer)
    made = made if isinstance(made, list) else [made]
    for _ in range(12):
        optimizer.step()
        for scheduler in made:
            scheduler.step()
    saved = copy.deepcopy([s.state_dict() for s in made]), optimizer.state_dict()
    optimizer = several(tg)
    again = SCHEDULES[name](lr_scheduler, optimizer)
    again = again if isinstance(again, list) else [again]
    optimizer.load_state_dict(saved[1])
    for scheduler, state in zip(again, saved[0]):
        scheduler.load_state_dict(state)
    for step in range(12, 30):
        expected = whole[2 * step]
        assert [g[key] for g in optimizer.param_groups for key in ("lr", "momentum")] == expected
        assert [lr for s in again for lr in s.get_last_lr()] == whole[2 * step + 1]
        optimizer.step()
        for scheduler in again:
            scheduler.step()


@pytest.mark.parametrize("name", SCHEDULES)
def test_states_of_schedulers_like_torch(torch, name) -> None:
    states = []
    for library in (tg, torch):
        optimizer = several(library)
        made = SCHEDULES[name](library.optim.lr_scheduler, optimizer)
        made = made if isinstance(made, list) else [made]
        for _ in range(9):
            optimizer.step()
            for scheduler in made:
                scheduler.step()
        states.append([s.state_dict() for s in made])
    for own, twin in zip(*states):
        for key in ("base_lrs", "last_epoch", "_step_count", "_last_lr", "milestones"):
            assert (key in own) == (key in twin)
            if key in own:
                assert own[key] == pytest.approx(twin[key], rel=1e-12)


RESUMED = {
    "step": lambda s, o, e: s.StepLR(o, 3, last_epoch=e),
    "milestones": lambda s, o, e: s.MultiStepLR(o, [2, 5, 5], last_epoch=e),
    "exponential": lambda s, o, e: s.ExponentialLR(o, 0.9, last_epoch=e),
    "cosine": lambda s, o, e: s.CosineAnnealingLR(o, 4, 0.1, last_epoch=e),
    "linear": lambda s, o, e: s.LinearLR(o, last_epoch=e),
    "constant": lambda s, o, e: s.ConstantLR(o, last_epoch=e),
    "lambda": lambda s, o, e: s.LambdaLR(o, up, last_epoch=e),
    "one": lambda s, o, e: s.OneCycleLR(o, 1.0, total_steps=20, last_epoch=e),
    "cyclic": lambda s, o, e: s.CyclicLR(o, 0.4, 1.0, 3, last_epoch=e),
}


@pytest.mark.parametrize("epoch", [0, 1, 2, 4, 5, 8])
@pytest.mark.parametrize("name", RESUMED)
def test_resumed_like_torch(torch, name, epoch) -> None:
    results = []
    for library in (tg, torch):
        optimizer = library.optim.SGD(parameters(library), lr=0.3, momentum=0.7)
        optimizer.param_groups[0].update(
            initial_lr=0.4, max_lr=2.0, min_lr=0.1, max_momentum=0.9, base_momentum=0.8
        )
        scheduler = RESUMED[name](library.optim.lr_scheduler, optimizer, epoch)
        rows = [scheduler.get_last_lr()]
        for _ in range(6):
            optimizer.step()
            scheduler.step()
            rows.append([*scheduler.get_last_lr(), optimizer.param_groups[0]["momentum"]])
        results.append(rows)
    for row, twin in zip(*results):
        np.testing.assert_allclose(row, twin, rtol=1e-12)


@pytest.mark.parametrize("name", [n for n in SCHEDULES if n not in ("two", "three")])
@pytest.mark.parametrize("epoch", [0, 4, 9])
def test_certain_epochs_like_torch(torch, name, epoch) -> None:
    results = []
    for library in (tg, torch):
        optimizer = several(library)
        scheduler = SCHEDULES[name](library.optim.lr_scheduler, optimizer)
        if isinstance(scheduler, library.optim.lr_scheduler.SequentialLR):
            with pytest.raises(TypeError):
                scheduler.step(epoch)
            return
        optimizer.step()
        with pytest.warns(UserWarning, match="epoch"):
            scheduler.step(epoch)
        rows = [scheduler.get_last_lr()]
        scheduler.step()
        results.append([*rows, scheduler.get_last_lr()])
    np.testing.assert_allclose(*results, rtol=1e-12)


@pytest.mark.parametrize("name", ["step", "milestones", "exponential", "cosine to", "linear"])
def test_chained_and_closed_form_agree(name) -> None:
    scheduler = SCHEDULES[name](lr_scheduler, several(tg))
    scheduler.optimizer.step()
    for _ in range(30):
        scheduler.step()
        np.testing.assert_allclose(scheduler.get_last_lr(), scheduler.closed_form(), rtol=1e-12)


def test_sequences_of_sequences() -> None:  # in PyTorch they take a step too many, or none
    def flat(s: Any, o: Any) -> Any:
        parts = [s.LinearLR(o, 0.5), s.StepLR(o, 2), s.ExponentialLR(o, 0.5), s.LinearLR(o, 0.1)]
        return s.SequentialLR(o, parts, [3, 8, 12])

    def nested(s: Any, o: Any) -> Any:
        first = s.SequentialLR(o, [s.LinearLR(o, 0.5), s.StepLR(o, 2)], [3])
        second = s.SequentialLR(o, [s.ExponentialLR(o, 0.5), s.LinearLR(o, 0.1)], [4])
        return s.SequentialLR(o, [first, second], [8])

    assert rates(tg, nested) == rates(tg, flat)


METRICS = [5, 4, 4.5, 4, 4, 3.99999, 4, 4, 4, 5, 3, 3, 3, 3, 3, 3, 3, 2.9, 3, 3, 3, math.nan, 3, 3]


@pytest.mark.parametrize(
    "options",
    [
        *grid(
            mode=["min", "max"],
            threshold_mode=["rel", "abs"],
            threshold=[1e-4, 0.2],
            patience=[0, 2],
            cooldown=[0, 2],
        ),
        {"patience": 1, "min_lr": [0.05, 0.2]},
        {"patience": 0, "min_lr": 0.01, "eps": 0.03},
    ],
    ids=str,
)
def test_plateaus_like_torch(torch, options) -> None:
    results: list[Any] = []
    for library in (tg, torch):
        optimizer = several(library)
        scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, **options)
        rows = []
        for i, metric in enumerate(METRICS):
            optimizer.step()
            scheduler.step(library.tensor(metric) if i % 2 else metric)
            rows.append([*scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.last_epoch])
            if i == 6:
                state = scheduler.state_dict()
                scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
                scheduler.load_state_dict(state)
        results.append(rows)
    np.testing.assert_allclose(*results, rtol=1e-12)


WRONG_SCHEDULES: dict[str, Any] = {
    "no optimizer": lambda s, o: s.StepLR(3, 3),
    "no optimizer for a plateau": lambda s, o: s.ReduceLROnPlateau(3),
    "no optimizer for a cycle": lambda s, o: s.CyclicLR(3, 0.1, 1),
    "nothing to resume": lambda s, o: s.StepLR(o, 3, last_epoch=2),
    "milestones": lambda s, o: s.MultiStepLR(o, 3),
    "start 0": lambda s, o: s.LinearLR(o, 0),
    "start > 1": lambda s, o: s.LinearLR(o, 1.1),
    "end < 0": lambda s, o: s.LinearLR(o, end_factor=-1),
    "end > 1": lambda s, o: s.LinearLR(o, end_factor=2),
    "factor > 1": lambda s, o: s.ConstantLR(o, 2),
    "factor < 0": lambda s, o: s.ConstantLR(o, -1),
    "one lambda": lambda s, o: s.LambdaLR(o, [up]),
    "no lambda": lambda s, o: s.LambdaLR(o, 3),
    "plateau factor": lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
    "plateau mode": lambda s, o: s.ReduceLROnPlateau(o, mode="least"),
    "plateau threshold": lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="x"),
    "plateau min_lr": lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]),
    "plateau metric": lambda s, o: s.ReduceLROnPlateau(o).step("a"),
    "plateau no metric": lambda s, o: s.ReduceLROnPlateau(o).step(),
    "one cycle": lambda s, o: s.OneCycleLR(o, 1.0),
    "one cycle, 0 steps": lambda s, o: s.OneCycleLR(o, 1.0, 0),
    "one cycle, 1.5 steps": lambda s, o: s.OneCycleLR(o, 1.0, 1.5),
    "one cycle, epochs": lambda s, o: s.OneCycleLR(o, 1.0, epochs=3),
    "one cycle, -3 epochs": lambda s, o: s.OneCycleLR(o, 1.0, epochs=-3, steps_per_epoch=1),
    "one cycle, no steps": lambda s, o: s.OneCycleLR(o, 1.0, epochs=3, steps_per_epoch=0),
    "one cycle, start": lambda s, o: s.OneCycleLR(o, 1.0, 5, pct_start=1.5),
    "one cycle, int": lambda s, o: s.OneCycleLR(o, 1.0, 5, pct_start=1),
    "one cycle, anneal": lambda s, o: s.OneCycleLR(o, 1.0, 5, anneal_strategy="x"),
    "one cycle, rates": lambda s, o: s.OneCycleLR(o, [1.0], 5),
    "one cycle, momenta": lambda s, o: s.OneCycleLR(o, 1.0, 5, base_momentum=[0.1]),
    "one cycle, the end": lambda s, o: [
        [x.step() for _ in range(3)] for x in [s.OneCycleLR(o, 1.0, 2)]
    ],
    "cycle mode": lambda s, o: s.CyclicLR(o, 0.1, 1, mode="x"),
    "cycle rates": lambda s, o: s.CyclicLR(o, [0.1], 1),
    "sequence length": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 3)], [3]),
    "sequence empty": lambda s, o: s.SequentialLR(o, [], []),
    "sequence plateau": lambda s, o: s.SequentialLR(
        o, [s.StepLR(o, 3), s.ReduceLROnPlateau(o)], [3]
    ),
    "no formula": lambda s, o: s.LRScheduler(o),
}


@pytest.mark.filterwarnings("ignore:.*before .optimizer.step:UserWarning")
@pytest.mark.filterwarnings("ignore:lr_scheduler.step:UserWarning")
@pytest.mark.parametrize("name", WRONG_SCHEDULES)
def test_wrong_schedules_raise_like_torch(torch, name) -> None:
    make = WRONG_SCHEDULES[name]
    assert_same_error(
        lambda: make(lr_scheduler, several(tg)),
        lambda: make(torch.optim.lr_scheduler, several(torch)),
    )


@pytest.mark.parametrize("kind", ["OneCycleLR", "CyclicLR"])
def test_cycles_and_momentum(torch, kind) -> None:
    for library in (tg, torch):
        make = getattr(library.optim.lr_scheduler, kind)
        arguments = (0.1, 1.0) if kind == "CyclicLR" else (1.0, 9)
        with pytest.raises(ValueError, match="momentum"):
            make(construct("Adagrad", library), *arguments)
        make(construct("Adagrad", library), *arguments, cycle_momentum=False)
    betas = []
    for library in (tg, torch):
        optimizer = construct("Adam", library)
        make = getattr(library.optim.lr_scheduler, kind)
        scheduler = make(optimizer, *arguments)
        optimizer.step()
        scheduler.step()
        betas.append(optimizer.param_groups[0]["betas"])
    assert betas[0] == pytest.approx(betas[1], rel=1e-12)


def test_another_optimizers_scheduler(library) -> None:
    schedulers = [
        library.optim.lr_scheduler.StepLR(o, 3) for o in (several(library), several(library))
    ]
    with pytest.raises(ValueError, match="optimizer"):
        library.optim.lr_scheduler.SequentialLR(schedulers[0].optimizer, schedulers, [2])


@pytest.mark.parametrize(
    "make",
    [
        lambda o: lr_scheduler.StepLR(o, 0),
        lambda o: lr_scheduler.StepLR(o, "3"),
        lambda o: lr_scheduler.CosineAnnealingLR(o, 0),
        lambda o: lr_scheduler.CyclicLR(o, 0.1, 1.0, step_size_up=0),
    ],
)
def test_lengths_are_checked_at_once(make) -> None:
    with pytest.raises(ValueError, match="positive"):
        make(several(tg))


def test_order_of_steps(library) -> None:
    optimizer = several(library)
    scheduler = library.optim.lr_scheduler.StepLR(optimizer, 3)
    with pytest.warns(UserWarning, match="before"):
        scheduler.step()
    scheduler.step()  # says it once
    optimizer = several(library)
    scheduler = library.optim.lr_scheduler.StepLR(optimizer, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()
        scheduler.step()


def test_callable_objects_are_saved(torch) -> None:
    class Factor:
        def __init__(self, factor: float) -> None:
            self.factor = factor

        def __call__(self, epoch: int) -> float:
            return self.factor

    for library in (tg, torch):
        optimizer = several(library)
        scheduler = library.optim.lr_scheduler.LambdaLR(optimizer, [Factor(0.5), up])
        state = scheduler.state_dict()
        assert state["lr_lambdas"] == [{"factor": 0.5}, None]
        other = library.optim.lr_scheduler.LambdaLR(optimizer, [Factor(0.7), up])
        other.load_state_dict(state)
        assert other.lr_lambdas[0].factor == 0.5


def test_groups_added_later_have_the_last_minimum() -> None:
    (w,) = parameters(tg, 1)
    optimizer = several(tg)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=0.2)
    optimizer.add_param_group({"params": w, "lr": 1.0})
    for _ in range(3):
        optimizer.step()
        scheduler.step(1.0)
    assert scheduler.get_last_lr() == [0.1, 0.2, 0.2]

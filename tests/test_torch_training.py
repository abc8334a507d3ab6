"""What surrounds training in PyTorch's programs: scaled losses, averaged weights, checkpoints."""

from __future__ import annotations

import inspect
import warnings
from random import Random
from typing import Any

import numpy as np
import pytest
from cases import assert_same, leaf, outcome

import tinygrad_rnn as tg
from tinygrad_rnn.compat import as_torch

# -- scaled losses --------------------------------------------------------------------------------


def scaled_training(lib: Any, seed: int) -> list[Any]:
    """A few steps by chance, some of which have infinite gradients."""
    random, told = Random(seed), []
    options = {"init_scale": 8.0, "growth_interval": 2, "backoff_factor": 0.25}
    scaler = lib.amp.GradScaler(random.choice(["cpu", "cpu", "cuda"]), **options)
    w = leaf(lib, np.array([1.0, -2.0]))
    optimizer = lib.optim.SGD([w], lr=0.1)
    for _ in range(8):
        act = random.choice(["step"] * 4 + ["infinite", "unscale", "update", "resume", "twice"])
        optimizer.zero_grad()
        if act == "resume":
            state, scaler = scaler.state_dict(), lib.amp.GradScaler("cpu", **options)
            answer = outcome(lambda s=scaler, state=state: s.load_state_dict(state))
            told.append(type(answer).__name__)
        factor = float("inf") if act == "infinite" else 1.0
        scaler.scale((w * w).sum() * factor).backward()
        if act == "unscale":
            scaler.unscale_(optimizer)
            told.append(w.grad.tolist())
        scaler.step(optimizer)
        if act == "twice":
            told.append(type(outcome(lambda s=scaler: s.step(optimizer))).__name__)
        scaler.update(*([4.0] if act == "update" else []))
        told += [
            [f"{v:.6g}" for v in w.tolist()],
            scaler.get_scale(),
            scaler.is_enabled(),
            scaler.state_dict(),
        ]
    return told


@pytest.mark.parametrize("seed", range(40))
def test_scaled_training(torch, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = (outcome(lambda lib=lib: scaled_training(lib, seed)) for lib in (tg, torch))
    assert repr(ours) == repr(theirs)


def test_a_scaler_that_is_not_there_says_so():
    with pytest.warns(UserWarning, match="cuda"):
        assert not tg.amp.GradScaler().is_enabled()
    scaler, optimizer = tg.amp.GradScaler("cpu"), tg.optim.SGD([tg.ones(1)], lr=1.0)
    with pytest.raises(RuntimeError, match="closures"):
        scaler.step(optimizer, closure=lambda: 0)


def test_autocast_changes_nothing_and_says_where_that_shows():
    x = tg.ones(2, 2)
    with tg.amp.autocast("cuda"), tg.amp.autocast("cpu", enabled=False):
        assert (x @ x).dtype == tg.float32
    with pytest.warns(UserWarning, match="bfloat16"), tg.amp.autocast("cpu"):
        assert (x @ x).dtype == tg.float32
    assert tg.amp.autocast("cuda")(lambda: 3)() == 3
    with pytest.raises(ValueError, match="device_type"):
        tg.amp.autocast(3)


def test_names_of_mixed_precision_in_the_world_of_torch():
    with as_torch(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from torch.cuda.amp import GradScaler, autocast
        from torch.optim.swa_utils import AveragedModel
        from torch.utils.checkpoint import checkpoint

        assert torch.autocast is tg.amp.autocast
        assert torch.amp.GradScaler is tg.amp.GradScaler
        assert not torch.cuda.is_available()
        with autocast():
            assert not GradScaler().is_enabled()
        assert checkpoint is tg.utils.checkpoint.checkpoint
        assert AveragedModel is tg.optim.swa_utils.AveragedModel


# -- checkpoints ----------------------------------------------------------------------------------


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoints(torch, reentrant):
    values = np.linspace(-1, 1, 6).reshape(2, 3)

    def gradients(lib: Any, checkpoints: Any) -> list[Any]:
        x, w = leaf(lib, values), leaf(lib, values.T)
        y = checkpoints.checkpoint(
            lambda x, by: lib.tanh(x @ w) * by, x, 2.0, use_reentrant=reentrant,
            preserve_rng_state=False,
        )  # fmt: skip
        layers = lib.nn.Sequential(lib.nn.Tanh(), lib.nn.Sigmoid(), lib.nn.Tanh())
        z = checkpoints.checkpoint_sequential(layers, 2, y, use_reentrant=reentrant)
        z.sum().backward()
        return [z, x.grad, w.grad]

    import torch.utils.checkpoint as theirs

    pairs = gradients(tg, tg.utils.checkpoint), gradients(torch, theirs)
    for a, b in zip(*pairs, strict=True):
        assert_same(a, b)


# -- averages of weights --------------------------------------------------------------------------


def averaged(lib: Any, way: str, use_buffers: bool) -> list[Any]:
    swa = lib.optim.swa_utils
    lib.manual_seed(0)
    model = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.BatchNorm1d(3))
    ways = {
        "mean": {},
        "ema": {"avg_fn": swa.get_ema_avg_fn(0.9)},
        "ema of many": {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.9)},
        "mean of many": {"multi_avg_fn": swa.get_swa_multi_avg_fn()},
        "own": {"avg_fn": lambda average, current, number: 0.5 * average + 0.25 * current},
    }
    average = swa.AveragedModel(model, use_buffers=use_buffers, **ways[way])
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
    scheduler = swa.SWALR(optimizer, 0.02, 3, "linear" if way == "own" else "cos")
    batches = [lib.randn(4, 2) for _ in range(5)]
    rates = []
    for x in batches:
        optimizer.zero_grad()
        model(x).pow(2).sum().backward()
        optimizer.step()
        average.update_parameters(model)
        scheduler.step()
        rates.append(scheduler.get_last_lr())
    swa.update_bn(batches, average)
    state = average.state_dict()
    return [list(state), rates, [average(batches[0]), *state.values()]]


@pytest.mark.parametrize(
    ("way", "use_buffers"),
    [  # PyTorch does not divide integers among the buffers in lists
        ("mean", False), ("mean", True), ("ema", False), ("ema", True), ("own", False),
        ("own", True), ("ema of many", False), ("mean of many", False),
    ],
)  # fmt: skip
def test_averages_of_weights(torch, way, use_buffers):
    import torch.optim.swa_utils

    ours, theirs = (averaged(lib, way, use_buffers) for lib in (tg, torch))
    assert ours[0] == theirs[0]
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-9)
    for a, b in zip(ours[2], theirs[2], strict=True):
        assert_same(a, b, way, 1e-4)


def test_what_is_no_average_is_refused(torch):
    import torch.optim.swa_utils

    def refused(lib: Any) -> list[str]:
        swa, model = lib.optim.swa_utils, lib.nn.Linear(1, 1)
        optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
        both = {"avg_fn": swa.get_swa_avg_fn(), "multi_avg_fn": swa.get_swa_multi_avg_fn()}
        tried = [
            lambda: swa.AveragedModel(model, **both), lambda: swa.get_ema_avg_fn(1.5),
            lambda: swa.SWALR(optimizer, 0.1, anneal_strategy="x"),
            lambda: swa.SWALR(optimizer, 0.1, anneal_epochs=-1),
        ]  # fmt: skip
        return [type(outcome(each)).__name__ for each in tried]

    assert refused(tg) == refused(torch)
    for name in ("AveragedModel", "SWALR"):
        ours, theirs = (getattr(lib.optim.swa_utils, name) for lib in (tg, torch))
        assert list(inspect.signature(ours).parameters) == list(
            inspect.signature(theirs).parameters
        )


# -- weights made of a length and a direction -----------------------------------------------------


@pytest.mark.parametrize("dim", [0, 1, None, -1])
@pytest.mark.parametrize("kind", ["Linear", "Conv1d", "LSTM"])
def test_weight_norm(torch, kind, dim):
    x = np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32")

    def trained(lib: Any) -> list[Any]:
        lib.manual_seed(0)
        name = "weight_hh_l0" if kind == "LSTM" else "weight"
        made = lib.nn.LSTM(3, 4) if kind == "LSTM" else getattr(lib.nn, kind)(
            *((3, 4) if kind == "Linear" else (2, 4, 2))
        )  # fmt: skip
        module = lib.nn.utils.weight_norm(made, name, dim)
        optimizer = lib.optim.SGD(module.parameters(), lr=0.05)
        losses = []
        for _ in range(4):
            optimizer.zero_grad()
            y = module(lib.from_numpy(x))
            loss = (y[0] if kind == "LSTM" else y).pow(2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss)
        names = [(n, tuple(p.shape)) for n, p in module.named_parameters()]
        twice = outcome(lambda: lib.nn.utils.weight_norm(module, name))
        again = lib.nn.utils.remove_weight_norm(module, name)
        after = [n for n, _ in again.named_parameters()]
        y = again(lib.from_numpy(x))
        gone = outcome(lambda: lib.nn.utils.remove_weight_norm(module, name))
        told = [names, after, type(twice).__name__, type(gone).__name__, sorted(again.state_dict())]
        return [told, [*losses, y[0] if kind == "LSTM" else y, *again.state_dict().values()]]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = trained(tg), trained(torch)
    assert ours[0] == theirs[0]
    for a, b in zip(ours[1], theirs[1], strict=True):
        assert_same(a, b, f"{kind}, {dim}", 1e-5)


def test_the_node_of_a_weight_that_is_made(torch):
    def told(lib: Any) -> list[str]:
        layer = lib.nn.utils.weight_norm(lib.nn.Linear(2, 3))
        wrong = outcome(lambda: lib.nn.utils.weight_norm(layer, "x"))
        node = repr(layer.weight).rpartition("grad_fn=")[2]
        return [repr(layer), node, type(wrong).__name__]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert told(tg) == told(torch)

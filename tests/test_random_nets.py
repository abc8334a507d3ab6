"""Random nets: modules chained with random options, trained in both libraries in lockstep."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from cases import numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg

BATCH, STEPS, FEATURES = 3, 4, 4
Options = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A layer of a random net: how it is made for a number of features, and how it is called."""

    make: Callable[[Any, int, Options], Any]
    call: Callable[[Any, Any, Any, Options], Any] = lambda lib, layer, x, o: layer(x)


def recurrent(lib: Any, n: int, o: Options) -> Any:
    more = {"proj_size": 2} if o["kind"] == "LSTM" and o["flag"] else {}
    more |= {"nonlinearity": "relu"} if o["kind"] == "RNN" and o["flag"] else {}
    return getattr(lib.nn, o["kind"])(
        n,
        3,
        num_layers=o["count"],
        bias=o["bias"],
        batch_first=o["first"],
        dropout=o["p"] if o["count"] > 1 else 0.0,
        bidirectional=o["both"],
        **more,
    )


def unrolled(lib: Any, layer: Any, x: Any, o: Options) -> Any:
    x = x if o["first"] else x.transpose(0, 1)
    y, state = layer(x)
    last = state[0] if isinstance(state, tuple) else state
    y = y + last.sum((0, 2))[:, None, None] if o["first"] else y * last.mean()
    return y if o["first"] else y.transpose(0, 1)


def packed(lib: Any, layer: Any, x: Any, o: Options) -> Any:
    rnn, lengths = lib.nn.utils.rnn, o["lengths"]
    x = x if o["first"] else x.transpose(0, 1)
    y, _ = layer(rnn.pack_padded_sequence(x, lengths, o["first"], enforce_sorted=False))
    return rnn.pad_packed_sequence(y, True, 0.5, STEPS)[0]


def looped(lib: Any, cell: Any, x: Any, o: Options) -> Any:
    state, ys = None, []
    for x_t in x.unbind(1):
        state = cell(x_t, state)
        ys.append(state[0] if isinstance(state, tuple) else state)
    return lib.stack(ys, 1)


def masked(lib: Any, layer: Any, x: Any, o: Options) -> Any:
    within = lib.arange(STEPS) < lib.tensor(o["lengths"]).unsqueeze(1)
    return layer(x) * within.unsqueeze(-1)


def activation(lib: Any, n: int, o: Options) -> Any:
    names = [
        "Tanh",
        "Sigmoid",
        "ReLU",
        "GELU",
        "SiLU",
        "Softplus",
        "LogSigmoid",
        "Softsign",
        "Mish",
    ]
    return getattr(lib.nn, names[o["number"] % len(names)])()


KINDS: dict[str, Kind] = {
    "recurrent": Kind(recurrent, unrolled),
    "packed": Kind(recurrent, packed),
    "cell": Kind(lambda lib, n, o: getattr(lib.nn, o["kind"] + "Cell")(n, 3, o["bias"]), looped),
    "linear": Kind(lambda lib, n, o: lib.nn.Linear(n, 4, o["bias"])),
    "bilinear": Kind(
        lambda lib, n, o: lib.nn.Bilinear(n, n, 2, o["bias"]), lambda lib, m, x, o: m(x, x)
    ),
    "layer norm": Kind(lambda lib, n, o: lib.nn.LayerNorm(n, 0.01, bias=o["bias"])),
    "rms norm": Kind(lambda lib, n, o: lib.nn.RMSNorm(n, eps=0.01)),
    "batch norm": Kind(
        lambda lib, n, o: lib.nn.BatchNorm1d(n, 0.01, 0.2, o["bias"], o["flag"]),
        lambda lib, m, x, o: m(x.transpose(1, 2)).transpose(1, 2),
    ),
    "dropout": Kind(lambda lib, n, o: lib.nn.Dropout(o["p"])),
    "dropout in place": Kind(
        lambda lib, n, o: lib.nn.Dropout(o["p"], inplace=True), lambda lib, m, x, o: m(x * 1.5)
    ),
    "activation": Kind(activation),
    "prelu": Kind(lambda lib, n, o: lib.nn.PReLU(), lambda lib, m, x, o: m(x - 0.1)),
    "softmax": Kind(lambda lib, n, o: lib.nn.Softmax(o["count"])),
    "glu": Kind(
        lambda lib, n, o: lib.nn.GLU(-1), lambda lib, m, x, o: m(lib.cat([x, x.flip(-1)], -1))
    ),
    "flat and back": Kind(
        lambda lib, n, o: lib.nn.Sequential(lib.nn.Flatten(), lib.nn.Unflatten(1, (STEPS, n)))
    ),
    "embedding": Kind(
        lambda lib, n, o: lib.nn.Embedding(5, 3, padding_idx=1 if o["flag"] else None),
        lambda lib, m, x, o: lib.cat([x, m(lib.tensor(o["classes"]))], -1),
    ),
    "residual": Kind(
        lambda lib, n, o: lib.nn.Sequential(lib.nn.Linear(n, n, o["bias"]), lib.nn.Dropout(o["p"])),
        lambda lib, m, x, o: x + m(x) if o["flag"] else m(x) + x,
    ),
    "mask": Kind(lambda lib, n, o: lib.nn.Identity(), masked),
    "attention": Kind(
        lambda lib, n, o: lib.nn.Linear(n, n, o["bias"]),
        lambda lib, m, x, o: lib.nn.functional.scaled_dot_product_attention(
            m(x), x, x, dropout_p=o["p"] if m.training else 0.0, is_causal=o["flag"]
        ),
    ),
    "transposed": Kind(
        lambda lib, n, o: lib.nn.Tanh(), lambda lib, m, x, o: m(x.transpose(0, 1)).transpose(0, 1)
    ),
}  # fmt: skip


@st.composite
def layers(draw: Any) -> tuple[str, Options]:
    flags = {name: draw(st.booleans()) for name in ("bias", "first", "both", "flag")}
    lengths = draw(st.lists(st.integers(1, STEPS), min_size=BATCH, max_size=BATCH))
    more = {
        "kind": draw(st.sampled_from(["RNN", "LSTM", "GRU"])), "count": draw(st.integers(1, 2)),
        "p": draw(st.sampled_from([0.0, 0.3, 0.5])), "number": draw(st.integers(0, 20)),
        "lengths": lengths, "classes": [[k % 5 for k in range(i, i + STEPS)] for i in lengths],
        # what is done to it once it has been made
        "share": draw(st.sampled_from([False, False, True])),
        "change": draw(st.sampled_from([None] * 4 + sorted(CHANGES))),
    }  # fmt: skip
    return draw(st.sampled_from(sorted(KINDS))), flags | more


def computed(lib: Any, layer: Any, number: int) -> None:
    """Let a parameter be computed from another one before every call."""
    owners = [(m, name) for m in layer.modules() for name in dict(m.named_parameters("", False))]
    if not owners:
        return
    owner, name = owners[number % len(owners)]
    layer.register_parameter("source", lib.nn.Parameter(getattr(owner, name).detach().clone()))
    delattr(owner, name)

    def compute(module: Any, inputs: Any) -> None:
        setattr(owner, name, layer.source * 1.25)

    compute(layer, None)
    layer.register_forward_pre_hook(compute)


def scaled(lib: Any, layer: Any, number: int) -> None:
    """Change what the layer returns by a hook."""

    def scale(module: Any, inputs: Any, output: Any) -> Any:
        if hasattr(output, "batch_sizes"):
            return output._replace(data=output.data * 0.75)
        if isinstance(output, tuple):
            return tuple(scale(module, inputs, y) for y in output)
        return output * 0.75

    layer.register_forward_hook(scale)


def frozen(lib: Any, layer: Any, number: int) -> None:
    parameters = list(layer.parameters())
    for parameter in parameters[:: 1 + number % 2]:
        parameter.requires_grad_(False)


def zeroed(lib: Any, layer: Any, number: int) -> None:
    with lib.no_grad():
        for parameter in layer.parameters():
            parameter[..., number % parameter.shape[-1]].zero_()


CHANGES: dict[str, Callable[[Any, Any, int], Any]] = {
    "computed": computed,
    "scaled": scaled,
    "frozen": frozen,
    "zeroed": zeroed,
    "evaluated": lambda lib, layer, number: layer.eval(),
    "copied": lambda lib, layer, number: layer.load_state_dict(copy.deepcopy(layer).state_dict()),
}


def net_of(lib: Any, program: list[tuple[str, Options]]) -> Any:
    """A net that makes its layers when it is called first."""

    class Net(lib.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.layers = lib.nn.ModuleList()

        def layer(self, at: int, name: str, x: Any, o: Options) -> Any:
            if at < len(self.layers):
                return self.layers[at]
            key = (name, x.shape[-1])
            like = [layer for layer in self.layers if layer.key == key]
            made = (
                like[0] if like and o["share"] else KINDS[name].make(lib, x.shape[-1], o).double()
            )
            if not (like and o["share"]):
                made.key, made.options = key, o  # what is shared keeps the options it was made with
                if o["change"]:
                    CHANGES[o["change"]](lib, made, o["number"])
            self.layers.append(made)
            return made

        def forward(self, x: Any) -> Any:
            for at, (name, o) in enumerate(program):
                layer = self.layer(at, name, x, o)
                x = KINDS[name].call(lib, layer, x, layer.options)
                self.seen.append(x)
            return x

    return Net()


def places(x: Any) -> list[int]:
    return [step for step, n in zip(x.stride(), x.shape, strict=True) if n > 1]


def run(lib: Any, program: list[tuple[str, Options]], seed: int) -> list[tuple[str, Any]]:
    """Everything there is to see of a net that is trained for three steps, in order."""
    rng = np.random.default_rng(seed)
    data, target = rng.normal(size=(BATCH, STEPS, FEATURES)), rng.normal(size=(BATCH, STEPS))
    lib.manual_seed(seed)
    net, found, optimizer = net_of(lib, program), [], None
    for round in range(3):
        net.seen = []
        x = lib.tensor(data).requires_grad_()
        y = net(x)
        for i, h in enumerate(net.seen):
            found += [(f"round {round}, output {i}", h), (f"order of output {i}", places(h))]
        loss = lib.nn.functional.smooth_l1_loss(y.sum(-1), lib.tensor(target))
        trained = [p for p in net.parameters() if p.requires_grad]
        if trained and optimizer is None:
            optimizer = lib.optim.SGD(trained, lr=0.1, momentum=0.9)
        if optimizer is not None:
            optimizer.zero_grad()
        loss.backward()
        found += [("loss", loss), ("gradient of x", x.grad)]
        for name, p in net.named_parameters():
            found += [(f"gradient of {name}", p.grad)]
            found += [(f"order of the gradient of {name}", p.grad is None or places(p.grad))]
        if optimizer is not None:
            optimizer.step()
        found += [*net.state_dict().items()]
    found.append(("repr", repr(net).replace("Net", "")))
    found.append(("drawn last", lib.rand(2)))
    return found


def compare(torch: Any, program: list[tuple[str, Options]], seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = run(torch, program, seed)
        ours = run(tg, program, seed)
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    for (name, a), (_, b) in zip(ours, theirs, strict=True):
        if not hasattr(b, "detach"):
            assert a == b, name
        else:
            np.testing.assert_allclose(numpy(a), numpy(b), 1e-6, 1e-8, err_msg=name)


@settings(max_examples=40, deadline=None)
@given(st.lists(layers(), min_size=1, max_size=6), st.integers(0, 99))
def test_random_nets(torch: Any, program: list[tuple[str, Options]], seed: int) -> None:
    compare(torch, program, seed)

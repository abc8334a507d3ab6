"""Containers beside PyTorch's: what they hold afterwards, what they return, what they refuse."""

from __future__ import annotations

from collections import OrderedDict

import pytest
from cases import assert_outcome, outcome
from operations import compare
from operations.harness import draw

import tinygrad_rnn as tg
from tinygrad_rnn import nn


def agree(torch, fn):
    """What ``fn(lib)`` returns, written out, or raises is the same in both libraries."""
    answers = [outcome(lambda lib=lib: fn(lib)) for lib in (tg, torch)]
    if isinstance(answers[1], Exception):
        assert_outcome(*answers)
    else:
        ours, theirs = (text(answer) for answer in answers)
        assert ours == theirs


def text(answer):
    """What an answer is written as; modules and iterators of them in full."""
    if isinstance(answer, tuple | list):
        return "[" + ", ".join(map(text, answer)) + "]"
    return repr(answer)


def linear(lib):
    return lib.nn.Linear(2, 2)


def sequential(lib):
    return lib.nn.Sequential(linear(lib), lib.nn.ReLU(), linear(lib))


def named(lib):
    pairs = [("in", linear(lib)), ("f", lib.nn.Tanh()), ("out", linear(lib))]
    return lib.nn.Sequential(OrderedDict(pairs))


def module_list(lib):
    return lib.nn.ModuleList([linear(lib), linear(lib), lib.nn.ReLU(), linear(lib)])


@pytest.mark.parametrize("make", [sequential, named, module_list])
@pytest.mark.parametrize(
    "do",
    [
        lambda lib, s: s,
        lambda lib, s: s[0],
        lambda lib, s: s[-1],
        lambda lib, s: s[9],
        lambda lib, s: s[-9],
        lambda lib, s: s[1:],
        lambda lib, s: s[::2],
        lambda lib, s: s["0"],
        lambda lib, s: s[1.0],
        lambda lib, s: (len(s), list(s)),
        lambda lib, s: s.append(lib.nn.Tanh()),
        lambda lib, s: s.append(3),
        lambda lib, s: s.extend([lib.nn.Tanh(), lib.nn.Tanh()]),
        lambda lib, s: s.extend(lib.nn.Sequential(lib.nn.Tanh())),
        lambda lib, s: s.extend(3),
        lambda lib, s: s.extend(linear(lib)),
        lambda lib, s: (s.pop(0), s),
        lambda lib, s: (s.pop(-1), s),
        lambda lib, s: s.pop(9),
        lambda lib, s: (s.__delitem__(1), s),
        lambda lib, s: (s.__delitem__(-1), s),
        lambda lib, s: (s.__delitem__(slice(0, 2)), s),
        lambda lib, s: s.__delitem__(9),
        lambda lib, s: (s.__setitem__(0, lib.nn.GELU()), s),
        lambda lib, s: (s.__setitem__(-1, lib.nn.GELU()), s),
        lambda lib, s: s.__setitem__(9, lib.nn.GELU()),
        lambda lib, s: s.__setitem__(0, 3),
        lambda lib, s: s + s,
        lambda lib, s: s.__iadd__(sequential(lib)),
        lambda lib, s: [name for name, _ in (s + type(s)(*[[]] * (len(s) == 4))).named_modules()],
        lambda lib, s: [name for name, _ in s.named_parameters()],
        lambda lib, s: s.state_dict().keys(),
        lambda lib, s: "0" in dir(s),
    ],
)
def test_modules_in_a_row(torch, make, do) -> None:
    agree(torch, lambda lib: do(lib, make(lib)))


@pytest.mark.parametrize(
    "do",
    [
        lambda lib, s: s.insert(1, lib.nn.Tanh()),
        lambda lib, s: s.insert(3, lib.nn.Tanh()),
        lambda lib, s: s.insert(-1, lib.nn.Tanh()),
        lambda lib, s: s.insert(7, lib.nn.Tanh()),
        lambda lib, s: s * 2,
        lambda lib, s: 2 * s,
        lambda lib, s: s.__imul__(3),
        lambda lib, s: s * 0,
        lambda lib, s: s * -1,
        lambda lib, s: s * 1.5,
        lambda lib, s: s.__add__([lib.nn.Tanh()]),
        lambda lib, s: s.__iadd__([lib.nn.Tanh()]),
        lambda lib, s: lib.nn.Sequential(3),
        lambda lib, s: lib.nn.Sequential([lib.nn.Tanh()]),
        lambda lib, s: lib.nn.Sequential(None),
        lambda lib, s: lib.nn.Sequential(),
        lambda lib, s: lib.nn.Sequential()(3),
        lambda lib, s: lib.nn.Sequential(s, lib.nn.Sequential(s)),
    ],
)
def test_sequential(torch, do) -> None:
    agree(torch, lambda lib: do(lib, sequential(lib)))


def test_rows_like_lists_where_pytorch_fails() -> None:
    net = nn.Sequential(nn.Tanh(), nn.ReLU())
    assert [type(m).__name__ for m in net.extend(net)] == ["Tanh", "ReLU"] * 2
    with pytest.raises(TypeError, match="expected a Module"):  # there, an AssertionError
        net.insert(0, 3)
    layers = nn.ModuleList([nn.Tanh(), nn.ReLU()])
    layers.insert(-1, nn.GELU())
    assert [type(m).__name__ for m in layers] == ["Tanh", "GELU", "ReLU"]
    with pytest.raises(IndexError, match="out of range"):
        layers.insert(9, nn.Tanh())


def test_sequential_computes(torch) -> None:
    def fn(lib, x):
        lib.manual_seed(0)
        net = sequential(lib)
        y = net(x)
        return [y, *lib.autograd.grad(y.sum(), list(net.parameters()))]

    compare(lambda lib, x: [t.detach() for t in fn(lib, x)], [draw(3, 2)], torch, "", 1e-5)
    compare(lambda lib, x: fn(lib, x)[0].detach(), [draw(2)], torch, "", 1e-5)


def test_subclasses_of_sequential_keep_their_class_when_sliced() -> None:
    class Net(nn.Sequential):
        pass

    assert type(Net(nn.Tanh(), nn.ReLU())[:1]) is Net


@pytest.mark.parametrize(
    "do",
    [
        lambda lib, m: (m.insert(1, lib.nn.Tanh()), m)[1],
        lambda lib, m: m.__add__([lib.nn.Tanh()]),
        lambda lib, m: m.__iadd__([lib.nn.Tanh()]),
        lambda lib, m: lib.nn.ModuleList(),
        lambda lib, m: lib.nn.ModuleList([linear(lib), lib.nn.ModuleList([m, m])]),
        lambda lib, m: lib.nn.ModuleList([None, linear(lib)]),
        lambda lib, m: lib.nn.ModuleList(linear(lib) for _ in range(3)),
        lambda lib, m: lib.nn.ModuleList(3),
        lambda lib, m: m(3),
    ],
)
def test_module_list(torch, do) -> None:
    agree(torch, lambda lib: do(lib, module_list(lib)))


def module_dict(lib):
    return lib.nn.ModuleDict({"b": linear(lib), "a": lib.nn.ReLU()})


@pytest.mark.parametrize(
    "do",
    [
        lambda lib, d: d,
        lambda lib, d: d["a"],
        lambda lib, d: d["c"],
        lambda lib, d: (d.__setitem__("c", lib.nn.Tanh()), d),
        lambda lib, d: (d.__setitem__("a", lib.nn.Tanh()), d),
        lambda lib, d: d.__setitem__("c", 3),
        lambda lib, d: d.__setitem__("keys", linear(lib)),
        lambda lib, d: d.__setitem__("x.y", linear(lib)),
        lambda lib, d: (d.__delitem__("a"), d),
        lambda lib, d: d.__delitem__("c"),
        lambda lib, d: (d.pop("a"), d),
        lambda lib, d: d.pop("c"),
        lambda lib, d: ("a" in d, "c" in d, len(d), list(d)),
        lambda lib, d: (list(d.keys()), list(d.values()), list(d.items())),
        lambda lib, d: (d.clear(), d),
        lambda lib, d: (d.update({"z": lib.nn.Tanh(), "c": lib.nn.Tanh()}), d),
        lambda lib, d: (d.update([("z", lib.nn.Tanh()), ["c", lib.nn.Tanh()]]), d),
        lambda lib, d: (d.update(lib.nn.ModuleDict({"z": lib.nn.Tanh()})), d),
        lambda lib, d: d.update(3),
        lambda lib, d: d.update([3]),
        lambda lib, d: d.update([("a",)]),
        lambda lib, d: d.update({"a": 3}),
        lambda lib, d: lib.nn.ModuleDict(),
        lambda lib, d: lib.nn.ModuleDict([("q", d)]),
        lambda lib, d: [name for name, _ in d.named_parameters()],
        lambda lib, d: d(3),
    ],
)
def test_module_dict(torch, do) -> None:
    agree(torch, lambda lib: do(lib, module_dict(lib)))


def parameter_list(lib):
    return lib.nn.ParameterList([lib.ones(2), lib.nn.Parameter(lib.ones(1, 3)), lib.ones(())])


@pytest.mark.parametrize(
    "do",
    [
        lambda lib, p: p,
        lambda lib, p: p[0],
        lambda lib, p: p[-2],
        lambda lib, p: p[3],
        lambda lib, p: p[1:],
        lambda lib, p: p[:1],
        lambda lib, p: p["0"],
        lambda lib, p: p.append(3),
        lambda lib, p: p.append("text").append(lib.zeros(1)),
        lambda lib, p: p.extend([lib.zeros(1), lib.zeros(2)]),
        lambda lib, p: p.extend(lib.zeros(1)),
        lambda lib, p: p.extend(3),
        lambda lib, p: p.__iadd__([lib.zeros(1)]),
        lambda lib, p: (p.__setitem__(0, lib.zeros(7)), p),
        lambda lib, p: (p.__setitem__(-1, lib.zeros(7)), p),
        lambda lib, p: p.__setitem__(0, 3),
        lambda lib, p: p.__setitem__(9, lib.zeros(7)),
        lambda lib, p: (len(p), list(p), [type(x).__name__ for x in p]),
        lambda lib, p: [name for name, _ in p.append(3).append(lib.ones(1)).named_parameters()],
        lambda lib, p: list(p.append(3).state_dict()),
        lambda lib, p: lib.nn.ParameterList(),
        lambda lib, p: lib.nn.ParameterList([linear(lib)]),
        lambda lib, p: lib.nn.ParameterList([lib.tensor([1])]),
        lambda lib, p: p(3),
        lambda lib, p: "0" in dir(p),
    ],
)
def test_parameter_list(torch, do) -> None:
    agree(torch, lambda lib: do(lib, parameter_list(lib)))


def parameter_dict(lib):
    return lib.nn.ParameterDict({"b": lib.ones(2), "a": lib.nn.Parameter(lib.ones(1, 3))})


@pytest.mark.parametrize(
    "do",
    [
        lambda lib, p: p,
        lambda lib, p: p["a"],
        lambda lib, p: (p.__setitem__("n", 3), p),
        lambda lib, p: (p.__setitem__("a", lib.zeros(4)), p),
        lambda lib, p: (p.__setitem__("n", lib.zeros(4)), p),
        lambda lib, p: p.__setitem__(3, lib.zeros(1)),
        lambda lib, p: p.__setitem__("keys", lib.zeros(1)),
        lambda lib, p: (p.__delitem__("a"), p),
        lambda lib, p: p.__delitem__("z"),
        lambda lib, p: (p.pop("a"), p),
        lambda lib, p: (p.popitem(), p),
        lambda lib, p: (p.setdefault("q", lib.ones(3)), p.setdefault("a"), p),
        lambda lib, p: (p.get("a"), p.get("z"), p.get("z", 3)),
        lambda lib, p: p.fromkeys(["u", "v"], lib.ones(1)),
        lambda lib, p: (p.copy(), p.copy()["a"] is p["a"]),
        lambda lib, p: p | lib.nn.ParameterDict({"c": lib.ones(1), "a": lib.ones(5)}),
        lambda lib, p: p | {"c": lib.ones(1), "B": lib.ones(1)},
        lambda lib, p: p.__ior__({"zz": lib.ones(1), "a": lib.ones(1)}),
        lambda lib, p: (p.update([("z", lib.ones(1)), ("c", lib.ones(1))]), p),
        lambda lib, p: (p.update(OrderedDict(z=lib.ones(1), c=lib.ones(1))), p),
        lambda lib, p: (p.update({"z": lib.ones(1), "c": lib.ones(1)}), p),
        lambda lib, p: p.update(3),
        lambda lib, p: p.update([3]),
        lambda lib, p: p.update([("a",)]),
        lambda lib, p: (len(p), list(p), list(reversed(p)), "a" in p, "z" in p),
        lambda lib, p: (list(p.keys()), list(p.values()), list(p.items())),
        lambda lib, p: (p.clear(), p),
        lambda lib, p: [name for name, _ in p.named_parameters()],
        lambda lib, p: list(p.state_dict()),
        lambda lib, p: lib.nn.ParameterDict(),
        lambda lib, p: p(3),
    ],
)
def test_parameter_dict(torch, do) -> None:
    agree(torch, lambda lib: do(lib, parameter_dict(lib)))


def test_parameter_dicts_raise_key_errors() -> None:
    for refused in (lambda p: p["z"], lambda p: p.pop("z")):  # in PyTorch an AttributeError
        with pytest.raises(KeyError, match="z"):
            refused(parameter_dict(tg))


def test_lists_and_dicts_of_a_net_are_trained() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = nn.ParameterList([tg.ones(1), tg.ones(1)])
            self.named = nn.ParameterDict({"x": tg.ones(1)})

        def forward(self, x):
            return self.weights[0] * x + self.weights[1] * self.named["x"]

    net = Net()
    net(tg.tensor([3.0])).sum().backward()
    assert {n: p.grad.tolist() for n, p in net.named_parameters()} == {
        "weights.0": [3.0], "weights.1": [1.0], "named.x": [1.0],
    }  # fmt: skip


def test_slicing_a_list_does_not_rename_its_layers() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Tanh(), nn.Tanh()])

    net = Net()
    sliced = net.layers[1:]
    y = sliced[0](tg.ones(1, requires_grad=True))
    assert y.grad_fn.tag.scope == "layers.1"

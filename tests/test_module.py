"""Module beside PyTorch's: attributes, iteration, state, types, hooks, copies."""

from __future__ import annotations

import copy
import gc
import pickle
import warnings
import weakref

import numpy as np
import pytest
from cases import assert_outcome, assert_same, leaf, outcome
from operations import compare

import tinygrad_rnn as tg
from tinygrad_rnn import nn

X = np.array([[0.5, -1.0], [2.0, 0.25]])


def made(lib):
    """A net with sub-modules, one of them shared, buffers, and parameters of its own."""

    class Net(lib.nn.Module):
        def __init__(self):
            self.plain = 3
            super().__init__()
            self.first = lib.nn.Linear(2, 3)
            self.norm = lib.nn.BatchNorm1d(3)
            self.rest = lib.nn.Sequential(lib.nn.Tanh(), lib.nn.Linear(3, 2, bias=False))
            self.again = self.first
            self.scale = lib.nn.Parameter(lib.tensor([2.0]))
            self.tied = self.rest[1].weight
            self.register_parameter("absent", None)
            self.register_buffer("shift", lib.tensor([1.0, 2.0]))
            self.register_buffer("scratch", lib.tensor([5]), persistent=False)
            self.register_buffer("nothing", None)
            self.empty = None

        def forward(self, x):
            return self.rest(self.norm(self.first(x))) * self.scale + self.shift

    lib.manual_seed(3)
    return Net()


def agree(torch, fn):
    """What ``fn(lib, net)`` returns, or raises, is the same in both libraries."""
    answers = [outcome(lambda lib=lib: fn(lib, made(lib))) for lib in (tg, torch)]
    if isinstance(answers[1], Exception):
        assert_outcome(*answers)
    else:
        assert answers[0] == answers[1]


# -- attributes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda lib, net: setattr(net, "scale", 3),
        lambda lib, net: setattr(net, "scale", lib.ones(1)),
        lambda lib, net: setattr(net, "scale", lib.nn.Tanh()),
        lambda lib, net: setattr(net, "scale", None),
        lambda lib, net: setattr(net, "absent", lib.nn.Parameter(lib.ones(1))),
        lambda lib, net: setattr(net, "first", 3),
        lambda lib, net: setattr(net, "first", None),
        lambda lib, net: setattr(net, "first", lib.nn.Parameter(lib.ones(1))),
        lambda lib, net: setattr(net, "first", lib.nn.Tanh()),
        lambda lib, net: setattr(net, "shift", 3),
        lambda lib, net: setattr(net, "shift", None),
        lambda lib, net: setattr(net, "shift", lib.zeros(4)),
        lambda lib, net: setattr(net, "nothing", lib.zeros(4)),
        lambda lib, net: setattr(net, "shift", lib.nn.Parameter(lib.zeros(4))),
        lambda lib, net: setattr(net, "scratch", lib.nn.Tanh()),
        lambda lib, net: setattr(net, "plain", lib.nn.Tanh()),
        lambda lib, net: setattr(net, "plain", lib.nn.Parameter(lib.ones(2))),
        lambda lib, net: setattr(net, "plain", lib.ones(2)),
        lambda lib, net: setattr(net, "empty", lib.nn.Tanh()),
        lambda lib, net: delattr(net, "first"),
        lambda lib, net: delattr(net, "scale"),
        lambda lib, net: delattr(net, "shift"),
        lambda lib, net: delattr(net, "plain"),
        lambda lib, net: delattr(net, "unknown"),
        lambda lib, net: net.unknown,
        lambda lib, net: net.register_parameter("a.b", None),
        lambda lib, net: net.register_parameter("", None),
        lambda lib, net: net.register_parameter(3, None),
        lambda lib, net: net.register_parameter("forward", None),
        lambda lib, net: net.register_parameter("first", None),
        lambda lib, net: net.register_parameter("scale", None),
        lambda lib, net: net.register_parameter("new", lib.ones(2)),
        lambda lib, net: net.register_parameter("new", lib.nn.Parameter(lib.ones(2))),
        lambda lib, net: net.register_buffer("a.b", None),
        lambda lib, net: net.register_buffer("", None),
        lambda lib, net: net.register_buffer(3, None),
        lambda lib, net: net.register_buffer("scale", None),
        lambda lib, net: net.register_buffer("plain", lib.ones(1)),
        lambda lib, net: net.register_buffer("new", 3),
        lambda lib, net: net.register_buffer("new", lib.ones(2)),
        lambda lib, net: net.register_buffer("shift", lib.ones(2), persistent=False),
        lambda lib, net: net.register_buffer("scratch", lib.ones(2)),
        lambda lib, net: net.add_module("a.b", None),
        lambda lib, net: net.add_module("", None),
        lambda lib, net: net.add_module(3, None),
        lambda lib, net: net.add_module("scale", None),
        lambda lib, net: net.add_module("new", 3),
        lambda lib, net: net.add_module("new", None),
        lambda lib, net: net.register_module("new", lib.nn.Tanh()),
    ],
)
def test_attributes(torch, change) -> None:
    def fn(lib, net):
        change(lib, net)
        names = [name for name, _ in net.named_parameters()]
        return repr(net), names, list(net.state_dict()), "plain" in vars(net)

    agree(torch, fn)


def test_modules_need_their_init() -> None:
    class Bare(nn.Module):
        def __init__(self, attribute) -> None:
            self.attribute = attribute

        def forward(self, x):
            return x

    for attribute in (nn.Parameter(tg.ones(1)), nn.Tanh()):
        with pytest.raises(AttributeError, match=r"super\(\).__init__\(\) before assigning"):
            Bare(attribute)
    with pytest.raises(AttributeError, match=r"does its __init__ call super\(\).__init__\(\)"):
        Bare(3)(3)


def test_dir_lists_what_is_registered() -> None:
    assert {"first", "scale", "shift", "plain", "forward"} <= set(dir(made(tg)))


@pytest.mark.parametrize(
    "look",
    [
        lambda net: net.get_submodule("rest.1") is net.rest[1],
        lambda net: net.get_submodule("") is net,
        lambda net: net.get_submodule("rest.7"),
        lambda net: net.get_submodule("scale"),
        lambda net: net.get_parameter("rest.1.weight") is net.rest[1].weight,
        lambda net: net.get_parameter("scale") is net.scale,
        lambda net: net.get_parameter("plain"),
        lambda net: net.get_parameter("shift"),
        lambda net: net.get_parameter("scale.x"),
        lambda net: net.get_parameter("absent"),
        lambda net: net.get_buffer("shift") is net.shift,
        lambda net: net.get_buffer("norm.running_mean") is net.norm.running_mean,
        lambda net: net.get_buffer("scale"),
        lambda net: net.get_buffer("unknown"),
    ],
)
def test_paths(torch, look) -> None:
    agree(torch, lambda lib, net: look(net))


# -- iteration -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        lambda net: [name for name, _ in net.named_parameters()],
        lambda net: [name for name, _ in net.named_parameters("p")],
        lambda net: [name for name, _ in net.named_parameters("p", False)],
        lambda net: [name for name, _ in net.named_parameters(remove_duplicate=False)],
        lambda net: [name for name, _ in net.named_buffers()],
        lambda net: [name for name, _ in net.named_buffers("p", recurse=False)],
        lambda net: [name for name, _ in net.named_buffers(remove_duplicate=False)],
        lambda net: [name for name, _ in net.named_modules()],
        lambda net: [name for name, _ in net.named_modules(prefix="p")],
        lambda net: [name for name, _ in net.named_modules({net.rest})],
        lambda net: [name for name, _ in net.named_modules(remove_duplicate=False)],
        lambda net: [type(module).__name__ for module in net.modules()],
        lambda net: [name for name, _ in net.named_children()],
        lambda net: [type(module).__name__ for module in net.children()],
        lambda net: [list(p.shape) for p in net.parameters()],
        lambda net: [list(p.shape) for p in net.parameters(recurse=False)],
        lambda net: [list(b.shape) for b in net.buffers()],
        lambda net: list(net.state_dict()),
        lambda net: list(net.state_dict(prefix="p.")),
        lambda net: [type(v).__name__ for v in net.state_dict(keep_vars=True).values()],
        lambda net: [v.requires_grad for v in net.state_dict().values()],
        repr,
        lambda net: repr(net.apply(lambda module: setattr(module, "seen", True))),
    ],
)
def test_iteration(torch, names) -> None:
    agree(torch, lambda lib, net: names(net))


def test_apply_goes_up(torch) -> None:
    def fn(lib, net):
        seen = []
        assert net.apply(lambda module: seen.append(type(module).__name__)) is net
        return seen

    agree(torch, fn)


def test_state_is_shared_and_can_be_put_somewhere() -> None:
    net = made(tg)
    state = net.state_dict()
    assert np.shares_memory(state["scale"].numpy(), net.scale.array)
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    put = net.rest.state_dict(destination=state, prefix="more.")
    assert put is state
    assert "more.1.weight" in state


# -- loading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lib, state: None,
        lambda lib, state: state.pop("scale"),
        lambda lib, state: state.update(extra=lib.ones(1)),
        lambda lib, state: state.update(scale=lib.ones(2)),
        lambda lib, state: state.update(scale=3),
        lambda lib, state: state.update({"norm.running_mean": lib.ones(2)}),
        lambda lib, state: state.update(scratch=lib.ones(1)),
        lambda lib, state: state.update(scale=lib.tensor([7], dtype=lib.int64)),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_loading(torch, spoil, strict) -> None:
    def fn(lib, net):
        state = net.state_dict()
        spoil(lib, state)
        answer = net.load_state_dict(state, strict=strict)
        return repr(answer).rpartition("(")[2], net.scale.tolist(), str(net.scale.dtype)[-7:]

    agree(torch, fn)


def test_loading_names_everything_that_is_wrong_and_changes_nothing() -> None:
    net, other = made(tg), made(tg)
    state = {key: value + 1 for key, value in other.state_dict().items()}
    state["scale"] = tg.ones(7)
    state["extra"] = tg.ones(1)
    del state["rest.1.weight"]
    before = net.state_dict()["first.weight"].clone()
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    for part in (
        "Error(s) in loading state_dict for Net",
        'Missing key(s) in state_dict: "rest.1.weight"',
        'Unexpected key(s) in state_dict: "extra"',
        "size mismatch for scale: the state_dict has shape (7,), the module (1,)",
    ):
        assert part in str(caught.value)
    assert np.array_equal(before.numpy(), net.first.weight.detach().numpy())


@pytest.mark.parametrize("state", [None, [], {1: 2}])
def test_loading_refuses(state) -> None:
    with pytest.raises(TypeError, match="names and values"):
        made(tg).load_state_dict(state)


def test_loading_copies_or_assigns(torch) -> None:
    def fn(lib, net):
        other = made(lib).double()
        state = {key: value + 1 for key, value in other.state_dict().items()}
        same = net.scale
        net.scale.requires_grad_(False)
        net.load_state_dict(state)
        results = [net.scale is same, str(net.scale.dtype)[-7:], net.scale.tolist()]
        net.load_state_dict(state, assign=True)
        results += [str(net.scale.dtype)[-7:], net.scale.requires_grad]
        results += [net.first.weight.requires_grad, type(net.scale).__name__]
        state["scale"][0] = 9.0
        state["shift"][0] = 8.0
        return [*results, net.scale.tolist(), net.shift.tolist()]

    agree(torch, fn)


def test_pytorchs_state_can_be_loaded(torch) -> None:
    net, twin = made(tg), made(torch)
    with torch.no_grad():
        twin.scale += 1
    net.load_state_dict(twin.state_dict())
    assert net.scale.tolist() == twin.scale.tolist()


# -- modes and types -----------------------------------------------------------------------------


def test_train_and_eval_reach_all(torch) -> None:
    def fn(lib, net):
        assert net.eval() is net
        off = [module.training for module in net.modules()]
        net.rest.train()
        return off, [module.training for module in net.modules()]

    agree(torch, fn)
    agree(torch, lambda lib, net: net.train(1))


def test_train_can_be_overridden_below(torch) -> None:
    def fn(lib, net):
        class Frozen(lib.nn.BatchNorm1d):
            def train(self, mode=True):
                return super().train(False)

        net.norm = Frozen(3)
        return [module.training for module in net.train().modules()]

    agree(torch, fn)


@pytest.mark.parametrize(
    "convert",
    [
        lambda lib, net: net.double(),
        lambda lib, net: net.half(),
        lambda lib, net: net.double().float(),
        lambda lib, net: net.to(lib.float64),
        lambda lib, net: net.to("cpu"),
        lambda lib, net: net.to("cpu", lib.float64),
        lambda lib, net: net.to(device="cpu", dtype=lib.float16),
        lambda lib, net: net.to(lib.ones(1, dtype=lib.float64)),
        lambda lib, net: net.to(dtype=lib.float64, non_blocking=True),
        lambda lib, net: net.to(lib.int64),
        lambda lib, net: net.type(lib.int64),
        lambda lib, net: net.requires_grad_(False).type(lib.int64),
        lambda lib, net: net.type(lib.float64),
        lambda lib, net: net.cpu(),
    ],
)
def test_types(torch, convert) -> None:
    def fn(lib, net):
        net.scale.grad = lib.tensor([0.5])
        before = [id(p) for p in net.parameters()]
        assert convert(lib, net) is net
        assert before == [id(p) for p in net.parameters()]
        kinds = [str(v.dtype).removeprefix("torch.") for v in net.state_dict().values()]
        grad = str(net.scale.grad.dtype).removeprefix("torch.")
        return kinds, grad, net.tied is net.rest[1].weight

    agree(torch, fn)


def test_other_devices_are_refused() -> None:
    for refused in (lambda net: net.cuda(), lambda net: net.to("cuda:0")):
        with pytest.raises(RuntimeError, match="main memory"):
            refused(made(tg))


def test_converted_modules_compute(torch) -> None:
    compare(lambda lib, x: made(lib).double()(x), [X], torch, "double", 1e-6)


def test_requires_grad_and_zero_grad(torch) -> None:
    def fn(lib, net):
        x = lib.tensor(X.tolist())
        net(x).sum().backward()
        net.zero_grad(set_to_none=False)
        zeros = [p.grad.tolist() for p in net.parameters()]
        net.zero_grad()
        nones = [p.grad for p in net.parameters()]
        frozen = net.requires_grad_(False)
        return zeros, nones, [p.requires_grad for p in frozen.parameters()]

    agree(torch, fn)


def test_zero_grad_leaves_the_graph_of_gradients() -> None:
    w = nn.Parameter([2.0])
    module = nn.Module()
    module.w = w
    (w**3).sum().backward(create_graph=True)
    module.zero_grad(set_to_none=False)
    assert (w.grad.tolist(), w.grad.requires_grad) == ([0.0], False)


# -- calls and hooks -----------------------------------------------------------------------------


def test_forward_is_needed(torch) -> None:
    with pytest.raises(NotImplementedError, match="does not define forward"):
        nn.Module()(3)


def test_every_node_knows_its_layer() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(2, 2)])
            self.layers.append(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))
            self.heads = nn.ModuleDict({"a": nn.Linear(2, 1)})

        def forward(self, x):
            for layer in self.layers[:]:
                x = layer(x)
            return self.heads["a"](x)

    record = tg.bptt.record(Net()(tg.ones(2)).sum())
    scopes = [visit.node.tag.scope for visit in record.visits if not visit.node.is_leaf]
    assert scopes == ["", *["net." + s for s in "heads.a layers.1.1 layers.1.0 layers.0".split()]]


def test_forward_hooks(torch) -> None:
    def fn(lib, x):
        seen = []

        class Net(lib.nn.Module):
            def forward(self, x, *, factor=1.0):
                seen.append("forward")
                return x * factor

        net = Net()
        net.register_forward_pre_hook(lambda m, args: seen.append("pre"))
        net.register_forward_pre_hook(lambda m, args: args[0] + 1)
        net.register_forward_pre_hook(
            lambda m, args, kwargs: (args, {"factor": kwargs["factor"] * 2}),
            with_kwargs=True, prepend=True,
        )  # fmt: skip
        net.register_forward_hook(lambda m, args, y: y * 3)
        net.register_forward_hook(lambda m, args, y: seen.append("post"))
        net.register_forward_hook(
            lambda m, args, kwargs, y: seen.append(sorted(kwargs)), with_kwargs=True, prepend=True
        )
        handle = net.register_forward_hook(lambda m, args, y: y - 100)
        first = net(x, factor=5.0)
        handle.remove()
        second = net(x, factor=5.0)
        assert seen == 2 * ["pre", "forward", ["factor"], "post"]
        return first, second

    compare(fn, [X], torch, "forward hooks", None)


def test_hooks_that_are_always_called(torch) -> None:
    def fn(lib, net):
        seen = []

        class Broken(lib.nn.Module):
            def forward(self, x):
                raise KeyError("broken")

        def fails(*_):
            raise ValueError("too")

        broken = Broken()
        broken.register_forward_hook(lambda m, args, y: seen.append(y), always_call=True)
        broken.register_forward_hook(lambda m, args, y: seen.append("never"))
        broken.register_forward_hook(fails, always_call=True)
        broken.register_forward_hook(lambda m, args, y: seen.append(y), always_call=True)
        with pytest.warns(UserWarning, match="hook"), pytest.raises(KeyError, match="broken"):
            broken(1)
        return seen

    agree(torch, fn)


@pytest.mark.parametrize(
    "register",
    [
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
    ],
)
def test_hooks_are_functions(register) -> None:
    with pytest.raises(TypeError, match=f"{register}: expected a function"):
        getattr(nn.Tanh(), register)(3)


def test_pre_hooks_with_kwargs_return_both(torch) -> None:
    def fn(lib, net):
        net.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
        return net(lib.tensor(X.tolist()))

    agree(torch, fn)


def two(lib):
    class Two(lib.nn.Module):
        def forward(self, a, b, c=None):
            return a * 2 * b, b * 3, 5

    return Two()


def spy(seen):
    """A backward hook that writes down what it is given."""

    def hook(module, *grads):
        seen.append([[None if g is None else g.tolist() for g in group] for group in grads])

    return hook


@pytest.mark.parametrize("needs", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("used", [(0,), (1,), (0, 1)])
def test_full_backward_hooks_see_both_ends(torch, needs, used) -> None:
    def fn(lib, net):
        seen = []
        net = two(lib)
        net.register_full_backward_hook(spy(seen))
        net.register_full_backward_pre_hook(spy(seen))
        a, b = (lib.tensor(x, requires_grad=need) for x, need in zip(X.tolist(), needs))
        outputs = net(a, b, 7)
        flags = [y.requires_grad for y in outputs[:2]]
        ends = [outputs[i].sum() for i in used if outputs[i].requires_grad]
        if ends:
            sum(ends).backward()
        return flags, seen, [x.grad if x.grad is None else x.grad.tolist() for x in (a, b)]

    agree(torch, fn)


def test_full_backward_hooks_replace(torch) -> None:
    def fn(lib, net):
        seen = []
        net = two(lib)
        net.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10, gi[1] - 1))
        net.register_full_backward_hook(spy(seen))
        net.register_full_backward_hook(lambda m, gi, go: seen.append("first"), prepend=True)
        net.register_full_backward_pre_hook(lambda m, go: (go[0] + 1, go[1], go[2]))
        a, b = (lib.tensor(x, requires_grad=True) for x in X.tolist())
        outputs = net(a, b)
        (outputs[0].sum() + outputs[1].sum()).backward()
        return seen, a.grad.tolist(), b.grad.tolist()

    agree(torch, fn)


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_full_backward_hooks_of_layers(torch) -> None:
    def fn(lib, net):
        seen = []
        lib.manual_seed(0)
        net = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.ReLU(), lib.nn.Linear(2, 1))
        for layer in net:
            layer.register_full_backward_hook(spy(seen))
        net(lib.tensor(X.tolist())).sum().backward()
        rounded = [[np.round(g, 5).tolist() for g in s[1]] for s in seen]
        return rounded, [s[0] == [None] for s in seen]

    agree(torch, fn)


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.parametrize("needs", [True, False])
@pytest.mark.parametrize("answer", [(1, 1), (None, None), (1,)])
def test_what_full_backward_hooks_return(torch, needs, answer) -> None:
    def fn(lib, net):
        net = lib.nn.Linear(2, 1)
        net.register_full_backward_hook(
            lambda m, gi, go: tuple(None if i is None else lib.ones(2, 2) for i in answer)
        )
        x = lib.tensor(X.tolist(), requires_grad=needs)
        net(x).sum().backward()
        return None if x.grad is None else x.grad.tolist()

    agree(torch, fn)


def test_full_backward_hooks_under_create_graph(torch) -> None:
    def fn(lib, x):
        net = lib.nn.Tanh()
        net.register_full_backward_hook(lambda m, gi, go: (gi[0] * 3,))
        (g,) = lib.autograd.grad((net(x) ** 2).sum(), x, create_graph=True)
        return g

    compare(fn, [X], torch, "second derivatives", None)


def test_backward_hooks_of_modules_without_tensors_warn() -> None:
    class Plain(nn.Module):
        def forward(self, x):
            return 3

    net = Plain()
    net.register_full_backward_hook(lambda *_: None)
    with pytest.warns(UserWarning, match="Plain returned int"):
        assert net(tg.ones(1, requires_grad=True)) == 3


def test_hooks_and_recording_off() -> None:
    net = nn.Tanh()
    seen = []
    net.register_full_backward_hook(spy(seen))
    with tg.no_grad():
        assert not net(tg.ones(2, requires_grad=True)).requires_grad
    assert not net(tg.ones(2)).requires_grad
    assert seen == []


def test_hooked_graphs_are_freed_with_their_outputs() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    for layer in net:
        layer.register_full_backward_hook(lambda *_: None)
    gc.collect()
    gc.disable()
    try:
        y = net(tg.ones(1, 2, requires_grad=True))
        y.sum().backward()
        alive = weakref.ref(y)
        del y
        assert alive() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


# -- repr, copies --------------------------------------------------------------------------------


def test_repr_with_many_lines(torch) -> None:
    def fn(lib, net):
        class Many(lib.nn.Module):
            def extra_repr(self):
                return "one\ntwo"

        lonely = Many()
        parent = Many()
        parent.child = Many()
        return repr(lonely), repr(parent), repr(lib.nn.Module())

    agree(torch, fn)


def hook_of_the_module(module, inputs, output):
    return output * 2


def test_copies_keep_what_is_shared() -> None:
    net = made_at_top()
    net.register_forward_hook(hook_of_the_module)
    x = tg.tensor(X.tolist())
    net(x).sum().backward()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(twin) == repr(net)
        assert twin.tied is twin.rest[0].weight
        assert twin.tied is not net.tied
        assert list(twin.state_dict()) == list(net.state_dict())
        assert_same(twin.eval()(x).detach(), net.eval()(x).detach())
        assert twin.tied.grad is None
        twin.scratch.fill_(9)
        assert net.scratch.tolist() == [5]
        assert "scratch" not in twin.state_dict()
        twin.extra = nn.Tanh()
        assert not hasattr(net, "extra")
        with pytest.raises(TypeError, match="cannot assign"):
            twin.tied = 3


class Top(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rest = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
        self.tied = self.rest[0].weight
        self.register_buffer("scratch", tg.tensor([5]), persistent=False)

    def forward(self, x):
        return self.rest(x) @ self.tied


def made_at_top() -> Top:
    return Top()


def test_assigned_tensors_of_both_kinds(torch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for lib in (tg, torch):
            module = lib.nn.Module()
            module.tensor = lib.ones(2)  # a plain attribute, not a buffer
            assert list(module.buffers()) == []
            module.register_buffer("tensor2", leaf(lib, [1.0]))
            assert len(list(module.buffers())) == 1

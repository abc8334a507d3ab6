"""`autograd.Function`: the same programs with PyTorch's and with ours, and what only ours has."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from cases import assert_outcome, outcome

import tinygrad_rnn as tg
from tinygrad_rnn.autograd import gradcheck, gradgradcheck
from tinygrad_rnn.engine.graph import tape
from tinygrad_rnn.engine.primitive import Primitive


def leaf(lib: Any, *values: float, dtype: str = "float64") -> Any:
    return lib.from_numpy(np.array(values, dtype)).requires_grad_()


def define(lib: Any, forward: Any, backward: Any = None, **more: Any) -> Any:
    """A Function of ``lib`` called F."""
    given = {"forward": forward, "backward": backward, **more}
    methods = {name: staticmethod(method) for name, method in given.items() if method}
    return type("F", (lib.autograd.Function,), methods)


def saving(y: Any, ctx: Any, *tensors: Any) -> Any:
    ctx.save_for_backward(*tensors)
    return y


# -- programs: each takes the library and returns tensors --------------------------------------


def square(lib):
    """The plainest Function, and one that saves its input."""
    return define(
        lib,
        lambda ctx, x: saving(x * x, ctx, x),
        lambda ctx, g: 2 * g * ctx.saved_tensors[0],
    )


def exp(lib):
    """Saves its output."""

    def forward(ctx, x):
        y = lib.exp(x)
        ctx.save_for_backward(y)
        return y

    return define(lib, forward, lambda ctx, g: g * ctx.saved_tensors[0])


def polar(lib):
    """Two outputs, both saved."""

    def forward(ctx, r, t):
        x, y = r * lib.exp(t), r * t
        ctx.save_for_backward(r, t, x, y)
        return x, y

    def backward(ctx, gx, gy):
        r, _, x, y = ctx.saved_tensors
        return gx * x / r + gy * y / r, gx * x + gy * r

    return define(lib, forward, backward)


def gradients(lib, y, *xs, **options):
    """First and second derivatives of the sum of y² for each input."""
    first = lib.autograd.grad((y * y).sum(), xs, create_graph=True, **options)
    second = lib.autograd.grad(sum((g * g).sum() for g in first), xs, **options)
    return (*first, *second)


def of_square(lib):
    x = leaf(lib, 1.0, -2.0)
    return gradients(lib, square(lib).apply(x), x)


def of_exp(lib):
    x = leaf(lib, 1.0, -2.0)
    return gradients(lib, exp(lib).apply(x), x)


def of_both_outputs(lib):
    r, t = leaf(lib, 1.0, 2.0), leaf(lib, 0.5, -0.3)
    x, y = polar(lib).apply(r, t)
    return gradients(lib, x * y, r, t)


def of_first_output(lib):
    r, t = leaf(lib, 1.0, 2.0), leaf(lib, 0.5, -0.3)
    return gradients(lib, polar(lib).apply(r, t)[0], r, t)


def of_second_output(lib):
    r, t = leaf(lib, 1.0, 2.0), leaf(lib, 0.5, -0.3)
    return gradients(lib, polar(lib).apply(r, t)[1], r, t)


def of_an_output_used_twice(lib):
    r, t = leaf(lib, 1.0, 2.0), leaf(lib, 0.5, -0.3)
    x, y = polar(lib).apply(r, t)
    return gradients(lib, x * x + lib.exp(x) + y, r, t)


def into_grad(lib):
    r, t = leaf(lib, 1.0, 2.0), leaf(lib, 0.5, -0.3)
    x, y = polar(lib).apply(r, t)
    y.retain_grad()
    (x * y).sum().backward()
    return r.grad, t.grad, y.grad


def of_outputs_themselves(lib):
    r, t = leaf(lib, 1.0, 2.0), leaf(lib, 0.5, -0.3)
    x, y = polar(lib).apply(r, t)
    g = lib.ones_like(x).double()
    return lib.autograd.grad([x, y], [x, y, r, t], [g, 2 * g])


def an_input_used_twice(lib):
    x = leaf(lib, 1.0, 2.0)
    f = define(lib, lambda ctx, a, b: a * b, lambda ctx, g: (g, 10 * g))
    return lib.autograd.grad(f.apply(x, x).sum(), x)


def other_arguments_and_outputs(lib):
    seen = []
    x = leaf(lib, 1.0, 2.0)

    def forward(ctx, x, k, word, nothing, numbers):
        ctx.k = k
        return x * k, None, 3, word, numbers

    def backward(ctx, *grads):
        seen.extend(grads[1:])
        return grads[0] * ctx.k, None, None, None, None

    y, *rest = define(lib, forward, backward).apply(x, 3.0, "w", None, [1])
    assert rest == [None, 3, "w", [1]]
    (g,) = lib.autograd.grad(y.sum(), x)
    assert seen == [None] * 4
    return y, g


def too_many_nones(lib):
    x = leaf(lib, 1.0, 2.0)
    f = define(lib, lambda ctx, x: x * 2, lambda ctx, g: (2 * g, None, None))
    return lib.autograd.grad(f.apply(x).sum(), x)


def integer_output(lib):
    x, seen = leaf(lib, 3.0, 1.0, 2.0), []

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2, lib.from_numpy(np.array([1, 2]))

    def backward(ctx, g, h):
        seen.append(h)
        return 2 * g

    y, i = define(lib, forward, backward).apply(x)
    (g,) = lib.autograd.grad(y.sum(), x)
    assert not i.requires_grad
    return y, i, g, seen[0]


def marked_output(lib):
    x, seen = leaf(lib, 3.0, 1.0), []

    def forward(ctx, x):
        marked = x * 3
        ctx.mark_non_differentiable(marked)
        return x * 2, marked

    f = define(lib, forward, lambda ctx, g, h: seen.append(h) or 2 * g)
    y, marked = f.apply(x)
    assert marked.requires_grad is False
    assert y.requires_grad
    (g,) = lib.autograd.grad(y.sum(), x)
    return y, marked, g, seen[0]


def only_a_marked_output(lib):
    def forward(ctx, x):
        y = x * 2
        ctx.mark_non_differentiable(y)
        return y

    y = define(lib, forward).apply(leaf(lib, 3.0))
    assert y.grad_fn is None
    return y


def marked_what_is_no_output(lib):
    def forward(ctx, x):
        ctx.mark_non_differentiable(x)
        return x * 2

    x = leaf(lib, 3.0)
    return lib.autograd.grad(define(lib, forward, lambda ctx, g: g).apply(x), x)


def marked_input(lib):
    def forward(ctx, x):
        ctx.mark_non_differentiable(x)
        return x

    x = leaf(lib, 3.0)
    y = define(lib, forward).apply(x)
    assert x.requires_grad
    assert not y.requires_grad
    return y


def unused_outputs(lib, materialize=True):
    x, seen = leaf(lib, 3.0, 1.0), []

    def forward(ctx, x):
        ctx.set_materialize_grads(materialize)
        return x * 2, x.sum(), x[:1]

    def backward(ctx, *grads):
        seen.extend(grads)
        return 2 * grads[0]

    y, *_ = define(lib, forward, backward).apply(x)
    return (*lib.autograd.grad(y.sum(), x), *seen)


def unused_outputs_as_none(lib):
    results = unused_outputs(lib, materialize=False)
    assert results[-2:] == (None, None)
    return results[:-2]


def identity(lib):
    x = leaf(lib, 3.0, 1.0)
    y = define(lib, lambda ctx, x: x, lambda ctx, g: 7 * g).apply(x)
    assert y is not x
    assert x.is_leaf
    return (y, *lib.autograd.grad(y.sum(), x))


def identity_that_saves(lib):
    x = leaf(lib, 3.0, 1.0)
    f = define(lib, lambda ctx, x: saving(x, ctx, x), lambda ctx, g: 2 * g * ctx.saved_tensors[0])
    return gradients(lib, f.apply(x), x)


def reversed_gradient(lib):
    x = leaf(lib, 3.0, 1.0)
    f = define(
        lib, lambda ctx, x, a: setattr(ctx, "a", a) or x.view(2), lambda ctx, g: (-ctx.a * g, None)
    )
    return gradients(lib, lib.exp(f.apply(x * 2, 0.5)), x)


def same_tensor_as_two_outputs(lib):
    x = leaf(lib, 1.0, 2.0)

    def forward(ctx, x):
        y = x * 2
        return y, y

    y, z = define(lib, forward, lambda ctx, g, h: g + h).apply(x)
    return lib.autograd.grad((2 * y + 10 * z).sum(), x)


def constant_input_given_back(lib):
    x, c = leaf(lib, 1.0, 2.0), leaf(lib, 5.0, 6.0).detach()
    y = define(lib, lambda ctx, c, x: c, lambda ctx, g: (g, 3 * g)).apply(c, x)
    assert not c.requires_grad
    return (y, *lib.autograd.grad(y.sum(), x))


def one_tuple(lib):
    x = leaf(lib, 1.0, 2.0)
    result = define(lib, lambda ctx, x: (x * 2,), lambda ctx, g: (2 * g,)).apply(x)
    assert isinstance(result, tuple)
    return (*result, *lib.autograd.grad(result[0].sum(), x))


def list_of_outputs_is_constant(lib):
    result = define(lib, lambda ctx, x: [x * 2, x * 3]).apply(leaf(lib, 1.0))
    assert isinstance(result, list)
    assert not result[0].requires_grad
    return tuple(result)


def number_as_output(lib):
    return define(lib, lambda ctx, x: 5).apply(leaf(lib, 1.0))


def no_arguments(lib):
    return define(lib, lambda ctx: lib.ones(2)).apply()


def separate_setup(lib):
    seen = []

    def forward(x, k=3.0):
        return x * k, x + 1

    def setup_context(ctx, inputs, output):
        _, ctx.k = inputs
        seen.append([y.requires_grad for y in output])
        ctx.save_for_backward(*output)

    def backward(ctx, g, h):
        y, z = ctx.saved_tensors
        assert ctx.needs_input_grad == (True, False)
        return g * ctx.k + h + 0 * y * z, None

    f = define(lib, forward, backward, setup_context=setup_context)
    x = leaf(lib, 1.0, 2.0)
    results = []
    for arguments, options in [((x,), {}), ((x, 4.0), {}), ((x,), {"k": 5.0})]:
        y, z = f.apply(*arguments, **options)
        results += [y, z, *gradients(lib, y * z, x)]
    assert seen == [[False, False]] * 3
    return tuple(results)


def vjp_instead_of_backward(lib):
    x = leaf(lib, 1.0, 2.0)
    f = define(lib, lambda ctx, x: x * 2, vjp=lambda ctx, g: 2 * g)
    return lib.autograd.grad(f.apply(x).sum(), x)


def methods_that_are_not_static(lib):
    class Twice(lib.autograd.Function):
        def forward(ctx, x):
            return x * 2

        def backward(ctx, g):
            return g * 2

    x = leaf(lib, 1.0, 2.0)
    return lib.autograd.grad(Twice.apply(x).sum(), x)


def inherited(lib):
    class Thrice(square(lib)):
        @staticmethod
        def backward(ctx, g):
            return 3 * g

    x = leaf(lib, 1.0, 2.0)
    return lib.autograd.grad(Thrice.apply(x).sum(), x)


def what_forward_sees(lib):
    seen = []
    x, c = leaf(lib, 1.0), lib.ones(1)

    def forward(ctx, a, b, c):
        seen.append((lib.is_grad_enabled(), a is x, a.requires_grad, ctx.needs_input_grad))
        return a * 2

    f = define(lib, forward, lambda ctx, g: (g, None, None))
    assert f.apply(x, 3, c).requires_grad
    with lib.no_grad():
        assert not f.apply(x, 3, c).requires_grad
    assert seen == [(False, True, True, (True, False, False))] * 2
    return f.apply(x.detach(), 3, c)


def what_backward_sees(lib):
    x, seen = leaf(lib, 1.0), []

    def backward(ctx, g):
        y, z = ctx.saved_tensors
        assert z is None
        seen.append((lib.is_grad_enabled(), y.requires_grad, y.is_leaf, g.requires_grad))
        return g * y

    def forward(ctx, x):
        y = x * 2
        ctx.save_for_backward(y, None)
        return y

    f = define(lib, forward, backward)
    lib.autograd.grad(f.apply(x), x)
    lib.autograd.grad(f.apply(x), x, create_graph=True)
    assert seen == [(False, True, False, False), (True, True, False, False)]
    return x


def saved_intermediate_is_a_constant(lib):
    def forward(ctx, x):
        y = lib.exp(x)
        ctx.save_for_backward(y)
        return y * 2

    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        assert not y.requires_grad
        return 2 * g * y

    x = leaf(lib, 1.0, 2.0)
    return gradients(lib, define(lib, forward, backward).apply(x), x)


def saved_twice_counts_once(lib):
    def forward(ctx, x):
        ctx.save_for_backward(x, x)
        ctx.save_for_backward(x)
        return x * 2

    x = leaf(lib, 1.0)
    f = define(lib, forward, lambda ctx, g: g * ctx.saved_tensors[0] * len(ctx.saved_tensors))
    return lib.autograd.grad(f.apply(x), x)


def broadcast_gradient_is_summed(lib):
    x = leaf(lib, 1.0, 2.0)
    f = define(lib, lambda ctx, x: x * 2, lambda ctx, g: lib.ones(3, 2))
    return lib.autograd.grad(f.apply(x).sum(), x)


def gradient_of_another_type(lib):
    x = leaf(lib, 1.0, 2.0)
    results = []
    for dtype in ("float32", "int64"):
        c = lib.from_numpy(np.array([3, 4], dtype))
        f = define(lib, lambda ctx, x: x * 2, lambda ctx, g, c=c: c)
        results += lib.autograd.grad(f.apply(x).sum(), x)
        results += lib.autograd.grad(f.apply(x).sum(), x, create_graph=True)
    return tuple(results)


def outputs_of_two_types(lib):
    x = leaf(lib, 1.0, 2.0)

    def backward(ctx, g, h):
        assert (str(g.dtype)[-2:], str(h.dtype)[-2:]) == ("64", "32")
        return g + h

    f = define(lib, lambda ctx, x: (x * 2, x.float()), backward)
    y, z = f.apply(x)
    return lib.autograd.grad([y, z], x, [lib.ones(2).double(), lib.ones(2)])


def gradient_for_a_constant_is_dropped(lib):
    x, c = leaf(lib, 1.0, 2.0), lib.ones(2)
    f = define(lib, lambda ctx, x, c: x * c, lambda ctx, g: (g, lib.ones(7)))
    return lib.autograd.grad(f.apply(x, c).sum(), x)


def walked_twice_with_nothing_saved(lib):
    x = leaf(lib, 1.0, 2.0)
    y = define(lib, lambda ctx, x: x * 2, lambda ctx, g: 2 * g).apply(x).sum()
    return (*lib.autograd.grad(y, x), *lib.autograd.grad(y, x))


def walked_twice_retained(lib):
    x = leaf(lib, 1.0, 2.0)
    y = square(lib).apply(x).sum()
    return (*lib.autograd.grad(y, x, retain_graph=True), *lib.autograd.grad(y, x))


def attributes_set_in_backward_stay(lib):
    x = leaf(lib, 1.0)

    def backward(ctx, g):
        ctx.count += 1
        return g * ctx.count

    f = define(lib, lambda ctx, x: setattr(ctx, "count", 0) or x * 2, backward)
    y = f.apply(x)
    return (*lib.autograd.grad(y, x, retain_graph=True), *lib.autograd.grad(y, x))


def hook_on_an_output(lib):
    r, t = leaf(lib, 1.0, 2.0), leaf(lib, 0.5, -0.3)
    x, y = polar(lib).apply(r, t)
    x.register_hook(lambda g: 2 * g)
    return lib.autograd.grad((x * y).sum(), [r, t])


def in_a_recurrence(lib):
    """Many applications, as steps of a net, with two outputs each."""
    w = leaf(lib, 0.5, -0.4)
    h = c = lib.ones(2).double()
    for _ in range(5):
        h, c = polar(lib).apply(w * h, w + c)
    return gradients(lib, h * c, w)


def once(lib):
    x = leaf(lib, 1.0, 2.0)
    seen = []

    def backward(ctx, g):
        seen.append(lib.is_grad_enabled())
        return 2 * g * ctx.saved_tensors[0]

    backward = lib.autograd.function.once_differentiable(backward)
    f = define(lib, lambda ctx, x: saving(x * x, ctx, x), backward)
    (plain,) = lib.autograd.grad(f.apply(x).sum(), x, create_graph=True)
    assert not plain.requires_grad  # nothing that was to be differentiated came in
    y = f.apply(x)
    (deep,) = lib.autograd.grad((y * y).sum(), x, create_graph=True)
    assert deep.requires_grad
    assert seen == [False, False]
    return plain, deep


PROGRAMS = [
    of_square, of_exp, of_both_outputs, of_first_output, of_second_output, of_an_output_used_twice,
    into_grad, of_outputs_themselves, an_input_used_twice, other_arguments_and_outputs,
    too_many_nones, integer_output, marked_output, only_a_marked_output, marked_what_is_no_output,
    marked_input, unused_outputs, unused_outputs_as_none, identity, identity_that_saves,
    reversed_gradient, same_tensor_as_two_outputs, constant_input_given_back, one_tuple,
    list_of_outputs_is_constant, number_as_output, no_arguments, separate_setup,
    vjp_instead_of_backward, methods_that_are_not_static, inherited, what_forward_sees,
    what_backward_sees, saved_intermediate_is_a_constant, saved_twice_counts_once,
    broadcast_gradient_is_summed, gradient_of_another_type, outputs_of_two_types,
    gradient_for_a_constant_is_dropped, walked_twice_with_nothing_saved, walked_twice_retained,
    attributes_set_in_backward_stay, hook_on_an_output, in_a_recurrence, once,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_as_torch(program, torch):
    assert_outcome(program(tg), program(torch), program.__name__)


# -- errors ------------------------------------------------------------------------------------


def walked(lib, backward, *arguments, forward=None, **more):
    """The gradient of a Function whose backward does something wrong."""
    x = leaf(lib, 1.0, 2.0)
    f = define(lib, forward or (lambda ctx, x, *rest: x * 2), backward, **more)
    return lib.autograd.grad(f.apply(x, *arguments).sum(), x)


def applied(lib, forward, **more):
    return define(lib, forward, **more).apply(leaf(lib, 1.0, 2.0))


def twice(lib):
    y = square(lib).apply(leaf(lib, 1.0)).sum()
    y.backward()
    y.backward()


def changed(lib, which):
    x = leaf(lib, 1.0, 2.0) * 1
    y = (square if which == "input" else exp)(lib).apply(x)
    loss = y.sum()
    with lib.no_grad():
        (x if which == "input" else y).zero_()
    loss.backward()


def differentiated_twice(lib):
    x = leaf(lib, 1.0)
    backward = lib.autograd.function.once_differentiable(lambda ctx, g: 2 * g)
    y = define(lib, lambda ctx, x: x * 2, backward).apply(x)
    (g,) = lib.autograd.grad((y * y).sum(), x, create_graph=True)
    g.sum().backward()


ERRORS = {
    "too few gradients": (lambda lib: walked(lib, lambda ctx, g: g, 3), r"expected 2.* got 1"),
    "too many gradients": (lambda lib: walked(lib, lambda ctx, g: (g, g)), r"expected 1.* got 2"),
    "gradients in a list": (lambda lib: walked(lib, lambda ctx, g: [g]), "got list"),
    "a number": (lambda lib: walked(lib, lambda ctx, g: 1.0), "got float"),
    "an array": (lambda lib: walked(lib, lambda ctx, g: np.ones(2)), "got ndarray"),
    "wrong shape": (lambda lib: walked(lib, lambda ctx, g: lib.ones(3)), r"at index 0.*\(3,\)"),
    "shape too small": (lambda lib: walked(lib, lambda ctx, g: g[:1]), r"at index 0"),
    "0-d": (lambda lib: walked(lib, lambda ctx, g: g.sum()), r"at index 0"),
    "gradient of a number": (lambda lib: walked(lib, lambda ctx, g: (g, g), 3.0), "argument 1"),
    "no backward": (lambda lib: walked(lib, None), "backward"),
    "both": (lambda lib: walked(lib, lambda ctx, g: g, vjp=lambda ctx, g: g), "not both"),
    "an error inside": (lambda lib: walked(lib, lambda ctx, g: 1 / 0), "division"),
    "no such attribute": (lambda lib: walked(lib, lambda ctx, g: ctx.k), "k"),
    "no forward": (lambda lib: applied(lib, None), "forward"),
    "saved number": (lambda lib: applied(lib, lambda ctx, x: saving(x * 2, ctx, x, 3)), "1 is of"),
    "saved list": (lambda lib: applied(lib, lambda ctx, x: saving(x * 2, ctx, [x])), "list"),
    "marked number": (lambda lib: applied(lib, lambda c, x: c.mark_non_differentiable(3)), "int"),
    "materialize": (lambda lib: applied(lib, lambda ctx, x: ctx.set_materialize_grads(1)), "bool"),
    "not through apply": (lambda lib: _instance(square(lib))(leaf(lib, 1.0)), r"F.apply"),
    "unknown option": (
        lambda lib: define(lib, lambda x: x, setup_context=lambda *a: None).apply(lib.ones(1), q=1),
        "'q'",
    ),
    "a second time": (twice, r"F.*: trying to backward through the graph a second time"),
    "saved input changed": (lambda lib: changed(lib, "input"), r"F.*: .*inplace"),
    "saved output changed": (lambda lib: changed(lib, "output"), r"F.*: .*inplace"),
    "differentiated twice": (differentiated_twice, "once_differentiable"),
}  # fmt: skip


def _instance(function):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's
        return function()


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torchs(name, torch):
    program, message = ERRORS[name]
    theirs = outcome(lambda: program(torch))
    assert isinstance(theirs, Exception)
    with pytest.raises(type(theirs), match=message):
        program(tg)
    assert tg.is_grad_enabled()


def test_what_was_saved_for_a_constant_is_not_checked(torch):
    for lib in (tg, torch):
        define(lib, lambda ctx, x: saving(x * 2, ctx, 3)).apply(lib.ones(1))


def test_a_changed_argument_is_refused_only_when_recorded():
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    f = define(tg, forward, lambda ctx, g: 2 * g)
    x = tg.ones(2)
    assert f.apply(x) is x
    assert x.tolist() == [2.0, 2.0]
    with pytest.raises(NotImplementedError, match="mark_dirty"):
        f.apply(leaf(tg, 1.0) * 1)


def changed_output(lib):
    x = leaf(lib, 1.0, 2.0)
    y = define(lib, lambda ctx, x: x * 2, lambda ctx, g: g * 3).apply(x)
    y.mul_(5)
    return (y, *lib.autograd.grad((y * y).sum(), x))


def changed_input(lib):
    x = leaf(lib, 1.0, 2.0)
    h = x * 1
    h.mul_(5)
    define(lib, lambda ctx, x: x, lambda ctx, g: g * 7).apply(h)
    h.mul_(2)
    return (h, *lib.autograd.grad((h * h).sum(), x))


def one_of_two_outputs_changed(lib):
    x = leaf(lib, 1.0, 2.0)
    y, z = define(lib, lambda ctx, x: (x * 2, x * 3), lambda ctx, g, h: g * 2 + h * 30).apply(x)
    y.mul_(5)
    return (y, z, *lib.autograd.grad((y * y + z).sum(), x))


def part_changed_before(lib):
    x = leaf(lib, 1.0, 2.0)
    h = x * 1
    h[0] = 5.0
    y = square(lib).apply(h[1:])
    return (y, *lib.autograd.grad(y.sum(), x))


@pytest.mark.parametrize(
    "program", [changed_output, changed_input, one_of_two_outputs_changed, part_changed_before],
    ids=lambda p: p.__name__,
)  # fmt: skip
def test_changes_in_place_around_applications(program, torch):
    assert_outcome(program(tg), program(torch), program.__name__)


def test_outputs_share_memory_with_nothing():
    """In PyTorch they may be views, and changing either is an error when it comes to a walk."""

    def forward(ctx, x):
        y = x * 3
        return x, x[:1], y, y[1:]

    x = leaf(tg, 1.0, 2.0)
    h = x * 1
    outputs = define(tg, forward, lambda ctx, *gs: gs[0] + gs[2]).apply(h)
    arrays = [h.array, *[y.array for y in outputs]]
    for i, a in enumerate(arrays):
        assert not any(np.shares_memory(a, b) for b in arrays[:i])
    h.mul_(5)
    assert outputs[0].tolist() == [1.0, 2.0]
    (g,) = tg.autograd.grad((outputs[0] * outputs[0]).sum(), x)
    assert g.tolist() == [2.0, 4.0]


def test_a_cotangent_cannot_be_changed():
    """It may be another operation's, too."""
    f = define(tg, lambda ctx, x: x * 2, lambda ctx, g: g.mul_(2))
    x = leaf(tg, 1.0)
    with pytest.raises(RuntimeError, match=r"mul_: .*clone\(\) it first"):
        f.apply(x).sum().backward()


# -- checks, graph, memory ---------------------------------------------------------------------


@pytest.mark.parametrize("make", [square, exp, polar], ids=lambda f: f.__name__)
def test_gradcheck_and_gradgradcheck(make):
    f = make(tg)
    xs = [leaf(tg, 1.0, 2.0), leaf(tg, 0.5, -0.3)][: 2 if make is polar else 1]
    assert gradcheck(f.apply, xs)
    assert gradgradcheck(f.apply, xs)


def test_gradcheck_finds_a_wrong_backward():
    f = define(tg, lambda ctx, x: saving(x * x, ctx, x), lambda ctx, g: g * ctx.saved_tensors[0])
    with pytest.raises(RuntimeError, match="output 0, input 0"):
        gradcheck(f.apply, leaf(tg, 1.0, 2.0))


def test_one_node_for_an_application_and_one_for_each_of_several_outputs():
    r, t = leaf(tg, 1.0), leaf(tg, 0.5)
    assert [n.primitive.name for n in tape([square(tg).apply(r).node])[1:]] == ["F"]
    x, y = polar(tg).apply(r, t)
    made = tape([x.node, y.node])
    assert [n.primitive.name for n in made if n.primitive] == ["F", "output", "output"]
    (application,) = x.node.parents
    assert application.parents == (r.node, t.node)
    assert all(n.requires_grad for n in made)


def test_functions_are_no_registered_primitives():
    before = dict(Primitive.registry)
    square(tg).apply(leaf(tg, 1.0))
    assert before == Primitive.registry


def test_tags_reach_application_and_outputs():
    with tg.scope("net"), tg.step(3):
        x, y = polar(tg).apply(leaf(tg, 1.0), leaf(tg, 0.5))
    for place in (x.node, y.node, *x.node.parents):
        assert place.tag[:2] == ("net", 3)


def test_only_the_way_to_what_is_wanted_is_walked():
    called = []
    f = define(tg, lambda ctx, x: x * 2, lambda ctx, g: called.append(1) or 2 * g)
    x, y = leaf(tg, 1.0), leaf(tg, 2.0)
    tg.autograd.grad((f.apply(x) * y).sum(), y)
    assert not called


def test_record_and_contributions_see_applications():
    w = leaf(tg, 0.5, -0.4)
    h = c = tg.ones(2, dtype=tg.float64)
    for t in range(1, 4):
        with tg.step(t):
            h, c = polar(tg).apply(w * h, w + c)
    loss = (h * c).sum()
    (expected,) = tg.autograd.grad(loss, w, retain_graph=True)
    record = tg.bptt.record(loss)
    shares = tg.bptt.contributions(record, w)
    assert list(shares) == [1, 2, 3]
    np.testing.assert_allclose(sum(shares.values()), expected.numpy(), rtol=1e-12)
    application = next(v for v in record.visits if v.node.primitive.name == "F")
    assert application.cotangent.shape == application.node.shape == (4,)  # both outputs in a row


def test_pictures_of_applications():
    r, t = leaf(tg, 1.0, 2.0), leaf(tg, 0.5, -0.3)
    x, y = polar(tg).apply(r.named("r"), t.named("t"))
    y = define(tg, lambda ctx, x, k: x * k, lambda ctx, g: (g * 2, None)).apply(y, 2)
    loss = (x * y).sum()
    source = tg.viz.to_dot(loss).source
    assert "= F(r, t)" in source
    assert "[0]" in source
    assert "[1]" in source
    assert ", 2)" in source
    tg.viz.draw(loss)
    picture = tg.viz.draw(tg.bptt.record(loss))
    assert "F(r, t)" in picture.svg


@pytest.mark.parametrize("make", [square, exp, polar], ids=lambda f: f.__name__)
@pytest.mark.parametrize("walk", ["none", "backward", "create_graph"])
def test_graphs_go_away_without_the_garbage_collector(make, walk):
    f = make(tg)
    gc.collect()
    gc.disable()
    try:
        xs = [leaf(tg, 1.0, 2.0), leaf(tg, 0.5, -0.3)][: 2 if make is polar else 1]
        outputs = f.apply(*xs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        gone = [weakref.ref(y.array) for y in outputs]
        loss = sum((y * y).sum() for y in outputs)
        if walk != "none":
            loss.backward(create_graph=walk == "create_graph")
        for x in xs:
            x.grad = None
        del outputs, loss
        assert [reference() for reference in gone] == [None] * len(gone)
    finally:
        gc.enable()


def test_backward_frees_what_was_saved():
    gc.collect()
    gc.disable()
    try:
        x = leaf(tg, 1.0, 2.0)
        hidden = x * 2
        gone = weakref.ref(hidden.array)
        y = square(tg).apply(hidden).sum()
        hidden.node.value = None
        del hidden
        assert gone() is not None
        y.backward()
        assert gone() is None
    finally:
        gc.enable()

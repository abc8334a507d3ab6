"""Hooks, gradients kept on the way, and the graph as PyTorch lets one walk it."""

from __future__ import annotations

import gc
import weakref

import pytest
from cases import assert_same, leaf

import tinygrad_rnn as tg

X = [0.5, -1.0, 2.0]


def in_both(torch, fn):
    """What ``fn(lib)`` returns in both libraries."""
    return fn(tg), fn(torch)


def test_hooks_run_in_order_and_replace(torch):
    def fn(lib):
        x = leaf(lib, X)
        y = x * 2
        seen = []
        y.register_hook(lambda g: seen.append(g.tolist()))
        y.register_hook(lambda g: g * 10)
        y.register_hook(lambda g: seen.append(g.tolist()))
        y.retain_grad()
        (y * y).sum().backward()
        return seen, y.grad, x.grad

    (ours, *mine), (theirs, *reference) = in_both(torch, fn)
    assert ours == theirs
    for a, b in zip(mine, reference, strict=True):
        assert_same(a, b)


def test_handles_remove_hooks_also_at_the_end_of_a_block(torch):
    def fn(lib):
        x = leaf(lib, X)
        first, second = x.register_hook(lambda g: g * 2), x.register_hook(lambda g: g * 3)
        first.remove()
        first.remove()
        (x * x).sum().backward()
        with second:
            x.sum().backward()
        x.sum().backward()
        return x.grad

    assert_same(*in_both(torch, fn))


def test_hooks_see_recorded_gradients(torch):
    def fn(lib):
        x = leaf(lib, X)
        y = x**3
        y.register_hook(lambda g: g * x)
        (dx,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        return lib.autograd.grad(dx.sum(), x)[0]

    assert_same(*in_both(torch, fn))


def test_after_accumulation(torch):
    def fn(lib):
        x, seen = leaf(lib, X), []

        def update(tensor):
            seen.append(tensor.grad.tolist())
            with lib.no_grad():
                tensor -= 0.5 * tensor.grad
            tensor.grad = None

        handle = x.register_post_accumulate_grad_hook(update)
        (x * x).sum().backward()
        (x * 3).sum().backward()
        assert x.grad is None
        handle.remove()
        x.sum().backward()
        return seen, x.grad, x

    (ours, *mine), (theirs, *reference) = in_both(torch, fn)
    assert ours == theirs
    for a, b in zip(mine, reference, strict=True):
        assert_same(a.detach(), b.detach())


def test_after_accumulation_it_is_the_tensor_itself():
    x = leaf(tg, X)
    seen = []
    x.register_post_accumulate_grad_hook(seen.append)
    x.sum().backward()
    assert seen[0] is x


@pytest.mark.parametrize("bad", [lambda x: x * 2, lambda x: x.detach()])
def test_after_accumulation_on_leaves_only(bad, torch):
    for lib in (tg, torch):
        with pytest.raises(RuntimeError):
            bad(leaf(lib, X)).register_post_accumulate_grad_hook(print)


def test_hooks_do_not_keep_tensors_alive():
    gc.disable()
    try:
        x = leaf(tg, X)
        x.register_post_accumulate_grad_hook(lambda t: None)
        x.register_hook(lambda g: None)
        alive = weakref.ref(x)
        del x
        assert alive() is None
    finally:
        gc.enable()


def test_backward_to_some_inputs_only(torch):
    def fn(lib):
        x, w, v = leaf(lib, X), leaf(lib, X), leaf(lib, X)
        y = x * w
        (y * v).sum().backward(inputs=[x, y])
        (y.detach() * v).sum().backward(inputs=v)
        return x.grad, y.grad, w.grad, v.grad

    for a, b in zip(*in_both(torch, fn), strict=True):
        assert_same(a, b)


@pytest.mark.filterwarnings("ignore:.*non-leaf.*")
@pytest.mark.parametrize("inputs", [lambda lib: [], lambda lib: [lib.ones(3)]])
def test_backward_refuses_inputs(inputs, torch):
    for lib in (tg, torch):
        with pytest.raises(RuntimeError):
            leaf(lib, X).sum().backward(inputs=inputs(lib))


# -- walking the graph by hand -------------------------------------------------------------------


def names(fn, depth=0):
    """The graph below a node, as nested names."""
    if fn is None:
        return None
    return (fn.name().rpartition("::")[2], [names(f, depth + 1) for f, _ in fn.next_functions])


def test_graph_is_walked_as_in_torch(torch):
    def fn(lib):
        w, b = leaf(lib, [[1.0, 2.0]]), leaf(lib, [0.5])
        return names((lib.tanh(w * 2 + b) - b).grad_fn)

    ours, theirs = in_both(torch, fn)
    assert ours == theirs


def test_constants_are_no_next_functions():
    accumulate, constant = (leaf(tg, X) * 2).grad_fn.next_functions
    assert accumulate[0].is_leaf
    assert accumulate[0].next_functions == ()
    assert constant == (None, 0)


def test_nodes_print_as_in_torch():
    node = tg.tanh(leaf(tg, X)).grad_fn
    assert repr(node) == f"<TanhBackward0 object at {id(node):#x}>"

"""`detect_anomaly` says which operation, where in a net, when, and on which line."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from cases import leaf

import tinygrad_rnn as tg
from tinygrad_rnn.autograd import detect_anomaly, set_detect_anomaly
from tinygrad_rnn.engine.mode import here


def nan_at_step_2():
    """0 / 0 in the backward pass of the second step only."""
    x = leaf(tg, [0.0])
    h = x
    with tg.scope("rnn"):
        for t in (1, 2, 3):
            with tg.step(t):
                h = (h * h).sqrt() if t == 2 else h * 1
    return x, h


def test_names_operation_scope_step_and_line():
    with detect_anomaly():
        _, h = nan_at_step_2()
        with pytest.raises(RuntimeError, match="returned nan values in its 0th output") as caught:
            h.backward()
    text = str(caught.value)
    assert text.startswith("Function 'MulBackward0'")
    assert "in rnn at step 2" in text
    assert f'File "{__file__}", line ' in text
    assert "h = (h * h).sqrt() if t == 2" in text


def test_says_nothing_where_nothing_is_wrong():
    with detect_anomaly():
        x = leaf(tg, [1.0, 4.0])
        (x.sqrt() * x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [1.5, 3.0])


def test_nan_in_recorded_walks_and_in_parts():
    x = leaf(tg, [0.0, 1.0])
    with detect_anomaly():
        with pytest.raises(RuntimeError, match="nan"):
            tg.autograd.grad((x * x).sqrt().sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match="nan"):
            ((x[0] / x[0]) * 0).backward()


def test_without_looking_for_nan():
    with detect_anomaly(check_nan=False):
        x, h = nan_at_step_2()
        h.backward()
    assert np.isnan(x.grad.numpy())


def test_errors_in_a_walk_name_the_line():
    with detect_anomaly():
        x = leaf(tg, [1.0])
        with tg.scope("net"), tg.step(7):
            y = tg.tanh(x)
        y.detach().zero_()
        with pytest.raises(
            RuntimeError, match=r"(?s)tanh in net at step 7 \(File .*y = tg.tanh\(x\)"
        ):
            y.backward()


def test_in_the_backward_pass_alone():
    _, h = nan_at_step_2()
    with detect_anomaly(), pytest.raises(RuntimeError, match="'MulBackward0'"):
        h.backward()


def test_off_again_afterwards_and_elsewhere():
    seen = []
    with detect_anomaly():
        thread = threading.Thread(target=lambda: seen.append(here.mode.check_nan))
        thread.start()
        thread.join()
        with tg.no_grad(), tg.step(2):
            seen.append(here.mode.check_nan)
    seen.append(here.mode.check_nan)
    assert seen == [False, True, False]
    assert (leaf(tg, [1.0]) * 2).grad_fn.tag.line is None


def test_as_a_plain_call_and_as_a_decorator():
    set_detect_anomaly(True)
    assert here.mode.check_nan
    set_detect_anomaly(False)
    assert not here.mode.check_nan
    with set_detect_anomaly(True, check_nan=False):
        assert (leaf(tg, [1.0]) * 2).grad_fn.tag.line
        assert not here.mode.check_nan

    @detect_anomaly()
    def looking():
        return here.mode.check_nan

    assert looking()
    assert not here.mode.check_nan


def test_inference_mode():
    x = leaf(tg, [1.0])
    with tg.inference_mode():
        assert not (x * 2).requires_grad
        with tg.inference_mode(False):
            assert not (x * 2).requires_grad

    @tg.inference_mode
    def doubled():
        return x * 2

    @tg.inference_mode()
    def tripled():
        return x * 3

    assert not doubled().requires_grad
    assert not tripled().requires_grad
    with tg.inference_mode(mode=False):
        assert (x * 2).requires_grad
    with pytest.raises(TypeError, match="bool"):
        tg.inference_mode(1)

"""L-BFGS: a quasi-Newton method that remembers a few steps, with a line search if asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

import numpy as np

from tinygrad_rnn.autograd.contexts import enable_grad
from tinygrad_rnn.engine.memory import mark_changed
from tinygrad_rnn.optim.optimizer import Array, Loss, Optimizer, plain
from tinygrad_rnn.tensor.creation import from_numpy


class Trial(NamedTuple):
    """What was found at distance ``t`` along a direction."""

    t: Any
    loss: float
    grad: Array
    slope: Any


class LBFGS(Optimizer):
    """L-BFGS: w ← w + t d, where d = −H g, with H the inverse Hessian as recent steps show it.

    A step makes up to ``max_iter`` iterations and calls ``closure`` again and again. From Nocedal
    and Wright, Numerical optimization (2006): algorithm 7.4 for d, 3.5 and 3.6 for t.

    Parameters
    ----------
    params : iterable of Tensors, or one dict
        There is one group only, and all parameters move together.
    lr : float
        t; with a line search, where that starts.
    max_iter : int
        Iterations per step.
    max_eval : int, optional
        Calls of ``closure`` per step (5/4 of the iterations).
    tolerance_grad : float
        A step ends where no element of the gradient is larger.
    tolerance_change : float
        A step ends where neither the parameters nor the loss change by more.
    history_size : int
        Remembered steps.
    line_search_fn : None or "strong_wolfe"

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(13., grad_fn=<SumBackward0>)
    >>> w
    tensor([1.0000, 1.0000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        self._check(lr=lr)
        if line_search_fn not in (None, "strong_wolfe"):
            raise RuntimeError(
                f"LBFGS: line_search_fn must be None or 'strong_wolfe', not {line_search_fn!r}"
            )
        if history_size < 1:
            raise ValueError(f"LBFGS: history_size must be at least 1, got {history_size}")
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take the only group there can be."""
        if self.param_groups:
            raise ValueError("LBFGS: there can be one parameter group only")
        super().add_param_group(param_group)

    def step(self, closure: Callable[[], Loss]) -> Loss:  # type: ignore[override]
        """Make up to ``max_iter`` iterations.

        Parameters
        ----------
        closure : function
            Clears the gradients, computes the loss, calls `backward` and returns the loss.

        Returns
        -------
        What ``closure`` returned at first.
        """
        outer = np.geterr()

        def evaluate() -> Loss:
            with enable_grad(), np.errstate(**outer):
                return closure()

        with np.errstate(all="ignore"):  # infinities and NaN spread silently
            return cast("Loss", self._iterate(evaluate))

    def _iterate(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        o = plain(group)
        params = group["params"]
        state = self.state[params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        allowed = state["func_evals"] + o.max_eval

        def evaluate() -> tuple[Any, float, Array]:
            state["func_evals"] += 1
            loss = closure()
            return loss, float(loss), _gradient(params)

        first, loss, g = evaluate()
        for i in range(1, o.max_iter + 1):
            if np.abs(g).max() <= o.tolerance_grad:
                break
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                d, t = -g, min(1.0, 1.0 / np.abs(g).sum()) * o.lr
                state |= {"old_dirs": [], "old_stps": [], "ro": [], "H_diag": 1}
            else:
                _remember(state, g, o.history_size)
                d, t = _direction(state, g), o.lr
            state |= {"d": from_numpy(d), "t": float(t)}
            state |= {"prev_flat_grad": from_numpy(g), "prev_loss": loss}
            slope = g.dot(d)
            if slope > -o.tolerance_change:
                break
            start = [p.array.copy() for p in params]

            def at(t: Any, start: list[Array] = start, d: Array = d) -> Trial:
                _move(params, start, t, d)
                _, loss, g = evaluate()
                return Trial(t, loss, g, g.dot(d))

            if o.line_search_fn:
                here = Trial(0, loss, g, slope)
                least = o.tolerance_change / np.abs(d).max()
                most = min(25, allowed - state["func_evals"])
                t, loss, g, _ = strong_wolfe(at, t, here, least, most)
                _move(params, start, t, d)
                state["t"] = float(t)
            elif i < o.max_iter:
                _, loss, g, _ = at(t)
            else:  # nobody would see the loss there
                _move(params, start, t, d)
            if (
                state["func_evals"] >= allowed
                or np.abs(d * t).max() <= o.tolerance_change
                or abs(loss - state["prev_loss"]) < o.tolerance_change
            ):
                break
        return first


def _gradient(params: list[Any]) -> Array:
    """All gradients as one vector."""
    return np.concatenate(
        [np.zeros(p.numel(), p.dtype) if p.grad is None else p.grad.array.ravel() for p in params]
    )


def _move(params: list[Any], start: list[Array], t: Any, d: Array) -> None:
    """Put the parameters at distance ``t`` from ``start`` along ``d``."""
    end = 0
    for p, array in zip(params, start, strict=True):
        begin, end = end, end + array.size
        p.array[...] = array + t * d[begin:end].reshape(array.shape)
        mark_changed(p.array)


def _remember(state: dict[str, Any], g: Array, history_size: int) -> None:
    """Add the step made last, s, and the change y of the gradient over it to what is remembered."""
    s, y = state["d"].array * state["t"], g - state["prev_flat_grad"].array
    ys = y.dot(s)
    if ys > 1e-10:  # only along s that curve upward H stays positive definite
        remembered = (state["old_dirs"], state["old_stps"], state["ro"])
        for values, new in zip(remembered, (from_numpy(y), from_numpy(s), float(1 / ys))):
            if len(values) == history_size:
                values.pop(0)
            values.append(new)
        state["H_diag"] = float(ys / y.dot(y))


def _direction(state: dict[str, Any], g: Array) -> Array:
    """−H g, from the remembered steps and a multiple of 1 (two-loop recursion)."""
    steps = [
        (y.array, s.array, float(ro))
        for y, s, ro in zip(state["old_dirs"], state["old_stps"], state["ro"], strict=True)
    ]
    d = -g
    factors = []
    for y, s, ro in reversed(steps):
        factors.append(s.dot(d) * ro)
        d -= factors[-1] * y
    d *= float(state["H_diag"])
    for y, s, ro in steps:
        d += s * (factors.pop() - y.dot(d) * ro)
    return d


def strong_wolfe(
    at: Callable[[Any], Trial], t: Any, start: Trial, least: float, most: int
) -> Trial:
    """The first trial found that satisfies the strong Wolfe conditions, or the best there is.

    Parameters
    ----------
    at : function
        Tries a distance.
    t : number
        The first distance.
    start : Trial
        That at distance 0.
    least : float
        The distance between trials at which to stop.
    most : int
        The number of trials, after the first, at which to stop.
    """

    def too_high(trial: Trial) -> bool:
        return bool(trial.loss > start.loss + 1e-4 * trial.t * start.slope)

    def flat(trial: Trial) -> bool:
        return bool(abs(trial.slope) <= -0.9 * start.slope)

    # go on until a minimum lies between two trials
    before, trial, trials = start, at(t), 0
    while True:
        if trials >= most:
            return min(start, trial, key=lambda one: one.loss)
        if too_high(trial) or (trials > 1 and trial.loss >= before.loss):
            break
        if flat(trial):
            return trial
        if trial.slope >= 0:
            break
        bounds = trial.t + 0.01 * (trial.t - before.t), trial.t * 10
        before, trial = trial, at(_cubic_minimum(before, trial, bounds))
        trials += 1

    # narrow the bracket down
    ends = [before, trial]
    stuck = False

    def best() -> int:
        return 0 if ends[0].loss <= ends[1].loss else 1

    while trials < most and abs(ends[1].t - ends[0].t) >= least:
        left, right = sorted(one.t for one in ends)
        t = _cubic_minimum(ends[0], ends[1], (left, right))
        margin = 0.1 * (right - left)
        near_end = min(right - t, t - left) < margin
        if near_end and (stuck or t >= right or t <= left):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            near_end = False
        stuck = near_end
        trial, trials = at(t), trials + 1
        low, high = best(), 1 - best()
        if too_high(trial) or trial.loss >= ends[low].loss:
            ends[high] = trial
        elif flat(trial):
            return trial
        else:
            if trial.slope * (ends[high].t - ends[low].t) >= 0:
                ends[high] = ends[low]
            ends[low] = trial
    return ends[best()]


def _cubic_minimum(a: Trial, b: Trial, bounds: tuple[Any, Any]) -> Any:
    """Where the cubic through two trials is least, within bounds (equation 3.59)."""
    if a.t > b.t:
        a, b = b, a
    c = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = c * c - a.slope * b.slope
    if not square >= 0:
        return (bounds[0] + bounds[1]) / 2
    root = np.sqrt(square)
    t = b.t - (b.t - a.t) * ((b.slope + root - c) / (b.slope - a.slope + 2 * root))
    return min(max(t, bounds[0]), bounds[1])

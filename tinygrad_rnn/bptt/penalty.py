"""Pascanu's regulariser: a term of the loss that keeps gradients from vanishing over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tinygrad_rnn.autograd import grad
from tinygrad_rnn.tensor import Tensor

State = Tensor | Sequence[Tensor]


def vanishing_penalty(loss: Tensor, states: Iterable[State]) -> Tensor:
    """Ω of Pascanu, Mikolov and Bengio (2013, eq. 9), by which gradients keep their norm.

    Ω = Σ_k (‖∂E/∂x_{k+1} · ∂x_{k+1}/∂x_k‖ / ‖∂E/∂x_{k+1}‖ − 1)²: it is 0 where the error, on its
    way from each state to the one before, becomes neither smaller nor larger.

    Parameters
    ----------
    loss : Tensor
        E, a scalar whose graph has not been freed.
    states : iterable of Tensor, or of tuples of Tensors
        x₀, x₁, … x_T in the order of time, each computed of the one before: at least two. Of an
        LSTM each is a pair (h, c).

    Returns
    -------
    Tensor
        Ω, a scalar, itself part of a graph: ``(loss + 0.1 * vanishing_penalty(loss, hs))
        .backward()``.  The norms are taken over the last axis; what stands along others, such as a
        batch, is averaged over. A step to which no error comes counts nothing.

    Raises
    ------
    ValueError
        If there are fewer than two states, or if the loss, or a state, does not depend on the one
        before.

    Notes
    -----
    It takes the whole derivative of Ω, through the gradients too. The paper's eq. 10 holds x_k and
    ∂E/∂x_{k+1} constant, to save time.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor([[0.5]], requires_grad=True)
    >>> h = tg.ones(1, requires_grad=True)
    >>> hs = [h]
    >>> for _ in range(3):
    ...     hs.append(hs[-1] @ w)
    >>> omega = vanishing_penalty(hs[-1].sum(), hs)  # 3 (|w| - 1)²
    >>> omega.backward()
    >>> omega.item(), w.grad.item()
    (0.75, -3.0)
    """
    steps = [tuple([x] if isinstance(x, Tensor) else x) for x in states]
    if len(steps) < 2:
        raise ValueError(
            f"vanishing_penalty: there must be two states or more, x₀, x₁, …, got {len(steps)}"
        )
    last, terms = len(steps) - 1, []
    for k in range(last, 0, -1):
        arriving = _apart(steps[k], grad(loss, steps[k], create_graph=True, allow_unused=True))
        outputs = [(x, g) for x, g in zip(steps[k], arriving) if g is not None]
        if not outputs:
            raise ValueError(f"vanishing_penalty: the loss does not depend on state {k}")
        sent = _apart(
            steps[k - 1],
            grad(
                [x for x, _ in outputs], steps[k - 1], [g for _, g in outputs],
                create_graph=True, allow_unused=True,
            ),
        )  # fmt: skip
        if all(g is None for g in sent):
            raise ValueError(
                f"vanishing_penalty: state {k} does not depend on state {k - 1}; give them in the "
                "order of time, as they were computed, the first with requires_grad"
            )
        terms.append(_term(_squares(sent), _squares(arriving)))
    return sum(terms[1:], terms[0])


def _apart(state: tuple[Tensor, ...], whole: Sequence[Tensor | None]) -> list[Tensor | None]:
    """What came to the parts of a state, each without what came by way of the other parts.

    So c of an LSTM, of which h is computed, has what comes from the next step alone.
    """
    found = list(whole)
    orders = [0 if x.node is None else x.node.order for x in state]
    newest = sorted(range(len(state)), key=orders.__getitem__, reverse=True)
    for n, i in enumerate(newest):
        later = [j for j in newest[:n] if found[j] is not None and not state[j].is_leaf]
        if not later:
            continue
        (by_others,) = grad(
            [state[j] for j in later], state[i], [found[j] for j in later],
            create_graph=True, allow_unused=True,
        )  # fmt: skip
        mine = found[i]
        if by_others is not None and mine is not None:
            found[i] = mine - by_others
    return found


def _squares(parts: Iterable[Tensor | None]) -> Tensor:
    """The squared norm over all parts of a state, and over the last axis."""
    squares = [(g * g).sum(-1) if g.shape else g * g for g in parts if g is not None]
    return sum(squares[1:], squares[0])


def _term(sent: Tensor, arriving: Tensor) -> Tensor:
    """(√sent / √arriving − 1)², and 0 where nothing arrives; of √0 no derivative is taken."""
    some, comes = arriving > 0, sent > 0
    ratio = np.where(comes, sent, 1.0) / np.where(some, arriving, 1.0)
    ratio = np.where(comes, np.sqrt(ratio), 0.0)
    term: Tensor = np.where(some, (ratio - 1) ** 2, 0.0).mean()
    return term

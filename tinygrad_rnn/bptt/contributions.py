"""A gradient taken apart by time step."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.bptt.record import Record
from tinygrad_rnn.tensor import Tensor


def contributions(record: Record, param: Tensor) -> dict[int | None, np.ndarray[Any, Any]]:
    """The share of each time step in the gradient of a parameter.

    Parameters
    ----------
    record : Record
        Of `bptt.record`.
    param : Tensor
        A parameter, or any tensor of the graph.

    Returns
    -------
    dict
        By time step, in order (``None``, for what was computed outside any step, last): the
        sum of what the nodes of that step sent to ``param``. All of them add up to the gradient
        (before hooks of ``param`` itself change it).

    Raises
    ------
    TypeError
        If ``record`` is not a record of a walk.
    ValueError
        If ``param`` is no part of its graph.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> w = tg.tensor(0.2, requires_grad=True)
    >>> x = tg.tensor(0.9)
    >>> for t in range(1, 4):
    ...     with tg.step(t):
    ...         x = w * x
    >>> by_step = tg.bptt.contributions(tg.bptt.record(x), w)
    >>> {t: round(float(g), 3) for t, g in by_step.items()}
    {1: 0.036, 2: 0.036, 3: 0.036}
    """
    if not isinstance(record, Record):
        found = type(record).__name__
        raise TypeError(f"contributions: expected a Record, got {found}: bptt.record(loss) first")
    if not isinstance(param, Tensor):
        found = type(param).__name__
        raise TypeError(f"contributions: expected a Tensor, such as a parameter, got {found}")
    if param.node not in record.places:
        raise ValueError(
            f"contributions: the tensor {param!r:.80} is no part of the recorded graph"
        )
    shares: dict[int | None, Any] = {}
    for visit in record.visits:
        if param.node not in visit.node.parents:
            continue
        for parent, c in zip(visit.node.parents, visit.contributions, strict=True):
            if parent is param.node and c is not None:
                shares[visit.step] = shares[visit.step] + c if visit.step in shares else c
    steps = sorted(step for step in shares if step is not None)
    order = [*steps, None] if None in shares else steps
    return {step: np.asarray(shares[step]) for step in order}

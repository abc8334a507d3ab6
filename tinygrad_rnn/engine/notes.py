"""What comes to a place in the graph besides its making: a name, hooks, a gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_rnn.engine.errors import check_hook_answer


@dataclass(slots=True)
class Notes:
    """``name`` and ``role``: for pictures; ``retain``: keep the gradient that passes, in ``grad``;
    ``hooks`` see that gradient first, ``after`` is called once it has been added to ``grad``;
    ``keeper``: who keeps it for a tensor that has another shape now;
    ``detached``: made by ``detach()``, which pictures and diagnoses may want to know;
    ``made_by``: what PyTorch calls a node that ends what is one operation there.
    """

    name: str | None = None
    role: str | None = None
    grad: Any = None
    retain: bool = False
    keeper: Notes | None = None
    detached: bool = False
    made_by: str | None = None
    hooks: dict[int, Callable[[Any], Any]] | None = None
    after: dict[int, Callable[[Any], None]] | None = None

    @property
    def attentive(self) -> bool:
        """Whether a gradient that comes by must be shown."""
        return self.retain or bool(self.hooks)

    def attended(self, g: Any, make_tensor: Callable[[Any, Any], Any] | None) -> Any:
        """A finished gradient after its hooks, any of which may replace it.

        ``make_tensor`` is needed where the gradient is not a tensor already (a recorded walk's).
        """
        for hook in list(self.hooks.values()) if self.hooks else ():
            answer = hook(make_tensor(np.asarray(g), None) if make_tensor else g)
            if answer is not None:
                check_hook_answer(answer, g)
                g = answer.array if make_tensor else answer
        if self.retain:
            kept = np.array(g) if make_tensor else g
            self.grad = kept if self.grad is None else self.grad + g
        return g

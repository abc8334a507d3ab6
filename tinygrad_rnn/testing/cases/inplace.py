"""Cases of what changes in place record."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_rnn.testing.cases.table import add_case, signed


def _with(lib: Any, x: Any, part: Any, index: Any) -> Any:
    x = x * 1
    x[index] = part
    return x


def _with_ref(x: Any, part: Any, index: Any) -> Any:
    x = x.copy()
    x[index] = part
    return x


def _viewed_before(lib: Any, x: Any, index: Any) -> Any:
    """A view of what is then changed in place."""
    x = x * 1
    view = x[index]
    x.mul_(2)
    return view * 1


def _sent_by_the_view(lib: Any, g: Any, shape: Any, index: Any) -> Any:
    """The gradient of the tensor behind such a view, as a function of the view's."""
    with lib.enable_grad():
        x = lib.zeros(shape, dtype=g.dtype, requires_grad=True)
        view = _viewed_before(lib, x, index)
        return lib.autograd.grad(view, x, g, create_graph=True)[0]


def _sent_ref(g: Any, shape: Any, index: Any) -> Any:
    total = np.zeros(shape)
    total[index] = 2 * g
    return total


for _name, _index in [
    ("row", 0),
    ("element", (1, 2)),
    ("columns", (slice(None), slice(None, None, 2))),
    ("all", ...),
    ("nothing", slice(2, 2)),
    ("a new axis", (None, 1)),
]:
    _part = np.zeros((2, 3))[_index].shape
    add_case(
        "index_put",
        f"in place, {_name}",
        lambda lib, x, v, i=_index: _with(lib, x, v, i),
        [signed(2, 3), signed(*_part)],
        lambda x, v, i=_index: _with_ref(x, v, i),
    )
    if _name == "all":
        continue  # the same place in the graph
    add_case(
        "as_strided",
        _name,
        lambda lib, x, i=_index: _viewed_before(lib, x, i),
        [signed(2, 3)],
        lambda x, i=_index: 2 * x[i],
    )
    if _name == "nothing":
        continue  # PyTorch sends nothing
    add_case(
        "add_at",
        f"of a view, {_name}",
        lambda lib, g, i=_index: _sent_by_the_view(lib, g, (2, 3), i),
        [signed(*_part)],
        lambda g, i=_index: _sent_ref(g, (2, 3), i),
    )
add_case(
    "index_put",
    "in place, broadcast",
    lambda lib, x, v: _with(lib, x, v, slice(1, None)),
    [signed(3, 2), signed(2)],
    lambda x, v: _with_ref(x, v, slice(1, None)),
)

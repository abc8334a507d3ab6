"""Changes in place that gradients flow through.

``x.add_(y)`` records ``x + y`` as ever, writes the result over x and gives x the new place in the
graph.  Whatever shows the same memory must follow: the tensor that x is a view of, and its other
views.  A `History` keeps what the whole memory, its *base*, has become; a tensor whose place is
older than that is given a new one when it is used next (`engine.graph.current`).
"""

from __future__ import annotations

import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np

from tinygrad_rnn.contributions import Part
from tinygrad_rnn.dtypes import can_cast
from tinygrad_rnn.engine import primitive
from tinygrad_rnn.engine.graph import Node, Variable, leaf, node, place
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.errors import cannot_compute
from tinygrad_rnn.modes import here
from tinygrad_rnn.notes import Notes
from tinygrad_rnn.ops.indexing import add_at, put
from tinygrad_rnn.ops.promotion import to_dtype
from tinygrad_rnn.ops.shape import expand
from tinygrad_rnn.versions import current, histories, mark_changed, owner

Array = np.ndarray[Any, Any]


as_strided = Primitive("as_strided", lambda x, *, index: x[index], "x", symbol="getitem", view=True)
as_strided.vjp("x", lambda g, index: Part(g, index, add_at), formula="g added at [index], else 0")


class History:
    """What became of a memory that was changed in place while recording.

    ``base``: its place in the graph now; ``former``: creation numbers of the places it had before.
    """

    def __init__(self, base: Node, array: Array) -> None:
        memory = owner(array)
        key = id(memory)
        self.memory = weakref.ref(memory, lambda _: histories.pop(key, None))
        self.layout = _layout(array)  # not the array itself, which would never die
        self.base, self.former, self.constant = base, {base.order}, not base.requires_grad

    def has(self, root: Node | None) -> bool:
        """Whether a tensor whose `root_of` this is shows this memory as part of the graph."""
        if root is None or _is_constant(root):
            return self.constant
        return root is self.base or root.order in self.former

    def renew(self, x: Variable) -> None:
        """Give a tensor that shows this memory its place in the graph as it is now."""
        older = x.node is None or x.node.order < self.base.order
        if older and not _is_detached(x.node) and self.has(root_of(x.node)):
            self.settle(x)

    def settle(self, x: Variable) -> None:
        """Place a tensor that shows all or some of the memory."""
        old, is_view = x.node, root_of(x.node) is not x.node
        if _layout(x.array) == self.layout and not is_view:
            x.node = self.base
        elif self.layout[1]:
            x.node = _made(as_strided, (self.base,), {"index": self.index(x.array)}, x.array)
        else:  # of a single element all are copies
            x.node = _made(expand, (self.base,), {"shape": x.array.shape}, x.array)
        _carry_over(old, x.node)

    def move(self, array: Array, made: Node) -> None:
        """The part of the memory that ``array`` shows is what ``made`` computed from now on."""
        if made.requires_grad and _layout(array) == self.layout:
            self._become(made)
        else:
            self.replace(self.index(array), made)

    def replace(self, index: Any, made: Node) -> None:
        """The part at ``index`` is what ``made`` computed, the rest as it was."""
        whole = _at(self.layout, self.memory())
        self._become(_made(put, (self.base, made), {"index": index}, whole))

    def _become(self, base: Node) -> None:
        self.base = base
        self.former.add(base.order)

    def index(self, array: Array) -> tuple[Any, ...]:
        """Where in the base, a view of which ``array`` is, its elements stand."""
        address, shape, strides = self.layout
        if _layout(array) == self.layout or not shape:
            return (...,)
        rest = np.array(array.ctypes.data - address)
        for n, stride in zip(array.shape, array.strides, strict=True):
            rest = np.add.outer(rest, np.arange(n) * stride)
        index = [np.zeros_like(rest)] * len(shape)
        for axis in sorted(range(len(shape)), key=lambda axis: -strides[axis]):
            if shape[axis] > 1:
                index[axis], rest = np.divmod(rest, strides[axis])
        return tuple(i if array.ndim else int(i) for i in index)


Layout = tuple[int, tuple[int, ...], tuple[int, ...]]


def _layout(array: Array) -> Layout:
    return array.ctypes.data, array.shape, array.strides


def _at(layout: Layout, memory: Any) -> Array:
    """The array of this layout in the memory of another one."""
    address, shape, strides = layout
    seen = SimpleNamespace(
        __array_interface__={
            "data": (address, True), "shape": shape, "strides": strides,
            "typestr": memory.dtype.str, "version": 3,
        }
    )  # fmt: skip
    return np.asarray(seen)


def _made(operation: Primitive, parents: tuple[Node, ...], params: Any, array: Array) -> Node:
    """A node for what is in memory already."""
    shown = array.copy() if array.size <= here.mode.keep else array
    return node(operation, parents, (), params, here.mode, shown)


def _carry_over(old: Node | None, new: Node) -> None:
    """A tensor keeps its name, its gradient and the wish for one when it gets another place."""
    if old is None or old.notes is None or old is new:
        return
    notes = new.notes = new.notes or Notes()
    notes.name, notes.role = old.notes.name, old.notes.role
    notes.grad, notes.retain = old.notes.grad, old.notes.retain
    old.notes.retain = False


def _is_constant(at: Node) -> bool:
    return at.is_leaf and not at.requires_grad


def _is_detached(at: Node | None) -> bool:
    return at is not None and at.notes is not None and at.notes.detached


def root_of(at: Node | None) -> Node | None:
    """The place that a view is a view of, through views of views; of what is none, itself."""
    while at is not None and not at.is_leaf and at.primitive.view:
        at = at.parents[0]
    return at


def _history(x: Variable) -> History:
    """What became of the memory of ``x``; apart from what else shows it if x was detached."""
    root, key = root_of(x.node), id(owner(x.array))
    history = histories.get(key)
    if _is_detached(root) or (history is not None and not history.has(root)):
        return History(place(x), x.array)
    if history is None:
        history = histories[key] = History(*_base(x, root))
    return history


def _base(x: Variable, root: Node | None) -> tuple[Node, Array]:
    """The place and the array of what ``x`` is a view of, or of itself."""
    memory = owner(x.array)
    if root is None or _is_constant(root):
        whole = root is not None and root is x.node and root.shape == memory.shape
        base = root if root is not None and whole else leaf(memory, False)
        if base.value is not None:
            base.value = np.array(base.value)  # as it is now, and not the memory, to hold it
        return base, memory
    if root is x.node:
        return root, x.array
    if root.shape != memory.shape or _layout(_seen(x.node, root, memory)) != _layout(x.array):
        raise RuntimeError(
            f"a view of shape {x.array.shape} cannot be changed in place, because its memory is "
            f"not that of {root.primitive.name}, which it is a view of; clone() it first"
        )
    return root, memory


def _seen(at: Any, root: Node, array: Array) -> Array:
    """What a view shows if ``array`` is what its root stands for."""
    path = []
    while at is not root:
        path.append(at)
        at = at.parents[0]
    for view in reversed(path):
        array = view.primitive.forward(array, **view.params)
    return array


def change(name: str, function: Any, x: Any, *arguments: Any, **options: Any) -> Any:
    """Overwrite ``x`` with ``function(x, …)``; returns it."""
    recorded = _checked(name, x, [*arguments, *options.values()])
    old = primitive.make_tensor(x.array.copy("K"), x.node) if recorded else x
    result = function(old, *arguments, **options)
    _check_fits(name, x.array, result.array)
    result = to_dtype(result, x.array.dtype)
    history = _history(x) if recorded else None
    _write(x, x.array, result.array)
    if history is not None:
        history.move(x.array, place(result))
        history.settle(x)
    return x


def overwrite(name: str, x: Any, src: Any, index: tuple[Any, ...] = (...,)) -> Any:
    """Overwrite ``x`` at ``index``, integers and slices, with ``src``; returns x."""
    recorded = _checked(name, x, [src])
    try:
        part = x.array[index]
    except IndexError as error:
        raise cannot_compute(name, error, [x.array], {"index": index}) from None
    src = to_dtype(src if isinstance(src, Variable) else np.asarray(src), x.array.dtype)
    raw = src.array if isinstance(src, Variable) else src
    if not _fits(raw.shape, part.shape):
        raise RuntimeError(
            f"{name}: a value of shape {raw.shape} does not fit a place of shape {part.shape}"
        )
    history = _history(x) if recorded else None
    _write(x, part, raw)
    if history is not None:
        given = place(src) if isinstance(src, Variable) else leaf(src, False)
        whole = _layout(x.array) == history.layout
        history.replace(index if whole else history.index(part), given)
        history.settle(x)
    return x


def _fits(shape: tuple[int, ...], place: tuple[int, ...]) -> bool:
    """Whether an array broadcasts to a place; leading axes of size 1 do not matter."""
    lead = max(len(shape) - len(place), 0)
    return all(n == 1 for n in shape[:lead]) and all(
        n in (1, m) for n, m in zip(reversed(shape[lead:]), reversed(place))
    )


def _checked(name: str, x: Any, given: list[Any]) -> bool:
    """Whether a change of ``x`` must be recorded; raises if it is not allowed."""
    at = current(x)
    root = root_of(at)
    differentiable = x.array.dtype.kind == "f" and here.mode.recording
    recorded = differentiable and any(_requires_grad(v) for v in (x, *given))
    if recorded and root is not None and root.is_leaf and root.requires_grad:
        view = "" if root is at else "a view of "
        raise RuntimeError(
            f"{name}: {view}a leaf that requires grad is being used in an in-place operation. Do "
            "it inside no_grad(), or compute a new tensor instead"
        )
    if not x.array.flags.writeable:
        raise RuntimeError(
            f"{name}: the tensor's memory is read-only, or shows one element in several places "
            "(expand); clone() it first"
        )
    return recorded


def _requires_grad(x: Any) -> bool:
    at = current(x)
    return at is not None and at.requires_grad


def _check_fits(name: str, array: Array, result: Array) -> None:
    if result.shape != array.shape:
        raise RuntimeError(
            f"{name}: the result has shape {result.shape}, which does not fit a tensor of shape "
            f"{array.shape}"
        )
    if not can_cast(result.dtype, array.dtype):
        raise RuntimeError(
            f"{name}: the result is {result.dtype}, which cannot be cast to {array.dtype}"
        )


def _write(x: Any, part: Array, array: Array) -> None:
    root = root_of(x.node)
    if root is not None and not root.is_leaf and root.value is not None:
        root.value = np.array(root.value)  # pictures show what was computed there
    np.copyto(part, array, casting="unsafe")
    mark_changed(part)

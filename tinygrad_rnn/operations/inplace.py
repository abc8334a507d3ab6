"""Changes in place that gradients flow through.

``x.add_(y)`` records ``x + y`` as ever, writes the result over x and gives x the new place in the
graph.  Whatever shows the same memory must follow: the tensor that x is a view of, and its other
views.  A `History` keeps what the whole memory, its *base*, has become; a tensor whose place is
older than that is given a new one when it is used next (`engine.graph.current`).
"""

from __future__ import annotations

import weakref
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np

from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import cannot_compute
from tinygrad_rnn.engine.graph import Node, Variable, leaf, node, place
from tinygrad_rnn.engine.memory import current, family, histories, mark_changed, requires_grad
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.engine.notes import Notes
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.engine.sums import Part
from tinygrad_rnn.operations.dtypes import can_cast
from tinygrad_rnn.operations.indexing import READS, add_at, put, read, trimmed
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.operations.shape import expand
from tinygrad_rnn.operations.traits import primitive

Array = np.ndarray[Any, Any]
V = TypeVar("V", bound=Variable)


as_strided = primitive("as_strided", read, view=True, **READS)
as_strided.vjp("x", lambda g, index: Part(g, index, add_at), formula="g added at [index], else 0")


class History:
    """What became of a memory that was changed in place while recording, to a family of tensors.

    ``base``: its place in the graph now; ``former``: creation numbers of the places it had before.
    """

    def __init__(self, base: Node, array: Array) -> None:
        memory = family(array)
        key = id(memory)
        self.memory = weakref.ref(memory, lambda _: histories.pop(key, None))
        self.layout = _layout(array)  # not the array itself, which would never die
        self.base, self.former, self.constant = base, {base.order}, not base.requires_grad

    def has(self, root: Node | None) -> bool:
        """Whether a tensor of the family whose `root_of` this is belongs to this history."""
        if root is None or _is_constant(root):
            return self.constant
        return root is self.base or root.order in self.former

    def overtook(self, x: Variable) -> bool:
        """Whether a tensor of the family has an older place than what is in memory now."""
        older = x.node is None or x.node.order < self.base.order
        return older and self.has(root_of(x.node))

    def settle(self, x: Variable) -> None:
        """Give a tensor that shows all or some of the memory its place as it is now."""
        old = x.node
        if self.is_whole(x):
            x.node = self.base
        elif self.layout[1]:
            x.node = _made(as_strided, (self.base,), {"index": self.index(x.array)}, x.array)
        else:  # of a single element all are copies
            x.node = _made(expand.primitive, (self.base,), {"shape": x.array.shape}, x.array)
        _carry_over(old, x.node)

    def is_whole(self, x: Variable) -> bool:
        """Whether a tensor of the family is the one of which the others are views."""
        return _layout(x.array) == self.layout and not _is_view(x)

    def move(self, array: Array, made: Node) -> None:
        """The part of the memory that ``array`` shows is what ``made`` computed from now on."""
        is_base = root_of(made) is made  # a view of something else would not be found again
        if made.requires_grad and is_base and _layout(array) == self.layout:
            self._become(made)
        else:
            self.replace(self.index(array), made)

    def replace(self, index: Any, made: Node) -> None:
        """The part at ``index`` is what ``made`` computed, the rest as it was."""
        whole = _at(self.layout, self.memory())
        written = _made(put, (self.base, made), {"index": index}, whole)
        written.notes = Notes(made_by="CopySlices")
        self._become(written)

    def _become(self, base: Node) -> None:
        _carry_over(self.base, base)  # of the whole, at once; of a view, when it is used next
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


def _carry_over(old: Node | None, new: Node, *, reshaped: bool = False) -> None:
    """A tensor keeps its name, its gradient and the wish for one when it gets another place."""
    if old is None or old.notes is None or old is new:
        return
    former, notes = old.notes, new.notes or Notes()
    new.notes = notes
    notes.name, notes.role = former.name, former.role
    if reshaped:  # it keeps what comes to it as it was before
        notes.keeper = former.keeper or (former if former.retain else None)
        return
    keeper = former.keeper or former
    notes.grad = keeper.grad if notes.grad is None else notes.grad
    notes.retain = notes.retain or former.retain or former.keeper is not None
    former.retain = False


def _is_constant(at: Node) -> bool:
    return at.is_leaf and not at.requires_grad


def _is_view(x: Variable) -> bool:
    """Whether a tensor is a view by its place in the graph or, if it has none there, by NumPy."""
    if x.node is None or _is_constant(x.node):
        return family(x.array) is not x.array
    return root_of(x.node) is not x.node


def root_of(at: Node | None) -> Node | None:
    """The place that a view is a view of, through views of views; of what is none, itself."""
    while at is not None and not at.is_leaf and at.primitive.view:
        at = at.parents[0]
    return at


def _history(x: Variable) -> History:
    """What became of the memory of ``x``, for all of its family."""
    root, key = root_of(x.node), id(family(x.array))
    history = histories.get(key)
    if history is not None and not history.has(root):
        return History(place(x), x.array)  # made before, or while, nothing was recorded
    if history is None:
        history = histories[key] = History(*_base(x, root))
    return history


def _base(x: Variable, root: Node | None) -> tuple[Node, Array]:
    """The place and the array of what ``x`` is a view of, or of itself."""
    memory = family(x.array)
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


def change(name: str, function: Any, x: V, *arguments: Any, **options: Any) -> V:
    """Overwrite ``x`` with ``function(x, …)``; returns it."""
    recorded = _checked(name, x, [*arguments, *options.values()])
    old = graph.make_tensor(x.array.copy("K"), x.node) if recorded else x
    result = function(old, *arguments, **options)
    _check_fits(name, x.array, result.array)
    result = to_dtype(result, x.array.dtype)
    history = _history(x) if recorded else None
    _write(x, x.array, result.array)
    if history is not None:
        history.move(x.array, place(result))
        history.settle(x)
    return x


def reshape_in_place(name: str, function: Any, x: V, *arguments: Any, **options: Any) -> V:
    """Make ``x`` itself the view ``function(x, …)``; the elements stay where they are."""
    _check_no_leaf(name, current(x) if here.mode.recording else None)
    view, old = function(x, *arguments, **options), x.node
    x.array = view.array
    if view.node is not None:
        x.node = view.node
        _carry_over(old, x.node, reshaped=True)
    elif old is not None:
        x.node = leaf(x.array, old.requires_grad)  # what was recorded before stays as it is
        x.node.notes = old.notes
    return x


def overwrite(name: str, x: V, src: Any) -> V:
    """Overwrite all of ``x`` with ``src``; returns x."""
    return assign(name, x, (...,), src)


def assign(name: str, x: V, index: tuple[Any, ...], src: Any, *, trim: bool = False) -> V:
    """Overwrite ``x`` at ``index``, integers and slices, with ``src``; returns x.

    ``trim``: surplus leading axes of size 1 of ``src`` do not matter.
    """
    recorded = _checked(name, x, [src])
    try:
        part = x.array[index]
    except IndexError as error:
        raise cannot_compute(name, error, [x.array], {"index": index}) from None
    src = src if isinstance(src, Variable) else np.asarray(src)
    src = to_dtype(trimmed(src, part.ndim) if trim else src, x.array.dtype)
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
        if history.is_whole(x) or _layout(part) == _layout(x.array):
            history.settle(x)  # else it waits until it is used, as any other view
    return x


def _fits(shape: tuple[int, ...], place: tuple[int, ...]) -> bool:
    """Whether an array broadcasts to a place."""
    return len(shape) <= len(place) and all(
        n in (1, m) for n, m in zip(reversed(shape), reversed(place))
    )


def _checked(name: str, x: Any, given: list[Any]) -> bool:
    """Whether a change of ``x`` must be recorded; raises if it is not allowed."""
    differentiable = x.array.dtype.kind == "f" and here.mode.recording
    recorded = differentiable and any(requires_grad(v) for v in (x, *given))
    _check_no_leaf(name, current(x) if recorded else None)
    if not x.array.flags.writeable:
        raise RuntimeError(
            f"{name}: the tensor's memory is read-only, or shows one element in several places "
            "(expand); clone() it first"
        )
    return recorded


def _check_no_leaf(name: str, at: Node | None) -> None:
    """Raise if this is the place of a leaf that requires grad, or of a view of one."""
    root = root_of(at)
    if root is not None and root.is_leaf and root.requires_grad:
        view = "" if root is at else "a view of "
        raise RuntimeError(
            f"{name}: {view}a leaf that requires grad is being used in an in-place operation. Do "
            "it inside no_grad(), or compute a new tensor instead"
        )


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

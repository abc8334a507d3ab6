"""Tensor: an array and its place in the graph, with methods and operators; nothing clever."""

from __future__ import annotations

import copy
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tinygrad_rnn import operations
from tinygrad_rnn.engine import graph
from tinygrad_rnn.engine.errors import silently, silently_among_users
from tinygrad_rnn.engine.graph import Node, Variable, leaf, place
from tinygrad_rnn.engine.memory import (
    apart,
    current,
    mark_changed,
    noted,
    owner,
    requires_grad,
    tick,
    version,
)
from tinygrad_rnn.engine.notes import Notes
from tinygrad_rnn.engine.traversal import walk
from tinygrad_rnn.operations import kinds
from tinygrad_rnn.operations.arguments import dim_of
from tinygrad_rnn.operations.dtypes import DTypeLike, is_floating
from tinygrad_rnn.operations.inplace import root_of
from tinygrad_rnn.operations.kinds import Size, kind_of, size_of
from tinygrad_rnn.operations.promotion import to_dtype
from tinygrad_rnn.operations.types import on_cpu
from tinygrad_rnn.tensor import printing
from tinygrad_rnn.tensor.collector import growing_graph
from tinygrad_rnn.tensor.elements import Elements
from tinygrad_rnn.tensor.inplace import InPlace
from tinygrad_rnn.tensor.methods import Methods
from tinygrad_rnn.tensor.protocols import NUMPY
from tinygrad_rnn.tensor.typed import data_or_sizes

if TYPE_CHECKING:
    from typing_extensions import Self

Array = np.ndarray[Any, Any]


class Tensor(InPlace, Methods, Elements):
    """An n-dimensional array that remembers how it was computed.

    Parameters
    ----------
    *data : nested sequence, NumPy array or Tensor, or sizes
        Copied. Numbers become float32 (`set_default_dtype`), whatever they are, but a tensor keeps
        its type; of sizes come zeros. `tensor` keeps integers integers, and is the one to use.
    dtype : optional
        Type of the elements, where it should be another.
    requires_grad : bool
        Whether operations on it are recorded, so that `backward` can bring it a gradient.
    device : "cpu", optional
        The only one there is.

    Raises
    ------
    RuntimeError
        If ``requires_grad`` is asked for of integers or bools.

    Examples
    --------
    >>> from tinygrad_rnn import Tensor
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    tensor([2., 4.])
    """

    __slots__ = ("__weakref__",)

    def __new__(
        cls, *data: Any, dtype: DTypeLike = None, requires_grad: bool = False, device: Any = None
    ) -> Self:
        """Make a leaf; see the class."""
        on_cpu("Tensor", device)
        self = object.__new__(cls)
        self.array, self.node = data_or_sizes("Tensor", data, dtype), None
        if requires_grad:
            self.requires_grad_()
        return self

    # -- what it is --

    @property
    def shape(self) -> Size:
        """Its sizes."""
        return size_of(self.array.shape)

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return self.array.ndim

    @property
    def dtype(self) -> kinds.dtype:
        """The type of its elements."""
        return kind_of(self.array.dtype)

    @overload
    def size(self, dim: None = None) -> Size: ...
    @overload
    def size(self, dim: int) -> int: ...

    def size(self, dim: int | None = None) -> Size | int:
        """Its sizes, or the one along ``dim``."""
        shape = self.array.shape
        return size_of(shape) if dim is None else shape[dim_of("size", dim, len(shape))]

    def dim(self) -> int:
        """The number of its axes."""
        return self.array.ndim

    def numel(self) -> int:
        """The number of its elements."""
        return self.array.size

    def numpy(self) -> Array:
        """The array itself, not a copy.

        Raises
        ------
        RuntimeError
            If the tensor requires grad: changing the array would change the graph unseen.
        """
        if self.requires_grad:
            raise RuntimeError(
                "numpy: this tensor requires grad; use tensor.detach().numpy() to get its array"
            )
        return self.array

    def tolist(self) -> Any:  # how deep the lists go depends on the axes
        """Nested lists of Python numbers (one number, if 0-d)."""
        return self.array.tolist()

    def item(self) -> bool | int | float:
        """The only element as a Python number.

        Raises
        ------
        RuntimeError
            If there is not exactly one element.
        """
        if self.array.size != 1:
            raise RuntimeError(
                f"item: a tensor of shape {self.array.shape} has {self.numel()} elements, not one"
            )
        number: bool | int | float = self.array.item()
        return number

    # -- its place in the graph --

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded."""
        return requires_grad(self)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError(f"requires_grad: expected a bool, got {value!r}")
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether operations on this leaf are recorded from now on; returns it."""
        if not isinstance(requires_grad, bool):
            raise TypeError(f"requires_grad_: expected a bool, got {requires_grad!r}")
        node = current(self)
        if node is not None and not node.is_leaf:
            if not requires_grad:
                raise RuntimeError(
                    "requires_grad_: only leaves can stop requiring grad; this tensor is the "
                    f"result of {node.primitive.name}. Use detach() to get one that does not."
                )
        elif requires_grad and not is_floating(self.array.dtype):
            raise RuntimeError(
                "requires_grad_: only floating-point tensors can require gradients, not "
                f"{self.array.dtype}"
            )
        elif requires_grad != self.requires_grad:
            notes = node.notes if node else None
            self.node = leaf(self.array, requires_grad)  # what was recorded before stays as it is
            self.node.notes = notes
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it."""
        node = current(self)
        return node is None or node.is_leaf

    @property
    def grad_fn(self) -> Node | Any:  # as typeshed types what may be None but seldom is
        """The node that made it (``None`` for a leaf)."""
        return None if self.is_leaf else self.node

    @property
    def output_nr(self) -> int:
        """Which output of `grad_fn` it is: the first, as each node here has one."""
        return 0

    @property
    def grad(self) -> Tensor | Any:
        """The gradient that `backward` has accumulated here (``None``: none yet).

        Of tensors that are no leaves only those keep it that were asked to by `retain_grad`.
        """
        node = noted(self)
        notes = _keeper(node)
        if node and not node.is_leaf and not (notes and (notes.retain or notes.grad is not None)):
            warnings.warn(
                "The .grad attribute of a tensor that is not a leaf is not filled by backward(); "
                "call its retain_grad() before, if you want its gradient",
                stacklevel=2,
            )
        if notes is None:
            return None
        if isinstance(notes.grad, np.ndarray):
            notes.grad = wrap(notes.grad, None)
        grad: Tensor | None = notes.grad
        return grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(f"grad: expected a Tensor or None, got {type(value).__name__}")
        if value is not None and (value.shape, value.dtype) != (self.shape, self.dtype):
            raise RuntimeError(
                f"grad: expected shape {self.array.shape} and {self.array.dtype}, "
                f"got {value.array.shape} and {value.array.dtype}"
            )
        if value is self:
            raise RuntimeError("grad: a tensor cannot be its own gradient")
        if value is not None or self.node is not None:
            (_keeper(noted(self)) or self._notes()).grad = value

    @property
    def name(self) -> str | None:
        """What pictures and tables call it; the time step is added to it there."""
        return self.node.notes.name if self.node and self.node.notes else None

    @name.setter
    def name(self, name: str | None) -> None:
        if not isinstance(name, str | None):
            raise TypeError(f"name: expected a string or None, got {name!r:.60}")
        self._notes().name = name

    def named(self, name: str, role: str | None = None) -> Self:
        """Give it a name for pictures and tables; returns it.

        ``role`` says how pictures paint it where they cannot tell by themselves: "parameter",
        "input" or "state".

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> h = tg.zeros(2).named("h")
        >>> h.name
        'h'
        """
        if not isinstance(name, str):
            raise TypeError(f"named: expected a string, got {name!r:.60}")
        if role not in (None, "parameter", "input", "state"):
            raise ValueError(f"named: role must be 'parameter', 'input' or 'state', not {role!r}")
        notes = self._notes()
        notes.name, notes.role = name, role or notes.role
        return self

    def _notes(self) -> Notes:
        node = noted(self) or place(self)
        if node.notes is None:
            node.notes = Notes()
        return node.notes

    def detach(self) -> Tensor:
        """The same memory outside the graph: elements are shared, history is not."""
        return wrap(*_detached(self.array))

    def detach_(self) -> Self:
        """Leave the graph: from now on this tensor is a constant leaf. Returns it."""
        if (node := current(self)) is not None and root_of(node) is not node:
            raise RuntimeError("detach_: a view cannot leave the graph alone; use detach()")
        self.array, self.node = _detached(self.array)
        return self

    @property
    def data(self) -> Tensor:
        """The same as `detach`."""
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"data: expected a Tensor, got {type(value).__name__}")
        if self.requires_grad and value.dtype != self.dtype:
            raise RuntimeError(f"data: expected {self.array.dtype}, got {value.array.dtype}")
        self.array = apart(value.array)
        if self.node is not None and self.node.is_leaf:
            self.node.value, self.node.shape = self.array, value.shape

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Iterable[Tensor] | None = None,
    ) -> None:
        """Walk the graph back from here and add ∂self/∂leaf to each leaf's `grad`.

        Parameters
        ----------
        gradient : Tensor of this shape, optional
            The cotangent to start from; 1 for a tensor with one element.
        retain_graph : bool, optional
            Keep what the graph saved, so that it can be walked again (default: create_graph).
        create_graph : bool
            Record the walk, so that the gradients can be differentiated in turn.
        inputs : Tensor or iterable of Tensors, optional
            Add to the `grad` of these alone, and walk only where they lead.

        Raises
        ------
        RuntimeError
            If the tensor does not require grad; if it has several elements and ``gradient`` is
            missing, or not of its shape; if the graph was walked and freed before.
        """
        backward([self], [gradient], retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Keep the gradient that passes through this tensor, as leaves do."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad: this tensor does not require grad")
        if not self.is_leaf and not self.retains_grad:  # the former brings it up to date
            self._notes().retain = True

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was asked of this tensor, which is not a leaf."""
        notes = _keeper(noted(self))
        return notes is not None and notes.retain

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call ``hook(grad)`` whenever this tensor's gradient is complete in a walk.

        A tensor that it returns replaces the gradient from there on.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> x = tg.tensor([1.0], requires_grad=True)
        >>> handle = x.register_hook(lambda grad: grad * 2)
        >>> (3 * x).backward()
        >>> x.grad
        tensor([6.])
        """
        if not callable(hook):
            raise TypeError(f"register_hook: expected a function, got {type(hook).__name__}")
        if not self.requires_grad:
            raise RuntimeError("register_hook: this tensor does not require grad")
        current(self)  # of what is in it now the hook shall see the gradient
        notes = self._notes()
        notes.hooks = {} if notes.hooks is None else notes.hooks
        return RemovableHandle(notes.hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call ``hook(tensor)`` whenever `backward` has added to the `grad` of this leaf.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> handle = w.register_post_accumulate_grad_hook(lambda w: print(w.grad))
        >>> (3 * w).backward()
        tensor([3.])
        """
        name = "register_post_accumulate_grad_hook"
        if not callable(hook):
            raise TypeError(f"{name}: expected a function, got {type(hook).__name__}")
        if not self.requires_grad or not self.is_leaf:
            raise RuntimeError(f"{name}: gradients are added up in leaves that require grad only")
        alive = weakref.ref(self)  # not the tensor, which would hold its place, which would hold it

        def call(node: Node) -> None:
            tensor = alive()
            hook(wrap(node.value, node) if tensor is None else tensor)

        notes = self._notes()
        notes.after = {} if notes.after is None else notes.after
        return RemovableHandle(notes.after, call)

    @property
    def _version(self) -> int:
        """How often its memory was changed in place."""
        return version(self.array)

    # -- Python's and NumPy's protocols --

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(operations.unbind(self))

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise RuntimeError(
                f"the truth value of a tensor of shape {self.array.shape} is ambiguous: compare "
                "its elements and say what you want of them"
            )
        return bool(self.array.item())

    def __float__(self) -> float:
        return float(self._only())

    def __int__(self) -> int:
        return int(self._only())

    def _only(self) -> Any:
        if self.array.size != 1:
            raise ValueError(
                f"only a tensor with one element is a number, not shape {self.array.shape}"
            )
        return self.array.item()

    def __index__(self) -> int:
        if self.array.size != 1 or self.dtype.kind not in "iub":
            raise TypeError("only integer tensors with one element can be an index")
        return int(self.array.item())

    def __format__(self, spec: str) -> str:
        if spec and self.ndim:
            raise TypeError(
                f"format {spec!r} is for numbers, not for a tensor of shape {self.array.shape}"
            )
        return repr(self) if self.ndim else format(self.item(), spec)

    def __reduce_ex__(self, protocol: Any) -> Any:
        notes = self._notes() if self.node is not None else Notes()
        return _rebuilt, (type(self), self.array, self.requires_grad, notes.name, notes.role)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if not self.is_leaf:
            raise RuntimeError("deepcopy: only of leaves; detach() or clone() the tensor instead")
        rebuilt, (kind, array, *rest) = self.__reduce_ex__(4)
        copied: Self = rebuilt(kind, _deep_copy(array, memo), *rest)
        memo[id(self)] = copied
        if type(self) is Tensor and self.grad is not None:  # as in PyTorch, not of parameters
            copied.grad = copy.deepcopy(self.grad.detach(), memo)
        return copied

    def __repr__(self) -> str:
        return printing.tensor_repr(self.array, self.requires_grad, self.grad_fn)

    def __array__(self, dtype: DTypeLike = None, copy: bool | None = None) -> Array:
        array = self.numpy()
        if copy is False and dtype is not None and array.dtype != dtype:
            raise ValueError(f"a tensor of {array.dtype} cannot be seen as {dtype} without a copy")
        return np.array(array, dtype) if copy else np.asarray(array, dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        function = NUMPY.get(ufunc)
        if method != "__call__" or kwargs or function is None:
            return NotImplemented
        return function(*inputs)

    def __array_function__(
        self, func: Any, types: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        function = NUMPY.get(func)
        return NotImplemented if function is None else function(*args, **kwargs)


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook away again.

    As a context it does so at the end of the block.
    """

    def __init__(self, hooks: dict[int, Any], hook: Callable[..., Any]) -> None:
        self._hooks, self._key = hooks, tick()
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook away."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def _rebuilt(kind: type[Tensor], array: Array, requires_grad: bool, name: Any, role: Any) -> Tensor:
    """A leaf from what copying or pickling took of a tensor."""
    tensor = _new(kind)
    tensor.array = apart(array)  # copy.copy shares it with the original
    tensor.node = leaf(tensor.array, requires_grad)
    tensor.node.notes = Notes(name=name, role=role)
    return tensor


def _deep_copy(array: Array, memo: dict[int, Any]) -> Array:
    """A copy whose memory is shared with the copies of what shares the original's."""
    memory = owner(array)
    copied = copy.deepcopy(memory, memo)
    if copied.strides != memory.strides or not (memory.flags.forc and copied.flags.owndata):
        return copy.deepcopy(array, memo)  # somebody else's memory, with gaps
    start, elements = array.ctypes.data - memory.ctypes.data, copied.ravel(order="K")
    shared: Array = np.ndarray(array.shape, array.dtype, elements, start, array.strides)
    shared.flags.writeable = array.flags.writeable
    return shared


def _detached(array: Array) -> tuple[Array, Node]:
    """An array's memory and a place outside the graph for it."""
    array = apart(array)
    node = leaf(array, False)
    node.notes = Notes(detached=True)
    return array, node


def wrap(array: Any, node: Any) -> Tensor:
    """A tensor around an array, not copied, at a place in the graph."""
    tensor = _new(Tensor)
    tensor.array = array
    tensor.node = node
    return tensor


_new: Callable[[type[Tensor]], Tensor] = object.__new__
graph.make_tensor = wrap


def sequence(x: Any) -> list[Any]:
    """One tensor, or ``None``, as a list of one; several as a list."""
    return [x] if x is None or isinstance(x, Tensor) else list(x)


def backward(
    outputs: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
    retain_graph: bool | None,
    create_graph: bool,
    inputs: Tensor | Iterable[Tensor] | None = None,
) -> None:
    """Walk back from the outputs, and add to the gradients of all leaves or of the ``inputs``."""
    if inputs is None:
        accumulate(run_walk(outputs, cotangents, retain_graph, create_graph))
        return
    wanted = sequence(inputs)
    if not wanted:
        raise RuntimeError("backward: inputs cannot be empty; leave it out for all leaves")
    for i, x in enumerate(wanted):
        if not isinstance(x, Tensor):
            raise RuntimeError(f"backward: input {i} must be a Tensor, got {type(x).__name__}")
        x.retain_grad()  # keeps what comes to it, unless it is a leaf
    places = {place(x) for x in wanted}
    arrived = run_walk(outputs, cotangents, retain_graph, create_graph, wanted=places)
    accumulate({node: g for node, g in arrived.items() if node.is_leaf})


def run_walk(
    outputs: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
    retain_graph: bool | None,
    create_graph: bool,
    **options: Any,
) -> dict[Any, Any]:
    """Check the outputs and their cotangents, and walk back from them (see `walk`)."""
    roots: dict[Any, Any] = {}
    for flag in (retain_graph, create_graph):
        if not isinstance(flag, bool | None):
            raise TypeError(f"backward: retain_graph and create_graph are bools, got {flag!r}")
    for output, cotangent in zip(outputs, cotangents, strict=True):
        if not isinstance(output, Tensor):
            raise TypeError(f"backward: expected a Tensor, got {type(output).__name__}")
        if not output.requires_grad:
            raise RuntimeError(
                "backward: this tensor does not require grad and has no grad_fn. Make a tensor it "
                "was computed from with requires_grad=True, and compute outside no_grad()."
            )
        start = _initial(output, cotangent)
        g: Any = start if create_graph else apart(start.array)
        root = place(output)
        roots[root] = roots[root] + g if root in roots else g
    keep = create_graph if retain_graph is None else retain_graph
    options |= {"retain_graph": keep, "create_graph": create_graph}
    watcher = walks.watcher if "observer" not in options else None
    if graph.folded and (create_graph or watcher is not None or "observer" in options):
        graph.tape(roots)  # somebody looks
    with growing_graph():  # which a recorded walk adds to; else it does not begin to be searched
        if watcher is not None:
            return silently_among_users(watcher, outputs, roots, **options)
        return silently_among_users(walk, roots, **options)


class _Walks(threading.local):
    """Who watches the walks of programs in this thread, and so runs them."""

    watcher: Callable[..., dict[Any, Any]] | None = None


walks = _Walks()


def _initial(output: Tensor, cotangent: Tensor | None) -> Tensor:
    if cotangent is None:
        if output.array.size != 1:
            raise RuntimeError(
                f"backward: grad can be implicitly created only for scalar outputs; this one has "
                f"shape {output.array.shape}. Reduce it (sum, mean) or pass a gradient of that "
                "shape."
            )
        return wrap(np.ones(output.array.shape, output.array.dtype), None)
    if not isinstance(cotangent, Tensor):
        raise TypeError(f"backward: gradient must be a Tensor, got {type(cotangent).__name__}")
    if cotangent.shape != output.shape:
        raise RuntimeError(
            f"backward: mismatch in shape: the gradient has shape {cotangent.array.shape}, the "
            f"output {output.array.shape}"
        )
    return to_dtype(cotangent, output.array.dtype)


def accumulate(arrived: Mapping[Node, Any]) -> None:
    """Add what a walk brought to leaves to their gradients."""
    with _accumulating:
        for node, g in arrived.items():
            silently(_add_to_grad, node, g)
    for node in arrived:
        for call in list(node.notes.after.values()) if node.notes and node.notes.after else ():
            call(node)


def _keeper(node: Node | None) -> Notes | None:
    """Where the gradient is kept of the tensor that has this place."""
    notes = None if node is None else node.notes
    return notes if notes is None else notes.keeper or notes


def _add_to_grad(node: Node, g: Any) -> None:
    if node.notes is None:
        node.notes = Notes()
    old = node.notes.grad
    if old is None:
        # recorded walks hand out tensors that other leaves may have received too
        recorded = isinstance(g, Variable)
        node.notes.grad = wrap(g.array.copy(), g.node) if recorded else _lying_like(node, g)
    elif isinstance(g, Variable) or not isinstance(old, Variable):
        total = old + g
        node.notes.grad = total if isinstance(total, Variable) else np.asarray(total)
    else:
        if not old.array.flags.writeable:
            old.array = old.array.copy()
        old.array += g  # whoever holds this gradient sees it grow, as in PyTorch
        mark_changed(old.array)


def _lying_like(node: Node, g: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The gradient of a leaf in the leaf's own order in memory, as in PyTorch."""
    array: Array | None = node.value
    if not node.is_leaf or array is None or array.shape != g.shape or array.flags.c_contiguous:
        return np.asarray(g, order="C") if node.is_leaf else g
    arranged = np.empty_like(array, g.dtype)
    if arranged.strides != array.strides:  # the leaf has gaps
        arranged = np.empty(g.shape, g.dtype)
    arranged[...] = g
    return arranged


_accumulating = threading.Lock()  # walks of several threads may meet at one leaf

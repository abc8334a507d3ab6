"""Operations with a derivative of one's own: `Function`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, cast

from tinygrad_rnn.autograd.application import Application, End, saved_tensors
from tinygrad_rnn.autograd.contexts import is_grad_enabled, no_grad
from tinygrad_rnn.engine.graph import Node, node, place
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.operations.dtypes import is_floating
from tinygrad_rnn.tensor import Tensor, wrap

__all__ = ["Context", "Function", "once_differentiable"]


def __dir__() -> list[str]:
    return __all__


class Context:
    """``ctx``: what a `Function`'s forward leaves for its backward.

    Any attribute may be set on it.  Tensors that are inputs or outputs go through
    `save_for_backward`: they are freed after the walk, and changes in place are noticed.

    Attributes
    ----------
    needs_input_grad : tuple of bool
        For every argument of `Function.apply`, whether it is a tensor that requires grad.
    """

    # Every walk sees the attributes through a context of its own that knows the node.  If the one
    # that the node keeps knew it, both would be kept alive in a circle.
    __slots__ = ("__dict__", "_node")
    needs_input_grad: tuple[bool, ...]

    def __init__(self, arguments: Sequence[Any]) -> None:
        self.needs_input_grad = tuple(isinstance(x, Tensor) and x.requires_grad for x in arguments)
        self._node: Node | None = None
        self._saved: tuple[Any, ...] = ()
        self._constants: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True

    def _seen_from(self, made: Node | None) -> Context:
        seen = object.__new__(Context)
        seen.__dict__, seen._node = self.__dict__, made
        return seen

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for backward; those that are neither inputs nor outputs, as constants."""
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor, ...]:
        """In backward: what was saved, connected to the graph as it was (``None`` as ``None``)."""
        saved = () if self._node is None else saved_tensors(self, self._node)
        return cast("tuple[Tensor, ...]", saved)  # who saved None knows where

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say which outputs are constants (tensors of integers are so anyway)."""
        for y in outputs:
            if not isinstance(y, Tensor):
                kind = type(y).__name__
                raise RuntimeError(f"mark_non_differentiable: expected tensors, got {kind}")
        self._constants = outputs

    def _differentiable(self, y: Any) -> bool:
        if not isinstance(y, Tensor) or not is_floating(y.array.dtype):
            return False
        return all(y is not constant for constant in self._constants)

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Say which inputs forward has changed in place; these must be outputs, too."""
        self._dirty = inputs

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros, or ``None``, for an output that nothing used."""
        if not isinstance(value, bool):
            raise TypeError(f"set_materialize_grads: expected a bool, got {value!r}")
        self._materialize = value


class Function:
    """An operation whose derivative you write: a subclass with static ``forward``, ``backward``.

    ``forward(ctx, *args)`` computes, unrecorded, and returns a tensor or a tuple.
    ``backward(ctx, *grad_outputs)`` is given the cotangent of every output and returns, for every
    argument, its gradient or ``None`` (which counts as zero).  Alternatively ``forward(*args)``
    only computes, and ``setup_context(ctx, inputs, output)`` saves.  Outputs that share memory with
    an argument, or with each other, are copied.

    What backward computes is recorded under ``create_graph=True``: of differentiable operations on
    cotangents and saved tensors come derivatives of any order.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> class Cube(tg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x * x * grad
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> Cube.apply(x).sum().backward()
    >>> x.grad
    tensor([ 3., 12.])
    """

    _primitive: Application

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._primitive = Application(cls)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        name = type(self).__name__
        raise RuntimeError(f"{name}: a Function has no instances; call {name}.apply(…)")

    @staticmethod
    def forward(*arguments: Any, **options: Any) -> Any:
        """Compute the outputs: of ``(ctx, *args)``, or of ``(*args)`` beside a setup_context."""
        raise NotImplementedError("a Function needs a static method forward")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save what backward needs, if ``forward`` is without ctx."""
        raise NotImplementedError("setup_context is called only if a Function defines it")

    @staticmethod
    def backward(*arguments: Any, **options: Any) -> Any:
        """Return what every argument receives, given ``(ctx, *grad_outputs)``."""
        raise NotImplementedError("a Function needs a static method backward, or vjp, for this")

    vjp = backward

    @classmethod
    def _derivative(cls) -> Callable[..., Any]:
        if cls.vjp is Function.vjp:
            return cls.backward
        if cls.backward is not Function.backward:
            raise RuntimeError(f"{cls.__name__}: implement backward or vjp, not both")
        return cls.vjp

    @classmethod
    def apply(cls, *arguments: Any, **options: Any) -> Any:
        """Compute the outputs, and record that if a gradient is wanted."""
        separate = cls.setup_context is not Function.setup_context
        if separate or options:
            arguments = _bound(cls.forward, () if separate else (None,), arguments, options)
        ctx = Context(arguments)
        with no_grad():
            if separate:
                result = cls.forward(*arguments)
                cls.setup_context(ctx, arguments, result)
            else:
                result = cls.forward(ctx, *arguments)
        if isinstance(result, tuple):
            return cls._primitive.record(ctx, arguments, result)
        return cls._primitive.record(ctx, arguments, (result,))[0]


def _bound(forward: Any, first: tuple[Any, ...], arguments: Any, options: Any) -> tuple[Any, ...]:
    """All arguments in the order of ``forward``'s parameters, defaults too."""
    bound = inspect.signature(forward).bind(*first, *arguments, **options)
    bound.apply_defaults()
    return bound.args[len(first) :]


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a `Function.backward` that does not consist of differentiable operations.

    It then runs unrecorded, and to differentiate its results is an error.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> class Double(tg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return tg.tensor(2 * x.detach().numpy())
    ...
    ...     @staticmethod
    ...     @tg.autograd.function.once_differentiable
    ...     def backward(ctx, grad):
    ...         return tg.tensor(2 * grad.numpy())
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> tg.autograd.grad(Double.apply(x), x)
    (tensor(2.),)
    """

    @functools.wraps(backward)
    def wrapped(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            result = backward(ctx, *grads)
        sources = tuple(place(g) for g in grads if isinstance(g, Tensor) and g.requires_grad)
        if not is_grad_enabled() or not sources:
            return result

        def ended(g: Any) -> Any:
            if not isinstance(g, Tensor):
                return g
            return wrap(g.array, node(_ONCE, sources, (), {}, here.mode, g.array))

        return tuple(map(ended, result)) if isinstance(result, tuple) else ended(result)

    return wrapped


_ONCE = End("once", "trying to differentiate twice a function marked with @once_differentiable")

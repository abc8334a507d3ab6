"""Functions made of functions: their gradients, Jacobians, and themselves over a batch.

What a transform returns is a function like any other, so transforms nest: the gradient of a
gradient is ``grad(grad(f))``. All walk backward, and what they compute stays part of whatever graph
there is around them; where there is none, results are constants.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from tinygrad_rnn import operations
from tinygrad_rnn.autograd import functional
from tinygrad_rnn.autograd.contexts import enable_grad
from tinygrad_rnn.autograd.walks import grad as gradients
from tinygrad_rnn.engine.graph import tape
from tinygrad_rnn.engine.memory import tick
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import ones_like, zeros_like

Fn = Callable[..., Any]
Argnums = int | tuple[int, ...]


def grad(func: Fn, argnums: Argnums = 0, has_aux: bool = False) -> Fn:
    """The function that gives the gradient of a function with one element.

    Parameters
    ----------
    func : function of tensors, and of dicts, lists and tuples of them
        Returns a tensor with one element; with ``has_aux``, that and anything else.
    argnums : int or tuple of ints
        Of which of its arguments.
    has_aux : bool
        Whether ``func`` returns something besides, which is returned as well then.

    Returns
    -------
    function
        Of the same arguments. Its result is nested as the argument is; for several ``argnums`` it
        is a tuple.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.func import grad
    >>> grad(grad(lambda x: x**3))(tg.tensor(2.0))  # 6 x
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(func: Fn, argnums: Argnums = 0, has_aux: bool = False) -> Fn:
    """`grad`, and what the function itself returned: ``(gradient, value)``.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.func import grad_and_value
    >>> grad_and_value(lambda x: x**2)(tg.tensor(3.0))
    (tensor(6.), tensor(9.))
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        with _Inside() as inside:
            given, wanted = inside.entered("grad", args, argnums)
            returned = func(*given, **kwargs)
            value = returned[0] if has_aux else returned
            if not isinstance(value, Tensor) or value.ndim:
                raise RuntimeError(
                    f"grad: the function must return one number, a tensor of shape (), got "
                    f"{tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__}"
                )
            found = inside.pulled([value], wanted)
        return inside.left(found), inside.left(returned)

    return both


def vjp(func: Fn, *primals: Any, has_aux: bool = False) -> Any:
    """What a function returns, and the function that pulls cotangents of it back to its arguments.

    Returns
    -------
    output
        What ``func(*primals)`` returns.
    vjp_fn : function
        Of cotangents, nested as the output is; it may be called often, and gives a tuple, one for
        each argument. A single one it gives as it is.
    aux
        With ``has_aux``, what the function returned besides.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> output, pull = tg.func.vjp(lambda a, b: a * b, tg.tensor(2.0), tg.tensor(3.0))
    >>> output, pull(tg.tensor(1.0))
    (tensor(6.), (tensor(3.), tensor(2.)))
    """
    with _Inside() as inside:
        given, wanted = inside.entered("vjp", primals, tuple(range(len(primals))))
        returned = func(*given)
    recorded, aux = returned if has_aux else (returned, None)
    single = len(primals) == 1

    def vjp_fn(*cotangents: Any) -> Any:
        tree = cotangents if len(cotangents) != 1 else cotangents[0]
        with inside:
            found = inside.pulled([*_leaves(recorded)], wanted, [*_leaves(tree)])
        return inside.left(found[0] if single else found)

    output = inside.left(recorded)
    return (output, vjp_fn, inside.left(aux)) if has_aux else (output, vjp_fn)


def jvp(func: Fn, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    """What a function returns, and how it moves with its arguments in the direction ``tangents``.

    By walking backward twice; there is no forward mode here.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.func.jvp(lambda x: x**2, (tg.tensor(3.0),), (tg.tensor(1.0),))
    (tensor(9.), tensor(6.))
    """
    with _Inside() as inside:
        output, moved = functional.jvp(func, tuple(primals), tuple(tangents), create_graph=True)
    return inside.left(output), inside.left(moved)


def jacrev(func: Fn, argnums: Argnums = 0) -> Fn:
    """The function that gives the Jacobian: of the output's axes, then the argument's.

    One walk for each element of the output.

    Parameters
    ----------
    func : function
        Returns a tensor or a tuple of them.
    argnums : int or tuple of ints
        Of which of its arguments, which may be dicts, lists and tuples of tensors.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.func.jacrev(tg.exp)(tg.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        numbers = _numbers("jacrev", args, argnums)
        chosen = tuple(args[i] for i in numbers)

        def of_leaves(*leaves: Tensor) -> Any:
            put = dict(zip(numbers, _filled(chosen, leaves)))
            return func(*(put.get(i, x) for i, x in enumerate(args)), **kwargs)

        def nested(row: tuple[Any, ...]) -> Any:
            found = _filled(chosen, row)
            return found if isinstance(argnums, tuple) else found[0]

        with _Inside() as inside:
            rows = functional.jacobian(of_leaves, (*_leaves(chosen),), create_graph=True)
            several = isinstance(rows[0], tuple)
            made = tuple(map(nested, rows)) if several else nested(rows)
        return inside.left(made)

    return jacobian


jacfwd = jacrev
"""The same numbers: there is no forward mode here."""


def hessian(func: Fn, argnums: Argnums = 0) -> Fn:
    """The function that gives the second derivatives: the Jacobian of the Jacobian.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.func.hessian(lambda x: (x**3).sum())(tg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)


def vmap(
    func: Fn,
    in_dims: Any = 0,
    out_dims: int = 0,
    randomness: str = "different",
    *,
    chunk_size: int | None = None,
) -> Fn:
    """The function for one element as one for a batch: called once for each, results stacked.

    Parameters
    ----------
    func : function
    in_dims : int, None, or a tuple of these
        The batch's axis, for all arguments or for each; ``None``: each call gets the whole.
    out_dims : int
        The batch's axis in the results.
    randomness, chunk_size
        Without effect: each call draws for itself.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.func.vmap(tg.dot)(tg.ones(2, 3), tg.ones(2, 3))
    tensor([3., 3.])
    """

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        dims = in_dims if isinstance(in_dims, tuple) else (in_dims,) * len(args)
        if len(dims) != len(args):
            raise ValueError(f"vmap: {len(dims)} in_dims for {len(args)} arguments")
        along = [(x, d) for x, d in [*zip(args, dims), (kwargs, 0)] if d is not None]
        for x, d in ((x, d) for tree, d in along for x in _leaves(tree)):
            if not -x.ndim <= d < x.ndim:
                raise ValueError(f"vmap: in_dims {d} is no axis of an argument of shape {x.shape}")
        sizes = {leaf.shape[d] for x, d in along for leaf in _leaves(x)}
        if len(sizes) != 1:
            raise ValueError(
                f"vmap: the arguments must have one size along in_dims, got {sorted(sizes)}"
            )
        calls = [
            func(
                *(x if d is None else _slice(x, d, i) for x, d in zip(args, dims)),
                **_slice(kwargs, 0, i),
            )
            for i in range(sizes.pop())
        ]
        stacks = zip(*map(_leaves, calls))
        return _filled(calls[0], [operations.stack(parts, out_dims) for parts in stacks])

    return mapped


def _slice(tree: Any, dim: int, i: int) -> Any:
    return _filled(tree, [x.select(dim, i) for x in _leaves(tree)])


# -- what goes in and what comes out ---------------------------------------------------------------


class _Inside:
    """The inside of a transform: it records, and knows what was there before."""

    def __init__(self) -> None:
        self.since, self.recorded = tick(), here.mode.recording

    def __enter__(self) -> _Inside:
        self._recording = enable_grad()
        self._recording.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._recording.__exit__(*exception)

    def entered(self, name: str, args: Any, argnums: Argnums) -> tuple[list[Any], Any]:
        """The arguments, those that are differentiated at places of their own; and these."""
        given, numbers = list(args), _numbers(name, args, argnums)
        for i in numbers:
            if next(_leaves(given[i]), None) is None:
                raise TypeError(f"{name}: argument {i} must hold tensors, got {given[i]!r:.60}")
            given[i] = _filled(given[i], [self._own(x) for x in _leaves(given[i])])
            _called_by_their_keys(given[i])
        chosen = tuple(given[i] for i in numbers)
        return given, chosen if isinstance(argnums, tuple) else chosen[0]

    def _own(self, x: Tensor) -> Tensor:
        if self.recorded and x.requires_grad:
            return x.reshape(x.shape)
        return x.detach().requires_grad_()

    def pulled(self, ends: list[Tensor], wanted: Any, cotangents: Any = None) -> Any:
        """What walks back from some tensors, nested as what is wanted; zeros where nothing does."""
        vs = [ones_like(y) for y in ends] if cotangents is None else cotangents
        reached = [(y, v) for y, v in zip(ends, vs, strict=True) if y.requires_grad]
        xs = [*_leaves(wanted)]
        if not reached:
            return _filled(wanted, [zeros_like(x) for x in xs])
        outputs, vs = map(list, zip(*reached))
        found = gradients(
            outputs, xs, vs, create_graph=True, allow_unused=True, materialize_grads=True
        )
        return _filled(wanted, found)

    def left(self, tree: Any) -> Any:
        """Results as the outside sees them: constants, but for what hangs on something there."""
        return _filled(tree, [x if self._hangs(x) else x.detach() for x in _leaves(tree)])

    def _hangs(self, x: Tensor) -> bool:
        if not (self.recorded and x.requires_grad and x.node is not None):
            return False
        places = tape([x.node], literal=False)
        return any(at.is_leaf and at.requires_grad and at.order < self.since for at in places)


def _numbers(name: str, args: Any, argnums: Argnums) -> tuple[int, ...]:
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    for i in numbers:
        if not -len(args) <= i < len(args):
            raise RuntimeError(f"{name}: argnums {i}, but there are {len(args)} arguments")
    return tuple(i % len(args) for i in numbers)


def _called_by_their_keys(tree: Any) -> None:
    """Name the weights in a dict, so that pictures call them as the program does."""
    for key, x in tree.items() if isinstance(tree, dict) else ():
        if isinstance(key, str) and isinstance(x, Tensor):
            x.named(key)


def _leaves(tree: Any) -> Iterator[Tensor]:
    """The tensors in dicts, lists and tuples, one after the other."""
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, dict | list | tuple):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(part)


def _filled(tree: Any, leaves: Any) -> Any:
    """The same nesting of other tensors."""
    ready = iter(leaves)

    def filled(part: Any) -> Any:
        if isinstance(part, Tensor):
            return next(ready)
        if isinstance(part, dict):
            return {key: filled(value) for key, value in part.items()}
        if isinstance(part, tuple) and hasattr(part, "_fields"):
            return type(part)(*map(filled, part))
        return type(part)(map(filled, part)) if isinstance(part, list | tuple) else part

    return filled(tree)

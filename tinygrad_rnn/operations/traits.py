"""What others need to know of an operation, besides its forward and its rules.

Pictures, names, diagnosis, complex steps and checks ask the operation itself; they keep no tables
by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.engine.primitive import Primitive

Fn = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Traits:
    """The traits of an operation of this package; most of them are rarely other than the default.

    Attributes
    ----------
    twin : str or function
        PyTorch's way to compute it: the name of a function of ``torch`` that takes the same tensors
        and parameters (by default it has the operation's name), or ``twin(torch, *tensors,
        **parameters)``. PyTorch is given, because only `tinygrad_rnn.testing` may import it.
    node : str or function
        What PyTorch calls its nodes, if not by the operation's name; a function: of the node.
    analytic : bool or function
        Whether NumPy can compute it with complex numbers as it is written, being an analytic
        function (on either side of a kink, too); a function: how it does.
    squashes : tuple of two numbers, optional
        The ends of its range, of what the gates of recurrent nets are made by.
    steepest : float or function
        Its largest slope, of what the states of recurrent nets are made by; a function: of its
        parameters.
    activation : bool
        Whether units of nets are made by it, so that what goes into it has a name.
    product : str
        The two of its inputs that it multiplies as matrices, the second a weight or the vector.
    collects : str
        The inputs to which it only adds something, or into which it writes.
    commutes : bool
        Whether its two operands may be exchanged: ``0 * w`` is recorded as ``w * 0``.
    part : bool
        Whether it reads a part of its input, as `x[0]` does.
    joins : str
        How it puts tensors together: "along" an axis that they have, "anew" along a new one.
    moves : bool
        Whether it only puts elements of its inputs into other places, though it neither reads a
        part nor joins.
    makes : str
        What its results are, if not any numbers: "probabilities", "log-probabilities".
    expects : str
        What its first input should be: "logits", of which it makes probabilities itself, or
        "log-probabilities".
    target : function, optional
        What it compares its input with, where that is no input: of its parameters.
    remedy : str
        What to do where it makes infinities or NaN.
    stops : str
        Why it may let nothing of a gradient through.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> traits_of(tg.log.primitive).remedy[:28]
    'keep its argument away from '
    """

    twin: str | Fn = ""
    node: str | Fn = ""
    analytic: bool | Fn = True
    squashes: tuple[int, int] | None = None
    steepest: float | Fn = 0.0
    activation: bool = False
    product: str = ""
    collects: str = ""
    commutes: bool = False
    part: bool = False
    joins: str = ""
    moves: bool = False
    makes: str = ""
    expects: str = ""
    target: Fn | None = None
    remedy: str = ""
    stops: str = ""


def moves_only(primitive: Any) -> bool:
    """Whether an operation computes nothing, but hands elements on, as views and `cat` do."""
    traits = traits_of(primitive)
    return traits.moves or traits.part or bool(traits.joins) or getattr(primitive, "view", False)


def is_known(primitive: Any) -> bool:
    """Whether it is an operation of this package, not one of a user's own."""
    return isinstance(getattr(primitive, "traits", None), Traits)


def primitive(
    name: str,
    forward: Fn,
    inputs: str = "x",
    *,
    symbol: str = "",
    prepare: Fn = tuple,
    view: bool = False,
    arrange: Fn | None = None,
    **traits: Any,
) -> Primitive:
    """A `Primitive` of this package, with its `Traits`."""
    return Primitive(
        name, forward, inputs,
        symbol=symbol, prepare=prepare, view=view, arrange=arrange, traits=Traits(**traits),
    )  # fmt: skip


_PLAIN = Traits(analytic=False)


def traits_of(primitive: Any) -> Traits:
    """The traits of an operation; of a user's own, and of a leaf's ``None``, nothing is known."""
    return primitive.traits if is_known(primitive) else _PLAIN


def inputs_of(node: Node, names: str) -> list[Node]:
    """What a node was given for some of its inputs, as a trait names them.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> x, w = tg.ones(3, requires_grad=True), tg.ones(3, 2)
    >>> y = (x @ w).node
    >>> [place.shape for place in inputs_of(y, traits_of(y.primitive).product)]
    [(3,), (3, 2)]
    """
    given = dict(zip(node.primitive.inputs, node.parents))
    return [given[name] for name in names.split()]


def is_linear(primitive: Any, operands: Collection[int]) -> bool:
    """Whether an operation is linear in some of its operands together, the others being given.

    Nobody has to declare it: where it is, and only there, the rules keep none of them. Of what
    is made of straight lines (rounding, the choice of a largest) it is said away from the kinks.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> is_linear(tg.mul.primitive, [0]), is_linear(tg.mul.primitive, [0, 1])
    (True, False)
    """
    if not isinstance(primitive, Primitive):
        return False  # nobody can look into a Function
    own, output = primitive.rules, len(primitive.inputs)
    rules = [primitive.joint] if primitive.joint else [own[min(i, len(own) - 1)] for i in operands]
    return all(rule and rule.kept.isdisjoint({*operands, output}) for rule in rules)


def twin_of(primitive: Any) -> Fn | None:
    """PyTorch's way to compute a primitive: a function of ``torch``, tensors and parameters.

    ``None`` for one that is not of this package.

    Examples
    --------
    >>> torch = __import__("pytest").importorskip("torch")
    >>> import tinygrad_rnn as tg
    >>> twin_of(tg.roll.primitive)(torch, torch.tensor([1, 2, 3]), shifts=(1,), dims=(0,))
    tensor([3, 1, 2])
    """
    traits = traits_of(primitive)
    if traits is _PLAIN:
        return None
    return traits.twin if callable(traits.twin) else partial(_named, traits.twin or primitive.name)


def _named(name: str, torch: Any, *tensors: Any, **parameters: Any) -> Any:
    return attrgetter(name)(torch)(*tensors, **parameters)


KEEP_OFF_ZERO = (
    "keep its argument away from 0: add a small number, or use the function's stable form"
)

"""What others need to know of an operation, besides its forward and its rules.

Pictures, names, diagnosis, complex steps and checks ask the operation itself; they keep no tables
by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

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
    analytic : bool or function
        Whether NumPy can compute it with complex numbers as it is written, being an analytic
        function (on either side of a kink, too); a function: how it does.
    squashes : tuple of two numbers, optional
        The ends of its range, of what the gates of recurrent nets are made by.
    steepest : float or function
        Its largest slope, of what the states of recurrent nets are made by; a function: of its
        parameters.
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
    analytic: bool | Fn = True
    squashes: tuple[int, int] | None = None
    steepest: float | Fn = 0.0
    remedy: str = ""
    stops: str = ""


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


def traits_of(primitive: Any) -> Traits | None:
    """The traits of an operation of this package; ``None`` for one of a user's own."""
    found = getattr(primitive, "traits", None)
    return found if isinstance(found, Traits) else None


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
    if traits is None:
        return None
    return traits.twin if callable(traits.twin) else partial(_named, traits.twin or primitive.name)


def _named(name: str, torch: Any, *tensors: Any, **parameters: Any) -> Any:
    return attrgetter(name)(torch)(*tensors, **parameters)


KEEP_OFF_ZERO = (
    "keep its argument away from 0: add a small number, or use the function's stable form"
)

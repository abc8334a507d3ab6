"""Running one function with one of the two libraries: outputs and gradients by name."""

from __future__ import annotations

import copy
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tinygrad_rnn
from tinygrad_rnn.nn import Module
from tinygrad_rnn.nn.utils.rnn import PackedSequence
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.random import get_rng_state, set_rng_state
from tinygrad_rnn.testing.exchange import to_torch

Named = dict[str, Any]


@dataclass
class Run:
    """What a library made of a function.

    Attributes
    ----------
    outputs : dict
        Every tensor or other value in what the function returned, by its path: "output[1]".
    wanted : dict
        The inputs and parameters that require grad, by name.
    ends, cotangents : lists
        The outputs that require grad, and what they are given to walk back with.
    first, second : dict
        Gradients of first and second order, by name.
    error : Exception, optional
        What ended the run, and in ``stage`` when: "forward", "gradients", "second order".
    """

    lib: Any
    outputs: Named = field(default_factory=dict)
    wanted: Named = field(default_factory=dict)
    ends: list[Any] = field(default_factory=list)
    cotangents: list[Any] = field(default_factory=list)
    first: Named = field(default_factory=dict)
    second: Named = field(default_factory=dict)
    error: Exception | None = None
    stage: str = "forward"


def run(
    lib: Any,
    fn: Callable[..., Any],
    inputs: Sequence[Any],
    modules: Sequence[Any] = (),
    *,
    names: Sequence[str] | None = None,
    second_order: bool = False,
    seed: int = 0,
) -> Run:
    """Call ``fn(lib, *inputs, *modules)`` and walk back; errors of the function are caught.

    ``modules`` are those of the library already; the inputs' ``names`` are the function's own if
    not given. Draws of random numbers start from ``seed``.
    """
    done = Run(lib)
    names = called(fn, len(inputs), skip=1) if names is None else names
    placed = [place(lib, x, name, done.wanted) for x, name in zip(inputs, names, strict=True)]
    for i, module in enumerate(modules):
        prefix = f"modules[{i}]." if len(modules) > 1 else ""
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                done.wanted[prefix + name] = parameter
    try:
        lib.manual_seed(seed)
        done.outputs = dict(flat(fn(lib, *placed, *modules), "output"))
        done.stage = "gradients"
        _walk(done)
        if second_order and done.first:
            done.stage = "second order"
            _walk_again(done)
    except Exception as error:
        done.error = error
    return done


def aside(function: Callable[[], Any]) -> Any:
    """What a function returns; random draws go on as if it had not been called.

    Nor does PyTorch get to say that projections are slow.
    """
    torch = sys.modules.get("torch")  # what is not imported has drawn nothing
    state, theirs = get_rng_state(), torch.get_rng_state() if torch else None
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="LSTM with projections")
            return function()
    finally:
        set_rng_state(state)
        if torch:
            torch.set_rng_state(theirs)


def repeatable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a library and inputs that draws the same random numbers in every call."""

    def seeded(lib: Any, *inputs: Any) -> Any:
        def go() -> Any:
            lib.manual_seed(0)
            return fn(lib, *inputs)

        return aside(go)

    return seeded


def expect_function(fn: Any, caller: str) -> None:
    """Raise a `TypeError`, which says who needs a function, unless it can be called."""
    if not callable(fn):
        raise TypeError(f"{caller}: expected a function first, got {type(fn).__name__} {fn!r:.80}")


def both(caller: str, modules: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Copies of modules: ours, and PyTorch's with the same weights."""
    if not isinstance(modules, list | tuple):
        raise TypeError(f"{caller}: modules must be a list, got {type(modules).__name__}")
    ours, theirs = [], []
    for given in modules:
        mine, twin = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
        if not isinstance(mine, Module) or not (twin is None or hasattr(twin, "load_state_dict")):
            raise TypeError(
                f"{caller}: modules are Modules of this package, or pairs of one and PyTorch's, "
                f"got {' and '.join(type(x).__name__ for x in (mine, twin) if x is not None)}"
            )
        if twin is None:
            twin = to_torch(mine)
        else:
            twin = copy.deepcopy(twin)
            twin.load_state_dict(to_torch(mine.state_dict()))
        ours.append(copy.deepcopy(mine))
        theirs.append(twin)
    return ours, theirs


def array_of(x: Any) -> Any:
    """The array of a tensor of either library; anything else unchanged."""
    if isinstance(x, Tensor):
        return x.array
    return x.numpy(force=True) if hasattr(x, "detach") else x


# -- names, and nested inputs and outputs --------------------------------------------------------


def called(fn: Callable[..., Any], count: int, skip: int = 0) -> list[str]:
    """What ``fn`` calls its arguments, after the first few."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())[skip:]
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}[{i}]" for i in range(count - len(names))]
        names.append(parameter.name)
    return [*names, *(f"input {i}" for i in range(len(names), count))][:count]


def place(lib: Any, x: Any, name: str, wanted: Named) -> Any:
    """An input as the library's tensors; those that require grad are noted as wanted."""
    if isinstance(x, PackedSequence):
        kind = lib.nn.utils.rnn.PackedSequence
        return kind(*[place(lib, part, f"{name}.{f}", wanted) for f, part in x._asdict().items()])
    if type(x) in (list, tuple):
        return type(x)([place(lib, part, f"{name}[{i}]", wanted) for i, part in enumerate(x)])
    if type(x) is dict:
        return {key: place(lib, part, f"{name}[{key!r}]", wanted) for key, part in x.items()}
    given = array_of(x)
    if not isinstance(given, np.ndarray | np.generic):
        return x
    array = np.array(given)
    made = lib.from_numpy(array)
    if array.dtype.kind == "f" if given is x else x.requires_grad:
        wanted[name] = made.requires_grad_()
    return made


def flat(x: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value in a nested result, and the path to it."""
    if isinstance(x, Mapping):
        for key, part in x.items():
            yield from flat(part, f"{path}[{key!r}]")
    elif isinstance(x, list | tuple):  # also torch.return_types.max
        for i, part in enumerate(x):
            yield from flat(part, f"{path}[{i}]")
    else:
        yield path, x


# -- walking back --------------------------------------------------------------------------------


def _drawn(lib: Any, like: Any, *seed: int) -> Any:
    draws = np.asarray(np.random.default_rng(seed).uniform(0.5, 1.5, tuple(like.shape)))
    return lib.from_numpy(draws.astype(array_of(like).dtype))


def _walk(done: Run) -> None:
    """Gradients of first order; a loss, a single number, is walked back from as it is."""
    lib = done.lib
    for i, y in enumerate(done.outputs.values()):
        if getattr(y, "requires_grad", False):
            done.ends.append(y)
            done.cotangents.append(_drawn(lib, y, 0, i))
    if len(done.ends) == 1 and done.ends[0].numel() == 1:
        done.cotangents = [lib.ones_like(done.ends[0])]
    if done.ends and done.wanted:
        gs = _grad(done, done.ends, list(done.wanted.values()), done.cotangents)
        done.first = dict(zip(done.wanted, gs, strict=True))


def _walk_again(done: Run) -> None:
    """Gradients of what the first, recorded walk brings, also to its cotangents.

    What does not depend on something has the derivative 0 here: whether a library notes down that
    it does is its own affair, as with relu, whose slope is constant.
    """
    lib, wanted = done.lib, list(done.wanted.values())
    vs = [v.detach().clone().requires_grad_() for v in done.cotangents]
    first = _grad(done, done.ends, wanted, vs, create_graph=True)
    used = [(i, g) for i, g in enumerate(first) if g is not None and g.requires_grad]
    pairs = [(g, _drawn(lib, g, 1, i)) for i, g in used]
    names = [*done.wanted, *(f"cotangent {i}" for i in range(len(vs)))]
    starts = [*wanted, *vs]
    gs: Sequence[Any] = [None] * len(starts)
    if pairs:
        gs = _grad(done, [g for g, _ in pairs], starts, [w for _, w in pairs])
    zeros = map(lib.zeros_like, starts)
    filled = [zero if g is None else g for g, zero in zip(gs, zeros, strict=True)]
    done.second = dict(zip(names, filled, strict=True))


def _grad(done: Run, ends: Any, starts: Any, cotangents: Any, create_graph: bool = False) -> Any:
    return done.lib.autograd.grad(
        ends, starts, cotangents, retain_graph=True, create_graph=create_graph, allow_unused=True
    )


OURS = tinygrad_rnn
"""This package as the ``lib`` of a function."""

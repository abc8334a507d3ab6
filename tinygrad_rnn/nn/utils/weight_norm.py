"""Weights as a length times a direction: https://arxiv.org/abs/1602.07868."""

from __future__ import annotations

from typing import Any, TypeVar

from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.operations.arithmetic import div, mul
from tinygrad_rnn.operations.node_names import made_by
from tinygrad_rnn.operations.norms import norm
from tinygrad_rnn.tensor import Tensor

M = TypeVar("M", bound=Module)


class WeightNorm:
    """The hook that computes a weight of its length and direction before each forward."""

    def __init__(self, name: str, dim: int) -> None:
        self.name, self.dim = name, dim

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.weight(module))

    def weight(self, module: Module) -> Tensor:
        """The weight of the module's length and direction."""
        g, v = (getattr(module, f"{self.name}_{part}") for part in "gv")
        return of_length(g, v, self.dim)


def of_length(g: Tensor, v: Tensor, dim: int) -> Tensor:
    """G · v / ‖v‖."""
    return made_by("WeightNormInterfaceBackward0", mul(v, div(g, length(v, dim))))


def length(v: Any, dim: int) -> Tensor:
    """The norms of the slices along ``dim``, or of the whole."""
    if dim == -1:
        return norm(v)
    others = tuple(i for i in range(v.array.ndim) if i != dim)
    return norm(v, 2, others, True)


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Let a parameter of a module be made of a length and a direction, which are learned instead.

    Parameters
    ----------
    module : Module
        It is changed, and returned.
    name : str
        Of the parameter; there are ``name_g`` and ``name_v`` instead then.
    dim : int, optional
        Each slice along it has a length of its own; ``None``: the whole has one.

    Raises
    ------
    RuntimeError
        If it is made so already.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> layer = tg.nn.utils.weight_norm(tg.nn.Linear(2, 3))
    >>> [(name, tuple(p.shape)) for name, p in layer.named_parameters()]
    [('bias', (3,)), ('weight_g', (3, 1)), ('weight_v', (3, 2))]
    """
    if any(hook.name == name for _, hook in _hooks(module)):
        raise RuntimeError(f"weight_norm: {name!r} is made of a length and a direction already")
    made = WeightNorm(name, -1 if dim is None else dim)
    weight = getattr(module, name)
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(length(weight.detach(), made.dim)))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    made(module, ())
    module.register_forward_pre_hook(made)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make a parameter again of what `weight_norm` has made of it.

    Raises
    ------
    ValueError
        If it has not.
    """
    for key, hook in _hooks(module):
        if hook.name == name:
            weight = hook.weight(module)
            for gone in (name, f"{name}_g", f"{name}_v"):
                delattr(module, gone)
            setattr(module, name, Parameter(weight.detach()))
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"remove_weight_norm: there is none of {name!r} in {module}")


def _hooks(module: Module) -> list[tuple[int, WeightNorm]]:
    found = [(key, hook.call) for key, hook in module._forward_pre_hooks.items()]
    return [(key, call) for key, call in found if isinstance(call, WeightNorm)]

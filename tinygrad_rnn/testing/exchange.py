"""The way in from PyTorch and the way out: modules, tensors and state_dicts of one as the other's.

Layers have the same names, arguments and parameters there and here. So one is built from the other
by reading its attributes, which are called like the arguments of its constructor.
"""

from __future__ import annotations

import inspect
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from tinygrad_rnn import nn
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import from_numpy
from tinygrad_rnn.tensor.random import get_rng_state, set_rng_state
from tinygrad_rnn.testing.pytorch import required_torch


def from_torch(obj: Any) -> Any:
    """The same module, tensor or state_dict made of this package's classes; nothing is shared.

    Parameters
    ----------
    obj : torch.nn.Module, torch.Tensor, or dict, list or tuple
        A module is rebuilt layer by layer, with the values of its parameters and buffers,
        ``requires_grad`` and ``training``; what is tied there is tied here. Hooks, gradients and
        graphs stay behind. Of a dict, list or tuple, as a state_dict or a whole checkpoint, the
        tensors are converted, at any depth, and the rest is kept.

    Raises
    ------
    TypeError
        If a module is not one of PyTorch's layers, or contains one that is not: what a class of
        one's own computes is in its source alone. Define it here, and load the state_dict. If a
        tensor's type of elements does not exist here.
    ImportError
        If PyTorch is not installed.

    Examples
    --------
    >>> torch = __import__("pytest").importorskip("torch")
    >>> from tinygrad_rnn.testing import from_torch
    >>> from_torch(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh()))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Tanh()
    )
    """
    torch = required_torch("from_torch")
    state = get_rng_state()  # layers draw weights when they are built, which nobody will see
    try:
        return _Exchange("from_torch", torch.nn, nn, torch.Tensor, _ours).start(obj)
    finally:
        set_rng_state(state)


def to_torch(obj: Any) -> Any:
    """The same module, tensor or state_dict made of PyTorch's classes: the way back.

    Parameters
    ----------
    obj : Module, Tensor, or dict, list or tuple
        As for `from_torch`, which also says what is raised.

    Examples
    --------
    >>> torch = __import__("pytest").importorskip("torch")
    >>> import tinygrad_rnn as tg
    >>> tg.testing.to_torch(tg.tensor([1.0, 2.0], requires_grad=True))
    tensor([1., 2.], requires_grad=True)
    """
    torch = required_torch("to_torch")
    with torch.random.fork_rng(devices=[]):
        return _Exchange("to_torch", nn, torch.nn, Tensor, _theirs).start(obj)


def _ours(tensor: Any) -> Any:
    try:
        return from_numpy(np.array(tensor.detach().cpu().numpy()))
    except (TypeError, RuntimeError) as error:
        raise TypeError(
            f"from_torch: there are no tensors of {tensor.dtype} and {tensor.layout} here; convert "
            f"them first, as with float() or to_dense(): {error}"
        ) from None


def _theirs(tensor: Tensor) -> Any:
    return import_module("torch").from_numpy(np.array(tensor.array, order="C"))


@dataclass
class _Exchange:
    """One conversion; it remembers what it has met, so that what is shared stays shared."""

    caller: str
    source: Any  # where modules come from: one of the two packages called nn
    target: Any
    tensor_type: type
    copied: Callable[[Any], Any]  # a tensor of the target with the values of one of the source
    done: dict[int, Any] = field(default_factory=dict)

    def start(self, obj: Any) -> Any:
        if not isinstance(obj, self.source.Module | self.tensor_type | dict | list | tuple):
            raise TypeError(
                f"{self.caller}: expected a Module or a Tensor of {self.source.__name__}, or a "
                f"dict, list or tuple, got {type(obj).__name__}"
            )
        return self.converted(obj)

    def converted(self, x: Any, path: str = "") -> Any:
        if isinstance(x, dict):
            kind = OrderedDict if isinstance(x, OrderedDict) else dict
            return kind((key, self.converted(value)) for key, value in x.items())
        if type(x) in (list, tuple):
            return type(x)([self.converted(value) for value in x])
        is_module = isinstance(x, self.source.Module)
        if not is_module and not isinstance(x, self.tensor_type):
            return x
        if id(x) not in self.done:
            self.done[id(x)] = self._module(x, path) if is_module else self._tensor(x)
        return self.done[id(x)]

    def _tensor(self, x: Any) -> Any:
        if isinstance(x, self.source.UninitializedParameter):
            dtype = self.copied(x.data).dtype  # of no elements: there is nothing else to copy
            return self.target.UninitializedParameter(x.requires_grad, dtype=dtype)
        new = self.copied(x)
        if isinstance(x, self.source.Parameter):
            return self.target.Parameter(new, x.requires_grad)
        return new.requires_grad_(x.requires_grad)

    def _module(self, x: Any, path: str) -> Any:
        what = f"{self.caller}: {type(x).__name__}" + (f" (at {path})" if path else "")
        kind = self._counterpart(x, what)
        parts = {
            name: self.converted(part, f"{path}.{name}" if path else name)
            for name, part in x._modules.items()
        }
        new = self._built(x, kind, what)
        for name, part in parts.items():
            new.add_module(name, part)
        for tensors in (x._parameters, x._buffers):
            for name, tensor in tensors.items():
                setattr(new, name, self.converted(tensor))
        new.training = x.training
        return new

    def _counterpart(self, x: Any, what: str) -> Any:
        """The class of the target that is called like that of a layer."""
        kind, name = type(x), type(x).__name__
        if _layer(self.source, name) is not kind or kind is self.source.Module:
            raise TypeError(
                f"{what} is not a layer of {self.source.__name__}, and cannot be rebuilt. Define "
                f"it with {self.target.__name__}, and call its "
                f"load_state_dict({self.caller}(module.state_dict()))"
            )
        if _layer(nn, name) is None or _layer(self.target, name) is None:
            raise TypeError(f"{what} does not exist in {self.target.__name__}")
        return _layer(self.target, name)

    def _built(self, x: Any, kind: Any, what: str) -> Any:
        """A layer of the target with the same options; a container is empty still."""
        name = kind.__name__
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about options: the original has warned already
            new = kind(**self._arguments(x, name))
        if (x._parameters.keys(), x._buffers.keys()) != (
            new._parameters.keys(),
            new._buffers.keys(),
        ):
            raise TypeError(f"{what} has other parameters or buffers than a {name} is made with")
        return new

    def _arguments(self, x: Any, name: str) -> dict[str, Any]:
        if name in ("Sequential", "ModuleList", "ModuleDict"):
            return {}
        if name == "ParameterList":
            return {"values": [self.converted(value) for value in x]}
        if name == "ParameterDict":
            return {"parameters": [(key, self.converted(value)) for key, value in x.items()]}
        found = _OPTIONS_ELSEWHERE[name](x) if name in _OPTIONS_ELSEWHERE else {}
        for key in inspect.signature(_layer(nn, name)).parameters:
            if key not in found and key != "fused" and hasattr(x, key):
                value = getattr(x, key)
                is_flag = key == "bias" and not isinstance(value, bool)
                found[key] = value is not None if is_flag else value
        return {key: self._argument(value, name, key) for key, value in found.items()}

    def _argument(self, value: Any, name: str, key: str) -> Any:
        """A value converted; of a function, as F.relu or torch.tanh, the one called like it."""
        if not callable(value) or isinstance(value, self.source.Module):
            return self.converted(value)
        called = getattr(value, "__name__", "")
        tops = (import_module(x.__name__.removesuffix(".nn")) for x in (self.source, self.target))
        for source, target in ((self.source.functional, self.target.functional), tuple(tops)):
            if getattr(source, called, None) is value and hasattr(target, called):
                return getattr(target, called)
        raise TypeError(
            f"{self.caller}: {name}.{key} is {value!r}, a function that cannot be carried over: "
            f"{self.target.__name__}.functional has none like it"
        )


def _layer(package: Any, name: str) -> Any:
    """The class of a layer in one of the packages called nn, or None.

    One class is in neither by its name, but in the attention of both.
    """
    if name == "NonDynamicallyQuantizableLinear":
        return type(package.MultiheadAttention(1, 1).out_proj)
    return getattr(package, name, None)


def _of_attention(x: Any) -> dict[str, Any]:
    return {"bias": x.in_proj_bias is not None, "add_bias_kv": x.bias_k is not None}


def _of_transformer_layer(x: Any) -> dict[str, Any]:
    return {
        "d_model": x.linear1.in_features,
        "nhead": x.self_attn.num_heads,
        "dim_feedforward": x.linear1.out_features,
        "dropout": x.dropout.p,
        "layer_norm_eps": x.norm1.eps,
        "batch_first": x.self_attn.batch_first,
        "bias": x.linear1.bias is not None,
    }


# Options that are no attributes of a layer called like them, but can be read from others or from
# its parts. The parts are converted one by one afterwards, so of a Transformer none need be made.
_OPTIONS_ELSEWHERE: dict[str, Callable[[Any], dict[str, Any]]] = {
    "PairwiseDistance": lambda x: {"p": x.norm},
    "MultiheadAttention": _of_attention,
    "TransformerEncoderLayer": _of_transformer_layer,
    "TransformerDecoderLayer": _of_transformer_layer,
    "TransformerEncoder": lambda x: {"encoder_layer": next(iter(x.layers), None)},
    "TransformerDecoder": lambda x: {"decoder_layer": next(iter(x.layers), None)},
    "Transformer": lambda x: {
        "num_encoder_layers": 0, "num_decoder_layers": 0, "dim_feedforward": 1
    },
}  # fmt: skip

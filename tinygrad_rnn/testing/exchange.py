"""The way in from PyTorch and the way out: modules, tensors and state_dicts of one as the other's.

The layers have the same names, arguments and parameters there and here; so one is built from the
other by asking it for the arguments of its constructor, by name.
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
from tinygrad_rnn.creation import from_numpy
from tinygrad_rnn.random import get_rng_state, set_rng_state
from tinygrad_rnn.tensor import Tensor

_CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")
_SHELVES = ("ParameterList", "ParameterDict")


def from_torch(obj: Any) -> Any:
    """The same module, tensor or state_dict with this package's classes; nothing is shared.

    Parameters
    ----------
    obj : torch.nn.Module, torch.Tensor, or a dict, list or tuple of tensors and other things
        A module is rebuilt layer by layer, with its parameters, buffers and ``training``; what is
        shared (tied weights) is shared again. Hooks, gradients and graphs are left behind. Of
        dicts, lists and tuples, such as a state_dict, the tensors are converted, within others
        too, and the rest stays.

    Raises
    ------
    TypeError
        If a module, or a module within it, is not one of PyTorch's layers but a class of one's
        own: there is nothing to build it from but its source. If a tensor is of a type that does
        not exist here.
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
    torch = _torch("from_torch")
    state = get_rng_state()  # the initial weights, which nobody sees, are drawn from it
    try:
        return _Exchange(
            "from_torch", torch.nn, nn, torch.Tensor, _ours, "testing.from_torch"
        ).converted(obj)
    finally:
        set_rng_state(state)


def to_torch(obj: Any) -> Any:
    """The same module, tensor or state_dict with PyTorch's classes; the inverse of `from_torch`.

    Parameters
    ----------
    obj : Module, Tensor, or a dict, list or tuple of tensors and other things

    Examples
    --------
    >>> torch = __import__("pytest").importorskip("torch")
    >>> import tinygrad_rnn as tg
    >>> tg.testing.to_torch(tg.tensor([1.0, 2.0], requires_grad=True))
    tensor([1., 2.], requires_grad=True)
    """
    torch = _torch("to_torch")
    with torch.random.fork_rng(devices=[]):
        return _Exchange("to_torch", nn, torch.nn, Tensor, _theirs, "testing.to_torch").converted(
            obj
        )


def _torch(caller: str) -> Any:
    try:
        return import_module("torch")
    except ImportError:
        raise ImportError(f"{caller} needs PyTorch: pip install torch") from None


def _ours(tensor: Any) -> Tensor:
    try:
        array = np.array(tensor.detach().cpu().numpy())
        ours: Tensor = from_numpy(array)
    except (TypeError, RuntimeError) as error:
        raise TypeError(
            f"from_torch: a tensor of {tensor.dtype} and layout {tensor.layout} has no equal here "
            f"({error}); convert it first, as with float() or to_dense()"
        ) from None
    return ours


def _theirs(tensor: Tensor) -> Any:
    return import_module("torch").from_numpy(np.array(tensor.array, order="C"))

"""Module: the base of everything that has parameters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tinygrad_rnn.creation import from_numpy
from tinygrad_rnn.modes import no_grad, scope
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.tensor import Tensor


class Module:
    """Base class of layers: finds its parameters and sub-modules among its attributes.

    Subclasses call ``super().__init__()`` first and define ``forward``. A call pushes the
    module's name as a scope, so that every node of a graph knows the layer that made it.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> class Scale(tg.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = tg.nn.Parameter([2.0])
    ...
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()(tg.tensor([3.0]))
    tensor([6.], grad_fn=<MulBackward0>)
    """

    training: bool

    def __init__(self) -> None:
        object.__setattr__(self, "_parameters", {})
        object.__setattr__(self, "_modules", {})
        self._name = type(self).__name__.lower()
        self.training = True

    # -- attributes --

    def __setattr__(self, name: str, value: Any) -> None:
        registered = self.__dict__.get("_parameters")
        if registered is None:
            raise AttributeError(
                f"{type(self).__name__}: call super().__init__() before assigning {name!r}"
            )
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._forget(name)
            self._modules[name] = value
            value._name = name
        elif name in self._parameters and value is not None:
            raise TypeError(
                f"cannot assign {type(value).__name__} as parameter {name!r}: expected a Parameter "
                "or None"
            )
        elif name in self._parameters:
            self._parameters[name] = None
        else:
            self._modules.pop(name, None)
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        for registered in (self.__dict__.get("_parameters", {}), self.__dict__.get("_modules", {})):
            if name in registered:
                return registered[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        if not self._forget(name):
            object.__delattr__(self, name)

    def _forget(self, name: str) -> bool:
        """Remove a registered attribute; whether there was one."""
        self.__dict__.pop(name, None)
        return any(
            registered.pop(name, self) is not self
            for registered in (self._parameters, self._modules)
        )

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Add a parameter under a name; ``None`` for one that this instance does without."""
        if not name or "." in name:
            raise KeyError(f"a parameter's name must not be empty or contain a dot: {name!r}")
        self._forget(name)
        self._parameters[name] = parameter
        if parameter is not None and parameter.name is None:
            parameter.name = name

    # -- iteration --

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """The module and all below it, each once, with their dotted names."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            name, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield name, module
            children = [
                (f"{name}.{child}" if name else child, submodule)
                for child, submodule in module._modules.items()
            ]
            stack.extend(reversed(children))

    def named_parameters(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Parameters, each once, with their dotted names, in the order of registration.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> [name for name, _ in tg.nn.RNNCell(1, 2).named_parameters()]
        ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']
        """
        seen: set[int] = set()
        for path, module in self.named_modules(prefix):
            for name, parameter in module._parameters.items():
                if parameter is not None and id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield (f"{path}.{name}" if path else name), parameter
            if not recurse:
                break

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Parameters, each once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules assigned to this one, with their names."""
        yield from self._modules.items()

    # -- state --

    def state_dict(self) -> OrderedDict[str, Tensor]:
        """The parameters by dotted name, detached; memory is shared with the module.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> cell = tg.nn.RNNCell(1, 2)
        >>> list(cell.state_dict())
        ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']
        """
        entries = OrderedDict()
        for path, module in self.named_modules():
            for name, parameter in module._parameters.items():
                if parameter is not None:
                    entries[f"{path}.{name}" if path else name] = parameter.detach()
        return entries

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> tuple[list[str], list[str]]:
        """Copy values into the parameters.

        Parameters
        ----------
        state_dict : mapping from names to Tensors or arrays (PyTorch's too, as arrays)
        strict : bool
            Whether every key must match.

        Returns
        -------
        missing_keys, unexpected_keys : lists of names

        Raises
        ------
        RuntimeError
            If keys are missing or unexpected (with ``strict``), or a shape differs. Nothing has
            been changed then.
        """
        if not isinstance(state_dict, Mapping) or not all(isinstance(k, str) for k in state_dict):
            raise TypeError(f"load_state_dict: expected names and values, got {state_dict!r:.60}")
        own = self.state_dict()
        missing = [key for key in own if key not in state_dict]
        unexpected = [key for key in state_dict if key not in own]
        arrays = {
            key: value.array if isinstance(value, Tensor) else np.asarray(value)
            for key, value in state_dict.items()
            if key in own
        }
        problems = [
            f"size mismatch for {key}: {array.shape} given, the module has {own[key].shape}"
            for key, array in arrays.items()
            if array.shape != own[key].shape
        ]
        if strict and missing:
            problems.append(f"missing keys: {', '.join(missing)}")
        if strict and unexpected:
            problems.append(f"unexpected keys: {', '.join(unexpected)}")
        if problems:
            raise RuntimeError(f"load_state_dict of {type(self).__name__}: {'; '.join(problems)}")
        with no_grad():
            for key, array in arrays.items():
                own[key].copy_(from_numpy(array))
        return missing, unexpected

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.zero_()

    def train(self, mode: bool = True) -> Module:
        """Set ``training`` here and below; returns the module."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """The same as ``train(False)``."""
        return self.train(False)

    # -- use --

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward()")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        with scope(self._name):
            return self.forward(*inputs, **options)

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return ""

    def __repr__(self) -> str:
        lines = [
            f"({name}): " + repr(module).replace("\n", "\n  ")
            for name, module in self._modules.items()
        ]
        if not lines:
            return f"{type(self).__name__}({self.extra_repr()})"
        head = [self.extra_repr()] if self.extra_repr() else []
        return f"{type(self).__name__}(\n  " + "\n  ".join(head + lines) + "\n)"

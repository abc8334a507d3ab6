"""Module: the base of everything that has parameters."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, Protocol, TypeVar

import numpy as np

from tinygrad_rnn.autograd.contexts import no_grad, scope
from tinygrad_rnn.engine.mode import here
from tinygrad_rnn.nn.hooks import Hook, Passage, register
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.operations.dtypes import (
    DTypeLike,
    as_dtype,
    float16,
    float32,
    float64,
    is_floating,
)
from tinygrad_rnn.operations.types import is_device, on_cpu
from tinygrad_rnn.tensor import RemovableHandle, Tensor
from tinygrad_rnn.tensor.creation import from_numpy

Self = TypeVar("Self", bound="Module")
Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")
Kind = TypeVar("Kind")
Result = TypeVar("Result", covariant=True)


class Forward(Protocol[Inputs, Result]):
    """What calling a module is typed by: the arguments and the result of its ``forward``."""

    @property
    def forward(self) -> Callable[Inputs, Result]: ...


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` could not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not any(self):
            return "<All keys matched successfully>"
        missing, unexpected = self
        return f"_IncompatibleKeys(missing_keys={missing}, unexpected_keys={unexpected})"


class Module:
    """Base class of layers: finds its parameters and sub-modules among its attributes.

    Subclasses call ``super().__init__()`` first and define ``forward``. A call pushes the
    module's name as a scope, so that every node of a graph knows the layer that made it.

    Attributes
    ----------
    training : bool
        Whether `train` or `eval` was called last; some layers differ (dropout).

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
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _transient: set[str]  # names of buffers that are not part of the state
    _scope_name: str
    _forward_pre_hooks: dict[int, Hook]
    _forward_hooks: dict[int, Hook]
    _backward_pre_hooks: dict[int, Hook]
    _backward_hooks: dict[int, Hook]

    def __init__(self) -> None:
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _transient=set(),
            _scope_name=type(self).__name__.lower(),
            _forward_pre_hooks={},
            _forward_hooks={},
            _backward_pre_hooks={},
            _backward_hooks={},
        )

    # -- attributes --

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if "_parameters" not in own:
            if isinstance(value, Parameter | Module):
                raise AttributeError(
                    f"{type(self).__name__}: call super().__init__() before assigning {name!r}"
                )
            object.__setattr__(self, name, value)
        elif isinstance(value, Parameter):
            self._forget(name, self._parameters)
            self.register_parameter(name, value)
        elif isinstance(value, Module) and name not in self._parameters:
            self._forget(name, self._modules)
            self.add_module(name, value)
        elif name in self._parameters:
            self._check_kind(name, value, "parameter", ())
            self._parameters[name] = None
        elif name in self._modules:
            self._check_kind(name, value, "child module", ())
            self._modules[name] = None
        elif name in self._buffers:
            self._check_kind(name, value, "buffer", Tensor)
            self._buffers[name] = value
        else:
            object.__setattr__(self, name, value)

    def _check_kind(self, name: str, value: Any, kind: str, allowed: Any) -> None:
        """Raise if a registered attribute is to become something else."""
        if value is not None and not isinstance(value, allowed):
            needed = {"parameter": "Parameter", "buffer": "Tensor", "child module": "Module"}[kind]
            raise TypeError(
                f"cannot assign {type(value).__name__!r} as {kind} {name!r}: expected a {needed} "
                f"or None; del the attribute first to make something else of it"
            )

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for kind in ("_parameters", "_buffers", "_modules"):
            if kind in own and name in own[kind]:
                return own[kind][name]
        hint = "" if "_parameters" in own else "; does its __init__ call super().__init__()?"
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")

    def __delattr__(self, name: str) -> None:
        if any(name in kind for kind in (self._parameters, self._buffers, self._modules)):
            self._forget(name)
        else:
            object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        registered = [*self._parameters, *self._buffers, *self._modules]
        return sorted({*object.__dir__(self), *registered})

    def _forget(self, name: str, but: Any = None) -> None:
        """Remove an attribute, wherever it is but for one place, where it will be replaced."""
        for kind in (self.__dict__, self._parameters, self._buffers, self._modules):
            if kind is not but:
                kind.pop(name, None)
        self._transient.discard(name)

    def _check_name(self, kind: str, name: Any, registered: Mapping[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name must be a string, got {type(name).__name__}")
        if not name or "." in name:
            raise KeyError(f"{kind} name must not be empty or contain a dot: {name!r}")
        if name not in registered and hasattr(self, name):
            raise KeyError(f"attribute {name!r} already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; ``None`` for one that this instance does without.

        Raises
        ------
        KeyError
            If the name is empty, contains a dot, or is that of another attribute.
        TypeError
            If it is not a Parameter.
        """
        self._check_name("parameter", name, self._parameters)
        if not isinstance(param, Parameter | None):
            raise TypeError(
                f"register_parameter: {name!r} must be a Parameter or None, got "
                f"{type(param).__name__}; wrap a tensor in nn.Parameter"
            )
        self._parameters[name] = param
        if param is not None and param.name is None:
            param.name = name

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the module but not learned, as a running mean.

        Parameters
        ----------
        name : str
        tensor : Tensor or None
        persistent : bool
            Whether `state_dict` contains it.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> module = tg.nn.Module()
        >>> module.register_buffer("mean", tg.zeros(2))
        >>> dict(module.state_dict())
        {'mean': tensor([0., 0.])}
        """
        self._check_name("buffer", name, self._buffers)
        if not isinstance(tensor, Tensor | None):
            raise TypeError(
                f"register_buffer: {name!r} must be a Tensor or None, got {type(tensor).__name__}"
            )
        self._buffers[name] = tensor
        if persistent:
            self._transient.discard(name)
        else:
            self._transient.add(name)
        if tensor is not None and tensor.name is None:
            tensor.name = name

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module under a name, as assigning it does."""
        self._check_name("module", name, self._modules)
        if not isinstance(module, Module | None):
            raise TypeError(f"add_module: {name!r} must be a Module, got {type(module).__name__}")
        self._modules[name] = module
        if module is not None:
            self._introduce(name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def _called(self, name: str) -> None:
        """Be known under a name: the scope of what this module computes."""
        self.__dict__["_scope_name"] = name

    def _introduce(self, name: str, child: Module) -> None:
        """Tell a child what it is called in this module."""
        child._called(name)

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path; the module itself for ``""``.

        Raises
        ------
        AttributeError
            If there is none, as in `get_parameter` and `get_buffer`.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> net = tg.nn.Sequential(tg.nn.Sequential(tg.nn.Tanh()))
        >>> net.get_submodule("0.0")
        Tanh()
        """
        module = self
        for name in target.split(".") if target else ():
            module = module._registered(name, Module)
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path."""
        path, _, name = target.rpartition(".")
        return self.get_submodule(path)._registered(name, Parameter)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        tensor = module._registered(name, Tensor)
        if name not in module._buffers:
            raise AttributeError(f"{name!r} of {type(module).__name__} is not a buffer")
        return tensor

    def _registered(self, name: str, kind: type[Kind]) -> Kind:
        if not hasattr(self, name):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        value = getattr(self, name)
        if not isinstance(value, kind):
            raise AttributeError(f"{name!r} of {type(self).__name__} is not a {kind.__name__}")
        return value

    # -- iteration --

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """The module and all below it, with their dotted names.

        Parameters
        ----------
        memo : set of Module, optional
            Those met already.
        prefix : str
            What all names begin with.
        remove_duplicate : bool
            Whether each module comes but once, also if it is found in several places.
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, _joined(prefix, name), remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """The module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules assigned to this one, each once, with their names."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules assigned to this one, each once."""
        for _, module in self.named_children():
            yield module

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Parameters with their dotted names, in the order of registration.

        Parameters
        ----------
        prefix : str
            What all names begin with.
        recurse : bool
            Whether those of sub-modules are included.
        remove_duplicate : bool
            Whether each comes but once, also if it is shared.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> [name for name, _ in tg.nn.RNNCell(1, 2).named_parameters()]
        ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']
        """
        return self._members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Parameters, each once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Buffers with their dotted names; see `named_parameters`."""
        return self._members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Buffers, each once."""
        for _, tensor in self.named_buffers(recurse=recurse):
            yield tensor

    def _members(
        self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        owners = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        seen: set[int] = set()
        for path, module in owners if recurse else [(prefix, self)]:
            for name, tensor in getattr(module, kind).items():
                if tensor is not None and id(tensor) not in seen:
                    if remove_duplicate:
                        seen.add(id(tensor))
                    yield _joined(path, name), tensor

    # -- state --

    def state_dict(
        self,
        *,
        destination: OrderedDict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> OrderedDict[str, Any]:
        """Parameters and buffers by dotted name, detached; memory is shared with the module.

        Parameters
        ----------
        destination : OrderedDict, optional
            Where to put them.
        prefix : str
            What all names begin with, the dot included.
        keep_vars : bool
            Whether to return the parameters themselves, not detached.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> cell = tg.nn.RNNCell(1, 2)
        >>> list(cell.state_dict())
        ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']
        """
        state = OrderedDict() if destination is None else destination
        for key, registered, name in self._entries(prefix):
            tensor = registered[name]
            state[key] = tensor if keep_vars else tensor.detach()
        return state

    def _entries(self, prefix: str = "") -> Iterator[tuple[str, dict[str, Any], str]]:
        """Keys of everything in the state, and where it is; what is shared comes each time."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                yield prefix + name, self._parameters, name
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._transient:
                yield prefix + name, self._buffers, name
        for name, module in self._modules.items():
            if module is not None:
                yield from module._entries(f"{prefix}{name}.")

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values into the parameters and buffers.

        Parameters
        ----------
        state_dict : mapping from names to Tensors or arrays (PyTorch's too, as arrays)
        strict : bool
            Whether every key must match.
        assign : bool
            Whether to put the given tensors in the place of the module's own, keeping their types
            of elements, instead of copying values.

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
        own = {key: (registered, name) for key, registered, name in self._entries()}
        missing = [key for key in own if key not in state_dict]
        unexpected = [key for key in state_dict if key not in own]
        problems = []
        if strict and missing:
            problems.append(f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        if strict and unexpected:
            problems.append(f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
        values = {key: _value(state_dict[key]) for key in own if key in state_dict}
        for key, value in values.items():
            registered, name = own[key]
            shape = registered[name].shape
            if value is None:
                given = type(state_dict[key]).__name__
                problems.append(f"{key}: expected a tensor or an array, got {given}.")
            elif value.shape != shape:
                problems.append(
                    f"size mismatch for {key}: the state_dict has shape {tuple(value.shape)}, the "
                    f"module {tuple(shape)}."
                )
        if problems:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t"
                + "\n\t".join(problems)
            )
        for key, value in values.items():
            _load(*own[key], value, assign)
        return IncompatibleKeys(missing, unexpected)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.detach_().zero_()

    def train(self: Self, mode: bool = True) -> Self:
        """Set ``training`` here and below; returns the module."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be a bool, got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: Self) -> Self:
        """The same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Set whether gradients are computed for the parameters; returns the module.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> frozen = tg.nn.Linear(2, 2).requires_grad_(False)
        >>> frozen(tg.ones(2)).requires_grad
        False
        """
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def apply(self: Self, fn: Callable[[Module], None]) -> Self:
        """Call a function with every module below this one and, last, with itself; returns it.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> net = tg.nn.Sequential(tg.nn.Tanh(), tg.nn.Sigmoid())
        >>> _ = net.apply(lambda module: print(type(module).__name__))
        Tanh
        Sigmoid
        Sequential
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # -- types of elements --

    def to(
        self: Self,
        target: Any = None,
        dtype: DTypeLike = None,
        *,
        device: Any = None,
        non_blocking: bool = False,
    ) -> Self:
        """Turn floating-point parameters and buffers into another such type; returns the module.

        The parameters stay the same objects. Gradients are converted with them.

        Parameters
        ----------
        target : dtype, Tensor or "cpu"
            A type, a tensor whose type it is, or the only device, which may be followed by a type.
        non_blocking : bool
            Without effect.

        Raises
        ------
        TypeError
            If the type is not a floating-point one.
        RuntimeError
            If the device is not the CPU.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> tg.nn.Linear(2, 2).to(tg.float64).weight.dtype
        torch.float64
        """
        if is_device(target):
            device = target
        elif target is not None:
            dtype = target.dtype if isinstance(target, Tensor) else target
        on_cpu("Module.to", device)
        if dtype is None:
            return self
        if not is_floating(kind := as_dtype(dtype)):
            raise TypeError(f"Module.to: only floating-point types are accepted, not {kind}")
        return self._convert(kind, floating_only=True)

    def float(self: Self) -> Self:
        """Turn floating-point parameters and buffers into float32."""
        return self.to(float32)

    def double(self: Self) -> Self:
        """Turn floating-point parameters and buffers into float64."""
        return self.to(float64)

    def half(self: Self) -> Self:
        """Turn floating-point parameters and buffers into float16."""
        return self.to(float16)

    def type(self: Self, dst_type: DTypeLike) -> Self:
        """Turn all parameters and buffers into a type."""
        return self._convert(as_dtype(dst_type), floating_only=False)

    def cpu(self: Self) -> Self:
        """The module itself: everything is in the computer's main memory."""
        return self

    def cuda(self: Self, device: Any = None) -> Self:
        """Raise: there is no other device here."""
        return self.to(device="cuda")

    def _convert(self: Self, dtype: np.dtype[Any], floating_only: bool) -> Self:
        for module in self.modules():
            for parameter in module._parameters.values():
                if parameter is None or (floating_only and not is_floating(parameter.array.dtype)):
                    continue
                if parameter.requires_grad and not is_floating(dtype):
                    raise RuntimeError(
                        f"type: a parameter that requires grad cannot become {dtype}"
                    )
                parameter._convert(dtype)
            for name, buffer in module._buffers.items():
                if buffer is not None and not (
                    floating_only and not is_floating(buffer.array.dtype)
                ):
                    module._buffers[name] = buffer.to(dtype)
        return self

    # -- hooks --

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, inputs)`` before each `forward`; what it returns replaces the inputs.

        Parameters
        ----------
        hook : function
            With ``with_kwargs`` it is ``hook(module, args, kwargs)`` and returns both, or ``None``.
        prepend : bool
            Whether to call it before the hooks there are, not after them.
        with_kwargs : bool
            Whether it gets keyword arguments too.
        """
        name = "register_forward_pre_hook"
        return register(name, self._forward_pre_hooks, hook, prepend, with_kwargs)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, inputs, output)`` after each `forward`; what it returns replaces it.

        Parameters
        ----------
        hook : function
            With ``with_kwargs`` it is ``hook(module, args, kwargs, output)``.
        prepend, with_kwargs : bool
            See `register_forward_pre_hook`.
        always_call : bool
            Whether to call it (with output ``None``) also if there is an error.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> net = tg.nn.Tanh()
        >>> handle = net.register_forward_hook(lambda module, inputs, y: print(y))
        >>> _ = net(tg.zeros(1))
        tensor([0.])
        """
        name = "register_forward_hook"
        return register(name, self._forward_hooks, hook, prepend, with_kwargs, always_call)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when a walk has come to the module's outputs.

        A tuple that it returns replaces ``grad_output``, the outputs' gradients.
        """
        name = "register_full_backward_pre_hook"
        return register(name, self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when a walk has come to its inputs.

        ``grad_input`` has the gradient of each positional argument, ``None`` for what is not a
        tensor; a tuple that the hook returns replaces it. If no input requires grad, the hook is
        called when the walk has come to the outputs.

        Examples
        --------
        >>> import tinygrad_rnn as tg
        >>> net = tg.nn.ReLU()
        >>> handle = net.register_full_backward_hook(lambda module, gx, gy: print(gx, gy))
        >>> x = tg.tensor([-1.0, 2.0], requires_grad=True)
        >>> net(x).sum().backward()
        (tensor([0., 1.]),) (tensor([1., 1.]),)
        """
        name = "register_full_backward_hook"
        return register(name, self._backward_hooks, hook, prepend)

    # -- use --

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward()")

    if TYPE_CHECKING:

        def __call__(
            self: Forward[Inputs, Output], *inputs: Inputs.args, **options: Inputs.kwargs
        ) -> Output: ...

    else:

        def __call__(self, *inputs: Any, **options: Any) -> Any:
            before = here.mode
            try:
                with scope(self._scope_name):
                    if (
                        self._forward_hooks
                        or self._forward_pre_hooks
                        or self._backward_hooks
                        or self._backward_pre_hooks
                    ):
                        return self._call_with_hooks(inputs, options)
                    return self.forward(*inputs, **options)
            finally:
                if here.mode is not before:  # an interrupt kept a context inside from its end
                    here.mode = here.mode.having("tag", before.tag)

    def _call_with_hooks(self, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        called, result = set(), None
        try:
            for hook in list(self._forward_pre_hooks.values()):
                inputs, options = hook.before(self, inputs, options)
            if not self._backward_hooks and not self._backward_pre_hooks:
                passage = None
            else:
                passage = Passage(self)
                inputs = passage.enter(inputs)
            result = self.forward(*inputs, **options)
            for key, hook in list(self._forward_hooks.items()):
                called.add(key)
                answer = hook(self, inputs, options, result)
                result = result if answer is None else answer
            return result if passage is None else passage.leave(result)
        except Exception:
            for key, hook in list(self._forward_hooks.items()):
                if hook.always_call and key not in called:
                    try:
                        hook(self, inputs, options, result)
                    except Exception as error:
                        warnings.warn(
                            f"a forward hook failed after an error: {error}", stacklevel=3
                        )
            raise

    def extra_repr(self) -> str:
        """The arguments that ``repr`` shows."""
        return ""

    def __repr__(self) -> str:
        head = self.extra_repr().split("\n") if self.extra_repr() else []
        lines = [*head, *self._child_lines()]
        if len(lines) == len(head) <= 1:
            return f"{type(self).__name__}({''.join(head)})"
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"

    def _child_lines(self) -> list[str]:
        return [indented(name, repr(module)) for name, module in self._modules.items()]


def indented(name: str, text: str) -> str:
    """How ``repr`` shows a child, below the line of its parent."""
    return f"({name}): " + text.replace("\n", "\n  ")


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)


def _value(value: Any) -> Any:
    """A tensor (or an array, also PyTorch's, as one) to load; ``None`` if it is neither."""
    if isinstance(value, Tensor):
        return value.detach()
    return from_numpy(np.asarray(value)) if hasattr(value, "__array__") else None


def _load(registered: dict[str, Any], name: str, value: Tensor, assign: bool) -> None:
    """Give a parameter or buffer its value; see `Module.load_state_dict`."""
    old = registered[name]
    if not assign:
        with no_grad():
            old.copy_(value)
        return
    new = Parameter(value, old.requires_grad) if isinstance(old, Parameter) else value
    new.name, registered[name] = old.name, new

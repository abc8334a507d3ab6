"""Parameters that are computed of others each time they are read.

A recurrent weight that stays orthogonal, say: ``original`` is what is learned, ``weight`` what the
layer reads, a function of it, through which gradients flow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from tinygrad_rnn.autograd.contexts import no_grad
from tinygrad_rnn.nn.container import ModuleDict, ModuleList
from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.tensor import Tensor

M = TypeVar("M", bound=Module)

_cache: dict[tuple[int, str], Tensor] | None = None


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized tensor once inside, however often it is read.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.nn.utils import parametrizations, parametrize
    >>> layer = parametrizations.weight_norm(tg.nn.Linear(2, 2))
    >>> with parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    global _cache
    outer = _cache
    _cache = {} if outer is None else outer
    try:
        yield
    finally:
        _cache = outer


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, in the order in which they are applied.

    Attributes
    ----------
    original : Parameter or buffer
        What the first one is given; if that takes several, ``original0``, ``original1``, …
    """

    def __init__(self, modules: Sequence[Module], original: Tensor) -> None:
        super().__init__(modules)
        self.shape, self.dtype = original.shape, original.dtype
        self.names = ["original"]
        made: Any = original
        with no_grad(), suppress(NotImplementedError):  # then it starts somewhere else
            made = self._inverted(original)
        if isinstance(made, Tensor):
            self._keep("original", original, made)
        else:
            self.names = [f"original{i}" for i in range(len(made))]
            for name, part in zip(self.names, made):
                part = Parameter(part) if isinstance(original, Parameter) else part
                self._keep(name, part, part)

    def _keep(self, name: str, tensor: Tensor, value: Tensor) -> None:
        if value is not tensor:  # an optimizer that knows it goes on with it
            tensor.data = value.detach()
        if isinstance(tensor, Parameter):
            self.register_parameter(name, tensor)
        else:
            self.register_buffer(name, tensor)

    def _inverted(self, value: Any) -> Any:
        """Of what the parametrizations make a value, as far as they say."""
        for module in reversed(list(self)):
            inverse = getattr(module, "right_inverse", None)
            value = value if inverse is None else inverse(value)
        return value

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that a value is made of them."""
        with no_grad():
            made = self._inverted(value)
            for name, part in zip(self.names, [made] if isinstance(made, Tensor) else made):
                getattr(self, name).data = part.detach()

    def forward(self) -> Tensor:
        """What is made of the originals."""
        first, *more = self
        value = first(*(getattr(self, name) for name in self.names))
        for module in more:
            value = module(value)
        return value  # type: ignore[no-any-return]


def register_parametrization(
    module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> M:
    """Let a parameter or buffer of a module be computed by another module, anew at each reading.

    The module is of a class of its own from then on, ``ParametrizedLinear`` and the like, and what
    is learned is ``module.parametrizations.weight.original``.

    Parameters
    ----------
    module : Module
        It is changed, and returned.
    tensor_name : str
    parametrization : Module
        Its ``forward`` makes the tensor of the original; ``right_inverse``, if it has that, the
        original of a value, at first of the present one. One that returns several tensors gives
        ``forward`` as many arguments.
    unsafe : bool
        Do not check that the shape and the type stay.

    Raises
    ------
    ValueError
        If the module has no such tensor, or the parametrization changes its shape or type.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.nn.utils import parametrize
    >>> class Skew(tg.nn.Module):
    ...     def forward(self, X):
    ...         return X.triu(1) - X.triu(1).T
    >>> cell = tg.nn.RNNCell(1, 2)
    >>> _ = parametrize.register_parametrization(cell, "weight_hh", Skew())
    >>> (cell.weight_hh + cell.weight_hh.T).detach()
    tensor([[0., 0.],
            [0., 0.]])
    """
    if is_parametrized(module, tensor_name):
        module.parametrizations[tensor_name].append(parametrization)
    else:
        found = ParametrizationList([parametrization], tensor_of(module, tensor_name))
        delattr(module, tensor_name)
        if not is_parametrized(module):
            kind = type(module)
            module.__class__ = type(f"Parametrized{kind.__name__}", (kind,), {})
            module.parametrizations = ModuleDict()
        module.parametrizations[tensor_name] = found
        setattr(type(module), tensor_name, _property(tensor_name))
    made, wanted = getattr(module, tensor_name), module.parametrizations[tensor_name]
    if not unsafe and (made.shape, made.dtype) != (wanted.shape, wanted.dtype):
        remove_parametrizations(module, tensor_name, leave_parametrized=False)
        raise ValueError(
            f"register_parametrization: {type(parametrization).__name__} makes a tensor of shape "
            f"{tuple(made.shape)} and {made.dtype} of {tensor_name!r}, which has shape "
            f"{tuple(wanted.shape)} and {wanted.dtype}; unsafe=True allows that"
        )
    return module


def tensor_of(module: Module, name: str) -> Tensor:
    """The parameter, buffer or parametrized tensor of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    known = name in module._parameters or name in module._buffers
    if not (known or is_parametrized(module, name)):
        kind = type(module).__name__
        raise ValueError(f"register_parametrization: {kind} has no parameter or buffer {name!r}")
    return getattr(module, name)  # type: ignore[no-any-return]


def _property(name: str) -> property:
    def computed(self: Module) -> Tensor:
        parametrization = self.parametrizations[name]
        if _cache is None:
            return parametrization()  # type: ignore[no-any-return]
        key = id(self), name
        if key not in _cache:
            _cache[key] = parametrization()
        return _cache[key]

    def assigned(self: Module, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(computed, assigned)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a tensor of a module, or any, is computed by parametrizations."""
    found = module._modules.get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return bool(len(found)) if tensor_name is None else tensor_name in found


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Make a tensor an ordinary parameter or buffer again.

    Parameters
    ----------
    module : Module
        It is changed, and returned.
    tensor_name : str
    leave_parametrized : bool
        Whether it keeps the value that it was computed to have; else it is the original again.

    Raises
    ------
    ValueError
        If it is not parametrized, or the original is made of several tensors.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: {tensor_name!r} is not parametrized")
    parametrization = module.parametrizations[tensor_name]
    several = len(parametrization.names) > 1
    if several and not leave_parametrized:
        raise ValueError(
            f"remove_parametrizations: {tensor_name!r} is made of {len(parametrization.names)} "
            "tensors, so that it can only be left as it is: leave_parametrized=True"
        )
    with no_grad():
        value = getattr(module, tensor_name)
    original = getattr(parametrization, parametrization.names[0])
    if several:
        original = Parameter(value) if isinstance(original, Parameter) else value
    elif leave_parametrized:
        original.data = value
    kind = type(module)
    delattr(kind, tensor_name)
    del module.parametrizations[tensor_name]
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = kind.__mro__[1]
    if isinstance(original, Parameter):
        module.register_parameter(tensor_name, original)
    else:
        module.register_buffer(tensor_name, original)
    return module


def type_before_parametrizations(module: Module) -> type[Module]:
    """The class of a module without what parametrizing made of it."""
    return type(module).__mro__[1] if is_parametrized(module) else type(module)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "type_before_parametrizations",
]

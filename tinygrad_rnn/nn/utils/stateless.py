"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tinygrad_rnn.nn.module import Module
from tinygrad_rnn.operations.joining import stack
from tinygrad_rnn.tensor import Tensor


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in the place of its parameters and buffers.

    Fast weights of meta-learning, say, are tensors that were computed, not parameters; gradients
    flow through them. The module is afterwards what it was before.

    Parameters
    ----------
    module : Module
    parameter_and_buffer_dicts : mapping of names to tensors, or several
        What is not in it stays the module's own.
    args : tuple or one argument
    kwargs : mapping, optional
        The arguments of the call.
    tie_weights : bool
        Whether a parameter that the module has under several names is replaced under all.
    strict : bool
        Whether all names must be there.

    Raises
    ------
    RuntimeError
        If a name is none of the module's, or with ``strict`` one is missing.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> layer = tg.nn.Linear(1, 1, bias=False)
    >>> tg.func.functional_call(layer, {"weight": tg.tensor([[3.0]])}, tg.tensor([2.0]))
    tensor([6.])
    """
    given: dict[str, Tensor] = {}
    several = parameter_and_buffer_dicts
    for some in [several] if isinstance(several, Mapping) else several:
        given.update(some)
    places = {key: (registered, name) for key, registered, name in _entries(module)}
    unknown, missing = given.keys() - places.keys(), places.keys() - given.keys()
    if unknown or (strict and missing):
        what = f"it has no {sorted(unknown)}" if unknown else f"{sorted(missing)} are missing"
        raise RuntimeError(f"functional_call: of {type(module).__name__}: {what}")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(places, given, tie_weights):
        return module(*args, **(kwargs or {}))


Places = Mapping[str, tuple[dict[str, Any], str]]


def _entries(module: Module) -> Iterator[tuple[str, dict[str, Any], str]]:
    """All parameters and buffers by name, and where they are; what is shared comes each time."""
    for prefix, part in module.named_modules(remove_duplicate=False):
        for registered in (part._parameters, part._buffers):
            for name, tensor in registered.items():
                if tensor is not None:
                    yield f"{prefix}.{name}" if prefix else name, registered, name


@contextmanager
def _replaced(places: Places, given: Mapping[str, Tensor], tie_weights: bool) -> Iterator[None]:
    before = {key: registered[name] for key, (registered, name) in places.items()}
    new = {id(before[key]): tensor for key, tensor in given.items()} if tie_weights else {}
    try:
        for key, (registered, name) in places.items():
            registered[name] = given.get(key, new.get(id(before[key]), before[key]))
        yield
    finally:
        for key, (registered, name) in places.items():
            registered[name] = before[key]


def stack_module_state(
    models: Sequence[Module],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and the buffers of modules of one kind, each stacked to one tensor.

    Returns
    -------
    parameters, buffers : dicts
        New leaves, of one more axis, the first. With `vmap` and `functional_call` an ensemble is
        called at once.

    Raises
    ------
    RuntimeError
        If there are no modules, or they differ in kind or in mode.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> parameters, _ = tg.func.stack_module_state([tg.nn.Linear(2, 1) for _ in range(3)])
    >>> parameters["weight"].shape
    torch.Size([3, 1, 2])
    """
    if not models:
        raise RuntimeError("stack_module_state: expected at least one module")
    if len({(type(model), model.training) for model in models}) > 1:
        raise RuntimeError("stack_module_state: all modules must be of one class and mode")

    def stacked(tensors: Sequence[Tensor]) -> Tensor:
        return stack([x.detach() for x in tensors]).requires_grad_(tensors[0].requires_grad)

    of_all = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    return tuple(  # type: ignore[return-value]
        {name: stacked([some[name] for some in each]) for name in each[0]}
        for each in (of_all, buffers)
    )


def __dir__() -> list[str]:
    return __all__


__all__ = ["functional_call", "stack_module_state"]

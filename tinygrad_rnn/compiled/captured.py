"""What a function knows besides its arguments: tensors that it may use, and what decides for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from tinygrad_rnn.autograd.tracing import is_of_package
from tinygrad_rnn.tensor import Tensor

_PLAIN = (bool, int, float, complex, str, bytes, type(None), FunctionType, type)
DEPTH = 6


def captured(function: Callable[..., Any]) -> tuple[list[Tensor], tuple[Any, ...]]:
    """The tensors that a function can reach, each once, and the plain values beside them.

    Looked through are the variables of enclosing functions, the globals that it names, its
    defaults, ``self``, and what is in their lists, tuples, dicts and attributes.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> cell = tg.nn.RNNCell(1, 2)
    >>> len(captured(lambda h, x: cell(x, h))[0])
    4
    """
    tensors: dict[int, Tensor] = {}
    plain: list[Any] = []
    seen: set[int] = set()
    for inside in _inside(function):
        _look(inside, tensors, plain, seen, DEPTH)
    return list(tensors.values()), tuple(plain)


def _look(
    at: Any, tensors: dict[int, Tensor], plain: list[Any], seen: set[int], depth: int
) -> None:
    if isinstance(at, Tensor):
        tensors.setdefault(id(at), at)
        return
    if isinstance(at, _PLAIN) and not isinstance(at, FunctionType):
        plain.append(at)
        return
    if id(at) in seen or isinstance(at, ModuleType) or depth == 0 or _is_own(at):
        return
    seen.add(id(at))
    for inner in _inside(at):
        _look(inner, tensors, plain, seen, depth - 1)


def _is_own(at: Any) -> bool:
    """Whether it is a function of this package: these know no tensors of the program."""
    return isinstance(at, FunctionType) and is_of_package(at.__code__.co_filename)


def _inside(at: Any) -> list[Any]:
    if isinstance(at, MethodType):
        return [at.__self__, at.__func__]
    if isinstance(at, FunctionType):
        cells = [cell.cell_contents for cell in at.__closure__ or () if _is_full(cell)]
        named = [at.__globals__[name] for name in _names(at.__code__) if name in at.__globals__]
        return [at.__code__, *cells, *named, *(at.__defaults__ or ())]
    if isinstance(at, list | tuple | set | frozenset):
        return list(at)
    if isinstance(at, Mapping):
        return list(at.values())
    return list(getattr(at, "__dict__", {}).values())


def _is_full(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # a variable that has no value yet
        return False


def _names(code: CodeType) -> list[str]:
    """The globals that code, or code inside it, may name."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    return [*code.co_names, *[name for each in inner for name in _names(each)]]

"""Whole modules and other objects in files: by the module and the name of their class.

A file holds of an object the name of its class and its attributes, no code. Loading finds the
class, makes an object of it without calling anything of it, and gives it its attributes. So that
a file of anybody cannot name what it likes, this is done for classes that were listed
(`safe_globals`), or for any if the program says ``load(…, weights_only=False)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from importlib import import_module
from pickle import UnpicklingError
from types import BuiltinFunctionType, FunctionType
from typing import Any

_PACKAGE = __name__.partition(".")[0]
_listed: list[Any] = []


def add_safe_globals(safe_globals: Iterable[Any]) -> None:
    """List classes and functions that files may name: `load` finds them, whoever wrote the file.

    Examples
    --------
    >>> import io
    >>> import tinygrad_rnn as tg
    >>> file = io.BytesIO()
    >>> tg.save(tg.nn.Tanh(), file)
    >>> _ = file.seek(0)
    >>> with tg.serialization.safe_globals([tg.nn.Tanh]):
    ...     tg.load(file)
    Tanh()
    """
    for known in safe_globals:
        given = known[0] if isinstance(known, tuple) else known
        if not callable(given):
            raise TypeError(f"add_safe_globals: expected classes or functions, got {given!r:.60}")
        _listed.append(given)


def get_safe_globals() -> list[Any]:
    """What was listed."""
    return list(_listed)


def clear_safe_globals() -> None:
    """Forget what was listed."""
    _listed.clear()


@contextmanager
def safe_globals(safe_globals: Iterable[Any]) -> Iterator[None]:
    """`add_safe_globals`, within a block."""
    before = get_safe_globals()
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _listed[:] = before


def name_of(known: Any) -> list[str]:
    """The module and the name by which a class or a function is found again."""
    return [known.__module__, known.__qualname__]


def found(module: str, name: str, weights_only: bool) -> Any:
    """The class or function of this name, if it may be used.

    Raises
    ------
    UnpicklingError
        If nobody listed it, and not ``weights_only=False``.
    AttributeError, ModuleNotFoundError
        If there is none.
    """
    for known in _listed:
        if name_of(known) == [module, name]:
            return known
    if weights_only:
        raise UnpicklingError(
            f"load: the file holds an object of {module}.{name}, not weights alone. If you trust "
            f"where it comes from, pass weights_only=False, or list the class: with "
            f"serialization.safe_globals([{name}])"
        )
    if not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
        raise UnpicklingError(f"load: {module!r:.60}, {name!r:.60} is no name of a class")
    try:
        return reduce(getattr, name.split("."), import_module(module))
    except AttributeError:
        raise AttributeError(
            f"load: the file holds an object of {name}, which the module {module!r} does not "
            "define; define or import it before, as where it was saved"
        ) from None


def empty(module: str, name: str, weights_only: bool) -> Any:
    """An object of the class of this name, without attributes; nothing of the class is called."""
    kind = found(module, name, weights_only)
    if not isinstance(kind, type) or obstacle(kind):
        raise UnpicklingError(f"load: {module}.{name} is not a class of plain objects")
    return object.__new__(kind)


def function(module: str, name: str, weights_only: bool) -> Any:
    """The function or class of this name, for an attribute that holds one."""
    known = found(module, name, weights_only)
    if not is_nameable(known) or name_of(known) != [module, name]:
        raise UnpicklingError(f"load: {module}.{name} is not a function that a file may name")
    return known


def is_nameable(x: Any) -> bool:
    """Whether ``x`` is a function or a class that a file may name for an attribute.

    Those of this package and of the program itself, and what was listed: an object whose
    attribute is ``os.system`` would wait for its call.
    """
    if not isinstance(x, type | FunctionType | BuiltinFunctionType):
        return False
    module, name = getattr(x, "__module__", None) or "", x.__qualname__
    own = module.partition(".")[0] in (_PACKAGE, "__main__")
    return (own and "<" not in name) or any(x is known for known in _listed)


def obstacle(kind: type) -> str:
    """Why objects of a class are more than their attributes; empty if they are not."""
    if "<locals>" in kind.__qualname__:
        return "its class is defined within a function, where it is not found again"
    if hasattr(kind, "__del__"):
        return "its class has a __del__"
    ways = ("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__")
    if any(getattr(kind, way, None) is not getattr(object, way, None) for way in ways):
        return "its class has its own way of being pickled"
    if any(vars(c).get("__slots__") for c in kind.__mro__):
        return "its class has __slots__"
    try:
        return "" if hasattr(object.__new__(kind), "__dict__") else "it has no attributes"
    except TypeError:
        return "it is not made of attributes alone"

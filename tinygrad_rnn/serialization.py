"""Files for state_dicts, checkpoints and whole modules: loading one executes nothing in it.

A file is an npz (``numpy.load`` shows its arrays): a zip with the following members in this
order, none of them compressed.

``tinygrad_rnn.json``
    ``{"format": "tinygrad_rnn", "version": 1, "tensors": […], "content": …}``, in ASCII.
``0.npy``, ``1.npy``, …
    The arrays in NumPy's format 1.0, in C order. Memory that several share is there once.

Each of the ``tensors`` is ``[number of its array, requires_grad, whether it is a Parameter]``. If
there are objects, ``"objects"`` has ``[module of the class, its name, {"dict": attributes}]`` for
each (see `tinygrad_rnn.objects`). In
the ``content`` null, booleans, strings, numbers and lists stand for themselves; for the rest
there are objects with one key::

    {"dict": [[key, value], …]}, {"OrderedDict": [[key, value], …]}, {"tuple": [value, …]}
    {"set": [value, …]}
    {"object": number}, {"named": [module, name of a function or class]}
    {"float": "nan"}, also "inf" and "-inf"
    {"int": "0x20000000000001"}: integers beyond ±2⁵³
    {"dtype": "float32"}
    {"tensor": number}, {"array": number}, {"scalar": number of a 0-d array}: NumPy's numbers

Files that end in ``.safetensors`` are in that format instead: names and tensors, no more.
https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any, BinaryIO

import numpy as np

from tinygrad_rnn import files, objects
from tinygrad_rnn.nn.parameter import Parameter
from tinygrad_rnn.objects import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)
from tinygrad_rnn.operations import kinds
from tinygrad_rnn.operations.arguments import raw
from tinygrad_rnn.operations.dtypes import as_dtype
from tinygrad_rnn.operations.types import on_cpu
from tinygrad_rnn.tensor import Tensor
from tinygrad_rnn.tensor.creation import from_numpy

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "load",
    "safe_globals",
    "save",
]

Array = np.ndarray[Any, Any]
File = str | os.PathLike[str] | BinaryIO

FORMAT, VERSION = "tinygrad_rnn", 1
_STRUCTURE = "tinygrad_rnn.json"
_SAME_HASH = 100  # keys of a dict that may by chance have hashes of others
_DEPTH = 100  # of lists within lists: far below where Python's own recursion ends
_EXACT = 2**53  # integers up to here are exact for every reader of JSON
_MOST_LISTS, _BYTES_EACH = 250_000, 16  # and one more for so many bytes of a file
_LONGEST_REASON = 200  # characters of a message
_KINDS = "biufcmMSU"  # of arrays: whatever is not Python objects
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<>|][biufcmMSU]\d+(?:\[\w+\])?)', "
    rb"'fortran_order': False, 'shape': \(((?:\d{1,19}, ?){0,64}(?:\d{1,19})?)\), \} *\n",
    re.DOTALL,
)
_TEXTS = re.compile('"[^"]*"')  # in JSON, without what is escaped
_FAILURES = (  # what parsing bytes that anyone may have written can end in
    ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError,
    ValueError, struct.error, zipfile.BadZipFile,
)  # fmt: skip


def save(
    obj: Any,
    f: File,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Write a state_dict, a checkpoint or a whole module to a file, all or nothing.

    Parameters
    ----------
    obj : object
        Tensors, NumPy arrays, numbers, strings, ``None``, types of elements, lists, tuples, sets
        and dicts of these; and modules and other objects that are their attributes, of which the
        file names the class. Of a tensor the values are saved and whether it requires grad, but
        neither its gradient nor its graph. A tensor or an object that is in several places, and
        tensors that share all of their memory, do so again when they are loaded.
    f : path or binary file object
        A file there is replaced when the new one is complete: whatever interrupts it, there is
        either the old file or the new one. A path that ends in ``.safetensors`` takes a dict of
        tensors by name, and needs ``pip install tinygrad_rnn[safetensors]``.
    pickle_module, pickle_protocol, _use_new_zipfile_serialization
        PyTorch's, without effect: nothing is pickled.

    Raises
    ------
    TypeError
        If something in ``obj`` is of another kind, as an open file or a lambda.
    ValueError
        If lists or dicts are nested more than 100 deep, as if they contain themselves; if there
        are hundreds of thousands of them with hardly anything inside; if the path is that of a
        directory.
    OSError
        If the file cannot be written, as on a full disk: the old one is as it was.

    Examples
    --------
    >>> import io
    >>> import tinygrad_rnn as tg
    >>> net, file = tg.nn.Linear(2, 1), io.BytesIO()
    >>> tg.save({"epoch": 3, "model": net.state_dict()}, file)
    >>> _ = file.seek(0)
    >>> checkpoint = tg.load(file)
    >>> checkpoint["epoch"]
    3
    >>> net.load_state_dict(checkpoint["model"])
    <All keys matched successfully>
    """
    if hasattr(f, "write"):
        f.write(_packed(obj))
        return
    if Path(f).is_dir():
        raise ValueError(f"save: {f} is a directory")
    files.write(f, _safetensors_of(obj) if _is_safetensors(f) else _packed(obj))


def load(
    f: File,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
) -> Any:
    """What `save` wrote to a file.

    Nothing in the file is executed, and no more memory is used than it is long (a few times over),
    so that files from anyone can be loaded.

    Parameters
    ----------
    f : path or binary file object
        A path that ends in ``.safetensors`` is read as such a file, whoever wrote it.
    map_location : None or "cpu", or a function or dict
        There is no other device, to whatever they map.
    weights_only : bool, optional
        ``False``: also objects of whatever class the file names, which is imported for it. By
        default of those classes only that `serialization.safe_globals` lists.
    pickle_module, mmap
        PyTorch's, without effect.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is not a file that `save` wrote, or is damaged.
    pickle.UnpicklingError
        If it holds objects of classes that may not be loaded.
    """
    if not callable(map_location) and not isinstance(map_location, dict):
        on_cpu("load", map_location)
    if not isinstance(weights_only, bool | None):
        raise TypeError(f"load: weights_only must be a bool, got {weights_only!r:.60}")
    only = weights_only is not False
    if hasattr(f, "read"):
        return _unpacked(io.BytesIO(f.read()), "the file", only)
    path = Path(f)
    if path.exists() and not path.is_file():
        raise ValueError(f"load: {path} is {'a directory' if path.is_dir() else 'no file'}")
    with open(path, "rb") as file:
        if _is_safetensors(f):
            return _from_safetensors(file.read(), path)
        return _unpacked(file, path, only)


# -- writing --


def _packed(obj: Any) -> bytes:
    writer = _Writer()
    content = writer.encoded(obj, "", 0)
    structure = {
        "format": FORMAT, "version": VERSION, "tensors": writer.tensors, "content": content,
    }  # fmt: skip
    if saved := writer.finished_objects():
        structure["objects"] = saved
    text = json.dumps(structure)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        # a ZipInfo of its own has no time of day: the same content gives the same bytes
        archive.writestr(zipfile.ZipInfo(_STRUCTURE), text)
        for i, array in enumerate(writer.arrays):
            with archive.open(zipfile.ZipInfo(f"{i}.npy"), "w", force_zip64=True) as member:
                whole = np.asarray(array, order="C")
                np.lib.format.write_array(member, whole, (1, 0), allow_pickle=False)
    written = data.getvalue()
    if lists := _too_many_lists(text, len(written)):
        raise ValueError(
            f"save: {lists:,} lists, tuples and pairs of dicts with little in them, which take "
            "many times the memory that their file does: make arrays of them"
        )
    return written


def _too_many_lists(text: str, size: int) -> int:
    """How many lists and objects there are in JSON; 0 if not too many for a file of that size.

    Each takes two bytes there, and a hundred in memory.
    """
    most = _MOST_LISTS + size // _BYTES_EACH
    lists = text.count("[") + text.count("{")
    if lists > most:
        plain = _TEXTS.sub("", text.replace("\\\\", "").replace('\\"', ""))
        lists = plain.count("[") + plain.count("{")
    return lists if lists > most else 0


class _Writer:
    """Turns an object into JSON, and puts its tensors and arrays aside."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self.tensors: list[tuple[int, bool, bool]] = []
        self._numbers: dict[Any, int] = {}  # of tensors, objects by identity, arrays by memory
        self._objects: list[tuple[Any, str]] = []  # and where they were met first

    def finished_objects(self) -> list[list[Any]]:
        """Of each object the name of its class and its attributes, and of those in these."""
        saved = []
        for x, where in self._objects:  # which grows meanwhile
            attributes = [
                [name, self.encoded(value, f"{where}.{name}", 0)] for name, value in vars(x).items()
            ]
            saved.append([*objects.name_of(type(x)), {"dict": attributes}])
        return saved

    def encoded(self, x: Any, where: str, depth: int, is_key: bool = False) -> Any:
        kind = type(x)
        if x is None or kind in (bool, str):
            return x
        if kind is int:
            return x if abs(x) <= _EXACT else {"int": hex(x)}
        if kind is float:
            return x if math.isfinite(x) else {"float": str(x)}
        if isinstance(x, Tensor):
            return {"tensor": self._tensor(x, where)}
        if kind is np.ndarray:
            return {"array": self._array(x, where)}
        if isinstance(x, np.generic):
            return {"scalar": self._array(np.asarray(x), where)}
        if kind is kinds.Size:
            return {"tuple": list(x)}
        if isinstance(x, np.dtype | kinds.dtype):
            return {"dtype": as_dtype(x).name}
        if depth == _DEPTH:
            raise ValueError(
                f"save: nested more than {_DEPTH} deep; does a list or dict contain itself?"
            )
        if kind in (dict, OrderedDict):
            pairs = [
                [
                    self.encoded(k, where, depth + 1, is_key=True),
                    self.encoded(v, f"{where}[{k!r}]", depth + 1),
                ]
                for k, v in x.items()
            ]
            return {kind.__name__: pairs}
        if kind in (list, tuple):
            items = [self.encoded(e, f"{where}[{i}]", depth + 1, is_key) for i, e in enumerate(x)]
            return items if kind is list else {"tuple": items}
        if kind is set:
            members = [self.encoded(e, where, depth + 1, is_key=True) for e in x]
            return {"set": sorted(members, key=json.dumps)}
        if objects.is_nameable(x):
            return {"named": objects.name_of(x)}
        if not is_key and not hasattr(x, "__array__") and not objects.obstacle(kind):
            return {"object": self._object(x, where)}
        raise TypeError(f"save: {_described(x, where)} cannot be saved: {_advice(x)}")

    def _tensor(self, tensor: Tensor, where: str) -> int:
        if id(tensor) not in self._numbers:
            self._numbers[id(tensor)] = len(self.tensors)
            array = self._array(tensor.array, where)
            self.tensors.append((array, tensor.requires_grad, isinstance(tensor, Parameter)))
        return self._numbers[id(tensor)]

    def _object(self, x: Any, where: str) -> int:
        if id(x) not in self._numbers:
            self._numbers[id(x)] = len(self._objects)
            self._objects.append((x, where))
        return self._numbers[id(x)]

    def _array(self, array: Array, where: str) -> int:
        if array.dtype.kind not in _KINDS:
            raise TypeError(
                f"save: {_described(array, where)} of {array.dtype} cannot be saved, as arrays of "
                "numbers or strings can"
            )
        memory = (array.ctypes.data, array.shape, array.strides, array.dtype.str)
        if memory not in self._numbers:
            self._numbers[memory] = len(self.arrays)
            self.arrays.append(array)  # and so it lives, and no other gets its memory meanwhile
        return self._numbers[memory]


def _described(x: Any, where: str) -> str:
    return type(x).__name__ + (f" at obj{where}" if where else "")


def _advice(x: Any) -> str:
    if hasattr(x, "state_dict"):
        return "save its state_dict(), and load that with load_state_dict()"
    if isinstance(x, dict | list | tuple):
        plain = next(kind.__name__ for kind in (dict, list, tuple) if isinstance(x, kind))
        return f"make a plain {plain} of it"
    if hasattr(x, "__array__"):
        return "make it a NumPy array, or with testing.from_torch a Tensor"
    if isinstance(x, FunctionType | BuiltinFunctionType):
        return (
            "only functions of this package and, with a name, of your program can; list others "
            "with serialization.add_safe_globals"
        )
    if reason := objects.obstacle(type(x)):
        return f"{reason}. Save what is in it: tensors, arrays, numbers, strings, lists, dicts"
    return "a key of a dict, or an element of a set, must be a number or a string"


# -- reading --


def _unpacked(file: BinaryIO, name: Any, weights_only: bool) -> Any:
    with _damages(name):
        start = file.read(2)
        size = file.seek(0, os.SEEK_END)
        if start[:1] == b"\x80" or not size:
            raise ValueError("it is a pickle, which could execute code" if size else "it is empty")
        with zipfile.ZipFile(file) as archive:
            _check_members(archive.infolist(), size)
            text = archive.read(_STRUCTURE).decode("ascii")
            if lists := _too_many_lists(text, size):
                raise ValueError(f"it has {lists:,} lists, too many for its {size:,} bytes")
            structure = json.loads(text)
            _check_version(structure)
            arrays = [_array_of(archive.read(i)) for i in archive.infolist()[1:]]
        tensors = [_tensor_of(arrays[i], *flags) for i, *flags in structure["tensors"]]
        saved = [(str(module), str(kind), state) for module, kind, state in _objects_in(structure)]
    made = [objects.empty(module, kind, weights_only) for module, kind, _ in saved]
    with _damages(name):
        decoded = _Decoder(arrays, tensors, made, weights_only).decoded
        for x, (*_, state) in zip(made, saved, strict=True):
            vars(x).update(decoded(state))
        return decoded(structure["content"])


def _objects_in(structure: Any) -> list[Any]:
    found: list[Any] = structure.get("objects", [])
    return found


@contextmanager
def _damages(name: Any) -> Iterator[None]:
    """Whatever reading a file fails with, as an error that says so of the file."""
    try:
        yield
    except _FAILURES as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ValueError(
            f"load: {name} is not a file that tinygrad_rnn.save wrote, or is damaged: "
            f"{_short(reason)}"
        ) from (error if len(reason) <= _LONGEST_REASON else None)


def _short(reason: str) -> str:
    """What is said of a file, which may have been made to say much."""
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    names = [member.filename for member in members]
    if any(name.endswith("data.pkl") for name in names):
        raise ValueError(
            "it is a file of PyTorch's, with pickles, which could execute code. Use "
            "torch.load(…, weights_only=True) and testing.from_torch"
        )
    if names[:1] != [_STRUCTURE]:
        raise ValueError(f"it does not begin with {_STRUCTURE}")
    if names[1:] != [f"{i}.npy" for i in range(len(names) - 1)]:
        raise ValueError("its arrays are not numbered from 0 on")
    plain = all(
        member.compress_type == zipfile.ZIP_STORED
        and member.compress_size == member.file_size
        and not member.flag_bits & 1  # encrypted
        for member in members
    )
    if not plain or sum(member.file_size for member in members) > size:
        raise ValueError("its members are compressed, encrypted or longer than the file")
    if members[0].header_offset:
        raise ValueError("there is something else before it")


def _check_version(structure: Any) -> None:
    if not isinstance(structure, dict) or structure.get("format") != FORMAT:
        raise ValueError(f"{_STRUCTURE} does not say that this is the format")
    if structure["version"] != VERSION:
        raise ValueError(
            f"its format has the version {structure['version']!r:.20}, and this release of "
            f"tinygrad_rnn reads version {VERSION}"
        )


def _array_of(data: bytes) -> Array:
    """A new array from a file in NumPy's format."""
    header = _HEADER.match(data)
    if header is None:
        raise ValueError("an array has a wrong header")
    dtype = np.dtype(header[1].decode())
    shape = tuple(int(n) for n in header[2].split(b",") if n.strip())
    if header.end() + math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array of shape {shape!s:.60} and {dtype} has a wrong length")
    return np.ndarray(shape, dtype, data, header.end()).copy()


def _tensor_of(array: Array, requires_grad: bool, is_parameter: bool) -> Tensor:
    tensor: Tensor = from_numpy(array)
    if is_parameter:
        return Parameter(tensor, requires_grad)
    return tensor.requires_grad_(requires_grad)


class _Decoder:
    """Turns JSON into what was saved, given its tensors, arrays and still empty objects."""

    def __init__(
        self, arrays: list[Array], tensors: list[Tensor], made: list[Any], weights_only: bool
    ) -> None:
        self.arrays, self.tensors, self.made = arrays, tensors, made
        self.weights_only = weights_only

    def decoded(self, x: Any, depth: int = 0, is_key: bool = False) -> Any:
        if depth > _DEPTH:
            raise ValueError("it is nested too deeply")
        depth += 1
        match x:
            case None | bool() | int() | float() | str():
                return x
            case list():
                for i, item in enumerate(x):  # in its place: there are not two of it at a time
                    x[i] = self.decoded(item, depth, is_key)
                return x
            case {"tuple": list(items)}:
                return tuple([self.decoded(item, depth, is_key) for item in items])
            case {"set": list(items)}:
                return set(self._hashed([self.decoded(item, depth, True) for item in items]))
            case {"dict": list(pairs)}:
                return dict(self._entries(pairs, depth))
            case {"OrderedDict": list(pairs)}:
                return OrderedDict(self._entries(pairs, depth))
            case {"int": str(digits)}:
                return int(digits, 16)
            case {"float": "nan" | "inf" | "-inf" as number}:
                return float(number)
            case {"dtype": str(name)}:
                return kinds.kind_of(as_dtype(name))
            case {"tensor": int(i)}:
                return self.tensors[i]
            case {"array": int(i)}:
                return self.arrays[i]
            case {"scalar": int(i)}:
                return self.arrays[i][()]
            case {"object": int(i)} if not is_key:  # whose hash might ask for its attributes
                return self.made[i]
            case {"named": [str(module), str(name)]}:
                return objects.function(module, name, self.weights_only)
        raise ValueError(f"{x!r:.60} is of no known kind")

    def _entries(self, pairs: list[Any], depth: int) -> list[tuple[Any, Any]]:
        keys = self._hashed([self.decoded(key, depth, True) for key, _ in pairs])
        values = [self.decoded(value, depth) for _, value in pairs]
        return list(zip(keys, values, strict=True))

    @staticmethod
    def _hashed(keys: list[Any]) -> list[Any]:
        if len(keys) > 2 * len({hash(key) for key in keys}) + _SAME_HASH:
            raise ValueError("the keys of a dict were made to have the same hash")
        return keys


# -- safetensors --


def _is_safetensors(f: Any) -> bool:
    return Path(f).suffix == ".safetensors"  # not that of the file which a link leads to


def _safetensors() -> Any:
    try:
        return import_module("safetensors.numpy")
    except ImportError:
        raise ImportError(
            "files that end in .safetensors need: pip install tinygrad_rnn[safetensors]"
        ) from None


def _safetensors_of(obj: Any) -> bytes:
    if not isinstance(obj, dict) or not all(isinstance(key, str) for key in obj):
        raise TypeError(
            f"save: a .safetensors file takes a dict of tensors by name, got {obj!r:.60}; files "
            "of another name take more"
        )
    arrays = {}
    for key, value in obj.items():
        if not isinstance(value, Tensor | np.ndarray):
            raise TypeError(
                f"save: a .safetensors file takes tensors only, and {key!r} is "
                f"{type(value).__name__}; files of another name take more"
            )
        array = raw(value)
        arrays[key] = np.asarray(array, as_dtype(array.dtype), order="C")
    return bytes(_safetensors().save(arrays))


def _from_safetensors(data: bytes, path: Path) -> dict[str, Tensor]:
    library = _safetensors()
    try:
        return {name: from_numpy(array.copy()) for name, array in library.load(data).items()}
    except KeyError as error:
        raise ValueError(
            f"load: {path} has tensors of {error!s:.60}, a type not supported"
        ) from error
    except (*_FAILURES, import_module("safetensors").SafetensorError) as error:
        reason = str(error)
        raise ValueError(f"load: {path} is not a .safetensors file: {_short(reason)}") from (
            error if len(reason) <= _LONGEST_REASON else None
        )

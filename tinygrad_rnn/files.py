"""Writing files: whole or not at all.

Whatever interrupts it, there is the old file or the new one, and never half of one: the new one is
written beside the old one, under another name, and takes its place when it is complete.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where nobody can remove a file that is open
    fcntl = None  # type: ignore[assignment]

_MOST_LINKS = 40  # one after the other: as many as Linux follows
_OPEN_FILES = ("/proc", "/dev/fd")  # /dev/stdout leads there: what stands in them is open already


def write(path: str | os.PathLike[str], contents: str | bytes) -> None:
    """Write a file, all or nothing; text as UTF-8.

    A link is followed.  What is no plain file, such as ``/dev/stdout`` or a pipe, is written to
    directly.  A file that is replaced keeps its mode, and a new one gets that of any new file.

    Parameters
    ----------
    path : path
    contents : str or bytes

    Raises
    ------
    OSError
        Of the kind that ``open(path, "w")`` raises, with the path as its ``filename``, also if the
        disk is full; whatever was there before is as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     write(f"{directory}/a.txt", "h₁")
    ...     Path(directory, "a.txt").read_text(encoding="utf-8")
    'h₁'
    """
    data = contents.encode("utf-8") if isinstance(contents, str) else contents
    with _naming(path):
        goal = writable(path)
        if goal is None:
            with open(path, "wb") as file:
                file.write(data)
        else:
            _replace(goal, data)


def writable(path: str | os.PathLike[str]) -> Path | None:
    """Where a file would be written, behind all links; None if `path` is no plain file.

    Raises
    ------
    OSError
        If it cannot be: a directory, no directory to be in, a circle of links, no permission.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     writable(f"{directory}/a/b.svg")
    Traceback (most recent call last):
        ...
    FileNotFoundError: [Errno 2] No such file or directory: there is no directory ...
    """
    goal = Path(path)
    for _ in range(_MOST_LINKS):
        parent = os.path.realpath(goal.parent)
        if parent.startswith(_OPEN_FILES):
            return None
        if not goal.is_symlink():
            break
        goal = Path(parent, os.readlink(goal))
    try:
        mode = os.stat(path).st_mode  # which also refuses a circle of links
    except FileNotFoundError:
        if not goal.parent.is_dir():
            said = f"{os.strerror(errno.ENOENT)}: there is no directory {goal.parent}"
            raise FileNotFoundError(errno.ENOENT, said, os.fspath(path)) from None
        return goal
    if stat.S_ISDIR(mode):
        raise _error(errno.EISDIR, path)
    if not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise _error(errno.EACCES, path)
    return goal if stat.S_ISREG(mode) else None


def _error(number: int, path: str | os.PathLike[str]) -> OSError:
    return OSError(number, os.strerror(number), os.fspath(path))


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Errors name the file that is wanted: not its temporary one, nor none at all."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def _replace(path: Path, data: bytes, private: bool = False) -> None:
    """Write a file beside the one at this path, and put it in its place when it is complete."""
    start = f".{blake2b(os.fsencode(path.name), digest_size=8).hexdigest()}-"
    _clear(path.parent, start)
    descriptor, temporary = _new(path, start, private)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if fcntl is None:
                file.close()
            os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def _new(path: Path, start: str, private: bool) -> tuple[int, Path]:
    """An empty file for what will be at ``path``, locked as long as it is open, so that others see
    that it is alive; only those can read it who can read what it will replace, or nobody else.
    """
    old = path.stat() if path.exists() and not private else None
    while True:
        temporary = path.with_name(f"{start}{secrets.token_hex(4)}.tmp")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(temporary, flags, 0o666 if old is None and not private else 0o600)
        try:
            if _locked(descriptor, wait=True) and not os.fstat(descriptor).st_nlink:
                os.close(descriptor)  # somebody cleared it before it was locked: another one
                continue
            if old is not None:
                _like(old, temporary)
        except BaseException:
            os.close(descriptor)
            with suppress(FileNotFoundError):
                temporary.unlink()
            raise
        return descriptor, temporary


def _like(old: os.stat_result, path: Path) -> None:
    """Give a file the owner and the mode of another one, as far as one may."""
    new = path.stat()
    for owner in (old.st_uid, -1):  # not everyone may give a file away, but to a group
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            with suppress(PermissionError):
                os.chown(path, owner, old.st_gid)
                break
    os.chmod(path, stat.S_IMODE(old.st_mode))


def _clear(directory: Path, start: str) -> None:
    """Remove what killed processes left of a file: what begins so, and nobody has locked."""
    with os.scandir(directory) as entries:
        left = [e.path for e in entries if e.name.startswith(start) and e.name.endswith(".tmp")]
    for path in left:
        with suppress(OSError):
            if fcntl is None:
                os.unlink(path)
                continue
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            try:
                if _locked(descriptor, wait=False):
                    os.unlink(path)
            finally:
                os.close(descriptor)


def _locked(descriptor: int, wait: bool) -> bool:
    """Lock an open file; False if another has locked it, or it cannot be locked at all."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


# -- what can be made again ------------------------------------------------------------------------


def cache_folder() -> Path:
    """Where the system wants programs to keep what they can make again; it is made if need be.

    Raises
    ------
    OSError
        If there is no such folder, or others than this user could write in it.
    """
    folder = _caches() / "tinygrad_rnn"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_ours(folder.stat()):
        raise OSError(errno.EACCES, "others than this user can write in it", os.fspath(folder))
    return folder


def _caches() -> Path:
    """The user's folder for the caches of all programs."""
    told = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if told.is_absolute():  # any other is to be ignored, says the standard
        return told
    parts = {"win32": ("AppData", "Local"), "darwin": ("Library", "Caches")}
    try:
        return Path.home().joinpath(*parts.get(sys.platform, (".cache",)))
    except RuntimeError as error:  # nobody has said where that is
        raise OSError(errno.ENOENT, str(error)) from error


def kept(name: str) -> bytes | None:
    """What a file in the cache holds: None if it is not there, or anybody else can have written it.

    Examples
    --------
    >>> kept("what nobody kept") is None
    True
    """
    try:
        with open(cache_folder() / name, "rb") as file:
            ours = _is_ours(os.fstat(file.fileno()))
            return file.read() if ours else None
    except OSError:
        return None


def keep(name: str, contents: bytes) -> Path:
    """Put a file into the cache, for this user alone; returns its path.

    Raises
    ------
    OSError
        If it cannot be kept.
    """
    path = cache_folder() / name
    _replace(path, contents, private=True)
    return path


def _is_ours(found: os.stat_result) -> bool:
    """Whether something is this user's, and nobody else can write to it."""
    if sys.platform == "win32":  # where the folder of a user is closed to others
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)

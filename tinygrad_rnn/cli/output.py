"""What the command line says, and standard output that is read no longer, or cannot be written."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress


def is_broken_pipe(error: OSError) -> bool:
    """Whether an error says that the reader of standard output, such as head, has seen enough.

    Examples
    --------
    >>> is_broken_pipe(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    True
    >>> is_broken_pipe(OSError(errno.ENOSPC, "No space left on device"))
    False
    """
    if isinstance(error, BrokenPipeError):
        return True
    # Windows says "invalid argument"
    return sys.platform == "win32" and error.errno == errno.EINVAL and error.filename is None


def give_up() -> None:
    """Let what is not yet written go nowhere: Python would try again at its end, and complain."""
    if sys.stdout is None:
        return
    with suppress(OSError):  # what stands in for it need not be a file
        descriptor = sys.stdout.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def refused(why: str) -> int:
    """Say why something cannot be done; the exit status of that."""
    print(f"tinygrad-rnn: error: {why}", file=sys.stderr)
    return 2

"""What a shell offers when Tab is pressed: argcomplete asks the parser, which knows it all."""

from __future__ import annotations

import argparse
import os
from importlib import import_module
from types import ModuleType
from typing import Any

SHELLS = ("bash", "zsh", "fish")
_ASKING = "_ARGCOMPLETE"  # what the shell's part sets when it asks for completions


def script(shell: str) -> str:
    """What a shell has to read once, so that it completes ``tinygrad-rnn …``.

    Parameters
    ----------
    shell : str
        "bash", "zsh" or "fish".

    Raises
    ------
    RuntimeError
        If argcomplete is not installed.

    Examples
    --------
    >>> "_python_argcomplete tinygrad-rnn" in script("bash")
    True
    """
    return str(_library().shellcode(["tinygrad-rnn"], shell=shell))


def answer(parser: argparse.ArgumentParser) -> None:
    """If it is a shell that asks for completions, print them and leave; else do nothing."""
    if _ASKING in os.environ:
        _library().autocomplete(parser)


def offer_operations(argument: argparse.Action) -> None:
    """Complete an argument by the names of operations."""

    def names(**_: Any) -> list[str]:
        from tinygrad_rnn.testing.cases import CASES

        return sorted(CASES)

    argument.completer = names  # type: ignore[attr-defined]


def _library() -> ModuleType:
    try:
        return import_module("argcomplete")
    except ImportError as error:
        raise RuntimeError(
            "completion in the shell needs: pip install 'tinygrad_rnn[completion]'"
        ) from error

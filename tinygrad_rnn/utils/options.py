"""What a script may be told on the command line, stated once and with defaults."""

from __future__ import annotations

import argparse
import inspect
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_KINDS = (bool, int, float, str)


def options(**stated: Any) -> SimpleNamespace:
    """The numbers and texts that a script works with: its defaults, or what its user says.

    Run as ``python script.py --epochs 5`` the caller gets what the command line says, and
    ``--help`` prints the script's docstring with a list of what there is. In a notebook, in a
    gallery, or imported, it gets the defaults.

    Parameters
    ----------
    **stated : bool, int, float or str, or a pair of one and what it means
        The default of each option, whose type what is given must have. A bool is a switch,
        ``--live`` or ``--no-live``; ``hidden_size`` is called ``--hidden-size``.

    Returns
    -------
    types.SimpleNamespace
        An attribute for each option.

    Raises
    ------
    TypeError
        If a default is something else.
    SystemExit
        After ``--help``, or if the command line is not understood: argparse says why.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> settings = tg.utils.options(epochs=(20, "passes over the text"), rate=0.1)
    >>> settings.epochs, settings.rate
    (20, 0.1)
    """
    frame = inspect.currentframe()
    caller = frame.f_back.f_globals if frame is not None and frame.f_back is not None else {}
    parser = argparse.ArgumentParser(
        description=caller.get("__doc__"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for name, given in stated.items():
        _add(parser, name, given)
    return SimpleNamespace(**vars(parser.parse_args(_meant_for(caller))))


def _add(parser: argparse.ArgumentParser, name: str, given: Any) -> None:
    pair = given if isinstance(given, tuple) else (given, "")
    if len(pair) != 2 or type(pair[0]) not in _KINDS or not isinstance(pair[1], str):
        raise TypeError(
            f"options: {name} must be a bool, int, float or str, or a pair of one and what it "
            f"means, got {given!r}"
        )
    default, meaning = pair
    kind: dict[str, Any] = {"type": type(default), "metavar": type(default).__name__}
    if isinstance(default, bool):
        kind = {"action": argparse.BooleanOptionalAction}
    said = f"default: {default}" if default != "" else ""
    text = "; ".join(filter(None, [meaning, said])).replace("%", "%%")
    parser.add_argument(f"--{name.replace('_', '-')}", default=default, help=text, **kind)


def _meant_for(caller: dict[str, Any]) -> list[str]:
    """The command line, if it is the caller's: what a kernel or a test runner was told is not."""
    file = caller.get("__file__")
    if caller.get("__name__") != "__main__" or file is None:
        return []
    return sys.argv[1:] if Path(sys.argv[0]).name == Path(file).name else []

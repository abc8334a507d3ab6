"""Comparing texts that hold numbers: pictures, pages, tables, what a program prints.

Processors round otherwise, and what is rounded to two digits may then differ by a whole unit of
the last one, as 2.8e-5 and 2.9e-5 do. So words, marks, whole numbers and the order of everything
must be the same, and other numbers near each other. Whatever compares such texts comes here.
"""

from __future__ import annotations

import math
import re

NUMBER = r"[-−]?(?:\d+\.?\d*|\.\d+)(?:e[-+−]?\d+)?"
COLOUR = r"#[0-9A-Fa-f]{6}\b"
DIGEST = r"sha256-[\w+/]+=*"  # of a text that holds numbers: it says no more than they do
TOKEN = re.compile(f"{DIGEST}|{COLOUR}|{NUMBER}")
SHADE = 2  # of 255: what a colour that stands for a number may differ by
RTOL, ATOL = 1e-5, 1e-12


def assert_alike(made: str, expected: str, *, rtol: float = RTOL, what: str = "") -> None:
    """Two texts are the same but for the last digits of their numbers.

    Parameters
    ----------
    made, expected : str
        The texts.
    rtol : float
        How much of a number may differ, if that is more than a unit of its last written digit.
    what : str
        What to call them if they are not alike.
    """
    lines = list(zip(made.splitlines(), expected.splitlines(), strict=False))
    for number, (line, wanted) in enumerate(lines, 1):
        fault = difference(line, wanted, rtol)
        assert not fault, f"{what} line {number}: {fault}\n  {line[:300]}\n  {wanted[:300]}"
    counts = [len(text.splitlines()) for text in (made, expected)]
    assert counts[0] == counts[1], f"{what} has {counts[0]} lines, not {counts[1]}"


def difference(line: str, wanted: str, rtol: float = RTOL) -> str:
    """In what two lines differ; nothing if they are alike."""
    if line == wanted:
        return ""
    if TOKEN.sub("0", line) != TOKEN.sub("0", wanted):
        return "other words"
    pairs = zip(TOKEN.findall(line), TOKEN.findall(wanted), strict=True)
    return ", ".join(f"{a} is not {b}" for a, b in pairs if not _near(a, b, rtol))


def holds(text: str, part: str) -> bool:
    """Whether a text has a part, but for the last digits of its numbers."""
    pattern = f"(?:{TOKEN.pattern})".join(map(re.escape, TOKEN.split(part)))
    return any(not difference(found.group(), part) for found in re.finditer(pattern, text))


def _near(a: str, b: str, rtol: float) -> bool:
    if a == b:
        return True
    if a[0] == "s" or b[0] == "s":
        return a[0] == b[0]
    if a[0] == "#" or b[0] == "#":
        return a[0] == b[0] and all(abs(x - y) <= SHADE for x, y in zip(_channels(a), _channels(b)))
    if _is_whole(a) and _is_whole(b):
        return False
    x, y = _value(a), _value(b)
    if x == y:
        return x == 0  # the same number, written otherwise: −0.0 beside 0.0 is only rounding
    unit = min(_unit(a), _unit(b))
    return math.isclose(x, y, rel_tol=rtol, abs_tol=max(1.001 * unit, ATOL))


def _channels(colour: str) -> bytes:
    return bytes.fromhex(colour[1:])


def _is_whole(number: str) -> bool:
    return not set(number[:-1]) & set(".e")  # also "3." at the end of a sentence


def _value(number: str) -> float:
    return float(number.replace("−", "-"))


def _unit(number: str) -> float:
    """What one in the last written digit is worth."""
    digits, _, exponent = number.replace("−", "-").partition("e")
    return 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))

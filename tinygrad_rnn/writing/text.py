"""Safe lines of text; results as tables: aligned in terminals, and as HTML in notebooks."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

LONGEST_NAME = 60
_MOST_MARKS = 3  # on one letter
LEFT_TO_RIGHT = "\u200e"  # an invisible letter of a script that reads from left to right


def width(text: str) -> int:
    """How many columns a terminal gives to a text: combining marks none, East Asian two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    r"""One line without control, bidirectional or unpaired characters, cut if it is long.

    Such characters could break the file, or make it read differently from what it says; so could
    marks without a letter, or a tower of them.  What reads from right to left gets an invisible
    mark at its end that keeps a formula round it in order.

    Examples
    --------
    >>> clean("two\nlines\u202e!")
    'two lines!'
    """
    return _cleaned(text, longest)


@lru_cache(4096)  # a net has few names, and as many tensors of each as it has steps
def _cleaned(text: str, longest: int) -> str:
    line, marks = "", _MOST_MARKS
    for c in text:
        c = " " if c.isspace() else c
        if unicodedata.category(c).startswith("C"):
            continue
        marks = marks + 1 if unicodedata.combining(c) else _MOST_MARKS if c == " " else 0
        if marks <= _MOST_MARKS:
            line += c
    line = cut(" ".join(line.split()), longest)
    from_right = any(unicodedata.bidirectional(c) in ("R", "AL") for c in line)
    return line + LEFT_TO_RIGHT if from_right else line


def cut(text: str, longest: int) -> str:
    """The text, of at most so many characters, the last of them an ellipsis where more follow.

    Examples
    --------
    >>> cut("a long name", 7)
    'a long…'
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = (), indent: str = "  ") -> str:
    """Rows of cells as aligned columns; the columns in ``right`` are aligned at their right end.

    Examples
    --------
    >>> print(table([["t", "h"], ["1", "0.537"], ["10", "-0.2"]], right=[0, 1]))
       t      h
       1  0.537
      10   -0.2
    """
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for i, (cell, size) in enumerate(zip(row, widths, strict=True)):
            blank = " " * (size - width(cell))
            cells.append(blank + cell if i in right else cell + blank)
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def html_table(rows: Sequence[Sequence[str]], heading: str = "", right: Sequence[int] = ()) -> str:
    """The same as HTML: the header first; the columns in ``right`` are aligned at their right end.

    Examples
    --------
    >>> print(html_table([["t", "h"], ["1", "< 1"]], "States", right=[1]))
    <table>
    <caption>States</caption>
    <thead><tr><th style="text-align: left">t</th><th style="text-align: right">h</th></tr></thead>
    <tbody>
    <tr><td style="text-align: left">1</td><td style="text-align: right">&lt; 1</td></tr>
    </tbody>
    </table>
    """

    def cells(row: Sequence[str], tag: str) -> str:
        sides = ["right" if i in right else "left" for i in range(len(row))]
        marked = (
            f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>'
            for side, cell in zip(sides, row, strict=True)
        )
        return f"<tr>{''.join(marked)}</tr>"

    head, *body = rows
    lines = [f"<caption>{html.escape(heading)}</caption>"] if heading else []
    lines.append(f"<thead>{cells(head, 'th')}</thead>")
    lines += ["<tbody>", *(cells(row, "td") for row in body), "</tbody>"]
    return "\n".join(["<table>", *lines, "</table>"])


def folded(rows: list[list[str]], longest: int = 20) -> list[list[str]]:
    """Rows of a table; of more than ``longest`` the first three, the last five, and … between.

    Examples
    --------
    >>> folded([[str(t)] for t in range(100)])
    [['0'], ['1'], ['2'], ['…'], ['95'], ['96'], ['97'], ['98'], ['99']]
    """
    if len(rows) <= longest:
        return rows
    return [*rows[:3], ["…"] * len(rows[0]), *rows[-5:]]


class Report:
    """A result that prints as an aligned table, and that notebooks show as one.

    A subclass has ``rows``, and may have ``heading`` and ``numeric``: constants or properties.

    Examples
    --------
    >>> class Norms(Report):
    ...     heading = "Gradient norms"
    ...     numeric = (1,)
    ...
    ...     def rows(self):
    ...         return [["t", "norm"], ["1", "0.5"], ["2", "0.25"]]
    >>> print(Norms())
    Gradient norms
      t  norm
      1   0.5
      2  0.25
    """

    @property
    def heading(self) -> str:
        """What stands above the table."""
        return ""

    @property
    def numeric(self) -> Sequence[int]:
        """The columns that are aligned at their right end."""
        return ()

    def rows(self) -> list[list[str]]:
        """The table's rows of cells, its header first."""
        raise NotImplementedError

    def __str__(self) -> str:
        lines = [self.heading] if self.heading else []
        return "\n".join([*lines, table(self.rows(), right=self.numeric)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return html_table(self.rows(), self.heading, self.numeric)


class Code(str):
    """The text of a Python program, which notebooks show in colours.

    Examples
    --------
    >>> print(Code("h = 1")._repr_markdown_())
    ```python
    h = 1
    ```
    """

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        return f"```python\n{self.rstrip()}\n```"

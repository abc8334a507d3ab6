"""What an answer is worth: the rules by which worksheets check themselves, and marks are given.

They stand here twice, side by side: for the engine, which marks what was handed in, and as formulas
of the sheet `LISTED`, which has a row for each number that is asked for.

An answer is right if it is near enough to the number that is asked for, and it follows if it is
what the rule makes of the student's own earlier numbers.  Many rules hand a number on unchanged, so
that one number in every blank follows from itself here and there.  Therefore nothing follows from a
filler: a number that neither is right nor follows in several tasks, in place of different answers,
or that is all that somebody has written.  One mistake, even if it is made again at each time step,
is none: it stands in one task, or where the answers are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinygrad_rnn.bptt.exercises import SMALL, allowance

ANSWERS, FOLLOWS, LISTED = "answers", "follows", "listed"
"""The sheets with answers, what follows by the rules, and what is compared."""
RIGHT, FOLLOWING, WRONG, NOT_YET, NO_NUMBER = "right", "follows", "wrong", "not yet", "no number"
STRAY = "stray"
"""Neither right nor by the rule, not even as a zero that follows from zeros."""
_NONE = "1E+300"  # in place of a number, where there is none


@dataclass(frozen=True)
class Asked:
    """One number that is asked for: the number of its task, and the answer."""

    task: int
    answer: float


def checks(
    asked: Mapping[str, Asked],
    given: Mapping[str, float],
    follows: Mapping[str, float],
    tolerance: float,
) -> dict[str, str]:
    """What each number that was filled in is worth.

    Parameters
    ----------
    asked : mapping of Asked, by cell
    given, follows : mappings of float, by cell
        What the student has written, and what follows by the rules from that; of what is not known
        there is nothing.
    tolerance : float

    Returns
    -------
    dict of str, by cell
        "right", "follows" or "wrong", for all cells of ``given``.

    Examples
    --------
    >>> asked = {"A1": Asked(1, 0.5), "A2": Asked(2, 0.5), "A3": Asked(3, 0.8)}
    >>> follows = {"A2": 7.0}
    >>> list(checks(asked, {"A1": 7.0, "A2": 7.0, "A3": 0.8}, follows, 0.02).values())
    ['wrong', 'follows', 'right']
    >>> list(checks(asked, {"A1": 7.0, "A2": 7.0, "A3": 7.0}, follows, 0.02).values())
    ['wrong', 'wrong', 'wrong']
    """

    def near(x: float, to: float) -> bool:
        return abs(x - to) <= allowance(to, tolerance)

    def alone(cell: str) -> str:
        x, by_rule = given[cell], follows.get(cell)
        if near(x, asked[cell].answer):
            return RIGHT
        if by_rule is None or not near(x, by_rule):
            return STRAY
        return FOLLOWING if abs(by_rule) > tolerance * SMALL else WRONG  # zero is no achievement

    def is_again(other: str, one: str) -> bool:
        """Whether two numbers are the same where they should not be."""
        apart = asked[other].task != asked[one].task
        differ = not near(asked[other].answer, asked[one].answer)
        return apart and differ and near(given[other], given[one])

    said = {cell: alone(cell) for cell in given}
    strays = [cell for cell, verdict in said.items() if verdict == STRAY]
    fillers = [given[one] for one in strays if any(is_again(other, one) for other in strays)]
    for cell, verdict in said.items():
        x = given[cell]
        is_filler = any(near(filler, x) for filler in fillers)
        if verdict == STRAY or (
            verdict == FOLLOWING and (is_filler or all(near(y, x) for y in given.values()))
        ):
            said[cell] = WRONG
    return said


class Checking:
    """The same as formulas: of the sheet `LISTED`, which has five columns.

    These are the task, the number that was given, the answer, what it is worth by itself, and how
    often the like of a stray number is stray elsewhere.

    Parameters
    ----------
    cells : sequence of str
        Where the numbers are asked for, in the order of the rows.
    asked : mapping of Asked, by cell
    walk : str
        The sheet with what the student has written.
    tolerance : float
    """

    def __init__(
        self, cells: Sequence[str], asked: Mapping[str, Asked], walk: str, tolerance: float
    ) -> None:
        self.asked, self.walk, self.tolerance = asked, walk, tolerance
        self.row = {cell: i for i, cell in enumerate(cells, 1)}
        self._tasks, self._given, self._answers, self._alone, self._fillers = (
            f"{LISTED}!${column}$1:${column}${len(cells)}" for column in "ABCDE"
        )

    def line(self, cell: str) -> list[float | str]:
        """The row of a number, numbers and formulas."""
        asked, row, given = self.asked[cell], self.row[cell], f"{self.walk}!{cell}"
        is_like_it = (
            f'({self._alone}="{STRAY}")*({self._near(self._given, f"$B{row}")})'
            f"*({self._tasks}<>$A{row})*(1-({self._near(self._answers, f'$C{row}')}))"
        )
        return [
            asked.task,
            f"=IF(ISNUMBER({given}),{given},{_NONE})",
            asked.answer,
            self._by_itself(cell),
            f'=IF($D{row}="{STRAY}",SUMPRODUCT({is_like_it}),0)',
        ]

    def verdict(self, cell: str) -> str:
        """What a number is worth, all in all."""
        row = self.row[cell]
        x, alone = f"{LISTED}!$B${row}", f"{LISTED}!$D${row}"
        near = self._near(self._given, x)
        is_filler = f"SUMPRODUCT(({near})*({self._fillers}>0))>0"
        is_all = f"SUMPRODUCT(({self._given}<{_NONE})*(1-({near})))=0"
        return (
            f'=IF({alone}="{STRAY}","{WRONG}",IF({alone}="{FOLLOWING}",'
            f'IF(OR({is_filler},{is_all}),"{WRONG}",{alone}),{alone}))'
        )

    def _by_itself(self, cell: str) -> str:
        given, right, follows = (f"{sheet}!{cell}" for sheet in (self.walk, ANSWERS, FOLLOWS))
        near = _number(allowance(self.asked[cell].answer, self.tolerance))
        least = _number(self.tolerance * SMALL)
        return (
            f'=IF(ISBLANK({given}),"{NOT_YET}",IF(NOT(ISNUMBER({given})),"{NO_NUMBER}",'
            f'IF(ABS({given}-{right})<={near},"{RIGHT}",IF(NOT(ISNUMBER({follows})),"{STRAY}",'
            f"IF({self._near(given, follows)},"
            f'IF(ABS({follows})>{least},"{FOLLOWING}","{WRONG}"),"{STRAY}")))))'
        )

    def _near(self, x: str, to: str) -> str:
        """As `allowance` has it; without MAX, which of a range would make one number."""
        part, least = _number(self.tolerance), _number(self.tolerance * SMALL)
        return f"ABS({x}-{to})<=IF(ABS({to})>{_number(SMALL)},{part}*ABS({to}),{least})"


def _number(x: float) -> str:
    """A number as formulas have it."""
    return f"{x:.12g}".upper()

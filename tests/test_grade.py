"""Worksheets as spreadsheets: what they show and hide, how they check themselves, the marks."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from functools import cache

import numpy as np
import pytest

pytest.importorskip("xlsxwriter", reason="pip install 'tinygrad_rnn[spreadsheet]'")
openpyxl = pytest.importorskip("openpyxl", reason="pip install 'tinygrad_rnn[spreadsheet]'")

import random_loops  # noqa: E402
from sheets import NETS, SOFFICE, WALK, calculated  # noqa: E402

import tinygrad_rnn as tg  # noqa: E402
from tinygrad_rnn import bptt, cli  # noqa: E402
from tinygrad_rnn.bptt.exercises import allowance  # noqa: E402
from tinygrad_rnn.bptt.sheets.checking import (  # noqa: E402
    ANSWERS,
    FOLLOWING,
    FOLLOWS,
    LISTED,
    RIGHT,
    WRONG,
    Asked,
    checks,
)
from tinygrad_rnn.bptt.sheets.grading import _Marked  # noqa: E402
from tinygrad_rnn.bptt.sheets.lines import computed  # noqa: E402
from tinygrad_rnn.bptt.sheets.plan import planned  # noqa: E402
from tinygrad_rnn.bptt.sheets.reading import loaded  # noqa: E402
from tinygrad_rnn.bptt.sheets.worksheets import (  # noqa: E402
    CHECKS,
    EXERCISE,
    KEPT,
    Asking,
    _chunks,
    unpacked,
)
from tinygrad_rnn.cli import demo  # noqa: E402

needs_soffice = pytest.mark.skipif(SOFFICE is None, reason="needs LibreOffice: libreoffice-calc")
HIDDEN = (CHECKS, ANSWERS, FOLLOWS, LISTED, KEPT)
ASKED = {  # of nets: what is hidden
    "by hand": "gradients",
    "rnn": "values",
    "lstm": ("gradients", 2),
    "own cell": ("values", "gradients"),
    "attention": "gradients",
    "classes": ("values", "gradients"),
    "gru, both directions": ("h", "gradients"),
    "skip": ("gradients", 2),
}

CALCULATED = ("by hand", "lstm", "own cell", "skip")


def two_steps():
    return bptt.record(demo.forward()[2])


def walk_of(name):
    tg.manual_seed(1)
    with bptt.keep_values():
        loop = random_loops.program(name, 3, tg)[0] if name in random_loops.KINDS else None
        return bptt.record(NETS[name]() if loop is None else loop)


def written(name, into, **options):
    """A worksheet, and what it asks for."""
    walk = walk_of(name)
    path = bptt.worksheet(walk, into / f"{name}.xlsx".replace(",", ""), ASKED[name], **options)
    return path, kept_in(path)


def kept_in(path):
    return unpacked([row[0].value for row in openpyxl.load_workbook(path)[KEPT].iter_rows()])


def answers_of(kept):
    return {
        cell: number
        for task in kept["tasks"]
        for cell, number in zip(task["cells"], task["answers"], strict=True)
    }


def filled(path, into, cells, sheet=WALK):
    """A copy with something in some cells, as a program that computes nothing saves it."""
    book = openpyxl.load_workbook(path)
    for cell, value in cells.items():
        book[sheet][cell] = value
    book.save(into)
    return into


# -- what it shows --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rnn", "attention", "classes", "skip", "gru, both directions"])
def test_a_worksheet_shows_nothing_that_it_asks_for(name, tmp_path):
    path, kept = written(name, tmp_path, seed=1)
    asked, shown = answers_of(kept), openpyxl.load_workbook(path, data_only=True)
    typed = openpyxl.load_workbook(path)
    walk = bptt.exercise(walk_of(name), ASKED[name], seed=1)
    assert [task["name"] for task in kept["tasks"]] == [task.name for task in walk.tasks]
    assert sum(task.points for task in walk.tasks) == len(asked)
    for cell in asked:
        assert typed[WALK][cell].value is None
        assert not typed[WALK][cell].protection.locked
    numbers = [
        cell for row in shown[WALK].iter_rows() for cell in row
        if isinstance(cell.value, int | float)
    ]  # fmt: skip
    given = set(kept["given"]) | {c for cells, _ in kept["formulas"].values() for c in cells}
    assert {cell.coordinate for cell in numbers} <= given | {"A3"}  # A3: the loss, where known
    assert all(cell.protection.locked for cell in numbers)
    hidden = {sheet.title: sheet.sheet_state for sheet in typed}
    assert hidden == {EXERCISE: "visible", WALK: "visible", **dict.fromkeys(HIDDEN, "veryHidden")}
    assert all(sheet.protection.sheet for sheet in typed)


def test_into_blanks_go_numbers(tmp_path):
    """Into those for workings as well; what is given is locked, and expects nothing."""
    path, kept = written("by hand", tmp_path)
    sheet = openpyxl.load_workbook(path)[WALK]
    told = {
        cell.coordinate: told
        for told in sheet.data_validations.dataValidation
        for area in told.sqref.ranges
        for row in sheet.iter_rows(area.min_row, area.max_row, area.min_col, area.max_col)
        for cell in row
    }
    assert {each.type for each in told.values()} == {"decimal"}
    assert all(each.error.startswith("This must be a number") for each in told.values())
    assert told.keys() > answers_of(kept).keys()
    assert not any(sheet[cell].protection.locked for cell in told)


def test_what_is_computed_of_a_blank_waits_for_it(tmp_path):
    path = bptt.worksheet(two_steps(), tmp_path / "a.xlsx", "h₁", nice=True)
    typed, shown = loaded(path)
    plan = planned(two_steps())
    cell = {(block.title): str(block.cell(0)) for block in plan.blocks}
    assert typed[WALK][cell["hx₂"]].value.startswith("=IF(COUNT(")
    assert not shown[WALK][cell["y₂"]].value
    assert isinstance(shown[WALK][cell["y₁"]].value, float) is False  # it comes of h₁, too
    assert shown[WALK][cell["a₁"]].value
    assert not shown[WALK]["A3"].value  # the loss


def test_hints_may_be_left_out(tmp_path):
    for hints in (True, False):
        path = bptt.worksheet(two_steps(), tmp_path / "a.xlsx", hints=hints)
        with zipfile.ZipFile(path) as archive:
            inside = "".join(archive.read(n).decode() for n in archive.namelist() if "xml" in n)
        assert ("(1 − h₂²)" in inside) == hints


def test_names_are_no_formulas(tmp_path):
    w = tg.tensor([0.5], requires_grad=True).named("=1+1")
    x = tg.tensor([2.0], requires_grad=True).named("@SUM(A1)<&\"'")
    path = bptt.worksheet(bptt.record(tg.tanh(w * x).named("-2").sum()), tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(path)
    for sheet in (book[EXERCISE], book[WALK]):
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert "1+1" not in cell.value
                    assert "SUM(A1)" not in cell.value
    assert bptt.grade(path).grades[0].of == len(answers_of(kept_in(path)))


@pytest.mark.parametrize("name", ["a.html", "a.pdf", "a", "a.xls"])
def test_other_files_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"does not end in .xlsx; a page to print.*viz.worksheet"):
        bptt.worksheet(two_steps(), tmp_path / name)
    with pytest.raises(FileNotFoundError):
        bptt.worksheet(two_steps(), tmp_path / "missing" / "a.xlsx")
    assert not list(tmp_path.iterdir())


# -- a spreadsheet program checks it --------------------------------------------------------------


def formulas_of(name, **options):
    """The formulas with which the sheet itself would compute everything."""
    asked = bptt.exercise(walk_of(name), ASKED[name], **options)
    plan = planned(asked.record)
    return plan, {
        str(cell): formula
        for block in plan.blocks
        for cell, formula in zip(block.cells, block.formulas)
    }


def some(cells, chance, kept, formulas):
    """What a student fills in who does everything that can be done."""
    ways = {
        "right": lambda cell, x: round(x, 5),
        "rule": lambda cell, x: formulas.get(cell, x),
        "wrong": lambda cell, x: x * 1.3 + 0.1,
        "sign": lambda cell, x: -x,
        "zero": lambda cell, x: 0,
        "text": lambda cell, x: chance.choice(["0,5", "?", "'"]),
        "error": lambda cell, x: "=1/0",
        "truth": lambda cell, x: True,
        "nothing": lambda cell, x: None,
    }
    weights = [6, 6, 2, 1, 1, 1, 1, 1, 2]
    return {
        cell: ways[chance.choices(list(ways), weights)[0]](cell, x) for cell, x in cells.items()
    }


def checks_of(shown):
    """What the sheet says of each number, by its cell, and the points."""
    sheet = shown[EXERCISE]
    rows = [row for row in sheet.iter_rows(min_row=10, max_col=7, values_only=True) if row[3]]
    return {row[3]: row[5] for row in rows}, int(sheet["B4"].value.split()[0])


@needs_soffice
def test_a_spreadsheet_program_and_the_marks_agree(tmp_path):
    """Worksheets of many nets, filled in right, wrong, half, by the rules, and at random."""
    chance, files, expected = random.Random(0), [], {}
    for name in CALCULATED:
        path, kept = written(name, tmp_path, nice=name != "rnn", seed=2)
        cells = answers_of(kept)
        plan, formulas = formulas_of(name, nice=name != "rnn", seed=2)
        workings = {c: f for c, f in formulas.items()
                    if c in kept["follows"][0] and c not in cells}  # fmt: skip
        by_rule = {c: formulas.get(c, x) for c, x in cells.items()} | workings
        one = chance.choice([c for c, x in cells.items() if abs(x) > 0.05])
        ways = {
            "right": {c: float(f"{x:.4g}") for c, x in cells.items()},
            "rule": by_rule,
            "one wrong": by_rule | {one: cells[one] * 1.5},
            "half": dict(list(cells.items())[: len(cells) // 2]),
            "wrong": {c: x + 1 for c, x in cells.items()},
            "filler": dict.fromkeys(cells, 7) | workings,
            "half a filler": {
                c: x if i < len(cells) // 3 else 7 for i, (c, x) in enumerate(cells.items())
            },
            "random": some(cells, chance, kept, formulas),
        }
        for way, values in ways.items():
            if way in ("right", "half", "wrong") and name != "own cell":
                continue
            if "filler" in way and name != "by hand":
                continue
            file = filled(path, tmp_path / f"{path.stem} {way}.xlsx", values)
            files.append(file)
            expected[file.name] = name, way, kept, plan, one
    for file in calculated(files, make(tmp_path / "out")):
        name, way, kept, plan, one = expected[file.name]
        typed, shown = loaded(file)
        marked = _Marked(typed, shown, kept)
        checks, points = checks_of(shown)
        grade = marked.grade(str(file))
        assert not grade.refused
        usual = ("as text", "answers are the same number" if way == "filler" else "as text")
        assert all(any(said in note for said in usual) for note in grade.notes), grade.notes
        mine = {cell: marked.check(cell) for cell in answers_of(kept)}
        said = {cell: "wrong" if check == "no number" else check for cell, check in checks.items()}
        assert said == mine, file.name
        assert points == grade.points, file.name
        small = sum(abs(x) < 0.002 for x in answers_of(kept).values())
        if way in ("right", "rule"):
            assert grade.points == grade.of, file.name
            assert set(checks.values()) == {"right"}
        if way == "one wrong":  # and all that follows by the rules has its point
            assert 1 <= grade.wrong <= 1 + small, (file.name, checks)
            assert checks[one] == "wrong"
        if way == "half":
            assert grade.right == grade.of // 2
            assert grade.empty == grade.of - grade.of // 2
        if way in ("wrong", "filler"):
            assert grade.right == 0
        if way in ("filler", "half a filler"):
            assert grade.follows == 0, file.name
        if way == "random":  # and so says the engine
            assert bptt.grade(file).grades == bptt.grade(file, walk_of(name)).grades == (grade,)
        if way == "rule":
            for block in plan.blocks:  # and the whole net is there again
                for cell, number in zip(block.cells, np.ravel(block.numbers)):
                    value = shown[WALK].cell(cell.row + 1, cell.column + 1).value
                    assert value == pytest.approx(number, rel=1e-9, abs=1e-12), (name, block, cell)


def make(directory):
    directory.mkdir()
    return directory


# -- one mistake, and one number everywhere --------------------------------------------------------

SEARCHED = ("by hand", "lstm", "classes", "gru, both directions", "skip", "plain", "between steps")


@cache
def asked_of(name):
    """An exercise and what it asks, without a file."""
    hide = ASKED.get(name, "gradients")
    asking = Asking(bptt.exercise(walk_of(name), hide, seed=1, nice=True))
    asked = {
        str(cell): Asked(task.number, float(task.answer.flat[i]))
        for cell, (task, i) in asking.answers.items()
    }
    return asking, asked


def marked(asking, asked, given):
    """What everything is worth, and what followed by the rule alone."""
    follows = {c: x for c, x in asking.follows_from(given).items() if np.isfinite(x)}
    alone = {
        cell: abs(given[cell] - x) <= allowance(x, 0.02) and abs(x) > 0.001
        for cell, x in follows.items()
        if cell in given
    }
    return checks(asked, given, follows, 0.02), alone


def gone_on(asking, wrong):
    """What an honest student finds who is wrong there, and right by the rules everywhere else."""
    home, known = {}, {}
    for block in asking.plan.blocks:
        home.setdefault(block.value, block)
    for block, task in asking.tasks.items():
        cells = list(map(str, block.cells))
        if home[block.value] is block and wrong.keys() & set(cells):
            numbers = [wrong.get(c, x) for c, x in zip(cells, task.answer.ravel().tolist())]
            known[block.value] = np.reshape(numbers, block.shape)
    values = computed([block.value for block in asking.tasks], known)
    found = {
        str(cell): float(x)
        for block in asking.tasks
        for cell, x in zip(block.cells, np.broadcast_to(values[block.value], block.shape).ravel())
    }
    return {cell: float(f"{x:.6g}") for cell, x in (found | wrong).items()}


MISTAKES = {
    "sign": lambda x, others, chance: -x,
    "twice": lambda x, others, chance: 2 * x,
    "off": lambda x, others, chance: x + chance.choice([-1, 1]) * chance.uniform(0.1, 1),
    "another's": lambda x, others, chance: chance.choice(others),
    "one": lambda x, others, chance: 1.0,
}
"""What a student may write in place of an answer; "one": forgot a factor, all over a vector."""


@pytest.mark.parametrize("name", SEARCHED)
def test_one_mistake_costs_no_more_than_itself(name):
    """In one number or in a whole task: all that follows by the rules from there has its point."""
    chance, met = random.Random(name), 0
    asking, asked = asked_of(name)
    others = [asked_for.answer for asked_for in asked.values()]
    for _ in range(12):
        mistake = MISTAKES[chance.choice(list(MISTAKES))]
        one = chance.choice(list(asked))
        where = [c for c, a in asked.items() if a.task == asked[one].task]
        where = where if chance.random() < 0.5 else [one]
        wrong = {cell: mistake(asked[cell].answer, others, chance) for cell in where}
        given = gone_on(asking, wrong)
        said, alone = marked(asking, asked, given)
        if len(set(given.values())) == 1:
            continue  # nothing tells whoever wrote that from somebody who thought of one number
        lost = [cell for cell, verdict in said.items() if verdict == WRONG and alone.get(cell)]
        assert not lost, (wrong, lost)
        met += FOLLOWING in said.values()
    assert met > 3


@pytest.mark.parametrize("name", SEARCHED)
@pytest.mark.parametrize("factor", [-1, 2])
def test_a_mistake_that_is_made_at_every_step(name, factor):
    """What is called alike is wrong alike: that is one misunderstanding, not a filler."""
    asking, asked = asked_of(name)
    chance = random.Random(name)
    stems = {task.number: task.name.translate(str.maketrans("", "", "₀₁₂₃₄₅₆₇₈₉"))
             for task in asking.tasks.values()}  # fmt: skip
    for stem in chance.sample(sorted(set(stems.values())), min(6, len(set(stems.values())))):
        wrong = {c: factor * a.answer for c, a in asked.items() if stems[a.task] == stem}
        given = gone_on(asking, wrong)
        said, alone = marked(asking, asked, given)
        if len(set(given.values())) > 1:
            assert not [c for c, v in said.items() if v == WRONG and alone.get(c)], (stem, wrong)


@pytest.mark.parametrize("name", SEARCHED)
def test_one_number_everywhere_earns_nothing_that_follows(name):
    """Nor do two numbers, nor one after answers that are right."""
    chance, tempting = random.Random(name), 0
    asking, asked = asked_of(name)
    for x in (7.0, 1.0, -1.0, 0.5, 0.1, chance.uniform(-2, 2)):
        given = dict.fromkeys(asked, x)
        said, alone = marked(asking, asked, given)
        assert FOLLOWING not in said.values(), x
        tempting += sum(alone.values())
    given = {cell: (7.0, 3.0)[a.task % 2] for cell, a in asked.items()}
    assert FOLLOWING not in marked(asking, asked, given)[0].values()
    half = len(asked) // 2
    given = {c: a.answer if i < half else 7.0 for i, (c, a) in enumerate(asked.items())}
    said, _ = marked(asking, asked, given)
    assert list(said.values())[:half] == [RIGHT] * half
    assert FOLLOWING not in said.values()
    assert tempting, "no rule of this net hands a number on"


# -- what is noticed ------------------------------------------------------------------------------


@pytest.fixture
def sheet(tmp_path):
    return bptt.worksheet(two_steps(), tmp_path / "exercise.xlsx", nice=True)


def one(path, record=None):
    (grade,) = bptt.grade(path, record)
    return grade


def test_numbers_right_wrong_and_missing(sheet, tmp_path):
    cells = answers_of(kept_in(sheet))
    right = filled(sheet, tmp_path / "b.xlsx", {c: round(x, 3) for c, x in cells.items()})
    assert (one(right).points, one(right).of, one(right).said) == (37, 37, "")
    assert one(sheet).empty == 37
    (first, x), (second, y), *_ = cells.items()
    odd = one(filled(sheet, tmp_path / "c.xlsx", {first: x + 1, second: "abc"}))
    assert (odd.right, odd.wrong, odd.empty) == (0, 2, 35)
    assert odd.first == f"∂L/∂y₂ in {first}: {x + 1:.4g}, not {x:.4g}"
    text = one(filled(sheet, tmp_path / "d.xlsx", {first: "=abc", second: "a date?"}))
    assert f"the text 'a date?', not {y:.4g}" in text.first
    assert f"{first} holds a formula whose result is not in the file" in text.said
    assert "no spreadsheet program has calculated what follows" in odd.said
    assert "has calculated" not in one(tmp_path / "b.xlsx").said
    assert "has calculated" not in one(tmp_path / "c.xlsx", two_steps()).said


def test_a_table_of_many(sheet, tmp_path):
    x = answers_of(kept_in(sheet))
    copy = filled(sheet, tmp_path / "=cmd.xlsx", x)
    filled(copy, copy, {"B3": "=HYPERLINK(1)"}, EXERCISE)
    named = filled(sheet, tmp_path / "b.xlsx", {"B3": "@ Ann\n\u202e,"}, EXERCISE)
    grades = bptt.grade([named, copy, tmp_path / "none.xlsx", tmp_path])
    assert [grade.refused for grade in grades] == [
        "", "", "cannot be read: No such file or directory", "cannot be read: Is a directory",
    ]  # fmt: skip
    assert "4 worksheets, 2 of them not graded" in str(grades)
    assert grades._repr_html_().count("<tr>") == 5
    rows = list(csv.reader(io.StringIO(grades.csv)))
    assert rows[0][:5] == ["file", "name", "seed", "points", "of"]
    assert rows[1][1] == "'@ Ann ,"
    assert rows[2][2:9] == ["0", "37", "37", "37", "0", "0", "0"]
    assert set(rows[3][2:9]) == {""}
    saved = grades.save(tmp_path / "marks.csv").read_bytes()
    assert saved.startswith("\ufefffile,".encode())


def test_which_sheet_a_student_had(tmp_path):
    sheets = [bptt.worksheet(two_steps(), tmp_path / f"{seed}.xlsx", "L", seed=seed)
              for seed in (12, 7, None)]  # fmt: skip
    grades = bptt.grade(sheets)
    assert [grade.seed for grade in grades] == [12, 7, None]
    assert [row[2] for row in grades.rows()] == ["seed", "12", "7", "–"]
    assert [row["seed"] for row in csv.DictReader(io.StringIO(grades.csv))] == ["12", "7", ""]
    said = [openpyxl.load_workbook(sheet)[EXERCISE]["A2"].value for sheet in sheets]
    assert said == [f"1 task, 1 point{more}" for more in
                    (", numbers of seed 12", ", numbers of seed 7", "")]  # fmt: skip


def test_numbers_that_were_typed_as_text(sheet, tmp_path):
    first, second, third, *_ = answers_of(kept_in(sheet))
    texts = {first: "1,0", second: "70.0 %", third: "why?"}
    said = one(filled(sheet, tmp_path / "b.xlsx", texts)).said
    assert "2 answers were typed as text, which a spreadsheet does not take for a number" in said
    assert one(filled(sheet, tmp_path / "c.xlsx", {third: "why?"}), two_steps()).notes == ()


def test_answers_that_were_looked_up(sheet, tmp_path):
    first, second, third, *_ = answers_of(kept_in(sheet))
    peeked = {
        first: f"=Answers!{first}",
        second: f'=INDIRECT("follows!{second}")',
        third: f"={first}",
    }
    said = one(filled(sheet, tmp_path / "b.xlsx", peeked)).said
    assert f"2 answers were looked up on a hidden sheet, first in {first}" in said
    assert "looked up" not in one(filled(sheet, tmp_path / "c.xlsx", {third: "=1+1"})).said


def test_one_number_everywhere_is_noticed(tmp_path):
    walk = two_steps()
    sheet = bptt.worksheet(walk, tmp_path / "a.xlsx", nice=True)
    cells = answers_of(kept_in(sheet))
    same = one(filled(sheet, tmp_path / "b.xlsx", dict.fromkeys(cells, 7)), walk)
    assert same.points == 0
    assert f"all {len(cells)} answers are the same number" in same.said
    two = one(filled(sheet, tmp_path / "c.xlsx", dict.fromkeys(cells, 7) | {next(iter(cells)): 6}))
    assert "the same number" not in two.said


@pytest.mark.parametrize("paths", [3, None, [3], ["a.xlsx", None]])
def test_what_is_no_path_is_refused(paths):
    with pytest.raises(TypeError, match=r"^grade: .* is no path of a worksheet$"):
        bptt.grade(paths)


def test_a_sheet_that_was_renamed(sheet):
    book = openpyxl.load_workbook(sheet)
    book[WALK].title = "mine"
    book.save(sheet)
    assert one(sheet).refused == f"has no sheet {WALK!r}: undo its removal, or its other name"


def test_what_was_given_may_not_change(sheet, tmp_path):
    kept = kept_in(sheet)
    cell, number = next(iter(kept["given"].items()))
    title, (cells, _) = next(iter(kept["formulas"].items()))
    given = one(filled(sheet, tmp_path / "b.xlsx", {cell: number + 1}))
    assert f"the given number in {cell} was {number:.6g}, and is {number + 1:.4g}" in given.said
    over = one(filled(sheet, tmp_path / "c.xlsx", {cells[0]: 3}))
    assert over.said == f"the formula of {title} in {cells[0]} was changed"
    both = one(filled(sheet, tmp_path / "d.xlsx", {cells[0]: 3, cell: None}))
    assert "and 1 more changes" in both.said
    hidden = one(filled(sheet, tmp_path / "e.xlsx", {kept["follows"][0][0]: 1}, FOLLOWS))
    assert hidden.said == "formulas on a hidden sheet were changed"


def test_kept_answers_that_were_changed_are_not_trusted(sheet, tmp_path):
    for cell, value in {"A1": "x", "A2": "eJxx"}.items():
        changed = one(filled(sheet, tmp_path / "b.xlsx", {cell: value}, KEPT))
        assert changed.refused
    answers = filled(sheet, tmp_path / "c.xlsx", dict.fromkeys(["N31", "O31"], 7), ANSWERS)
    filled(answers, answers, {"N31": 7, "O31": 7})
    assert one(answers).right == 0  # what stands there is for the checks of the sheet alone


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: kept.pop("tasks"),
        lambda kept: kept.update(given={"A1:XFD1048576": 1.0}),
        lambda kept: kept.update(given={"A1": "=1"}),
        lambda kept: kept.update(formulas={"h": 3}),
        lambda kept: kept.update(tolerance="wide"),
        lambda kept: kept.update(seed="=1+1"),
        lambda kept: kept["tasks"][0]["answers"].append(1.0),
    ],
)
def test_forged_answers_stop_no_others(change, sheet, tmp_path):
    """With the right sum over them, but of a kind that no worksheet keeps."""
    kept = kept_in(sheet)
    change(kept)
    cells = {f"A{i}": chunk for i, chunk in enumerate(_chunks(kept), 1)}
    forged = filled(sheet, tmp_path / "b.xlsx", cells, KEPT)
    refused, fine = bptt.grade([forged, sheet])
    assert refused.refused == "keeps answers that somebody has changed; it is not graded"
    assert not fine.refused


def test_with_the_record_the_engine_says_what_is_right(sheet, tmp_path):
    cells = answers_of(kept_in(sheet))
    done = filled(sheet, tmp_path / "b.xlsx", cells)
    assert one(done, two_steps()).points == 37
    # ∂L/∂a₂ is wrong, and all that comes of it follows: without a program that computes it
    asking = Asking(bptt.exercise(two_steps(), nice=True))
    wrong, found = {"N26": cells["N26"] + 0.5}, dict(cells)
    for _ in cells:  # until every number is what the rules make of the others
        found = asking.follows_from(found) | wrong
    late = filled(sheet, tmp_path / "c.xlsx", found)
    right = sum(abs(found[cell] - x) <= allowance(x, 0.02) for cell, x in cells.items())
    assert (one(late).right, one(late).follows, one(late).wrong) == (right, 0, 37 - right)
    marked = one(late, two_steps())
    assert (marked.right, marked.follows, marked.wrong) == (right, 36 - right, 1)
    assert right < 20
    other = bptt.record(demo.forward()[2] * 2)
    assert "is a worksheet of another net" in one(done, other).refused
    tg.manual_seed(0)
    assert "is a worksheet of another net" in one(done, walk_of("lstm")).refused
    with pytest.raises(TypeError, match="grade: expected a Record, got Tensor"):
        bptt.grade(done, demo.forward()[2])


def damaged(path, kind):
    """A file that is none to be graded."""
    data = path.read_bytes()
    if kind == "truncated":
        return data[: len(data) // 2]
    if kind == "flipped":
        middle = len(data) // 3
        return data[:middle] + bytes([data[middle] ^ 255]) * 40 + data[middle + 40 :]
    if kind in ("empty", "text", "old"):
        return {"empty": b"", "text": b"a,b\n1,2\n", "old": b"\xd0\xcf\x11\xe0" + bytes(999)}[kind]
    stream = io.BytesIO(data if kind in ("macros", "links") else b"")
    with zipfile.ZipFile(stream, "a") as archive:
        name = {"macros": "xl/vbaProject.bin", "links": "xl/externalLinks/externalLink1.xml",
                "ods": "content.xml", "zip": "a.txt", "bomb": "xl/workbook.xml"}[kind]  # fmt: skip
        archive.writestr(name, "x" * (10**7 if kind == "bomb" else 3), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


@pytest.mark.parametrize(
    "kind",
    ["truncated", "flipped", "empty", "text", "old", "macros", "links", "ods", "zip", "bomb"],
)
def test_files_that_are_none(kind, sheet, tmp_path):
    bad = tmp_path / "bad.xlsx"
    bad.write_bytes(damaged(sheet, kind))
    grades = bptt.grade([bad, sheet])
    assert len(grades) == 2
    assert [bool(grade.refused) for grade in grades] == [True, False]
    assert "\n" not in grades.grades[0].refused
    assert str(tmp_path) not in grades.grades[0].refused


def test_a_spreadsheet_that_is_no_worksheet(tmp_path):
    bptt.spreadsheet(two_steps(), tmp_path / "a.xlsx")
    book = openpyxl.Workbook()
    book.save(tmp_path / "b.xlsx")
    for grade in bptt.grade([tmp_path / "a.xlsx", tmp_path / "b.xlsx"]):
        assert grade.refused == "is no worksheet of tinygrad_rnn"


# -- the command line -----------------------------------------------------------------------------


def test_the_command_line(tmp_path, capsys):
    path, marks = tmp_path / "a.xlsx", tmp_path / "marks.csv"
    net = ["--cell", "rnn", "--steps", "2", "--seed", "3"]
    assert cli.main(["worksheet", *net, "--hide", "gradients,2", "-o", str(path)]) == 0
    assert capsys.readouterr().out == f"wrote {path}\n"
    assert kept_in(path)["hide"] == ["gradients", 2]
    assert kept_in(path)["seed"] == 3
    assert cli.main(["grade", str(path), "--csv", str(marks)]) == 0
    assert "1 worksheet\n" in capsys.readouterr().out
    assert marks.exists()
    assert cli.main(["grade", str(path), str(marks)]) == 1
    assert "cannot be read" in capsys.readouterr().out
    assert cli.main(["grade", str(tmp_path / "*.xlsx")]) == 0  # as Windows hands it on
    assert "1 worksheet\n" in capsys.readouterr().out
    assert cli.main(["grade", str(tmp_path / "*.xls")]) == 1
    assert "*.xls" in capsys.readouterr().out
    assert cli.main(["worksheet", "--steps", "60", "-o", str(path)]) == 2
    assert "nobody computes more than 400" in capsys.readouterr().err
    page = tmp_path / "a.html"
    assert cli.main(["worksheet", *net, "--no-hints", "-o", str(page)]) == 0
    assert capsys.readouterr().out == f"wrote {page}\nwrote {tmp_path / 'a.key.html'}\n"
    assert cli.main(["worksheet", *net, "--hide", "q", "-o", str(page)]) == 2
    assert "nothing is called 'q'" in capsys.readouterr().err
    assert cli.main(["worksheet", "--steps", "200000", "-o", str(page)]) == 2
    assert "fewer --steps or --layers" in capsys.readouterr().err

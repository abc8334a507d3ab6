"""Live spreadsheets: they calculate what the engine computes, whatever is changed in them."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import random_loops
import sheets
from sheets import AFTER, NETS, WALK, calculated, changed, numbers_of, openpyxl

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, cli, nn
from tinygrad_rnn.bptt.sheets import plan as plans
from tinygrad_rnn.bptt.sheets.plan import planned
from tinygrad_rnn.cli import demo
from tinygrad_rnn.compiled.cells import Cell, Formulas
from tinygrad_rnn.compiled.symbols import Book
from tinygrad_rnn.engine.primitive import Primitive
from tinygrad_rnn.reading.gates import COLUMNS, ROWS, Gates, gates_of
from tinygrad_rnn.reading.names import names
from tinygrad_rnn.testing.cases import CASES
from tinygrad_rnn.testing.cases.table import sequence

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


def walk_of(name, seed=1):
    tg.manual_seed(seed)
    return bptt.record(NETS[name]())


def own(plan, what):
    """The blocks of tensors themselves, not of integers or of numbers on the way."""
    return [block for block in plan.blocks if block.key == ("", block.what) and block.what in what]


# -- LibreOffice calculates ----------------------------------------------------------------------


def of_case(case):
    """The sum of what a case of a primitive makes, each element by a weight of its own."""
    xs = [tg.from_numpy(array.copy()).requires_grad_() for array in case.arrays]
    outputs = [y for y in sequence(case.fn(tg, *xs)) if y.requires_grad]
    weights = np.random.default_rng(0)
    return sum((y * tg.from_numpy(weights.normal(size=y.shape))).sum() for y in outputs)


def can_be_written(case):
    try:
        planned(bptt.record(of_case(case)))
    except ValueError:
        return False
    return True


def together(names):
    """One walk over a case of each of these primitives."""
    cases = [next(filter(can_be_written, CASES[name])) for name in names]
    return bptt.record(tg.stack([of_case(case) for case in cases]).sum())


NOT_WRITTEN = {
    "avg_pool", "avg_unpool", "cholesky", "convolution", "convolution_input",
    "convolution_weight", "cumprod", "det", "diag_embed", "diagonal", "eigh", "erf", "gelu", "inv",
    "linear_scan", "logcumsumexp", "matrix_exp", "max_pool", "max_unpool", "median", "pinv", "prod",
    "qr", "round", "slogdet", "solve", "split_with_sizes", "svd",
}  # fmt: skip
"""What is not made of arithmetic that formulas have, and what has no case without empty arrays."""
ROUNDING = {"to_copy"}  # to float32, where a sheet goes on in double precision
WRITTEN = sorted(CASES.keys() - NOT_WRITTEN - ROUNDING)


def random_numbers(plan, rng):
    return {
        block: np.where(abs(block.numbers) > 1e200, block.numbers, rng.normal(size=block.shape))
        for block in plan.leaves
        if block.value.dtype.kind == "f"
    }


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """Sheets as LibreOffice has calculated them, by one process."""
    if sheets.SOFFICE is None:
        pytest.skip("spreadsheets are calculated by LibreOffice, which is not installed")
    directory, rng = tmp_path_factory.mktemp("sheets"), np.random.default_rng(0)
    made, paths = {}, []

    def add(name, walk, new):
        path, plan = directory / f"{name}.xlsx", planned(walk)
        bptt.spreadsheet(walk, path)
        values = new(plan)
        paths.append(changed(path, plan, values, directory / f"{name}, changed.xlsx"))
        made[name] = walk, plan, values

    for name in NETS:
        add(name, walk_of(name), lambda plan: random_numbers(plan, rng))
        add(f"{name}, as it was", walk_of(name), lambda plan: {})
    for n in range(0, len(WRITTEN), 30):
        near = {}
        add(
            f"primitives {n}",
            together(WRITTEN[n : n + 30]),
            lambda plan, near=near: (
                near
                | {
                    b: b.numbers * rng.uniform(0.95, 1.05, b.shape)
                    for b in plan.leaves
                    if b.value.dtype.kind == "f"
                }
            ),
        )
    other = {"index": [3, 0, 0], "target": [2, 2, 0]}
    add("other words", walk_of("tagger"), lambda plan: {
        block: np.array(other[block.name]) for block in plan.leaves if block.name in other
    })  # fmt: skip
    add("decided", bptt.record(sheets.decided()), lambda plan: random_numbers(plan, rng))
    (directory / "calculated").mkdir()
    results = calculated(paths, directory / "calculated")
    return {name: (*made[name], path) for name, path in zip(made, results, strict=True)}


def check(path, plan, walk):
    """Whether a sheet says of every tensor and gradient what a walk of the same places says."""
    book = openpyxl.load_workbook(path, data_only=True)
    at = dict(zip(plan.record.places, walk.places, strict=True))
    for block in own(plan, ("leaf", "value", "gradient")):
        place = at[block.of]
        expected = walk.gradient(place) if block.what == "gradient" else walk.value(place)
        close = CLOSE if np.asarray(expected).dtype == np.float64 else {"rtol": 1e-5, "atol": 1e-6}
        expected = np.clip(np.asarray(expected, float), -1e300, 1e300)
        found = numbers_of(book[WALK], block)
        np.testing.assert_allclose(found, expected, err_msg=str(block), **close)
    return book


@pytest.mark.parametrize("name", [*NETS, *[f"primitives {n}" for n in range(0, len(WRITTEN), 30)]])
def test_a_changed_sheet_says_what_the_engine_computes(office, name):
    walk, plan, new, path = office[name]
    again = bptt.again(walk, {block.of: array for block, array in new.items()})
    check(path, plan, again)


@pytest.mark.parametrize("name", NETS)
def test_what_is_read_back_is_confirmed_by_the_engine(office, name):
    walk, plan, new, path = office[name]
    leaves = bptt.from_spreadsheet(path, walk)
    assert list(leaves) == [block.name for block in plan.leaves]
    for block, array in new.items():
        np.testing.assert_allclose(np.clip(leaves[block.name].array, -1e300, 1e300), array)
    check(path, plan, bptt.again(walk, leaves))


@pytest.mark.parametrize("name", NETS)
def test_every_cell_of_an_unchanged_sheet(office, name):
    walk, plan, _, path = office[f"{name}, as it was"]
    book = check(path, plan, walk)
    for block in plan.blocks:  # parts, shares and aids as well
        np.testing.assert_allclose(numbers_of(book[WALK], block), block.numbers, **CLOSE)
    for block in own(plan, ("gradient",)):
        shares = [b for b in plan.blocks if b.what == "share" and b.of is block.of]
        if shares:
            expected = bptt.contributions(walk, block.of)
            for share, (step, array) in zip(shares, expected.items(), strict=True):
                assert share.step == step
                np.testing.assert_allclose(numbers_of(book[WALK], share), array, **CLOSE)


@pytest.mark.parametrize("name", NETS)
def test_the_loss_after_a_step(office, name):
    walk, plan, _, path = office[f"{name}, as it was"]
    weights = [block.of for block in plan.stepped]
    assert weights
    moved = {at: walk.value(at) - 0.1 * walk.gradient(at) for at in weights}
    again = bptt.again(walk, moved)
    book = openpyxl.load_workbook(path, data_only=True)
    at = dict(zip(walk.places, again.places, strict=True))
    for block in plan.after:
        if block.key == ("", block.what):
            expected = np.clip(again.value(at[block.of]), -1e300, 1e300)
            np.testing.assert_allclose(numbers_of(book[AFTER], block), expected, **CLOSE)
    row, column = plans.NEW_LOSS
    assert book[WALK].cell(row + 1, column + 1).value == pytest.approx(again.value(again.root))


def expected_in(sheet):
    """What may be typed into each cell: its kind and its bounds."""
    return {
        cell: (told.type, float(told.formula1), float(told.formula2))
        for told in sheet.data_validations.dataValidation
        for area in told.sqref.ranges
        for row in sheet[area.coord if ":" in area.coord else f"{area.coord}:{area.coord}"]
        for cell in (each.coordinate for each in row)
    }


def check_what_may_be_typed(path, plan):
    told = expected_in(openpyxl.load_workbook(path)[WALK])
    assert len(told) == 1 + sum(len(block.cells) for block in plan.leaves)  # and the rate
    for block in plan.leaves:
        for cell, x in zip(block.cells, block.numbers.ravel()):
            kind, low, high = told[str(cell)]
            assert kind == ("decimal" if block.value.dtype.kind == "f" else "whole")
            assert low <= x <= high
    return told


@pytest.mark.parametrize("name", ["tagger", "gathered", "lstm of 4"])
def test_only_numbers_may_be_typed(office, name, tmp_path):
    """Also after LibreOffice has saved the sheet."""
    walk, plan, _, calculated = office[f"{name}, as it was"]
    bptt.spreadsheet(walk, tmp_path / "a.xlsx")
    assert check_what_may_be_typed(tmp_path / "a.xlsx", plan) == check_what_may_be_typed(
        calculated, plan
    )


def test_classes_lie_in_a_range(tmp_path):
    """Of words as of tags; the message says which."""
    walk = walk_of("tagger")
    bptt.spreadsheet(walk, tmp_path / "a.xlsx")
    plan, sheet = planned(walk), openpyxl.load_workbook(tmp_path / "a.xlsx")[WALK]
    told = expected_in(sheet)
    for name, most in (("index", 3), ("target", 2)):
        (block,) = (block for block in plan.leaves if block.name == name)
        assert {told[str(cell)] for cell in block.cells} == {("whole", 0, most)}
    prompts = {told.prompt for told in sheet.data_validations.dataValidation}
    assert "a whole number from 0 to 3: which one of 4" in prompts
    assert all(told.error for told in sheet.data_validations.dataValidation)


def test_other_words_and_classes(office):
    walk, plan, _, path = office["other words"]
    tg.manual_seed(1)
    fresh = bptt.record(sheets.tagger((3, 0, 0), (2, 2, 0)))
    check(path, plan, fresh)
    leaves = bptt.from_spreadsheet(path, walk)
    assert leaves["target"].tolist() == [2, 2, 0]
    assert leaves["target"].dtype == tg.int64
    confirmed = bptt.again(walk, leaves)
    assert confirmed.value(confirmed.root) == pytest.approx(fresh.value(fresh.root))


def test_a_decided_choice_is_read_back_from_what_libreoffice_has_saved(office):
    walk, plan, _, path = office["decided"]
    assert "TRUE" not in "".join(f for block in plan.blocks for f in block.formulas)
    check(path, plan, bptt.again(walk, bptt.from_spreadsheet(path, walk)))


# -- without LibreOffice -------------------------------------------------------------------------

FUNCTIONS = {
    "ABS", "ACOS", "ACOSH", "AND", "ASIN", "ASINH", "ATAN", "ATAN2", "ATANH", "AVERAGE", "CHOOSE",
    "COS", "COSH", "EXP", "IF", "INDEX", "INT", "LN", "LOG", "LOG10", "MAX", "MIN", "MMULT", "MOD",
    "NOT", "OR", "POWER", "PRODUCT", "SIGN", "SIN", "SINH", "SQRT", "SUM", "SUMPRODUCT", "TAN",
    "TANH", "TRUNC",
}  # fmt: skip
"""Which every spreadsheet program has, and computes alike, one number each."""


@pytest.mark.parametrize("name", NETS)
def test_formulas_are_plain(name):
    plan = planned(walk_of(name))
    for block in plan.blocks:
        begins = block.what == "gradient" and block.of is plan.record.root
        assert bool(block.formulas) is not (block.is_input or begins)
        for formula in block.formulas:
            assert set(re.findall(r"([A-Z][A-Z\d]*)\(", formula)) <= FUNCTIONS
            assert len(formula) < 200, formula


@pytest.mark.parametrize("name", NETS)
def test_no_two_blocks_share_a_cell(name):
    plan = planned(walk_of(name))
    cells = [cell for block in [*plan.blocks, *plan.stepped] for cell in block.cells]
    labels = [Cell(b.row - 1, b.column) for b in [*plan.blocks, *plan.stepped]]
    assert len({*cells, *labels}) == len(cells) + len(labels)
    assert min(cell.row for cell in labels) >= plans.TOP


@pytest.mark.parametrize("kind", random_loops.KINDS)
def test_a_random_loop(kind):
    """Any way in which people write loops; of the numbers only, which are formulas' own."""
    with bptt.keep_values():
        loss, _ = random_loops.program(kind, 1, tg)
    walk = bptt.record(loss)
    plan = planned(walk)
    for block in own(plan, ("leaf", "value", "gradient")):
        of = walk.gradient if block.what == "gradient" else walk.value
        np.testing.assert_allclose(block.numbers, of(block.of), rtol=1e-4, atol=1e-5)
    shares = {b.of for b in plan.blocks if b.what == "share"}
    for place in shares:
        steps = [b.step for b in plan.blocks if b.what == "share" and b.of is place]
        assert steps == list(bptt.contributions(walk, place))


def test_places_of_several_arrays_stay_as_they_were():
    x = tg.ones(2, 3, requires_grad=True).named("x")
    plan = planned(bptt.record(x[[1, 0], [2, 0]].sum()))
    assert [block.name for block in plan.leaves] == ["x"]
    assert plan.fixed == ["index"]


def test_what_is_alike_stands_in_one_row():
    plan = planned(walk_of("lstm"))
    for stem in ("h", "c", "i", "a_f"):
        blocks = [b for b in own(plan, ("value",)) if b.name in [f"{stem}{t}" for t in "₁₂₃"]]
        assert len(blocks) == 3
        assert len({block.row for block in blocks}) == 1
        assert [b.column for b in blocks] == sorted({b.column for b in blocks})


def test_numbers_are_there_where_nothing_calculates(tmp_path):
    walk = walk_of("gru")
    bptt.spreadsheet(walk, tmp_path / "a.xlsx")
    check(tmp_path / "a.xlsx", planned(walk), walk)


def test_the_same_walk_makes_the_same_file(tmp_path):
    for name in "ab":
        bptt.spreadsheet(walk_of("rnn"), tmp_path / f"{name}.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_the_sheet_in_the_docs_is_current():
    _, _, loss = demo.forward()
    plan = planned(bptt.record(loss))
    book = openpyxl.load_workbook(Path(__file__).parents[1] / "docs" / "by_hand.xlsx")
    for block in plan.blocks:
        cells = [book[WALK].cell(at.row + 1, at.column + 1).value for at in block.cells]
        expected = block.formulas or block.numbers.ravel().tolist()
        assert cells == expected, f"run docs/draw_pictures.py: {block}"


def test_numbers_stand_as_they_were_written():
    w = tg.tensor([0.1, 1e-8], requires_grad=True).named("w")  # float32
    (leaf,) = planned(bptt.record((w * w).sum())).leaves
    assert leaf.numbers.tolist() == [0.1, 1e-8]


def test_signs_bind_as_they_should():
    book = Book()
    a, b = book.input(np.float64(2)), book.input(np.float64(3))
    text = Formulas(lambda value, i: {a: Cell(0, 0), b: Cell(1, 0)}.get(value))
    negative = book.line("negative", a)
    for value, formula in (
        (book.line("power", negative, b), "=(-A1)^A2"),
        (book.line("negative", book.line("power", a, b)), "=-(A1^A2)"),
        (book.line("subtract", a, book.line("subtract", b, a)), "=A1-(A2-A1)"),
        (book.line("divide", a, book.line("multiply", b, a)), "=A1/(A2*A1)"),
        (book.line("multiply", b, negative), "=A2*(-A1)"),
        (book.line("multiply", book.line("add", a, b), book.const(-0.5)), "=(A1+A2)*(-0.5)"),
        (book.line("less", book.line("add", a, b), book.const(1e-7)), "=IF(A1+A2<1E-07,1,0)"),
    ):
        assert text.of(value, 0) == formula


def test_an_operation_of_ones_own():
    cube = Primitive("cube", lambda x: x**3, "x", symbol="{x}³")
    cube.vjp("x", lambda g, x: g * 3 * x**2, formula="g ⊙ 3x²")
    x = tg.tensor(2.0, requires_grad=True).named("x")
    plan = planned(bptt.record(cube(x) + x))
    part = next(block for block in plan.blocks if block.what == "part")
    assert part.formulas == ["=A13*3*A7^2"] or re.fullmatch(r"=\w+\*3\*\w+\^2", part.formulas[0])
    assert part.rule == "cube: g ⊙ 3x²"


def test_a_fused_layer_is_written_literally():
    tg.manual_seed(0)
    net = nn.LSTM(1, 2, fused=True)
    plan = planned(bptt.record(net(tg.randn(3, 1))[0].sum()))
    assert {"i₁", "f₂", "c₃"} <= {block.name for block in plan.blocks}


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://a\")", "a\x00\x07b", "\u202eabc",
           "=cmd|' /C calc'!A0", "x" * 500, "<b>&amp;", "http://example.com"]  # fmt: skip


def test_names_never_become_formulas(tmp_path):
    xs = [tg.tensor(float(n), requires_grad=True).named(name) for n, name in enumerate(HOSTILE)]
    walk = bptt.record(tg.stack([tg.tanh(x).named(name) for x, name in zip(xs, HOSTILE)]).sum())
    plan = planned(walk)
    bptt.spreadsheet(walk, tmp_path / "a.xlsx")
    written = {f[1:] for b in [*plan.blocks, *plan.stepped] for f in b.formulas}
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert not [name for name in archive.namelist() if "External" in name or "vba" in name]
        text = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "hyperlink" not in text
    found = set(re.findall(r"<f>(.*?)</f>", text))
    assert found - {plan.loss.cell(0).__str__(), f"'{AFTER}'!{plan.loss.cell(0)}"} <= written
    assert len(bptt.from_spreadsheet(tmp_path / "a.xlsx", walk)) == len(HOSTILE)


# -- refused -------------------------------------------------------------------------------------


def one(x):
    return bptt.record(x.sum())


def odd_function():
    class Double(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    return one(Double.apply(tg.ones(2, requires_grad=True)))


def hooked():
    x = tg.ones(2, requires_grad=True)
    y = tg.tanh(x)
    y.register_hook(lambda g: g * 2)
    return one(y * y)


def test_what_is_printed_can_be_read(tmp_path):
    """On A4, as many pages as it takes: a tall sheet upright, a wide one on several."""
    for name, is_wide in (("by hand", False), ("attention", True), ("wide rnn", True)):
        bptt.spreadsheet(walk_of(name), tmp_path / "a.xlsx")
        sheet, plan = openpyxl.load_workbook(tmp_path / "a.xlsx")[WALK], planned(walk_of(name))
        breaks = [found.id for found in sheet.col_breaks.brk]
        assert int(sheet.page_setup.paperSize) == 9
        assert bool(breaks) == is_wide
        assert set(breaks) <= {column.first for column in plan.columns}, "through a column"
        assert (sheet.page_setup.scale or 50) >= 50
        assert not (breaks and sheet.sheet_properties.pageSetUpPr.fitToPage)  # it ignores breaks
    tall = tg.ones(60, 1, requires_grad=True)
    bptt.spreadsheet(bptt.record(tg.tanh(tall).sum()), tmp_path / "a.xlsx")
    setup = openpyxl.load_workbook(tmp_path / "a.xlsx")[WALK].page_setup
    assert (setup.orientation, setup.fitToWidth or 1) == ("portrait", 1)
    assert setup.fitToHeight > 1


@pytest.mark.parametrize(
    ("name", "gates"),
    [("lstm of 4", "ifgo"), ("lstm of 5, batch", "ifgo"), ("gru of 4", "rzn")],
)
def test_each_gate_has_rows_of_its_own(name, gates, tmp_path):
    """Beside what all gates are computed of, as beside the weights, stands which rows are whose."""
    walk, found = walk_of(name), 0
    plan = planned(walk)
    hidden = int(name.partition("of ")[2][0])
    bptt.spreadsheet(walk, tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")[WALK]
    for block in [*plan.blocks, *plan.stepped]:
        rows, columns = block.extent
        if len(gates) * hidden not in block.shape[-2:] or block.name == "x₁":
            continue
        found += 1
        assert columns <= 16
        assert columns == (hidden if block.shape[-1] == len(gates) * hidden else block.shape[-1])
        beside = [sheet.cell(block.row + 1 + r, block.column + 1 + columns).value
                  for r in range(rows)]  # fmt: skip
        expected = [gates[r * len(gates) // rows] for r in range(0, rows, rows // len(gates))]
        assert beside[:: rows // len(gates)] == expected
        assert sum(text is not None for text in beside) == len(gates)
    assert found > 15


def held(loss):
    """What holds gates: their names and the axis, by the name of the tensor."""
    places = bptt.record(loss).places
    called = names(places)
    return {called[place]: gates for place, gates in gates_of(places, called).items()}


def test_which_rows_or_columns_are_gates():
    """Also of square weights, whose shape does not tell."""
    found = held(nn.LSTM(16, 4, bias=False)(tg.randn(2, 16))[0].sum())
    for name in ("weight_ih_l0", "weight_hh_l0"):
        assert found[name] == Gates(("i", "f", "g", "o"), ROWS)
    assert found["a₁"] == Gates(("i", "f", "g", "o"), COLUMNS)
    assert {"x₁", "h₁", "i₁", "a_i₁"}.isdisjoint(found)
    w, u, x = (tg.randn(6, 6, requires_grad=True).named("W"), tg.randn(6, 2).named("U"), tg.ones(6))
    a, b = (x @ w + w @ x).chunk(2)
    assert held((tg.sigmoid(a).named("z") * tg.tanh(b).named("n")).sum())["W"].names == ("z", "n")
    q, k, v = (tg.ones(3, 6).named("X") @ w).chunk(3, -1)
    found = held((q * k * v @ u[:2]).sum())
    assert found["W"] == Gates(("[0:2]", "[2:4]", "[4:6]"), COLUMNS)
    assert "X" not in found
    a, b = tg.tanh(x @ w)[:4], tg.tanh(x @ w)[4:]  # no equal parts
    assert not held(a.sum() * b.sum())


REFUSED = {
    "no formula can compute prod: its derivative rule: ": lambda: one(
        tg.ones(2, 2, requires_grad=True).prod(0)
    ),
    "1,025 elements in an array": lambda: one(tg.ones(1025, requires_grad=True) * 2),
    "65 time steps": lambda: bptt.record(nn.RNN(1, 1)(tg.ones(65, 1))[0].sum()),
    "a Function with a backward": odd_function,
    "a hook changes or sees": hooked,
    "NaN or infinities": lambda: one(tg.log(tg.zeros(2, requires_grad=True))),
    "shape (0,) has no cells": lambda: one(tg.ones(0, requires_grad=True)),
    "only the shape was kept": lambda: one(tg.ones(20) + tg.ones(20, requires_grad=True)),
}


@pytest.mark.parametrize("said", REFUSED)
def test_refused_in_one_sentence(said, tmp_path):
    walk = REFUSED[said]()
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        bptt.spreadsheet(walk, tmp_path / "a.xlsx")
    assert str(error.value).startswith("spreadsheet: ")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_bad_arguments(tmp_path):
    walk = walk_of("rnn")
    with pytest.raises(TypeError, match=re.escape("bptt.record(loss) first")):
        bptt.spreadsheet(tg.ones(1), tmp_path / "a.xlsx")
    with pytest.raises(ValueError, match=re.escape("does not end in .xlsx")):
        bptt.spreadsheet(walk, tmp_path / "a.ods")
    with pytest.raises(ValueError, match="rate must be finite"):
        bptt.spreadsheet(walk, tmp_path / "a.xlsx", rate=float("nan"))
    with pytest.raises(FileNotFoundError, match="there is no directory"):
        bptt.spreadsheet(walk, tmp_path / "no" / "a.xlsx")
    with pytest.raises(FileNotFoundError):
        bptt.from_spreadsheet(tmp_path / "a.xlsx")


# -- read back -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "rnn.xlsx"
    walk = walk_of("rnn")
    bptt.spreadsheet(walk, path)
    return path, walk, planned(walk)


def put(written, tmp_path, name, what, i=0, block="weight_ih_l0", kind="leaf"):
    """The file with something else in one cell."""
    path, _, plan = written
    cell = next(b for b in plan.blocks if (b.name, b.what) == (block, kind)).cell(i)
    book = openpyxl.load_workbook(path)
    book[WALK].cell(cell.row + 1, cell.column + 1).value = what
    book.save(tmp_path / name)
    return tmp_path / name, cell


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("abc", "holds the text 'abc'"),
        (None, "is empty"),
        ("#DIV/0!", "holds the error #DIV/0!"),
        ("=1/3", "holds a formula that nobody has calculated"),
        ("1,5", "holds the text '1,5'"),
    ],
)
def test_a_cell_without_a_number(written, tmp_path, what, said):
    path, cell = put(written, tmp_path, "a.xlsx", what, 2)
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        bptt.from_spreadsheet(path)
    assert f"walk!{cell} (weight_ih_l0[1, 0])" in str(error.value)


@pytest.mark.parametrize(
    ("what", "said"),
    [(0.5, "holds a number"), (None, "holds nothing"), ("x", "holds a text"),
     ("=TANH(A1)", "are not those that were written")],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["value", "gradient"])
def test_a_formula_typed_over(written, tmp_path, what, said, kind):
    path, cell = put(written, tmp_path, "a.xlsx", what, block="h₂", kind=kind)
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        bptt.from_spreadsheet(path)
    assert f"walk!{cell}" in str(error.value)
    assert "h₂" in str(error.value)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_types_come_back(dtype, tmp_path):
    tg.manual_seed(0)
    w = tg.randn(50, dtype=getattr(tg, dtype), requires_grad=True).named("w")
    bptt.spreadsheet(bptt.record((w * 2).sum()), tmp_path / "a.xlsx")
    found = bptt.from_spreadsheet(tmp_path / "a.xlsx")["w"]
    assert found.dtype == w.dtype
    exact = 0 if dtype != "float64" else 1e-15  # a file has 16 digits of a number
    np.testing.assert_allclose(found.array, w.detach().array, rtol=exact, atol=0)


def test_a_class_that_is_not_whole(tmp_path):
    walk = walk_of("tagger")
    bptt.spreadsheet(walk, tmp_path / "a.xlsx")
    made = tmp_path / "a.xlsx", walk, planned(walk)
    path, _ = put(made, tmp_path, "b.xlsx", 1.5, block="target")
    with pytest.raises(ValueError, match=re.escape("holds 1.5, but must be whole")):
        bptt.from_spreadsheet(path)


def test_a_sheet_of_another_net(written):
    path, walk, _ = written
    assert len(bptt.from_spreadsheet(path, walk)) == 11
    for name, said in (("wide rnn", "has it of (8, 9)"), ("by hand", "nothing of that name")):
        with pytest.raises(ValueError, match="a sheet of another net") as error:
            bptt.from_spreadsheet(path, walk_of(name))
        assert said in str(error.value)
    with pytest.raises(TypeError, match=re.escape("bptt.record(loss) first")):
        bptt.from_spreadsheet(path, tg.ones(1))


def with_member(path, tmp_path, name):
    made = tmp_path / "member.xlsx"
    made.write_bytes(path.read_bytes())
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(name, "<a/>")
    return made


def archive_of(tmp_path, *names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    (tmp_path / "archive.xlsx").write_bytes(stream.getvalue())
    return tmp_path / "archive.xlsx"


def test_files_that_are_none_of_ours(written, tmp_path):
    path, data = written[0], written[0].read_bytes()
    empty, text, cut, odd = (tmp_path / name for name in ("e.xlsx", "t.txt", "c.xlsx", "o.xlsx"))
    empty.write_bytes(b"")
    text.write_text("h₁")
    cut.write_bytes(data[: len(data) // 2])
    openpyxl.Workbook().save(odd)
    for file, said in (
        (empty, "damaged, or not complete"),
        (text, "it is no .xlsx file"),
        (cut, "damaged, or not complete"),
        (odd, "is no spreadsheet of bptt.spreadsheet"),
        (archive_of(tmp_path, "content.xml"), "OpenDocument"),
        (with_member(path, tmp_path, "xl/vbaProject.bin"), "holds macros"),
    ):
        with pytest.raises(ValueError, match=re.escape(said)) as error:
            bptt.from_spreadsheet(file)
        assert "\n" not in str(error.value)
    for made, said in (
        (archive_of(tmp_path, "a.txt"), "some other archive"),
        (with_member(path, tmp_path, "xl/externalLinks/externalLink1.xml"), "never followed"),
    ):
        with pytest.raises(ValueError, match=re.escape(said)):
            bptt.from_spreadsheet(made)


def test_any_cut_or_turned_byte(written, tmp_path):
    """Whatever happens to the bytes of a file: it is read as it was, or refused in one sentence."""
    path, walk, _ = written
    data, rng = path.read_bytes(), np.random.default_rng(0)
    expected = bptt.from_spreadsheet(path, walk)
    for n in range(12):
        damaged = bytearray(data)
        at = int(rng.integers(len(data)))
        if n % 2:
            damaged[at] ^= 1 << int(rng.integers(8))
        else:
            del damaged[at:]
        (tmp_path / "d.xlsx").write_bytes(damaged)
        try:
            found = bptt.from_spreadsheet(tmp_path / "d.xlsx", walk)
        except ValueError:
            continue
        assert all(tg.equal(found[name], x) for name, x in expected.items())


def test_the_hidden_list_was_changed(written, tmp_path):
    path = written[0]
    for column, what in ((4, "complex64"), (5, "9999,9999,9999"), (5, "0"), (6, "A0"), (6, "=A1")):
        book = openpyxl.load_workbook(path)
        book["contents"].cell(3, column).value = what
        book.save(tmp_path / "a.xlsx")
        with pytest.raises(ValueError, match="its sheet 'contents' was changed"):
            bptt.from_spreadsheet(tmp_path / "a.xlsx")


def test_what_is_not_installed(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(RuntimeError, match=re.escape("pip install 'tinygrad_rnn[spreadsheet]'")):
        bptt.spreadsheet(walk_of("rnn"), tmp_path / "a.xlsx")
    assert cli.main(["sheet", "-o", str(tmp_path / "a.xlsx")]) == 2
    assert "spreadsheets need xlsxwriter" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# -- the command line ----------------------------------------------------------------------------


def test_the_command(tmp_path, capsys):
    path = tmp_path / "lstm.xlsx"
    arguments = ["sheet", "--cell", "lstm", "--steps", "3", "--hidden", "2", "-o", str(path)]
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out == f"wrote {path}\n"
    assert bptt.from_spreadsheet(path)["weight_hh_l0"].shape == (8, 2)
    for more, said in (
        (["--steps", "65"], "65 time steps"),
        (["-o", "a.csv"], "a.csv does not end in .xlsx"),
    ):
        assert cli.main([*arguments, *more]) == 2
        assert said in capsys.readouterr().err


def test_a_script_as_a_sheet(tmp_path, capsys):
    script, sheet = tmp_path / "program.py", tmp_path / "walk.xlsx"
    script.write_text(
        "import torch\nx = torch.linspace(0, 1, 40)\nw = torch.ones(40, requires_grad=True)\n"
        "(w * x).tanh().sum().backward()\n"
    )
    assert cli.main(["run", "--sheet", str(sheet), str(script)]) == 0, capsys.readouterr().err
    assert list(bptt.from_spreadsheet(sheet)) == ["w", "x"]

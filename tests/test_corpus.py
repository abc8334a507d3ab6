"""Programs in the manner of well-known tutorials, which know nothing of this package, run by it.

`programs/tutorials` holds them. Each must print what it prints under PyTorch, and of its first
backward walk it is said here how many time steps there are, what carries something through them,
and how a picture of it must turn out. Of those in `programs/varied`, which are about all sorts of
other things, only the printing is looked at.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from alike import assert_alike
from pictures import Reader, check_texts, check_writing

from tinygrad_rnn import viz
from tinygrad_rnn.bptt import Record
from tinygrad_rnn.compat import watching
from tinygrad_rnn.compat.script import Program
from tinygrad_rnn.reading.given import is_inline
from tinygrad_rnn.reading.names import names, stem
from tinygrad_rnn.reading.states import recurrences

FOLDER = Path(__file__).parent / "programs" / "tutorials"
VARIED = FOLDER.parent / "varied"
WAYS = ("structure", "lines")
WIDEST = 6_000  # pixels of a picture that can still be read by scrolling
PAGE, SMALLEST = 1_200, 0.6  # pixels of a page, and how small a picture may be made to fit it


class Expected(NamedTuple):
    """What is known of a program's first backward walk.

    The states are written "name first-last", once for each layer and direction that has one: at
    the steps whose state another step, or the loss, goes on with.
    """

    steps: int
    states: str


EXPECTED = {
    "adding_problem": Expected(8, "h 1-8"),
    "attention_over_states": Expected(6, "h 1-6"),
    "bidirectional_packed": Expected(8, "c 1-8, c 1-8, h 1-8, h 1-8"),
    "char_lstm": Expected(6, "c 1-6, c 1-6, h 1-6, h 1-6"),
    "clipping": Expected(8, "h 1-8"),
    "copy_task": Expected(8, "c 1-8, h 1-8"),
    "dataset_loader": Expected(7, "h 1-7"),
    "digits_by_rows": Expected(7, "c 1-7, h 1-7"),
    "early_stopping": Expected(5, "h 1-5"),
    "einsum_and_peephole": Expected(6, "c 1-6, h 1-6"),
    "gradient_penalty": Expected(5, "h 1-5"),
    "gru_time_series": Expected(7, "h 1-7"),
    "lr_schedule": Expected(5, "c 1-5, h 1-5"),
    "lstm_by_hand": Expected(6, "c_t 1-6, h_t 1-6"),
    "many_to_many": Expected(10, "h 1-10"),
    "many_to_one": Expected(6, "h 1-6"),
    "mean_pooling": Expected(5, "h 1-5"),
    "min_char": Expected(6, "hs 1-6"),
    "names_classifier": Expected(6, "hidden 1-5"),
    "names_generator": Expected(4, "hidden 1-4"),
    "neural_ode": Expected(5, "z 1-5"),
    "policy_gradient": Expected(4, "c 1-4, h 1-4"),
    "pos_tagger": Expected(5, "c 1-5, h 1-5"),
    "save_and_load": Expected(5, "h 1-5"),
    "scheduled_sampling": Expected(5, "h 1-5"),
    "scratch_parameter_list": Expected(6, "states[0] 1-6, states[1] 1-6"),
    "seq2seq": Expected(8, "h 1-4, h 5-8"),
    "seq2seq_attention": Expected(8, "h 1-4, h 5-8"),
    "sequence_vae": Expected(8, "h 1-4, h 1-4, h 5-8"),
    "sine_waves": Expected(8, "c 1-8, c 1-8, h 1-8, h 1-8"),
    "stacked_gru": Expected(5, "h 1-5, h 1-5, h 1-5"),
    "stateful": Expected(5, "c 1-5, h 1-5"),
    "teacher_forcing": Expected(8, "c 1-4, c 5-8, h 1-4, h 5-8"),
    "variable_lengths": Expected(6, "h 1-6"),
    "word_model": Expected(5, "c 1-5, c 1-5, h 1-5, h 1-5"),
}
MOST_INVENTED = 1 / 10  # of a picture's boxes: called v12, or by another box's name, h#2
INVENTED = re.compile(r"v\d+(?:[₀-₉]|$)|.*#\d")


# -- what is printed -------------------------------------------------------------------------------

UNDER_PYTORCH = """
import contextlib, io, json, runpy, sys
import torch
torch.set_num_threads(1)
printed = {}
for path in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        runpy.run_path(path, run_name="__main__")
    printed[path] = out.getvalue()
    torch.set_default_dtype(torch.float32)
print(json.dumps(printed))
"""


@pytest.fixture(scope="module")
def theirs() -> dict[str, str]:
    """What each program prints under PyTorch: all of them in one process."""
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is the reference of this test: pip install torch==2.13.0")
    paths = map(str, [*FOLDER.glob("*.py"), *VARIED.glob("*.py")])
    ended = subprocess.run(
        [sys.executable, "-c", UNDER_PYTORCH, *paths],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return {Path(path).stem: text for path, text in json.loads(ended.stdout).items()}


def test_all_programs_are_expected() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == EXPECTED.keys()


# Trainings that blow rounding up: Adagrad's first steps, g/√g², in float32; LBFGS that overshoots.
ROUGH = {"min_char": 1e-2, "sine_waves": 1e-2}


@pytest.mark.parametrize("name", EXPECTED)
def test_prints_what_it_prints_under_pytorch(name: str, theirs: dict[str, str], capsys) -> None:
    Program(FOLDER / f"{name}.py").run()
    assert_alike(capsys.readouterr().out, theirs[name], rtol=ROUGH.get(name, 1e-4), what=name)


@pytest.mark.parametrize("name", sorted(path.stem for path in VARIED.glob("*.py")))
@pytest.mark.filterwarnings("ignore::UserWarning")  # of what some show on purpose
def test_varied_programs_print_what_they_print_under_pytorch(name, theirs, capsys) -> None:
    Program(VARIED / f"{name}.py").run()
    assert_alike(capsys.readouterr().out, theirs[name], rtol=1e-4, what=name)


@pytest.mark.parametrize("name", ["min_char"])
def test_of_what_blows_rounding_up_double_precision_is_alike(name, tmp_path) -> None:
    pytest.importorskip("torch", reason="PyTorch is the reference: pip install torch==2.13.0")
    double = "import torch; torch.set_default_dtype(torch.float64)\n"
    path = tmp_path / f"{name}.py"
    path.write_text(double + (FOLDER / path.name).read_text(encoding="utf-8"), encoding="utf-8")
    made, wanted = (
        subprocess.run([sys.executable, *how, path], capture_output=True, text=True, check=True)
        for how in (["-m", "tinygrad_rnn", "run"], [])
    )
    assert_alike(made.stdout, wanted.stdout, rtol=1e-6, what=name)


# -- its first backward walk -----------------------------------------------------------------------


class Enough(BaseException):
    """Ends a program whose first walk has been seen; no ``except Exception`` holds it."""


@contextlib.contextmanager
def looking_at(way: str) -> Iterator[None]:
    """Watch a program with its lines traced, or without."""
    with pytest.MonkeyPatch.context() as patch:
        if way == "structure":
            patch.setattr(watching, "traced", contextlib.nullcontext)
        yield


class Walk(NamedTuple):
    """What is said of a walk while the program stands where it asked for it."""

    record: Record
    steps: set[int]
    states: list[str]
    picture: viz.Picture
    narrow: viz.Picture


@functools.cache
def first_walk(name: str, way: str) -> Walk:
    seen: list[Walk] = []

    def show(record: Record) -> None:
        steps = {p.tag.step for p in record.places if not p.is_leaf} - {None}
        seen.append(
            Walk(record, steps, states_of(record), viz.draw(record), viz.draw(record, width=PAGE))
        )

    def stop() -> None:
        raise Enough

    watch = watching.Watch(1, show)
    watch.then = stop
    program = Program(FOLDER / f"{name}.py")
    with looking_at(way), contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Enough):
        program.run((), watch)
    assert watch.problem is None, watch.problem
    return seen[0]


def states_of(record: Record) -> list[str]:
    """The states of a walk in the writing of `Expected`."""
    called = names(record.places, record.called)
    found = []
    for each in recurrences(record.places):
        for series in each.states:
            stems = "/".join(sorted({stem(place, called) for place in series.places.values()}))
            found.append(f"{stems} {min(series.places)}-{max(series.places)}")
    return sorted(found)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EXPECTED)
def test_steps(name: str, way: str) -> None:
    last = EXPECTED[name].steps
    assert max(first_walk(name, way).steps) == last
    assert first_walk(name, way).steps <= {*range(1, last + 1)}


@pytest.mark.parametrize("name", EXPECTED)
def test_states_are_called_as_the_program_calls_them(name: str) -> None:
    expected = sorted(EXPECTED[name].states.split(", "))
    assert first_walk(name, "lines").states == expected


@pytest.mark.parametrize("name", EXPECTED)
def test_few_names_are_invented(name: str) -> None:
    record = first_walk(name, "lines").record
    called = names(record.places, record.called)
    boxes = [called[place] for place in record.places if not is_inline(place)]
    share = sum(INVENTED.match(box) is not None for box in boxes) / len(boxes)
    assert share < MOST_INVENTED


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EXPECTED)
def test_is_drawn(name: str, way: str) -> None:
    width = re.search(r'width="([\d.]+)"', first_walk(name, way).picture.svg)
    assert width is not None
    assert float(width[1]) < WIDEST


@pytest.mark.parametrize("name", EXPECTED)
def test_is_rolled_or_refused(name: str) -> None:
    record = first_walk(name, "lines").record
    try:
        svg = viz.draw(record, level="rolled").svg
    except ValueError as refusal:
        assert name == "attention_over_states", refusal  # noqa: PT017
        assert "no two do" in str(refusal)  # noqa: PT017
    else:
        check_writing(Reader(svg))


@pytest.mark.parametrize("name", EXPECTED)
def test_fits_a_page(name: str) -> None:
    svg = first_walk(name, "lines").narrow.svg
    size = re.search(r'width="(\d+)" height="\d+" viewBox="0 0 (\d+)', svg)
    assert size is not None
    shown, drawn = map(int, size.groups())
    assert shown <= PAGE
    assert shown / drawn > SMALLEST


@pytest.mark.parametrize("name", EXPECTED)
def test_nothing_is_written_on_anything_else(name: str) -> None:
    walk = first_walk(name, "lines")
    for picture in (walk.picture, walk.narrow):
        reader = Reader(picture.svg)
        check_texts(reader)
        check_writing(reader)

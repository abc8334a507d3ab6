"""The world in which torch means this package, and programs that run in it."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from alike import assert_alike

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, cli, compat
from tinygrad_rnn.compat.script import Program, watch_of
from tinygrad_rnn.compat.watching import Watch
from tinygrad_rnn.writing.palette import THEMES

CLASSIFIER = """
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim

torch.manual_seed(0)

class RNN(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.i2h = nn.Linear(inputs + hidden, hidden)
        self.i2o = nn.Linear(inputs + hidden, outputs)

    def forward(self, x, hidden):
        combined = torch.cat((x, hidden), 1)
        return F.log_softmax(self.i2o(combined), dim=1), torch.tanh(self.i2h(combined))

rnn = RNN(3, 4, 2)
optimizer = optim.SGD(rnn.parameters(), lr=0.1)
for epoch in range(3):
    hidden = torch.zeros(1, 4)
    for x in torch.randn(epoch + 3, 1, 3):
        output, hidden = rnn(x, hidden)
    loss = F.nll_loss(output, torch.tensor([1]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(epoch, loss, output, hidden)
print(rnn, rnn.i2h.bias.grad)
"""


@pytest.fixture
def program(tmp_path):
    def write(source: str, name: str = "program.py") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return path

    return write


def torch_modules() -> dict[str, ModuleType]:
    return {name: m for name, m in sys.modules.items() if name.partition(".")[0] == "torch"}


# -- the world --


def test_torch_means_this_package_inside_and_not_after() -> None:
    before = torch_modules()
    with tg.as_torch() as inside:
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        from torch import optim
        from torch.autograd import functional
        from torch.nn.utils.rnn import pack_padded_sequence
        from torch.optim.lr_scheduler import StepLR
        from torch.utils.data import DataLoader

        assert torch is inside
        assert torch.Tensor is tg.Tensor
        assert torch.nn is nn
        assert nn.functional is F
        assert nn.Linear is tg.nn.Linear
        assert F.relu is tg.nn.functional.relu
        assert optim.SGD is tg.optim.SGD
        assert StepLR is tg.optim.lr_scheduler.StepLR
        assert DataLoader is tg.utils.data.DataLoader
        assert pack_padded_sequence is tg.nn.utils.rnn.pack_padded_sequence
        assert functional.jacobian is tg.autograd.functional.jacobian
        assert importlib.util.find_spec("torch.nn") is not None
    assert torch_modules() == before
    assert nn.Tanh is tg.nn.Tanh, "what was imported inside goes on working"


def test_pytorch_comes_back_untouched() -> None:
    real = pytest.importorskip("torch")
    import torch.nn.functional

    before, held = torch_modules(), dict(vars(real))

    def inside() -> None:
        with tg.as_torch():
            import torch as ours

            assert ours is not real
            ours.something = 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        inside()
    import torch

    assert torch is real
    assert torch_modules() == before
    assert vars(real).keys() == held.keys()
    assert torch.tanh(torch.zeros(1)).item() == 0


def test_pytorch_is_not_imported() -> None:
    code = (
        "import sys, tinygrad_rnn as tg\n"
        "with tg.as_torch():\n    import torch, torch.nn, torch.optim, torch.utils.data\n"
        "assert not [m for m in sys.modules if m.startswith('torch')], 'left behind'\n"
        "assert not [f for f in sys.meta_path if 'tinygrad' in type(f).__module__]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_worlds_nest() -> None:
    with tg.as_torch() as outer:
        with tg.as_torch() as inner:
            assert inner is not outer
        import torch

        assert torch is outer


def test_all_names_are_there() -> None:
    with tg.as_torch():
        import torch

        assert {"Tensor", "nn", "optim", "compile", "no_grad", "tanh"} <= set(dir(torch))
        space: dict = {}
        exec("from torch.nn import *\nfrom torch import *", space)
    assert space["LSTM"] is tg.nn.LSTM
    assert space["cat"] is tg.cat


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("import torch\n\ntorch.manual_seeed(0)", AttributeError,
         "no torch.manual_seeed (program.py, line 3); the nearest there is: torch.manual_seed"),
        ("from torch import zerso", ImportError, "no torch.zerso (program.py, line 1); the nearest "
         "there is: torch.zeros"),
        ("from torch.nn import Lineare", ImportError, "nearest there is: torch.nn.Linear"),
        ("import torch.nn.functionall", ImportError, "nearest there is: torch.nn.functional"),
        ("import torch.quite.elsewhere", ImportError, "tinygrad_rnn has no torch.quite"),
        ("import torch\ntorch.nn.Lstm", AttributeError, "torch.nn.LSTM"),
    ],
)  # fmt: skip
def test_a_missing_name_is_named_with_line_and_nearest(program, source, error, said) -> None:
    with pytest.raises(error) as caught:
        compat.run(program(source))
    assert said in str(caught.value)


def test_missing_names_can_be_asked_for() -> None:
    with tg.as_torch():
        import torch

        assert not hasattr(torch, "nothing_of_the_kind")
        assert getattr(torch, "xpu_", None) is None
        assert not hasattr(torch, "engine"), "rooms of this package that torch has not"


def test_what_makes_programs_faster_is_the_identity() -> None:
    with tg.as_torch():
        import torch

        model = torch.nn.Linear(2, 1)
        assert torch.compile(model) is model
        assert torch.compile(model, mode="max-autotune") is model
        assert torch.compile(fullgraph=True)(len) is len
        assert torch.jit.script(model) is model
        assert torch.jit.trace(model, torch.ones(1, 2)) is model
        assert torch.jit.ignore(len) is len
        assert torch.jit.ignore(drop=True)(len) is len


def test_types_print_as_torchs_inside_only() -> None:
    with tg.as_torch():
        inside = repr(tg.Tensor), repr(tg.nn.Parameter)
    assert inside == ("<class 'torch.Tensor'>", "<class 'torch.nn.parameter.Parameter'>")
    assert repr(tg.Tensor) == "<class 'tinygrad_rnn.tensor.tensor.Tensor'>"


# -- running a program --


def test_a_program_prints_what_it_prints_under_pytorch(program, capsys) -> None:
    pytest.importorskip("torch")
    from alike import assert_alike

    path = program(CLASSIFIER)
    theirs = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    compat.run(path)
    ours = capsys.readouterr().out
    assert_alike(ours, theirs.stdout, what="print")
    assert "grad_fn=<NllLossBackward0>" in ours


def test_a_program_runs_as_in_a_process_of_its_own(program, capsys) -> None:
    program("value = 7", "neighbour.py")
    path = program(
        """
        import sys, neighbour, torch
        from dataclasses import dataclass
        @dataclass
        class Here:
            x: int
        assert sys.modules["__main__"].Here is Here
        torch.set_default_dtype(torch.float64)
        torch.set_printoptions(precision=2)
        torch.set_grad_enabled(False)
        print(__name__, sys.argv[1:], neighbour.value, sys.path[0], __file__)
        """
    )
    before = sys.argv, sys.path, sys.modules["__main__"]
    ran = compat.run(path, ["--epochs", "3"])
    folder = os.path.realpath(path.parent)
    assert capsys.readouterr().out == f"__main__ ['--epochs', '3'] 7 {folder} {path}\n"
    assert (sys.argv, sys.path, sys.modules["__main__"]) == before
    assert ran.namespace["Here"](1).x == 1
    assert tg.get_default_dtype() == tg.float32
    assert tg.is_grad_enabled()
    assert tg.get_printoptions()["precision"] == 4
    assert "neighbour" not in sys.modules


@pytest.mark.parametrize("at", [1, 3])
def test_a_walk_is_drawn_and_the_program_goes_on(program, tmp_path, capsys, at) -> None:
    path = program(CLASSIFIER)
    plain = compat.run(path)
    printed = capsys.readouterr().out
    ran = compat.run(path, draw=tmp_path / "a.svg", play=tmp_path / "a.html", at=at)
    assert capsys.readouterr().out == printed
    assert ran.walk is not None
    assert ran.walk.steps_from == "lines"
    times = {visit.step for visit in ran.walk.visits} - {None}
    assert times == set(range(1, at + 3))
    assert "</svg>" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "</html>" in (tmp_path / "a.html").read_text(encoding="utf-8")
    for name, parameter in ran.namespace["rnn"].named_parameters():
        expected = dict(plain.namespace["rnn"].named_parameters())[name]
        np.testing.assert_allclose(parameter.grad.array, expected.grad.array, rtol=1e-5)
    last = ran.namespace["loss"].grad_fn
    assert last.tag.line is None or at == 3, "lines are not traced after the walk"


def test_every_way_of_walking_counts_and_is_recorded(program, tmp_path) -> None:
    path = program(
        """
        import torch
        w = torch.tensor([0.5, 2.0], requires_grad=True)
        torch.autograd.backward((w * w).sum())
        g, = torch.autograd.grad((w ** 3).sum(), w, create_graph=True)
        (g * g).sum().backward(retain_graph=True)
        y = torch.tanh(w)
        y.backward(torch.ones(2))
        total = w.grad.clone()
        """
    )
    expected = None
    for at, cotangent in enumerate(([1.0, 4.0], [0.75, 12.0], None, [0.78644773, 0.07065082]), 1):
        ran = compat.run(path, draw=tmp_path / "a.svg", at=at)
        w, total = ran.namespace["w"], ran.namespace["total"].array
        expected = total if expected is None else expected
        np.testing.assert_allclose(total, expected)
        if cotangent is not None:
            np.testing.assert_allclose(ran.walk.gradient(w), cotangent, rtol=1e-6)


def test_a_recorded_walk_of_slices_is_recorded(program, tmp_path) -> None:
    """What slices send is put together later on, by operations: their numbers are kept."""
    path = program(
        """
        import torch
        xs = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
        h = torch.tensor(0.0)
        for x in xs:
            h = torch.tanh(0.5 * h + x)
        g, = torch.autograd.grad(h, xs, create_graph=True)
        (g.norm() - 1).square().backward()
        """
    )
    for at in (1, 2):
        ran = compat.run(path, draw=tmp_path / "a.svg", at=at)
        xs, g = ran.namespace["xs"], ran.namespace["g"]
        wanted = g if at == 1 else xs.grad
        np.testing.assert_allclose(ran.walk.gradient(xs), wanted.detach().array, rtol=1e-6)
        assert {place.tag.step for place in ran.walk.places} - {None} == {1, 2, 3}


def test_a_walk_may_end_at_what_operations_made(program, tmp_path) -> None:
    """As in meta-learning, where the second inner step goes on from the weights of the first."""
    path = program(
        """
        import torch
        w = torch.tensor([0.5, 2.0], requires_grad=True)
        fast = w
        for _ in range(2):
            g, = torch.autograd.grad((fast ** 3).sum(), fast, create_graph=True)
            fast = fast - 0.1 * g
        fast.sum().backward()
        """
    )
    for at in (1, 2, 3):
        ran = compat.run(path, draw=tmp_path / "a.svg", play=tmp_path / "a.html", at=at)
        for visit in ran.walk.visits:
            assert len(visit.contributions) == len(visit.node.parents)
    ran = compat.run(path, draw=tmp_path / "a.svg", at=2)
    assert ran.walk.visits[-1].contributions == (None, None)


def test_no_lines_are_traced_unless_a_walk_is_wanted(program) -> None:
    ran = compat.run(program(CLASSIFIER))
    assert ran.walk is None
    assert ran.namespace["loss"].grad_fn.tag.line is None


def test_a_walk_inside_contexts_of_the_program(program, tmp_path) -> None:
    path = program(
        """
        import torch
        w = torch.tensor(0.5, requires_grad=True)
        with torch.enable_grad(), torch.autograd.set_detect_anomaly(False):
            h = torch.tanh(w)
            h.backward()
        assert torch.is_grad_enabled()
        torch.tanh(w).backward()
        last = torch.tanh(w)
        """
    )
    ran = compat.run(path, draw=tmp_path / "a.svg")
    assert ran.walk is not None
    assert ran.namespace["last"].grad_fn.tag.line is None
    assert tg.tanh(ran.namespace["w"]).grad_fn.tag.line is None


def test_layers_are_fused_unless_told_otherwise(program, capsys) -> None:
    path = program(
        "import torch\n"
        "y, _ = torch.nn.LSTM(1, 2)(torch.ones(3, 1))\n"
        "print(len(y.grad_fn.next_functions))"
    )
    counts = []
    for options in ([], ["--literal"]):
        assert cli.main(["run", *options, str(path)]) == 0
        counts.append(capsys.readouterr().out)
    assert counts == ["1\n", "3\n"]


def test_options_reach_the_picture(program, tmp_path) -> None:
    path = program(CLASSIFIER)
    compat.run(path, draw=tmp_path / "all.svg", level="op", steps="all", at=3)
    compat.run(path, draw=tmp_path / "some.svg", level="op", steps=(1, 1), at=3)
    whole, some = ((tmp_path / f"{name}.svg").stat().st_size for name in ("all", "some"))
    assert some < whole


SEVERAL = """
    import torch
    w = torch.tensor([0.5, 0.2], requires_grad=True)
    h, x = torch.zeros(2), torch.ones(2)
    for t in range(3):
        h = torch.tanh(h * w + x)
    a, b = h.sum(), (h * w).sum()
    torch.autograd.backward({}, create_graph={})
    print(w.grad)
    """


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("given", ["[a, b]", "[a, h], [None, x * 3]", "[a, w, a], [None, x, x[0]]"])
def test_several_roots_are_drawn_as_their_sum(
    program, tmp_path, capsys, given, create_graph
) -> None:
    path = program(SEVERAL.format(given, create_graph))
    with tg.as_torch():
        runpy.run_path(str(path))
    unwatched = capsys.readouterr().out
    ran = compat.run(path, draw=tmp_path / "a.svg")
    assert_alike(capsys.readouterr().out, unwatched, rtol=1e-6)
    assert ran.walk is not None
    assert ran.walk.gradient(ran.walk.root) == 1
    np.testing.assert_allclose(
        ran.walk.gradient(ran.namespace["w"]), ran.namespace["w"].grad.detach().numpy()
    )
    assert {visit.step for visit in ran.walk.visits} == {1, 2, 3, None}


# -- what can be wrong --


@pytest.mark.parametrize(
    ("source", "at", "said"),
    [
        ("print(1)", 1, "it never called backward(): there is nothing to draw"),
        (CLASSIFIER, 9, "it called backward() 3 times: there is no backward 9 to draw"),
        ("import torch\ntorch.ones(1, requires_grad=True).backward()", 1, "starts from a leaf"),
    ],
)  # fmt: skip
def test_nothing_to_draw_is_said(program, tmp_path, source, at, said) -> None:
    with pytest.raises(compat.NotDrawn, match=r"program\.py") as caught:
        compat.run(program(source), draw=tmp_path / "a.svg", at=at)
    assert said in str(caught.value)
    assert not (tmp_path / "a.svg").exists()


def test_a_picture_that_fails_leaves_the_program_alone(program, tmp_path, capsys) -> None:
    path, target = program(CLASSIFIER), tmp_path / "a.svg"
    status = cli.main(
        ["run", "--draw", str(target), "--level", "op", "--steps", "99,100", str(path)]
    )
    printed = capsys.readouterr()
    assert status == 2
    assert "2 tensor" in printed.out, "it ran to its end"
    assert printed.err.startswith(f"tinygrad-rnn: error: {path}: cannot draw its backward 1: ")
    assert printed.err.count("\n") == 1
    assert not target.exists()


def test_a_picture_fits_the_width_that_is_asked_for(program, tmp_path, capsys) -> None:
    path, target = program(CLASSIFIER), tmp_path / "a.svg"
    for width in (500, 400):
        status, _, err = run(capsys, "--draw", target, "--width", width, path)
        assert (status, err) == (0, "")
        shown = re.search(r'<svg [^>]*width="(\d+)"', target.read_text(encoding="utf-8"))
        assert shown is not None
        assert int(shown[1]) <= width
    assert cli.main(["draw", "--width", "600", "--steps", "12", "-o", str(target)]) == 0
    assert re.search(r'<svg [^>]*width="(\d{3})"', target.read_text(encoding="utf-8"))


def test_too_many_boxes_are_said_in_options(program, tmp_path, capsys) -> None:
    path = program(
        """
        import torch
        w = torch.tensor(0.5, requires_grad=True)
        h = w
        for _ in range(3000):
            h = torch.tanh(w * h)
        h.backward()
        """
    )
    target = tmp_path / "a.svg"
    status, _, err = run(capsys, "--draw", target, "--level", "op", "--steps", "all", path)
    assert status == 2
    assert "boxes, and at most" in err
    assert "--level" in err
    assert err.count("\n") == 1
    assert not target.exists()


@pytest.mark.parametrize("at", [0, -1, True, 1.5])
def test_walks_are_counted_from_one(at) -> None:
    with pytest.raises(ValueError, match="whole number from 1"):
        Watch(at, print)


def test_files_are_checked_before_anything_runs(program, tmp_path) -> None:
    path = program("raise SystemExit('it ran')")
    with pytest.raises(ValueError, match="does not end in"):
        compat.run(path, draw=tmp_path / "a.txt")
    with pytest.raises(ValueError, match="does not end in"):
        compat.run(path, play=tmp_path / "a.svg")
    with pytest.raises(FileNotFoundError):
        compat.run(path, draw=tmp_path / "no" / "a.svg")
    with pytest.raises(ValueError, match="cannot both be"):
        watch_of(draw=tmp_path / "a.html", play=tmp_path / "a.html")


def test_what_is_no_program(program, tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        Program(tmp_path / "none.py")
    for source in (b"print 3", b"\x81\x00", b"x = '\x00'"):
        (tmp_path / "bad.py").write_bytes(source)
        with pytest.raises(SyntaxError):
            Program(tmp_path / "bad.py")


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    status = cli.main(["run", *map(str, arguments)])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.parametrize(
    ("source", "status", "err"),
    [
        ("import sys\nsys.exit(3)", 3, ""),
        ("import sys\nsys.exit()", 0, ""),
        ("import sys\nsys.exit('enough')", 1, "enough\n"),
        ("print 3", 1, "tinygrad-rnn: error: {path} is no Python program: Missing parentheses in "
         "call to 'print'. Did you mean print(...)? in line 1\n"),
    ],
)  # fmt: skip
def test_exit_codes(program, capsys, source, status, err) -> None:
    path = program(source)
    assert run(capsys, path) == (status, "", err.format(path=path))


def test_a_script_that_is_not_there(tmp_path, capsys) -> None:
    path = tmp_path / "none.py"
    said = f"tinygrad-rnn: error: cannot read {path}: No such file or directory\n"
    assert run(capsys, path) == (2, "", said)
    status, _, err = run(capsys, tmp_path)
    assert status == 2
    assert err.count("\n") == 1


def test_the_traceback_is_the_scripts_own(program, capsys) -> None:
    program("def twice(x):\n    return x @ x\n", "helper.py")
    path = program("import torch\nfrom helper import twice\n\ntwice(torch.ones(2, 3))\n")
    status, _, err = run(capsys, path)
    assert status == 1
    lines = [line for line in err.splitlines() if line.startswith("  File")]
    assert lines == [
        f'  File "{path}", line 4, in <module>',
        f'  File "{path.parent / "helper.py"}", line 2, in twice',
    ]
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.splitlines()[-1].startswith("RuntimeError: matmul: ")


def test_chained_errors_of_the_script_stay(program, capsys) -> None:
    path = program("try:\n    {}[1]\nexcept KeyError as e:\n    raise ValueError('two') from e\n")
    _, _, err = run(capsys, path)
    assert "KeyError: 1" in err
    assert err.splitlines()[-1] == "ValueError: two"


def test_a_missing_method_has_its_nearest_too(program, capsys) -> None:
    status, _, err = run(capsys, program("import torch\ntorch.ones(2).unsqueezee(0)\n"))
    assert status == 1
    said, hint = err.splitlines()[-2:]
    said = said.removesuffix(". Did you mean: 'unsqueeze'?")  # which Python 3.12 says, too
    assert said == "AttributeError: 'Tensor' object has no attribute 'unsqueezee'"
    assert hint == "tinygrad_rnn has no Tensor.unsqueezee; the nearest there is: unsqueeze"


def test_an_exit_code_survives_a_missing_picture(program, tmp_path, capsys) -> None:
    status, _, err = run(capsys, "--draw", tmp_path / "a.svg", program("raise SystemExit(3)"))
    assert status == 3
    assert "never called backward()" in err


def test_options_after_the_script_are_its_own(program, tmp_path, capsys) -> None:
    path = program("import sys\nprint(sys.argv[1:])")
    arguments = ["--draw", "x.svg", "-h", "--", "--at=2", "-o", "a b"]
    status, out, err = run(capsys, path, *arguments)
    assert (status, out) == (0, f"{arguments}\n")
    assert f"--draw stands behind {path}, and was given to it: for a picture" in err
    assert run(capsys, path, "-h", "--at=2")[2] == ""


@pytest.mark.parametrize(
    "option",
    ["--width=1200", "--at=2", "--level=op", "--steps=all", "--theme=dark", "--language=zh"],
)
def test_how_to_draw_is_not_said_where_nothing_is_drawn(program, capsys, option) -> None:
    status, out, err = run(capsys, option, program("print('ran')"))
    assert (status, out) == (2, "")
    assert f"nothing to draw for {option.split('=')[0]}: put --draw FILE" in err


def test_a_closed_pipe_ends_it_in_one_line(program, tmp_path) -> None:
    path = program("import torch\nwhile True:\n    print('y' * 100)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "tinygrad_rnn", "run", "--draw", tmp_path / "a.svg", path],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1
    assert "nobody reads what it prints any more" in err
    assert "Traceback" not in err
    assert not (tmp_path / "a.svg").exists()


# -- notebooks --


class FakeShell:
    """As much of IPython's shell as the extension needs."""

    def __init__(self) -> None:
        self.magics: dict = {}
        self.user_ns: dict = {}

    def register_magic_function(self, function, kind, name) -> None:
        self.magics[kind, name] = function

    def run_cell(self, cell: str) -> SimpleNamespace:
        exec(cell, self.user_ns)
        return SimpleNamespace(success=True)


CELL = """
import torch
w = torch.tensor(0.5, requires_grad=True)
h = torch.tensor(1.0)
for _ in range(3):
    h = torch.tanh(w * h)
h.backward()
"""


def test_a_cell_of_a_notebook(tmp_path, capsys) -> None:
    shell = FakeShell()
    tg.load_ipython_extension(shell)
    magic = shell.magics["cell", "bptt"]
    assert magic("--width 700", CELL).width <= 700
    assert "3 个时间步" in repr(magic("--language zh", CELL))
    assert THEMES["dark"].paper in magic("--theme dark", CELL).svg
    picture = magic(f"--level op --steps all --play {tmp_path / 'a.html'}", CELL)
    assert "3 time steps" in repr(picture)
    assert (tmp_path / "a.html").exists()
    assert isinstance(shell.user_ns["w"], tg.Tensor)
    assert magic("", "x = 1") is None
    assert (
        capsys.readouterr().out == "%%bptt: it never called backward(): there is nothing to draw\n"
    )
    with pytest.raises(ValueError, match="--at"):
        magic("--at x", CELL)


# -- names of nodes --


def test_a_recorded_walk_is_bptt_record(program, tmp_path) -> None:
    """The same visits, cotangents and gradients as `bptt.record` of the same loss."""
    source = CELL.replace("h.backward()", "{}")
    ran = compat.run(program(source.format("h.backward()")), draw=tmp_path / "a.svg")
    space: dict = {"bptt": bptt}
    with tg.as_torch():
        exec(source.format("walk = bptt.record(h)"), space)
    for ours, other in zip(ran.walk.visits, space["walk"].visits, strict=True):
        assert (ours.step, ours.node.name()) == (other.step, other.node.name())
        np.testing.assert_array_equal(ours.cotangent, other.cotangent)


NODES = """
a + b; 2 - a; 2 / a; a ** 2; a ** a; -a; a.square(); a @ b.T; a @ v; v @ v; B @ a.T
torch.bmm(B, B.mT); a.sum(); a.sum(0); a.mean(); a.mean(1); a.max(); a.max(1)[0]; a.norm()
a.tanh(); a.clamp(0, 1); a.exp(); a[0]; a[:, 0]; a[1:]; a[0, 1]; v[0]; a[:, None]; a[..., 0]
a[-1]; B[:, -1, :]; B[:, 0:1, :]; a[t]; a[a > 0]; list(a)[0]; a.unbind(0)[1]; a.view(-1)
a.unbind(1)[0]; a.chunk(2)[0]; a.chunk(9, 1)[-1]; a[:0].chunk(2)[1]; a.split(3, 1)[1]
a.split([1, 3], 1)[0]; a.split_with_sizes((1, 2))[1]; a.tensor_split(2)[1]; a.narrow(1, 1, 2)
a.select(0, 1); a[1, ...]; a[..., 1]
a.reshape(4, 3); a.flatten(); a.unsqueeze(1); a[:1].squeeze(); a.T; B.transpose(0, 1)
torch.cat((a, b), 1); torch.stack([a, b]); torch.where(a > 0, a, b); a.masked_fill(a > 0, 0.0)
F.linear(a, W, c); F.linear(a, W); F.linear(B, W, c); F.linear(B, W); F.linear(v, W, c)
F.softmax(a, 1); F.log_softmax(a, 1); F.relu(a); F.logsigmoid(a); F.dropout(a); F.embedding(t, a)
F.mse_loss(a, b); F.mse_loss(a, b, reduction="none"); F.l1_loss(a, b); F.smooth_l1_loss(a, b)
F.huber_loss(a, b); F.nll_loss(a, t); F.cross_entropy(a, t)
F.cross_entropy(a, t, reduction="sum"); F.cross_entropy(a, t, weight=v.detach())
F.cross_entropy(B.mT, u); F.binary_cross_entropy(a.sigmoid(), b.sigmoid().detach())
F.binary_cross_entropy_with_logits(a, b.detach()); nn.MSELoss()(a, b); nn.CrossEntropyLoss()(a, t)
nn.Linear(4, 2)(a); nn.Linear(4, 2)(B); nn.RNNCell(4, 5)(a); nn.LSTMCell(4, 5)(a)[0]
nn.GRUCell(4, 5)(a)
"""


def nodes_by(torch, expressions: list[str]) -> dict[str, str]:
    def random(*shape: int):
        return torch.randn(*shape).requires_grad_()

    torch.manual_seed(0)
    space = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional}
    space |= {"a": random(3, 4), "b": random(3, 4), "v": random(4), "B": random(2, 3, 4)}
    space |= {"W": random(5, 4), "c": random(5)}
    space |= {"t": torch.tensor([0, 1, 2]), "u": torch.tensor([[0, 1, 2], [1, 1, 0]])}
    return {text: eval(text, space).grad_fn.name() for text in expressions}


def test_nodes_are_called_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    expressions = [text.strip() for text in NODES.replace("\n", ";").split(";") if text.strip()]
    assert nodes_by(tg, expressions) == nodes_by(torch, expressions)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_outputs_of_layers_are_called_as_in_pytorch(
    kind, bidirectional, batch_first, dtype
) -> None:
    def called(torch) -> list[str]:
        options = {"bidirectional": bidirectional, "batch_first": batch_first}
        layer = getattr(torch.nn, kind)(4, 5, 2, dtype=getattr(torch, dtype), **options)
        found = []
        for shape in ((2, 3, 4), (3, 4)):
            output, state = layer(torch.zeros(*shape, dtype=getattr(torch, dtype)))
            states = state if isinstance(state, tuple) else (state,)
            found += [made.grad_fn.name() for made in (output, *states)]
        return found

    assert called(tg) == called(pytest.importorskip("torch"))

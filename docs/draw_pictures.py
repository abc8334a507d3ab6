"""Draw the pictures of README and docs; a test keeps them current."""

from __future__ import annotations

import runpy
import shutil
import subprocess
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, compat, viz
from tinygrad_rnn.cli import demo, samples

# Many read where it is dark: on GitHub, and on the site.
drawn = partial(viz.draw, theme="auto")
flow_of = partial(viz.gradient_flow, theme="auto")

LSTM = "nn.LSTM(2, 2, num_layers=2)"
LANGUAGES = {  # of pictures that a translated page shows: how their files end, and the words of one
    "en": (".svg", "{}, unrolled over four steps"),
    "zh": (".zh.svg", "{}，展开四个时间步"),
}
EXAMPLES = Path(__file__).parents[1] / "examples"


def draw(directory: Path) -> None:
    """Write every picture into a directory."""
    package_map = runpy.run_path(str(Path(__file__).parent / "draw_map.py"))["package_map"]
    (directory / "map.svg").write_text(package_map(), encoding="utf-8")

    for language, (ending, title) in LANGUAGES.items():
        _draw_first(directory, language, ending, title.format(LSTM))
    _draw_layers(directory)
    _draw_vanishing(directory)
    _draw_loops(directory)
    _draw_exercise(directory / "exercise.svg")


def _draw_first(directory: Path, language: str, ending: str, title: str) -> None:
    """The pictures of README, in a language."""
    _, _, loss = demo.forward()
    picture = drawn(bptt.record(loss), title=demo.TITLE, language=language)
    picture.save(directory / f"two_step_rnn{ending}")

    program, path = EXAMPLES / "programs" / "names.py", directory / f"names{ending}"
    with redirect_stdout(StringIO()):
        compat.run(program, draw=path, theme="auto", language=language)

    walk = bptt.record(samples.unrolled("lstm", layers=2, steps=4, every_step=True))
    drawn(walk, title=title, language=language).save(directory / f"lstm_cells{ending}")


def _draw_layers(directory: Path) -> None:
    tg.manual_seed(0)
    layer = tg.nn.RNN(1, 2)
    output, _ = layer(tg.tensor([[[1.0]], [[2.0]], [[3.0]]]))
    walk = bptt.record((output * output).sum().named("L"))
    drawn(walk, level="op", title="nn.RNN(1, 2), unrolled over three steps").save(
        directory / "rnn_layer.svg"
    )

    walk = bptt.record(samples.unrolled("gru", steps=3, bidirectional=True, every_step=True))
    drawn(walk, title="nn.GRU(2, 2, bidirectional=True) over three steps").save(
        directory / "gru_both_ways.svg"
    )

    tg.manual_seed(0)
    stacked = tg.nn.RNN(1, 1, num_layers=3, nonlinearity="relu")
    _, hn = stacked(tg.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1), tg.zeros(3, 1, 1))
    drawn(bptt.record(hn.sum()), title="Three layers, three steps").save(
        directory / "stacked_rnn.svg"
    )


def _draw_vanishing(directory: Path) -> None:
    walk = bptt.record(samples.unrolled("lstm", layers=2, steps=50))
    title = "nn.LSTM over fifty steps, a loss at the last: the gradient vanishes on its way back"
    drawn(walk, title=title).save(directory / "lstm_long.svg")
    flow_of(walk).save(directory / "gradient_flow.svg")
    drawn(walk, level="step").save(directory / "heat_map.svg")

    for kind, name in (("RNN", "vanishing_rnn"), ("LSTM", "carousel_lstm")):
        tg.manual_seed(0)
        layer = getattr(tg.nn, kind)(2, 8, dtype=tg.float64)
        if kind == "LSTM":
            with tg.no_grad():
                layer.bias_ih_l0[8:16] = 5.0  # open forget gates
        output, _ = layer(tg.randn(40, 2, dtype=tg.float64))
        flow_of(bptt.record(output[-1].sum())).save(directory / f"{name}.svg")


def _draw_loops(directory: Path) -> None:
    tg.manual_seed(0)
    W, U = (tg.randn(n, 3, requires_grad=True).named(name) for n, name in ((3, "W"), (2, "U")))
    h, loss = tg.zeros(1, 3), 0.0
    for x in tg.randn(30, 1, 2):
        h = tg.tanh(h @ W + x @ U).named("h")
        loss = loss + (h**2).sum()
    drawn(bptt.record(loss), level="rolled").save(directory / "rolled.svg")

    tg.manual_seed(0)
    i2h, i2o, h = tg.nn.Linear(5, 3), tg.nn.Linear(3, 2), tg.zeros(1, 3)
    for x in tg.randn(4, 1, 2):
        h = tg.tanh(i2h(tg.cat((x, h), 1))).named("h")
    walk = bptt.record(i2o(h).sum())
    drawn(walk, level="op", title="Linear and cat, four steps").save(
        directory / "loop_of_linear.svg"
    )


def _draw_exercise(path: Path) -> None:
    """The first sheet of an exercise to print."""
    _, _, loss = demo.forward()
    with TemporaryDirectory() as place:
        page, _ = viz.worksheet(bptt.record(loss), f"{place}/exercise.html", nice=True)
        sheets = page.read_text(encoding="utf-8")
    path.write_text(sheets[sheets.index("<svg") : sheets.index("</svg>")] + "</svg>\n", "utf-8")


def write_sheet(docs: Path) -> None:
    """Write the sheet of by_hand.md, and photograph it where LibreOffice and Poppler are there."""
    from PIL import Image, ImageChops

    _, _, loss = demo.forward()
    bptt.spreadsheet(bptt.record(loss), docs / "by_hand.xlsx")
    if not (shutil.which("soffice") and shutil.which("pdftoppm")):
        return
    with TemporaryDirectory() as directory:
        to_pdf = ["soffice", "--headless", f"-env:UserInstallation=file://{directory}/profile"]
        to_pdf += ["--convert-to", "pdf", "--outdir", directory, str(docs / "by_hand.xlsx")]
        subprocess.run(to_pdf, check=True, capture_output=True)
        to_png = ["pdftoppm", "-r", "190", "-f", "1", "-l", "1", "-singlefile", "-png"]
        subprocess.run([*to_png, f"{directory}/by_hand.pdf", f"{directory}/page"], check=True)
        photo = Image.open(f"{directory}/page.png").convert("RGB")
    left, top, right, bottom = ImageChops.invert(photo).getbbox()
    photo = photo.crop((left - 12, top - 12, right + 12, bottom + 12))
    photo.quantize(48).save(docs / "pictures" / "by_hand.png", optimize=True)


if __name__ == "__main__":
    draw(Path(__file__).parent / "pictures")
    write_sheet(Path(__file__).parent)

"""How a training went: the numbers of a `History`, its files, its curves, and live ones."""

from __future__ import annotations

import csv
import io
import re
import sys
import types
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import area_of

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.viz import training

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "_hidden",
    "a$b$c",
    "$\\frac{",
    "<b>&\"'",
    "时间",
    "x\u202ey",
    "=1+1",
    "a,b\n",
    "%",
    "λ₁",
]


def net_of(*sizes):
    return tg.nn.Sequential(*(tg.nn.Linear(a, b) for a, b in pairwise(sizes)))


def trained(iterations=5, **more):
    tg.manual_seed(0)
    net, history = net_of(2, 3, 1), bptt.History()
    optimizer = tg.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(iterations):
        optimizer.zero_grad()
        loss = net(tg.ones(4, 2)).square().mean()
        loss.backward()
        history.add(loss=loss, net=net, **more)
        optimizer.step()
    return history


# -- the numbers ---------------------------------------------------------------------------------


def test_norms_are_those_that_pytorch_clips_by():
    torch = pytest.importorskip("torch")
    rng, history, totals, each = np.random.default_rng(3), bptt.History(), [], []
    for _ in range(8):
        sizes = [int(n) for n in rng.integers(1, 5, 3)]
        net, x = net_of(*sizes), rng.normal(size=(3, sizes[0])).astype(np.float32)
        twin = torch.nn.Sequential(*(torch.nn.Linear(a, b) for a, b in pairwise(sizes)))
        twin.load_state_dict({k: torch.tensor(v.numpy()) for k, v in net.state_dict().items()})
        (net(tg.tensor(x)) ** 3).sum().backward()
        (twin(torch.tensor(x)) ** 3).sum().backward()
        history.add(net=net)
        totals.append(torch.nn.utils.clip_grad_norm_(twin.parameters(), 1e9).item())
        each.append([float(p.grad.norm()) for p in twin.parameters()])
    np.testing.assert_allclose(history["grad"], totals, rtol=1e-4)
    names = ["grad 0.weight", "grad 0.bias", "grad 1.weight", "grad 1.bias"]
    assert history.gradients == ["grad", *names]
    np.testing.assert_allclose(np.stack([history[n] for n in names], 1), each, rtol=1e-4)


TOLD = st.dictionaries(st.sampled_from(["loss", "b", "c_d"]), st.floats(width=64), min_size=1)


@given(st.lists(TOLD, max_size=30))
@settings(max_examples=80, deadline=None)
def test_what_was_added_is_there(told):
    history = bptt.History()
    for numbers in told:
        history.add(**numbers)
    names = list(dict.fromkeys(name for numbers in told for name in numbers))
    assert (len(history), history.keys(), history.numbers) == (len(told), names, names)
    expected = [[numbers.get(name, np.nan) for name in names] for numbers in told]
    expected = np.array(expected, float).reshape(len(told), len(names))
    np.testing.assert_array_equal(np.asarray(history), expected)
    for name in names:
        iterations, values = history.given(name)
        assert iterations.tolist() == [i for i, row in enumerate(told, 1) if name in row]
        np.testing.assert_array_equal(values, [row[name] for row in told if name in row])
    assert str(history).startswith(f"Training, {len(told)} iteration")
    assert history._repr_html_().count("<tr>") == 1 + len(names)
    if told:
        ET.fromstring(viz.training_curves(history).svg)


def test_one_number_of_any_kind():
    history = bptt.History()
    history.add(a=1, b=np.float32(0.5), c=tg.tensor([[2.0]]), d=True, e=np.array(3))
    assert np.asarray(history).tolist() == [[1.0, 0.5, 2.0, 1.0, 3.0]]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({}, ValueError, "nothing to add: say loss=loss"),
        ({"loss": tg.ones(3)}, TypeError, r"loss is an array of shape \(3,\), not one real number"),
        ({"loss": None}, TypeError, "loss is NoneType"),
        ({"loss": "0.5"}, TypeError, "loss is str"),
        ({"loss": 1j}, TypeError, "loss is complex"),
        ({"grad": 1.0}, ValueError, "'grad' is a name of its own"),
        ({"grad w": 1.0}, ValueError, "is a name of its own"),
        ({"iteration": 1.0}, ValueError, "is a name of its own"),
        ({"loss": 1.0, "net": net_of(1, 1)}, ValueError, "no parameter of the net has a gradient"),
        ({"loss": 1.0, "net": [tg.ones(1)]}, TypeError, "net is a list: give a Module"),
        ({"loss": 1.0, "net": {"w": np.ones(1)}}, TypeError, "'w' is a ndarray, no tensor"),
    ],
)
def test_what_is_refused_leaves_nothing(given, error, said):
    history = trained(2)
    before = str(history)
    with pytest.raises(error, match=f"^History.add: .*{said}"):
        history.add(**given)
    assert str(history) == before


def test_a_missing_name_says_what_there_is():
    with pytest.raises(KeyError, match="there is no 'acc'; there is 'loss', 'grad'"):
        trained()["acc"]
    with pytest.raises(KeyError, match="nothing yet"):
        bptt.History()["loss"]


def test_arrays_are_copies_and_nothing_of_the_net_is_held():
    history = trained()
    history["loss"][:] = 0
    assert history["loss"].min() > 0
    kept = [values for _, column in history._columns.items() for values in column]
    assert {values.itemsize for values in kept} == {8}
    history.add(loss=1.0)  # also while somebody has the arrays
    assert np.isnan(history["grad"][-1])


def test_a_file_has_every_digit(tmp_path):
    history = bptt.History()
    for name in HOSTILE:
        history.add(**{name: 1 / 3, "loss": np.nan})
    path = history.to_csv(tmp_path / "a.csv")
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["iteration", *history.keys()]
    assert [row[0] for row in rows] == [str(i + 1) for i in range(len(HOSTILE))]
    np.testing.assert_array_equal([[float(x) for x in row[1:]] for row in rows], history)


# -- while it goes on -----------------------------------------------------------------------------


def test_the_bar_says_the_newest_numbers(monkeypatch, capsys):
    said = []

    class Bar(list):
        mininterval = 0

        def set_postfix_str(self, text, refresh):
            said.append(text)

    monkeypatch.setattr("tinygrad_rnn.bptt.history.progress", lambda items, **_: Bar(items))
    history = bptt.History()
    for i in history.over([4, 2, 1]):
        history.add(loss=i / 8)
    assert said == ["loss 0.500 ▁", "loss 0.250 █▁", "loss 0.125 █▃▁"]
    monkeypatch.undo()
    assert list(history.over(range(3), desc="quiet")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_long_loop_is_not_slowed_by_its_curve(monkeypatch):
    """A curve of all numbers at every one of them would take time that grows with their square."""
    pytest.importorskip("tqdm", reason="the bar is tqdm's: pip install tqdm")
    said, drawn = io.StringIO(), []
    said.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", said)
    module = sys.modules[bptt.History.__module__]
    monkeypatch.setattr(module, "curve", lambda values: drawn.append(len(values)) or "")
    history = bptt.History()
    for _ in history.over(range(5000), file=said, mininterval=1000.0):
        history.add(loss=1.0)
    assert (len(history), len(drawn)) == (5000, 1)


@pytest.fixture
def notebook(monkeypatch):
    """What a notebook shows, in the order of time: (place, chart)."""
    shown = []

    def display(chart, display_id):
        place = len({place for place, _ in shown})
        shown.append((place, chart))
        return types.SimpleNamespace(update=lambda new: shown.append((place, new)))

    module = types.SimpleNamespace(display=display)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(training, "in_a_notebook", lambda: True)
    return shown


def test_a_training_is_watched_in_one_place(notebook, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(training.time, "monotonic", lambda: now[0])
    with viz.watch(bptt.History(), theme="dark") as history:
        for i in range(100):
            now[0] += 0.1
            history.add(loss=1 / (i + 1))
    assert {place for place, _ in notebook} == {0}
    assert 15 <= len(notebook) <= 25  # every half a second of ten
    titles = [chart.title for _, chart in notebook]
    assert titles[0] == "Training, 1 iteration"
    assert titles[-1] == "Training, 100 iterations"
    history.add(loss=1.0)  # nobody watches any more
    assert len(notebook) == len(titles)


def test_what_was_watched_is_complete_if_the_loop_fails(notebook):
    history = bptt.History()

    def fails():
        with viz.watch(history):
            for i in (2, 1, 0):
                history.add(loss=1 / i)

    with pytest.raises(ZeroDivisionError):
        fails()
    assert notebook[-1][1].title == "Training, 2 iterations"
    with viz.watch(bptt.History()):
        pass  # nothing to show
    assert not history.observers


def test_watching_is_checked():
    with pytest.raises(TypeError, match="watch: expected a History, got list"), viz.watch([]):
        pass
    with pytest.raises(ValueError, match="theme='neon'"), viz.watch(bptt.History(), theme="neon"):
        pass


# -- curves ---------------------------------------------------------------------------------------


def curves(chart):
    root = ET.fromstring(chart.svg)
    return [p.get("d") for p in root.iter(f"{SVG}path") if p.get("class") == "curve"]


def heights(d):
    return [float(y) for y in re.findall(r" (-?[\d.]+)", d)]


def test_curves_are_those_of_the_numbers():
    history = trained(30, val_loss=0.5, accuracy=0.25)
    chart = viz.training_curves(history)
    assert chart.title == "Training, 30 iterations"
    found = curves(chart)
    assert len(found) == 3 + 5  # loss, val_loss; accuracy; all gradients and four parameters
    ends = [(heights(d)[0], heights(d)[-1]) for d in found]
    falling = sum(first < last for first, last in ends)  # downwards is more
    assert falling >= 4
    words = [t.text for t in ET.fromstring(chart.svg).iter(f"{SVG}text")]
    for name in ("loss, val_loss", "accuracy", "‖gradient‖", "all gradients", "0.weight"):
        assert name in words
    assert viz.training_curves(history, title="T").title == "T"


def test_the_largest_of_many_parameters_have_curves():
    history, w = bptt.History(), {f"w{i}": tg.ones(1, requires_grad=True) for i in range(9)}
    for _ in range(3):
        for i, parameter in enumerate(w.values()):
            parameter.grad = tg.tensor([float(i)])
        history.add(net=w)
    chart = viz.training_curves(history)
    words = [t.text for t in ET.fromstring(chart.svg).iter(f"{SVG}text")]
    assert [word for word in words if re.fullmatch(r"w\d", word)] == ["w4", "w5", "w6", "w7", "w8"]
    assert any("5 of 9 parameters" in word for word in words)


def test_gradients_that_are_never_finite_are_among_the_largest():
    history, w = bptt.History(), {f"w{i}": tg.ones(1, requires_grad=True) for i in range(8)}
    for i, parameter in enumerate(w.values()):
        parameter.grad = tg.tensor([float("nan") if i == 0 else float(i)])
    history.add(net=w)
    assert ">w0</text>" in viz.training_curves(history).svg


def test_many_numbers_stand_in_rows():
    history = bptt.History()
    history.add(**dict.fromkeys("abcdefg", 0.5))
    root = ET.fromstring(viz.training_curves(history).svg)
    places = [(r.get("x"), r.get("y")) for r in root.iter(f"{SVG}rect") if r.get("class") == "plot"]
    assert len(set(places)) == 7
    assert len({x for x, _ in places}) == len({y for _, y in places}) == 3


@pytest.mark.parametrize(
    "values",
    [[0.0] * 4, [np.nan] * 3, [-np.inf], [np.inf, 1.0], [-1.0, 2.0, np.nan], [1e-300, 1e300], [5],
     [-0.5] * 3, [1e-320], [3e307, -3e307], [-8e307], [-1.7e308, 1.7e308]],
)  # fmt: skip
def test_odd_numbers_have_curves(values):
    history = bptt.History()
    for value in values:
        history.add(loss=value)
    (d,) = curves(viz.training_curves(history))
    assert all(20 < y < 230 for y in heights(d))


def test_a_long_training_has_a_band_and_keeps_its_peak():
    history = bptt.History()
    for i in range(5000):
        history.add(loss=1000.0 if i == 2222 else 1.0)
    chart = viz.training_curves(history)
    (d,) = curves(chart)
    (band,) = re.findall(r'class="band" d="([^"]*)"', chart.svg)
    assert len(chart.svg) < 30_000
    assert min(heights(band)) < min(heights(d)) - 50  # the peak


def test_names_of_curves_are_escaped_and_do_not_meet():
    history = bptt.History()
    history.add(**{f"{name} loss": 1.0 + i for i, name in enumerate(HOSTILE)})
    chart = viz.training_curves(history, theme="dark")
    for group in ET.fromstring(chart.svg).iter(f"{SVG}g"):
        areas = [(area_of(t), t.text) for t in group.iter(f"{SVG}text")]
        assert not [(one, two) for (a, one), (b, two) in combinations(areas, 2) if a.meets(b)]
    assert "<b>" not in chart.svg


def test_curves_need_something():
    with pytest.raises(ValueError, match="nothing was added"):
        viz.training_curves(bptt.History())
    with pytest.raises(TypeError, match="expected a History, got dict"):
        viz.training_curves({})


# -- matplotlib -----------------------------------------------------------------------------------


@pytest.fixture
def ax():
    matplotlib = pytest.importorskip("matplotlib", reason="pip install 'tinygrad_rnn[matplotlib]'")
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure()
    yield figure.subplots()
    figure.canvas.draw()  # nothing in it that cannot be drawn


def drawn(ax):
    return {line.get_label(): np.asarray(line.get_ydata(), float) for line in ax.lines}


def test_a_history_draws_itself(ax):
    history = trained(6)
    assert history.plot(ax) is ax
    lines = drawn(ax)
    np.testing.assert_array_equal(lines["loss"], history["loss"])
    np.testing.assert_array_equal(lines["grad"], history["grad"])
    assert (ax.get_yscale(), ax.get_xlabel()) == ("log", "iteration")
    ticks = [x for x in ax.get_xticks() if 1 <= x <= 6]
    assert ticks == [int(x) for x in ticks]
    ax.set_xscale("log")  # what a caller chose stays
    history.plot(ax, ["grad 0.bias"])
    assert ax.get_xscale() == "log"
    np.testing.assert_array_equal(drawn(ax)["grad 0.bias"], history["grad 0.bias"])
    with pytest.raises(KeyError, match="there is no 'no'"):
        history.plot(ax, ["no"])


@pytest.mark.filterwarnings("ignore:.*Glyph.*missing")
def test_hostile_names_are_labels(ax):
    history = bptt.History()
    for name in HOSTILE:
        history.add(**{name: -1.0})
    history.plot(ax)
    assert ax.get_yscale() == "linear"
    assert len(ax.get_legend().get_texts()) == len(HOSTILE)


def walked(kind=tg.nn.LSTM, **options):
    tg.manual_seed(1)
    layer = kind(2, 3, **options)
    return layer, bptt.record(layer(tg.randn(7, 2))[0].square().sum())


def test_flow_draws_itself(ax):
    _, walk = walked(num_layers=2)
    flow = bptt.flow(walk)
    assert flow.plot(ax) is ax
    parts = [np.array(part) for series in flow for part in series.norms()]
    assert len(ax.lines) == len(parts) + 2  # and two for the legend
    for line, part in zip(ax.lines, parts):
        np.testing.assert_array_equal(line.get_ydata(), part)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts[-2:] == ["directly", "through time"]
    assert len(texts) == len(flow) + 2


def test_jacobians_draw_their_spectrum(ax):
    layer, _ = walked(tg.nn.RNN)
    found = bptt.jacobians(layer, tg.randn(7, 2))
    assert found.plot(ax) is ax
    lines, sigmas = drawn(ax), found.singular_values()
    np.testing.assert_allclose(lines["largest σ"], [sigma[0] for sigma in sigmas.values()])
    np.testing.assert_allclose(lines["spectral radius"], list(found.spectral_radius().values()))
    np.testing.assert_allclose(lines["‖W_hh‖₂ · γ"], found.bound)
    np.testing.assert_allclose(lines["σ of J_t"], np.concatenate(list(sigmas.values())))
    with pytest.raises(KeyError, match="no part 'c'"):
        found.plot(ax, of="c")


@pytest.mark.parametrize("by", ["step", "operation", ("layer", "step")])
def test_contributions_draw_bars(ax, by):
    layer, walk = walked()
    shares = bptt.contributions(walk, layer.weight_ih_l0, by=by)
    assert shares.plot(ax) is ax
    heights = [bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(heights, [np.linalg.norm(share) for share in shares.values()])


def test_a_matrix_of_contributions_draws_cells(ax):
    layer, walk = walked(tg.nn.RNN)
    shares = bptt.contributions(walk, layer.weight_ih_l0, by=("loss", "step"))
    assert shares.plot(ax) is ax
    cells = ax.images[0].get_array()
    np.testing.assert_allclose(np.where(cells.mask, 0, 10.0 ** cells.filled(0)), shares.norms())
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("loss", "step")


def test_truncations_and_surfaces_draw_themselves(ax):
    layer, walk = walked(tg.nn.RNN)
    found = bptt.compare_truncation(walk, [1, 3, 7])
    found.plot(ax)
    np.testing.assert_array_equal(drawn(ax)["all"], found.relative_errors())
    np.testing.assert_array_equal(
        drawn(ax)["weight_hh_l0"], found.relative_errors(layer.weight_hh_l0)
    )
    a, b = (tg.tensor(x, requires_grad=True) for x in (0.5, 0.1))
    surface = bptt.error_surface(lambda: (a - b) ** 2, a, b, (0, 1), (0, 2), points=(4, 3))
    other = ax.figure.add_axes([0.8, 0.8, 0.2, 0.2])
    surface.plot(other)
    np.testing.assert_allclose(other.collections[0].get_array(), surface.loss.T)


def test_without_axes_there_is_a_new_figure():
    matplotlib = pytest.importorskip("matplotlib", reason="pip install 'tinygrad_rnn[matplotlib]'")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    one, two = trained().plot(), trained().plot()
    assert one.figure is not two.figure
    pyplot.close("all")


def test_plots_say_what_they_need(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(RuntimeError, match=r"^History\.plot draws by matplotlib: pip install"):
        trained().plot()
    with pytest.raises(TypeError, match=r"^History\.plot: expected axes of matplotlib, got str"):
        trained().plot("here")

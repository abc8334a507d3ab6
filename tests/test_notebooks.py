"""Notebooks: what results look like there, in executed ones, shown in a real browser."""

from __future__ import annotations

import html
import re
import time
from html.parser import HTMLParser
from importlib.util import find_spec

import pytest
from browsing import Page, open_chromium

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, viz
from tinygrad_rnn.cli import samples
from tinygrad_rnn.writing.text import Code, html_table

pytestmark = pytest.mark.skipif(
    not all(map(find_spec, ("nbclient", "nbconvert", "ipykernel"))),
    reason="pip install nbclient nbconvert ipykernel",
)

CELLS = {
    "record": """
        import tinygrad_rnn as tg
        from tinygrad_rnn import bptt, nn, viz
        tg.manual_seed(0)
        net = nn.LSTM(2, 3)
        output, _ = net(tg.randn(12, 2))
        loss = (output[-1] ** 2).sum().named("L <b>")
        walk = bptt.record(loss)
        walk""",
    "picture": "viz.draw(walk, steps='all')",
    "operations": "viz.draw(walk, level='op', steps=(1, 1), theme='dark')",
    "small": "viz.draw(bptt.record(tg.ones(2, requires_grad=True).exp().sum()), title='A \"<b>\"')",
    "heat map": "viz.draw(walk, level='step')",
    "chart": "viz.gradient_flow(walk)",
    "player": "viz.play(walk, title='The player')",
    "contributions": "bptt.contributions(walk, net.weight_hh_l0)",
    "flow": "bptt.flow(walk)",
    "jacobians": "bptt.jacobians(walk)",
    "truncation": "bptt.compare_truncation(walk, [1, 3])",
    "diagnosis": "bptt.diagnose(walk)",
    "explanation": "bptt.explain(walk, net.bias_hh_l0)",
    "program": "bptt.program(nn.RNN(2, 3))",
    "watched": """
        with viz.watch(bptt.History()) as history:
            for t in range(1, 5):
                history.add(loss=1 / t)""",
    "progress": "for epoch in tg.utils.progress(range(3), desc='epoch'): pass",
}
PICTURES = ("picture", "operations", "small", "heat map", "chart", "watched")
TABLES = ("record", "contributions", "flow", "jacobians", "truncation", "diagnosis")


@pytest.fixture(scope="module")
def notebook():
    """The cells above, executed by a kernel."""
    import textwrap

    import nbclient
    import nbformat

    sources = [textwrap.dedent(source).strip() for source in CELLS.values()]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in sources])
    nbclient.NotebookClient(made, kernel_name="python3", timeout=300).execute()
    return made


@pytest.fixture(scope="module")
def outputs(notebook):
    """What each cell showed, by its name."""
    return dict(zip(CELLS, (cell.outputs for cell in notebook.cells), strict=True))


def shown(outputs, name):
    """The one result of a cell, by its forms."""
    (output,) = outputs[name]
    assert output.output_type == ("display_data" if name == "watched" else "execute_result")
    return output.data


# -- what there is to show ---------------------------------------------------------------------


class Tags(HTMLParser):
    """The elements of some HTML, those that end counted off against those that begin."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.attributes = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += [(tag, dict(attrs))]
        if tag != "input":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_come_as_svg_and_as_html(name, outputs):
    data = shown(outputs, name)
    assert data.keys() == {"image/svg+xml", "text/html", "text/plain"}
    assert data["image/svg+xml"] in data["text/html"]
    tags = Tags(data["text/html"])
    assert tags.seen.count("svg") == 1
    assert "script" not in tags.seen


@pytest.mark.parametrize("name", TABLES)
def test_results_come_as_tables(name, outputs):
    data = shown(outputs, name)
    tags = Tags(data["text/html"])
    assert tags.seen[0] in ("table", "p")
    assert "b" not in tags.seen  # the name of the loss is a name
    assert data["text/plain"]


def test_a_record_comes_as_the_table_of_its_visits(outputs):
    table = shown(outputs, "record")["text/html"]
    assert "L &lt;b&gt;" in table
    assert "…" in table
    assert len(re.findall("<tr>", table)) == 1 + 3 + 1 + 5


def test_a_record_says_who_receives_what():
    w = tg.tensor(0.5, requires_grad=True).named("w")
    with tg.step(1):
        h = (w * 3.0).named("h")
    walk = bptt.record(tg.tanh(h).named("L"))
    rows = re.findall(r"<tr>(.*?)</tr>", walk._repr_html_())
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    steepness = 1 - tg.tanh(tg.tensor(1.5)).item() ** 2
    assert cells[0] == ["visit", "t", "tensor", "‖gradient‖", "hands it on to"]
    assert [row[0] for row in cells[1:]] == ["1", "2"]
    assert "tanh(h₁)" in cells[1][2]
    assert cells[1][4] == "h₁"
    assert cells[2][1] == "1"
    assert cells[2][2] == "h₁ = w * 3"
    assert float(cells[2][3]) == pytest.approx(steepness, rel=1e-3)
    assert cells[2][4] == "w"
    assert f"<table>\n<caption>{walk!r}" in walk._repr_html_()


def test_explanations_come_as_formulas_and_programs_as_code(outputs):
    assert "$$\n\\begin{aligned}" in shown(outputs, "explanation")["text/markdown"]
    program = shown(outputs, "program")["text/markdown"]
    assert program.startswith("```python\n")
    assert program.count("```") == 2
    text = bptt.program(tg.nn.RNN(2, 3))
    assert isinstance(text, Code)
    assert text.strip() in program
    compile(text, "program", "exec")


def test_progress_is_shown_where_no_terminal_is(outputs):
    pytest.importorskip("tqdm")
    said = "".join(output.get("text", "") for output in outputs["progress"])
    assert "epoch" in said
    assert "3/3" in said
    assert "Warning" not in said


def test_a_training_is_watched_in_one_place(outputs):
    assert "Training, 4 iterations" in shown(outputs, "watched")["image/svg+xml"]


def test_tables_escape_what_stands_in_them():
    table = html_table([["<i>"], ["a & b"]], "<script>")
    assert Tags(table).seen == ["table", "caption", "thead", "tr", "th", "tbody", "tr", "td"]


# -- the player --------------------------------------------------------------------------------


def test_without_a_path_the_player_is_an_object(tmp_path):
    walk = bptt.record(samples.unrolled("rnn", steps=2))
    player = viz.play(walk, title="It's <b>\"&amp;")
    assert isinstance(player, viz.Player)
    assert "page" not in repr(player)
    tags = Tags(player._repr_html_())
    ((_, attributes),) = tags.attributes
    assert attributes["srcdoc"] == player.page  # as a browser reads it
    assert attributes["sandbox"] == "allow-scripts"
    assert attributes["title"] == player.title == "It's <b>\"&amp;"
    path = viz.play(walk, tmp_path / "a.html", title=player.title)
    assert player.save(tmp_path / "b.html").read_bytes() == path.read_bytes()
    for bad in ("a.svg", "a"):
        with pytest.raises(ValueError, match=r"does not end in \.html"):
            player.save(tmp_path / bad)


def test_without_a_path_a_tensor_is_walked_too():
    w = tg.tensor(0.5, requires_grad=True)
    viz.play(w * w)
    assert w.grad.item() == 1.0


# -- in a browser ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def path(notebook, tmp_path_factory):
    """The executed notebook as a page."""
    from nbconvert import HTMLExporter

    path = tmp_path_factory.mktemp("notebook") / "notebook.html"
    text, _ = HTMLExporter().from_notebook_node(notebook)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chromium():
    browser = open_chromium()
    yield browser
    browser.quit()


@pytest.fixture
def page(chromium, path):
    page = Page(chromium, path)
    page.resize(1000, 800)
    return page.open()


BOXES = """return [...document.querySelectorAll('.bptt-picture')].map(picture => {
  const {width, height} = picture.querySelector('svg').getBoundingClientRect();
  const cell = picture.parentElement, {paddingLeft, paddingRight} = getComputedStyle(cell);
  const room = cell.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  return [width, height, room, picture.clientHeight]})"""


def test_pictures_are_as_wide_as_their_cell_and_no_wider(page, outputs):
    found = page.run(BOXES)
    assert len(found) == len(PICTURES)
    for name, (width, height, room, kept) in zip(PICTURES, found, strict=True):
        svg = shown(outputs, name)["image/svg+xml"]
        wide, high = map(float, re.search(r'width="([\d.]+)" height="([\d.]+)"', svg).groups())
        assert width == pytest.approx(min(wide, room), abs=1)
        assert height / width == pytest.approx(high / wide, rel=0.01)
        assert kept == pytest.approx(height, abs=2)
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")


def test_pictures_have_alternative_text(page, outputs):
    for name, svg in zip(PICTURES, page.all(".bptt-picture svg"), strict=True):
        assert svg.aria_role == "image"
        title = re.search("<title>(.*?)</title>", shown(outputs, name)["image/svg+xml"])[1]
        assert svg.accessible_name == html.unescape(title)


FULL = """const svg = document.querySelector('.bptt-picture svg').getBoundingClientRect();
const place = document.querySelector('.bptt-picture span').getBoundingClientRect();
return [svg.width, place.width, place.height, innerWidth, innerHeight]"""


def test_a_click_opens_a_picture_in_full_size_and_the_next_closes_it(page, outputs):
    before = page.run(BOXES)
    svg = shown(outputs, "picture")["image/svg+xml"]
    wide = float(re.search(r'width="([\d.]+)"', svg)[1])
    assert before[0][0] < wide
    page.find(".bptt-picture svg").click()
    width, across, down, window, height = page.run(FULL)
    assert (width, across, down) == pytest.approx((wide, window, height), abs=20)
    assert page.run(BOXES)[0][3] == before[0][3]  # the page below stays where it is
    page.find(".bptt-picture span").click()
    assert page.run(BOXES) == before


def test_the_space_bar_does_the_same(page):
    before = page.run(BOXES)
    page.run("document.querySelector('.bptt-picture input').focus()")
    page.press(" ")
    assert page.run(BOXES)[0][0] > before[0][0]
    page.press(" ")
    assert page.run(BOXES) == before


def test_where_a_cell_reaches_no_further_a_picture_opens_in_its_place(page):
    """As in JupyterLab, which lets the browser lay out every cell by itself."""
    page.run("document.querySelector('.bptt-picture').parentElement.style.contain = 'layout paint'")
    _, height, room, _ = page.run(BOXES)[0]
    page.find(".bptt-picture svg").click()
    _, across, down, *_ = page.run(FULL)
    assert (across, down) == pytest.approx((room, height), abs=20)


def test_the_player_plays_in_the_cell(page, chromium):
    frame = page.find("iframe")
    assert frame.accessible_name == "The player"
    page.run("document.querySelector('iframe').scrollIntoView()")
    chromium.switch_to.frame(frame)
    try:
        page.wait("document.querySelector('#count') !== null")
        steps = int(page.text("#count").split("/")[1])
        page.find("#forward").click()
        page.find("#forward").click()
        assert page.step == 2
        page.go(steps)
        assert page.step == steps
        assert page.run("return document.title") == "The player"
        assert (
            page.run("try { return parent.document !== null } catch { return 'apart' }") == "apart"
        )
        time.sleep(0.3)  # it notes the step in its address now, where it may
        page.go(3)
        assert page.step == 3
    finally:
        chromium.switch_to.default_content()


def test_nothing_of_ours_asks_the_network_or_complains(page):
    """The converter's own page asks for MathJax; what a cell shows asks for nothing."""
    page.complaints()
    page.open()
    page.run("document.querySelector('iframe').scrollIntoView()")
    page.wait("document.readyState === 'complete'")
    found = [line for line in page.complaints() if "ajax/libs" not in line]
    assert found == []

"""The themes: what is written can be read, and no meaning hangs on telling two colours apart.

Contrast is WCAG 2.1's; colour blindness is simulated after Machado, Oliveira and Fernandes (2009),
"A Physiologically-based Model for Simulation of Color Vision Deficiency", at severity 1; colour
differences are CIEDE2000 (Sharma, Wu and Dalal 2005).
"""

from __future__ import annotations

from dataclasses import fields
from itertools import combinations, pairwise

import numpy as np
import pytest
from test_viz import Reader, seed_rnn

from tinygrad_rnn import bptt, viz
from tinygrad_rnn.writing.palette import LIGHT, THEMES

TEXT, LINE = 4.5, 3.0  # WCAG 2.1: 1.4.3 for text, 1.4.11 for what is drawn
FRAMES = 1.4  # round layers, which their labels name and the space between them separates
# A difference of 2.3 is just noticed between large fields side by side.  Lines are thin and stand
# apart, so they get four times as much; the rows of two bins carry their numbers as well.
KINDS, WIRES, BINS = 8.0, 12.0, 6.5
UPPER = 15.0  # bins above the middle: most of what a reader compares, and it is far apart

MACHADO = {
    "full colour vision": np.eye(3),
    "protanopia": np.array([
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    "deuteranopia": np.array([
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
    "tritanopia": np.array([
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ]),
}  # fmt: skip
SRGB_TO_XYZ = np.array([
    [0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
])  # fmt: skip
WHITE = SRGB_TO_XYZ.sum(1)

themes = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES.keys())
visions = pytest.mark.parametrize("vision", MACHADO)


# -- measures ---------------------------------------------------------------------------------


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, two: str) -> float:
    dark, light = sorted([luminance(one), luminance(two)])
    return (light + 0.05) / (dark + 0.05)


def seen(colour: str, vision: str) -> np.ndarray:
    """L*a*b* of a colour as somebody sees it."""
    xyz = SRGB_TO_XYZ @ np.clip(MACHADO[vision] @ linear(colour), 0, 1) / WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one: np.ndarray, two: np.ndarray) -> float:
    """CIEDE2000 of two colours in L*a*b*."""
    (l1, a1, b1), (l2, a2, b2) = one, two
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean**7 / (mean**7 + 25**7))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a * stretch)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue, c, lightness = h1 + turn / 2 if c1 * c2 else h1 + h2, (c1 + c2) / 2, (l1 + l2) / 2
    t = 1 - sum(
        k * np.cos(np.radians(n * hue + shift))
        for k, n, shift in ((0.17, 1, -30), (-0.24, 2, 0), (-0.32, 3, 6), (0.2, 4, -63))
    )
    of_l = (l2 - l1) / (1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2))
    of_c = (c2 - c1) / (1 + 0.045 * c)
    of_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * c * t)
    tilt = np.radians(60 * np.exp(-((((hue % 360) - 275) / 25) ** 2)))
    both = -2 * np.sqrt(c**7 / (c**7 + 25**7)) * np.sin(tilt) * of_c * of_h
    return float(np.sqrt(of_l**2 + of_c**2 + of_h**2 + both))


def test_the_measures_are_those_of_their_sources():
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)  # WCAG's example
    for one, two, wanted in (  # of Sharma's table of test data
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ):
        assert difference(np.array(one), np.array(two)) == pytest.approx(wanted, abs=1e-4)
    for name, matrix in MACHADO.items():  # a grey stays that grey
        np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-5, err_msg=name)


# -- the colours that are given ---------------------------------------------------------------


def test_the_light_theme_is_that_of_the_specification():
    given = {
        "input": ("#EAF4FB", "#0072B2"), "parameter": ("#EEEAFB", "#5A3EA6"),
        "operation": ("#FFFFFF", "#64748B"), "state": ("#E3F4EC", "#00744F"),
        "loss": ("#E2E8F0", "#111827"),
    }  # fmt: skip
    assert {kind: (box.fill, box.border) for kind, box in LIGHT.boxes.items()} == given
    bins = "#F1F5F9 #FEEDDE #FDD0A2 #FDAE6B #F57F20 #BF4000 #5E1A00".split()
    assert [heat.fill for heat in LIGHT.heat] == bins
    assert (LIGHT.ink, LIGHT.muted, LIGHT.gradient) == ("#1F2937", "#5B6778", "#9A3B00")
    assert (LIGHT.band, LIGHT.forward, LIGHT.recurrent, LIGHT.rail) == (
        "#F3F6FA", "#475569", "#00744F", "#7458C4"
    )  # fmt: skip


def test_themes_differ_in_colours_only():
    for theme in THEMES.values():
        assert [h.width for h in theme.heat] == [0.8, 1.2, 1.8, 2.6, 3.6, 4.8, 6]
        assert {k: b.thickness for k, b in theme.boxes.items()} == {
            k: b.thickness for k, b in LIGHT.boxes.items()
        }


# -- contrast ---------------------------------------------------------------------------------


def texts(theme):
    """Every colour that is written with, with every colour it is written on."""
    grounds = {theme.paper, theme.band, theme.row}
    boxes = {box.fill for box in theme.boxes.values()}
    yield from (("ink", theme.ink, ground) for ground in sorted(grounds | boxes))
    yield from (("muted", theme.muted, ground) for ground in sorted(grounds | boxes))
    yield "muted", theme.muted, theme.heat[0].fill  # ≈0 in the legend
    for colour in (theme.gradient, theme.recurrent):  # beside arrows; in pills
        yield from (("arrow", colour, ground) for ground in sorted(grounds))
    for kind, box in theme.boxes.items():  # notes; states in cells
        yield from ((kind, box.border, ground) for ground in (box.fill, theme.row))
    yield from (("heat", heat.text, heat.fill) for heat in theme.heat)


def lines(theme):
    """Every colour that is drawn with, with every colour it is drawn on."""
    for name in ("forward", "recurrent", "rail", "backward", "bar", "elided", "gate"):
        yield from ((name, getattr(theme, name), g) for g in (theme.paper, theme.band))
    yield from (("bar", theme.bar, ground) for ground in (theme.row, theme.boxes["parameter"].fill))
    yield "gate", theme.gate, theme.gate_track
    for kind, box in theme.boxes.items():
        yield from ((kind, box.border, g) for g in (theme.paper, theme.band, theme.row, box.fill))
    # A fainter bin's underlay is known by the line in its middle, and by how wide it is.
    yield from (("heat", heat.fill, theme.paper) for heat in theme.heat[5:])


@themes
def test_what_is_written_can_be_read(theme):
    for name, colour, ground in texts(theme):
        assert contrast(colour, ground) >= TEXT, (name, colour, ground)


@themes
def test_what_is_drawn_can_be_seen(theme):
    for name, colour, ground in lines(theme):
        assert contrast(colour, ground) >= LINE, (name, colour, ground)
    assert contrast(theme.frame, theme.paper) >= FRAMES
    assert contrast(theme.frame, theme.band) >= FRAMES


def test_every_colour_of_a_theme_is_looked_at():
    checked = {"boxes", "heat", "paper", "row", "band", "frame", "ink", "muted", "gradient"}
    checked |= {"forward", "recurrent", "rail", "backward", "bar", "gate", "gate_track", "elided"}
    assert {field.name for field in fields(LIGHT)} == checked


# -- colour vision ----------------------------------------------------------------------------


def gap(one, two, vision):
    return difference(seen(one, vision), seen(two, vision))


@themes
@visions
def test_kinds_of_boxes_can_be_told_apart(theme, vision):
    for (a, one), (b, two) in combinations(theme.boxes.items(), 2):
        assert gap(one.border, two.border, vision) >= KINDS, (a, b)


@themes
@visions
def test_kinds_of_wires_can_be_told_apart(theme, vision):
    wires = {n: getattr(theme, n) for n in ("forward", "recurrent", "rail", "backward")}
    for (a, one), (b, two) in combinations(wires.items(), 2):
        assert gap(one, two, vision) >= WIRES, (a, b)


@themes
@visions
def test_neighbouring_bins_can_be_told_apart(theme, vision):
    for one, two in pairwise(theme.heat):
        assert gap(one.fill, two.fill, vision) >= BINS, (one, two)
    for one, two in pairwise(theme.heat[4:]):
        assert gap(one.fill, two.fill, vision) >= UPPER, (one, two)


@themes
@visions
def test_bins_grow_away_from_the_paper(theme, vision):
    """Also for those who see no hues: lightness alone has the order of the norms."""
    lightness = [seen(heat.fill, vision)[0] for heat in theme.heat]
    away = np.diff(lightness) * (1 if luminance(theme.paper) < 0.5 else -1)
    assert (away > 1).all(), lightness


# -- colour never carries meaning alone -------------------------------------------------------


@pytest.fixture(scope="module")
def picture():
    return Reader(viz.draw(bptt.record(seed_rnn())).svg)


def test_boxes_say_what_they_are(picture):
    """Fills are pale and alike; what has no operation has a note, and the loss is visited first."""
    kinds = {i: group.get("class").split()[-1] for i, group in picture.boxes.items()}
    notes = {"parameter": "param", "input": "input", "state": "initial state"}
    for box, kind in kinds.items():
        if picture.texts(box, "expression") in ([], [None], [""]):
            assert picture.texts(box, "note")[0].startswith(notes[kind])
    (loss,) = (box for box, kind in kinds.items() if kind == "loss")
    assert picture.texts(loss, "visit") == ["1"]
    thick = {kind for kind, paint in LIGHT.boxes.items() if paint.thickness > 1.5}
    assert thick == {"parameter", "loss"}


def test_wires_differ_in_thickness_too(picture):
    found = {p.get("class"): p.get("stroke-width") for *_, p in picture.edges}
    assert len(set(found.values())) == len(found) == 3
    thinnest = min(float(path.get("stroke-width")) for *_, path in picture.halos)
    assert thinnest > max(map(float, found.values()))


def test_gradients_print_their_numbers(picture):
    for box in picture.boxes:
        assert picture.texts(box, "grad")
    for *_, path in picture.halos:
        assert "‖gradient‖ = " in path[0].text

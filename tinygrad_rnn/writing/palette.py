"""The look of the pictures: colours, and how wide and how dark a gradient is drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paint:
    """How one kind of box is painted."""

    fill: str
    border: str
    thickness: float = 1.4


@dataclass(frozen=True, slots=True)
class Heat:
    """How one bin of gradient norms is painted: a row's colours and a backward edge's width."""

    fill: str
    text: str
    width: float


@dataclass(frozen=True, slots=True)
class Theme:
    """All colours of a picture.

    ``heat[0]`` is what lies below the scale (written "≈0"); 1 to 6 are its logarithmic bins, from
    the paper's side to the far one: darker on white, lighter on black.  tests/test_style.py holds
    the contrasts, also as colour-blind people see them; what is written is ``ink``, ``muted``,
    ``gradient``, ``recurrent``, a box's border or a bin's ``text``, all else is lines and areas.
    """

    boxes: dict[str, Paint]
    heat: tuple[Heat, ...]
    paper: str
    row: str  # behind a value
    ink: str
    muted: str
    gradient: str  # the text and the ring of a visit number
    band: str  # behind a time step
    frame: str  # round a layer
    forward: str
    recurrent: str
    rail: str
    backward: str  # an arrow of the way back where no norm gives it a colour
    bar: str  # one time step's share of a weight's gradient
    gate: str  # how far open a gate is, on its track
    gate_track: str
    elided: str  # round the steps that are folded


LIGHT = Theme(
    boxes={
        "input": Paint("#EAF4FB", "#0072B2"),
        "parameter": Paint("#EEEAFB", "#5A3EA6", 2),
        "operation": Paint("#FFFFFF", "#64748B"),
        "state": Paint("#E3F4EC", "#00744F"),
        "loss": Paint("#E2E8F0", "#111827", 2),
    },
    heat=(
        Heat("#F1F5F9", "#1F2937", 0.8),
        Heat("#FEEDDE", "#1F2937", 1.2),
        Heat("#FDD0A2", "#1F2937", 1.8),
        Heat("#FDAE6B", "#1F2937", 2.6),
        Heat("#F57F20", "#1F2937", 3.6),
        Heat("#BF4000", "#FFFFFF", 4.8),
        Heat("#5E1A00", "#FFFFFF", 6),
    ),
    paper="#FFFFFF",
    row="#FFFFFF",
    ink="#1F2937",
    muted="#5B6778",
    gradient="#9A3B00",
    band="#F3F6FA",
    frame="#B6C6D8",
    forward="#475569",
    recurrent="#00744F",
    rail="#7458C4",
    backward="#D55E00",
    bar="#D55E00",
    gate="#0072B2",
    gate_track="#DDE6EF",
    elided="#5B6778",
)

DARK = Theme(
    boxes={
        "input": Paint("#0B1B2B", "#3398DB"),
        "parameter": Paint("#1B1530", "#D2C0FF", 2),
        "operation": Paint("#0F172A", "#94A3B8"),
        "state": Paint("#08231C", "#34D399"),
        "loss": Paint("#1E293B", "#F1F5F9", 2),
    },
    heat=(
        Heat("#172133", "#E2E8F0", 0.8),
        Heat("#3D2611", "#E2E8F0", 1.2),
        Heat("#613410", "#E2E8F0", 1.8),
        Heat("#8A4513", "#FFFFFF", 2.6),
        Heat("#C4601A", "#0B0F17", 3.6),
        Heat("#F79A48", "#0B0F17", 4.8),
        Heat("#FFE0BF", "#0B0F17", 6),
    ),
    paper="#0F172A",
    row="#0B1120",
    ink="#E2E8F0",
    muted="#9AA8BC",
    gradient="#FFB07A",
    band="#0A0F1C",
    frame="#3B4A61",
    forward="#94A3B8",
    recurrent="#34D399",
    rail="#C4AEFF",
    backward="#F0913F",
    bar="#F0913F",
    gate="#56B4E9",
    gate_track="#24344B",
    elided="#9AA8BC",
)

THEMES = {"light": LIGHT, "dark": DARK}

"""Reading a picture: its boxes, wires and texts, and whether any of them collide."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from itertools import combinations, pairwise

from tinygrad_rnn import bptt, viz
from tinygrad_rnn.viz import text

SVG = "{http://www.w3.org/2000/svg}"


# -- reading a picture ------------------------------------------------------------------------


@dataclass
class Rect:
    left: float
    top: float
    right: float
    bottom: float

    def holds(self, x, y, margin=0.0):
        across = self.left + margin < x < self.right - margin
        return across and self.top + margin < y < self.bottom - margin

    def covers(self, other):
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom

    def meets(self, other):
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def distance(self, x, y):
        dx = max(self.left - x, 0, x - self.right)
        dy = max(self.top - y, 0, y - self.bottom)
        inside = min(x - self.left, self.right - x, y - self.top, self.bottom - y)
        return math.hypot(dx, dy) or max(inside, 0)


class Reader:
    """The boxes, edges and texts of an SVG."""

    def __init__(self, svg):
        self.root = ET.fromstring(svg)
        groups = [g for g in self.root.iter(f"{SVG}g") if "box" in g.get("class", "").split()]
        self.ids = [g.get("id") for g in groups]
        self.boxes = {g.get("id"): g for g in groups}
        self.rects = {
            i: rect_of(g.find(f"{SVG}rect[@class='body']")) for i, g in self.boxes.items()
        }
        self.edges = self._paths("edge")
        self.halos = self._paths("gradient")

    def _paths(self, kind):
        paths = [p for p in self.root.iter(f"{SVG}path") if kind in p.get("class", "").split()]
        return [(p.get("data-from"), p.get("data-to"), p.get("d"), p) for p in paths]

    def texts(self, box, kind):
        return [t.text for t in self.boxes[box].iter(f"{SVG}text") if t.get("class") == kind]

    def styled(self, style):
        """The boxes of a style, such as "cell", oldest first."""
        return [i for i in self.ids if style in self.boxes[i].get("class").split()]

    def step_of(self, box):
        """The time step in whose column a box stands."""
        rect = self.rects[box]
        for frame in self.root.iterfind(f".//{SVG}rect[@class='step']"):
            column = rect_of(frame)
            if column.left < rect.left < column.right:
                inside = [t.text for t, area in self.writing() if column.covers(area)]
                (label,) = (text for text in inside if text.startswith("t = "))
                return int(label.removeprefix("t = "))
        return None

    def heights(self, box):
        """How high the lanes of a box stand, by their names."""
        texts = self.boxes[box].iter(f"{SVG}text")
        return {t.text: float(t.get("y")) for t in texts if t.get("class") == "name"}

    def marks(self, box, kind):
        """The bars or slivers of a box, each with what it says."""
        groups = (g for g in self.boxes[box].iter(f"{SVG}g") if g is not self.boxes[box])
        return [
            (g.find(f"{SVG}title").text, mark)
            for g in groups
            for mark in g.iter(f"{SVG}rect")
            if mark.get("class") == kind
        ]

    def norms_of(self, source, target):
        """What is told of the gradients that flow back between two boxes."""
        return [size_of(path) for a, b, _, path in self.halos if (a, b) == (target, source)]

    def norm_of(self, source, target):
        (norm,) = self.norms_of(source, target)
        return norm

    def labels(self):
        """What is written outside of boxes, in the order of the file."""
        return [element.text for element, _ in self.writing()]

    def writing(self):
        """What is written among the boxes but in none of them, and where."""
        (page,) = self.root.findall(f"{SVG}g[@transform]")[:1]
        inside = {t for group in self.boxes.values() for t in group.iter(f"{SVG}text")}
        found = [t for t in page.iter(f"{SVG}text") if t not in inside]
        return [(t, area_of(t)) for t in found]

    def named(self, name):
        (found,) = (i for i in self.boxes if self.texts(i, "name") == [name])
        return found


def size_of(halo):
    """The norm that a gradient's path says it has."""
    return halo.find(f"{SVG}title").text.removeprefix("‖gradient‖ = ").split(",")[0]


def area_of(element):
    """What a line of writing covers."""
    x, y, size = (float(element.get(k)) for k in ("x", "y", "font-size"))
    style = {"bold": element.get("font-weight") == "bold"}
    style["mono"] = "Mono" in element.get("font-family", "")
    wide = text.width(element.text or "", size, **style)
    left = x - wide * {"end": 1, "middle": 0.5}.get(element.get("text-anchor"), 0)
    return Rect(left, y - 0.72 * size, left + wide, y)


def rect_of(element):
    x, y, w, h = (float(element.get(k)) for k in ("x", "y", "width", "height"))
    return Rect(x, y, x + w, y + h)


def corners(d):
    """The points of a path, with curves sampled."""
    found = []
    for command, numbers in re.findall(r"([MLQCHV])([^MLQCHVZ]*)", d):
        values = [float(v) for v in re.findall(r"-?[\d.]+(?:e-?\d+)?", numbers)]
        points = list(zip(values[::2], values[1::2], strict=True))
        if command in "ML":
            found += points
            continue
        size = {"Q": 2, "C": 3}[command]
        for i in range(0, len(points), size):
            curve = [found[-1], *points[i : i + size]]
            found += [bezier(curve, k / 12) for k in range(1, 13)]
    return found


def bezier(points, t):
    while len(points) > 1:
        points = [
            ((1 - t) * a[0] + t * b[0], (1 - t) * a[1] + t * b[1]) for a, b in pairwise(points)
        ]
    return points[0]


def along(points, gap=3.0):
    for (x, y), (u, v) in pairwise(points):
        n = max(1, int(math.dist((x, y), (u, v)) / gap))
        yield from ((x + (u - x) * k / n, y + (v - y) * k / n) for k in range(n + 1))


def drawn(loss, **options):
    return Reader(viz.draw(bptt.record(loss), **options).svg)


# -- geometry ---------------------------------------------------------------------------------


def check_geometry(reader):
    rects = reader.rects
    for (i, a), (j, b) in combinations(rects.items(), 2):
        apart = a.right <= b.left or b.right <= a.left or a.bottom <= b.top or b.bottom <= a.top
        assert apart, f"{i} and {j} overlap"
    head = 8  # what an arrow's head takes of its path
    there = [(source, target, d, (1, head)) for source, target, d, _ in reader.edges]
    back = [(source, target, d, (head, 1)) for target, source, d, _ in reader.halos]
    for source, target, d, (near, far) in (*there, *back):
        points = corners(d)
        assert rects[source].distance(*points[0]) < near, (source, target, "begins elsewhere")
        assert rects[target].distance(*points[-1]) < far, (source, target, "ends elsewhere")
        for x, y in along(points):
            hit = [i for i, rect in rects.items() if rect.holds(x, y, 1)]
            assert not hit, f"{source} -> {target} crosses {hit} at {x:.0f}, {y:.0f}"


def check_writing(reader):
    """What is written beside wires, and over columns, lies on no box and on no other writing."""
    writing = reader.writing()
    for element, area in writing:
        hit = [i for i, rect in reader.rects.items() if rect.meets(area)]
        assert not hit, f"{element.text!r} is written on {hit}"
    for (one, a), (two, b) in combinations(writing, 2):
        assert not a.meets(b), f"{one.text!r} and {two.text!r} are written on each other"


def check_texts(reader):
    for i, group in reader.boxes.items():
        rect, spans = reader.rects[i], []
        for element in group.iter(f"{SVG}text"):
            area = area_of(element)
            assert rect.left + 2 <= area.left, (i, element.text)
            assert area.right <= rect.right - 2, (i, element.text)
            assert rect.top + 5 < area.bottom < rect.bottom - 2, (i, element.text)
            spans.append((round(area.bottom), area.left, area.right, element.text))
        for (y, a, b, one), (v, c, d, two) in combinations(spans, 2):
            assert abs(y - v) > 8 or b <= c or d <= a, (i, one, two)


def in_two_runs(script: str) -> tuple[str, str]:
    """What a program prints in two interpreters that hash differently."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        for seed in ("1", "4242")
    ]
    first, second = (run.communicate()[0] for run in runs)
    return first, second

"""Reading a picture: its boxes, wires and texts, and whether any of them collide."""

from __future__ import annotations

import math
import re
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

    def named(self, name):
        (found,) = (i for i in self.boxes if self.texts(i, "name") == [name])
        return found


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
    for source, target, d, _ in reader.edges:
        points = corners(d)
        assert rects[source].distance(*points[0]) < 1, (source, target, "begins elsewhere")
        assert rects[target].distance(*points[-1]) < 8, (source, target, "ends elsewhere")
        for x, y in along(points):
            hit = [i for i, rect in rects.items() if rect.holds(x, y, 1)]
            assert not hit, f"{source} -> {target} crosses {hit} at {x:.0f}, {y:.0f}"


def check_texts(reader):
    for i, group in reader.boxes.items():
        rect, spans = reader.rects[i], []
        for element in group.iter(f"{SVG}text"):
            x, y, size = (float(element.get(k)) for k in ("x", "y", "font-size"))
            style = {"bold": element.get("font-weight") == "bold"}
            style["mono"] = "Mono" in element.get("font-family", "")
            wide = text.width(element.text or "", size, **style)
            left = x - wide * {"end": 1, "middle": 0.5}.get(element.get("text-anchor"), 0)
            assert rect.left + 2 <= left, (i, element.text)
            assert left + wide <= rect.right - 2, (i, element.text)
            assert rect.top + 5 < y < rect.bottom - 2, (i, element.text)
            spans.append((round(y), left, left + wide, element.text))
        for (y, a, b, one), (v, c, d, two) in combinations(spans, 2):
            assert abs(y - v) > 8 or b <= c or d <= a, (i, one, two)

"""Pictures that are light or dark, as what is round them on the reader's screen.

While such a picture is painted its colours are CSS variables.  The player's page says what they
stand for; a picture by itself gets the colours of the light theme, which every program can read,
and rules by which browsers take those of the dark one.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from tinygrad_rnn.writing import palette
from tinygrad_rnn.writing.palette import Theme

_TAG = re.compile(r"<[^<>]*=\"var\(--[^<>]*>")
_COLOUR = re.compile(r'(fill|stroke)="var\(--([\w-]+)\)"')
_RULES = re.compile(r"<style>@media .*?</style>\n", re.DOTALL)
_NAMES = re.compile(r' class="bptt-[\w -]+"| bptt-(?:fill|stroke)-[\w-]+')
_VARIABLE = re.compile(r"var\(--([\w-]+)\)")


def _in_variables(light: Any, dark: Any, name: str, found: dict[str, tuple[str, str]]) -> Any:
    """A theme whose colours are CSS variables, of which there is found what they stand for."""
    if isinstance(light, str):
        found[name] = light, dark
        return f"var(--{name})"
    stem = f"{name}-" if name else ""
    if dataclasses.is_dataclass(light) and not isinstance(light, type):
        parts = {
            field.name: _in_variables(
                getattr(light, field.name), getattr(dark, field.name), stem + field.name, found
            )
            for field in dataclasses.fields(light)
        }
        return dataclasses.replace(light, **parts)
    if isinstance(light, dict):
        return {key: _in_variables(light[key], dark[key], f"{stem}{key}", found) for key in light}
    if isinstance(light, tuple):
        pairs = enumerate(zip(light, dark, strict=True))
        return tuple(_in_variables(a, b, f"{stem}{i}", found) for i, (a, b) in pairs)
    return light  # a width: the same in both


COLOURS: dict[str, tuple[str, str]] = {}  # of each variable, in the light and in the dark
IN_VARIABLES: Theme = _in_variables(palette.LIGHT, palette.DARK, "", COLOURS)
THEMES = {**palette.THEMES, "auto": IN_VARIABLES}


def settled(svg: str) -> str:
    r"""A picture by itself: where it has variables they become colours, and rules for the dark.

    Examples
    --------
    >>> print(settled('<svg>\n<rect class="box" fill="var(--paper)"/>\n</svg>'))
    <svg>
    <rect class="box bptt-fill-paper" fill="#FFFFFF"/>
    <style>@media (prefers-color-scheme: dark) {
    .bptt-fill-paper { fill: #0F172A }
    }</style>
    </svg>
    <BLANKLINE>
    """
    used: dict[str, str] = {}

    def tag(found: re.Match[str]) -> str:
        names = []
        for what, name in _COLOUR.findall(found[0]):
            names.append(f"bptt-{what}-{name}")
            used[names[-1]] = f"{what}: {COLOURS[name][1]}"
        return _with_classes(in_the_light(found[0]), " ".join(names))

    svg = _TAG.sub(tag, svg)
    if not used:
        return svg
    rules = "\n".join(f".{name} {{ {look} }}" for name, look in sorted(used.items()))
    style = f"<style>@media (prefers-color-scheme: dark) {{\n{rules}\n}}</style>"
    drawing, end, _ = svg.rpartition("</svg>")
    return f"{drawing}{style}\n{end}\n"


def on_paper(svg: str) -> str:
    """The picture without rules for the dark, and without what they need.

    Examples
    --------
    >>> print(on_paper('<rect class="box bptt-fill-paper" fill="#FFFFFF"/>'))
    <rect class="box" fill="#FFFFFF"/>
    """
    return _NAMES.sub("", _RULES.sub("", svg))


def in_the_light(text: str) -> str:
    """The text with light colours in the place of variables."""
    return _VARIABLE.sub(lambda found: COLOURS[found[1]][0], text)


def _with_classes(tag: str, names: str) -> str:
    """A tag that has these classes besides those that it has."""
    if ' class="' in tag:
        return re.sub(r'( class="[^"]*)', rf"\1 {names}", tag)
    end = "/>" if tag.endswith("/>") else ">"
    return f'{tag.removesuffix(end)} class="{names}"{end}'

"""Answers worked out beforehand along sliders, for a page without a program behind it."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_rnn.engine.graph import Node
from tinygrad_rnn.utils.progress import progress_if_long
from tinygrad_rnn.viz.player.what_if import Change, WhatIf
from tinygrad_rnn.writing import figures

MOST = 60_000  # boxes of all answers together: some 30 MB


def worked_out(what_if: WhatIf, sliders: Mapping[str, Any]) -> dict[str, Any]:
    """The answers for every combination of the sliders' values; -1 stands for the recorded one.

    Raises
    ------
    KeyError, ValueError
        If a slider names what cannot be changed, has no values or such of another shape; if there
        are too many combinations.
    """
    tracks = [_Track(what_if, name, values) for name, values in sliders.items()]
    if not tracks:
        raise ValueError("play: sliders is empty; give names of leaves, and their values")
    count = math.prod(1 + len(track.values) for track in tracks)
    if count * len(what_if.scene.boxes) > MOST:
        raise ValueError(
            f"play: sliders with {count:,} combinations of values, for a graph of "
            f"{len(what_if.scene.boxes):,} boxes, make too large a page; take fewer values, or "
            "live=True"
        )
    combinations = [*itertools.product(*[range(-1, len(track.values)) for track in tracks])]
    return {
        "names": [track.name for track in tracks],
        "values": [[_written(value) for value in track.values] for track in tracks],
        "starts": [track.start for track in tracks],
        "answers": {
            ",".join(map(str, at)): what_if.answer(
                [
                    change
                    for track, i in zip(tracks, at, strict=True) if i >= 0
                    for change in track.changes(i)
                ]
            )
            for at in progress_if_long(combinations, "working out sliders", many=50)
        },
    }  # fmt: skip


class _Track:
    """A slider: what it moves, a leaf or an element of it, and along which values."""

    def __init__(self, what_if: WhatIf, name: str, values: Any) -> None:
        self.name = name
        leaf, self.element = _meant(what_if, name)
        self.box = what_if.index[leaf]
        old = np.asarray(what_if.record.value(leaf))
        if self.element is not None:
            old = old.reshape(-1)[self.element]
        self.values = np.asarray(values, float)
        if self.values.ndim == 0 or not len(self.values):
            raise ValueError(f"play: slider {name!r}: give several values, as np.linspace does")
        if not np.isfinite(self.values).all():
            raise ValueError(f"play: slider {name!r}: values must be finite")
        if self.values.shape[1:] != old.shape:
            raise ValueError(
                f"play: slider {name!r} has shape {old.shape}, but its values have "
                f"{self.values.shape[1:]}; name one element as 'w[0, 1]', or let np.linspace run "
                "from one array to another"
            )
        away = np.abs(self.values - old).reshape(len(self.values), -1).sum(1)
        self.start = int(np.argmin(away))

    def changes(self, i: int) -> list[Change]:
        """What the slider's i-th position changes."""
        if self.element is not None:
            return [(self.box, self.element, float(self.values[i]))]
        return [(self.box, k, float(x)) for k, x in enumerate(self.values[i].reshape(-1))]


def _meant(what_if: WhatIf, name: str) -> tuple[Node, int | None]:
    """The leaf that a slider names, and which of its elements."""
    if name in what_if.rerun.names.values():
        return what_if.rerun.leaf(name), None
    found = re.fullmatch(r"(.+)\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]", name)
    leaf = what_if.rerun.leaf(found[1] if found else name)
    if found is None:
        return leaf, None
    places = [int(place) for place in found[2].split(",")]
    fits = len(places) == len(leaf.shape) and all(
        -n <= i < n for i, n in zip(places, leaf.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"play: {name!r}: the leaf has shape {leaf.shape}")
    wrapped = [i % n for i, n in zip(places, leaf.shape, strict=True)]
    return leaf, int(np.ravel_multi_index(wrapped, leaf.shape))


def _written(value: Any) -> str:
    return " ".join(figures.array(value))

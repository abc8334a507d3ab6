"""What is in the way of writing and of wires: found is what looking at everything finds."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from tinygrad_rnn.viz.layout.model import nearest_clear
from tinygrad_rnn.viz.taken import WIRE, WRITING, Taken


@pytest.mark.parametrize("seed", range(20))
def test_the_grid_finds_what_looking_at_everything_finds(seed: int) -> None:
    rng, taken, everything = random.Random(seed), Taken(), []
    levels = [rng.choice([0.0, 24.0, 96.0, rng.uniform(-300, 300)]) for _ in range(4)]
    for _ in range(60):
        x, y = rng.choice([-96.0, 0.0, 96.0, rng.uniform(-300, 300)]), rng.choice(levels)
        if rng.random() < 0.4:
            right, bottom = x + rng.uniform(1, 250), y + rng.uniform(1, 120)
            taken.add(x, y, right, bottom, WRITING)
            everything.append((x, y, right, bottom, WRITING))
        else:  # many run on one another, as the rail of a weight
            corners = [(x, y), (rng.uniform(-900, 900), y), (40.0, rng.choice(levels))]
            taken.add_wire(corners)
            for (a, b), (c, d) in pairwise(corners):
                sides = min(a, c) - 3, min(b, d) - 3, max(a, c) + 3, max(b, d) + 3
                everything.append((*sides, WIRE))
    for _ in range(200):
        x, y = rng.choice([0.0, 96.0, rng.uniform(-400, 400)]), rng.choice([*levels, 48.0])
        right, bottom = x + rng.uniform(1, 120), y + 12
        cost = sum(
            weight
            for a, b, c, d, weight in everything
            if a < right and x < c and b < bottom and y < d
        )
        assert taken.cost(x, y, right, bottom, math.inf) == cost
        assert taken.cost(x, y, right, bottom, 50) >= min(cost, 50)


@pytest.mark.parametrize("seed", range(200))
def test_a_wire_takes_the_nearest_place_that_is_clear(seed: int) -> None:
    rng = random.Random(seed)
    spans = []
    for _ in range(rng.randrange(12)):
        low = rng.randrange(40) / 2
        spans.append((low, low + rng.randrange(1, 20) / 2))
    x = rng.randrange(-2, 70) / 2
    places = [x, *(end for span in spans for end in span)]
    clear = [place for place in places if not any(low < place < high for low, high in spans)]
    assert nearest_clear(x, spans) == min(clear, key=lambda place: (abs(place - x), place))

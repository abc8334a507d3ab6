"""The graph read forwards: what uses what.  Nodes only point to what they are made of."""

from __future__ import annotations

from collections.abc import Iterable

from tinygrad_rnn.engine.graph import Node

Use = tuple[Node, int]  # a node, and which of its operands something is


def uses_of(places: Iterable[Node]) -> dict[Node, list[Use]]:
    """The uses of each place among these, which are oldest first, in that order."""
    uses: dict[Node, list[Use]] = {}
    for node in places:
        uses[node] = []
        for operand, parent in enumerate(node.parents):
            uses[parent].append((node, operand))
    return uses


def users_of(places: Iterable[Node]) -> dict[Node, list[Node]]:
    """What uses each place, once for each operand that the place is.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> from tinygrad_rnn.engine.graph import tape
    >>> x = tg.ones(1, requires_grad=True)
    >>> users = users_of(tape([(x * x).exp().node]))
    >>> [[user.primitive.name for user in each] for each in users.values()]
    [['mul', 'mul'], ['exp'], []]
    """
    return {place: [user for user, _ in uses] for place, uses in uses_of(places).items()}

"""Every public operation beside PyTorch's, on generated inputs (tables in `operations`)."""

from __future__ import annotations

import pytest
from operations import OPERATIONS, compare


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation(name, torch):
    """All calls of one operation; what disagrees is reported together."""
    failures = []
    for call in OPERATIONS[name]:
        try:
            compare(call.fn, call.arrays, torch, str(call), call.tolerance)
        except AssertionError as error:
            failures.append(f"{call}\n{error}")
    assert not failures, f"{len(failures)} of {len(OPERATIONS[name])}:\n\n" + "\n\n".join(failures)

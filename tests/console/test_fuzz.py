"""A little of `make fuzz`: whatever is in the files, every verb has a clear ending and tears nothing."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="it makes pipes and links")


def test_spoiled_input_has_a_clear_ending() -> None:
    from tests.soak import fuzz

    total = fuzz.run(first=1, inputs=250, seconds=60, jobs=1)
    assert total.faults == []
    assert sum(total.came.values()) > 20  # even on a busy machine

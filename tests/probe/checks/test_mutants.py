"""A few of the model files that `make soak-models` changes at random."""

from __future__ import annotations

from pathlib import Path

import pytest

from patches import releases
from tests.soak.models import MODELS, judged
from tests.support.command import patch
from tests.support.models import load, stock_texts
from tests.support.trees import NEWEST

pytest.importorskip("torch")
pytest.importorskip("torchvision")


def test_what_was_changed_is_what_is_faulted(cache: Path, tmp_path: Path) -> None:
    package = patch(releases.unpack(NEWEST, cache, tmp_path / "tree").resolve())
    stock = {name: load(text) for name, text in stock_texts(NEWEST, cache).items() if name in MODELS}
    found = judged(package, stock, range(24), tmp_path / "files")
    assert [(seed, made.change, verdict) for seed, made, verdict in found if verdict.startswith("wrong")] == []
    assert {"passed", "faulted"} <= {verdict for _, _, verdict in found}

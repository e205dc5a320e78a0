"""A class that shadows ours: what the parser uses must be what was added."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from a2patch.protocol import Check
from a2patch.runner.verify import verify
from patches import releases
from tests.support.command import a2patch
from tests.support.trees import NEWEST

pytest.importorskip("torch")

# Another class of the name, as it is found in forks: the vectors are normalised over the positions.
OTHER = """
from torch import nn

class DoubleAttentionLayer(nn.Module):
    def __init__(self, in_channels, c_m, c_n, reconstruct=False):
        super().__init__()
        self.c_m, self.c_n, self.reconstruct = c_m, c_n, reconstruct
        self.convA, self.convB, self.convV = (nn.Conv2d(in_channels, c, 1) for c in (c_m, c_n, c_n))
        if reconstruct:
            self.conv_reconstruct = nn.Conv2d(c_m, in_channels, 1)

    def forward(self, x):
        maps = self.convB(x).flatten(2).softmax(2)
        vectors = self.convV(x).flatten(2).softmax(2)
        z = (self.convA(x).flatten(2) @ maps.transpose(1, 2) @ vectors).view(len(x), self.c_m, *x.shape[2:])
        return self.conv_reconstruct(z) if self.reconstruct else z
"""
UNLIKE = """
from torch import nn

class DoubleAttentionLayer(nn.Module):
    def __init__(self, channels):
        super().__init__()
"""
IMPORT = "from ultralytics.utils import "


@pytest.fixture
def package(cache: Path, tmp_path: Path) -> Path:
    package = releases.unpack(NEWEST, cache, tmp_path / "tree").resolve()
    answer = a2patch("apply", "--no-verify", "--ultralytics-path", package)
    assert answer.code == 0, answer.err
    return package


def checks(package: Path) -> dict[str, Check]:
    only = ("register", "formula")
    verdict = verify(package, Path(sys.executable), {}, lambda _: None, os.environ, only=only)
    return {check.name: check for check in verdict.checks}


def edit(package: Path, name: str, old: str, new: str) -> None:
    path = package / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_star_import_behind_ours(package: Path) -> None:
    (package / "extra.py").write_text(OTHER, encoding="utf-8")
    edit(package, "nn/tasks.py", IMPORT, "from ultralytics.extra import *\n" + IMPORT)
    found = checks(package)
    assert found["register"].result == "fail"
    assert f"that of ultralytics.extra ({package / 'extra.py'})" in found["register"].meaning
    assert "`import *`" in found["register"].advice
    assert found["formula"].result == "fail"  # what the parser uses, not what was added


def test_a_name_that_is_given_anew_when_the_import_ends(package: Path) -> None:
    (package / "extra.py").write_text(UNLIKE, encoding="utf-8")
    with (package / "nn/tasks.py").open("a", encoding="utf-8") as tasks:
        tasks.write("\n\nfrom ultralytics import extra\n\nDoubleAttentionLayer = extra.DoubleAttentionLayer\n")
    found = checks(package)
    assert found["register"].result == "fail"
    assert "The DoubleAttentionLayer that ultralytics.nn.tasks uses is not the one that was added" in (
        found["register"].meaning
    )
    assert found["formula"].result == "skip"
    assert "another class of that name" in found["formula"].meaning


def test_a_name_inside_the_parser(package: Path) -> None:
    (package / "extra.py").write_text(OTHER, encoding="utf-8")
    local = "    from ultralytics.extra import DoubleAttentionLayer\n"
    edit(package, "nn/tasks.py", "    import ast\n\n    # Args", f"    import ast\n{local}\n    # Args")
    edit(package, "nn/tasks.py", "else globals()[m]", "else locals().get(m) or globals()[m]")
    found = checks(package)
    assert found["register"].result == "fail"
    assert "The DoubleAttentionLayer that parse_model uses is not" in found["register"].meaning
    assert found["formula"].result == "fail"


def test_ours_is_what_the_parser_uses(package: Path) -> None:
    assert {name: check.result for name, check in checks(package).items() if check.result != "skip"} == {
        "import": "pass",
        "register": "pass",
        "formula": "pass",
    }

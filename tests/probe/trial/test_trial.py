"""What a trial tells of module files as people publish them, all tried in one process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from a2patch.block import read_module_file
from a2patch.errors import BlockNeedsError
from a2patch.protocol import ClassTried, LibrariesMissing, Message
from a2patch.runner.trial import trial_request, try_classes
from patches import releases
from tests.support.probes import told
from tests.support.published import IMPORTS, PUBLISHED
from tests.support.trees import NEWEST

pytest.importorskip("torch")

LACKING = (
    IMPORTS
    + """import not_there_at_all
from einops_of_nobody.layers import Rearrange
try:
    import optional_and_absent
except ImportError:
    pass


class X(nn.Module):
    pass
"""
)


@pytest.fixture(scope="module")
def tried(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Message]]:
    folder = tmp_path_factory.mktemp("trial")
    package = releases.unpack(NEWEST, cache, folder / "site-packages").resolve()
    requests = {}
    (folder / "modules").mkdir()
    for name, content in (*((n, p.source) for n, p in PUBLISHED.items()), ("lacking", LACKING.encode())):
        path = folder / "modules" / f"{name}.py"
        path.write_bytes(content)
        requests[name] = trial_request(package, path, read_module_file(path))
    before = sorted(package.rglob("*"))
    (folder / "work").mkdir()
    found = told(requests, folder / "work")
    assert sorted(package.rglob("*")) == before
    return found


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_told(name: str, tried: dict[str, list[Message]]) -> None:
    found = {event.name: event for event in tried[name] if isinstance(event, ClassTried)}
    assert found.keys() == PUBLISHED[name].told.keys()
    for each, expected in PUBLISHED[name].told.items():
        got = found[each]
        assert got.rule == expected.rule, got
        assert bool(got.problem) == bool(expected.problem), got
        assert expected.problem in got.problem
        assert expected.seen in got.seen, got
        assert expected.args is None or got.args == expected.args, got


def test_libraries_that_are_missing_are_told_at_once(tried: dict[str, list[Message]]) -> None:
    missing = [event for event in tried["lacking"] if isinstance(event, LibrariesMissing)]
    assert missing[-1].names == ("einops_of_nobody", "not_there_at_all")
    (refused,) = (event for event in tried["lacking"] if isinstance(event, ClassTried))
    assert "needs the library not_there_at_all" in refused.problem


def test_the_runner_names_what_a_module_file_lacks(cache: Path, tmp_path: Path) -> None:
    package = releases.unpack("8.0.200", cache, tmp_path / "site-packages").resolve()
    path = tmp_path / "lacking.py"
    path.write_text(LACKING, encoding="utf-8")
    with pytest.raises(BlockNeedsError, match=r"lacking.py needs .*einops_of_nobody.*not_there_at_all"):
        try_classes(package, Path(sys.executable), read_module_file(path), lambda _: None, os.environ)

"""Run upstream's own tests on a stock tree and on one with all blocks in it: both must say the same, test by test.

    python -m tests.soak.upstream [--files test_python.py test_engine.py] [--limit 60] [--select WORD] [--keep FOLDER]

The tests come with the source archive of the newest release, which is fetched once. They run without a network, so
that many fail for want of a download; then also the reasons must be the same. What differs is tried once more in both
trees, alone and with five times as long: a machine that is busy ends a test in one tree only. Five minutes on two
cores, on which the two trees are tried side by side.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2patch.block import CLASSES, bundled
from patches import releases
from tests.support.command import ROOT, a2patch
from tests.support.trees import NEWEST

FILES = ("test_python.py", "test_engine.py")
ALL = ("double_attention", *sorted(bundled()))
PLUGIN = "a2patch_outcomes"
_NOISE = (  # what two runs of one test say differently
    (re.compile(r"0x[0-9a-fA-F]+"), "0x"),
    (re.compile(r"\d+([.,]\d+)*(e[+-]?\d+)?"), "1"),
)


@dataclass(frozen=True)
class Outcome:
    """What came of a test.

    Attributes:
        result: `passed`, `failed`, `skipped` or `cut off`: it took too long, or ended its process.
        reason: The error or the reason to skip, without what changes from run to run.
    """

    result: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.result}  {self.reason}"[:300]


@dataclass(frozen=True)
class Told:
    """What the tests of a tree told: the package that they imported, its classes, and the outcomes by test."""

    tree: Path
    classes: frozenset[str]
    outcomes: Mapping[str, Outcome]


def main() -> int:
    """Run both, print what differs, and return whether anything does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", nargs="+", default=FILES)
    parser.add_argument("--limit", type=float, default=60, help="seconds a test")
    parser.add_argument("--select", default="", help="only tests that `pytest -k` finds by this")
    parser.add_argument("--keep", type=Path, help="a new folder to work in, which stays")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="a2patch-upstream-") as name:
        folder = arguments.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        stock, patched = trees(folder.resolve())
        words = [f"tests/{name}" for name in arguments.files] + (["-k", arguments.select] if arguments.select else [])
        before, after = both((stock, patched), words, arguments.limit)
        missing = {*CLASSES, *(name for block in bundled().values() for name in block.names())} - after.classes
        assert not missing, f"the patched tree does not import {sorted(missing)}"
        differing = differences(before, after)
        if differing:
            print(f"{len(differing)} differ; they are tried again, alone", flush=True)
            first, second = before.outcomes, after.outcomes
            before, after = both((stock, patched), differing, 5 * arguments.limit)
            differing = differences(before, after)
            before, after = (
                Told(told.tree, told.classes, {**outcomes, **told.outcomes})
                for told, outcomes in ((before, first), (after, second))
            )
    for which, told in (("stock", before), (f"with {len(ALL)} blocks", after)):
        counts = Counter(outcome.result for outcome in told.outcomes.values())
        print(f"{which}: {', '.join(f'{count} {result}' for result, count in counts.most_common())}")
    for test in differing:
        print(f"{test}\n  stock    {before.outcomes.get(test)}\n  patched  {after.outcomes.get(test)}")
    print(f"{len(before.outcomes)} tests, {len(differing)} differences")
    return min(len(differing), 1)


def trees(folder: Path) -> tuple[Path, Path]:
    """Unpack the source archive twice, each in a folder of its own, and patch the second with every block."""
    archive = releases.source(NEWEST, releases.cache(os.environ))
    for name in ("stock", "patched"):
        shutil.unpack_archive(archive, folder / name, filter="data")
    stock, patched = (folder / name / archive.name.removesuffix(".tar.gz") for name in ("stock", "patched"))
    answer = a2patch("apply", *ALL, "--no-verify", "--ultralytics-path", patched)
    assert answer.code == 0, answer.out + answer.err
    return stock, patched


def both(trees: tuple[Path, Path], words: Sequence[str], limit: float) -> tuple[Told, Told]:
    """Run tests in two trees side by side."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda tree: run(tree, words, limit), trees)
    return first, second


def differences(before: Told, after: Told) -> list[str]:
    """Return the tests of which two trees say something else."""
    tests = dict.fromkeys((*before.outcomes, *after.outcomes))
    return [test for test in tests if before.outcomes.get(test) != after.outcomes.get(test)]


def run(tree: Path, words: Sequence[str], limit: float) -> Told:
    """Run tests of a tree; one that takes too long ends its process, and the next one goes on behind it.

    Args:
        tree: The folder that has `ultralytics` and `tests`.
        words: The files, or the tests, as pytest takes them.
        limit: How many seconds each test has.
    """
    outcomes: dict[str, Outcome] = {}
    package, classes = Path(), frozenset[str]()
    left: Sequence[str] = words
    while left:
        begun = False
        ids: list[str] = []
        for event in _events(tree, left, limit):
            if "ids" in event:
                begun, ids = True, event["ids"]
                package, classes = Path(event["tree"]), frozenset(event["classes"])
                assert package == tree / "ultralytics", f"{package} was tested, not {tree}"
            elif not event["outcome"]:
                outcomes[event["id"]] = Outcome("cut off")
            elif event["outcome"] != "passed" or outcomes[event["id"]] == Outcome("cut off"):
                outcomes[event["id"]] = Outcome(event["outcome"], _plain(event["reason"], tree))
        assert begun, f"pytest did not begin in {tree}: {_log(tree).read_text(errors='replace')[-2000:]}"
        left = [test for test in ids if test not in outcomes]
    return Told(package, classes, outcomes)


def _events(tree: Path, words: Sequence[str], limit: float) -> list[dict[str, Any]]:
    """Run pytest once, and return what its plugin told."""
    beside = tree.parent
    told, plugins = beside / "outcomes.jsonl", beside / "plugin"
    told.unlink(missing_ok=True)
    plugins.mkdir(exist_ok=True)
    shutil.copy(ROOT / "tests" / "support" / "outcomes.py", plugins / f"{PLUGIN}.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", PLUGIN, "-p", "no:cacheprovider", "-o", "addopts=", *words]
    variables = {
        **os.environ,
        **{"PYTHONPATH": os.pathsep.join(map(str, (tree, plugins))), "YOLO_CONFIG_DIR": str(beside / "settings")},
        **{"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"},
        **{"OUTCOMES": str(told), "OUTCOMES_LIMIT": str(limit)},
    }
    with _log(tree).open("ab") as log:
        process = subprocess.Popen(
            command, cwd=tree, env=variables, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        process.wait()
        with suppress(ProcessLookupError):  # what a test that was ended has started
            os.killpg(process.pid, signal.SIGKILL)
    return [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()] if told.exists() else []


def _log(tree: Path) -> Path:
    return tree.parent / "pytest.log"


def _plain(reason: str, tree: Path) -> str:
    """Return the first line of a reason, without what is another one in another tree or run."""
    text = reason.split("\n", 1)[0].replace(str(tree.parent), "")
    for pattern, instead in _NOISE:
        text = pattern.sub(instead, text)
    return text


if __name__ == "__main__":
    sys.exit(main())

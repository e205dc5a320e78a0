"""Try every block that comes with a2patch, by every check, in a few releases: none may find a fault.

    python -m tests.soak.blocks [--release RELEASE …] [--blocks NAME …]

All blocks are put into one tree of a release, as `a2patch apply` does. There each class is tried, every check is made
on each block, each is inserted into v8, 11 and 26 as far as the release has them, and a checkpoint of these bases is
transplanted into each with the block's twin behind a gate: the output must stay the same, bit for bit. What is the same
for all blocks, such as the stock models, is tried with the first. About a minute a block and release on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from a2patch.block import BASES, Block, bundled, gated
from a2patch.errors import A2PatchError
from a2patch.graph import at_scale, model_files, parse
from a2patch.runner import CHECKS, Insertion, try_classes, verify_block
from a2patch.runner.insert import insert_models
from a2patch.runner.transplant import Job, transplant
from a2patch.transaction import look_at, operations, untouched
from a2patch.tree import tree
from patches import releases
from tests.support.command import ROOT
from tests.support.own_names import own_names
from tests.support.trees import NEWEST

RELEASES = ("8.0.200", "8.1.0", "8.2.0", "8.3.0", "8.3.253", "8.4.190")
PYTHON = Path(sys.executable)
MAKE = ROOT / "tests" / "support" / "checkpoints.py"
SHARED = ("base",)  # of the checks, what is the same for every block in a tree


@dataclass(frozen=True)
class Workplace:
    """A tree of a release with blocks in it.

    Attributes:
        release: The release.
        folder: Where files may be written.
        package: Its package folder.
        bases: The stock models that blocks are inserted into.
    """

    release: str
    folder: Path
    package: Path
    bases: tuple[str, ...]

    def put_in(self, blocks: Sequence[Block]) -> None:
        """Put blocks in, in place of what is there of these names."""
        operations.apply_blocks(tree.find(self.package), _quiet, blocks)

    def inserted(self, block: Block, base: str) -> Path:
        """Put the last class of a block into a base, build it at every scale, and return the file."""
        kind = block.classes[-1]
        order = Insertion(
            model_files(self.package)[base],
            (parse("P3"), parse("P4")),
            layer=kind.name,
            args=", ".join(map(repr, kind.args)),
            classes=block.names(),
            defined=tuple(each.defined for each in block.classes),
            tag=kind.name,
        )
        result = insert_models(self.package, PYTHON, order, _quiet, os.environ)
        faults = [
            f"{check.name}: {check.figure} {check.meaning}" for check in result.verdict.checks if check.result == "fail"
        ]
        assert not faults, "; ".join(faults)
        path = self.folder / result.models[0].name
        path.write_bytes(result.models[0].content)
        return path

    def checkpoint(self, base: str) -> Path:
        """The checkpoint of a base, at its smallest scale."""
        return self.folder / f"{at_scale(base, 'n')}.pt"

    def save_checkpoints(self) -> None:
        """Save a checkpoint of each base, its weights drawn at random."""
        wanted = [
            {"model": at_scale(base, "n"), "file": str(self.checkpoint(base)), "classes": 7} for base in self.bases
        ]
        request = self.folder / "request.json"
        request.write_text(json.dumps(wanted))
        environment = os.environ | {"YOLO_CONFIG_DIR": str(self.folder), "YOLO_OFFLINE": "true"}
        command = [sys.executable, str(MAKE), str(self.package.parent), str(request)]
        subprocess.run(command, env=environment, cwd=self.folder, check=True, capture_output=True)


def main() -> int:
    """Try, print, and return whether anything is at fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", nargs="*", default=RELEASES)
    parser.add_argument("--blocks", nargs="*", default=sorted(bundled()))
    arguments = parser.parse_args()
    faults = 0
    for release in arguments.release:
        with tempfile.TemporaryDirectory(prefix="a2patch-blocks-") as folder:
            for what, seconds, wrong, rest in _tried(release, arguments.blocks, Path(folder).resolve()):
                faults += len(wrong)
                told = "; ".join([*(f"FAULT {each}" for each in wrong), *rest])
                print(f"{release} {what}: {told} ({seconds:.0f} s)", flush=True)
    print(f"{len(arguments.release)} releases, {len(arguments.blocks)} blocks, {faults} faults")
    return min(faults, 1)


Line = tuple[str, float, list[str], list[str]]


def _tried(release: str, names: Sequence[str], folder: Path) -> Iterator[Line]:
    """Try blocks in a release, and yield what was tried, how long it took, what is wrong, and what else there is."""
    package = releases.unpack(release, releases.cache(os.environ), folder / "site-packages").resolve()
    bases = tuple(base for base in BASES if base in model_files(package))
    here = Workplace(release, folder, package, bases)
    blocks = [own_names(package, bundled()[name]) for name in names]
    here.put_in(blocks)
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(lambda block: _timed(f"{block.name} rules", lambda: _rules(here, block)), blocks)
        for at, block in enumerate(blocks):
            checks = [check for check in CHECKS if at == 0 or check not in SHARED]
            yield _timed(block.name, lambda block=block, checks=checks: _verified(here, block, checks))  # type: ignore[misc]
        pairs = [(block, base) for block in blocks for base in bases]
        yield from pool.map(lambda pair: _timed(f"{pair[0].name} in {pair[1]}", lambda: _inserted(here, *pair)), pairs)
        here.save_checkpoints()
        twins = [gated(block) for block in blocks]
        here.put_in(twins)
        pairs = [(block, base) for block in twins for base in bases]
        yield from pool.map(
            lambda pair: _timed(f"{pair[0].name} gated into {pair[1]}", lambda: _transplanted(here, *pair)), pairs
        )


def _timed(what: str, work: Callable[[], tuple[list[str], list[str]]]) -> Line:
    started = time.monotonic()
    try:
        wrong, rest = work()
    except (A2PatchError, AssertionError) as error:
        wrong, rest = [" ".join(f"{error} {getattr(error, 'found', '')}".split())], []
    return what, time.monotonic() - started, wrong, rest


def _rules(here: Workplace, block: Block) -> tuple[list[str], list[str]]:
    """Tell whether trying a block's classes comes to the rules that its folder says."""
    told = try_classes(here.package, PYTHON, block, _quiet, os.environ)
    rules = [each.rule.name if each.rule else "" for each in block.classes]
    wrong = [
        f"{a.name} is tried as {a.rule or a.problem or a.seen}, not {b}"
        for a, b in zip(told, rules, strict=True)
        if a.rule != b
    ]
    return wrong, rules


def _verified(here: Workplace, block: Block, checks: Sequence[str]) -> tuple[list[str], list[str]]:
    """Make checks on a block."""
    before = untouched(look_at(tree.find(here.package)))
    assert before is not None
    verdict = verify_block(here.package, PYTHON, before, block, _quiet, os.environ, only=checks)
    wrong = [f"{c.name}: {c.figure} {c.meaning}" for c in verdict.checks if c.result == "fail"]
    passed = sum(check.result == "pass" for check in verdict.checks)
    asked = [check for check in verdict.checks if not check.unasked]
    return wrong, [
        f"{passed} passed",
        *(f"{c.name} {c.result}: {c.meaning}" for c in asked if c.result in ("known", "skip")),
    ]


def _inserted(here: Workplace, block: Block, base: str) -> tuple[list[str], list[str]]:
    return [], [here.inserted(block, base).name]


def _transplanted(here: Workplace, block: Block, base: str) -> tuple[list[str], list[str]]:
    """Transplant a checkpoint of a base into it with the twin of a block, which must change nothing."""
    model = here.inserted(block, base)
    job = Job(here.checkpoint(base), str(model), scale="n", trust=here.release != NEWEST, classes=block.names())
    result, _ = transplant(here.package, PYTHON, job, here.folder / f"{model.stem}.pt", _quiet, os.environ)
    told = f"{result.carried} of {result.tensors} tensors"
    return ([] if result.exact else [f"another output; {told}"]), [told]


def _quiet(what: str) -> None:
    """Hear what is being done, and say nothing of it."""


if __name__ == "__main__":
    sys.exit(main())

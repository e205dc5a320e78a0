"""Try every block that comes with a2patch, by every check, in a few releases: none may find a fault.

    python -m tests.soak.blocks [--release RELEASE …] [--blocks NAME …]

About two minutes a block and release, an hour and a half for all.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from a2patch.block import Block, bundled
from a2patch.errors import A2PatchError
from a2patch.runner import CHECKS, try_classes, verify_block
from patches import releases
from tests.support.planted import plant

RELEASES = ("8.0.200", "8.1.0", "8.2.0", "8.3.0", "8.3.253", "8.4.190")


def main() -> int:
    """Try, print, and return whether anything is at fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", nargs="*", default=RELEASES)
    parser.add_argument("--blocks", nargs="*", default=sorted(bundled()))
    arguments = parser.parse_args()
    faults = 0
    for release in arguments.release:
        for name in arguments.blocks:
            with tempfile.TemporaryDirectory(prefix="a2patch-blocks-") as folder:
                faults += _try(release, bundled()[name], Path(folder).resolve())
    print(f"{len(arguments.release)} releases, {len(arguments.blocks)} blocks, {faults} faults")
    return min(faults, 1)


def _try(release: str, block: Block, folder: Path) -> int:
    """Try a block in a release; return how many faults were found."""
    started = time.monotonic()
    package = releases.unpack(release, releases.cache(os.environ), folder / "site-packages").resolve()
    python = Path(sys.executable)
    try:
        told = try_classes(package, python, block, lambda what: None, os.environ)
        before = plant(package, block)
        verdict = verify_block(package, python, before, block, lambda what: None, os.environ, only=CHECKS)
    except A2PatchError as error:
        print(f"{release} {block.name}: {error.message}: {error.found}", flush=True)
        return 1
    wrong = [f"{each.name} is tried as {each.rule or each.problem or each.seen}" for each in told if each.problem]
    rules = [each.rule and each.rule.name for each in block.classes]
    wrong += [f"{a.name} is tried as {a.rule}, not {b}" for a, b in zip(told, rules, strict=True) if a.rule != b]
    wrong += [f"{c.name}: {c.figure} {c.meaning}" for c in verdict.checks if c.result == "fail"]
    passed = sum(check.result == "pass" for check in verdict.checks)
    rest = [f"{c.name} {c.result}: {c.meaning}" for c in verdict.checks if c.result in ("known", "skip")]
    seconds = time.monotonic() - started
    print(f"{release} {block.name}: {passed} passed; {'; '.join([*wrong, *rest])} ({seconds:.0f} s)", flush=True)
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())

"""Try every stock model of a few releases as if it were a user's own: `verify` must find no fault in any.

    python -m tests.soak.stock [--release RELEASE …] [--models FILE …]

Tries all models of 8.4.190, 8.3.0, 8.1.0 and 8.0.200 unless told otherwise: about twenty minutes. One model, as
by `--release 8.4.190 --models yolov8.yaml`, takes ten seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from a2patch.runner.verify import Subject
from patches import releases
from tests.support.probes import tried

RELEASES = ("8.4.190", "8.3.0", "8.1.0", "8.0.200")
CHECKS = ("build", "finite", "wiring", "scale", "stride", "alone", "sight", "gradient", "learn")


def main() -> int:
    """Try, print, and return whether a model raised an alarm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", nargs="*", default=RELEASES)
    parser.add_argument("--models", nargs="*", help="names of model files; all of the release without")
    arguments = parser.parse_args()
    alarms = 0
    for release in arguments.release:
        with tempfile.TemporaryDirectory(prefix="a2patch-stock-") as folder:
            alarms += _try(release, arguments.models, Path(folder).resolve())
    return min(alarms, 1)


def _try(release: str, wanted: Sequence[str] | None, folder: Path) -> int:
    """Try the models of a release, and return how many raised an alarm."""
    started = time.monotonic()
    package = releases.unpack(release, releases.cache(os.environ), folder / "site-packages")
    files = sorted(package.joinpath("cfg", "models").rglob("*.yaml"))
    subjects = {file.name: Subject(file) for file in files if not wanted or file.name in wanted}
    (folder / "work").mkdir()
    results: Counter[str] = Counter()
    alarms = 0
    for name, checks in tried(package, subjects, CHECKS, folder / "work").items():
        results.update(check.result for check in checks.values())
        told = [f"{c.name}: {c.figure} {c.meaning}" for c in checks.values() if c.result in ("fail", "known")]
        told += [f"{missing} was not made" for missing in CHECKS if missing not in checks]
        if told:
            alarms += 1
            print(f"  {name}: {'; '.join(told)}", flush=True)
    counts = ", ".join(f"{count} {result}" for result, count in sorted(results.items()))
    seconds = time.monotonic() - started
    print(f"{release}: {len(subjects)} models, {alarms} alarms; checks: {counts}; {seconds:.0f} s", flush=True)
    return alarms


if __name__ == "__main__":
    sys.exit(main())

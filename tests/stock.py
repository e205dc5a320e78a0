"""Try every stock model of a few releases as if it were a user's own: `verify` must find no fault in any.

    python tests/stock.py                        # 8.4.190, 8.3.0, 8.1.0 and 8.0.200
    python tests/stock.py --release 8.4.190 --models yolov8.yaml yolo11-seg.yaml

All models of a release are tried in one process, so that its libraries are imported once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from a2patch import releases, verify
from a2patch.probing import environment

RELEASES = ("8.4.190", "8.3.0", "8.1.0", "8.0.200")
CHECKS = ("import", "build", "wiring", "scale", "stride", "sight", "gradient", "learn")


def main() -> int:
    """Try, print, and return how many models raised an alarm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", nargs="*", default=RELEASES)
    parser.add_argument("--models", nargs="*", help="names of model files; all of the release without")
    parser.add_argument("--requests", type=Path, help=argparse.SUPPRESS)  # for the process that tries
    arguments = parser.parse_args()
    if arguments.requests:
        return _probe(sorted(arguments.requests.iterdir()))
    alarms = 0
    for release in arguments.release:
        with tempfile.TemporaryDirectory(prefix="a2patch-stock-") as folder:
            alarms += _try(release, arguments.models, Path(folder).resolve())
    return min(alarms, 1)


def _probe(homes: Sequence[Path]) -> int:
    """Do what each request asks, one after the other."""
    from a2patch.probe import run

    for home in homes:
        run.main(str(home / "request.json"))
    return 0


def _try(release: str, wanted: Sequence[str] | None, folder: Path) -> int:
    """Try the models of a release; return how many raised an alarm."""
    started = time.monotonic()
    package = releases.unpack(release, releases.cache(os.environ), folder / "site-packages")
    homes = {}
    for path in sorted(package.joinpath("cfg", "models").rglob("*.yaml")):
        if not wanted or path.name in wanted:
            homes[path.name] = _lay_request(package, path, folder / "requests" / path.name)
    for name in ("config", "cache", "tmp"):
        (folder / name).mkdir()
    with (folder / "log.txt").open("w") as log:
        command = [sys.executable, "-B", __file__, "--requests", str(folder / "requests")]
        variables = environment(os.environ, folder)
        subprocess.run(command, cwd=folder, env=variables, stdout=log, stderr=log, check=False)
    alarms = 0
    results: Counter[str] = Counter()
    for name, home in homes.items():
        checks = _read(home / "events.jsonl")
        results.update(check["result"] for check in checks.values())
        told = [f"{n}: {c['figure']} {c['meaning']}" for n, c in checks.items() if c["result"] in ("fail", "known")]
        lacking = [n for n in CHECKS if n not in checks]
        if told or lacking:
            alarms += 1
            print(f"  {name}: {'; '.join([*told, *(f'{n} was not made' for n in lacking)])}", flush=True)
    counts = ", ".join(f"{count} {result}" for result, count in sorted(results.items()))
    seconds = time.monotonic() - started
    print(f"{release}: {len(homes)} models, {alarms} alarms; checks: {counts}; {seconds:.0f} s", flush=True)
    return alarms


def _lay_request(package: Path, model: Path, home: Path) -> Path:
    """Write what a probe is asked to do with a model, into a folder of its own."""
    (home / "files").mkdir(parents=True)
    request = verify.request("patched", package, CHECKS, verify.Subject(model))
    places = {"scratch": str(home / "files"), "events": str(home / "events.jsonl")}
    home.joinpath("request.json").write_text(json.dumps({**request, **places}), encoding="utf-8")
    return home


def _read(events: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the checks that a probe made, by name; an unreadable model is one that it did not make."""
    lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
    found = [json.loads(line) for line in lines]
    return {event["name"]: event for event in found if event["event"] == "check"}


if __name__ == "__main__":
    sys.exit(main())

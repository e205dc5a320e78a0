"""Many models tried in one process, so that torch and ultralytics are imported once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from a2patch.runner import verify  # noqa: E402
from a2patch.runner.process import environment  # noqa: E402
from a2patch.runner.verdict import Check  # noqa: E402

Checks = dict[str, Check]


def tried(
    package: Path, subjects: Mapping[str, verify.Subject], checks: Sequence[str], folder: Path
) -> dict[str, Checks]:
    """Try models of a user's own, each with a request of its own.

    Args:
        package: The package to try them with.
        subjects: The models, by what to call them.
        checks: The checks to make.
        folder: An empty folder for what the process writes.

    Returns:
        By what each is called, the checks that were made, by name; none of a model that could not be read.
    """
    for name in ("config", "cache", "tmp"):
        (folder / name).mkdir()
    homes = [folder / str(number) for number in range(len(subjects))]
    for home, subject in zip(homes, subjects.values(), strict=True):
        (home / "files").mkdir(parents=True)
        request = verify.request("patched", package, ["import", *checks], subject)
        request |= {"scratch": str(home / "files"), "events": str(home / "events.jsonl"), "costs": False}
        home.joinpath("request.json").write_text(json.dumps(request), encoding="utf-8")
    with folder.joinpath("log.txt").open("wb") as log:
        command = [sys.executable, "-B", __file__, *(str(home / "request.json") for home in homes)]
        variables = environment(os.environ, folder)
        subprocess.run(command, cwd=folder, env=variables, stdout=log, stderr=log, check=True)
    return {name: _read(home / "events.jsonl") for name, home in zip(subjects, homes, strict=True)}


def _read(events: Path) -> Checks:
    found = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    made = [event for event in found if event.pop("event") == "check"]
    return {event["name"]: Check(**event) for event in made}


if __name__ == "__main__":
    from a2patch.probe import roles

    for path in sys.argv[1:]:
        roles.main(path)

"""Many models tried in one process, so that torch and ultralytics are imported once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from a2patch.protocol import EVENTS, REQUEST, SCRATCH, Check, Message, Request, decode, encode  # noqa: E402
from a2patch.runner import verify  # noqa: E402
from a2patch.runner.process import environment  # noqa: E402

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
    requests = {
        name: replace(verify.request("patched", package, ["import", *checks], subject), costs=False)
        for name, subject in subjects.items()
    }
    found = told(requests, folder)
    return {name: {event.name: event for event in found[name] if isinstance(event, Check)} for name in subjects}


def told(requests: Mapping[str, Request], folder: Path) -> dict[str, list[Message]]:
    """Make requests, and return what was told of each.

    Args:
        requests: The requests, by what to call them.
        folder: An empty folder for what the process writes.
    """
    for name in ("config", "cache", "tmp"):
        (folder / name).mkdir()
    homes = [folder / str(number) for number in range(len(requests))]
    for home, request in zip(homes, requests.values(), strict=True):
        (home / SCRATCH).mkdir(parents=True)
        (home / REQUEST).write_text(encode(request), encoding="utf-8")
    with folder.joinpath("log.txt").open("wb") as log:
        command = [sys.executable, "-B", __file__, *(str(home / REQUEST) for home in homes)]
        variables = environment(os.environ, folder)
        subprocess.run(command, cwd=folder, env=variables, stdout=log, stderr=log, check=True)
    return {
        name: [decode(line) for line in (home / EVENTS).read_text(encoding="utf-8").splitlines()]
        for name, home in zip(requests, homes, strict=True)
    }


if __name__ == "__main__":
    from a2patch.probe import roles

    for path in sys.argv[1:]:
        roles.main(path)

"""Make a comparison, or go on with one, from the plan to what its models cost."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from a2patch.runner.compare import models, results
from a2patch.runner.compare.asked import Asked, Under
from a2patch.runner.compare.folder import PLAN, Folder
from a2patch.runner.compare.outcome import Comparison
from a2patch.runner.compare.plan import CompareError, Plan, labelled, merged
from a2patch.runner.compare.queue import Progress, Queue
from a2patch.runner.compare.work import Work, explained

Watch = Callable[[Sequence[Progress], str], None]


def compare(asked: Asked, under: Under, notify: Callable[[str], None], watch: Watch) -> Comparison:
    """Make a comparison, or go on with the one in its folder.

    Args:
        asked: What is asked for.
        under: What it is made with.
        notify: Told, in a few words, what is being done.
        watch: Told how far the trainings are.

    Returns:
        What came out.

    Raises:
        DifferentError: The folder's comparison was begun with other settings.
        CompareError: What is asked for can't be compared.
        ModelError: A model is none.
        LockedError: Another command works in the folder.
        AccessError: The folder can't be written to.
        ToolMissingError: The interpreter can't run, or lacks a library.
    """
    if not under.package.joinpath("utils").is_dir():
        raise CompareError(
            "releases before 8.0.136 can't compare",
            path=under.package,
            remedy="Name a newer one with --ultralytics-path.",
        )
    folder = Folder(asked.folder)
    wanted = _planned(asked, under)
    with folder.held(), tempfile.TemporaryDirectory(prefix="a2p-", ignore_cleanup_errors=True) as scratch:
        there = folder.plan()
        plan = merged(there, wanted, asked.folder) if there else wanted
        work = Work(asked, under, folder, Path(os.path.realpath(scratch)), notify)
        plan = work.prepared(plan, there)
        with explained(asked.folder):
            Queue(folder, plan.runs(), plan.epochs, work.slots(plan), work.starter(plan), watch).work()
            work.measure(plan)
            return results.read(folder, plan, notify)


def show(path: Path, notify: Callable[[str], None]) -> Comparison:
    """Return what came out of the comparison in a folder, as far as it is.

    Args:
        path: The folder.
        notify: Told, in a few words, what is being done.

    Raises:
        CompareError: There is none.
        AccessError: What is worked out can't be written to it.
    """
    folder = Folder(path)
    plan = folder.plan() if path.joinpath(PLAN).is_file() else None
    if plan is None:
        raise CompareError("there is no comparison in the folder", path=path, remedy="Name one with --show.")
    with explained(path):
        return results.read(folder, plan, notify)


def _planned(asked: Asked, under: Under) -> Plan:
    """Return the plan that a command asks for by itself."""
    base = models.source(asked.base, under.package, under.cwd)
    others = [models.source(name, under.package, under.cwd) for name in asked.others]
    seen: list[tuple[str, str]] = []
    for model in (base, *others):
        key = (model.source.path, model.source.scale)
        if key in seen:
            raise CompareError(
                f"{model.label} is named twice",
                path=Path(model.source.path),
                remedy="To compare a model with itself, copy its file to another name.",
            )
        seen.append(key)
    if asked.control:
        others.append(models.control(base, others))
    settings: dict[str, Any] = {
        "data": _data(asked.data, under.cwd),
        "base": f"{base.source.path} {base.source.scale}".strip(),
        "epochs": asked.epochs,
        "pretrained": f"{asked.pretrained} {models.digest(asked.pretrained)}" if asked.pretrained else "none",
    }
    threads = max(1, (os.cpu_count() or 1) // max(asked.jobs or 1, len(asked.devices), 1))
    found = models.arguments(asked.arguments)
    return Plan(settings, found, threads, asked.seeds, labelled((base, *others)), command=asked.command)


def _data(name: str, cwd: Path) -> str:
    """Return a data set of this folder by its path, since probes run elsewhere; any other by its name."""
    path = cwd / name
    return str(path.resolve()) if path.exists() else name

"""Try a patched package under its own interpreter, beside an untouched copy of it, and judge what came out."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2patch.block import BLOCK, CLASSES, LAYER, MODEL, MODULE, TUTORIAL
from a2patch.errors import ModelError
from a2patch.runner.judge import excused, judge, with_gpu, without_patch
from a2patch.runner.process import GPU, Room
from a2patch.runner.requirements import require_libraries, require_tools
from a2patch.runner.verdict import BASE, CHECKS, DEFAULT, EXCUSABLE, QUICK, SCALES, Check, Cost, Verdict

# What the patch adds: where each model file has its layers.
_MODELS = (
    {"file": TUTORIAL, "base": BASE, "layer": LAYER, "places": [3], "tutorial": True},
    {"file": MODEL, "base": BASE, "layer": BLOCK, "places": [5, 8]},
)
# What is tried beside the patched tree, each in a process of its own, and the check that wants it.
_BESIDE = {"untouched": "base", GPU: "amp"}
_ON_TREE = ("patched", GPU)
# What does without the library for images, which takes longer to import than torch itself.
_LIGHT = (*_BESIDE, "unpatched")
# What is not left to a probe: what the bytes say, and what each makes anyway.
_OUR_PART = ("source", "import")


@dataclass(frozen=True)
class Subject:
    """A model of the user's own.

    Attributes:
        file: A model YAML or a checkpoint.
        base: The stock model file that it is made from; empty for the closest.
        scale: The scale letter to try; empty for what its name says.
    """

    file: Path
    base: str = ""
    scale: str = ""


def verify(
    package: Path,
    interpreter: Path,
    untouched: Mapping[str, bytes | None] | None,
    notify: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    only: Collection[str] = DEFAULT,
    source: Check | None = None,
    subject: Subject | None = None,
    timeout: float = 1800.0,
) -> Verdict:
    """Try a patched package, or a model of the user's own under any package, and judge it.

    Nothing is written outside a temporary folder, and nothing is fetched.

    Args:
        package: The real path of the package folder.
        interpreter: The Python that the package belongs to.
        untouched: What the files that the patch changes were before it, by their POSIX paths inside the package; None
            for a file that was not there. None if that is not known; nothing is then compared with it.
        notify: Told, in a few words, what is being tried.
        environ: The environment to derive the probe's from.
        only: The checks to make besides `import`; the others are skipped, and costs are counted only with all of them.
        source: What the bytes of the package say, where somebody looked: the check of that name.
        subject: The model to try; without one, those that the patch adds.
        timeout: Seconds after which a probe that has not ended is taken for hung.

    Returns:
        The verdict, with one check for each name in `CHECKS`.

    Raises:
        ToolMissingError: If the interpreter can't run, or lacks torch or a library that the release needs, so that the
            package can't be tried at all.
        ModelError: If the subject can't be read, or is no model.
    """
    with tempfile.TemporaryDirectory(prefix="a2patch-verify-", ignore_cleanup_errors=True) as folder:
        scratch = Path(os.path.realpath(folder))
        pointless = _pointless(only, untouched, subject)
        wanted = ["import", *(name for name in CHECKS if name in only and name not in (*_OUR_PART, *pointless))]
        room = Room(interpreter, scratch, environ, notify, timeout)

        def asked(role: str) -> dict[str, Any]:
            stock = scratch / "untouched" / "ultralytics"
            if role not in _ON_TREE and not stock.exists():
                _lay_untouched(package, untouched or {}, stock)
            return request(role, package if role in _ON_TREE else stock, wanted, subject)

        roles = ["patched", *(role for role, check in _BESIDE.items() if check in wanted)]
        probes = dict(zip(roles, room.run(*map(asked, roles)), strict=True))
        patched, reference = probes["patched"], probes.get("untouched")
        require_tools(interpreter, patched)
        if subject and patched.unreadable:
            raise _untriable(subject, patched.unreadable)
        if untouched is not None and not reference and patched.failed("import"):  # was it broken before?
            (reference,) = room.run(asked("untouched"))
        checks = judge(patched, reference, wanted, pointless)
        if GPU in probes:
            checks["amp"] = with_gpu(checks["amp"], probes[GPU])
        if patched.saved and untouched is not None:
            there = {"checks": ["import", "checkpoint"], "checkpoint": patched.saved}
            (unpatched,) = room.run({**asked("unpatched"), **there})
            checks["checkpoint"] = without_patch(checks["checkpoint"], unpatched)
        doubtful = [name for name in EXCUSABLE if patched.failed(name)]
        if doubtful:
            (training,) = room.run({**asked("training"), "checks": ["import", *doubtful]})
            checks = {name: excused(check, training) for name, check in checks.items()}
        require_libraries(interpreter, patched, checks)
        if source and "source" in only:
            checks["source"] = source
        return Verdict(
            interpreter=interpreter,
            python=patched.fact("python"),
            torch=patched.fact("torch"),
            ultralytics=patched.fact("ultralytics"),
            checks=tuple(checks[name] for name in CHECKS),
            costs=tuple(Cost(**cost) for probe in (reference, patched) if probe for cost in probe.costs),
            base=subject.base if subject else BASE,
            note=next((n for probe in (patched, reference) if probe for n in probe.notes), ""),
        )


def _untriable(subject: Subject, why: str) -> ModelError:
    """Return the error of a model that can't be read."""
    remedy = "Name a model YAML, or a checkpoint that this tree can load; --base and --scale must fit it."
    if MODULE in why:  # as the module is called that an unpatched tree does not have
        remedy = "It has layers of ours, and the tree is not patched: run `a2patch apply` first."
    return ModelError("The model can't be tried", path=subject.file, found=why, remedy=remedy)


def _pointless(only: Collection[str], untouched: object, subject: Subject | None) -> dict[str, str]:
    """Return why checks can't be made that were asked for, by name."""
    reasons = {}
    if subject and untouched is None:
        reasons = dict.fromkeys(("register", "formula"), "the tree is not wholly patched")
    if subject:
        reasons["base"] = "it is about the stock models; verify without a MODEL makes it"
    elif untouched is None:
        reasons["base"] = "the tree is not wholly patched, so it is not known how it was before"
    return {name: reason for name, reason in reasons.items() if name in only}


def _lay_untouched(package: Path, untouched: Mapping[str, bytes | None], copy: Path) -> None:
    """Copy a package and give the files that the patch changed their bytes from before."""
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__", ".a2patch", ".git", "*.pt"))
    for name, content in untouched.items():
        path = copy.joinpath(*name.split("/"))
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def request(role: str, package: Path, wanted: Sequence[str], subject: Subject | None) -> dict[str, Any]:
    """Return what a probe is asked to do, but for where.

    Args:
        role: `patched`, `untouched`, `training` (a stock model, whatever the subject), `unpatched` (a checkpoint),
            `gpu` or `pictures`.
        package: The package to try.
        wanted: The checks to make.
        subject: The model to try; without one, those that the patch adds.
    """
    parts = ["nn.tasks", "nn.modules"]
    folder = "nn.modules" if package.joinpath("nn", "modules").is_dir() else "nn"  # one file before 8.0.98
    models: Sequence[Mapping[str, Any]] = _MODELS
    if role == "training":
        models = [{"file": BASE, "base": BASE}]
    elif subject:
        models = [{"file": str(subject.file), "own": True, "base": subject.base, "scale": subject.scale}]
        parts = ["nn.tasks"]
    return {
        "role": role,
        "package": str(package),
        "libraries": ["torch"] if role in _LIGHT or set(wanted) <= set(QUICK) else ["torch", "torchvision"],
        # The figures of both probes are compared, so both compute alike.
        "threads": max(1, (os.cpu_count() or 2) // 2),
        "parts": parts,
        "checks": list(wanted),
        "costs": "train" in wanted and "build" in wanted,
        "models": models,
        "classes": CLASSES,
        "modules": {"defined": f"{folder}.{MODULE}", "exported": "nn.modules", "parsed": "nn.tasks"},
        "base": BASE,
        "trained": MODEL,
        "scales": SCALES,
    }

"""Try a patched package under its own interpreter, beside an untouched copy of it, and judge what came out."""

from __future__ import annotations

import math
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from a2patch.errors import ModelError, ToolMissingError, UnknownReleaseError
from a2patch.probing import Probe, Room
from a2patch.verdict import CHECKS, NOT_ASKED, Check, Cost, Verdict

SCALES = "nsmlx"
BASE = "yolov8.yaml"
TRAINED = "yolov8_A2.yaml"
# What the patch adds: where each model file has its layers.
_MODELS = (
    {"file": "yolov8_DANet.yaml", "base": BASE, "layer": "DoubleAttentionLayer", "places": [3], "tutorial": True},
    {"file": "yolov8_A2.yaml", "base": BASE, "layer": "DoubleAttentionBlock", "places": [5, 8]},
)
_CLASSES = ("DoubleAttentionBlock", "DoubleAttentionLayer")
_MODULES = {"defined": "nn.modules.double_attention", "exported": "nn.modules", "parsed": "nn.tasks"}

# Where the name of a library that is imported is not the name that it is installed by.
_DISTRIBUTIONS = {
    "cpuinfo": "py-cpuinfo",
    "cv2": "opencv-python",
    "hub_sdk": "hub-sdk",
    "IPython": "ipython",
    "hydra": "hydra-core",
    "PIL": "pillow",
    "git": "gitpython",
    "thop": "ultralytics-thop",
    "yaml": "pyyaml",
}


QUICK = ("import", "register", "build", "wiring", "scale", "stride")
"""The checks of the quick level: what is static, and what building tells."""


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
    say: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    only: Collection[str] = CHECKS,
    subject: Subject | None = None,
    timeout: float = 900.0,
) -> Verdict:
    """Try a patched package, or a model of the user's own under any package, and judge it.

    Nothing is written outside a temporary folder, and nothing is fetched.

    Args:
        package: The real path of the package folder.
        interpreter: The Python that the package belongs to.
        untouched: What the files that the patch changes were before it, by their POSIX paths inside the package; None
            for a file that was not there. None if the package is not patched, which only a subject may do without.
        say: Told, in a few words, what is being tried.
        environ: The environment to derive the probe's from.
        only: The checks to make besides `import`; the others are skipped, and costs are counted only with all of them.
        subject: The model to try; without one, those that the patch adds.
        timeout: Seconds after which a probe that has not ended is taken for hung.

    Returns:
        The verdict, with one check for each name in `CHECKS`.

    Raises:
        ToolMissingError: If the interpreter can't run, or lacks torch or a library that the release needs, so that the
            package can't be tried at all.
        ModelError: If the subject can't be read, or is no model.
        UnknownReleaseError: If the release is older than the probe knows.
    """
    if not package.joinpath("utils").is_dir():
        raise UnknownReleaseError(
            "releases before 8.0.136, which keep their tools in ultralytics.yolo, can't be verified yet",
            path=package,
            remedy="COMPATIBILITY.md tells what each of them builds; try your model as you would train it.",
        )
    with tempfile.TemporaryDirectory(prefix="a2patch-verify-", ignore_cleanup_errors=True) as folder:
        scratch = Path(os.path.realpath(folder))
        wanted = _wanted(only, patched=untouched is not None, own=subject is not None)
        room = Room(interpreter, scratch, environ, say, timeout)

        def asked(role: str) -> dict[str, Any]:
            stock = scratch / "untouched" / "ultralytics"
            if role != "patched" and not stock.exists():
                _lay_untouched(package, untouched or {}, stock)
            place = package if role == "patched" else stock
            return _request(role, place, wanted, None if role == "training" else subject)

        patched, *others = room.run(*map(asked, ("patched", "untouched")[: 2 if "base" in wanted else 1]))
        _require_tools(interpreter, patched)
        if subject and patched.unreadable:
            raise ModelError(
                "The model can't be tried",
                path=subject.file,
                found=patched.unreadable,
                remedy="Name a model YAML, or a checkpoint that this tree can load; --base and --scale must fit it.",
            )
        if not others and patched.failed("import"):  # was it broken before?
            others = list(room.run(asked("untouched")))
        checks = _judge(patched, others[0] if others else None, wanted)
        if patched.failed("checkpoint") or patched.failed("train"):
            (training,) = room.run(asked("training"))
            checks = {name: _excused(check, training) for name, check in checks.items()}
        _require_libraries(interpreter, patched, checks)
        return Verdict(
            interpreter=interpreter,
            python=patched.fact("python"),
            torch=patched.fact("torch"),
            ultralytics=patched.fact("ultralytics"),
            checks=tuple(checks[name] for name in CHECKS),
            costs=tuple(Cost(**cost) for probe in (*others, patched) for cost in probe.costs),
            base=subject.base if subject else BASE,
            note=next((n for probe in (patched, *others) for n in probe.notes), ""),
        )


def _wanted(only: Collection[str], *, patched: bool, own: bool) -> list[str]:
    """Return the checks to make, in order."""
    pointless = set() if patched else {"register", "formula", "base"}
    if own:
        pointless.add("base")
    return ["import", *(name for name in CHECKS[1:] if name in only and name not in pointless)]


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


def _request(role: str, package: Path, wanted: Sequence[str], subject: Subject | None) -> dict[str, Any]:
    """Return what a probe is asked to do, but for where."""
    parts = ["nn.tasks", "nn.modules"]
    if role == "patched":
        parts = [part for part in dict.fromkeys((*_MODULES.values(), *parts)) if part != _MODULES["defined"]]
    models: Sequence[Mapping[str, Any]] = _MODELS
    if subject:
        models = [{"file": str(subject.file), "own": True, "base": subject.base, "scale": subject.scale}]
        parts = ["nn.tasks"]
    return {
        "role": role,
        "package": str(package),
        # The figures of both probes are compared, so both compute alike.
        "threads": max(1, (os.cpu_count() or 2) // 2),
        "parts": parts,
        "checks": list(wanted),
        "costs": "train" in wanted and "build" in wanted,
        "models": models,
        "classes": _CLASSES,
        "modules": _MODULES,
        "base": BASE,
        "trained": TRAINED,
        "scales": SCALES,
    }


def _require_tools(interpreter: Path, probe: Probe) -> None:
    """Raise if the interpreter can't try the package at all."""
    if probe.missing and "import" not in probe.checks:  # torch is wanted before all else
        _raise_missing(interpreter, probe.missing)
    if probe.unfit:
        library, error = probe.unfit
        raise ToolMissingError(
            f"{library} doesn't load under the interpreter of the tree",
            path=interpreter,
            found=error,
            remedy="Its torch and torchvision must be a matching pair; install one with "
            + _pip(interpreter, ["--force-reinstall", "torch", "torchvision"]),
        )
    if not probe.facts:
        raise ToolMissingError(
            "The interpreter of the tree can't run the probe; it must be Python 3.8 or newer",
            path=interpreter,
            found=probe.end(),
            remedy="Name another with --python.",
        )


def _require_libraries(interpreter: Path, probe: Probe, checks: Mapping[str, Check]) -> None:
    """Raise if libraries are missing, unless a fault was found that must not be hidden by that."""
    if not probe.missing:
        return
    if all(check.result != "fail" for check in checks.values()):
        _raise_missing(interpreter, probe.missing)


def _raise_missing(interpreter: Path, modules: Sequence[str]) -> None:
    """Raise the error that names missing libraries and the command that installs them."""
    names = [_DISTRIBUTIONS.get(module, module) for module in modules]
    if "torch" in names and "torchvision" not in names:
        names.append("torchvision")
    names.sort(key=lambda name: (not name.startswith("torch"), name))
    raise ToolMissingError(
        f"This release needs {', '.join(names)}, which its interpreter lacks",
        path=interpreter,
        remedy=_pip(interpreter, names),
    )


def _pip(interpreter: Path, arguments: Sequence[str]) -> str:
    """Return the command that installs something for an interpreter."""
    return shlex.join([str(interpreter), "-m", "pip", "install", *arguments])


def _judge(patched: Probe, reference: Probe | None, wanted: Collection[str]) -> dict[str, Check]:
    """Return a check for every name, from what both probes said."""
    checks = dict(patched.checks)
    if not patched.done:
        checks[patched.started or "import"] = Check(
            patched.started or "import", "fail", "the probe died", patched.end()
        )
    if reference and checks["import"].result == "fail":
        checks["import"] = _judge_import(checks["import"], reference)
    if reference and checks.get("base", _PENDING).result == "pass":
        checks["base"] = _judge_base(checks["base"], patched, reference)
    why = "the tree can't be imported" if checks["import"].result != "pass" else "the probe had died before"
    skipped = {name: Check(name, "skip", meaning=why if name in wanted else NOT_ASKED) for name in CHECKS}
    return {name: checks.get(name, skipped[name]) for name in CHECKS}


_PENDING = Check("", "skip")


def _judge_import(check: Check, reference: Probe) -> Check:
    """Say whether a package that can't be imported was broken before the patch."""
    before = reference.checks.get("import")
    if before is None or before.result != "fail":
        return check
    return replace(
        check,
        meaning=f"Broken before the patch: the untouched package doesn't import either. {before.meaning}",
        advice="Repair or reinstall the package first.",
    )


def _judge_base(check: Check, patched: Probe, reference: Probe) -> Check:
    """Compare the stock models of the patched tree with those of its untouched copy."""
    if reference.checks.get("base", _PENDING).result != "pass":
        why = "The untouched copy of the package, to compare with, can't be tried. "
        there = next((c for c in reference.checks.values() if c.result == "fail"), None)
        return replace(check, result="skip", figure="", meaning=why + (there.meaning if there else reference.end()))
    for scale in SCALES:
        now, before = patched.stock[scale], reference.stock[scale]
        what = _difference(now, before)
        if what:
            return replace(
                check,
                result="fail",
                figure=f"scale {scale}",
                meaning=f"The patch changes the stock {BASE}: at scale {scale}, {what}.",
                advice="Revert; the patch must not touch what other models are made of.",
            )
    counts = ", ".join(f"{patched.stock[scale]['parameters']:,}" for scale in SCALES[:1])
    return replace(check, figure=f"{len(SCALES)} scales alike, {counts} parameters at {SCALES[0]}")


def _difference(now: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Return how two stock models differ, or nothing."""
    if now["parameters"] != before["parameters"]:
        return f"it has {now['parameters']:,} parameters instead of {before['parameters']:,}"
    if now["rows"] != before["rows"]:
        place = next((i for i, (a, b) in enumerate(zip(now["rows"], before["rows"], strict=False)) if a != b), None)
        return "it has another number of layers" if place is None else f"layer {place} is another"
    pairs = zip(now.get("output", ()), before.get("output", ()), strict=True)
    if not all(math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-5) for a, b in pairs):
        return "the same weights give another output"
    return ""


def _excused(check: Check, training: Probe) -> Check:
    """Take a failure for known where the untouched package fails in the same way with a stock model."""
    before = training.checks.get(check.name)
    if check.result != "fail" or before is None or (before.result, before.meaning) != ("fail", check.meaning):
        return check
    return replace(
        check,
        result="known",
        figure="as without the patch",
        meaning=f"The untouched package fails in the same way with {BASE}: {check.meaning}",
        advice="The release and the libraries of its interpreter don't fit; try older libraries.",
    )

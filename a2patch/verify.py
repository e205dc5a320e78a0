"""Try a patched package under its own interpreter, beside an untouched copy of it, and judge what came out."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from a2patch.errors import ToolMissingError

CHECKS = (
    "import",
    "register",
    "formula",
    "build",
    "scale",
    "stride",
    "blind",
    "gradient",
    "base",
    "checkpoint",
    "train",
)
"""The names of the checks, in the order in which a verdict lists them."""

SCALES = "nsmlx"
BASE = "yolov8.yaml"
TRAINED = "yolov8_A2.yaml"
# What the patch adds: where each model file has its layers.
_MODELS = (
    {"file": "yolov8_DANet.yaml", "layer": "DoubleAttentionLayer", "places": [3]},
    {"file": "yolov8_A2.yaml", "layer": "DoubleAttentionBlock", "places": [5, 8]},
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
_PROBE = Path(__file__).with_name("probe")
# Variables of these families steer Python or ultralytics, and what is tried must not depend on them.
_DROPPED = ("PYTHON", "YOLO_", "ULTRALYTICS_", "WANDB_", "COMET_", "MLFLOW_", "NEPTUNE_", "CLEARML_")
# Distributed workers are told who they are by these; the probe is nobody's worker.
_DROPPED_NAMES = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCH_FORCE_WEIGHTS_ONLY_LOAD"}
_LOG_LINES = 8
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Check:
    """One check and what it found.

    Attributes:
        name: One of `CHECKS`.
        result: `pass`, `fail`, `known` (a flaw that is expected where it was found) or `skip`.
        figure: What was measured.
        meaning: What it means, in a sentence; empty where there is nothing to say.
        advice: What to do about it, in a sentence.
        seconds: How long the check took.
    """

    name: str
    result: str
    figure: str = ""
    meaning: str = ""
    advice: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Cost:
    """What a model costs at one scale, as `model.info()` of the release prints it.

    Attributes:
        model: The model file.
        scale: The scale letter.
        layers: Number of layers.
        parameters: Number of parameters.
        gradients: Number of parameters that get gradients.
        gflops: GFLOPs at 640 px, where the release could count them.
    """

    model: str
    scale: str
    layers: int
    parameters: int
    gradients: int
    gflops: float | None


@dataclass(frozen=True)
class Verdict:
    """What came out of trying a patched package.

    Attributes:
        interpreter: The interpreter that it was tried under.
        python: Its version.
        torch: The version of its torch.
        ultralytics: The version that the package gives itself; empty if it couldn't be imported.
        checks: The checks, in the order of `CHECKS`.
        costs: The costs of the base and of the added models, at each scale that builds.
        note: What else is to be said, such as why GFLOPs are missing.
    """

    interpreter: Path
    python: str
    torch: str
    ultralytics: str
    checks: tuple[Check, ...]
    costs: tuple[Cost, ...]
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether no check found a fault."""
        return all(check.result != "fail" for check in self.checks)


def verify(
    package: Path,
    interpreter: Path,
    untouched: Mapping[str, bytes | None],
    say: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    only: Collection[str] = CHECKS,
    timeout: float = 900.0,
) -> Verdict:
    """Try a patched package and judge it.

    Nothing is written outside a temporary folder, and nothing is fetched.

    Args:
        package: The real path of the package folder.
        interpreter: The Python that the package belongs to.
        untouched: What the files that the patch changes were before it, by their POSIX paths inside the package; None
            for a file that was not there.
        say: Told, in a few words, what is being tried.
        environ: The environment to derive the probe's from.
        only: The checks to make besides `import`; the others are skipped, and costs are counted only with all of them.
        timeout: Seconds after which a probe that has not ended is taken for hung.

    Returns:
        The verdict, with one check for each name in `CHECKS`.

    Raises:
        ToolMissingError: If the interpreter can't run, or lacks torch or a library that the release needs, so that the
            package can't be tried at all.
    """
    with tempfile.TemporaryDirectory(prefix="a2patch-verify-", ignore_cleanup_errors=True) as folder:
        scratch = Path(os.path.realpath(folder))
        stock = _lay_untouched(package, untouched, scratch / "untouched" / "ultralytics")
        wanted = ["import", *(name for name in CHECKS[1:] if name in only)]
        room = _Room(interpreter, scratch, environ, say, timeout, tuple(wanted))
        jobs = [("patched", package), ("untouched", stock)]
        patched, *others = room.run(*jobs[: 2 if "base" in wanted else 1])
        _require_tools(interpreter, patched)
        if not others and patched.failed("import"):  # was it broken before?
            others = list(room.run(jobs[1]))
        checks = _judge(patched, others[0] if others else None, wanted)
        if patched.failed("checkpoint") or patched.failed("train"):
            (training,) = room.run(("training", stock))
            checks = {name: _excused(check, training) for name, check in checks.items()}
        _require_libraries(interpreter, patched, checks)
        return Verdict(
            interpreter=interpreter,
            python=patched.fact("python"),
            torch=patched.fact("torch"),
            ultralytics=patched.fact("ultralytics"),
            checks=tuple(checks[name] for name in CHECKS),
            costs=tuple(Cost(**cost) for probe in (*others, patched) for cost in probe.costs),
            note=next((n for probe in (patched, *others) for n in probe.notes), ""),
        )


def _lay_untouched(package: Path, untouched: Mapping[str, bytes | None], copy: Path) -> Path:
    """Copy a package and give the files that the patch changed their bytes from before."""
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__", ".a2patch", ".git", "*.pt"))
    for name, content in untouched.items():
        path = copy.joinpath(*name.split("/"))
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return copy


# Running probes


@dataclass
class _Probe:
    """A running probe, and what it has said so far."""

    role: str
    process: subprocess.Popen[bytes]
    events: IO[bytes]
    log: Path
    facts: dict[str, str] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    costs: list[dict[str, Any]] = field(default_factory=list)
    stock: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unfit: tuple[str, str] | None = None
    notes: list[str] = field(default_factory=list)
    trying: str = ""
    started: str = ""
    done: bool = False
    timed_out: bool = False
    _rest: bytes = b""

    def fact(self, name: str) -> str:
        """Return a version that the probe told, empty if it did not get that far."""
        return self.facts.get(name, "")

    def failed(self, name: str) -> bool:
        """Return whether a check found a fault, or the probe died in it."""
        return self.checks[name].result == "fail" if name in self.checks else not self.done and self.started == name

    def listen(self) -> bool:
        """Take in what was said since the last time; whether that was anything."""
        *lines, self._rest = (self._rest + self.events.read()).split(b"\n")
        for line in lines:
            self._take(json.loads(line))
        return bool(lines)

    def _take(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        match event.pop("event"):
            case "trying":
                self.trying = event["what"]
            case "start":
                self.started = event["name"]
            case "check":
                self.checks[event["name"]] = Check(**event)
            case "cost":
                self.costs.append(event)
            case "stock":
                self.stock[event.pop("scale")] = event
            case "missing":
                self.missing.extend(name for name in event["names"] if name not in self.missing)
            case "unfit":
                self.unfit = event["library"], event["error"]
            case "uncounted":
                self.notes.append(event["reason"])
            case "done":
                self.done = True
            case name:
                self.facts[name] = event["version"]

    def end(self) -> str:
        """Return how a probe that did not finish ended, with the last lines of its log."""
        status = self.process.returncode
        if self.timed_out:
            how = "was still running when its time was up"
        elif status < 0:
            how = f"was killed by signal {-status}"
        else:
            how = f"ended with status {status}"
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        tail = [line for line in lines if line.strip()][-_LOG_LINES:]
        return f"The probe {how} while {self.trying or 'starting'}." + "".join(f"\n{line}" for line in tail)


@dataclass(frozen=True)
class _Room:
    """Where and how probes run."""

    interpreter: Path
    scratch: Path
    environ: Mapping[str, str]
    say: Callable[[str], None]
    timeout: float
    checks: tuple[str, ...]

    def run(self, *jobs: tuple[str, Path]) -> tuple[_Probe, ...]:
        """Run probes side by side, each a role and the package that it tries, and wait for all; the first is heard."""
        probes: list[_Probe] = []
        try:
            probes.extend(self._start(role, package) for role, package in jobs)
            self._follow(probes)
        finally:  # an interrupt, above all, must leave no process behind
            for probe in probes:
                probe.process.kill()
                probe.process.wait()
                probe.events.close()
        return tuple(probes)

    def _start(self, role: str, package: Path) -> _Probe:
        """Start a probe in a folder of its own."""
        home = self.scratch / role
        for name in ("work", "config", "cache", "tmp", "files"):
            (home / name).mkdir(parents=True)
        events, log, request = home / "events.jsonl", home / "log.txt", home / "request.json"
        events.touch()
        request.write_text(json.dumps(self._request(role, package, home / "files", events)), encoding="utf-8")
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [str(self.interpreter), "-B", str(_PROBE), str(request)],
                    cwd=home / "work",
                    env=_environment(self.environ, home),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
        except OSError as error:
            raise ToolMissingError(
                "The interpreter of the tree can't be run",
                path=self.interpreter,
                found=str(error),
                remedy="Name the Python that has torch and the tree's other libraries with --python.",
            ) from error
        return _Probe(role, process, events.open("rb"), log)

    def _request(self, role: str, package: Path, files: Path, events: Path) -> dict[str, Any]:
        """Return what a probe is asked to do."""
        parts = ["nn.tasks", "nn.modules"]
        if role == "patched":
            parts = [part for part in dict.fromkeys((*_MODULES.values(), *parts)) if part != _MODULES["defined"]]
        return {
            "role": role,
            "package": str(package),
            "scratch": str(files),
            "events": str(events),
            # The figures of both probes are compared, so both compute alike.
            "threads": max(1, (os.cpu_count() or 2) // 2),
            "parts": parts,
            "checks": self.checks,
            "costs": set(self.checks) == set(CHECKS),
            "models": _MODELS,
            "classes": _CLASSES,
            "modules": _MODULES,
            "base": BASE,
            "trained": TRAINED,
            "scales": SCALES,
        }

    def _follow(self, probes: Sequence[_Probe]) -> None:
        """Pass on what the first probe says it is trying, until all have ended."""
        deadline = time.monotonic() + self.timeout
        told = ""
        while True:
            running = [probe for probe in probes if probe.process.poll() is None]
            for probe in probes:  # after the poll, so that the last words of one that has ended are heard
                probe.listen()
            front = running[0] if running else probes[0]
            if front.trying != told:
                told = front.trying
                self.say(told)
            if not running:
                return
            if time.monotonic() > deadline:
                for probe in running:
                    probe.timed_out = True
                    probe.process.kill()
                    probe.process.wait()
            time.sleep(_POLL_SECONDS)


def _environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment of a probe: the caller's, without what steers Python or ultralytics, and with a home."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(_DROPPED) and name.upper() not in _DROPPED_NAMES
    }
    kept.pop("PWD", None)
    config = str(home / "config")
    return kept | {
        "PYTHONSAFEPATH": "1",  # as -P, which Python 3.10 and older would not take
        "PYTHONIOENCODING": "utf-8",
        "YOLO_CONFIG_DIR": config,
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS": "1",
        "MPLCONFIGDIR": config,
        "MPLBACKEND": "agg",
        "XDG_CONFIG_HOME": config,
        "XDG_CACHE_HOME": str(home / "cache"),
        "TORCH_HOME": str(home / "cache"),
        "TMPDIR": str(home / "tmp"),
        "WANDB_MODE": "disabled",
        "COMET_MODE": "disabled",
        "PIP_NO_INDEX": "1",
        "NO_COLOR": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }


# Judging what they said


def _require_tools(interpreter: Path, probe: _Probe) -> None:
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


def _require_libraries(interpreter: Path, probe: _Probe, checks: Mapping[str, Check]) -> None:
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


def _judge(patched: _Probe, reference: _Probe | None, wanted: Collection[str]) -> dict[str, Check]:
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
    skipped = {name: Check(name, "skip", meaning=why if name in wanted else "not asked for") for name in CHECKS}
    return {name: checks.get(name, skipped[name]) for name in CHECKS}


_PENDING = Check("", "skip")


def _judge_import(check: Check, reference: _Probe) -> Check:
    """Say whether a package that can't be imported was broken before the patch."""
    before = reference.checks.get("import")
    if before is None or before.result != "fail":
        return check
    return replace(
        check,
        meaning=f"Broken before the patch: the untouched package doesn't import either. {before.meaning}",
        advice="Repair or reinstall the package first.",
    )


def _judge_base(check: Check, patched: _Probe, reference: _Probe) -> Check:
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


def _excused(check: Check, training: _Probe) -> Check:
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

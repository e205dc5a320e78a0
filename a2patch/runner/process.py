"""Run probes, programs that try a package under its own interpreter, and listen to what they say."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from a2patch.errors import ToolMissingError
from a2patch.runner.verdict import Check

_PROBE = Path(__file__).parent.parent / "probe"
# Variables of these families steer Python or ultralytics, and what is tried must not depend on them.
_DROPPED = ("PYTHON", "PYTEST_", "YOLO_", "ULTRALYTICS_", "WANDB_", "COMET_", "MLFLOW_", "NEPTUNE_", "CLEARML_")
# Distributed workers are told who they are by these; the probe is nobody's worker.
_DROPPED_NAMES = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCH_FORCE_WEIGHTS_ONLY_LOAD"}
GPU = "gpu"
"""The role of the one probe that sees its user's GPUs; the others compute on the CPU, so that they can be compared."""

_LOG_LINES = 8
_POLL_SECONDS = 0.05


@dataclass
class Probe:
    """A probe, and what it has said so far.

    Attributes:
        facts: Versions by the name of what has them.
        checks: The checks that it has made, by name.
        costs: What models cost, as `Cost` takes them.
        stock: What the stock model is and computes, by scale.
        missing: Libraries that its interpreter lacks.
        unfit: A library that doesn't load, and why.
        unreadable: Why the model that it should try is none; empty if it is one.
        saved: Where the checkpoint lies that came back as it was saved; empty if none did.
        pictures: What it drew, in order.
        unpictured: What it could not draw, with the reasons.
        refused: Why what it was asked to make of a model can't be; empty if it can.
        made: The model files that it made, as `InsertedModel` takes them.
        answer: What came out of a transplant, by name; empty if it did not get that far.
        declined: Why it can't be made, as the fields of an error; empty if it can.
        notes: What else it has to say.
        done: Whether it came to its end.
    """

    process: subprocess.Popen[bytes]
    events: IO[bytes]
    log: Path
    facts: dict[str, str] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    costs: list[dict[str, Any]] = field(default_factory=list)
    stock: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unfit: tuple[str, str] | None = None
    unreadable: str = ""
    saved: str = ""
    pictures: list[dict[str, Any]] = field(default_factory=list)
    unpictured: list[dict[str, str]] = field(default_factory=list)
    refused: str = ""
    made: list[dict[str, Any]] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    declined: dict[str, Any] = field(default_factory=dict)
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
            case "unreadable":
                self.unreadable = event["error"]
            case "saved":
                self.saved = event["path"]
            case "picture":
                self.pictures.append(event)
            case "unpictured":
                self.unpictured.append(event)
            case "refused":
                self.refused = event["reason"]
            case "made":
                self.made.append(event)
            case "answer":
                self.answer = event
            case "declined":
                self.declined = event
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
class Room:
    """Where and how probes run.

    Attributes:
        interpreter: What runs them.
        scratch: The folder for theirs.
        environ: The environment to derive theirs from.
        notify: Told, in a few words, what is being tried.
        timeout: Seconds after which a probe that has not ended is taken for hung.
    """

    interpreter: Path
    scratch: Path
    environ: Mapping[str, str]
    notify: Callable[[str], None]
    timeout: float

    def run(self, *requests: Mapping[str, Any]) -> tuple[Probe, ...]:
        """Run probes side by side, each with a request that names its role, and wait for all; the first is heard."""
        probes: list[Probe] = []
        try:
            probes.extend(self._start(request) for request in requests)
            self._follow(probes)
        finally:  # an interrupt, above all, must leave no process behind
            for probe in probes:
                probe.process.kill()
                probe.process.wait()
                probe.events.close()
        return tuple(probes)

    def _start(self, request: Mapping[str, Any]) -> Probe:
        """Start a probe in a folder of its own."""
        home = self.scratch / request["role"]
        for name in ("work", "config", "cache", "tmp", "files"):
            (home / name).mkdir(parents=True)
        events, log, asked = home / "events.jsonl", home / "log.txt", home / "request.json"
        events.touch()
        places = {"scratch": str(home / "files"), "events": str(events)}
        asked.write_text(json.dumps({**request, **places}), encoding="utf-8")
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [str(self.interpreter), "-B", str(_PROBE), str(asked)],
                    cwd=home / "work",
                    env=_variables(request["role"], self.environ, home),
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
        return Probe(process, events.open("rb"), log)

    def _follow(self, probes: Sequence[Probe]) -> None:
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
                self.notify(told)
            if not running:
                return
            if time.monotonic() > deadline:
                for probe in running:
                    probe.timed_out = True
                    probe.process.kill()
                    probe.process.wait()
            time.sleep(_POLL_SECONDS)


def environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment of a probe: the caller's, without what steers Python or ultralytics, and with a home.

    Args:
        environ: The environment to derive it from.
        home: A folder with the folders `config`, `cache` and `tmp`.
    """
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


def _variables(role: str, environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment of a probe in a role."""
    variables = environment(environ, home)
    if role == GPU:
        del variables["CUDA_VISIBLE_DEVICES"]
        variables |= {name: value for name, value in environ.items() if name == "CUDA_VISIBLE_DEVICES"}
    return variables

"""Run probes, programs that try a package under its own interpreter, and collect what they say."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from a2patch.errors import AccessError, ToolMissingError
from a2patch.protocol import (
    EVENTS,
    REQUEST,
    SCRATCH,
    Event,
    Exhausted,
    Request,
    Role,
    Trying,
    decode,
    encode,
)
from a2patch.runner.result import ProbeResult

THREADS = max(1, (os.cpu_count() or 2) // 2)
"""The threads of each probe: two often run at once, and their figures are compared, so both compute alike."""

FREE_BYTES = 8 << 20
"""How many bytes must be free for what a probe writes that trains nothing and saves nothing."""

PROBE = Path(__file__).parent.parent / "probe"
# Variables of these families steer Python or ultralytics, and what is tried must not depend on them.
_DROPPED = ("PYTHON", "PYTEST_", "YOLO_", "ULTRALYTICS_", "WANDB_", "COMET_", "MLFLOW_", "NEPTUNE_", "CLEARML_")
# Distributed workers are told who they are by these; the probe is nobody's worker.
_DROPPED_NAMES = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCH_FORCE_WEIGHTS_ONLY_LOAD"}
# What a machine lacks where a program that is there can't be started.
_SCARCE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOSPC, errno.EFBIG}
_LOG_LINES = 8
_LOG_BYTES = 1 << 14
_ROOM_LEFT = 1 << 20  # bytes; who has not even these could not write what it was to write
_POLL_SECONDS = 0.05


class ProbeProcess:
    """A probe that runs, and what it has said so far.

    Attributes:
        trying: What it says that it does.
    """

    def __init__(self, command: list[str], home: Path, variables: Mapping[str, str], seconds: float) -> None:
        """Start a probe.

        Args:
            command: What runs it.
            home: Its folder, with its request.
            variables: Its environment.
            seconds: How long it may run.

        Raises:
            OSError: The command can't be run.
        """
        self.trying = ""
        self._said: list[Event] = []
        self._rest = b""
        self._deadline = time.monotonic() + seconds
        self._timed_out = False
        self._log = home / "log.txt"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                # Nothing is ever written to its input: when this process is gone, however it went, that ends, and so
                # does the probe.
                command,
                cwd=home / "work",
                env=variables,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self._events = (home / EVENTS).open("rb")

    def is_running(self) -> bool:
        """Return whether it still runs; one whose time is up is killed first."""
        if self._process.poll() is None and time.monotonic() > self._deadline:
            self._timed_out = True
            self.stop()
        return self._process.poll() is None

    def listen(self) -> list[Event]:
        """Return what it said since the last time."""
        *lines, self._rest = (self._rest + self._events.read()).split(b"\n")
        news = [decode(line.decode("utf-8")) for line in lines]
        said: list[Event] = [event for event in news if not isinstance(event, Request)]
        self.trying = next((event.what for event in reversed(said) if isinstance(event, Trying)), self.trying)
        self._said.extend(said)
        return said

    def stop(self) -> None:
        """Kill it if it runs."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def close(self) -> ProbeResult:
        """Kill it if it runs, and return what it said."""
        self.stop()
        self._events.close()
        return ProbeResult(tuple(self._said), self._ending())

    def _ending(self) -> str:
        """Return how it ended, in a sentence and the last lines of its log."""
        status = self._process.returncode
        if self._timed_out:
            how = "was still running when its time was up"
        elif status < 0:
            how = f"was killed by signal {-status}"
        else:
            how = f"ended with status {status}" if status else "ended too soon"
        with self._log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_BYTES))
            lines = log.read().decode("utf-8", "replace").split("\n")
        tail = [line for line in lines if line.strip()][-_LOG_LINES:]
        return f"The probe {how} while {self.trying or 'starting'}." + "".join(f"\n{line}" for line in tail)


@dataclass(frozen=True)
class ProbeRunner:
    """How probes are run.

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

    def run(
        self, requests: Iterable[Request], listen: Callable[[Role, Event | None], None] = lambda role, event: None
    ) -> dict[Role, ProbeResult]:
        """Run probes side by side, each in a role of its own, and wait for all of them.

        Args:
            requests: What they are asked; each probe is started before the next request is taken.
            listen: Told what each probe says, by its role, and None once it has ended.

        Returns:
            What each said, by its role.

        Raises:
            ToolMissingError: The interpreter can't be run.
        """
        probes: dict[Role, ProbeProcess] = {}
        results: dict[Role, ProbeResult] = {}
        try:
            for request in requests:
                probes[request.role] = self._start(request)
            self._follow(probes, listen)
        finally:  # an interrupt, above all, must leave no process behind
            results.update({role: probe.close() for role, probe in probes.items()})
        if not all(result.sound for result in results.values()):
            self._require_means(results.values())
        return results

    def _require_means(self, results: Iterable[ProbeResult]) -> None:
        """Make sure that it was not for lack of room, memory or open files that a probe failed.

        Raises:
            AccessError: It was.
            OSError: There is no room for temporary files.
        """
        self.scratch.joinpath("room").write_bytes(bytes(_ROOM_LEFT))
        for exhausted in filter(None, (result.last(Exhausted) for result in results)):
            raise AccessError(
                f"the machine, or a limit that is set, keeps models from being tried: {exhausted.what}",
                remedy="Lift the limit (`ulimit -a` shows all), or close other programs, and try again.",
            )

    def _follow(self, probes: dict[Role, ProbeProcess], listen: Callable[[Role, Event | None], None]) -> None:
        """Wait until all probes have ended; tell what the first one that runs is trying."""
        shown = ""
        while True:
            running = [probe for probe in probes.values() if probe.is_running()]
            for role, probe in probes.items():
                for event in probe.listen():  # behind the poll, so that the last words of one that has ended are heard
                    listen(role, event)
                if probe not in running:
                    listen(role, None)
            front = running[0] if running else next(iter(probes.values()))
            if front.trying != shown:
                shown = front.trying
                self.notify(shown)
            if not running:
                return
            time.sleep(_POLL_SECONDS)

    def _start(self, request: Request) -> ProbeProcess:
        """Start a probe in a home of its own."""
        home = self.scratch / request.role
        make_home(home)
        variables = environment(self.environ, home, gpu=request.role == "gpu")  # the others can be compared then
        return start_probe(self.interpreter, home, request, variables, self.timeout)


def make_home(home: Path) -> None:
    """Make the folder of a probe, with all that it needs in it."""
    for name in ("work", "config", "cache", "tmp", SCRATCH):
        (home / name).mkdir(parents=True)
    (home / EVENTS).touch()


def start_probe(
    interpreter: Path, home: Path, request: Request, variables: Mapping[str, str], seconds: float
) -> ProbeProcess:
    """Start a probe.

    Args:
        interpreter: What runs it.
        home: Its folder, made.
        request: What it is to do.
        variables: Its environment.
        seconds: How long it may run.

    Raises:
        ToolMissingError: The interpreter can't be run.
        OSError: The machine lacks what it takes just now, or the folder can't be written to.
    """
    (home / REQUEST).write_text(encode(request), encoding="utf-8")
    try:
        return ProbeProcess([str(interpreter), "-B", str(PROBE), str(home / REQUEST)], home, variables, seconds)
    except OSError as error:
        if error.errno in _SCARCE:
            raise
        raise ToolMissingError(
            "the interpreter of the tree can't be run",
            path=interpreter,
            found=str(error),
            remedy="Name the Python that has torch and the tree's other libraries with --python.",
        ) from error


def environment(environ: Mapping[str, str], home: Path, *, gpu: bool = False) -> dict[str, str]:
    """Return the environment of a probe: the caller's, without what steers Python or ultralytics, and with a home.

    Args:
        environ: The environment to derive it from.
        home: A folder with the folders `config`, `cache` and `tmp`.
        gpu: Whether it sees the GPUs that the caller sees; else it computes on the CPU.
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
        **({} if gpu else {"CUDA_VISIBLE_DEVICES": ""}),
    }

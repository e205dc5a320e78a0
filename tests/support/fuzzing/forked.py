"""Try checkpoints with torch, many in one process: each probe is a child of one that has imported all it needs."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from a2patch.probe import roles
from a2patch.runner import process
from patches import releases
from tests.support.fuzzing.checkpoints import SOUND, spoiled_checkpoint
from tests.support.fuzzing.inputs import CHECKPOINT, Input
from tests.support.fuzzing.judge import judged
from tests.support.fuzzing.trier import limit_probes
from tests.support.fuzzing.typed import Typed
from tests.support.fuzzing.world import State
from tests.support.inside import inside
from tests.support.trees import NEWEST

_SECONDS = 60.0  # for a probe; a sound checkpoint takes two
_MEMORY = 12 << 30  # addresses, most of which torch only reserves
TREE = "site-packages/ultralytics"
_PLAIN = {
    "nc": 1,
    "backbone": [[-1, 1, "Conv", [8, 3, 2]], [-1, 1, "Conv", [8, 3, 2]]],
    "head": [[[1], 1, "Detect", ["nc"]]],
}
_OURS = """nc: 1
backbone:
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, DoubleAttentionBlock, [0.25]]
head:
  - [[2], 1, Detect, [nc]]
"""
_COMMANDS = (
    Typed("verify", ("verify", "--quick"), ("m.pt",), tries=True),
    Typed("transplant", ("transplant", "--model=tiny.yaml"), ("m.pt",), tries=True),
    Typed(
        "transplant",
        ("transplant", "--model=tiny.yaml", "--from-state-dict", "--base=base.yaml"),
        ("m.pt",),
        tries=True,
    ),
)


class Fork:
    """A probe that is a child of this process: what of `subprocess.Popen` the runner uses."""

    def __init__(self, command: list[str], *, cwd: Path, env: Mapping[str, str], stdout: Any, **others: Any) -> None:
        """Start it as `subprocess.Popen` would."""
        reading, writing = os.pipe()
        self.returncode: int | None = None
        self.stdin = os.fdopen(writing, "wb")
        self.pid = os.fork()
        if not self.pid:
            self._be(command[-1], cwd, env, reading, stdout.fileno())
        os.close(reading)

    def _be(self, request: str, folder: Path, variables: Mapping[str, str], stdin: int, log: int) -> None:
        """Be the probe, and end."""
        code = 1
        try:
            for number, handle in enumerate((stdin, log, log)):
                os.dup2(handle, number)
            signal.alarm(0)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(variables)
            tempfile.tempdir = None
            code = roles.main(request)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def poll(self) -> int | None:
        """Return its exit status once it has ended."""
        return self._waited(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait for its end."""
        return self._waited(0)

    def kill(self) -> None:
        """Kill it if it runs."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _waited(self, how: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, how)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


class ForkedTrier:
    """Tries spoiled checkpoints with torch in a patched tree, one after the other."""

    def __init__(self, folder: Path, cache: Path) -> None:
        """Make this process ready, which is then good for nothing else.

        Args:
            folder: An empty folder.
            cache: Where released wheels are kept.
        """
        self._root, self._temporary, self._canary = folder / "world", folder / "tmp", folder / "was_run"
        here = self._root / "here"
        for place in (here, self._temporary, folder / "home"):
            place.mkdir(parents=True)
        os.environ |= {"TMPDIR": str(self._temporary), "YOLO_CONFIG_DIR": str(folder / "home"), "YOLO_OFFLINE": "true"}
        os.environ |= {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
        tempfile.tempdir = None
        releases.unpack(NEWEST, cache, self._root / "site-packages")
        assert inside("apply", "--no-verify", "--ultralytics-path", self._root / TREE).code == 0
        sys.path.insert(0, str(self._root / "site-packages"))
        os.chdir(here)
        here.joinpath("tiny.yaml").write_text(_OURS)
        here.joinpath("base.yaml").write_text(
            _OURS.replace("  - [-1, 1, DoubleAttentionBlock, [0.25]]\n", "").replace("[2]", "[1]")
        )
        self._sound = {**SOUND, **_real(folder)}
        setattr(process, "subprocess", SimpleNamespace(Popen=Fork, PIPE=subprocess.PIPE))  # noqa: B010 (no attribute that is named there)
        limit_probes(_SECONDS)

    def tried(self, number: int) -> tuple[str, list[str]]:
        """Try a checkpoint made from a number; return what it came to, and what is wrong with that."""
        chance = random.Random(number)
        place = self._root / CHECKPOINT
        name = chance.choice(sorted(self._sound))
        content = self._sound[name] if chance.random() < 0.05 else spoiled_checkpoint(self._sound, self._canary, chance)
        place.write_bytes(content)
        command = chance.choice(_COMMANDS)
        command = command.with_options(
            ["--json", "--ultralytics-path", str(self._root / TREE), "--python", sys.executable]
        )
        given = Input(number, "torch", "applied", {CHECKPOINT: content}, command, {}, "here")
        before = self._stamps()
        try:
            answer = inside(*given.command.arguments)
        except BaseException:
            return f"{command.name:<11} none", [f"an exception came through:\n{traceback.format_exc()[-2000:]}"]
        after = self._stamps()
        for made in sorted(after.keys() - before.keys()):  # what a transplant writes
            if made.startswith("here/") and answer.code == 0:
                self._root.joinpath(made).unlink()
                after = {path: entry for path, entry in after.items() if path != made}
        faults = [*judged(answer, before, after, given, TREE)]
        if self._canary.exists():
            self._canary.rmdir()
            faults.append("code of a checkpoint was run")
        if left := [each.name for each in self._temporary.iterdir()]:
            faults.append(f"left in the folder for temporary files: {left[:5]}")
        told = answer.document.get("error") or {} if answer.out.startswith("{") else {}
        if "Traceback" in str(told.get("found")) or told.get("message") == "the transplant failed":
            faults.append(f"nobody's words: {told}")
        return f"{command.name:<11} {answer.code}", [f"{given.command.arguments}\n{fault}" for fault in faults]

    def _stamps(self) -> State:
        """Return when each file was changed last, by its path."""
        found = {}
        for folder, _, names in os.walk(self._root):
            for name in names:
                looked = Path(folder, name).lstat()
                stamp = f"{looked.st_mtime_ns} {looked.st_size} {looked.st_mode}"
                found[os.path.relpath(Path(folder, name), self._root)] = ("-", stamp.encode())
        return found


def _real(folder: Path) -> dict[str, bytes]:
    """Return small checkpoints that torch saves, by names that begin with their format."""
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.set_num_threads(1)
    net = DetectionModel(_PLAIN, ch=3, verbose=False).half()
    net.args, net.names = {"imgsz": 64}, {0: "thing"}
    whole = {"epoch": -1, "model": net, "ema": None, "train_args": {"imgsz": 64}, "date": "some day"}
    contents = {"whole": whole, "weights": net.state_dict()}
    made = {}
    for name, content in contents.items():
        for kind in ("zip", "legacy"):
            place = folder / f"{kind} {name}.pt"
            torch.save(content, place, _use_new_zipfile_serialization=kind == "zip")
            made[f"{kind} {name}"] = place.read_bytes()
    return made

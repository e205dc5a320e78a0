"""Try an input: put it there, type the command, and look at what became of everything."""

from __future__ import annotations

import functools
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

import typer.main

from a2patch.patch import validate
from a2patch.probe.runtime.declined import DeclinedError
from a2patch.probe.runtime.file_kind import named_by
from a2patch.runner import process
from tests.support.command import Answer, a2patch
from tests.support.fuzzing.inputs import CHECKPOINT, Input
from tests.support.fuzzing.judge import judged
from tests.support.fuzzing.typed import READ
from tests.support.fuzzing.watch import Watch
from tests.support.fuzzing.world import State, World, put, restore, script, state
from tests.support.inside import inside

SECONDS = 20
"""For one command; on a busy machine the slowest takes three."""
_PROBE_SECONDS = 1.0
_MOST_KIB = 600 << 10  # of memory that one input may take besides

T = TypeVar("T")


class TooLongError(BaseException):
    """A command has not come to its end in time."""


class Trier:
    """Tries inputs in a folder of its own, one after the other.

    Attributes:
        world: What they are tried in.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        """Make this process ready, which is then good for nothing else.

        Args:
            folder: An empty folder.
            cache: Where released wheels are kept.
        """
        self._temporary = folder / "tmp"
        folder.joinpath("world").mkdir(parents=True)
        os.environ.update({"HOME": str(folder / "home"), "TMPDIR": str(self._temporary)})
        os.environ["XDG_CACHE_HOME"] = str(folder / "home")
        self._real = sys.executable
        # What is proved of the same bytes once need not be proved again, and nothing need survive the end of power.
        validate.fault = functools.lru_cache(512)(validate.fault)
        os.fsync = lambda handle: None  # type: ignore[assignment]
        self.world = World(folder / "world", cache)
        own = folder / "own/bin/python3"  # no model is built: where one would be, the probe dies
        own.parent.mkdir(parents=True)
        own.write_bytes(script(self.world.root))
        own.chmod(0o755)
        sys.executable = str(own)
        os.environ["PATH"] = f"{own.parent}{os.pathsep}{os.environ['PATH']}"
        limit_probes(_PROBE_SECONDS)
        typer.main.get_command = functools.cache(typer.main.get_command)
        self._watch = Watch(folder)
        self._here = self.world.root / "here"

    def tried(self, given: Input) -> tuple[str, list[str]]:
        """Try an input; return what it came to, and what is wrong with that."""
        self._lay(given)
        before = state(self.world.root)
        faults: list[str] = []
        if given.command.verb == READ:
            came = self._read(faults)
        else:
            answer = self._answer(given.command.arguments, given, faults)
            came = f"{given.command.name:<11} {'none' if answer is None else answer.code}"
            if answer is not None:
                tree = self.world.tree(given.start)
                faults += judged(answer, before, state(self.world.root), given, tree)
                if not faults and answer.code == 0:
                    faults += self._taken_back(given, before, tree)
        faults += self._traces(given)
        return came, faults

    def _lay(self, given: Input) -> None:
        """Bring the world to what an input begins with."""
        root = self.world.root
        restore(root, self.world.states[given.start], state(root))
        for path, content in given.files.items():
            put(root, path, content)
        self.world.started.unlink(missing_ok=True)
        self._watch.forget()
        if self.world.canary.exists():
            self.world.canary.rmdir()

    def _read(self, faults: list[str]) -> str:
        """Read the checkpoint as every probe does at first."""

        def read() -> str:
            try:
                named_by(self.world.root / CHECKPOINT)
            except DeclinedError:
                return "declined"
            return "read"

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        came = self._within_time(read, faults) or "none"
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most > _MOST_KIB:
            faults.append(f"more than {_MOST_KIB >> 10} MiB of memory")
        return f"{READ:<11} {came}"

    def _answer(self, arguments: Sequence[str], given: Input, faults: list[str]) -> Answer | None:
        """Run a command within its time, in this process or in one of its own."""
        with self._surrounded(given) as variables:
            if given.is_outside:
                return a2patch(*arguments, cwd=self.world.root / (given.folder or "here"), env=variables)
            return self._within_time(lambda: inside(*arguments), faults)

    @contextmanager
    def _surrounded(self, given: Input) -> Iterator[Mapping[str, str]]:
        """Set the variables and the current folder of an input for a while."""
        kept = dict(os.environ)
        for name, value in given.variables.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        tempfile.tempdir = None
        self._enter(given.folder)
        own, sys.executable = sys.executable, self._real if given.is_outside else sys.executable
        try:
            yield dict(os.environ)
        finally:
            sys.executable = own
            os.environ.clear()
            os.environ.update(kept)
            tempfile.tempdir = None
            os.chdir(self._here if self._here.is_dir() else self.world.root)

    def _enter(self, folder: str) -> None:
        place = self.world.root / folder if folder else self._temporary / "deleted"
        if not folder:
            place.mkdir()
        os.chdir(place if place.is_dir() else self.world.root)
        if not folder:
            place.rmdir()

    def _within_time(self, run: Callable[[], T], faults: list[str]) -> T | None:
        """Run something within its time."""

        def give_up(number: int, frame: FrameType | None) -> None:
            raise TooLongError("".join(traceback.format_stack(frame)[-6:]))

        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(SECONDS)
        try:
            with self._watch.listening():
                return run()
        except TooLongError as error:
            faults.append(f"no end within {SECONDS} s:\n{error}")
        except BaseException:
            faults.append(f"an exception came through:\n{traceback.format_exc()[-2000:]}")
        finally:
            signal.alarm(0)
        return None

    def _traces(self, given: Input) -> Iterator[str]:
        """Yield what was left behind that should not be, and what was run that should not be."""
        left = [place for place in self._temporary.iterdir() if not place.name.startswith("deleted")]
        if left:
            yield f"left in the folder for temporary files: {[place.name for place in left[:5]]}"
        for place in left:
            shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
        if self._watch.written:
            yield f"written elsewhere: {self._watch.written[:5]}"
        if self.world.canary.exists() and "--trust" not in given.command.options:
            yield "code of a checkpoint was run"
        started = [program for program in self._watch.started if Path(program).name != "git"]
        if not given.command.tries and (started or self.world.started.exists()):
            yield f"a Python was started: {started}"

    def _taken_back(self, given: Input, before: State, tree: str) -> list[str]:
        """Take a patch out again, and return what is not as it was."""
        if given.command.verb != "apply" or given.command.looks or not given.start.startswith("pristine"):
            return []
        faults: list[str] = []
        options = given.command.options
        place = options[options.index("--ultralytics-path") + 1]
        answer = self._answer(["revert", "--json", "--ultralytics-path", place], given, faults)
        if answer is None:
            return faults
        after = state(self.world.root)
        before = {path: entry for path, entry in before.items() if path != f"{tree}/.a2patch"}  # ours, if it is empty
        changed = [path for path in {*before, *after} if before.get(path) != after.get(path)]
        if answer.code or changed:
            return [f"revert {answer.code} leaves {sorted(changed)[:5]}\n{answer.out[-600:]}"]
        return []


def limit_probes(most: float) -> None:
    """Let every probe that this process starts have less time."""
    begin = process.ProbeProcess.__init__

    def hurried(
        self: process.ProbeProcess, command: list[str], home: Path, variables: Mapping[str, str], seconds: float
    ) -> None:
        begin(self, command, home, variables, min(seconds, most))

    process.ProbeProcess.__init__ = hurried  # type: ignore[method-assign]
    process._POLL_SECONDS = 0.005

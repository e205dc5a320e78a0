"""Try a package under its own interpreter, beside an untouched copy of it, and judge what came out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from a2patch.block import BASE
from a2patch.errors import A2PatchError
from a2patch.protocol import (
    Check,
    CheckpointSaved,
    CheckStarted,
    Event,
    ModelUnreadable,
    Role,
    VerifyRequest,
)
from a2patch.runner.judge import conclude, excused, judge, with_gpu, without_patch
from a2patch.runner.process import FREE_BYTES, ProbeRunner
from a2patch.runner.requirements import require_libraries, require_tools
from a2patch.runner.verdict import CHECKS, EXCUSABLE, QUICK, Verdict
from a2patch.transaction import files as disk
from a2patch.tree import copy_package, remove, scratch_folder

# The checks that a probe of its own makes, beside all others.
_TRAINED = ("checkpoint", "train")
# The roles whose probes try the package itself; the others try its untouched copy.
_ON_PACKAGE: Collection[Role] = ("patched", "trainer", "gpu")
# The checks that no request names: the runner makes `source`, and every probe makes `import`.
UNREQUESTED = ("source", "import")


@dataclass(frozen=True)
class Attempt:
    """What is tried.

    Attributes:
        package: The real path of the package folder.
        interpreter: The Python that the package belongs to.
        untouched: What the files that a patch changes were before it; None where that is not known.
        asked: Given the role of a probe, its package and the checks, returns what it is asked.
        base: The model that costs are compared with; empty if there is none.
        untriable: Returns the error to raise where a model can't be read; None where each is one that a patch brings.
        command: What patches another tree in the same way.
    """

    package: Path
    interpreter: Path
    untouched: Mapping[str, bytes | None] | None
    asked: Callable[[Role, Path, Sequence[str]], VerifyRequest]
    base: str
    untriable: Callable[[ModelUnreadable], A2PatchError] | None = None
    command: str = "a2patch apply"


def try_package(
    attempt: Attempt,
    notify: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    only: Collection[str],
    pointless: Mapping[str, str],
    source: Check | None,
    heard: Callable[[Check], None],
    timeout: float,
) -> Verdict:
    """Try a package, and judge it.

    Args:
        attempt: What is tried.
        notify: Told, in a few words, what is being tried.
        environ: The environment to derive the probe's from.
        only: The checks to make besides `import`.
        pointless: Why some of them can't be made, by name.
        source: The check `source`, if the caller has looked at the bytes of the package.
        heard: Told each check as it is made, before all is judged together.
        timeout: Seconds after which a probe that has not ended is taken for hung.

    Raises:
        ToolMissingError: The interpreter can't run, or lacks a library.
        ModelError: The model that is tried is none.
    """
    wanted = ["import", *(name for name in CHECKS if name in only and name not in (*UNREQUESTED, *pointless))]
    # YOLOv8n, trained and exported in two packages, is 107 MiB.
    needed = FREE_BYTES if set(wanted) <= set(QUICK) else 16 * FREE_BYTES
    with scratch_folder("verify", needed) as folder:
        progress = _Progress(wanted, notify, heard)
        runner = ProbeRunner(attempt.interpreter, folder, environ, progress.trying, timeout)
        copy = _UntouchedCopy(attempt.package, attempt.untouched or {}, folder / "copy" / attempt.package.name)

        handover = folder / "checkpoint.txt"

        def asked(role: Role, checks: Sequence[str] = wanted) -> VerifyRequest:
            made = attempt.asked(role, attempt.package if role in _ON_PACKAGE else copy.lay(), checks)
            costs = {"build", "train"} <= set(wanted) and role in ("patched", "untouched")
            awaited = str(handover) if role == "untouched" and "checkpoint" in checks else ""
            return replace(made, costs=costs, awaited=awaited)

        def hand_over(role: Role, event: Event | None) -> None:
            progress.listen(role, event)
            if role == "trainer" and (event is None or isinstance(event, CheckpointSaved)) and not handover.exists():
                disk.write_atomically(handover, (event.path if event else "").encode())

        # The requests come one at a time, so that the copy is laid out while the first probe starts.
        shares = _shares(wanted, known=attempt.untouched is not None)
        probes = runner.run((asked(role, checks) for role, checks in shares.items()), hand_over)
        patched, trainer, reference = probes["patched"], probes.get("trainer"), probes.get("untouched")
        for probe in filter(None, (patched, trainer)):
            require_tools(attempt.interpreter, probe)
        unreadable = patched.last(ModelUnreadable)
        if unreadable and attempt.untriable:
            raise attempt.untriable(unreadable)
        if attempt.untouched is not None and not reference and patched.failed("import"):  # was it broken before?
            reference = runner.run([asked("untouched", ["import", "base"])])["untouched"]
        checks = judge(patched, reference, wanted, pointless, attempt.base or BASE, trainer)
        if "gpu" in probes:
            checks["amp"] = with_gpu(checks["amp"], probes["gpu"])
        if reference:
            checks["checkpoint"] = without_patch(checks["checkpoint"], reference, attempt.command)
        doubtful = [name for name in EXCUSABLE if checks[name].result == "fail"]
        if doubtful:
            training = runner.run([asked("training", ["import", *doubtful])])["training"]
            checks = {name: excused(check, training, attempt.base or BASE) for name, check in checks.items()}
    require_libraries(attempt.interpreter, [probe for probe in (patched, trainer) if probe], checks)
    if source and "source" in only:
        checks["source"] = source
    return conclude(attempt.interpreter, checks.values(), patched, reference, attempt.base)


class _Progress:
    """Tells whoever waits how far the checks are."""

    def __init__(self, wanted: Sequence[str], notify: Callable[[str], None], heard: Callable[[Check], None]) -> None:
        self._wanted, self._notify, self._heard = wanted, notify, heard
        self._running: dict[tuple[Role, str], None] = {}
        self._begun: set[str] = set()
        self._made: set[str] = set()

    def listen(self, role: Role, event: Event | None) -> None:
        """Take what a probe says."""
        if isinstance(event, CheckStarted):
            self._running[role, event.name] = None
            if event.name not in self._begun:  # the untouched copy and the package make some of the same
                self._begun.add(event.name)
                self._notify(f"{min(len(self._made) + 1, len(self._wanted))}/{len(self._wanted)} {event.name}")
        elif isinstance(event, Check):
            self._running.pop((role, event.name), None)
            if role in _ON_PACKAGE and event.name in self._wanted and event.name not in self._made:
                self._made.add(event.name)
                self._heard(event)

    def trying(self, what: str) -> None:
        """Tell what is tried outside of checks, such as what a model costs."""
        if not self._running:
            self._notify(what)


@dataclass(frozen=True)
class _UntouchedCopy:
    """The package as it was before the patch, laid out when a probe first needs it.

    Attributes:
        package: The patched package.
        untouched: What the files that the patch changes were before it; None for a file that was not there.
        place: The folder of the copy.
    """

    package: Path
    untouched: Mapping[str, bytes | None]
    place: Path

    def lay(self) -> Path:
        """Lay out the copy unless it is there, and return its folder."""
        if self.place.exists():
            return self.place
        copy_package(self.package, self.place, ("*.pt",))
        for name, content in self.untouched.items():
            path = self.place.joinpath(*name.split("/"))
            remove(path)  # a read-only one could not be written over
            if content is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return self.place


def libraries(wanted: Collection[str]) -> tuple[str, ...]:
    """Return what a probe imports before the package; few checks need torchvision, which takes as long as torch."""
    return ("torch",) if {"train", "export", "ddp"}.isdisjoint(wanted) else ("torch", "torchvision")


def _shares(wanted: Sequence[str], *, known: bool) -> dict[Role, list[str]]:
    """Return the probes that run side by side, by their roles, and the checks that each is to make.

    Args:
        wanted: The checks to make.
        known: Whether it is known how the package was before the patch.
    """
    trained = [name for name in wanted if name in _TRAINED]
    shares: dict[Role, list[str]] = {"patched": [name for name in wanted if name not in trained]}
    if trained:
        shares["trainer"] = [name for name in wanted if name in ("import", "finite", *trained)]
    elsewhere = [name for name in wanted if name == "base" or (name == "checkpoint" and known)]
    if elsewhere:
        shares["untouched"] = ["import", *elsewhere]
    if "amp" in wanted:
        shares["gpu"] = ["import", "amp"]
    return shares

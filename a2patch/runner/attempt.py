"""Try a package under its own interpreter, beside an untouched copy of it, and judge what came out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from a2patch.block import BASE
from a2patch.errors import A2PatchError, AccessError
from a2patch.protocol import (
    Check,
    CheckpointSaved,
    Event,
    LoadRequest,
    ModelUnreadable,
    Request,
    Role,
    VerifyRequest,
)
from a2patch.runner.judge import conclude, excused, judge, with_gpu, without_patch
from a2patch.runner.process import ROOM, THREADS, ProbeRunner
from a2patch.runner.requirements import require_libraries, require_tools
from a2patch.runner.verdict import CHECKS, EXCUSABLE, QUICK, Verdict
from a2patch.tree import scratch_folder

# The roles of the probes that run beside that of the patched package, and the check that wants each.
BESIDE: Mapping[Role, str] = {"untouched": "base", "gpu": "amp"}
# The roles whose probes try the package itself; the others try its untouched copy.
_ON_PACKAGE: Collection[Role] = ("patched", "gpu")
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
    """

    package: Path
    interpreter: Path
    untouched: Mapping[str, bytes | None] | None
    asked: Callable[[Role, Path, Sequence[str]], VerifyRequest]
    base: str
    untriable: Callable[[ModelUnreadable], A2PatchError] | None = None


def try_package(
    attempt: Attempt,
    notify: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    only: Collection[str],
    pointless: Mapping[str, str],
    source: Check | None,
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
        timeout: Seconds after which a probe that has not ended is taken for hung.

    Raises:
        ToolMissingError: The interpreter can't run, or lacks a library.
        ModelError: The model that is tried is none.
    """
    wanted = ["import", *(name for name in CHECKS if name in only and name not in (*UNREQUESTED, *pointless))]
    room = ROOM if set(wanted) <= set(QUICK) else 16 * ROOM  # yolov8n, trained and exported in two packages, is 107 MiB
    with scratch_folder("verify", room) as folder:
        runner = ProbeRunner(attempt.interpreter, folder, environ, notify, timeout)
        copy = _UntouchedCopy(attempt.package, attempt.untouched or {}, folder / "copy" / attempt.package.name)

        def asked(role: Role, checks: Sequence[str] = wanted) -> VerifyRequest:
            return attempt.asked(role, attempt.package if role in _ON_PACKAGE else copy.lay(), checks)

        loaded: list[str] = []

        def load_without_patch(event: Event) -> Request | None:
            if attempt.untouched is None or not isinstance(event, CheckpointSaved) or loaded:
                return None  # that of one model tells of all
            loaded.append(event.path)
            return _load_request(copy.lay(), event.path, asked("patched").classes)

        roles: list[Role] = ["patched", *(role for role, check in BESIDE.items() if check in wanted)]
        # The requests come one at a time, so that the copy is laid out while the first probe starts.
        probes = runner.run(map(asked, roles), load_without_patch)
        patched, reference = probes["patched"], probes.get("untouched")
        require_tools(attempt.interpreter, patched)
        unreadable = patched.last(ModelUnreadable)
        if unreadable and attempt.untriable:
            raise attempt.untriable(unreadable)
        if attempt.untouched is not None and not reference and patched.failed("import"):  # was it broken before?
            reference = runner.run([asked("untouched")])["untouched"]
        checks = judge(patched, reference, wanted, pointless, attempt.base or BASE)
        if "gpu" in probes:
            checks["amp"] = with_gpu(checks["amp"], probes["gpu"])
        if "unpatched" in probes:
            checks["checkpoint"] = without_patch(checks["checkpoint"], probes["unpatched"])
        doubtful = [name for name in EXCUSABLE if patched.failed(name)]
        if doubtful:
            training = runner.run([asked("training", ["import", *doubtful])])["training"]
            checks = {name: excused(check, training, attempt.base or BASE) for name, check in checks.items()}
    require_libraries(attempt.interpreter, patched, checks)
    if source and "source" in only:
        checks["source"] = source
    return conclude(attempt.interpreter, checks.values(), patched, reference, attempt.base)


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
        try:
            shutil.copytree(self.package, self.place, ignore=_left_out)
        except shutil.Error as error:  # it collects what went wrong
            source, _, reason = error.args[0][0]
            raise AccessError(
                "the package can't be copied, to be tried without the patch",
                path=Path(source),
                found=str(reason),
                remedy="Look at the owner and mode of the file, and the room for temporary files.",
            ) from error
        for name, content in self.untouched.items():
            path = self.place.joinpath(*name.split("/"))
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return self.place


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return what is not copied of a folder: what is no part of a package, and links that lead nowhere or back."""
    left_out = shutil.ignore_patterns("__pycache__", ".a2patch", ".git", "*.pt")(folder, names)
    here = Path(os.path.realpath(folder))
    for place in (Path(folder, name) for name in names):
        real = Path(os.path.realpath(place))
        if not (real.is_file() or real.is_dir()) or real in (here, *here.parents):  # a pipe would make us wait forever
            left_out.add(place.name)
    return left_out


def _load_request(package: Path, checkpoint: str, classes: tuple[str, ...]) -> LoadRequest:
    """Return what a probe is asked that loads a checkpoint in a package."""
    return LoadRequest(
        role="unpatched",
        package=str(package),
        libraries=("torch",),
        parts=("nn.tasks",),
        checks=("import", "checkpoint"),
        classes=classes,
        threads=THREADS,
        checkpoint=checkpoint,
    )

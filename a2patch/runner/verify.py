"""Try a patched package under its own interpreter, beside an untouched copy of it, and judge what came out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from a2patch.block import ADDED, BASE, CLASSES, MODEL, MODULE, TUTORIAL
from a2patch.errors import AccessError, ModelError
from a2patch.protocol import (
    AddedModules,
    Check,
    CheckpointSaved,
    Event,
    LoadRequest,
    ModelSpec,
    ModelUnreadable,
    Request,
    Role,
    VerifyRequest,
)
from a2patch.runner.judge import conclude, excused, judge, with_gpu, without_patch
from a2patch.runner.process import ROOM, THREADS, ProbeRunner
from a2patch.runner.requirements import require_libraries, require_tools
from a2patch.runner.verdict import CHECKS, DEFAULT, EXCUSABLE, QUICK, SCALES, Verdict
from a2patch.tree import scratch_folder

# The models that the patch adds.
_ADDED = (
    ModelSpec(TUTORIAL, BASE, tutorial=True),
    ModelSpec(MODEL, BASE),
)
# The roles of the probes that run beside that of the patched package, and the check that wants each.
_BESIDE: Mapping[Role, str] = {"untouched": "base", "gpu": "amp"}
# The roles whose probes try the package itself; the others try its untouched copy.
_ON_PACKAGE: Collection[Role] = ("patched", "gpu")
# The checks that no request names: the runner makes `source`, and every probe makes `import`.
_UNREQUESTED = ("source", "import")


@dataclass(frozen=True)
class Subject:
    """A model of the user's own.

    Attributes:
        file: A model YAML or a checkpoint.
        base: The stock model file that it is made from; empty for the closest.
        scale: The scale letter to try; empty for what its name says.
        trust: Whether the file may run any code.
    """

    file: Path
    base: str = ""
    scale: str = ""
    trust: bool = False


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
        source: The check `source`, if the caller has looked at the bytes of the package.
        subject: The model to try; without one, those that the patch adds.
        timeout: Seconds after which a probe that has not ended is taken for hung.

    Returns:
        The verdict, with one check for each name in `CHECKS`.

    Raises:
        ToolMissingError: If the interpreter can't run, or lacks torch or a library that the release needs, so that the
            package can't be tried at all.
        ModelError: If the subject can't be read, or is no model.
    """
    pointless = _pointless(only, untouched, subject)
    wanted = ["import", *(name for name in CHECKS if name in only and name not in (*_UNREQUESTED, *pointless))]
    room = ROOM if set(wanted) <= set(QUICK) else 16 * ROOM  # yolov8n, trained and exported in two packages, is 107 MiB
    with scratch_folder("verify", room) as folder:
        runner = ProbeRunner(interpreter, folder, environ, notify, timeout)
        copy = _UntouchedCopy(package, untouched or {}, folder / "copy" / package.name)

        def asked(role: Role, checks: Sequence[str] = wanted) -> VerifyRequest:
            return request(role, package if role in _ON_PACKAGE else copy.lay(), checks, subject)

        def load_without_patch(event: Event) -> Request | None:
            if untouched is None or not isinstance(event, CheckpointSaved):
                return None
            return _load_request(copy.lay(), event.path)

        roles: list[Role] = ["patched", *(role for role, check in _BESIDE.items() if check in wanted)]
        # The requests come one at a time, so that the copy is laid out while the first probe starts.
        probes = runner.run(map(asked, roles), load_without_patch)
        patched, reference = probes["patched"], probes.get("untouched")
        require_tools(interpreter, patched)
        unreadable = patched.last(ModelUnreadable)
        if subject and unreadable:
            raise _untriable(subject, unreadable)
        if untouched is not None and not reference and patched.failed("import"):  # was it broken before?
            reference = runner.run([asked("untouched")])["untouched"]
        checks = judge(patched, reference, wanted, pointless)
        if "gpu" in probes:
            checks["amp"] = with_gpu(checks["amp"], probes["gpu"])
        if "unpatched" in probes:
            checks["checkpoint"] = without_patch(checks["checkpoint"], probes["unpatched"])
        doubtful = [name for name in EXCUSABLE if patched.failed(name)]
        if doubtful:
            training = runner.run([asked("training", ["import", *doubtful])])["training"]
            checks = {name: excused(check, training) for name, check in checks.items()}
    require_libraries(interpreter, patched, checks)
    if source and "source" in only:
        checks["source"] = source
    return conclude(interpreter, checks.values(), patched, reference, subject.base if subject else BASE)


def request(role: Role, package: Path, wanted: Sequence[str], subject: Subject | None) -> VerifyRequest:
    """Return what a probe is asked to do with models.

    Args:
        role: What the probe is to do; `training` does it with a stock model, whatever the subject.
        package: The package to try.
        wanted: The checks to make.
        subject: The model to try; without one, those that the patch adds.
    """
    models: tuple[ModelSpec, ...] = _ADDED
    if role == "training":
        models = (ModelSpec(BASE, BASE),)
    elif subject:
        models = (ModelSpec(str(subject.file), subject.base, subject.scale, user=True, trust=subject.trust),)
    # torchvision takes longer to import than torch itself, and these roles and checks do without images.
    without_images = role in _BESIDE or set(wanted) <= set(QUICK)
    folder = "nn.modules" if package.joinpath("nn", "modules").is_dir() else "nn"  # one file before 8.0.98
    return VerifyRequest(
        role=role,
        package=str(package),
        libraries=("torch",) if without_images else ("torch", "torchvision"),
        parts=("nn.tasks",) if subject and role != "training" else ("nn.tasks", "nn.modules"),
        checks=tuple(wanted),
        classes=CLASSES,
        threads=THREADS,
        models=models,
        costs="train" in wanted and "build" in wanted,
        base=BASE,
        scales=SCALES,
        trained=MODEL,
        modules=AddedModules(defined=f"{folder}.{MODULE}", exported="nn.modules", parsed="nn.tasks"),
        block=ADDED,
    )


def _load_request(package: Path, checkpoint: str) -> LoadRequest:
    """Return what a probe is asked that loads a checkpoint in a package."""
    return LoadRequest(
        role="unpatched",
        package=str(package),
        libraries=("torch",),
        parts=("nn.tasks",),
        checks=("import", "checkpoint"),
        classes=CLASSES,
        threads=THREADS,
        checkpoint=checkpoint,
    )


def _untriable(subject: Subject, unreadable: ModelUnreadable) -> ModelError:
    """Return the error of a model that can't be read."""
    why = unreadable.error
    remedy = "Name a model YAML, or a checkpoint that this tree can load; --base and --scale must fit it."
    remedy = unreadable.remedy or remedy
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

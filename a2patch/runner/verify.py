"""Try a patched package under its own interpreter, beside an untouched copy of it, and judge what came out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from a2patch.block import BASE, CLASSES, MODEL, MODULE, TUTORIAL
from a2patch.errors import ModelError
from a2patch.protocol import (
    AddedModules,
    Check,
    CheckpointSaved,
    CheckStarted,
    Event,
    ModelSpec,
    ModelUnreadable,
    Role,
    VerifyRequest,
)
from a2patch.runner.judge import conclude, excused, judge, with_gpu, without_patch
from a2patch.runner.process import ROOM, THREADS, ProbeRunner
from a2patch.runner.requirements import require_libraries, require_tools
from a2patch.runner.verdict import CHECKS, DEFAULT, EXCUSABLE, QUICK, SCALES, Verdict
from a2patch.transaction import files as disk
from a2patch.tree import copy_package, scratch_folder

# The models that the patch adds.
_ADDED = (
    ModelSpec(TUTORIAL, BASE, tutorial=True),
    ModelSpec(MODEL, BASE),
)
# The checks that a probe of its own makes, beside all others.
_TRAINED = ("checkpoint", "train")
# The roles whose probes try the package itself; the others try its untouched copy.
_ON_PACKAGE: Collection[Role] = ("patched", "trainer", "gpu")
# The checks that no request names: the runner makes `source`, and every probe makes `import`.
_UNREQUESTED = ("source", "import")


@dataclass(frozen=True)
class Subject:
    """A model of the user's own.

    Attributes:
        file: A model YAML or a checkpoint.
        base: The model file that it is made from, of the tree or its user's own; None for the closest stock one.
        scale: The scale letter to try; empty for what its name says.
        trust: Whether the file may run any code.
    """

    file: Path
    base: Path | None = None
    scale: str = ""
    trust: bool = False


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
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return self.place


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
    heard: Callable[[Check], None] = lambda check: None,
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
        heard: Told each check as it is made, before all is judged together.
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
        progress = _Progress(wanted, notify, heard)
        runner = ProbeRunner(interpreter, folder, environ, progress.trying, timeout)
        copy = _UntouchedCopy(package, untouched or {}, folder / "copy" / package.name)
        handover = folder / "checkpoint.txt"

        def asked(role: Role, checks: Sequence[str] = wanted) -> VerifyRequest:
            made = request(role, package if role in _ON_PACKAGE else copy.lay(), checks, subject)
            whole = {"build", "train"} <= set(wanted) and role != "trainer"
            awaited = str(handover) if role == "untouched" and "checkpoint" in checks else ""
            return replace(made, costs=whole and not (subject and role == "untouched"), awaited=awaited)

        def hand_over(role: Role, event: Event | None) -> None:
            progress.listen(role, event)
            if role == "trainer" and (event is None or isinstance(event, CheckpointSaved)) and not handover.exists():
                disk.write_atomically(handover, (event.path if event else "").encode())

        # The requests come one at a time, so that the copy is laid out while the first probe starts.
        shares = _shares(wanted, known=untouched is not None)
        probes = runner.run((asked(role, checks) for role, checks in shares.items()), hand_over)
        patched, trainer, reference = probes["patched"], probes.get("trainer"), probes.get("untouched")
        for probe in filter(None, (patched, trainer)):
            require_tools(interpreter, probe)
        unreadable = patched.last(ModelUnreadable)
        if subject and unreadable:
            raise _untriable(subject, unreadable)
        if untouched is not None and not reference and patched.failed("import"):  # was it broken before?
            reference = runner.run([asked("untouched", ["import", "base"])])["untouched"]
        checks = judge(patched, reference, wanted, pointless, trainer)
        if "gpu" in probes:
            checks["amp"] = with_gpu(checks["amp"], probes["gpu"])
        if reference:
            checks["checkpoint"] = without_patch(checks["checkpoint"], reference)
        doubtful = [name for name in EXCUSABLE if checks[name].result == "fail"]
        if doubtful:
            training = runner.run([asked("training", ["import", *doubtful])])["training"]
            checks = {name: excused(check, training) for name, check in checks.items()}
    base = BASE if subject is None else subject.base.name if subject.base else ""
    require_libraries(interpreter, [probe for probe in (patched, trainer) if probe], checks)
    if source and "source" in only:
        checks["source"] = source
    return conclude(interpreter, checks.values(), patched, reference, base)


def request(role: Role, package: Path, wanted: Sequence[str], subject: Subject | None) -> VerifyRequest:
    """Return what a probe is asked to do with models.

    Args:
        role: What the probe is to do; `training` does it with a stock model, whatever the subject.
        package: The package to try.
        wanted: The checks to make.
        subject: The model to try; without one, those that the patch adds.
    """
    models: tuple[ModelSpec, ...] = _ADDED
    if role == "untouched":
        models = ()
    elif role == "training":
        models = (ModelSpec(BASE, BASE),)
    elif subject:
        of_tree = subject.base is None or subject.base.is_relative_to(package)
        base = "" if subject.base is None else subject.base.name if of_tree else str(subject.base)
        models = (
            ModelSpec(str(subject.file), base, subject.scale, user=True, user_base=not of_tree, trust=subject.trust),
        )
    # torchvision takes as long to import as torch itself, and the other checks do without images.
    with_images = not {"train", "export", "ddp"}.isdisjoint(wanted)
    folder = "nn.modules" if package.joinpath("nn", "modules").is_dir() else "nn"  # one file before 8.0.98
    return VerifyRequest(
        role=role,
        package=str(package),
        libraries=("torch", "torchvision") if with_images else ("torch",),
        parts=("nn.tasks",) if subject and role != "training" else ("nn.tasks", "nn.modules"),
        checks=tuple(wanted),
        classes=CLASSES,
        threads=THREADS,
        models=models,
        costs=False,
        base=BASE,
        scales=SCALES,
        trained=MODEL,
        modules=AddedModules(defined=f"{folder}.{MODULE}", exported="nn.modules", parsed="nn.tasks"),
        awaited="",
    )


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


def _untriable(subject: Subject, unreadable: ModelUnreadable) -> ModelError:
    """Return the error of a model that can't be read."""
    why = unreadable.error
    remedy = "Name a model YAML, or a checkpoint that this tree can load; --base and --scale must fit it."
    remedy = unreadable.remedy or remedy
    if MODULE in why:  # as the module is called that an unpatched tree does not have
        remedy = "It has layers of ours, and the tree is not patched: run `a2patch apply` first."
    return ModelError("the model can't be tried", path=subject.file, found=why, remedy=remedy)


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

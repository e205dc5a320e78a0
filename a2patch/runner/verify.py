"""Try a patched package under its own interpreter, beside an untouched copy of it, and judge what came out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from a2patch.block import ADDED, BASE, CLASSES, LATER, MODEL, MODULE, TUTORIAL, bringing, commands
from a2patch.errors import ModelError
from a2patch.protocol import (
    AddedModules,
    Check,
    ModelSpec,
    ModelUnreadable,
    Role,
    VerifyRequest,
)
from a2patch.runner.attempt import Attempt, libraries, try_package
from a2patch.runner.process import THREADS
from a2patch.runner.verdict import DEFAULT, SCALES, Verdict

# The models that the patch adds.
_ADDED = (
    ModelSpec(TUTORIAL, BASE, tutorial=True),
    ModelSpec(MODEL, BASE),
)


@dataclass(frozen=True)
class Subject:
    """A model of the user's own.

    Attributes:
        file: A model YAML or a checkpoint.
        base: The model file that it is made from, of the tree or its user's own; None for the closest stock one.
        scale: The scale letter to try; empty for what its name says.
        trust: Whether the file may run any code.
        classes: The classes of the blocks that the tree has.
    """

    file: Path
    base: Path | None = None
    scale: str = ""
    trust: bool = False
    classes: tuple[str, ...] = CLASSES


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

    def asked(role: Role, place: Path, checks: Sequence[str]) -> VerifyRequest:
        return request(role, place, checks, subject)

    def untriable(unreadable: ModelUnreadable) -> ModelError:
        return _untriable(subject.file if subject else package, unreadable)

    base = BASE if subject is None else subject.base.name if subject.base else ""
    attempt = Attempt(package, interpreter, untouched, asked, base, untriable if subject else None)
    pointless = _pointless(only, untouched, subject)
    return try_package(
        attempt, notify, environ, only=only, pointless=pointless, source=source, heard=heard, timeout=timeout
    )


def request(role: Role, package: Path, wanted: Sequence[str], subject: Subject | None) -> VerifyRequest:
    """Return what a probe is asked to do with models.

    Args:
        role: What the probe is to do; `training` does it with a stock model, whatever the subject.
        package: The package to try.
        wanted: The checks to make.
        subject: The model to try; without one, those that the patch adds.
    """
    families = [model for model in LATER if package.joinpath(model.base).is_file()]
    later = tuple(ModelSpec(model.name, model.base_name, brief=True) for model in families)
    models = (*_ADDED, *later)
    if role == "untouched":
        models = later
    elif role == "training":
        models = (ModelSpec(BASE, BASE),)
    elif subject:
        of_tree = subject.base is None or subject.base.is_relative_to(package)
        base = "" if subject.base is None else subject.base.name if of_tree else str(subject.base)
        models = (
            ModelSpec(str(subject.file), base, subject.scale, user=True, user_base=not of_tree, trust=subject.trust),
        )
    folder = "nn.modules" if package.joinpath("nn", "modules").is_dir() else "nn"  # one file before 8.0.98
    return VerifyRequest(
        role=role,
        package=str(package),
        libraries=libraries(wanted),
        parts=("nn.tasks",) if subject and role != "training" else ("nn.tasks", "nn.modules"),
        checks=tuple(wanted),
        classes=subject.classes if subject else CLASSES,
        threads=THREADS,
        models=models,
        costs=False,
        base=BASE,
        scales=SCALES,
        trained=MODEL,
        modules=AddedModules(f"{folder}.{MODULE}", "nn.modules", "nn.tasks", CLASSES),
        awaited="",
        block=ADDED,
        commands=tuple(commands().items()) if subject else (),
    )


def _untriable(file: Path, unreadable: ModelUnreadable) -> ModelError:
    """Return the error of a model that can't be read."""
    remedy = unreadable.remedy
    if needed := bringing(unreadable.lacking):
        remedy = f"It has layers that the tree does not know: run {needed} first."
    remedy = remedy or "Name a model YAML, or a checkpoint that this tree can load; --base and --scale must fit it."
    return ModelError("the model can't be tried", path=file, found=unreadable.error, remedy=remedy)


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

"""Carry the weights of a checkpoint into a model that has its blocks elsewhere, proved before it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from a2patch.block import CLASSES, bringing
from a2patch.errors import NotPatchedError, TransplantError
from a2patch.protocol import Transplant, TransplantMade, TransplantRefused, TransplantRequest
from a2patch.runner.process import FREE_BYTES, THREADS, ProbeRunner
from a2patch.runner.requirements import require_libraries, require_tools
from a2patch.runner.result import ProbeResult
from a2patch.transaction import files
from a2patch.tree import scratch_folder

_TIMEOUT = 900.0


@dataclass(frozen=True)
class Job:
    """What is to be transplanted, and how.

    Attributes:
        checkpoint: The file that the weights come from.
        model: The model that they go into: a path, or a name that the tree resolves.
        scale: The scale of the model; empty for the checkpoint's.
        base: The model that a bare state dict is of; empty for a checkpoint that holds a whole model.
        trust: Whether the checkpoint may be loaded without restriction.
        inexact: Whether the result may have another output where a layer of the block is not the identity.
        classes: The classes of the blocks that the tree has.
    """

    checkpoint: Path
    model: str
    scale: str = ""
    base: str = ""
    trust: bool = False
    inexact: bool = False
    classes: tuple[str, ...] = CLASSES


def transplant(
    package: Path, interpreter: Path, job: Job, target: Path, notify: Callable[[str], None], environ: Mapping[str, str]
) -> tuple[Transplant, bool]:
    """Transplant a checkpoint, and write the result if it is proved.

    Args:
        package: The real path of the package folder.
        interpreter: The Python that the package belongs to.
        job: What goes where.
        target: Where the result goes; whatever is there is replaced.
        notify: Told, in a few words, what is being done.
        environ: The environment to derive the probe's from.

    Returns:
        What came out, and whether it was written.

    Raises:
        TransplantError: The checkpoint can't go into the model, or the release is too old to tell.
        NotPatchedError: The tree lacks the layers that either has.
        ToolMissingError: The interpreter can't run, or lacks torch or a library that the release needs.
        AccessError: The result can't be written.
    """
    if not package.joinpath("utils").is_dir():
        raise TransplantError(
            "releases before 8.0.136 can't transplant",
            path=package,
            remedy="A newer one loads their checkpoints: name it with --ultralytics-path.",
        )
    with scratch_folder("transplant", FREE_BYTES) as folder:
        runner = ProbeRunner(interpreter, folder, environ, notify, _TIMEOUT)
        probe = runner.run([transplant_request(package, job)])["transplant"]
        require_tools(interpreter, probe)
        require_libraries(interpreter, [probe], probe.checks)
        made = _made(probe, job, package)
        result = made.transplant
        written = result.exact or (job.inexact and result.exact_without)
        if written:
            with files.explained(target, "Nothing was replaced."):
                files.write_atomically(target, Path(made.file).read_bytes())
        return result, written


def transplant_request(package: Path, job: Job) -> TransplantRequest:
    """Return what the probe is asked to do.

    Args:
        package: The real path of the package folder.
        job: What goes where.
    """
    return TransplantRequest(
        role="transplant",
        package=str(package),
        libraries=("torch", "torchvision"),
        parts=("nn.tasks",),
        checks=("import",),
        classes=job.classes,
        threads=THREADS,
        checkpoint=str(job.checkpoint),
        model=job.model,
        scale=job.scale,
        base=job.base,
        trust=job.trust,
    )


def _made(probe: ProbeResult, job: Job, package: Path) -> TransplantMade:
    """Return what the probe made.

    Raises:
        NotPatchedError: The tree lacks layers that the checkpoint or the model has.
        TransplantError: The checkpoint can't go into the model, or the probe failed.
    """
    made, refused = probe.last(TransplantMade), probe.last(TransplantRefused)
    if made:
        return made
    if refused and (commands := bringing(refused.lacking)):
        raise NotPatchedError(
            f"the checkpoint {refused.message}",
            path=package,
            found=refused.found,
            remedy=f"Patch it with {commands}.",
        )
    if refused:
        raise TransplantError(
            f"the checkpoint {refused.message}", path=job.checkpoint, found=refused.found, remedy=refused.remedy
        )
    check = probe.checks.get("import")
    raise TransplantError(
        "the transplant failed",
        path=job.checkpoint,
        found=check.meaning if check and check.result == "fail" else probe.ending,
        remedy="`a2patch verify` tells whether the tree works.",
    )

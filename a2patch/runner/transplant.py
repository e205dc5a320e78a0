"""Carry the weights of a checkpoint into a model that has double attention elsewhere, proved before it is written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2patch.block import CLASSES
from a2patch.errors import NotPatchedError, TransplantError
from a2patch.runner.process import Probe, Room
from a2patch.runner.requirements import require_libraries, require_tools
from a2patch.transaction import files

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
        inexact: Whether the result may have another output where ours is not the identity.
    """

    checkpoint: Path
    model: str
    scale: str = ""
    base: str = ""
    trust: bool = False
    inexact: bool = False


@dataclass(frozen=True)
class Sameness:
    """What the base and the new model make of one input.

    Attributes:
        input: What it is.
        values: How many numbers the base puts out.
        same: Whether the new model puts out the same, bit for bit.
        difference: The greatest difference; None where the outputs have other shapes or are not finite.
    """

    input: str
    values: int
    same: bool
    difference: float | None


@dataclass(frozen=True)
class Ours:
    """A layer of ours in the new model.

    Attributes:
        index: Its place.
        kind: Its class.
        gate: Its greatest gain or bias, 0 where it is the identity; None for a kind that never is.
    """

    index: int
    kind: str
    gate: float | None


@dataclass(frozen=True)
class Transplant:
    """What came out of a transplant.

    Attributes:
        model: The model that the weights went into.
        scale: Its scale; empty where it has none.
        scale_by: By what that was chosen.
        weights: What was taken of the checkpoint: `ema`, `model` or `state dict`.
        dtype: The type that weights are stored in, before and after.
        task: What the model is for.
        classes: How many classes it has.
        ours: The layers of ours in the new model.
        new: Those of them that come from nowhere.
        moved: Layers of ours that stand behind another layer now, each with its old place and its new one.
        out: Layers of ours that were left out, each with its old place and its gate.
        tensors: How many tensors the base has.
        carried: How many of them stand in the result, bit for bit.
        left: The others, each with the reason.
        by_name: How many ultralytics would have kept by their names.
        by_name_right: How many of those in the layer that they belong to.
        dropped: What else the checkpoint held and the result does not.
        otherwise: The layers that this release builds otherwise than the one that saved the checkpoint.
        proof: What both models make of some inputs.
        without: The same with ours left out of both; made only where the outputs differ.
    """

    model: str
    scale: str
    scale_by: str
    weights: str
    dtype: str
    task: str
    classes: int
    ours: tuple[Ours, ...]
    new: tuple[int, ...]
    moved: tuple[tuple[int, int], ...]
    out: tuple[tuple[int, float | None], ...]
    tensors: int
    carried: int
    left: tuple[tuple[str, str], ...]
    by_name: int
    by_name_right: int
    dropped: tuple[str, ...]
    otherwise: tuple[str, ...]
    proof: tuple[Sameness, ...]
    without: tuple[Sameness, ...]

    @property
    def exact(self) -> bool:
        """Whether the new model's output is the base's, bit for bit."""
        return all(each.same for each in self.proof)

    @property
    def exact_without(self) -> bool:
        """Whether it is so at least with ours left out of both models."""
        return self.exact or (bool(self.without) and all(each.same for each in self.without))


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
    with tempfile.TemporaryDirectory(prefix="a2patch-transplant-", ignore_cleanup_errors=True) as folder:
        room = Room(interpreter, Path(os.path.realpath(folder)), environ, notify, _TIMEOUT)
        (probe,) = room.run(_request(package, job))
        require_tools(interpreter, probe)
        require_libraries(interpreter, probe, probe.checks)
        _refuse(probe, job, package)
        made = Path(probe.answer.pop("file"))
        result = _read(probe.answer)
        written = result.exact or (job.inexact and result.exact_without)
        if written:
            with files.explained(target, "Nothing was replaced."):
                files.write_atomically(target, made.read_bytes())
        return result, written


def _request(package: Path, job: Job) -> dict[str, Any]:
    return {
        "role": "transplant",
        "package": str(package),
        "threads": max(1, (os.cpu_count() or 2) // 2),
        "parts": ["nn.tasks"],
        "checks": ["import"],
        "libraries": ["torch", "torchvision"],
        "classes": CLASSES,
        "checkpoint": str(job.checkpoint),
        "model": job.model,
        "scale": job.scale,
        "base": job.base,
        "trust": job.trust,
    }


def _refuse(probe: Probe, job: Job, package: Path) -> None:
    """Raise what stands in the way of a transplant."""
    told = probe.declined
    if told.pop("unpatched", False):
        raise NotPatchedError(
            f"the checkpoint {told['message']}",
            path=package,
            found=told["found"],
            remedy="Patch it with `a2patch apply`.",
        )
    if told:
        raise TransplantError(
            f"the checkpoint {told['message']}", path=job.checkpoint, found=told["found"], remedy=told["remedy"]
        )
    if not probe.answer:
        check = probe.checks.get("import")
        raise TransplantError(
            "the transplant failed",
            path=job.checkpoint,
            found=check.meaning if check and check.result == "fail" else probe.end(),
            remedy="`a2patch verify` tells whether the tree works.",
        )


def _read(answer: dict[str, Any]) -> Transplant:
    """Return what the probe answered."""
    for name in ("proof", "without"):
        answer[name] = tuple(Sameness(**each) for each in answer[name])
    answer["ours"] = tuple(Ours(*each) for each in answer["ours"])
    fields: dict[str, Any] = {k: _frozen(v) if isinstance(v, list) else v for k, v in answer.items()}
    return Transplant(**fields)


def _frozen(items: list[Any]) -> tuple[Any, ...]:
    return tuple(tuple(item) if isinstance(item, list) else item for item in items)

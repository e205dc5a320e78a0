"""The plan of a comparison: which models, how many seeds, and what all trainings have in common.

Pure. A plan only grows: a command may add models and seeds to it, and must agree with it in all else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from a2patch.errors import A2PatchError
from a2patch.protocol import DataFound, ModelPrepared, ModelSource

SCHEMA = 1
CONTROL = "control"


class DifferentError(A2PatchError):
    """A command asks for a comparison that the one in its folder can't go on as."""

    exit_code = 2


class CompareError(A2PatchError):
    """What a command asks to compare can't be compared."""

    exit_code = 2


@dataclass(frozen=True)
class Run:
    """One training: a model and a seed."""

    label: str
    seed: int

    def __str__(self) -> str:
        """Return it as it is told."""
        return f"{self.label}, seed {self.seed}"


@dataclass(frozen=True)
class Compared:
    """A model of a comparison.

    Attributes:
        source: The model as its user named it.
        digest: Of its file when it was first compared; of the control, that of the base and of the model it is like.
        prepared: What it is; None until it was made ready.
    """

    source: ModelSource
    digest: str
    prepared: ModelPrepared | None = None

    @property
    def label(self) -> str:
        """What it is called."""
        return self.source.label


@dataclass(frozen=True)
class Plan:
    """A comparison as it is to be.

    Attributes:
        settings: What all trainings have in common, by name; values are what JSON can say.
        arguments: What is passed to every training besides.
        threads: How many threads each training uses on the CPU, since figures depend on it.
        seeds: How many trainings there are of each model; seeds count from 0.
        models: The models; the first is the base.
        data: What the data are; None until somebody looked.
        command: The command that planned it last.
    """

    settings: Mapping[str, Any]
    arguments: Mapping[str, Any]
    threads: int
    seeds: int
    models: tuple[Compared, ...]
    data: DataFound | None = None
    command: tuple[str, ...] = ()

    @property
    def epochs(self) -> int:
        """How many epochs each training has."""
        return int(self.settings["epochs"])

    @property
    def base(self) -> Compared:
        """The model that the others are compared with."""
        return self.models[0]

    def runs(self) -> list[Run]:
        """Return all trainings, each seed of all models before the next, so that an early end compares whole seeds."""
        return [Run(model.label, seed) for seed in range(self.seeds) for model in self.models]

    def model(self, label: str) -> Compared:
        """Return a model by what it is called."""
        return next(model for model in self.models if model.label == label)

    def unprepared(self) -> list[Compared]:
        """Return the models that were not made ready yet."""
        return [model for model in self.models if model.prepared is None]

    def with_prepared(self, prepared: Sequence[ModelPrepared]) -> Plan:
        """Return the plan with some models made ready."""
        by_label = {each.label: each for each in prepared}
        models = tuple(replace(m, prepared=by_label.get(m.label, m.prepared)) for m in self.models)
        return replace(self, models=models)


def merged(old: Plan, asked: Plan, folder: Path) -> Plan:
    """Return what a folder holds, grown by what a command asks for.

    Args:
        old: What the folder holds.
        asked: What the command asks for.
        folder: The folder.

    Raises:
        DifferentError: They differ in more than models and seeds.
    """
    before = {name: old.settings.get(name) for name in asked.settings}  # the others only a probe can tell
    refuse_differing({**before, **_spelled(old)}, {**asked.settings, **_spelled(asked)}, folder)
    models = list(old.models)
    for model in asked.models:
        there = next((each for each in models if _key(each) == _key(model)), None)
        if there is None:
            label = _unused(model.label, [each.label for each in models])
            models.append(replace(model, source=replace(model.source, label=label)))
        elif there.source.like != model.source.like:
            raise DifferentError(
                "the control in this folder has the plain parameters of another model",
                path=Path(there.source.like),
                found=model.source.like,
                remedy="Name that model first, or compare in a new folder.",
            )
        elif there.digest != model.digest:
            raise DifferentError(
                f"the file of {there.label} is not what it was when its first training began",
                path=Path(model.source.path),
                remedy="Give the changed one another name, which adds it beside the old; or compare in a new folder.",
            )
    return replace(old, seeds=max(old.seeds, asked.seeds), models=tuple(models), command=asked.command)


def refuse_differing(old: Mapping[str, Any], new: Mapping[str, Any], folder: Path) -> None:
    """Raise if what all trainings have in common is not what it was.

    Raises:
        DifferentError: Names each setting that differs.
    """
    missing = "not given"
    names = [name for name in {**old, **new} if old.get(name, missing) != new.get(name, missing)]
    if names:
        lines = [f"{name}: {old.get(name, missing)} in the folder, {new.get(name, missing)} now" for name in names]
        raise DifferentError(
            "the comparison in this folder was begun with others: " + ", ".join(names),
            path=folder,
            found="\n".join(lines),
            remedy="Give the command as it was, or name a new folder with -o.",
        )


def labelled(models: Sequence[Compared]) -> tuple[Compared, ...]:
    """Return models whose labels are all different."""
    made: list[Compared] = []
    for model in models:
        label = _unused(model.label, [each.label for each in made])
        made.append(replace(model, source=replace(model.source, label=label)))
    return tuple(made)


def encoded(plan: Plan) -> bytes:
    """Return a plan as it is kept."""
    return json.dumps({"schema": SCHEMA, **asdict(plan)}, indent=1, ensure_ascii=False).encode("utf-8")


def decoded(text: bytes, path: Path) -> Plan:
    """Return the plan that a file holds.

    Raises:
        CompareError: It holds none that this a2patch can read.
    """
    try:
        kept = json.loads(text)
        schema = kept.pop("schema")
        models = tuple(
            Compared(
                ModelSource(**model["source"]),
                model["digest"],
                ModelPrepared(**model["prepared"]) if model["prepared"] else None,
            )
            for model in kept.pop("models")
        )
        data = kept.pop("data")
        found = DataFound(**{**data, "classes": tuple(data["classes"])}) if data else None
        plan = Plan(**{**kept, "command": tuple(kept["command"])}, models=models, data=found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CompareError("is no plan of a comparison", path=path, found=str(error)) from error
    if schema != SCHEMA:
        raise CompareError("is a plan of another a2patch", path=path, remedy="Go on with that one, or in a new folder.")
    return plan


def _spelled(plan: Plan) -> dict[str, Any]:
    return {f"argument {name}": value for name, value in plan.arguments.items()}


def _key(model: Compared) -> tuple[str, ...]:
    source = model.source
    return (CONTROL,) if source.like else (source.path, source.scale)


def _unused(label: str, taken: Sequence[str]) -> str:
    """Return a label that no other model has; names of files are compared as systems do that take no notice of case."""
    lower = {each.lower() for each in taken}
    candidates = [label, *(f"{label}-{number}" for number in range(2, len(taken) + 3))]
    return next(each for each in candidates if each.lower() not in lower)

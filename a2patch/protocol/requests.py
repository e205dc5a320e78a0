"""What a probe is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Tuple

from a2patch.protocol.figures import Section

REQUEST, EVENTS, SCRATCH = "request.json", "events.jsonl", "files"
"""What stands in the home of a probe: its request, its events, and the folder for its files."""

Role = Literal[
    "patched",
    "untouched",
    "training",
    "unpatched",
    "gpu",
    "worker",
    "insert",
    "transplant",
    "figures",
    "prepare",
    "train",
    "measure",
]
"""What a probe is to do:

- `patched`: make the checks on a package;
- `untouched`: measure the stock models of its untouched copy;
- `training`: do with a stock model of that copy what failed with ours;
- `unpatched`: load in that copy the checkpoint that the package saved;
- `gpu`: make the one check that a GPU can change;
- `worker`: be one of the workers of the check on distributed training;
- `insert`: make model files, and the checks on them;
- `transplant`: carry a checkpoint into another model;
- `figures`: draw the figures of a report;
- `prepare`: make models ready to be compared;
- `train`: train one of them;
- `measure`: measure how fast they are.
"""


@dataclass(frozen=True)
class ModelSpec:
    """A model to be tried.

    Attributes:
        file: Its file: the name of a model of the tree, or the path of the user's own.
        base: The model that it is compared with; empty for the closest stock model.
        scale: The scale of a user's model that was asked for; empty for what its name says.
        layer: The class of the block's layers in a model that the patch adds.
        places: The indices at which these stand.
        tutorial: Whether it is kept as a tutorial has it, faults included.
        user: Whether it is the user's own, and `file` a path.
        user_base: Whether its base is the user's own too.
    """

    file: str
    base: str = ""
    scale: str = ""
    layer: str = ""
    places: Tuple[int, ...] = ()
    tutorial: bool = False
    user: bool = False
    user_base: bool = False


@dataclass(frozen=True)
class AddedModules:
    """The modules of ultralytics, by their dotted names in it, that know the classes which the patch adds.

    Attributes:
        defined: The module that defines them.
        exported: The one that exports them.
        parsed: The one whose `parse_model` reads them.
    """

    defined: str = ""
    exported: str = ""
    parsed: str = ""


@dataclass(frozen=True)
class Request:
    """What every probe is told.

    Attributes:
        role: What it is to do.
        package: The real path of the package folder.
        libraries: The libraries to import before the package.
        parts: The modules of the package that must come from its folder.
        checks: The names of the checks to make; `import` is always among them.
        classes: The classes that the patch adds.
        threads: How many threads torch may use.
    """

    role: Role
    package: str
    libraries: Tuple[str, ...]
    parts: Tuple[str, ...]
    checks: Tuple[str, ...]
    classes: Tuple[str, ...]
    threads: int


@dataclass(frozen=True)
class VerifyRequest(Request):
    """Models to be tried, or measured.

    Attributes:
        models: The models.
        costs: Whether their costs are counted.
        base: The stock model file that the added ones are made from; empty where only users' models are tried.
        scales: The letters of its scales, smallest first; likewise.
        trained: The file of the added model that is saved and trained; likewise.
        modules: The modules that know the added classes; likewise.
    """

    models: Tuple[ModelSpec, ...]
    costs: bool
    base: str
    scales: str
    trained: str
    modules: AddedModules


@dataclass(frozen=True)
class InsertRequest(VerifyRequest):
    """Model files to be made out of another and then tried; `models` is left to the probe.

    Attributes:
        model: The path of the model file to make them from.
        positions: Where rows go, as they are typed; none for every position that the model has.
        each: Whether every position gets a file of its own.
        remove: Whether all layers of the block are taken out instead.
        layer: The class of a row.
        args: Its arguments, as they are written between the brackets.
        name: What to call the file; empty for a name that tells the positions.
    """

    model: str
    positions: Tuple[str, ...]
    each: bool
    remove: bool
    layer: str
    args: str
    name: str


@dataclass(frozen=True)
class FiguresRequest(VerifyRequest):
    """The figures of a report.

    Attributes:
        sections: The sections to draw.
    """

    sections: Tuple[Section, ...]


@dataclass(frozen=True)
class LoadRequest(Request):
    """A checkpoint to be loaded where it was not saved.

    Attributes:
        checkpoint: Its path.
    """

    checkpoint: str


@dataclass(frozen=True)
class TransplantRequest(Request):
    """A checkpoint to be carried into another model.

    Attributes:
        checkpoint: The path of the file that the weights come from.
        model: The model that they go into: a path, or a name that the tree resolves.
        scale: The scale of the model; empty for the checkpoint's.
        base: The model that a bare state dict is of; empty for a checkpoint that holds a whole model.
        trust: Whether the checkpoint may be loaded without restriction.
    """

    checkpoint: str
    model: str
    scale: str
    base: str
    trust: bool

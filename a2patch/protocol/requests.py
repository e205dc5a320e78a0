"""What a probe is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Tuple

from a2patch.protocol.added import AddedBlock, AddedModules
from a2patch.protocol.figures import Section

REQUEST, EVENTS, SCRATCH = "request.json", "events.jsonl", "files"
"""What stands in the home of a probe: its request, its events, and the folder for its files."""

Role = Literal[
    "patched",
    "trainer",
    "untouched",
    "training",
    "gpu",
    "worker",
    "insert",
    "transplant",
    "figures",
    "trial",
    "prepare",
    "train",
    "measure",
]
"""What a probe is to do:

- `patched`: make the checks on a package, all but those of `trainer`;
- `trainer`: save, load and train one of its models, which takes as long as all else;
- `untouched`: measure the stock models of its untouched copy, and load there what `trainer` saved;
- `training`: do with a stock model of that copy what failed with ours;
- `gpu`: make the one check that a GPU can change;
- `worker`: be one of the workers of the check on distributed training;
- `insert`: make model files, and the checks on them;
- `transplant`: carry a checkpoint into another model;
- `figures`: draw the figures of a report;
- `trial`: try the classes of a module file that is not in the package yet;
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
        tutorial: Whether it is kept as a tutorial has it, faults included.
        user: Whether it is the user's own, and `file` a path.
        user_base: Whether its base is the user's own too.
        trust: Whether a user's file may run any code.
        brief: Whether it is only built, and its wiring followed, at its smallest scale; the other models do the rest.
    """

    file: str
    base: str = ""
    scale: str = ""
    tutorial: bool = False
    user: bool = False
    user_base: bool = False
    trust: bool = False
    brief: bool = False


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
        models: The models; none where the probe is to make them, as the rules of the block tell.
        costs: Whether their costs are counted.
        base: The stock model file that the added ones are made from; empty where only users' models are tried.
        scales: The letters of its scales, smallest first; likewise.
        trained: The file of the added model that is saved and trained; likewise.
        modules: The modules that know the added classes; likewise.
        awaited: A file in which it will be said where the checkpoint lies that another probe saved, or nothing if none
            did; empty where none is waited for.
        block: What is known of the block besides.
        commands: Classes that a tree may lack, each with the command that brings it.
    """

    models: Tuple[ModelSpec, ...]
    costs: bool
    base: str
    scales: str
    trained: str
    modules: AddedModules
    awaited: str
    block: AddedBlock
    commands: Tuple[Tuple[str, str], ...]


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
        trust: Whether the model file may run code that it holds.
        tag: What stands for the block in such a name.
    """

    model: str
    positions: Tuple[str, ...]
    each: bool
    remove: bool
    layer: str
    args: str
    name: str
    trust: bool = False
    tag: str = "A2"


@dataclass(frozen=True)
class AttentionParts:
    """What the layers of a block have that attend.

    Attributes:
        classes: The classes of the layers.
        maps: The part of a layer that a softmax over the positions makes attention maps of, as a dotted attribute.
        vectors: The part whose softmax over the channels tells how much of each map a position is handed; empty if
            there is none.
    """

    classes: Tuple[str, ...]
    maps: str
    vectors: str


@dataclass(frozen=True)
class FiguresRequest(VerifyRequest):
    """The figures of a report.

    Attributes:
        sections: The sections to draw.
        attention: What is known of layers that attend.
        images: The paths of the photographs to draw over; none for the one that upstream ships.
    """

    sections: Tuple[Section, ...]
    attention: Tuple[AttentionParts, ...] = ()
    images: Tuple[str, ...] = ()


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


@dataclass(frozen=True)
class TrialRequest(Request):
    """The classes of a module file, to learn how a row that names each is read; `classes` are their names in it.

    Attributes:
        module: The path of the module file, which is not in the package.
        name: Its module name in the package.
        rules: What the names of their parameters tell, by the order of the classes; empty where they do not.
        given: Arguments of an example row, likewise; none where nobody gave any.
    """

    module: str
    name: str
    rules: Tuple[str, ...]
    given: Tuple[Tuple[Any, ...], ...]

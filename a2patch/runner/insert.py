"""Make model files with the block put in or taken out, and try them under the tree's own interpreter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from a2patch.block import BLOCK, CLASSES
from a2patch.errors import ExistsError, ModelError
from a2patch.graph import Position, model_files, unscaled
from a2patch.patch import MODEL_TAG
from a2patch.protocol import AddedBlock, AddedModules, InsertedModel, InsertionRefused, InsertRequest, ModelUnreadable
from a2patch.runner.judge import conclude, judge
from a2patch.runner.process import FREE_BYTES, THREADS, ProbeRunner
from a2patch.runner.requirements import require_libraries, require_tools
from a2patch.runner.result import ProbeResult
from a2patch.runner.verdict import Verdict
from a2patch.transaction import files as disk
from a2patch.tree import read_file, scratch_folder

_VERIFY_IT = "Name a model YAML; `a2patch verify` on it tells more."
_CHECKS = ("import", "build", "wiring")


@dataclass(frozen=True)
class Insertion:
    """What is to be put into a model, and where.

    Attributes:
        model: The model file.
        positions: Where rows go; none for every position that the model has, or where layers are taken out.
        each: Whether every position gets a file of its own.
        remove: Whether all layers of the block are taken out instead.
        layer: The class of a row.
        args: Its arguments, as they are written between the brackets.
        name: What to call the file; empty for a name that tells the positions.
        trust: Whether the model file may run code that it holds.
        costs: Whether what they cost is counted, which takes as long as all else.
        classes: The classes of the blocks that the tree has, which `remove` takes out, and which no position goes by.
        defined: What each of these is called in its module, where that is another name.
        tag: What stands for the block in a name that tells the positions.
    """

    model: Path
    positions: tuple[Position, ...] = ()
    each: bool = False
    remove: bool = False
    layer: str = BLOCK
    args: str = "0.25"
    name: str = ""
    trust: bool = False
    costs: bool = False
    classes: tuple[str, ...] = CLASSES
    defined: tuple[str, ...] = ()
    tag: str = MODEL_TAG


@dataclass(frozen=True)
class InsertResult:
    """The model files that were made, and what came out of trying them.

    Attributes:
        models: The files, not yet written where their user wants them.
        verdict: The checks on all of them, and what they cost beside their base, if that was asked for.
    """

    models: tuple[InsertedModel, ...]
    verdict: Verdict


def insert_models(
    package: Path,
    interpreter: Path,
    insertion: Insertion,
    notify: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    timeout: float = 1800.0,
) -> InsertResult:
    """Make model files, build them at every scale, and compare what each layer reads with the model they come from.

    Nothing is written outside a temporary folder.

    Args:
        package: The real path of the package folder, patched.
        interpreter: The Python that the package belongs to.
        insertion: What to make.
        notify: Told, in a few words, what is being tried.
        environ: The environment to derive the probe's from.
        timeout: Seconds after which a probe that has not ended is taken for hung.

    Raises:
        ModelError: The model can't be read, does not have a position, or can't be changed as text.
        ExistsError: Upstream would find a model of the tree by the name of one that was made.
        ToolMissingError: The interpreter can't run, or lacks a library.
    """
    with scratch_folder("insert", FREE_BYTES) as folder:
        runner = ProbeRunner(interpreter, folder, environ, notify, timeout)
        probe = runner.run([insertion_request(package, insertion)])["insert"]
    require_tools(interpreter, probe)
    _require_model(probe, insertion.model)
    made = judge(probe, None, _CHECKS, {})
    require_libraries(interpreter, [probe], made)
    checks = [made[name] for name in _CHECKS]
    verdict = conclude(interpreter, checks, probe, None, "" if insertion.remove else insertion.model.name)
    models = tuple(probe.events_of(InsertedModel))
    _refuse_shadowed(package, models)
    return InsertResult(models, verdict)


def write(files: Mapping[Path, bytes], *, force: bool) -> None:
    """Write model files; what is there already, byte for byte, counts as written.

    Args:
        files: The files with their bytes.
        force: Whether others of these names are replaced.

    Raises:
        ExistsError: One of another content is there.
        AccessError: One can't be written, or something that is no file has its name.
    """
    taken = [path for path, content in files.items() if read_file(path) not in (None, content)]
    if taken and not force:
        raise ExistsError(
            "a file of that name is there already, and it is another",
            path=taken[0],
            remedy="Nothing was written. Name yours otherwise with -o, or replace it with --force.",
        )
    for path, content in files.items():
        with disk.explained(path, "Files before it were written."), _made(path.parent):
            disk.write_atomically(path, content)


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder for what is to be written into it; where that fails, take it away again."""
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for place in new:
            with suppress(OSError):
                place.rmdir()
        raise


def _require_model(probe: ProbeResult, model: Path) -> None:
    """Make sure that something could be made of the model.

    Raises:
        ModelError: The probe refused it, or could not read it.
    """
    refused, unreadable = probe.last(InsertionRefused), probe.last(ModelUnreadable)
    if refused:
        raise ModelError(
            "that can't be made of this model",
            path=model,
            found=refused.reason,
            remedy="Nothing was written. `a2patch insert --help` tells how positions are named.",
        )
    if unreadable:
        raise ModelError(
            "the model can't be read or built as it is",
            path=model,
            found=unreadable.error,
            remedy=f"Nothing was written. {unreadable.remedy or _VERIFY_IT}",
        )


def _refuse_shadowed(package: Path, models: Sequence[InsertedModel]) -> None:
    """Make sure that upstream finds the models by their names.

    Raises:
        ExistsError: Upstream takes a name for that of a model of the tree at a scale.
    """
    known = model_files(package)
    for file in models:
        found = unscaled(file.name)
        if found != file.name and found in known:
            raise ExistsError(
                f"by the name {file.name} upstream finds a model of the tree, at the scale that it asks for",
                path=known[found],
                remedy="Nothing was written. Name yours otherwise with -o.",
            )


def insertion_request(package: Path, insertion: Insertion) -> InsertRequest:
    """Return what the probe is asked to do.

    Args:
        package: The real path of the package folder.
        insertion: What to make.
    """
    return InsertRequest(
        role="insert",
        package=str(package),
        libraries=("torch",),
        parts=("nn.tasks",),
        checks=_CHECKS,
        classes=insertion.classes,
        threads=THREADS,
        models=(),
        costs=insertion.costs,
        # Only the models that the patch adds need these.
        base="",
        scales="",
        trained="",
        modules=AddedModules(),
        awaited="",
        block=AddedBlock(defined=insertion.defined),
        commands=(),
        model=str(insertion.model),
        positions=tuple(position.name for position in insertion.positions),
        each=insertion.each,
        remove=insertion.remove,
        layer=insertion.layer,
        args=insertion.args,
        name=insertion.name,
        trust=insertion.trust,
        tag=insertion.tag,
    )

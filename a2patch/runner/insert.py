"""Make model files with our block put in or taken out, and try them under the tree's own interpreter."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from a2patch.block import BLOCK, CLASSES
from a2patch.errors import ExistsError, ModelError
from a2patch.graph import Position, model_files, unscaled
from a2patch.runner.judge import judge
from a2patch.runner.process import Probe, Room
from a2patch.runner.requirements import require_libraries, require_tools
from a2patch.runner.verdict import Cost, Verdict
from a2patch.transaction import files as disk

_CHECKS = ("import", "build", "wiring")


@dataclass(frozen=True)
class Order:
    """What is to be made of a model.

    Attributes:
        model: The model file to make it from.
        positions: Where rows of ours go; none for every position that the model has, or where ours are taken out.
        each: Whether every position gets a file of its own.
        remove: Whether all of ours are taken out.
        kind: The class of a row.
        args: Its arguments, as they are written between the brackets.
        named: What to call the file; empty for a name that tells the positions.
    """

    model: Path
    positions: tuple[Position, ...] = ()
    each: bool = False
    remove: bool = False
    kind: str = BLOCK
    args: str = "0.25"
    named: str = ""


@dataclass(frozen=True)
class InsertedModel:
    """A model file that was made, not yet written.

    Attributes:
        name: What to call it.
        content: Its bytes; line endings and encoding are those of the file that it was made from.
        positions: Where rows of ours went, as they are typed.
        layers: Its rows: `index`, `from`, `repeats`, `module`, `args`, and `ours`.
    """

    name: str
    content: bytes
    positions: tuple[str, ...]
    layers: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Composition:
    """The model files that were made, and what came out of trying them.

    Attributes:
        made: The files.
        verdict: The checks on all of them, and what they cost beside the model that they were made from.
    """

    made: tuple[InsertedModel, ...]
    verdict: Verdict


def find_model(package: Path, named: str, folder: Path) -> Path:
    """Find the model file that a name means, as upstream does: `yolov8s` means `yolov8.yaml`.

    Args:
        package: The package folder.
        named: The name of a model of the tree, with or without its ending and the letter of a scale, or a path.
        folder: The current folder.

    Raises:
        ModelError: There is none.
    """
    name = named if named.endswith((".yaml", ".yml", ".pt")) else f"{named}.yaml"
    place = folder / name
    if place.is_file():
        return place.resolve()
    files = model_files(package)
    for known in (name, unscaled(name)):
        if known in files:
            return files[known]
    near = [
        f"{stem}.yaml" for stem in get_close_matches(Path(unscaled(name)).stem, [Path(file).stem for file in files])
    ]
    raise ModelError(
        f"no model {named}",
        path=place,
        found=f"neither there nor among the {len(files)} models of the tree",
        remedy=f"Did you mean {' or '.join(near)}?" if near else "Name a model of the tree, or the path of a YAML.",
    )


def insert_models(
    package: Path,
    interpreter: Path,
    order: Order,
    notify: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    timeout: float = 1800.0,
) -> Composition:
    """Make model files, build them at every scale, and compare what each layer reads with the model they come from.

    Nothing is written outside a temporary folder.

    Args:
        package: The real path of the package folder, patched.
        interpreter: The Python that the package belongs to.
        order: What to make.
        notify: Told, in a few words, what is being tried.
        environ: The environment to derive the probe's from.
        timeout: Seconds after which a probe that has not ended is taken for hung.

    Raises:
        ModelError: The model can't be read, does not have a position, or can't be changed as text.
        ExistsError: Upstream would find a model of the tree by the name of one that was made.
        ToolMissingError: The interpreter can't run, or lacks a library.
    """
    with tempfile.TemporaryDirectory(prefix="a2patch-insert-", ignore_cleanup_errors=True) as folder:
        room = Room(interpreter, Path(os.path.realpath(folder)), environ, notify, timeout)
        (probe,) = room.run(_request(package, order))
        require_tools(interpreter, probe)
        _require_model(probe, order)
        checks = judge(probe, None, _CHECKS, {})
        require_libraries(interpreter, probe, checks)
    verdict = Verdict(
        interpreter=interpreter,
        python=probe.fact("python"),
        torch=probe.fact("torch"),
        ultralytics=probe.fact("ultralytics"),
        checks=tuple(checks[name] for name in _CHECKS),
        costs=tuple(Cost(**cost) for cost in probe.costs),
        base="" if order.remove else order.model.name,
        note=next(iter(probe.notes), ""),
    )
    made = tuple(_made(file) for file in probe.made)
    _refuse_shadowed(package, made)
    return Composition(made, verdict)


def write(files: Mapping[Path, bytes], *, force: bool) -> None:
    """Write model files; what is there already, byte for byte, counts as written.

    Args:
        files: The files with their bytes.
        force: Whether others of these names are replaced.

    Raises:
        ExistsError: One of another content is there.
        AccessError: One can't be written.
    """
    taken = [path for path, content in files.items() if path.exists() and path.read_bytes() != content]
    if taken and not force:
        raise ExistsError(
            "a file of that name is there already, and it is another",
            path=taken[0],
            remedy="Nothing was written. Name yours otherwise with -o, or replace it with --force.",
        )
    for path, content in files.items():
        with disk.explained(path, "Files before it were written."):
            path.parent.mkdir(parents=True, exist_ok=True)
            disk.stage(path, content)
            disk.put(path)


def _require_model(probe: Probe, order: Order) -> None:
    """Raise if nothing can be made of the model."""
    if probe.refused:
        raise ModelError(
            "that can't be made of this model",
            path=order.model,
            found=probe.refused,
            remedy="Nothing was written. `a2patch insert --help` tells how positions are named.",
        )
    if probe.unreadable:
        raise ModelError(
            "the model can't be read or built as it is",
            path=order.model,
            found=probe.unreadable,
            remedy="Nothing was written. Name a model YAML; `a2patch verify` on it tells more.",
        )


def _refuse_shadowed(package: Path, made: Sequence[InsertedModel]) -> None:
    """Raise where upstream takes a name for that of a model of the tree at a scale, and never finds ours."""
    known = model_files(package)
    for file in made:
        found = unscaled(file.name)
        if found != file.name and found in known:
            raise ExistsError(
                f"by the name {file.name} upstream finds a model of the tree, at the scale that it asks for",
                path=known[found],
                remedy="Nothing was written. Name yours otherwise with -o.",
            )


def _made(file: Mapping[str, Any]) -> InsertedModel:
    """Return a file that the probe made; bytes that are no UTF-8 come as surrogates."""
    content = file["text"].encode("utf-8", "surrogateescape")
    return InsertedModel(file["name"], content, tuple(file["positions"]), tuple(file["layers"]))


def _request(package: Path, order: Order) -> dict[str, Any]:
    """Return what the probe is asked to do, but for where."""
    return {
        "role": "composed",
        "package": str(package),
        "libraries": ["torch"],
        "threads": max(1, (os.cpu_count() or 2) // 2),
        "parts": ["nn.tasks"],
        "checks": _CHECKS,
        "costs": True,
        "model": str(order.model),
        "positions": [position.name for position in order.positions],
        "each": order.each,
        "remove": order.remove,
        "row": [order.kind, order.args],
        "named": order.named,
        # What the bench of a probe asks for besides, and models of the user's own do without.
        "classes": CLASSES,
        "modules": {},
        "base": "",
        "trained": "",
        "scales": "",
    }

"""Make the diffs of a tree from its own syntax: for `make patches`, trees that no versioned diff fits, and blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from a2patch.block import ADDITION, BASE, LATER, LAYER, MODELS, MODULE, Addition
from a2patch.patch import anchors, base_model, edits
from a2patch.patch.diff import Diff, FileDiff, Hunk, Site
from a2patch.patch.lines import split_lines
from a2patch.tree import Reader

# Where releases keep their model YAMLs, the newest place first.
CFG_FOLDERS = ("cfg/models/v8", "models/v8", "yolo/v8/models")
# What stands where a release keeps its models in the folder of that place, whichever models a tree has left.
_SETTINGS = ("cfg/default.yaml", "yolo/cfg/default.yaml", "yolo/configs/default.yaml")

_SCALE = re.compile(r"^  (\w): \[([\d.]+), ([\d.]+), (\d+)\].*\n", re.MULTILINE)
_SCALES = re.compile(r"^scales:.*\n(?:  .*\n)+", re.MULTILINE)
_CHANNELS = re.compile(rf"(\b(?:Conv|C2f|SPPF|{LAYER}), \[)(\d+)")


def sources(patches: Path) -> dict[str, str]:
    """What the diffs add, by file name, from the `sources` folder of the diffs."""
    names = (*MODELS, *(model.name for model in LATER), f"{MODULE}.py")  # an installer puts bytecode next to them
    return {name: patches.joinpath("sources", name).read_text("utf-8") for name in names}


def diff(site: Site, read: Reader, added: Mapping[str, str], release: str) -> Diff:
    """Make the diff of a site of a tree.

    Args:
        site: One of `SITES`.
        read: Gives the bytes of a file of the tree.
        added: What the diffs add, by file name.
        release: The release to name it by.

    Raises:
        AnchorError: An edit has no place in this tree, or not just one.
    """
    files: tuple[FileDiff, ...]
    match site:
        case "module":
            files = (_module(read, MODULE, added[f"{MODULE}.py"].encode("utf-8", "surrogateescape")),)
        case "init":
            files = (_init(read, ADDITION),)
        case "tasks":
            files = (_tasks(read, ADDITION),)
        case _:
            files = (*_cfg(read, added), *_later(read, added))
    return Diff(site, release, files, derived=True)


def block_diff(site: Site, read: Reader, added: Addition, source: bytes, release: str) -> Diff:
    """Make the diff of a site of a tree for a block.

    Args:
        site: `"module"`, `"init"` or `"tasks"`.
        read: Gives the bytes of a file of the tree.
        added: What the edits put in.
        source: The bytes of the module file.
        release: The release to name it by.

    Raises:
        AnchorError: An edit has no place in this tree, or not just one.
    """
    made = {
        "module": lambda: _module(read, added.module, source),
        "init": lambda: _init(read, added),
        "tasks": lambda: _tasks(read, added),
    }
    return Diff(site, release, (made[site](),), derived=True)


def unscaled(text: str, stem: str) -> dict[str, str]:
    """Write a model YAML as the first releases want it: one file a scale, its factors and caps worked in.

    Args:
        text: A model YAML with `scales`.
        stem: Its name without the ending, such as `yolov8_A2`.

    Returns:
        The YAMLs, by file name.
    """
    family, _, rest = stem.partition("_")
    made = {}
    for scale, depth, width, cap in _SCALE.findall(text):
        factors = (
            f"depth_multiple: {depth} # scales module repeats\nwidth_multiple: {width} # scales convolution channels\n"
        )
        body = _SCALES.sub(factors, text)
        made[f"{family}{scale}_{rest}.yaml"] = _capped(body, int(cap)).replace("YOLOv8.0n", f"YOLOv8.0{scale}")
    return made


def _capped(text: str, most: int) -> str:
    return _CHANNELS.sub(lambda row: f"{row[1]}{min(int(row[2]), most)}", text)


def _module(read: Reader, name: str, source: bytes) -> FileDiff:
    folder = "nn" if read("nn/modules/__init__.py") is None else "nn/modules"
    return _new_file(f"{folder}/{name}.py", source)


def _init(read: Reader, added: Addition) -> FileDiff:
    content = read("nn/modules/__init__.py")
    if content is not None:
        return edits.file_diff("nn/modules/__init__.py", content, edits.modules_edits(content, added))
    content = _must(read, "nn/modules.py")
    return edits.file_diff("nn/modules.py", content, edits.single_module_edits(content, added))


def _tasks(read: Reader, added: Addition) -> FileDiff:
    content = _must(read, "nn/tasks.py")
    return edits.file_diff("nn/tasks.py", content, edits.tasks_edits(content, added))


def _cfg(read: Reader, added: Mapping[str, str]) -> tuple[FileDiff, ...]:
    for folder in CFG_FOLDERS:
        base = read(f"{folder}/{BASE}")
        if base is not None:
            text = base.decode("utf-8", "surrogateescape")
            return tuple(_new_text(f"{folder}/{name}", _model(text, name, added[name])) for name in MODELS)
        if read(f"{folder}/yolov8n.yaml") is not None:
            made = {name: text for yaml in MODELS for name, text in unscaled(added[yaml], Path(yaml).stem).items()}
            return tuple(_new_text(f"{folder}/{name}", made[name]) for name in sorted(made))
    for folder, beside in zip(CFG_FOLDERS, _SETTINGS, strict=True):
        if read(beside) is not None:
            return tuple(_new_text(f"{folder}/{name}", added[name]) for name in MODELS)
    raise anchors.AnchorError(f"neither {BASE} in {', '.join(CFG_FOLDERS)} nor any of {', '.join(_SETTINGS)}")


def _later(read: Reader, added: Mapping[str, str]) -> tuple[FileDiff, ...]:
    """Add the models of those later families that the tree has."""
    found = ((model, read(model.base)) for model in LATER)
    texts = ((model, base.decode("utf-8", "surrogateescape")) for model, base in found if base is not None)
    return tuple(_new_text(model.path, _model(text, model.name, added[model.name])) for model, text in texts)


def _model(base: str, name: str, added: str) -> str:
    """What one of our model files says in a tree: as ours is, or made from the tree's own base if that is another."""
    return added if base_model.alike(added, base) else base_model.made_from(base, name) or added


def _new_text(path: str, text: str) -> FileDiff:
    return _new_file(path, text.removesuffix("\n").encode("utf-8", "surrogateescape") + b"\n")


def _new_file(path: str, content: bytes) -> FileDiff:
    return FileDiff(path, (Hunk(1, tuple((b"+", line) for line in split_lines(content))),), creates=True)


def _must(read: Reader, path: str) -> bytes:
    content = read(path)
    if content is None:
        raise anchors.AnchorError(f"no {path}")
    return content

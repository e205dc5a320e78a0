"""What each block that comes with a2patch costs whole models, and what every check says of it there.

A model is the base with the block behind P3 and P4 of its backbone, as `a2patch insert` makes it, at scale n and
640 px. `python -m benchmarks.block_tables` measures with this, and writes the tables of `docs/blocks.md`.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from a2patch.block import Block, bundled
from a2patch.graph import model_files, parse
from a2patch.protocol import Check
from a2patch.runner import CHECKS, Insertion, verify_block
from a2patch.runner.insert import insert_models
from a2patch.transaction import look_at, operations, untouched
from a2patch.tree import tree
from benchmarks.measuring import medians
from patches import releases
from tests.support.own_names import own_names

BASE, AGAIN = "base", "the base again"
POSITIONS = ("P3", "P4")
_SAME = ("source", "import")  # of the tree, so that each block has the same
SIDE = 640

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Cost:
    """What a model costs.

    Attributes:
        parameters: How many it has.
        flops: Operations of its convolutions and matrix products, for one image.
        seconds: The median of an inference, its batch norms folded as upstream does before it predicts.
    """

    parameters: int
    flops: int
    seconds: float


def patched(release: str, folder: Path, names: Sequence[str]) -> tuple[Path, list[Block]]:
    """Unpack a release, put blocks into it, and import it from now on; return its package folder, and the blocks."""
    package = releases.unpack(release, releases.cache(os.environ), folder / "site-packages")
    blocks = [own_names(package, bundled()[name]) for name in names]
    operations.apply_blocks(tree.find(package), lambda text: None, blocks)
    os.environ |= {"YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    sys.path.insert(0, str(package.parent))
    return package, blocks


def checked(package: Path, base: str, blocks: Sequence[Block], notify: Notify) -> dict[str, tuple[Check, ...]]:
    """Make every check on each block in a base; return what they said, by the blocks' names."""
    before, found = untouched(look_at(tree.find(package))), {}
    for block in blocks:
        notify(f"{base}: every check of {block.name}")
        verdict = verify_block(
            package, Path(sys.executable), before, block, lambda what: None, os.environ, only=CHECKS, base=base
        )
        found[block.name] = tuple(check for check in verdict.checks if check.name not in _SAME)
    return found


def measured(
    package: Path, folder: Path, base: str, blocks: Sequence[Block], repeats: int, threads: int
) -> dict[str, Cost]:
    """Measure a base, a second copy of it, and it with each block; by `BASE`, `AGAIN` and the blocks' names."""
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    files = {block.name: _made(package, folder, base, block) for block in blocks}
    stock = model_files(package)[base]
    named = {name: path.with_name(path.name.replace(base[:-5], f"{base[:-5]}n", 1)) for name, path in files.items()}
    whole = stock.with_name(f"{base[:-5]}n.yaml")
    models = {BASE: whole, AGAIN: whole, **named}
    built: dict[str, Any] = {name: DetectionModel(str(path), verbose=False).eval() for name, path in models.items()}
    images = torch.rand(1, 3, SIDE, SIDE)
    counts = {name: (sum(p.numel() for p in model.parameters()), _flops(model)) for name, model in built.items()}
    fused = {name: copy.deepcopy(model).fuse(verbose=False) for name, model in built.items()}
    seconds = medians({name: partial(_infer, model, images) for name, model in fused.items()}, repeats)
    return {name: Cost(*counts[name], seconds[name]) for name in built}


def _made(package: Path, folder: Path, base: str, block: Block) -> Path:
    """Write the base with a block in it, and return the file."""
    kind = block.classes[0]
    order = Insertion(
        model_files(package)[base],
        tuple(map(parse, POSITIONS)),
        layer=kind.name,
        args=", ".join(map(repr, kind.args)),
        classes=block.names(),
        defined=tuple(each.defined for each in block.classes),
        tag=kind.name,
    )
    (made,) = insert_models(package, Path(sys.executable), order, lambda what: None, os.environ).models
    path = folder / made.name
    path.write_bytes(made.content)
    return path


def _flops(model: Any) -> int:
    from benchmarks.blocks import flops

    import torch  # isort: skip

    return flops(model, torch.zeros(1, 3, SIDE, SIDE))


def _infer(model: Any, images: Any) -> None:
    import torch

    with torch.no_grad():
        model(images)

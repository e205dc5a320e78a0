"""Trees whose own yolov8.yaml is not upstream's, or that have none: ours are made from what is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from a2patch.patch import SITES
from a2patch.transaction import look_at, operations
from a2patch.tree import tree as trees
from tests.support.command import a2patch, here
from tests.support.files import contents
from tests.support.models import graph_of, load
from tests.support.trees import Unpack

BASE = "cfg/models/v8/yolov8.yaml"
A2 = "cfg/models/v8/yolov8_A2.yaml"
SCALES = "depth, width, max_channels = scales[scale]"
Edit = Callable[[Path], None]


def base(old: str, new: str) -> Edit:
    """Edit the base of a tree."""

    def edit(package: Path) -> None:
        path = package / BASE
        text = path.read_bytes().decode()
        assert re.search(old, text, re.MULTILINE)
        path.write_bytes(re.sub(old, new, text, flags=re.MULTILINE).encode())

    return edit


def fourth_number(package: Path) -> None:
    """A number more in each scale, which the tree's own parse_model reads."""
    base(r"^(  [nsmlx]: \[[^\]]*)\]", r"\1, 0.5]")(package)
    tasks = package / "nn/tasks.py"
    text = tasks.read_text(encoding="utf-8")
    assert SCALES in text
    tasks.write_text(text.replace(SCALES, SCALES.replace(" =", ", threshold =")), encoding="utf-8")


EDITS: dict[str, tuple[Edit, ...]] = {
    "the classes of a data set": (base("nc: 80", "nc: 4"),),
    "another kind of layer": (base(r"C2f, \[512, True\]", "C3, [512, True]"),),
    "no scale n": (base(r"^  n:", "  # n:"),),
    "one scale left": (base(r"^  [smlx]: .*\n", ""),),
    "a fourth number": (fourth_number,),
    "other line endings": (base("\n", "\r\n"), base("nc: 80", "nc: 4")),
}


@pytest.mark.parametrize("name", EDITS)
def test_ours_are_made_from_the_trees_own(name: str, unpack: Unpack) -> None:
    package = unpack()
    for edit in EDITS[name]:
        edit(package)
    before = contents(package.parent)
    tree = trees.find(package)
    operations.apply(tree, lambda _: None)
    text = (package / A2).read_bytes().decode()
    mine, stock = load(text), load((package / BASE).read_bytes().decode())
    assert {**mine, "backbone": 0, "head": 0} == {**stock, "backbone": 0, "head": 0}
    graph = graph_of(text)
    assert [layer.place for layer in graph.layers if layer.kind == "DoubleAttentionBlock"] == [5, 8]
    assert [layer.args for layer in graph.without(("DoubleAttentionBlock",)).layers] == [
        tuple(row[3]) for row in [*stock["backbone"], *stock["head"]]
    ]
    assert text.startswith("# Made by a2patch from yolov8.yaml: DoubleAttentionBlock behind layers 4 and 6")
    assert ("\r\n" in text) == (name == "other line endings")
    assert look_at(tree).status.state == "applied"
    receipt = package / ".a2patch/receipt.json"
    kept = receipt.read_bytes()
    receipt.unlink()  # the bytes tell, whether or not a receipt is there
    assert look_at(tree).status.state == "applied"
    receipt.write_bytes(kept)
    operations.revert(tree, lambda _: None)
    assert contents(package.parent) == before


def test_a_tree_without_the_base_gets_ours_where_releases_keep_models(unpack: Unpack) -> None:
    package = unpack()
    (package / BASE).unlink()
    before = contents(package.parent)
    tree = trees.find(package)
    done = operations.apply(tree, lambda _: None)
    assert any("has no yolov8.yaml" in note for note in done.notes)
    assert [site.state for site in look_at(tree).status.sites] == ["applied"] * len(SITES)
    operations.revert(tree, lambda _: None)
    assert contents(package.parent) == before


def test_a_tree_with_the_base_of_a_data_set_and_an_edited_model_is_verified(unpack: Unpack) -> None:
    """Judged by what its files say: other classes, four scales of four numbers, and a count edited after apply."""
    pytest.importorskip("torchvision")
    package = unpack()
    for edit in (base(r"^  n:", "  # n:"), base(r"^  [lx]: .*\n", ""), base("nc: 80", "nc: 4"), fourth_number):
        edit(package)
    assert a2patch("apply", "--no-verify", *here(package)).code == 0
    model = package / A2
    model.write_bytes(model.read_bytes().replace(b"nc: 4", b"nc: 5"))
    answer = a2patch("verify", "--quick", *here(package), "--json")
    assert answer.code == 0, answer.out
    found = {check["name"]: check for check in answer.document["verdict"]["checks"]}
    assert found["source"]["figure"].startswith("edited: cfg/models/v8/yolov8_A2.yaml")
    assert {found[name]["result"] for name in ("build", "wiring", "scale", "stride")} == {"pass"}
    assert found["build"]["figure"] == "4 models"  # the families of three numbers build no more

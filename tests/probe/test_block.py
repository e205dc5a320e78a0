"""Verdicts on blocks that were put into a tree by hand: what is broken is caught, and what is sound is not."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from a2patch.block import Block, BlockClass, bundled, gated
from a2patch.block.definition import RULES
from a2patch.protocol import Check, Message
from a2patch.runner import figures, verify_block
from a2patch.runner.verify_block import block_request
from patches import releases
from tests.support.faulty import FAULTY
from tests.support.planted import plant
from tests.support.probes import told
from tests.support.published import PUBLISHED
from tests.support.trees import NEWEST

pytest.importorskip("torch")

MODELS = ("register", "build", "wiring", "stride")
RUN = ("formula", "alone", "sight", "gradient")


def published(name: str, rule: str, **options: object) -> Block:
    """A block of the collection, its classes of one rule."""
    classes = tuple(
        BlockClass(each, RULES[rule], told.args or (), **options)  # type: ignore[arg-type]
        for each, told in PUBLISHED[name].told.items()
    )
    return Block(name, PUBLISHED[name].source, classes)


ROWS = {
    "a class that halves the size": published("down", "width"),
    "a class with repeats": published("c1_c2_n", "repeat"),
    "a class that joins": published("concat_of_channels", "join"),
    "a class that joins and is passed nothing": published("concat", "join:nothing"),
    "a class that gives as many channels as it reads": published("inp_oup", "width"),
    "a class that merges": replace(
        published("merged", "merge"),
        classes=(BlockClass("CGAFusion", RULES["merge"]), BlockClass("Bi_FPN", RULES["merge:nothing"], (2,))),
    ),
    "a class that joins three maps": published("three_maps", "join:nothing"),
    "a class that doubles the size": published("upsampler", "keep"),
    "two classes": published("two_for_yaml", "keep"),
}
ROWS["a class under another name"] = replace(
    published("nothing", "keep:nothing"),
    classes=(BlockClass("MySimAM", RULES["keep:nothing"], (), "simam_module"),),
)


DOUBLING = Block(
    "doubling",
    b"from torch import nn\n\n\nclass Doubling(nn.Module):\n    def forward(self, x):\n        return 2 * x\n",
    (BlockClass("Doubling", RULES["keep:nothing"]),),
    reference=b"def reference(module, x):\n    return x + x\n",
)
FORMULAS = {
    "a twin behind a gate": gated(replace(bundled()["se"], name="gated_se")),
    "of a folder": DOUBLING,
    "of a folder, wrong": replace(DOUBLING, name="wrong", reference=DOUBLING.reference.replace(b"+ x", b"+ 3 * x")),
}


@pytest.fixture(scope="module")
def found(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Check]]:
    """What the checks told of each, all tried in one process."""
    folder = tmp_path_factory.mktemp("blocks")
    package = releases.unpack(NEWEST, cache, folder / "site-packages").resolve()
    requests = {}
    for name, block in ROWS.items():
        plant(package, block)
        requests[name] = block_request("patched", package, ("import", *MODELS, *RUN), block, "yolov8.yaml")
    for name, each in FAULTY.items():
        block = Block(f"faulty_{name}", each.source, (BlockClass(each.name, RULES["keep"]),))
        if name == "nothing_to_learn":
            block = replace(block, classes=(BlockClass(each.name, RULES["keep:nothing"]),))
        plant(package, block)
        requests[name] = block_request("patched", package, ("import", *RUN), block, "yolov8.yaml")
    for name, block in FORMULAS.items():
        plant(package, block)
        requests[name] = block_request("patched", package, ("import", "formula"), block, "yolov8.yaml")
    (folder / "work").mkdir()
    events: dict[str, list[Message]] = told(requests, folder / "work")
    return {name: {e.name: e for e in events[name] if isinstance(e, Check)} for name in requests}


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_every_rule_are_tried(name: str, found: dict[str, dict[str, Check]]) -> None:
    expected = dict.fromkeys(("import", *MODELS, *RUN), "pass") | {"formula": "skip"}
    if name == "a class under another name":  # which has no parameters
        expected["gradient"] = "skip"
    assert {check.name: check.result for check in found[name].values()} == expected, found[name]


@pytest.mark.parametrize("name", FAULTY)
def test_what_is_broken_is_caught_by_its_check(name: str, found: dict[str, dict[str, Check]]) -> None:
    faults = {check.name: check for check in found[name].values() if check.result == "fail"}
    expected = FAULTY[name]
    if not expected.check:
        assert faults == {}
        return
    check = faults[expected.check]
    text = f"{check.meaning} {check.advice}\n{check.detail}"
    assert all(words in text for words in expected.told), text


def test_a_formula_of_ones_own_is_held_against_the_layer(found: dict[str, dict[str, Check]]) -> None:
    assert {name: found[name]["formula"].result for name in FORMULAS} == {
        "a twin behind a gate": "pass",
        "of a folder": "pass",
        "of a folder, wrong": "fail",
    }
    assert "Doubling doesn't compute its formula" in found["of a folder, wrong"]["formula"].meaning


def test_what_does_not_run_is_told_by_its_line(found: dict[str, dict[str, Check]]) -> None:
    check = found["of_one_type"]["gradient"]
    assert (check.result, check.advice.split(": ")[1]) == ("skip", "make it with dtype=x.dtype.")
    _, line = check.detail.split("\n")
    assert line == "nn/modules/faulty_of_one_type.py:13: w = w + F.conv2d(x, torch.ones(1, x.shape[1], 1, 1))"


def test_a_block_is_verified_and_drawn(cache: Path, tmp_path: Path) -> None:
    """Whole, as the command does it, with an untouched copy beside, in a release with another branch."""
    package = releases.unpack("8.1.0", cache, tmp_path / "site-packages").resolve()
    block = bundled()["eca"]
    before = plant(package, block)
    only = ("register", "formula", "base")
    verdict = verify_block(package, Path(sys.executable), before, block, lambda _: None, os.environ, only=only)
    results = {check.name: check.result for check in verdict.checks if not check.unasked}
    assert results == dict.fromkeys(("import", *only), "pass")
    (pictures,) = figures.take(package, verdict, lambda _: None, os.environ, only=("sight",), block=block).sight
    assert (pictures.model, [shown.name for shown in pictures.maps][:2]) == ("yolov8_ECA.yaml", ["layer 5", "layer 8"])

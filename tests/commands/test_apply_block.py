"""Blocks as their user types them: what is read, what is said, what is refused, and that it all goes again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from a2patch.block import bundled
from a2patch.errors import BlockNeedsError
from a2patch.protocol import ClassTried
from a2patch.transaction.survey import survey
from a2patch.tree import tree
from tests.support import miniature
from tests.support.blocks import BLOCKS, source
from tests.support.command import ROOT, Answer
from tests.support.files import snapshot
from tests.support.inside import inside
from tests.support.trees import NEWEST

KEEPS = source("Mine", "channels, factor=8", "channels, channels")


@pytest.fixture
def package(cache: Path, tmp_path: Path) -> Path:
    """Return the package folder of a miniature tree of the newest release."""
    return miniature.cut(NEWEST, cache, tmp_path)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Return a module file of a user."""
    place = tmp_path / "mine.py"
    place.write_bytes(KEEPS)
    return place


def run(package: Path, *arguments: str | Path) -> Answer:
    """Run a verb on a tree."""
    return inside(*arguments, "--ultralytics-path", package)


def apply(package: Path, *arguments: str | Path) -> Answer:
    """Put blocks in, untried."""
    return run(package, "apply", "--no-verify", *arguments)


def test_a_file_is_enough(package: Path, mine: Path) -> None:
    before = snapshot(package.parent)
    answer = apply(package, mine)
    assert answer.code == 0, answer.err
    assert "Mine  keep  - [-1, 1, Mine, []]  by the names of its parameters" in answer.out
    assert "nn/modules/mine.py                   new file           mine" in answer.out
    assert "a2patch insert" in answer.out
    assert "yolov8s_A2" not in answer.out
    assert package.joinpath("nn/modules/mine.py").read_bytes() == KEEPS
    mine.unlink()  # the tree keeps all that is needed
    assert "block    mine (Mine): in the tree" in run(package, "status").out
    assert run(package, "revert", "mine").code == 0
    assert snapshot(package.parent) == before


def test_names_and_folders_and_several_at_once(package: Path) -> None:
    before = snapshot(package.parent)
    answer = apply(package, "simam", ROOT / "patches/ema")
    assert answer.code == 0, answer.err
    assert "EMA    keep  - [-1, 1, EMA, [8]]   by its block.toml" in answer.out
    told = json.loads(run(package, "blocks", "--json").out)
    assert [(each["name"], each["state"]) for each in told["blocks"]] == [("simam", "applied"), ("ema", "applied")]
    assert {"cbam", "coord_att", "eca", "ema", "lska", "se", "simam", "triplet_attention"} <= {
        each["name"] for each in told["bundled"]
    }
    assert run(package, "revert", "EMA").code == 0
    assert json.loads(run(package, "status", "--json").out)["tree"]["blocks"][0]["name"] == "simam"
    assert run(package, "revert").code == 0
    assert snapshot(package.parent) == before


def test_what_a_folder_says_is_kept_in_the_tree(package: Path, tmp_path: Path) -> None:
    folder = tmp_path / "looking"
    folder.mkdir()
    folder.joinpath("looking.py").write_bytes(source("Looking", "c1, k=3", "c1, c1"))
    text = 'name = "looking"\nfile = "looking.py"\n[classes.Looking]\nrow = "keep"\n[attention]\nmaps = "conv"\n'
    folder.joinpath("block.toml").write_text(text)
    formula = folder / "reference.py"
    formula.write_text("def formula(module, x): return x")
    refused = apply(package, folder)
    assert (refused.code, "reference.py defines no function reference(module, x)" in refused.err) == (2, True)
    formula.write_text("def reference(module, x): return x")
    assert apply(package, folder, "simam").code == 0
    kept = {one.layer.block.name: one.layer.block for one in survey(tree.find(package)).layers}
    assert {name: (block.maps, block.vectors) for name, block in kept.items()} == {
        "looking": ("conv", ""),
        "simam": ("", ""),
    }
    assert kept["looking"].reference == formula.read_bytes()
    assert kept["simam"] == bundled()["simam"]


def test_apply_alone_stays_double_attention(package: Path, mine: Path) -> None:
    plain = [line for line in apply(package).out.splitlines() if "copies" not in line]
    assert any("yolo detect train model=yolov8s_A2.yaml data=coco8.yaml epochs=3" in line for line in plain)
    assert not any("block" in line for line in run(package, "status").out.splitlines())
    assert "blocks" not in json.loads(run(package, "status", "--json").out)["tree"]
    run(package, "revert")
    apply(package, mine)
    assert apply(package).code == 0
    told = json.loads(run(package, "status", "--json").out)["tree"]
    assert ({site["state"] for site in told["sites"]}, told["blocks"][0]["state"]) == ({"applied"}, "applied")
    assert "already patched" in apply(package, mine).out


def test_a_dry_run_shows_the_diff_and_writes_nothing(package: Path) -> None:
    before = snapshot(package.parent)
    answer = run(package, "apply", "ema", "--dry-run")
    assert answer.out.startswith("diff --git ")
    assert "+        elif m is EMA:" in answer.out
    assert "EMA  keep" in answer.err
    assert snapshot(package.parent) == before
    apply(package, "ema")
    assert run(package, "diff").out == answer.out


def test_a_twin_behind_a_gate(package: Path, mine: Path) -> None:
    before = snapshot(package.parent)
    answer = apply(package, mine, "--gated")
    assert "GatedMine  keep  - [-1, 1, GatedMine, []]" in answer.out
    content = package.joinpath("nn/modules/mine.py").read_bytes()
    assert content.startswith(KEEPS.rstrip(b"\n"))
    assert b"x + self.gate.to(x.dtype) * (self.block(x) - x)" in content
    assert b"elif m in (Mine, GatedMine):" in package.joinpath("nn/tasks.py").read_bytes()
    run(package, "revert")
    assert snapshot(package.parent) == before


def test_another_name_and_another_rule(package: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.py"
    taken.write_bytes(source("C2f", "c1, c2=None", "c1, c1"))
    answer = apply(package, taken)
    assert (answer.code, "nn/modules/block.py" in answer.err, "--as" in answer.err) == (3, True, True)
    answer = apply(package, taken, "--as", "MyC2f=C2f", "--row", "C2f=keep")
    assert "MyC2f  keep  - [-1, 1, MyC2f, []]  by --row" in answer.out
    assert b"from .taken import C2f as MyC2f\n" in package.joinpath("nn/modules/__init__.py").read_bytes()
    assert run(package, "revert").code == 0


@pytest.mark.parametrize(
    ("tried", "row", "step"),
    [
        ({"rule": "keep"}, "[-1, 1, Mine, []]", "insert"),
        ({"rule": "keep", "scale": 2.0}, "[-1, 1, Mine, []]", "in place of nn.Upsample: - [-1, 1, Mine, []]"),
        ({"rule": "keep", "scale": 0.5}, "[-1, 1, Mine, []]", "in place of a Conv"),
        ({"rule": "join:nothing", "maps": 2}, "[[-1, 6], 1, Mine, []]", "in place of Concat"),
        ({"rule": "merge", "maps": 2}, "[[-1, 6], 1, Mine, []]", "where such maps meet"),
        ({"rule": "join:nothing", "maps": 3}, "[[-1, 6, 4], 1, Mine, []]", "in place of Concat"),
    ],
)
def test_what_is_advised_fits_the_class(package: Path, mine: Path, tried: dict[str, Any], row: str, step: str) -> None:
    told = (ClassTried("Mine", **tried),)
    with (
        mock.patch("a2patch.runner.try_classes", return_value=told),
        mock.patch("a2patch.commands.apply._passed", return_value=True),
    ):
        answer = run(package, "apply", mine, "--python", sys.executable)
    lines = answer.out.partition("next\n")[2].splitlines()
    assert row in answer.out, answer.err
    assert step in lines[0]


def test_a_file_whose_library_is_missing_is_refused(package: Path, mine: Path) -> None:
    before = snapshot(package.parent)
    error = BlockNeedsError("mine.py needs einops, which its interpreter lacks", remedy="pip install einops")
    with mock.patch("a2patch.runner.try_classes", side_effect=error):
        answer = run(package, "apply", mine, "--python", sys.executable)
    assert (answer.code, "pip install einops" in answer.err) == (4, True)
    assert snapshot(package.parent) == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"class A(nn.Module:\n", "no Python"),
        (b"class A:\n    pass\n", "no class that derives from nn.Module"),
        (source("A", "k"), "--row A=keep|width|repeat|join"),
        (b"", "no class"),
    ],
)
def test_what_is_no_block_is_refused_with_the_reason(package: Path, mine: Path, content: bytes, told: str) -> None:
    mine.write_bytes(content)
    before = snapshot(package.parent)
    answer = apply(package, mine)
    assert (answer.code, told in answer.err) == (2, True), answer.err
    assert snapshot(package.parent) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("--row", "EMA=keep"),
        ("ema", "--row", "EMA"),
        ("ema", "--row", "EMA=often"),
        ("ema", "--row", "Unheard=keep"),
        ("ema", "--as", "Unheard"),
        ("unheard",),
        ("ema", str(ROOT / "patches/ema/ema.py")),
        ("nowhere.py",),
    ],
)
def test_what_can_not_be_meant_is_bad_usage(package: Path, arguments: tuple[str, ...]) -> None:
    assert apply(package, *arguments).code == 2


def test_a_class_that_upstream_ships_is_read_as_upstreams(package: Path, mine: Path) -> None:
    before = snapshot(package.parent)
    mine.write_bytes(source("CBAM", "c1, c2", "c1, c2"))
    answer = apply(package, mine)
    assert "CBAM  keep  - [-1, 1, CBAM, []]  by the names of upstream's parameters" in answer.out, answer.err
    assert "registered as it is" in answer.out
    assert not package.joinpath("nn/modules/mine.py").exists()
    run(package, "revert")
    assert snapshot(package.parent) == before


def test_names_of_double_attention_are_its_own(package: Path, tmp_path: Path) -> None:
    place = tmp_path / "double_attention.py"
    place.write_bytes(KEEPS)
    assert "Rename the file" in apply(package, place).err
    copied = tmp_path / "copied.py"
    copied.write_bytes(source("DoubleAttentionLayer", "in_channels, c_m, c_n", "in_channels, in_channels"))
    answer = apply(package, copied)
    assert (answer.code, "--as MyDoubleAttentionLayer=DoubleAttentionLayer" in answer.err) == (2, True)
    answer = apply(package, copied, "--as", "Mine=DoubleAttentionLayer")
    assert (answer.code, apply(package).code) == (0, 0)
    status = json.loads(run(package, "status", "--json").out)["tree"]
    assert {site["state"] for site in status["sites"]} | {each["state"] for each in status["blocks"]} == {"applied"}
    assert run(package, "revert").code == 0


def test_a_class_that_a_variable_hides_is_refused(package: Path, mine: Path) -> None:
    mine.write_bytes(source("ch", "c1", "c1, c1"))
    before = snapshot(package.parent)
    answer = apply(package, mine)
    assert answer.code == 3, answer.err
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("coding", [b"# -*- coding: gbk -*-\n", b""])
def test_gbk_keeps_its_bytes(package: Path, mine: Path, coding: bytes) -> None:
    content = coding + "# 注意力\n".encode("gbk") + KEEPS
    mine.write_bytes(content)
    answer = apply(package, mine)
    assert answer.code == 0, answer.err
    assert package.joinpath("nn/modules/mine.py").read_bytes() == content
    assert run(package, "status").code == run(package, "revert").code == 0


@pytest.mark.parametrize(
    ("release", "coding", "name"), [("8.0.0", "gbk", "注意力"), (NEWEST, "utf-8", "注意力"), (NEWEST, "utf-8", "Ärger")]
)
def test_a_class_may_have_any_name_of_python(cache: Path, tmp_path: Path, release: str, coding: str, name: str) -> None:
    package = miniature.cut(release, cache, tmp_path)
    before = snapshot(package.parent)
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_bytes(f"# -*- coding: {coding} -*-\n".encode() + KEEPS.decode().replace("Mine", name).encode(coding))
    other.write_bytes(KEEPS.decode().replace("Mine", f"{name}2").encode())
    for arguments in ((one, "--gated"), (other, "--gated")):
        answer = apply(package, *arguments)
        assert answer.code == 0, answer.err
    assert f"block    one ({name}, Gated{name}): in the tree" in run(package, "status").out
    assert "other (" in run(package, "status").out
    for taken in ("one", "other"):
        answer = run(package, "revert", taken)
        assert answer.code == 0, answer.err
    assert snapshot(package.parent) == before


@pytest.mark.parametrize(("release", "name"), [("8.0.0", "utils"), (NEWEST, "torch"), (NEWEST, "ops")])
def test_a_file_of_the_name_of_a_library_comes_out_again(cache: Path, tmp_path: Path, name: str, release: str) -> None:
    package = miniature.cut(release, cache, tmp_path)
    before = snapshot(package.parent)
    place = tmp_path / f"{name}.py"
    place.write_bytes(KEEPS)
    assert apply(package, place).code == 0
    answer = run(package, "revert")
    assert answer.code == 0, answer.err
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("name", ["class", "注意力", "2att", "__init__", "con"])
def test_a_file_that_can_not_be_a_module_is_told_what_to_call_it(package: Path, tmp_path: Path, name: str) -> None:
    place = tmp_path / f"{name}.py"
    place.write_bytes(KEEPS)
    answer = apply(package, place)
    assert (answer.code, "letters a to z" in answer.err) == (2, True), answer.err


def test_insert_knows_the_classes_of_the_tree(package: Path) -> None:
    insert = ("insert", "--base", "yolov8", "--at", "P3", "--block")
    assert run(package, *insert, "EMA").code == 3
    apply(package, "ema")
    answer = run(package, *insert, "DoubleAttentionBlock")
    assert (answer.code, "has other blocks" in answer.err) == (3, True)
    assert "it has EMA" in run(package, *insert, "CBAM").err
    assert run(package, *insert, "EMA", "--e", "0.5").code == 2
    assert run(package, *insert, "EMA", "--args", "__import__('os')").code == 2


def test_each_block_of_a_tree_gets_its_verdict(cache: Path, tmp_path: Path, mine: Path) -> None:
    from patches import releases

    package = releases.unpack(NEWEST, cache, tmp_path / "site-packages")
    assert apply(package, mine, "cbam", "--gated").code == 0
    answer = run(package, "verify", "--quick", "--json", "--python", sys.executable)
    assert answer.code == 0, answer.out + answer.err
    document = json.loads(answer.out)
    assert "verdict" not in document
    told = {each["name"]: {c["name"]: c["result"] for c in each["verdict"]["checks"]} for each in document["blocks"]}
    assert [(name, told[name]["source"], told[name]["register"]) for name in told] == [
        ("mine", "pass", "pass"),
        ("cbam", "pass", "pass"),
        ("cbam: upstream's CBAM", "pass", "pass"),
    ]


ROWS = """
import json, os, sys
sys.dont_write_bytecode = True
os.environ |= {"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true", "YOLO_VERBOSE": "false"}
import torch, torchvision, cv2, numpy, pandas, matplotlib.pyplot, scipy, PIL.Image, requests
for site in sys.argv[1:]:
    if not os.fork():
        sys.path.insert(0, site)
        from ultralytics.nn import tasks
        rows = [[-1, 1, "Conv", [64, 3, 2]], [-1, 1, "Keeping", [5]], [-1, 1, "Bare", [0.25]], [-1, 1, "Wide", [48]],
                [-1, 3, "Many", [64]], [[-1, 3], 1, "Joiner", []], [[-1, 0], 1, "Summer", [7]]]
        rows += [[[-1, -1], 1, "Merger", [7]], [[-1, -2], 1, "Adder", []], [-1, 1, "Conv", [16, 1]]]
        model = {"nc": 2, "depth_multiple": 1.0, "width_multiple": 0.5, "backbone": rows, "head": []}
        layers, _ = tasks.parse_model(model, [3] if "8.0.0" in site else 3, False)
        told = [getattr(layer, "told", None) for layer in layers]
        x, kept = torch.zeros(1, 3, 16, 16), []
        for layer in layers:
            f = layer.f
            x = layer(x if f == -1 else [x if i == -1 else kept[i] for i in f] if isinstance(f, list) else kept[f])
            kept.append(x)
        told = [list(each) if each else each for each in told]
        print(json.dumps([told, [each.shape[1] for each in kept]]), flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.mark.skipif(os.name == "nt", reason="it forks")
def test_parse_model_builds_a_row_of_each_rule(cache: Path, tmp_path: Path) -> None:
    from patches import releases

    places = []
    for release in ("8.0.0", "8.0.98", NEWEST):
        package = releases.unpack(release, cache, tmp_path / release / "site-packages")
        folder = tmp_path / "blocks"
        folder.mkdir(exist_ok=True)
        for block in BLOCKS.values():
            folder.joinpath(f"{block.name}.py").write_bytes(block.source)
        rules = [
            f"--row={block.names()[0]}={block.classes[0].rule.name}"
            for block in BLOCKS.values()
            if block.classes[0].rule
        ]
        answer = apply(package, *sorted(folder.glob("*.py")), *rules)
        assert answer.code == 0, answer.err
        places.append(package.parent)
    env = os.environ | {"YOLO_CONFIG_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", ROWS, *places], env=env, capture_output=True, text=True, check=False)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[[")]
    told = [None, [32, 5], [0.25], [32, 24, 1], [24, 32, 3], [[32, 24]], [[7]], [88, 7], [0.5], None]
    assert found == [[told, [32, 32, 32, 24, 32, 56, 88, 88, 88, 8]]] * len(places), done.stdout + done.stderr

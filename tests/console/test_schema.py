"""What `--json` prints is what docs/schema.json says, for every verb and every way in which it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from a2patch.commands import VERBS
from a2patch.protocol import AddedLayer, Check, Cost, Equivalence, InsertedModel, ModelRow, Transplant
from a2patch.report import compare_files
from a2patch.report import json as documents
from a2patch.runner import Verdict
from tests.report.test_compare import made
from tests.support import miniature
from tests.support.blocks import KEEP
from tests.support.command import ROOT, Answer
from tests.support.inside import inside
from tests.support.schema import flaws, validator
from tests.support.trees import NEWEST

NAMES = [verb.__name__ for verb in VERBS]


def valid(document: dict[str, Any]) -> dict[str, Any]:
    assert flaws(document) == []
    return document


@pytest.fixture(scope="module")
def package(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return miniature.cut(NEWEST, cache, tmp_path_factory.mktemp("schema"))


@pytest.fixture
def run(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Answer:
        answer = inside(*arguments, "--json", "--ultralytics-path", package)
        document = valid(answer.document)
        assert (document["command"], document["exit_code"]) == (arguments[0], answer.code), answer.out
        return answer

    return run


def test_a_round_of_commands(run: Callable[..., Answer], package: Path) -> None:
    assert run("recover").document["tree"]["package"] == str(package)
    assert run("status").code == 0
    assert run("apply", "--dry-run").document["diff"]
    assert run("apply", "--no-verify").document["changes"]
    assert run("apply", "--no-verify").code == 0
    assert run("status", "--check").code == 1
    assert run("diff").document["tree"]["state"] == "applied"
    yaml = package / "cfg/models/v8/yolov8_A2.yaml"
    yaml.write_bytes(yaml.read_bytes() + b"# mine\n")
    assert run("status").document["tree"]["sites"][3]["edited"]
    assert run("revert").code == 3
    assert run("revert", "--force").document["notes"]
    assert run("revert").code == 0


def test_blocks(run: Callable[..., Answer], package: Path, tmp_path: Path) -> None:
    tmp_path.joinpath("keeping.py").write_bytes(KEEP.source)
    assert run("blocks").document["blocks"] == []
    assert run("apply", "--no-verify", "double_attention").code == 0
    put_in = run("apply", "--no-verify", "--gated", "keeping.py", "ema").document["blocks"]
    assert [(block["name"], len(block["classes"])) for block in put_in] == [("keeping", 2), ("ema", 2)]
    listed = run("blocks").document["blocks"]
    assert [block["name"] for block in listed] == ["double_attention", "keeping", "ema"]
    module = package / "nn/modules/keeping.py"
    module.write_bytes(module.read_bytes() + b"# mine\n")
    assert run("status", "--check").document["tree"]["blocks"][0]["edited"] == ["nn/modules/keeping.py"]
    assert run("revert", "ema").code == 0
    assert run("revert", "--force").document["notes"]
    assert run("blocks").document["blocks"] == []


def test_a_comparison_and_the_verdict_on_a_block() -> None:
    start = {"schema": 1, "command": "compare", "ok": True, "exit_code": 0, "folder": "/x"}
    for found in (made(), made((0.3,), sized=1), made(failed=1, speeds=False), made(sized=0.5, lacking=2)):
        document = json.loads(json.dumps(compare_files.document(found), allow_nan=False))
        valid(start | {"comparison": document})
    verdict = documents.verdict(Verdict(Path(sys.executable), "3.11", "2.9", "8.4", (Check("build", "pass"),), ()))
    valid(start | {"command": "verify", "blocks": [{"name": "ema", "verdict": verdict}]})


def test_what_tries_a_model_names_its_tree(run: Callable[..., Answer], tmp_path: Path) -> None:
    python = tmp_path / "no-python"
    run("apply", "--no-verify")
    (tmp_path / "x.pt").write_bytes(b"PK\x03\x04")
    for typed in (
        ["verify"],
        ["transplant", "x.pt", "--model", "yolov8_A2"],
        ["insert", "--base", "yolov8", "--at", "P3"],
    ):
        answer = run(*typed, "--python", python)
        assert answer.code in (2, 4)
        assert answer.document["tree"]["version"] == NEWEST
        assert answer.document["interpreter"] == str(python)
    assert "state" in run("verify", "--python", python).document["tree"]
    run("revert")


@pytest.mark.parametrize("verb", NAMES)
def test_usage_errors_and_trees_that_are_not_there(verb: str, tmp_path: Path) -> None:
    assert valid(inside(verb, "--json", "--nonsense").document)["command"] == verb
    file = tmp_path / "x.pt"
    file.touch()
    needs: dict[str, list[str | Path]] = {
        "insert": ["--base", "x", "--at", "P3"],
        "transplant": [file, "--model", "x"],
    }
    answer = inside(verb, *needs.get(verb, []), "--json", "--ultralytics-path", tmp_path / "nowhere")
    if answer.code == 2:  # a verb that this test does not know needs more
        assert verb not in ("apply", "verify", "revert", "recover", "status", "diff", "insert", "transplant")
    assert valid(answer.document)["command"] == verb
    assert valid(inside("--json", verb).document)["command"] == ""


def test_parts_that_only_a_model_gives() -> None:
    start = {"schema": 1, "command": "x", "ok": True, "exit_code": 0}
    checks = (Check("build", "pass"), Check("sight", "known", meaning="x"), Check("ddp", "skip", meaning="y"))
    costs = (Cost("a.yaml", "", 1, 2, 3, None, None), Cost("b.yaml", "n", 1, 2, 3, 4.0, 5.0))
    verdict = Verdict(Path(sys.executable), "3.11", "2.9", "8.4", checks, costs)
    row = ModelRow(0, [-1, 3], 1, "Concat", ["None", 2, None], False)
    inserted = InsertedModel("a.yaml", "", ("P3",), (row, ModelRow(1, -1, 1, "Conv", [64, [3, 3], True], True)))
    proof = (Equivalence("noise", 1, True, 0.0), Equivalence("bus.jpg", 1, False, None))
    transplant = Transplant(
        "a", "n", "its name", "ema", "float16", "detect", 80, (AddedLayer(5, "A", None),), (5,), ("A",), ((1, 2),),
        ((3, 0.5),),
        355, 354, (("x", "y"),), 79, 78, ("optimizer",), ("layer 3",), proof, (),
    )  # fmt: skip
    valid(start | {"verdict": documents.verdict(verdict)})
    valid(start | {"models": [documents.inserted_model(inserted, None)], "base": "b.yaml"})
    valid(start | {"transplant": json.loads(json.dumps(documents.transplant(transplant, None)))})
    error = {"kind": "X", "message": "x", "path": None, "found": None, "remedy": None}
    valid(start | {"unverified": error, "undone": True, "report": "x.html"})


def test_the_pages_on_json_name_every_field_and_no_other() -> None:
    names = set(validator().schema["properties"])
    for page in ("docs/json.md", "docs/zh/json.md"):
        text = (ROOT / page).read_text("utf-8")
        rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
        told = {name for row in rows for name in row.replace("`", "").replace("、", ",").replace(" ", "").split(",")}
        assert told == names, page

"""A patch that fails its verdict: the tree is as it was before the command, an older patch and its models included."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from a2patch import cli
from a2patch.protocol import Check
from a2patch.runner import Verdict, verify
from a2patch.transaction import files, operations
from a2patch.tree import tree
from tests.support.files import Snapshot, snapshot
from tests.support.miniature import act, older, quiet

MODEL = "cfg/models/v8/yolov8_A2-p3.yaml"
FAULT = Check(name="sight", result="fail", figure="blind", meaning="", advice="", detail="", seconds=0.0)

Apply = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def apply(monkeypatch: pytest.MonkeyPatch) -> Apply:
    """Apply, with a verdict that is always against it; what its user does meanwhile is given."""

    def apply(
        package: Path, *options: str, meanwhile: Callable[[], object] = lambda: None, text: bool = False
    ) -> tuple[int, Any]:
        def fail(_: Path, interpreter: Path, *arguments: Any, **options: Any) -> Verdict:
            meanwhile()
            return Verdict(
                interpreter=interpreter, python="", torch="", ultralytics="", checks=(FAULT,), costs=(), base=""
            )

        monkeypatch.setattr(verify, "verify", fail)
        arguments = ["apply", *options, *([] if text else ["--json"]), "--ultralytics-path", str(package)]
        answer = CliRunner().invoke(cli.app, arguments)
        return answer.exit_code, answer.stdout if text else json.loads(answer.stdout)

    return apply


def upgradable(package: Path, folder: Path) -> Snapshot:
    """Patch a tree with an older a2patch and install a model; give all that is there then."""
    with older(folder / "old"):
        act("apply", package)
        operations.install(tree.find(package), {MODEL: b"backbone: []\n"}, quiet)
    return snapshot(package.parent)


def test_a_failed_upgrade_puts_back_the_older_patch_and_its_models(package: Path, tmp_path: Path, apply: Apply) -> None:
    before = upgradable(package, tmp_path)
    code, document = apply(package)
    assert (code, document["undone"]) == (1, True)
    assert snapshot(package.parent) == before
    assert "the patch that was there before was put back" in str(apply(package, text=True)[1])
    assert snapshot(package.parent) == before


def test_a_failed_patch_is_taken_out_again(package: Path, apply: Apply) -> None:
    before = snapshot(package.parent)
    code, text = apply(package, text=True)
    assert (code, "the patch was taken out again" in str(text)) == (1, True)
    assert snapshot(package.parent) == before
    assert apply(package, "--keep")[0] == 1
    assert package.joinpath(files.RECEIPT).exists()


def test_a_completed_patch_with_edits_is_as_it_was(package: Path, apply: Apply) -> None:
    act("apply", package)
    model = package / "cfg/models/v8/yolov8_A2.yaml"
    model.write_bytes(model.read_bytes().replace(b"nc: 80", b"nc: 3"))
    package.joinpath("cfg/models/v8/yolov8_DANet.yaml").unlink()
    before = snapshot(package.parent)
    assert apply(package)[0] == 1
    assert snapshot(package.parent) == before


def test_what_was_edited_while_it_was_tried_is_not_lost(package: Path, apply: Apply) -> None:
    tasks = package / "nn/tasks.py"

    def edit() -> None:
        tasks.write_bytes(tasks.read_bytes() + b"# mine\n")

    code, document = apply(package, meanwhile=edit)
    assert code == 3
    assert document["error"]["found"] == "nn/tasks.py"
    assert "a2patch revert" in document["error"]["remedy"]
    assert document["verdict"]["ok"] is False
    assert tasks.read_bytes().endswith(b"# mine\n")


def test_a_receipt_that_is_all_that_is_left_is_removed_and_told(package: Path) -> None:
    untouched = shutil.copytree(package.parent, package.parent.with_name("untouched"))
    act("apply", package)
    kept = package.joinpath(files.RECEIPT).read_bytes()
    shutil.rmtree(package.parent)
    shutil.copytree(untouched, package.parent)
    package.joinpath(files.FOLDER).mkdir()
    package.joinpath(files.RECEIPT).write_bytes(kept)
    answer = CliRunner().invoke(cli.app, ["revert", "--ultralytics-path", str(package)])
    assert answer.exit_code == 0
    assert f"its receipt was removed, {package / files.RECEIPT}" in answer.stdout
    assert snapshot(package.parent) == snapshot(untouched)


def test_a_file_that_no_receipt_could_hold_is_refused(package: Path) -> None:
    tasks = package / "nn/tasks.py"
    tasks.write_bytes(tasks.read_bytes() + b"#" + b"x" * (1 << 24))
    before = snapshot(package.parent)
    answer = CliRunner().invoke(cli.app, ["apply", "--no-verify", "--json", "--ultralytics-path", str(package)])
    document = json.loads(answer.stdout)
    assert answer.exit_code == 3
    assert "larger than any" in document["error"]["message"]
    assert document["error"]["path"] == str(tasks)
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("hunk", ["@@ -1,0 +1,0 @@\n", "@@ -0,0 +0,0 @@\n", "@@ -1,0 +1,1 @@\n+x\n"])
def test_a_receipt_with_an_empty_hunk_is_damaged_or_fits_nowhere(package: Path, hunk: str) -> None:
    act("apply", package)
    document = json.loads(package.joinpath(files.RECEIPT).read_bytes())
    entry = next(entry for entry in document["diffs"] if entry["site"] == "tasks")
    entry["text"] = f"--- a/ultralytics/nn/tasks.py\n+++ b/ultralytics/nn/tasks.py\n{hunk}"
    package.joinpath(files.RECEIPT).write_text(json.dumps(document))
    for verb in ("status", "revert"):
        answer = CliRunner().invoke(cli.app, [verb, "--json", "--ultralytics-path", str(package)])
        expected = (0,) if "+x" in hunk else (4,)
        assert answer.exit_code in expected, answer.stdout

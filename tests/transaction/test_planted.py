"""Journals and receipts that somebody else put into a tree: no verb writes, or removes, what a2patch would not."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from a2patch import cli
from a2patch.errors import A2PatchError, ConflictError
from a2patch.transaction import application, files, journal, operations
from a2patch.tree import tree
from tests.support import miniature
from tests.support.files import Snapshot, snapshot
from tests.support.miniature import act, quiet
from tests.support.trees import NEWEST

VERBS = {
    "status": ["status"],
    "recover": ["recover"],
    "diff": ["diff"],
    "dry run": ["apply", "--dry-run"],
    "apply": ["apply", "--no-verify"],
    "revert": ["revert"],
    "force": ["revert", "--force"],
    "verify": ["verify", "--quick"],
    "insert": ["insert", "--base", "yolov8", "--at", "P3", "--install"],
    "transplant": ["transplant", __file__, "--model", "yolov8_A2"],  # the tree is looked at before the checkpoint
}
EVIL = b"open('/tmp/evil', 'w')\n"
TASKS = "nn/tasks.py"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where `revert --force` saves edits


def run(package: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a verb in this very process, and give its exit code and document."""
    answer = CliRunner().invoke(cli.app, [*arguments, "--json", "--ultralytics-path", str(package)])
    return answer.exit_code, json.loads(answer.stdout)


def user_files(package: Path) -> Snapshot:
    return {path: entry for path, entry in snapshot(package.parent).items() if ".a2patch" not in path}


def plant(package: Path, steps: dict[str, tuple[bytes | None, bytes | None]]) -> None:
    """Put a journal into a tree, with what it asks for."""
    package.joinpath(files.FOLDER).mkdir(exist_ok=True)
    made = []
    for path, (before, after) in steps.items():
        place = package / path
        if after is not None and (place.read_bytes() if place.exists() else None) != after:
            files.temporary(place).write_bytes(after)
        made.append(journal.Step(path, place, before, journal.digest(after)))
    package.joinpath(journal.PATH).write_bytes(journal.encode("apply", made))


def _tasks_replaced(package: Path) -> dict[str, tuple[bytes | None, bytes | None]]:
    content = package.joinpath(TASKS).read_bytes()
    return {TASKS: (content, content + EVIL)}


def _file_removed(package: Path) -> dict[str, tuple[bytes | None, bytes | None]]:
    return {"cfg/models/v8/yolov8.yaml": (package.joinpath("cfg/models/v8/yolov8.yaml").read_bytes(), None)}


def _file_added(package: Path) -> dict[str, tuple[bytes | None, bytes | None]]:
    return {"sitecustomize.py": (None, EVIL)}


def _undone(package: Path) -> dict[str, tuple[bytes | None, bytes | None]]:
    """What can't be finished is undone, and what it was before is evil."""
    content = package.joinpath(TASKS).read_bytes()
    return {TASKS: (EVIL, content), "__init__.py": (package.joinpath("__init__.py").read_bytes(), b"gone")}


def _among_ours(package: Path) -> dict[str, tuple[bytes | None, bytes | None]]:
    """All that `apply` does, and a line more."""
    steps = {change.path: (change.before, change.after) for change in application.preview(tree.find(package)).writes}
    before, after = steps[TASKS]
    return steps | {TASKS: (before, (after or b"") + EVIL)}


def _model_of_the_tree(package: Path) -> dict[str, tuple[bytes | None, bytes | None]]:
    """A stock model replaced as `insert --install` would replace one of its own."""
    path = "cfg/models/v8/yolov8.yaml"
    return {path: (package.joinpath(path).read_bytes(), b"# DoubleAttentionBlock\nbackbone:\n")}


JOURNALS = [_tasks_replaced, _file_removed, _file_added, _undone, _among_ours, _model_of_the_tree]


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_finishes_a_journal_that_is_not_ours(package: Path, verb: str) -> None:
    plant(package, _tasks_replaced(package))
    before = user_files(package)
    code, document = run(package, *VERBS[verb])
    assert (code, document["error"]["path"]) == (4, str(package / journal.PATH))
    assert "delete that one file" in document["error"]["remedy"]
    assert user_files(package) == before
    package.joinpath(journal.PATH).unlink()  # the way out that was told
    assert run(package, "status")[0] == 0
    assert not list(package.rglob(".*.py.a2patch"))


@pytest.mark.parametrize("steps", JOURNALS)
@pytest.mark.parametrize("patched", [False, True])
def test_a_journal_is_finished_only_if_a_command_of_ours_left_it(
    package: Path, steps: Callable[[Path], dict[str, tuple[bytes | None, bytes | None]]], patched: bool
) -> None:
    planted = steps(package)
    if patched and steps is not _among_ours:
        act("apply", package)
        planted = steps(package)
    plant(package, planted)
    before = user_files(package)
    with pytest.raises(A2PatchError):
        act("recover", package)
    kept = {path: entry for path, entry in before.items() if not path.endswith(".a2patch")}
    assert {path: entry for path, entry in user_files(package).items() if not path.endswith(".a2patch")} == kept


def test_a_journal_that_looks_done_undoes_nothing(package: Path) -> None:
    """What was prepared can't be removed, and what was before is evil."""
    content = package.joinpath(TASKS).read_bytes()
    plant(package, {TASKS: (EVIL, content)})
    files.temporary(package / TASKS).joinpath("in the way").mkdir(parents=True)
    before = user_files(package)
    with pytest.raises(A2PatchError):
        act("recover", package)
    assert user_files(package) == before


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


def _creation(path: str, content: bytes) -> str:
    lines = content.decode().splitlines(keepends=True)
    return f"--- /dev/null\n+++ b/ultralytics/{path}\n@@ -0,0 +1,{len(lines)} @@\n" + "".join(
        "+" + line for line in lines
    )


def _list_as_model(document: dict[str, Any], path: str, content: bytes) -> None:
    document["models"] = {path: _packed(content)}


def _list_as_created(document: dict[str, Any], path: str, content: bytes) -> None:
    entry = next(entry for entry in document["diffs"] if entry["site"] == "cfg")
    entry["text"] += _creation(path, content)


def _list_as_module(document: dict[str, Any], path: str, content: bytes) -> None:
    entry = next(entry for entry in document["diffs"] if entry["site"] == "module")
    entry["text"] = _creation(path, content)


@pytest.mark.parametrize("listing", [_list_as_model, _list_as_created, _list_as_module])
@pytest.mark.parametrize(
    "path", ["cfg/default.yaml", "cfg/models/v8/yolov8.yaml", "cfg/datasets/mine.yaml", "data.txt"]
)
def test_a_receipt_removes_only_files_that_we_wrote(
    package: Path, listing: Callable[[dict[str, Any], str, bytes], None], path: str
) -> None:
    place = package / path
    place.parent.mkdir(parents=True, exist_ok=True)
    content = b"nc: 80\nbackbone: []\nhead: []\n" if "models" in path else b"task: detect\n"
    place.write_bytes(content)
    act("apply", package)
    document = json.loads(package.joinpath(files.RECEIPT).read_bytes())
    listing(document, path, content)
    package.joinpath(files.RECEIPT).write_text(json.dumps(document))
    before = user_files(package)
    for verb in ("revert", "force", "apply", "status", "diff"):
        code, answer = run(package, *VERBS[verb])
        assert (code, "damaged" in answer["error"]["message"]) == (4, True), verb
        assert user_files(package) == before, verb


def _evil_diff(path: str, old: str, new: str) -> str:
    return f"--- a/ultralytics/{path}\n+++ b/ultralytics/{path}\n@@ -1,1 +1,1 @@\n-{new}\n+{old}\n"


@pytest.mark.parametrize("site", ["tasks", "init", "module", "cfg"])
@pytest.mark.parametrize("path", [TASKS, "__init__.py", "nn/modules/conv.py"])
def test_revert_puts_nothing_in_that_was_not_there(package: Path, site: str, path: str) -> None:
    """A receipt whose diffs, taken back, put a line of somebody else's in place of one of the tree."""
    act("apply", package)
    lines = package.joinpath(path).read_text("utf-8").splitlines()
    line = next(line for line in lines if line.startswith(("import", "from")))
    document = json.loads(package.joinpath(files.RECEIPT).read_bytes())
    entry = next(entry for entry in document["diffs"] if entry["site"] == site)
    entry["text"] = _evil_diff(path, line, "import evil")
    document["written"] = {}
    package.joinpath(files.RECEIPT).write_text(json.dumps(document))
    for command in ("revert", "force", "apply"):
        run(package, *VERBS[command])
        assert b"import evil" not in package.joinpath(path).read_bytes()


def test_apply_puts_in_what_a2patch_brings_and_not_what_a_receipt_says(package: Path) -> None:
    act("apply", package)
    content = package.joinpath(files.RECEIPT).read_text("utf-8").replace("c1 = c2 = ch[f]", "c1 = c2 = evil(ch[f])")
    act("revert", package)
    package.joinpath(files.FOLDER).mkdir()
    package.joinpath(files.RECEIPT).write_text(content)
    act("apply", package)
    assert b"evil" not in package.joinpath(TASKS).read_bytes()


@pytest.mark.parametrize("line", ["../../etc/passwd,,", "ultralytics/nn/tasks.py,,\nevil/x.py,,", "evil/nn/tasks.py,,"])
def test_a_receipt_puts_no_foreign_line_into_a_record(package: Path, line: str) -> None:
    act("apply", package)
    document = json.loads(package.joinpath(files.RECEIPT).read_bytes())
    entries = next(iter(document["records"].values()))
    next(entry for entry in entries if entry[0] == TASKS)[1] = line
    package.joinpath(files.RECEIPT).write_text(json.dumps(document))
    act("revert", package)
    record = next(package.parent.glob("*.dist-info/RECORD")).read_text("utf-8")
    assert line.splitlines()[-1] not in record.splitlines()
    document["records"] = {path: [["cfg/default.yaml", None, "x"]] for path in document["records"]}
    package.joinpath(files.FOLDER).mkdir()
    package.joinpath(files.RECEIPT).write_text(json.dumps(document))
    assert run(package, "revert")[0] == 4


def test_a_model_that_could_not_be_told_as_ours_is_not_installed(package: Path) -> None:
    act("apply", package)
    found = tree.find(package)
    before = snapshot(package.parent)
    with pytest.raises(ConflictError, match="-removed"):
        operations.install(found, {"cfg/models/v8/plain.yaml": b"backbone: []\n"}, quiet)
    assert snapshot(package.parent) == before
    operations.install(found, {"cfg/models/v8/yolov8-removed.yaml": b"backbone: []\n"}, quiet)
    act("revert", package)
    assert not package.joinpath("cfg/models/v8/yolov8-removed.yaml").exists()


@pytest.mark.parametrize("release", ["8.0.50", NEWEST])
def test_a_derived_diff_of_a_receipt_is_ours(cache: Path, tmp_path: Path, release: str) -> None:
    package = miniature.cut(release, cache, tmp_path)
    tasks = package / TASKS
    tasks.write_bytes(tasks.read_bytes().replace(b"m is Concat:\n", b"m is Concat:  # mine\n"))
    before = snapshot(package.parent)
    act("apply", package)
    assert '"derived": true' in package.joinpath(files.RECEIPT).read_text("utf-8")
    assert run(package, "status")[1]["tree"]["state"] == "applied"
    act("revert", package)
    assert snapshot(package.parent) == before

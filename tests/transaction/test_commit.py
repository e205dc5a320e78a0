"""Interrupted commands, locks, and journals and receipts that cannot be trusted."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from a2patch.errors import A2PatchError, AccessError, ConflictError, LockedError
from a2patch.patch import Change
from a2patch.transaction import commit, lock, look_at
from a2patch.tree import tree
from tests.support import miniature
from tests.support.command import ROOT, Answer, a2patch
from tests.support.files import snapshot
from tests.support.miniature import act, quiet

STOP_HALFWAY = """
import os, sys
from pathlib import Path
from a2patch.transaction import files, operations
from a2patch.tree import tree
put, seen = files.put, []
def stop(target):
    seen.append(target)
    if len(seen) > int(sys.argv[2]):
        os._exit(137)
    put(target)
files.put = stop
getattr(operations, sys.argv[3])(tree.find(Path(sys.argv[1])), print)
"""


def interrupt(package: Path, command: str = "apply", after: int = 4) -> None:
    """Let a command die once it has moved so many files into place."""
    run = [sys.executable, "-c", STOP_HALFWAY, str(package), str(after), command]
    assert subprocess.run(run, cwd=ROOT, check=False).returncode == 137
    assert package.joinpath(".a2patch/journal.json").exists() == (after > 1)


def json_of(answer: Answer) -> tuple[int, dict[str, Any]]:
    return answer.code, answer.document["error"]


@pytest.mark.parametrize(
    "command",
    [["apply", "--dry-run"], ["status"], ["diff"], ["recover"], ["revert"], ["verify"], ["apply", "--no-verify"]],
)
def test_any_command_finishes_an_interrupted_one_and_says_so(package: Path, command: list[str]) -> None:
    before = snapshot(package.parent)
    interrupt(package)
    assert snapshot(package.parent) != before
    answer = a2patch(*command, "--ultralytics-path", package)
    assert "an interrupted `a2patch apply` was finished" in answer.err
    status = a2patch("status", "--json", "--ultralytics-path", package)
    assert status.document["tree"]["state"] == ("pristine" if command == ["revert"] else "applied")
    act("revert", package)
    assert snapshot(package.parent) == before


def test_what_was_prepared_and_not_begun_is_removed_and_told(package: Path) -> None:
    before = snapshot(package.parent)
    interrupt(package, after=1)
    answer = a2patch("recover", "--json", "--ultralytics-path", package)
    assert answer.document["recovered"] is True
    assert "had changed nothing yet" in answer.err
    assert snapshot(package.parent) == before
    answer = a2patch("recover", "--json", "--ultralytics-path", package)
    assert (answer.code, answer.document["recovered"]) == (0, False)


def test_what_cannot_be_finished_is_undone(package: Path) -> None:
    before = snapshot(package.parent)
    interrupt(package)
    package.joinpath("nn/.tasks.py.a2patch").unlink()
    answer = a2patch("recover", "--ultralytics-path", package)
    assert "was undone" in answer.err
    assert snapshot(package.parent) == before


def test_a_file_edited_while_a_command_lay_interrupted_is_not_guessed_at(package: Path) -> None:
    interrupt(package)
    tasks = package / "nn/tasks.py"
    mine = tasks.read_bytes() + b"# mine\n"
    tasks.write_bytes(mine)
    code, error = json_of(a2patch("status", "--json", "--ultralytics-path", package))
    assert code == 3
    assert error["path"] == str(tasks)
    assert "journal.json" in error["remedy"]
    assert tasks.read_bytes() == mine
    package.joinpath(".a2patch/journal.json").unlink()  # the way out that was told
    assert a2patch("status", "--ultralytics-path", package).code == 0
    assert not list(package.rglob(".*.py.a2patch"))


def test_a_file_edited_between_plan_and_commit_stops_the_commit(package: Path) -> None:
    found = tree.find(package)
    before = snapshot(package.parent)
    with commit.locked(found, quiet), pytest.raises(ConflictError):
        commit.commit(found, "apply", [Change("nn/tasks.py", b"something else", b"new")])
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"format": 2}'])
def test_a_damaged_journal_is_told_with_a_way_out(package: Path, content: bytes) -> None:
    package.joinpath(".a2patch").mkdir()
    journal = package / ".a2patch/journal.json"
    journal.write_bytes(content)
    before = snapshot(package)
    with pytest.raises(A2PatchError) as caught:
        act("apply", package)
    assert "delete that one file" in caught.value.remedy
    assert {path: entry for path, entry in snapshot(package).items() if "gitignore" not in path} == before
    journal.unlink()
    act("apply", package)


HOSTILE = [
    "../outside.py",
    "nn/../../outside.py",
    "/etc/passwd",
    "C:/x.py",
    "nn\\..\\..\\x.py",
    "nn/./tasks.py",
    "",
    "nn/nul.py",
    "nn/\0.py",
    "../ultralytics-1.dist-info/METADATA",
    "../other-1.dist-info/RECORD",
    "../ultralytics-1.dist-info/../x/RECORD",
    "../ultralytics-1.dist-info\n/RECORD",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_a_journal_that_leads_out_is_refused(package: Path, path: str) -> None:
    package.joinpath(".a2patch").mkdir()
    step = {"path": path, "before": base64.b64encode(b"evil").decode(), "after": None}
    document = {"format": 1, "command": "apply", "steps": [step]}
    package.joinpath(".a2patch/journal.json").write_text(json.dumps(document))
    before = snapshot(package.parent.parent)
    with pytest.raises(A2PatchError, match="no path inside a tree"):
        act("recover", package)
    after = snapshot(package.parent.parent)
    assert {path: entry for path, entry in after.items() if ".a2patch" not in path} == {
        path: entry for path, entry in before.items() if ".a2patch" not in path
    }


def _receipt(package: Path, change: Callable[[dict[str, Any]], object]) -> None:
    act("apply", package)
    place = package / ".a2patch/receipt.json"
    document = json.loads(place.read_bytes())
    change(document)
    place.write_text(json.dumps(document))


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.clear(),
        lambda document: document.update(format="1"),
        lambda document: document.update(format=1e400),
        lambda document: document.update(diffs="x"),
        lambda document: document.update(diffs=[{"site": "tasks", "release": "1", "derived": False, "text": "x"}]),
        lambda document: document["diffs"][0].update(text="\ud800"),
        lambda document: document["diffs"][0].update(site="../x"),
        lambda document: document.update(written={"nn/tasks.py": "!"}),
        lambda document: document.update(written=[]),
        lambda document: document.update(records={"nn/tasks.py": []}),
        lambda document: document.update(records={"../ultralytics-1.dist-info/RECORD": [["x"]]}),
    ],
)
def test_a_damaged_receipt_is_told_with_a_way_out(package: Path, change: Callable[[dict[str, Any]], object]) -> None:
    before = snapshot(package.parent)
    _receipt(package, change)
    for command in ("apply", "revert"):
        with pytest.raises(A2PatchError) as caught:
            act(command, package)
        assert (caught.value.message, "Delete that one file" in caught.value.remedy) == ("the receipt is damaged", True)
    package.joinpath(".a2patch/receipt.json").unlink()
    act("revert", package)
    known = {path: entry for path, entry in snapshot(package.parent).items() if not path.endswith("RECORD")}
    assert known == {path: entry for path, entry in before.items() if not path.endswith("RECORD")}


@pytest.mark.parametrize("path", [path for path in HOSTILE if path.isprintable()])
def test_a_receipt_that_leads_out_is_refused(package: Path, path: str) -> None:
    def lead_out(document: dict[str, Any]) -> None:
        diff = document["diffs"][0]
        diff["text"] = diff["text"].replace("ultralytics/nn/modules/double_attention.py", f"ultralytics/{path}")

    _receipt(package, lead_out)
    before = snapshot(package.parent.parent)
    with pytest.raises(A2PatchError, match=r"no path inside a tree|receipt is damaged"):
        act("revert", package)
    assert snapshot(package.parent.parent) == before


def test_a_receipt_of_a_newer_a2patch_is_refused_with_its_version(package: Path) -> None:
    _receipt(package, lambda document: document.update(format=99, a2patch="7.8.9"))
    for command in ("apply", "revert", "status", "diff"):
        answer = a2patch(command, "--json", "--ultralytics-path", package)
        assert answer.code == 4
        assert "7.8.9" in answer.document["error"]["message"]


@pytest.mark.skipif(os.name == "nt", reason="no named pipes in folders there")
def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(package: Path) -> None:
    package.joinpath("nn/tasks.py").unlink()
    os.mkfifo(package / "nn/tasks.py")
    with pytest.raises(AccessError, match="ordinary file"):
        tree.Tree(package, "installed", "", package).read("nn/tasks.py")


def test_an_older_patch_is_taken_out_and_the_new_one_put_in(package: Path, tmp_path: Path) -> None:
    pristine = snapshot(package.parent)
    act("apply", package)
    wanted = snapshot(package.parent)
    act("revert", package)
    with miniature.older(tmp_path / "old"):
        act("apply", package)
    assert b"(old)" in package.joinpath("nn/modules/double_attention.py").read_bytes()
    answer = a2patch("apply", "--no-verify", "--json", "--ultralytics-path", package)
    assert answer.code == 0, answer.err
    assert "a2patch 0.0.1" in answer.document["notes"][0]
    assert snapshot(package.parent) == wanted
    assert "nothing to do" in a2patch("apply", "--ultralytics-path", package).out
    act("revert", package)
    assert snapshot(package.parent) == pristine


HOLD = """
import sys, time
from pathlib import Path
from a2patch.transaction import commit
from a2patch.tree import tree
with commit.locked(tree.find(Path(sys.argv[1])), print):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(package: Path) -> Any:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(package)], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_held_lock_is_waited_for_told_and_then_refused(
    package: Path, holder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "WAIT_S", 0.3)
    said: list[str] = []
    begun = time.monotonic()
    with pytest.raises(LockedError) as caught, commit.locked(tree.find(package), said.append):
        pass
    assert 0.2 < time.monotonic() - begun < 5
    assert len(said) == 1
    assert str(package) in said[0]
    assert caught.value.exit_code == 4


def test_the_lock_of_a_dead_process_is_none(package: Path, holder: Any) -> None:
    before = snapshot(package)
    holder.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
    holder.wait()
    assert package.joinpath(".a2patch/lock").exists()
    act("recover", package)
    assert {path for path in before if ".a2patch" not in path} == set(snapshot(package))


def test_revert_takes_the_bytecode_of_our_files_along(package: Path) -> None:
    before = snapshot(package.parent)
    act("apply", package)
    cache = package / "nn/modules/__pycache__"
    cache.mkdir()
    for version in ("38", "311"):
        cache.joinpath(f"double_attention.cpython-{version}.pyc").write_bytes(b"")
    act("revert", package)
    assert snapshot(package.parent) == before


def test_a_reader_looks_again_if_a_command_was_at_work_meanwhile(package: Path) -> None:
    found = tree.find(package)
    states: list[str] = []

    def look() -> str:
        states.append(look_at(found).status.state)
        if len(states) == 1:
            act("apply", package)
        return states[-1]

    assert commit.read_consistently(found, quiet, look) == "applied"
    assert states == ["pristine", "applied"]


def test_a_refused_tree_keeps_nothing_of_a_lock(package: Path) -> None:
    package.joinpath("nn/tasks.py").write_bytes(b"def parse_model():\n    return 1\n")
    before = snapshot(package.parent)
    with pytest.raises(ConflictError):
        act("apply", package)
    assert snapshot(package.parent) == before

"""The commands as a user types them, on real releases."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from a2patch.runner.verdict import DEFAULT, QUICK
from tests.support.command import ROOT, a2patch
from tests.support.files import snapshot
from tests.support.trees import NEWEST, RELEASES, Unpack

ADDED = {
    "nn/modules/double_attention.py",
    "cfg/models/v8/yolov8_A2.yaml",
    "cfg/models/v8/yolov8_DANet.yaml",
}
LATER = {"cfg/models/11/yolo11_A2.yaml", "cfg/models/26/yolo26_A2.yaml"}  # each where a release has its base
CHANGED = {"nn/modules/__init__.py", "nn/tasks.py"}


@pytest.mark.parametrize("release", ["8.0.200", NEWEST])
def test_apply_verifies_what_it_patched(unpack: Unpack, release: str) -> None:
    package = unpack(release)
    applied = a2patch("apply", "--ultralytics-path", package.parent, "--json")
    assert applied.code == 0, applied.out + applied.err
    assert applied.document["ok"]
    verdict = applied.document["verdict"]
    assert verdict["ok"]
    assert {check["name"] for check in verdict["checks"] if check["result"] != "skip"} >= set(DEFAULT) - {"learn"}


@pytest.mark.parametrize("release", RELEASES[::2])  # `make matrix` tries all
def test_apply_verify_and_revert_leave_a_release_as_it_was(unpack: Unpack, release: str) -> None:
    package = unpack(release)
    before = snapshot(package.parent)

    applied = a2patch("apply", "--no-verify", "--ultralytics-path", package.parent, "--json")
    assert applied.code == 0, applied.out + applied.err
    later = {path for path in LATER if (package / path.replace("_A2", "")).exists()}
    assert {change["path"] for change in applied.document["changes"]} == ADDED | CHANGED | later
    verified = a2patch("verify", "--quick", "--ultralytics-path", package.parent)
    assert verified.code == 0, verified.out + verified.err

    reverted = a2patch("revert", "--ultralytics-path", package.parent)
    assert reverted.code == 0, reverted.out + reverted.err
    assert snapshot(package.parent) == before


def test_a_checkout_shows_only_the_site_files(unpack: Unpack) -> None:
    root = unpack(NEWEST, "clone").parent
    shutil.rmtree(next(root.glob("*.dist-info")))  # a clone has none
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=false"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", NEWEST]):
        subprocess.run([*git, *command], check=True)

    def porcelain() -> set[str]:
        command = [*git, "status", "--porcelain", "--untracked-files=all"]
        return {
            line[3:] for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        }

    assert a2patch("apply", "--no-verify", "--ultralytics-path", root).code == 0
    assert porcelain() == {f"ultralytics/{path}" for path in ADDED | CHANGED | LATER}
    assert a2patch("revert", "--ultralytics-path", root).code == 0
    assert porcelain() == set()


def test_the_dry_run_prints_a_diff_that_git_takes_and_writes_nothing(unpack: Unpack) -> None:
    package = unpack()
    before = snapshot(package.parent)
    answer = a2patch("apply", "--dry-run", "--ultralytics-path", package)
    assert answer.code == 0
    assert snapshot(package.parent) == before

    subprocess.run(["git", "init", "--quiet"], cwd=package.parent, check=True)
    subprocess.run(["git", "apply", "-"], cwd=package.parent, input=answer.out.encode(), check=True)
    shutil.rmtree(package.parent / ".git")
    by_hand = snapshot(package)
    status = a2patch("status", "--json", "--ultralytics-path", package)
    assert status.document["tree"]["state"] == "applied"

    assert a2patch("revert", "--ultralytics-path", package).code == 0
    assert snapshot(package.parent) == before
    assert a2patch("apply", "--no-verify", "--ultralytics-path", package).code == 0
    ours = {path: content for path, content in snapshot(package).items() if not path.startswith(".a2patch")}
    assert ours == by_hand


def test_each_command_does_nothing_where_there_is_nothing_to_do(unpack: Unpack) -> None:
    package = unpack()
    pristine = snapshot(package)
    answer = a2patch("revert", "--ultralytics-path", package)
    assert (answer.code, snapshot(package)) == (0, pristine)
    assert "nothing to do" in answer.out

    assert a2patch("apply", "--no-verify", "--ultralytics-path", package).code == 0
    applied = snapshot(package)
    answer = a2patch("apply", "--ultralytics-path", package)
    assert (answer.code, snapshot(package)) == (0, applied)
    assert "nothing to do" in answer.out


def test_edits_elsewhere_in_the_same_files_survive(unpack: Unpack) -> None:
    package = unpack()
    tasks = package / "nn/tasks.py"
    assert a2patch("apply", "--no-verify", "--ultralytics-path", package).code == 0
    mine = b"# mine\n"
    tasks.write_bytes(mine + tasks.read_bytes() + mine)
    assert a2patch("revert", "--ultralytics-path", package).code == 0
    shutil.move(tasks, tasks.with_suffix(".kept"))
    original = unpack(NEWEST, "untouched") / "nn/tasks.py"
    assert tasks.with_suffix(".kept").read_bytes() == mine + original.read_bytes() + mine


@pytest.mark.parametrize("named", ["package", "root", "site-packages", "prefix"])
def test_a_path_may_be_any_of_four_things(unpack: Unpack, tmp_path: Path, named: str) -> None:
    package = unpack(NEWEST, "env/lib/python3.11/site-packages")
    paths = {"package": package, "root": package.parent, "site-packages": package.parent, "prefix": tmp_path / "env"}
    answer = a2patch("status", "--json", "--ultralytics-path", paths[named])
    assert answer.code == 0, answer.err
    assert answer.document["tree"]["package"] == str(package)


def test_a_tree_edited_by_hand_is_refused_and_left_alone(unpack: Unpack) -> None:
    package = unpack()
    tasks = package / "nn/tasks.py"
    edited = tasks.read_text("utf-8").replace("    Detect,\n", "    Detect,\n    DoubleAttentionLayer,\n", 1)
    tasks.write_text(edited, "utf-8")
    before = snapshot(package)
    answer = a2patch("apply", "--json", "--ultralytics-path", package)
    assert answer.code == answer.document["exit_code"] == 3
    assert "nn/tasks.py:" in answer.document["error"]["found"]
    assert snapshot(package) == before


def test_a_conflict_tells_where_and_what_to_paste(unpack: Unpack) -> None:
    package = unpack()
    tasks = package / "nn/tasks.py"
    tasks.write_text(tasks.read_text("utf-8").replace("elif m is Concat:", "elif m is  Concat:"), "utf-8")
    tasks.write_text(tasks.read_text("utf-8").replace("def parse_model(", "def parse_modl("), "utf-8")
    before = snapshot(package)
    answer = a2patch("apply", "--ultralytics-path", package)
    assert answer.code == 3
    line = 1 + tasks.read_text("utf-8").split("\n").index("            args = [ch[f]]")
    assert f"nn/tasks.py, line {line}:" in answer.err
    assert "elif m is  Concat:" in answer.err
    assert "+        elif m in (DoubleAttentionBlock, DoubleAttentionLayer):" in answer.err
    assert snapshot(package) == before


def test_a_path_without_a_tree_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        answer = a2patch("apply", "--json", "--ultralytics-path", path)
        assert answer.code == 4
        assert answer.document["error"]["path"] == str(path)
        assert answer.document["error"]["remedy"]


@pytest.mark.skipif(os.name == "nt", reason="modes do not keep anyone from writing on Windows")
def test_without_write_access_nothing_is_written(unpack: Unpack) -> None:
    package = unpack()
    before = snapshot(package)
    for folder in (package, *(place for place in package.rglob("*") if place.is_dir())):
        folder.chmod(0o555)
    command = [sys.executable, str(ROOT / "cli.py"), "apply", "--ultralytics-path", str(package)]
    if os.geteuid() == 0:  # root may write anywhere unless it gives up that right
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 4, answer.stdout + answer.stderr
    assert "can't be written" in answer.stderr
    for folder in (package, *(place for place in package.rglob("*") if place.is_dir())):
        folder.chmod(0o755)
    assert snapshot(package) == before


def test_an_interpreter_without_torch_leaves_the_patch_unverified(unpack: Unpack, tmp_path: Path) -> None:
    package = unpack()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = tmp_path / "bare" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    answer = a2patch("apply", "--json", "--python", python, "--ultralytics-path", package)
    assert answer.code == 0, answer.err
    assert "torch" in answer.document["unverified"]["remedy"]
    status = a2patch("status", "--json", "--ultralytics-path", package)
    assert status.document["tree"]["state"] == "applied"
    assert status.document["tree"]["receipt"]["verified"] is None
    assert a2patch("verify", "--python", python, "--ultralytics-path", package).code == 4


@pytest.mark.parametrize("release", ["8.0.0", "8.0.90"])
def test_a_release_of_the_first_layouts_is_verified(unpack: Unpack, release: str) -> None:
    package = unpack(release)
    assert a2patch("apply", "--no-verify", "--ultralytics-path", package).code == 0
    answer = a2patch("verify", "--quick", "--json", "--ultralytics-path", package)
    assert answer.code == 0, answer.out
    results = {check["name"]: check["result"] for check in answer.document["verdict"]["checks"]}
    assert {name for name, result in results.items() if result == "pass"} == set(QUICK)


def test_verify_refuses_a_tree_that_is_not_patched(unpack: Unpack) -> None:
    answer = a2patch("verify", "--json", "--ultralytics-path", unpack())
    assert answer.code == 3
    assert answer.document["error"]["kind"] == "NotPatchedError"


def test_a_half_patched_tree_is_a_fault_that_hides_no_other(unpack: Unpack) -> None:
    package = unpack()
    assert a2patch("apply", "--no-verify", "--ultralytics-path", package).code == 0
    shutil.copy(unpack(NEWEST, "untouched") / "nn/tasks.py", package / "nn/tasks.py")
    answer = a2patch("verify", "--quick", "--json", "--ultralytics-path", package)
    assert answer.code == 1, answer.err
    checks = {check["name"]: check for check in answer.document["verdict"]["checks"]}
    assert (checks["source"]["result"], checks["source"]["figure"]) == ("fail", "partial")
    assert "tasks pristine" in checks["source"]["meaning"]
    assert (checks["import"]["result"], checks["register"]["result"]) == ("pass", "fail")


def test_verify_tells_what_would_use_another_copy(unpack: Unpack) -> None:
    package, other = unpack(), unpack(NEWEST, "elsewhere")
    assert a2patch("apply", "--no-verify", "--ultralytics-path", package).code == 0
    variables = os.environ | {"PYTHONPATH": str(other.parent)}
    answer = a2patch("verify", "--quick", "--json", "--ultralytics-path", package, env=variables)
    assert answer.code == 0, answer.err
    assert f"uses {other} (PYTHONPATH)" in answer.document["verdict"]["others"]


def test_a_copy_in_the_current_folder_is_told(unpack: Unpack) -> None:
    package = unpack(NEWEST, "work")
    answer = a2patch("status", "--json", cwd=package.parent)
    used_by = {copy["used_by"].split("`")[1]: copy["package"] for copy in answer.document["copies"]}
    assert used_by["python script.py"] == str(package)
    assert used_by["yolo …"] == answer.document["tree"]["package"] != str(package)


def test_help_loads_neither_torch_nor_ultralytics_nor_git() -> None:
    code = "import sys, a2patch.cli; print({'torch', 'ultralytics', 'git'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
    assert a2patch("--help").code == 0


def test_bad_usage_is_exit_code_2() -> None:
    assert a2patch("apply", "--nonsense").code == 2
    answer = a2patch("apply", "--json", "--nonsense")
    assert (answer.code, answer.document["exit_code"]) == (2, 2)

"""Nothing waits forever: only ordinary files are read, so much of them, and in time that grows with their size."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from a2patch.tree import LARGEST, read_file, read_start, scratch
from tests.support import miniature
from tests.support.files import snapshot
from tests.support.inside import inside
from tests.support.trees import NEWEST

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no pipes in folders on Windows")
KINDS = ("pipe", "device", "endless link", "folder")


@pytest.fixture
def package(cache: Path, tmp_path: Path) -> Path:
    return miniature.cut(NEWEST, cache, tmp_path)


@pytest.fixture
def patched(package: Path) -> Path:
    assert inside("apply", "--no-verify", "--ultralytics-path", package).code == 0
    return package


def put(kind: str, place: Path) -> Path:
    """Put something at a place that is no ordinary file."""
    place.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "device":
        try:
            os.mknod(place, 0o020666, os.makedev(1, 5))  # /dev/zero
            place.open("rb").close()
        except PermissionError:
            pytest.skip("who is not root makes no devices")
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("/dev/zero")
    return place


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["__init__.py", "nn/tasks.py", ".a2patch/.gitignore", ".a2patch/receipt.json"])
def test_what_is_no_file_is_not_read(patched: Path, kind: str, path: str) -> None:
    put(kind, patched / path)
    patched.joinpath("nn/modules/double_attention.py").unlink()  # there is something to write, and the lock is held
    for verb in ("status", "diff", "apply", "revert"):
        more = ["--no-verify"] if verb == "apply" else []
        answer = inside(verb, *more, "--json", "--ultralytics-path", patched)
        assert answer.document["exit_code"] == answer.code
        assert answer.code == (0 if path.endswith(".gitignore") and verb in ("status", "diff") else 4), answer.out
        assert not patched.joinpath(".a2patch/lock").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_no_model_or_report_is_read_that_is_no_file(patched: Path, tmp_path: Path, kind: str) -> None:
    tree = ("--json", "--ultralytics-path", patched, "--python", sys.executable)
    for name, arguments in {
        "m.yaml": ("verify", tmp_path / "m.yaml"),
        "m.pt": ("transplant", tmp_path / "m.pt", "--model", "yolov8_A2.yaml"),
        "b.yaml": ("insert", "--base", str(tmp_path / "b.yaml"), "--at", "P3"),
    }.items():
        put(kind, tmp_path / name)
        answer = inside(*arguments, *tree)
        assert answer.code == answer.document["exit_code"] == 2, answer.out
    put(kind, tmp_path / "r.html")
    answer = inside("verify", "--quick", "--report", tmp_path / "r.html", *tree)
    assert answer.code == 4
    assert "report" in answer.document["error"]["message"] or "ordinary" in answer.document["error"]["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_settings_of_an_environment_are_read_that_are_no_files(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    site = tmp_path / "env/lib/python3.11/site-packages"
    site.mkdir(parents=True)
    (tmp_path / "env/bin").mkdir()
    (tmp_path / "env/bin/python3").touch()
    put(kind, tmp_path / "env/pyvenv.cfg")
    put(kind, site / "x.pth")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "env"))
    assert inside("status", "--json", "--ultralytics-path", package).document["exit_code"] == 0


def test_a_model_yaml_is_bounded(patched: Path, tmp_path: Path) -> None:
    with tmp_path.joinpath("m.yaml").open("wb") as file:
        file.truncate(LARGEST + 1)
    answer = inside("verify", tmp_path / "m.yaml", "--json", "--ultralytics-path", patched)
    assert (answer.code, answer.document["exit_code"]) == (2, 2)
    answer = inside("insert", "--base", tmp_path / "m.yaml", "--at", "P3", "--json", "--ultralytics-path", patched)
    assert (answer.code, answer.document["exit_code"]) == (2, 2)


def test_a_file_of_a_tree_is_bounded(patched: Path) -> None:
    with patched.joinpath("nn/tasks.py").open("r+b") as file:
        file.truncate(LARGEST + 1)
    answer = inside("status", "--json", "--ultralytics-path", patched)
    assert answer.code == 4
    assert "MiB" in answer.document["error"]["message"]


def test_a_file_is_read_up_to_a_number_of_bytes(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"abc")
    assert (read_start(place, 2), read_file(place), read_file(tmp_path / "none")) == (b"ab", b"abc", None)


@pytest.mark.parametrize("mark", [b"<<<<<<< a\n", b"=======\n", b"<<<<<<< a\n=======\n", b"x = 1\n"])
def test_the_marks_of_conflicts_are_looked_for_in_time(package: Path, mark: bytes) -> None:
    tasks = package / "nn/tasks.py"
    tasks.write_bytes(tasks.read_bytes() + mark * 20_000)
    before, started = snapshot(package), time.monotonic()
    answer = inside("apply", "--dry-run", "--json", "--ultralytics-path", package)
    assert answer.code == (0 if mark == b"x = 1\n" else 3)
    assert time.monotonic() - started < 20
    assert snapshot(package) == before


def test_a_git_that_does_not_answer_is_not_waited_for(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, "checkout")
    git = tmp_path / "bin/git"
    git.parent.mkdir()
    git.write_text("#!/bin/sh\nexec sleep 1000\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}:{os.environ['PATH']}")
    monkeypatch.setattr("a2patch.tree.repository.SECONDS", 0.2)
    answer = inside("apply", "--no-verify", "--json", "--ultralytics-path", package)
    assert answer.code == 0, answer.out
    assert "no git to tell" in answer.document["notes"][0]


@pytest.mark.parametrize(
    "junk",
    [b"", b"\xff\xfe\0junk", b"gitdir: " + b"n" * 300, b"gitdir: ../..\0", b"gitdir: " + b"/n" * 9000, b"gitdir: ."],
)
def test_junk_in_a_git_file_is_no_repository(package: Path, junk: bytes) -> None:
    package.parent.joinpath(".git").write_bytes(junk)
    before = snapshot(package.parent)
    for verb in ("status", "apply", "revert"):
        more = ["--no-verify"] if verb == "apply" else []
        answer = inside(verb, *more, "--json", "--ultralytics-path", package)
        assert answer.code == 0, answer.out
    assert snapshot(package.parent) == before


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_ICASE_PATHSPECS": "1"},
        {"GIT_GLOB_PATHSPECS": "1"},
        {"GIT_PYTHON_GIT_EXECUTABLE": "/nonexistent"},
        {"GIT_EXEC_PATH": "/nonexistent"},
        {"PATH": "/nonexistent"},
    ],
)
def test_a_folder_with_a_tab_around_a_checkout_and_settings_of_git_change_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path / "a\tb c", "checkout")
    before = snapshot(package)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for verb in ("apply", "revert"):
        more = ["--no-verify"] if verb == "apply" else []
        answer = inside(verb, *more, "--json", "--ultralytics-path", package)
        assert answer.code == 0, answer.out
    assert snapshot(package) == before


def test_a_repository_around_a_folder_with_a_tab_tells_of_edits(cache: Path, tmp_path: Path) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, "vendored")
    inner = package.parent.rename(package.parent.parent / "third\tparty") / "ultralytics"
    miniature.commit(tmp_path)
    tasks = inner / "nn/tasks.py"
    tasks.write_bytes(tasks.read_bytes() + b"# mine\n")
    answer = inside("apply", "--no-verify", "--json", "--ultralytics-path", inner)
    assert answer.document["notes"] == ["nn/tasks.py has edits that are not committed: they are kept"]


def test_what_a_dead_command_left_is_cleared_by_the_next(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    child = os.fork()
    if child == 0:
        with scratch.scratch_folder("verify", 0) as folder:
            folder.joinpath("much").write_bytes(b"x")
            os._exit(0)
    os.waitpid(child, 0)
    others = [tmp_path / name for name in ("a2patch-verify-x-y", "b2patch-verify-1-abc", "a2patch-mine")]
    for other in others:
        other.mkdir()
    with scratch.scratch_folder("verify", 0) as held:
        assert len(list(tmp_path.glob(f"a2patch-verify-{child}-*"))) == 1
        assert inside("status", "--ultralytics-path", package).code == 0
        assert not list(tmp_path.glob(f"a2patch-verify-{child}-*"))
        assert held.exists()
        assert all(other.exists() for other in others)
    assert not held.exists()

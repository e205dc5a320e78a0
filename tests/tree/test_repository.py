"""Trees inside repositories: git is neither misled by them nor changed in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from a2patch.transaction import Operation
from a2patch.tree import repository, tree
from tests.support import miniature
from tests.support.command import ROOT, Answer, a2patch
from tests.support.files import snapshot
from tests.support.miniature import act, git
from tests.support.trees import NEWEST

TASKS = "ultralytics/nn/tasks.py"
HOSTILE = """[apply]
    whitespace = error-all
    ignoreWhitespace = change
[core]
    hooksPath = {hooks}
    autocrlf = true
    attributesFile = {attributes}
    fsmonitor = {hooks}/fsmonitor
    excludesFile = {attributes}
[diff]
    external = false
    noprefix = true
    mnemonicPrefix = true
    context = 0
[alias]
    apply = !false
    init = !false
[init]
    templateDir = {hooks}
[merge]
    conflictStyle = diff3
[color]
    ui = always
"""


@pytest.fixture
def clone(cache: Path, tmp_path: Path) -> Path:
    return miniature.cut(NEWEST, cache, tmp_path, "checkout").parent


def patched(root: Path, *options: str, env: dict[str, str] | None = None) -> Answer:
    return a2patch("apply", "--no-verify", "--json", *options, "--ultralytics-path", root, env=env)


def internals(root: Path) -> dict[str, tuple[str, bytes]]:
    return snapshot(Path(git(root, "rev-parse", "--absolute-git-dir").strip()))


def there_and_back(root: Path, where: Path, env: dict[str, str] | None = None) -> None:
    """Patch and revert; nothing of the repository may change, and nothing but our own files may show."""
    before, inside = snapshot(where), internals(root)
    answer = patched(where, env=env)
    assert answer.code == 0, answer.out + answer.err
    assert b"DoubleAttentionLayer" in where.joinpath(TASKS).read_bytes()
    assert internals(root) == inside
    answer = a2patch("revert", "--ultralytics-path", where, env=env)
    assert answer.code == 0, answer.out + answer.err
    assert (snapshot(where), internals(root)) == (before, inside)


def test_a_linked_worktree(clone: Path, tmp_path: Path) -> None:
    git(clone, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    there_and_back(clone, tmp_path / "linked")


def test_a_submodule(clone: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "--quiet")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(clone), "ultra")
    there_and_back(outer, outer / "ultra")


@pytest.mark.parametrize("ignored", [False, True])
def test_a_folder_of_a_larger_repository(cache: Path, tmp_path: Path, ignored: bool) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, "vendored")
    root = package.parent.parent
    root.joinpath(".gitignore").write_text("third_party/\n" if ignored else "")
    miniature.commit(root)
    there_and_back(root, package.parent)


def test_line_endings_as_git_checks_them_out_on_windows(clone: Path, tmp_path: Path) -> None:
    windows = tmp_path / "windows"
    git(tmp_path, "-c", "core.autocrlf=true", "clone", "--quiet", str(clone), str(windows))
    git(windows, "config", "core.autocrlf", "true")
    assert b"\r\n" in windows.joinpath(TASKS).read_bytes()
    answer = patched(windows)
    assert answer.code == 0, answer.err
    assert answer.document["notes"] == []
    changed = windows.joinpath(TASKS).read_bytes()
    assert changed.count(b"\n") == changed.count(b"\r\n")
    assert a2patch("revert", "--ultralytics-path", windows).code == 0
    assert git(windows, "-c", "core.autocrlf=true", "status", "--porcelain") == ""


def test_a_hostile_configuration_and_environment(clone: Path, tmp_path: Path) -> None:
    hooks, home, other = tmp_path / "hooks", tmp_path / "home", tmp_path / "other"
    for folder in (hooks, home, other):
        folder.mkdir()
    git(other, "init", "--quiet")
    for name in ("fsmonitor", "post-index-change", "pre-commit", "post-checkout", "reference-transaction"):
        hook = hooks / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran-{name}\nexit 1\n")
        hook.chmod(0o755)
    attributes = tmp_path / "attributes"
    attributes.write_text("*.py binary\n*\n")
    home.joinpath(".gitconfig").write_text(HOSTILE.format(hooks=hooks, attributes=attributes))
    env = dict(os.environ) | {
        "HOME": str(home),
        "GIT_DIR": str(other / ".git"),
        "GIT_WORK_TREE": str(other),
        "GIT_INDEX_FILE": str(other / "index"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "apply.whitespace",
        "GIT_CONFIG_VALUE_0": "error-all",
        "GIT_EXTERNAL_DIFF": "false",
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
        "LC_ALL": "C",
    }
    untouched = snapshot(other)
    there_and_back(clone, clone, env=env)
    assert snapshot(other) == untouched
    assert not list(tmp_path.glob("ran-*"))
    dry = a2patch("apply", "--dry-run", "--ultralytics-path", clone, env=env)
    assert "diff --git a/ultralytics/nn/tasks.py b/ultralytics/nn/tasks.py" in dry.out


def test_uncommitted_edits_are_kept_and_told(clone: Path) -> None:
    tasks = clone / TASKS
    git(clone, "stash", "list")
    mine = tasks.read_bytes() + b"# mine\n"
    tasks.write_bytes(mine)
    answer = patched(clone)
    assert answer.code == 0
    assert answer.document["notes"] == ["nn/tasks.py has edits that are not committed: they are kept"]
    assert tasks.read_bytes().endswith(b"# mine\n")
    assert a2patch("revert", "--ultralytics-path", clone).code == 0
    assert tasks.read_bytes() == mine


@pytest.mark.parametrize("command", ["merge", "rebase"])
def test_a_merge_in_conflict_is_refused(clone: Path, command: str) -> None:
    tasks = clone / TASKS
    start = tasks.read_bytes()
    git(clone, "checkout", "--quiet", "-b", "theirs")
    tasks.write_bytes(b"# theirs\n" + start)
    git(clone, "commit", "--quiet", "--all", "--message", "theirs")
    git(clone, "checkout", "--quiet", "-b", "mine", "HEAD~")
    tasks.write_bytes(b"# mine\n" + start)
    git(clone, "commit", "--quiet", "--all", "--message", "mine")
    with pytest.raises(subprocess.CalledProcessError):
        git(clone, command, "theirs")
    before = snapshot(clone)
    for arguments in (["apply", "--no-verify"], ["apply", "--dry-run"]):
        answer = a2patch(*arguments, "--json", "--ultralytics-path", clone)
        assert answer.code == 3
        assert answer.document["error"]["found"] == "nn/tasks.py"
        assert "merge or rebase" in answer.document["error"]["message"]
    tasks.write_bytes(b"# both\n" + start)  # solved, but git has not been told
    assert patched(clone).code == 3
    tasks.write_bytes(before[TASKS][1])
    assert snapshot(clone) == before
    git(clone, command, "--abort")
    assert patched(clone).code == 0


def test_conflict_markers_are_refused_without_a_repository(cache: Path, tmp_path: Path) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, "vendored")
    tasks = package / "nn/tasks.py"
    tasks.write_bytes(b"<<<<<<< HEAD\n# a\n=======\n# b\n>>>>>>> theirs\n" + tasks.read_bytes())
    answer = patched(package)
    assert answer.code == 3
    assert "merge or rebase" in answer.document["error"]["message"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_linked_package_is_patched_at_its_real_place(clone: Path, tmp_path: Path) -> None:
    site = tmp_path / "lib/site-packages"
    site.mkdir(parents=True)
    site.joinpath("ultralytics").symlink_to(clone / "ultralytics")
    answer = a2patch("apply", "--no-verify", "--ultralytics-path", site)
    assert answer.code == 0
    assert str(clone / "ultralytics") in answer.out
    assert f"reached by the link {site / 'ultralytics'}" in answer.out
    assert b"DoubleAttentionLayer" in clone.joinpath(TASKS).read_bytes()
    assert [place.name for place in site.iterdir()] == ["ultralytics"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("inside", ["nn", "nn/tasks.py", "cfg/models/v8", ".a2patch"])
def test_a_link_inside_that_leads_out_is_refused(clone: Path, tmp_path: Path, inside: str) -> None:
    place, outside = clone / "ultralytics" / inside, tmp_path / "outside"
    if place.exists():
        shutil.move(place, outside)
    else:
        outside.mkdir()
    place.symlink_to(outside)
    before, elsewhere = snapshot(clone), outside.read_bytes() if outside.is_file() else snapshot(outside)
    answer = patched(clone)
    assert answer.code == 4
    assert str(place) in answer.document["error"]["path"]
    assert snapshot(clone) == before
    assert (outside.read_bytes() if outside.is_file() else snapshot(outside)) == elsewhere


@pytest.mark.skipif(sys.platform != "linux", reason="one system is enough")
def test_nothing_is_sent_and_no_shell_is_run(clone: Path) -> None:
    code = (
        "import sys\n"
        "def hear(event, arguments):\n"
        "    if event.startswith('socket.') or event in {'os.system', 'os.exec'}:\n"
        "        raise SystemExit(99)\n"
        "    if event == 'subprocess.Popen' and not str(arguments[0]).split('/')[-1].startswith(('git', 'python')):\n"
        "        raise SystemExit(98)\n"
        "sys.addaudithook(hear)\n"
        "from a2patch.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    for command in (["apply", "--no-verify"], ["diff"], ["revert"]):
        run = [sys.executable, "-c", code, *command, "--ultralytics-path", str(clone)]
        answer = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr


JUNK = [
    b"",
    b"\xff\xfe\0junk",
    b"gitdir: ",
    b"gitdir: \0",
    b"gitdir: nowhere\n",
    b"x" * 100_000,
    b"gitdir: " + b"y" * 9000,
]


@pytest.mark.parametrize("content", JUNK)
def test_junk_in_a_git_file_is_no_repository(cache: Path, tmp_path: Path, content: bytes) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, "vendored")
    package.parent.joinpath(".git").write_bytes(content)
    before = snapshot(package)
    act("apply", package)
    act("revert", package)
    assert snapshot(package) == before


@pytest.mark.skipif(os.name == "nt", reason="no such names, and no pipes in folders there")
@pytest.mark.parametrize("kind", ["pipe", "link", "unreadable commondir"])
def test_what_is_odd_in_place_of_a_repository_is_none(cache: Path, tmp_path: Path, kind: str) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, "vendored")
    place = package.parent / ".git"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "link":
        place.symlink_to(place)
    else:
        place.mkdir()
        os.mkfifo(place / "commondir")
    before = snapshot(package)
    act("apply", package)
    act("revert", package)
    assert snapshot(package) == before


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
@pytest.mark.parametrize("name", ["a\tb", "a\nb", "a b", "\xe4", "\udcff", '"', "*", ":(glob)x"])
def test_a_folder_of_any_name_around_a_checkout(cache: Path, tmp_path: Path, name: str) -> None:
    root = tmp_path / name / "third_party"
    root.mkdir(parents=True)
    miniature.cut(NEWEST, cache, tmp_path, "vendored").rename(root / "ultralytics")
    miniature.commit(tmp_path)
    tasks = root / "ultralytics/nn/tasks.py"
    tasks.write_bytes(tasks.read_bytes() + b"# mine\n")
    done = act("apply", root / "ultralytics")
    assert isinstance(done, Operation)
    assert done.notes == ("nn/tasks.py has edits that are not committed: they are kept",)


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_ICASE_PATHSPECS": "1"},
        {"GIT_GLOB_PATHSPECS": "1", "GIT_NOGLOB_PATHSPECS": "1"},
        {"GIT_PYTHON_GIT_EXECUTABLE": "/nowhere/git", "GIT_PYTHON_REFRESH": "raise"},
        {"GIT_TRACE": "1", "GIT_TRACE2": "1", "GIT_TRACE_SETUP": "/nowhere"},
        {"GIT_EXEC_PATH": "/nowhere", "GIT_NAMESPACE": "x", "GIT_PREFIX": "nn/", "GIT_DEFAULT_HASH": "sha256"},
    ],
)
def test_no_variable_changes_what_git_is_asked(
    clone: Path, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    tasks = clone / TASKS
    tasks.write_bytes(tasks.read_bytes() + b"# mine\n")
    found = tree.find(clone)
    assert repository.uncommitted(found, ["nn/tasks.py", "__init__.py"]) == ("nn/tasks.py",)


@pytest.mark.skipif(os.name == "nt", reason="a script in place of git")
def test_git_is_not_waited_for_without_end_and_none_of_the_folder_is_run(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def program(folder: Path, text: str) -> None:
        folder.mkdir(exist_ok=True)
        folder.joinpath("git").write_text(f"#!/bin/sh\n{text}\n")
        folder.joinpath("git").chmod(0o755)

    found = tree.find(clone)
    monkeypatch.setattr(repository, "SECONDS", 0.2)
    program(tmp_path / "slow", "sleep 60 & sleep 60")
    monkeypatch.setenv("PATH", f"{tmp_path / 'slow'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    begun = time.monotonic()
    assert repository.uncommitted(found, ["nn/tasks.py"]) is None
    repository.refuse_unmerged(found, ["nn/tasks.py"])
    assert time.monotonic() - begun < 10

    program(tmp_path / "here", f"touch {tmp_path}/ran")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "../here"]))
    assert repository.uncommitted(found, ["nn/tasks.py"]) is None
    assert not tmp_path.joinpath("ran").exists()
    program(tmp_path / "broken", "")
    tmp_path.joinpath("broken/git").write_bytes(b"\x7fELF junk")
    monkeypatch.setenv("PATH", str(tmp_path / "broken"))
    assert repository.uncommitted(found, ["nn/tasks.py"]) is None

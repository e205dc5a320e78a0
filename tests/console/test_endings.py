"""Every ending is a clear one: an exit code, a line that says why, and a document where one is wanted."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest

from a2patch.errors import AccessError
from a2patch.probe.events import Channel, Finding
from a2patch.protocol import EVENTS, SCRATCH, Check, Exhausted, Version, decode, encode
from a2patch.runner.attempt import _UntouchedCopy
from a2patch.runner.insert import write
from tests.support import miniature
from tests.support.command import ROOT
from tests.support.files import snapshot
from tests.support.inside import inside
from tests.support.trees import NEWEST

VERBS = ("apply", "verify", "revert", "recover", "status", "diff", "insert", "transplant", "blocks", "compare")
posix = pytest.mark.skipif(os.name == "nt", reason="a matter of POSIX")


@pytest.fixture
def package(cache: Path, tmp_path: Path) -> Path:
    return miniature.cut(NEWEST, cache, tmp_path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, where details of errors go."""
    for name in ("HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path / "home"


def shell(script: str, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a script in which "$@" is a2patch with arguments."""
    command = ["bash", "-c", script, "-", sys.executable, ROOT / "cli.py", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def test_an_error_of_ours_is_exit_5_and_its_details_are_kept(package: Path, home: Path) -> None:
    before = snapshot(package.parent)
    with mock.patch("a2patch.transaction.look_at", side_effect=KeyError("\x1bnobody\nforesaw it")):
        told = inside("status", "--ultralytics-path", package)
        asked = inside("status", "--json", "--ultralytics-path", package)
    assert (told.code, asked.code, asked.document["exit_code"], asked.document["ok"]) == (5, 5, 5, False)
    assert "Traceback" not in told.err
    assert "\x1b" not in told.err
    assert "report it" in told.err
    details = Path(asked.document["error"]["path"])
    assert str(home) in str(details)
    assert "Traceback" in details.read_text("utf-8")
    assert "foresaw it" in details.read_text("utf-8")
    assert snapshot(package.parent) == before


def test_details_go_into_no_tree_and_an_error_without_a_place_for_them_is_still_told(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME", "TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(package / "nn"))
    before = snapshot(package)
    with (
        mock.patch("a2patch.transaction.look_at", side_effect=KeyError("x")),
        mock.patch("tempfile.mkstemp", side_effect=OSError(28, "full")),
    ):
        told = inside("status", "--ultralytics-path", package)
    assert told.code == 5
    assert "Traceback" in told.err  # where else could it be read
    assert snapshot(package) == before


def test_an_interrupt_has_its_document(package: Path) -> None:
    with mock.patch("a2patch.transaction.look_at", side_effect=KeyboardInterrupt):
        answer = inside("status", "--json", "--ultralytics-path", package)
    assert (answer.code, answer.document["exit_code"]) == (130, 130)
    assert answer.document["error"]["message"] == "interrupted"


def test_an_interrupt_while_apply_verifies_tells_that_the_patch_is_in(package: Path) -> None:
    with mock.patch("a2patch.commands.apply.try_tree", side_effect=KeyboardInterrupt):
        told = inside("apply", "--ultralytics-path", package)
        assert inside("revert", "--ultralytics-path", package).code == 0
        asked = inside("apply", "--json", "--ultralytics-path", package)
    assert (told.code, asked.code) == (130, 130)
    assert asked.document["changes"]
    for text in (told.err, asked.document["error"]["remedy"]):
        assert "patch is in, unverified" in text
        assert f'a2patch verify --ultralytics-path "{package}"' in text
        assert f'a2patch revert --ultralytics-path "{package}"' in text
    assert inside("status", "--json", "--ultralytics-path", package).document["tree"]["state"] == "applied"


@pytest.mark.parametrize("module", ["typer", "a2patch.commands", "a2patch.report.text"])
def test_an_interrupt_while_all_is_imported_leaves_no_traceback(module: str) -> None:
    code = f"""
import runpy, sys
class Pressed:
    def find_spec(self, name, *rest):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
sys.argv = ["cli.py", "status", "--json"]
runpy.run_path("cli.py", run_name="__main__")
"""
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 130
    assert "Traceback" not in answer.stderr
    document = json.loads(answer.stdout)
    assert document.keys() >= {"schema", "ok", "exit_code", "error"}
    assert document["error"]["message"] == "interrupted"


@pytest.mark.parametrize("verb", VERBS)
def test_bad_usage_has_a_document_that_says_what(verb: str) -> None:
    answer = inside(verb, "--json", "--nonsense")
    assert (answer.code, answer.document["exit_code"]) == (2, 2)
    assert "nonsense" in answer.document["error"]["message"]


@pytest.mark.parametrize("verb", VERBS[:6])
@pytest.mark.parametrize("named", ["~nosuchuser/x", "n" * 300, "/".join(["n" * 200] * 30), "loop"])
def test_a_path_that_can_t_be_is_told(tmp_path: Path, verb: str, named: str) -> None:
    if named == "loop":
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        named = str(tmp_path / "loop")
    answer = inside(verb, "--json", "--ultralytics-path", named)
    assert (answer.code, answer.document["exit_code"]) == (4, 4)
    assert answer.document["error"]["remedy"]


@pytest.mark.parametrize("name", ["receipt.json", "journal.json"])
def test_a_long_path_in_a_file_of_ours_is_told(package: Path, name: str) -> None:
    assert inside("apply", "--no-verify", "--ultralytics-path", package).code == 0
    long, place = "nn/" + "n" * 300 + ".py", package / ".a2patch" / name
    if name == "receipt.json":
        place.write_text(place.read_text().replace("nn/modules/__init__.py", long))
    else:
        step = {"path": long, "before": None, "after": "00" * 32}
        place.write_text(json.dumps({"format": 1, "command": "apply", "steps": [step]}))
    before = snapshot(package)
    answer = inside("status", "--json", "--ultralytics-path", package)
    assert answer.code in (3, 4)
    assert answer.document["error"]["remedy"]
    assert snapshot(package) == before


@posix
@pytest.mark.parametrize("verb", ["apply", "status", "transplant"])
def test_a_current_folder_that_is_gone_is_told(tmp_path: Path, verb: str) -> None:
    gone, checkpoint = tmp_path / "gone", tmp_path / "x.pt"
    gone.mkdir()
    checkpoint.touch()
    more = (checkpoint, "--model", "yolov8_A2.yaml") if verb == "transplant" else ()
    answer = shell('rmdir "$PWD"; "$@"', verb, "--json", *more, cwd=gone)
    assert answer.returncode == 4, answer.stderr
    assert "current folder" in json.loads(answer.stdout)["error"]["message"]


@posix
@pytest.mark.parametrize("limit", ["-f 8", "-f 0", "-n 5", "-n 8"])
@pytest.mark.parametrize("verb", ["apply", "verify"])
def test_what_the_system_limits_is_told(package: Path, limit: str, verb: str) -> None:
    before = snapshot(package.parent)
    if verb == "verify":
        assert inside("apply", "--no-verify", "--ultralytics-path", package).code == 0
        before = snapshot(package.parent)
    answer = shell(f'ulimit {limit}; "$@"', verb, "--json", "--ultralytics-path", package)
    document = json.loads(answer.stdout)
    assert (document["exit_code"], document["ok"]) == (answer.returncode, answer.returncode == 0)
    if verb == "apply" and answer.returncode == 0:  # it needs four open files; to try the result takes more
        assert document["unverified"]["remedy"]
    else:
        assert answer.returncode == 4, document
        assert document["error"]["remedy"]
        assert snapshot(package.parent) == before


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "x"), MemoryError(), ImportError(os.strerror(errno.EMFILE))])
def test_a_probe_that_lacks_something_finds_no_fault(tmp_path: Path, error: Exception) -> None:
    tmp_path.joinpath(SCRATCH).mkdir()
    channel = Channel(tmp_path, ["build"])

    def attempt() -> Finding:
        raise RuntimeError("the file could not be written") from error

    assert not channel.check("build", "building", attempt)
    said = [decode(line) for line in tmp_path.joinpath(EVENTS).read_text().splitlines()]
    assert [event.result for event in said if isinstance(event, Check)] == ["skip"]
    assert any(isinstance(event, Exhausted) for event in said)


@posix
def test_a_full_folder_for_temporary_files_is_told(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inside("apply", "--no-verify", "--ultralytics-path", package).code == 0
    before = snapshot(package.parent)
    usage = SimpleNamespace(free=40 << 10)
    monkeypatch.setattr("a2patch.tree.scratch.shutil.disk_usage", lambda _: usage)
    answer = inside("verify", "--json", "--ultralytics-path", package)
    assert answer.code == 4
    assert "too little room" in answer.document["error"]["message"]
    assert "40 KiB" in answer.document["error"]["found"]
    assert snapshot(package.parent) == before
    monkeypatch.setattr("tempfile.mkdtemp", mock.Mock(side_effect=OSError(errno.ENOSPC, "x", "y")))
    usage.free = 1 << 40
    assert "too little room" in inside("verify", "--ultralytics-path", package).err
    monkeypatch.setattr("tempfile.gettempdir", mock.Mock(side_effect=FileNotFoundError("none")))
    assert inside("verify", "--ultralytics-path", package).code == 4
    assert inside("status", "--ultralytics-path", package).code == 0


@posix
@pytest.mark.parametrize("arguments", [["--help"], ["status"], ["status", "--json"], ["diff"]])
def test_an_output_that_can_t_be_written_is_told(package: Path, arguments: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    named: tuple[str | Path, ...] = () if arguments == ["--help"] else ("--ultralytics-path", package)
    answer = shell('"$@" >/dev/full', *arguments, *named)
    assert answer.returncode == 4
    assert "No space left" in answer.stderr
    assert "Exception" not in answer.stderr
    assert shell('"$@" >/dev/full 2>&1', *arguments, *named).returncode == 4


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An interpreter whose probes begin, and die: the verdict is against whatever it tries."""
    place = tmp_path / "python"
    version = encode(Version("python", "3.11.0"))
    place.write_text(f"#!/bin/sh\necho '{version}' >>\"${{3%/*}}/{EVENTS}\"\n")
    place.chmod(0o755)
    return place


@posix
@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_closed_pipe_neither_skips_nor_hides_a_verdict(package: Path, python: Path, reader: str) -> None:
    before = snapshot(package)
    options = ("--python", python, "--ultralytics-path", package)
    answer = shell(f'"$@" | {reader}; exit ${{PIPESTATUS[0]}}', "apply", *options)
    assert answer.returncode == 1, answer.stderr
    assert "Exception" not in answer.stderr
    assert snapshot(package) == before  # it was taken out again


@pytest.mark.parametrize(
    "content", [b"-" * 200_000 + b"1", b"(" * 5000, b"x = " + b"a." * 100_000 + b"a", b"x = 1" + b"+1" * 100_000]
)
@pytest.mark.parametrize("path", ["__init__.py", "nn/tasks.py", "nn/modules/__init__.py"])
def test_python_that_is_nested_too_deeply_is_told(package: Path, path: str, content: bytes) -> None:
    place = package / path
    place.write_bytes(place.read_bytes() + b"\n" + content + b"\n")
    before = snapshot(package)
    assert inside("status", "--json", "--ultralytics-path", package).document["exit_code"] == 0
    answer = inside("apply", "--no-verify", "--json", "--ultralytics-path", package)
    assert answer.code == (0 if path == "__init__.py" else 3)
    if answer.code:
        assert answer.document["error"]["found"]
        assert snapshot(package) == before


def test_a_number_of_5000_digits_is_a_number_like_others(package: Path) -> None:
    many = "9" * 5000
    for arguments in (
        ["--at", f"after:{many}"],
        ["--at", "P3", "--block", "DoubleAttentionLayer", "--args", f"{many},2"],
        ["--at", "P3", "--e", many],
    ):
        answer = inside("insert", "--base", "yolov8", *arguments, "--json", "--ultralytics-path", package)
        assert answer.code == 2
        assert len(answer.document["error"]["message"]) < 1000
    place = package / "__init__.py"
    place.write_bytes(place.read_bytes() + f'\n__version__ = "8.{many}.0"\n'.encode())
    first = place.read_bytes().replace(b"__version__", b"_v", 1)
    place.write_bytes(first)
    for verb in ("status", "diff", "apply", "revert"):
        more = ["--no-verify"] if verb == "apply" else []
        assert inside(verb, *more, "--json", "--ultralytics-path", package).document["exit_code"] == 0


@pytest.mark.parametrize("line", ["a" * 140_000 + ",sha256=x,1", 'ultralytics/nn/tasks.py,"' + "a" * 140_000])
def test_a_record_with_a_long_line_is_edited_like_another(package: Path, line: str) -> None:
    record = next(package.parent.glob("*.dist-info/RECORD"))
    record.write_text(line + "\n" + record.read_text())
    before = snapshot(package.parent)
    assert inside("apply", "--no-verify", "--ultralytics-path", package).code == 0
    assert inside("revert", "--ultralytics-path", package).code == 0
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("algorithm", ["sha999", "sha1234567890", "md5", "blake2b", "shake_128"])
def test_a_record_with_another_hash_is_edited_like_another(package: Path, algorithm: str) -> None:
    record = next(package.parent.glob("*.dist-info/RECORD"))
    record.write_text(record.read_text().replace(",sha256=", f",{algorithm}="))
    before = snapshot(package.parent)
    assert inside("apply", "--no-verify", "--ultralytics-path", package).code == 0
    assert inside("revert", "--ultralytics-path", package).code == 0
    assert snapshot(package.parent) == before


def test_an_output_that_names_a_folder_is_told(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "x.yaml"
    folder.mkdir()
    with pytest.raises(AccessError, match="ordinary"):
        write({folder: b"x"}, force=True)
    checkpoint, target = tmp_path / "x.pt", tmp_path / "y.pt"
    checkpoint.touch()
    target.mkdir()
    for more in ([], ["--force"]):
        named = ("--model", "yolov8_A2.yaml", "-o", target, "--json", "--ultralytics-path", package)
        answer = inside("transplant", checkpoint, *named, *more)
        assert (answer.code, answer.document["exit_code"]) == (2, 2)
        assert "folder" in answer.document["error"]["message"]
    answer = inside("verify", "--report", tmp_path, "--json", "--ultralytics-path", package)
    assert (answer.code, answer.document["exit_code"]) == (4, 4)


@posix
def test_a_package_with_links_to_nowhere_and_back_is_copied(package: Path, tmp_path: Path) -> None:
    package.joinpath("nowhere").symlink_to(package / "none")
    package.joinpath("nn/back").symlink_to(package)
    package.joinpath("nn/modules/itself").symlink_to("itself")
    os.mkfifo(package / "pipe")
    copy = _UntouchedCopy(package, {"nn/tasks.py": b"x"}, tmp_path / "copy").lay()
    assert copy.joinpath("nn/tasks.py").read_bytes() == b"x"
    gone = ("nowhere", "nn/back", "nn/modules/itself", "pipe")
    assert not [name for name in gone if os.path.lexists(copy / name)]


@posix
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "gbk"])
def test_what_a_console_can_t_show_ends_no_command(package: Path, tmp_path: Path, encoding: str) -> None:
    odd = Path(
        os.fsdecode(os.fsencode(tmp_path) + "/\N{SNOWMAN}\N{LATIN SMALL LETTER E WITH ACUTE}".encode() + b"\xe9")
    )
    package.parent.rename(odd)
    variables = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, str(ROOT / "cli.py"), "status", "--ultralytics-path", str(odd)]
    answer = subprocess.run(command, env=variables, capture_output=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert b"?" not in answer.stdout
    assert (os.fsencode(odd) in answer.stdout) == (encoding == "utf-8")
    answer = subprocess.run([*command, "--json"], env=variables, capture_output=True, check=False)
    assert answer.stdout.isascii()
    assert json.loads(answer.stdout)["tree"]["package"] == str(odd / "ultralytics")


@posix
@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError("no flock")])
def test_a_file_system_without_locks_is_told_and_left_as_it_was(package: Path, error: Exception) -> None:
    before = snapshot(package.parent)
    with mock.patch("fcntl.flock", side_effect=error):
        answer = inside("apply", "--no-verify", "--json", "--ultralytics-path", package)
    assert answer.code == answer.document["exit_code"] == 4
    assert "locks" in answer.document["error"]["remedy"]
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("name", ["VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PATH", "HOME", "PYENV_VERSION"])
def test_an_environment_that_can_t_be_is_none(package: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "n" * 300)
    assert inside("status", "--ultralytics-path", package).code == 0
    assert inside("apply", "--no-verify", "--ultralytics-path", package).code == 0
    assert inside("revert", "--ultralytics-path", package).code == 0

"""Where trees lie on Windows, how people name them, and what lays environments out there."""

from __future__ import annotations

import ntpath
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from a2patch.tree import Surroundings, environment
from a2patch.tree.search_path import site_folders
from tests.support.command import ROOT
from tests.support.files import snapshot
from tests.support.inside import inside

NOWHERE = (
    *(r"Q:\nowhere", r"\\server\share\lib", r"\\?\Z:\nowhere", "CON", "nul", r"C:nowhere", 'C:\\a<b>|"?*'),
    "C:" + r"\x" * 200,
)
FORMS: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "slashes": lambda path: path.replace("\\", "/"),
    "verbatim": lambda path: "\\\\?\\" + path,
}


def around(folder: Path, **variables: str) -> Surroundings:
    return Surroundings(folder, variables, Path(sys.executable))


def test_a_folder_of_a_chinese_user_there_and_back(package: Path) -> None:
    before = snapshot(package.parent)
    for verb in (["apply", "--no-verify"], ["status"], ["diff"], ["recover"], ["revert"]):
        command = [sys.executable, str(ROOT / "cli.py"), *verb, "--ultralytics-path", str(package)]
        answer = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        assert (answer.returncode, answer.stderr) == (0, b"")
        assert b"?" not in answer.stdout.split(b"\n")[0]
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("page", ["", "gbk", "cp437", "cp1252", "ascii", "utf-8"])
def test_a_pipe_gets_the_path_in_the_code_page_or_else_in_utf_8(package: Path, page: str) -> None:
    """A code page that a user names is kept; that of the system gives way to what it can't hold."""
    variables = os.environ | ({"PYTHONIOENCODING": page} if page else {})
    command = [sys.executable, str(ROOT / "cli.py"), "status", "--ultralytics-path", str(package)]
    out = subprocess.run(command, capture_output=True, check=True, env=variables, stdin=subprocess.DEVNULL).stdout
    asked = [sys.executable, "-c", "import sys; print(sys.stdout.encoding)"]
    said = subprocess.run(asked, capture_output=True, check=True, env=variables, text=True).stdout.strip()
    try:
        expected = str(package).encode(said)
    except UnicodeEncodeError:
        expected = str(package).encode(*([page, "backslashreplace"] if page else ["utf-8"]))
    assert expected in out


@pytest.mark.parametrize("named", NOWHERE)
@pytest.mark.parametrize("verb", ["status", "apply", "revert"])
def test_a_place_that_is_none_is_named_as_it_was_typed(named: str, verb: str) -> None:
    answer = inside(verb, "--json", "--ultralytics-path", named)
    assert answer.code == 4, answer.out
    told = answer.document["error"]
    assert told["kind"] in ("TreeNotFoundError", "AccessError")
    assert ntpath.basename(named) in told["path"]
    assert told["remedy"]


@pytest.mark.parametrize("how", FORMS)
def test_one_tree_however_it_is_typed(package: Path, how: str) -> None:
    found = environment.locate(Path(FORMS[how](str(package))), around(package.parent))
    assert found.package.samefile(package)
    assert (found.kind, found.is_renamed) == ("installed", False)


@pytest.mark.parametrize(
    ("files", "python"),
    [
        ((r"python.exe", "Lib/os.py", "conda-meta/history"), "python.exe"),
        (("python.exe", "python3.dll", "python311.dll", "python311.zip", "python311._pth"), "python.exe"),
        (("Scripts/python.exe", "pyvenv.cfg"), "Scripts/python.exe"),
    ],
    ids=["conda", "unpacked from an archive", "virtual environment"],
)
def test_the_layouts_of_environments(package: Path, tmp_path: Path, files: tuple[str, ...], python: str) -> None:
    prefix = tmp_path / "环境 一"
    for name in files:
        place = prefix / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"home = {sys.base_prefix}\n" if name == "pyvenv.cfg" else "", encoding="utf-8")
    site = prefix / "Lib" / "site-packages"
    site.parent.mkdir(exist_ok=True)
    package.parent.rename(site)
    assert site_folders(prefix / python, {"PYTHONNOUSERSITE": "1"}) == [site]
    for named in (prefix, site, site / "ultralytics"):
        found = environment.locate(named, around(tmp_path))
        assert found.package == site / "ultralytics"
        assert environment.interpreter_for(found, around(tmp_path)) == prefix / python


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_link_of_an_editable_install_in_any_encoding(
    package: Path, tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locale.getpreferredencoding", lambda do_setlocale=True: "gbk")
    site = tmp_path / "env/Lib/site-packages"
    site.mkdir(parents=True)
    scripts = tmp_path / "env/Scripts"
    scripts.mkdir()
    scripts.joinpath("python.exe").touch()
    tmp_path.joinpath("env/pyvenv.cfg").write_text("home = C:\\nowhere\n", encoding="utf-8")
    site.joinpath("__editable__.ultralytics.pth").write_bytes(f"{package.parent}\r\n".encode(encoding))
    assert environment.locate(tmp_path / "env", around(tmp_path)).package == package


def test_devices_and_streams_are_no_files_of_a_tree(package: Path) -> None:
    package.joinpath("nn/tasks.py").write_bytes(package.joinpath("nn/tasks.py").read_bytes() + b"# \x1a\r\n")
    answer = inside("status", "--json", "--ultralytics-path", package)
    assert answer.code == 0

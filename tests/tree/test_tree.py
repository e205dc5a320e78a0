"""Find a tree by any of its names; read inside it, never outside."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from a2patch.errors import A2PatchError, TreeNotFoundError
from a2patch.tree import environment, tree
from tests.support.trees import NEWEST, Unpack


def small(folder: Path, version: str = '__version__ = "8.3.1"\n') -> Path:
    package = folder / "ultralytics"
    package.joinpath("nn/modules").mkdir(parents=True)
    package.joinpath("nn/tasks.py").write_text("")
    package.joinpath("__init__.py").write_text(version)
    return package


def test_a_real_release_is_told(unpack: Unpack) -> None:
    found = tree.find(unpack())
    assert (found.kind, found.version) == ("installed", NEWEST)


def test_kinds(tmp_path: Path) -> None:
    assert tree.find(small(tmp_path / "vendored")).kind == "vendored"
    clone = tmp_path / "clone"
    clone.joinpath(".git").mkdir(parents=True)
    assert tree.find(small(clone).parent).kind == "checkout"
    assert tree.find(small(tmp_path / "lib/python3.11/site-packages")).kind == "installed"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('__version__ = "8.3.1"\n', "8.3.1"),
        ("__version__ = '0.0.2'\n", "0.0.2"),
        ("__version__ = open('VERSION').read()\n", ""),
        ("print 'hello'\n", ""),
    ],
)
def test_a_version_is_read_without_importing(tmp_path: Path, text: str, version: str) -> None:
    assert tree.find(small(tmp_path, text)).version == version


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "nn/../../x", "", "C:/x", "nn\\x", "nn/modules/../../../x"])
def test_a_path_that_leads_out_by_its_text_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(A2PatchError, match="no path inside a tree"):
        tree.find(small(tmp_path)).path(path)


@pytest.mark.skipif(os.name == "nt", reason="links need a right there that few users have")
def test_a_link_inside_that_leads_out_is_refused(tmp_path: Path) -> None:
    package = small(tmp_path / "tree")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    package.joinpath("nn/modules").rmdir()
    package.joinpath("nn/modules").symlink_to(elsewhere)
    with pytest.raises(A2PatchError, match="symbolic link"):
        tree.find(package).read("nn/modules/__init__.py")


@pytest.mark.skipif(os.name == "nt", reason="links need a right there that few users have")
def test_a_linked_package_is_found_at_its_real_place(tmp_path: Path) -> None:
    package = small(tmp_path / "clone")
    site = tmp_path / "site-packages"
    site.mkdir()
    site.joinpath("ultralytics").symlink_to(package)
    found = tree.find(site)
    assert found.package == package
    assert found.named == site / "ultralytics"


def test_the_interpreter_of_an_environment_is_its_own(tmp_path: Path) -> None:
    package = small(tmp_path / "env/lib/python3.11/site-packages")
    assert tree.interpreter_of(tree.find(package)) is None
    python = tmp_path / "env/bin/python3"
    python.parent.mkdir()
    python.write_text("")
    assert tree.interpreter_of(tree.find(package)) == python


def test_a_folder_called_site_packages_in_no_environment_has_none() -> None:
    assert tree.environment_python(Path("/site-packages")) is None


def test_nothing_is_found_where_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(TreeNotFoundError):
        tree.find(tmp_path)
    tmp_path.joinpath("ultralytics").mkdir()
    with pytest.raises(TreeNotFoundError):
        tree.find(tmp_path)


@pytest.mark.parametrize("named", ["env", "env/lib/python3.11/site-packages", "egg", "active"])
def test_a_zipped_egg_is_told_as_such(tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_imported_here", lambda around: None)  # the tests' own has one
    site = tmp_path / "env/lib/python3.11/site-packages"
    site.mkdir(parents=True)
    egg = site / "ultralytics-8.0.0-py3.11.egg"
    with zipfile.ZipFile(egg, "w") as archive:
        archive.writestr("ultralytics/nn/tasks.py", "")
    site.joinpath("easy-install.pth").write_text(f"./{egg.name}\n")
    python = tmp_path / "env/bin/python3"
    python.parent.mkdir()
    python.touch()
    tmp_path.joinpath("env/pyvenv.cfg").touch()
    around = environment.Surroundings(tmp_path, {"PATH": ""}, python)
    path = {"egg": egg, "active": None}.get(named, tmp_path / named)
    with pytest.raises(TreeNotFoundError, match="zipped egg") as told:
        environment.locate(path, around)
    assert told.value.path == egg

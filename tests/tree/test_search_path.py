"""What an interpreter imports, read off the disk; where the interpreter can run, it is the witness."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from a2patch.tree.search_path import find_package, interpreter_behind, site_folders

NAME = "ultralytics"
ASK = f"import importlib.util as u; s = u.find_spec({NAME!r}); print(s and s.origin or '')"

# As setuptools writes it, cut down to what finds a package.
FINDER = """\
import sys
from importlib.util import spec_from_file_location

MAPPING: dict[str, str] = {mapping!r}
NAMESPACES: dict[str, list[str]] = {{}}


class _EditableFinder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname in MAPPING:
            return spec_from_file_location(fullname, MAPPING[fullname] + "/__init__.py")


def install():
    sys.meta_path.append(_EditableFinder)
"""

# As hatchling writes it, with the class of the package `editables` in the same file.
REDIRECT = """\
import sys
from importlib.util import spec_from_file_location


class F:
    places = {{}}

    @classmethod
    def map_module(cls, name, place):
        cls.places[name] = place

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname in cls.places:
            return spec_from_file_location(fullname, cls.places[fullname])


sys.meta_path.append(F)
F.map_module({name!r}, {place!r})
"""


def make(folder: Path, name: str = NAME) -> Path:
    """Put a package into a folder."""
    package = folder / name
    package.mkdir(parents=True)
    package.joinpath("__init__.py").touch()
    return package


def environment(prefix: Path, *options: str) -> tuple[Path, Path]:
    """Make a virtual environment, and give its interpreter and its folder of packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", *options, str(prefix)], check=True)
    python = prefix / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    return python, Path(answer.stdout.strip())


def agreed(python: Path, folder: Path, **more: str) -> Path | None:
    """Read which package an interpreter imports, and see that the interpreter itself says the same."""
    variables: Mapping[str, str] = {"PATH": "", "HOME": str(folder), **more}
    folder.mkdir(exist_ok=True)
    answer = subprocess.run([python, "-c", ASK], cwd=folder, env=dict(variables), capture_output=True, check=True)
    origin = answer.stdout.decode().strip()
    found = find_package(NAME, python, folder, variables)
    assert found == (Path(origin).parent if origin else None)
    return found


def test_a_virtual_environment(tmp_path: Path) -> None:
    python, site = environment(tmp_path / "env")
    assert site_folders(python, {}) == [site]
    assert agreed(python, tmp_path / "here") is None
    package = make(site)
    assert agreed(python, tmp_path / "here") == package
    before = make(tmp_path / "on path")
    entries = os.pathsep.join(["", str(tmp_path / "nowhere"), str(before.parent)])
    assert agreed(python, tmp_path / "here", PYTHONPATH=entries) == before


@pytest.mark.parametrize("how", ["path", "mapping", "redirect"])
def test_an_editable_install(how: str, tmp_path: Path) -> None:
    python, site = environment(tmp_path / "env")
    clone = make(tmp_path / "my clone")
    if how == "path":
        site.joinpath("__editable__.ultralytics-8.4.190.pth").write_text(f"# a comment\n\n{clone.parent}\n")
    elif how == "mapping":
        site.joinpath("__editable__.ultralytics-8.4.190.pth").write_text("import finder_1; finder_1.install()")
        site.joinpath("finder_1.py").write_text(FINDER.format(mapping={"other": "/x", NAME: str(clone)}))
    else:
        site.joinpath("_ultralytics.pth").write_text("import _ultralytics")
        redirect = REDIRECT.format(name=NAME, place=str(clone / "__init__.py"))
        site.joinpath("_ultralytics.py").write_text(redirect)
    assert agreed(python, tmp_path / "here") == clone
    installed = make(site)  # by somebody who forgot the editable install
    assert agreed(python, tmp_path / "here") == installed


def test_an_editable_install_whose_clone_is_gone(tmp_path: Path) -> None:
    python, site = environment(tmp_path / "env")
    site.joinpath("gone.pth").write_text(str(tmp_path / "gone"))
    site.joinpath("broken.pth").write_text("import broken\nimport nothing of this is Python\n")
    site.joinpath("broken.py").write_text(f"MAPPING = {{'{NAME}': ")
    assert find_package(NAME, python, tmp_path, {}) is None


@pytest.mark.parametrize("name", ["pyvenv.cfg", "site-packages/x.pth", "site-packages/finder.py"])
def test_a_nul_is_in_no_path(name: str, tmp_path: Path) -> None:
    """Python itself would not start; a command that only looks has a clear ending all the same."""
    site = tmp_path / "lib/python3.11/site-packages"
    lay(tmp_path, "bin/python", "lib/python3.11/site-packages/other.py")
    lines = {
        "pyvenv.cfg": b"home = /usr\0/bin\ninclude-system-site-packages = true\n",
        "site-packages/x.pth": b"a\0b\n",
    }
    lines["site-packages/finder.py"] = b"MAPPING = {'ultralytics': '\\0'}\n"
    site.joinpath("link.pth").write_text("import finder")
    tmp_path.joinpath("pyvenv.cfg").touch()
    place = tmp_path / name if name == "pyvenv.cfg" else site.parent / name
    place.write_bytes(lines[name])
    assert find_package(NAME, tmp_path / "bin/python", tmp_path, {"PATH": "", "HOME": str(tmp_path)}) is None


@pytest.mark.parametrize("line", ["import finder, other", "import finder_{}"])
def test_a_list_of_megabytes_keeps_nobody_waiting(line: str, tmp_path: Path) -> None:
    lay(tmp_path, "bin/python", "pyvenv.cfg", "lib/python3.11/site-packages/finder.py")
    lines = (line.format(number) for number in range(150_000))
    tmp_path.joinpath("lib/python3.11/site-packages/link.pth").write_text("\n".join(lines))
    started = time.process_time()
    assert find_package(NAME, tmp_path / "bin/python", tmp_path, {"PATH": "", "HOME": str(tmp_path)}) is None
    assert time.process_time() - started < 1


def test_no_code_of_the_environment_runs(tmp_path: Path) -> None:
    python, site = environment(tmp_path / "env")
    site.joinpath("evil.pth").write_text(f"import evil; open({str(tmp_path / 'ran')!r}, 'w')")
    site.joinpath("evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')  # {NAME}")
    assert find_package(NAME, python, tmp_path, {}) is None
    assert not tmp_path.joinpath("ran").exists()


@pytest.mark.skipif(os.name == "nt", reason="links to interpreters")
def test_a_virtual_environment_that_sees_its_base(tmp_path: Path) -> None:
    inner, site = environment(tmp_path / "inner", "--system-site-packages")
    plain, _ = environment(tmp_path / "plain")
    here = tmp_path / "here"
    version = site.parent.name
    package = make(here / f".local/lib/{version}/site-packages")  # what its user has installed for this Python
    assert agreed(inner, here) == package
    assert agreed(plain, here) is None
    assert agreed(inner, here, PYTHONNOUSERSITE="1") is None
    other = make(tmp_path / f"base/lib/{version}/site-packages")
    assert agreed(inner, here, PYTHONUSERBASE=str(tmp_path / "base")) == other
    assert agreed(inner, here) == package
    own = make(site)
    assert agreed(inner, here) == own


def test_the_interpreter_of_this_machine(tmp_path: Path) -> None:
    base = Path(getattr(sys, "_base_executable", sys.executable))
    code = "import sys; print('\\n'.join(entry for entry in sys.path if entry.endswith('-packages')))"
    answer = subprocess.run([base, "-c", code], env={"HOME": str(tmp_path)}, check=True, capture_output=True, text=True)
    assert [str(place) for place in site_folders(base, {"HOME": str(tmp_path)})] == answer.stdout.split("\n")[:-1]


def lay(prefix: Path, *files: str) -> None:
    for file in files:
        place = prefix / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()


def test_conda(tmp_path: Path) -> None:
    lay(tmp_path, "bin/python3.11", "lib/python3.11/os.py", "lib/python3.1/readme")
    package = make(tmp_path / "lib/python3.11/site-packages")
    python = tmp_path / "bin/python3.11"
    assert find_package(NAME, python, tmp_path, {"HOME": str(tmp_path)}) == package


def test_windows(tmp_path: Path) -> None:
    home, roaming = tmp_path / "Python311", tmp_path / "Roaming"
    lay(home, "python.exe", "python3.dll", "python311.dll", "Lib/os.py")
    shared = make(home / "Lib/site-packages")
    variables = {"APPDATA": str(roaming)}
    assert find_package(NAME, home / "python.exe", tmp_path, variables) == shared
    own = make(roaming / "Python/Python311/site-packages")
    assert find_package(NAME, home / "python.exe", tmp_path, variables) == own

    lay(tmp_path / "env", "Scripts/python.exe")
    settings = tmp_path / "env/pyvenv.cfg"
    settings.write_text(f"home = {home}\ninclude-system-site-packages = false\nversion = 3.11.7\n")
    python = tmp_path / "env/Scripts/python.exe"
    assert find_package(NAME, python, tmp_path, variables) is None
    settings.write_text(f"home = {home}\ninclude-system-site-packages = true\nversion = 3.11.7\n")
    assert find_package(NAME, python, tmp_path, variables) == own
    inside = make(tmp_path / "env/Lib/site-packages")
    assert find_package(NAME, python, tmp_path, variables) == inside


def test_debian(tmp_path: Path) -> None:
    lay(tmp_path, "bin/python3.11", "lib/python3.11/os.py", "lib/python3.9/os.py", "lib/python3/dist-packages/x.py")
    package = make(tmp_path / "local/lib/python3.11/dist-packages")
    make(tmp_path / "local/lib/python3.11/site-packages")
    python = tmp_path / "bin/python3.11"
    assert find_package(NAME, python, tmp_path, {"HOME": str(tmp_path)}) == package


@pytest.mark.skipif(os.name == "nt", reason="pyenv is for POSIX")
def test_shims_of_pyenv(tmp_path: Path) -> None:
    root, here = tmp_path / "pyenv", tmp_path / "here/below"
    here.mkdir(parents=True)
    lay(root, "shims/python3", *(f"versions/{version}/bin/python3" for version in ("3.9.1", "3.11.9", "3.11.10")))
    lay(tmp_path, "bin/python3")
    tmp_path.joinpath("bin/python3").chmod(0o755)
    shim = root / "shims/python3"
    variables = {"PATH": os.pathsep.join([str(shim.parent), str(tmp_path / "bin")])}

    def behind(**more: str) -> Path:
        return interpreter_behind(shim, here, variables | more)

    assert behind() == tmp_path / "bin/python3"
    root.joinpath("version").write_text("3.9.1\n")
    assert behind() == root / "versions/3.9.1/bin/python3"
    here.parent.joinpath(".python-version").write_text("3.11\n")
    assert behind() == root / "versions/3.11.10/bin/python3"
    assert behind(PYENV_VERSION="3.8:3.11.9") == root / "versions/3.11.9/bin/python3"
    assert behind(PYENV_VERSION="system") == tmp_path / "bin/python3"
    assert interpreter_behind(tmp_path / "bin/python3", here, variables) == tmp_path / "bin/python3"

"""Read off the disk which package a Python interpreter imports, without starting that interpreter.

Starting one takes time and runs code of others: each `.pth` file may have some. What is read instead is what Python's
own `site` module reads: `pyvenv.cfg`, the layout of the installation, and the `.pth` files with the finders of editable
installs that they name. Left out are `sitecustomize`, `PYTHONHOME`, and packages in zip files.
"""

from __future__ import annotations

import ast
import locale
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from a2patch.tree.files import read_start
from a2patch.tree.syntax import NotPythonError, parse

_VERSIONED = re.compile(r"python3\.\d+t?")  # 3.13t is the one without the global lock
_SETTINGS = "pyvenv.cfg"
_LONGEST = 1 << 20  # bytes
_LONGEST_LIST = 1 << 17  # of a `.pth` file, which is a thousand folders
_WINDOWS = ("Lib/os.py", "python3.dll")  # of an installation there; the latter of one that is unpacked from an archive


def find_package(name: str, python: Path, folder: Path, variables: Mapping[str, str]) -> Path | None:
    """Find the folder of a package that an interpreter imports when the current folder holds no copy of it.

    Args:
        name: The package's name.
        python: The interpreter.
        folder: The folder that relative entries of `PYTHONPATH` start from.
        variables: The environment variables that the interpreter would see.

    Returns:
        The folder with the package's `__init__.py`, links not followed; None where the interpreter has no such package.
    """
    return next(iter(find_packages(name, python, folder, variables)), None)


def find_packages(name: str, python: Path, folder: Path, variables: Mapping[str, str]) -> list[Path]:
    """Find every folder of a package on the search path of an interpreter, the one that it imports first."""
    sites = site_folders(interpreter_behind(python, folder, variables), variables)
    lines = {site: [*_pth_lines(site)] for site in sites}
    entries = [folder / entry for entry in variables.get("PYTHONPATH", "").split(os.pathsep) if entry]
    for site in sites:
        entries += [site, *(site / line for line in lines[site] if not _is_code(line))]
    candidates = [entry / name for entry in entries]
    candidates += [  # the finders of editable installs come last on `sys.meta_path`
        place for site in sites for line in lines[site] if _is_code(line) for place in _mapped(name, site, line)
    ]
    return [place for place in candidates if place.joinpath("__init__.py").is_file()]


def site_folders(python: Path, variables: Mapping[str, str]) -> list[Path]:
    """Return the folders that an interpreter's packages are installed in, in the order of its search.

    Args:
        python: The interpreter, of an installation or of a virtual environment.
        variables: The environment variables that the interpreter would see.
    """
    settings = _environment_settings(python)
    if settings is None:
        return _installation_folders(python, variables)
    prefix = python.parent.parent
    found = [*prefix.glob("lib/python3*/site-packages"), prefix / "Lib/site-packages"]
    if settings.get("include-system-site-packages", "").lower() == "true" and "home" in settings:
        found += _installation_folders(_base_python(Path(settings["home"]), settings), variables)
    return [place for place in found if place.is_dir()]


def interpreter_behind(python: Path, folder: Path, variables: Mapping[str, str]) -> Path:
    """Return the interpreter that a shim of pyenv starts; any other interpreter as it is.

    Args:
        python: The interpreter, perhaps a shim.
        folder: The current folder, whose `.python-version` chooses.
        variables: The environment variables, of which `PYENV_VERSION` chooses before.
    """
    shims, root = python.parent, python.parent.parent
    if shims.name != "shims" or not root.joinpath("versions").is_dir():
        return python
    files = [place / ".python-version" for place in (folder, *folder.parents)] + [root / "version"]
    chosen = variables.get("PYENV_VERSION") or next((_text(file) for file in files if file.is_file()), "system")
    for version in chosen.replace(":", " ").split():
        if version == "system":
            path = (entry for entry in variables.get("PATH", "").split(os.pathsep) if Path(entry) != shims)
            return Path(shutil.which(python.name, path=os.pathsep.join(path)) or python)
        installed = [root / "versions" / version, *sorted(root.glob(f"versions/{version}.*"), key=_numbers)[::-1]]
        for place in (prefix / "bin" / python.name for prefix in installed):
            if place.is_file():
                return place
    return python


def _environment_settings(python: Path) -> dict[str, str] | None:
    """Return the settings of a virtual environment; None for the interpreter of an installation."""
    for place in (python.parent / _SETTINGS, python.parent.parent / _SETTINGS):
        if place.is_file():
            lines = _text(place).splitlines()
            pairs = (line.partition("=") for line in lines)
            return {key.strip().lower(): value.strip() for key, _, value in pairs}
    return None


def _base_python(home: Path, settings: Mapping[str, str]) -> Path:
    """Return the interpreter that a virtual environment was made from."""
    version = settings.get("version") or settings.get("version_info", "")
    name = "python" + ".".join(version.split(".")[:2])
    names = (name, "python3", "python", "python.exe")
    return next((home / name for name in names if home.joinpath(name).is_file()), home / name)


def _installation_folders(python: Path, variables: Mapping[str, str]) -> list[Path]:
    """Return the folders of packages of an interpreter that is in no virtual environment: its user's, then its own."""
    real = python.resolve()
    wanted = real.name if _VERSIONED.fullmatch(real.name) else "python3*"
    for prefix in real.parents:
        if any(prefix.joinpath(name).is_file() for name in _WINDOWS):
            found = [*_user_folders_on_windows(prefix, variables), prefix / "Lib/site-packages"]
            break
        library = next((landmark.parent for landmark in sorted(prefix.glob(f"lib*/{wanted}/os.py"))), None)
        if library is not None:
            found = [*_user_folders(prefix, library.name, variables), *_folders_below(prefix, library.name)]
            break
    else:
        return []
    return [place for place in found if place.is_dir()]


def _folders_below(prefix: Path, version: str) -> list[Path]:
    shared = prefix / "lib/python3/dist-packages"  # Debian's packages are for every Python 3 of its own
    kind = "dist-packages" if shared.is_dir() else "site-packages"
    local, own, platform = (prefix / f"{library}/{version}/{kind}" for library in ("local/lib", "lib", "lib64"))
    return [local, shared, own, platform]


def _user_folders(prefix: Path, version: str, variables: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folder of what one user has installed for all Pythons of a version."""
    if variables.get("PYTHONNOUSERSITE"):
        return
    home = _home(variables)
    if base := variables.get("PYTHONUSERBASE"):
        yield Path(base) / f"lib/{version}/site-packages"
    elif home is None:
        return
    elif sys.platform == "darwin" and "Python.framework" in prefix.parts:
        yield home / f"Library/Python/{version.removeprefix('python')}/lib/python/site-packages"
    else:
        yield home / f".local/lib/{version}/site-packages"


def _home(variables: Mapping[str, str]) -> Path | None:
    """Return the home of the user; None where the system knows none, as for a number without a name."""
    try:
        return Path(variables.get("HOME") or Path.home())
    except RuntimeError:
        return None


def _user_folders_on_windows(prefix: Path, variables: Mapping[str, str]) -> Iterator[Path]:
    base = variables.get("PYTHONUSERBASE") or variables.get("APPDATA")
    if base and not variables.get("PYTHONNOUSERSITE"):
        root = Path(base) if "PYTHONUSERBASE" in variables else Path(base) / "Python"
        for library in prefix.glob("python3?*.dll"):  # python311.dll; python3.dll is of no version
            yield root / library.stem.capitalize() / "site-packages"


def _pth_lines(site: Path) -> Iterator[str]:
    """Yield what the `.pth` files of a folder add to the search path: folders, or code."""
    for file in sorted(site.glob("[!.]*.pth")):
        text = _text(file, _LONGEST_LIST) if file.is_file() else ""  # a pipe would make us wait forever
        for line in dict.fromkeys(text.splitlines()):  # each line of code is parsed, and read for each interpreter
            if line.strip() and not line.startswith("#"):
                yield line.rstrip()


def _is_code(line: str) -> bool:
    return line.startswith(("import ", "import\t"))


def _mapped(name: str, site: Path, line: str) -> Iterator[Path]:
    """Yield where the finders of an editable install, which a line of a `.pth` file imports, find a package."""
    for module in _imported(line):
        file = site / f"{module}.py"
        source = (read_start(file, _LONGEST) or b"") if file.is_file() else b""
        if name.encode() not in source:
            continue
        for node in ast.walk(_parsed(source)):
            match node:
                case (  # setuptools
                    ast.Assign(targets=[ast.Name(id="MAPPING")], value=ast.Dict() as mapping)
                    | ast.AnnAssign(target=ast.Name(id="MAPPING"), value=ast.Dict() as mapping)
                ):
                    pairs: Iterable[tuple[ast.expr | None, ast.expr]] = zip(mapping.keys, mapping.values, strict=True)
                case ast.Call(func=ast.Attribute(attr="map_module"), args=[key, value]):  # hatchling, pdm
                    pairs = [(key, value)]
                case _:
                    continue
            for pair in pairs:
                match pair:
                    case (ast.Constant(value=str(package)), ast.Constant(value=str(place))) if package == name:
                        yield Path(place).parent if place.endswith("__init__.py") else Path(place)


def _imported(line: str) -> list[str]:
    imports = (node for node in ast.walk(_parsed(line)) if isinstance(node, ast.Import))
    return [alias.name for node in imports for alias in node.names]


def _parsed(source: str | bytes) -> ast.Module:
    """Return a syntax tree; an empty one for what is no Python."""
    try:
        return parse(source)
    except NotPythonError:
        return ast.Module([], [])


def _text(file: Path, longest: int = _LONGEST) -> str:
    """Return the text of a file of Python's own, without NULs; older Pythons take the system's encoding."""
    content = (read_start(file, longest) or b"").replace(b"\0", b"")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(locale.getpreferredencoding(False), "surrogateescape")


def _numbers(place: Path) -> list[int]:
    return [int(number[:18]) for number in re.findall(r"\d+", place.name)]

"""Released wheels and source archives of ultralytics, fetched once into a cache outside every tree."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from a2patch.errors import A2PatchError
from a2patch.patch import numbers
from a2patch.tree import PACKAGE

# Releases that are broken on their own, and how.
BROKEN = {"8.0.179": "its wheel has no data files, no model YAML among them; it does not import"}


def cache(variables: Mapping[str, str]) -> Path:
    """Where released wheels are kept: `A2PATCH_CACHE`, else a folder below the user's cache folder.

    Args:
        variables: The environment variables.
    """
    if named := variables.get("A2PATCH_CACHE"):
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("a2patch", appauthor=False) / "releases"


def published() -> list[str]:
    """Every 8.x release that the registry of this machine's pip has, oldest first.

    Raises:
        A2PatchError: The registry can't be reached.
    """
    answer = _pip("index", "versions", PACKAGE)
    found = re.search(r"Available versions: (.*)", answer)
    versions = [version for version in found[1].split(", ") if version.startswith("8.")] if found else []
    return sorted(versions, key=numbers)


def wheel(release: str, cache: Path) -> Path:
    """The wheel of a release, fetched with pip unless the cache has it.

    Args:
        release: The release, such as `"8.3.0"`.
        cache: The folder of the cache.

    Raises:
        A2PatchError: The registry has no such wheel, or can't be reached.
    """
    return _fetched(release, cache / f"{PACKAGE}-{release}-py3-none-any.whl", "--only-binary=:all:")


def source(release: str, cache: Path) -> Path:
    """The source archive of a release, which has upstream's own tests; fetched with pip unless the cache has it.

    Args:
        release: The release.
        cache: The folder of the cache.

    Raises:
        A2PatchError: The registry has no such archive, or can't be reached.
    """
    return _fetched(release, cache / f"{PACKAGE}-{release}.tar.gz", "--no-binary=:all:")


def unpack(release: str, cache: Path, target: Path) -> Path:
    """Unpack a release as pip would, and give the package folder.

    Args:
        release: The release.
        cache: The folder of the cache.
        target: Stands for `site-packages`.

    Raises:
        A2PatchError: The registry has no such wheel, or can't be reached.
    """
    with zipfile.ZipFile(wheel(release, cache)) as archive:
        archive.extractall(target)
    return target / PACKAGE


def _fetched(release: str, place: Path, kind: str) -> Path:
    """Fetch a file of a release with pip unless it is there, and return its place."""
    if not place.is_file():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            _pip("download", "--quiet", "--no-deps", kind, "--dest", folder, f"{PACKAGE}=={release}")
            (found,) = Path(folder).iterdir()
            found.replace(place)
    return place


def _pip(*arguments: str) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise A2PatchError(
            "pip could not fetch a release", found=answer.stderr.strip(), remedy="Look at the network and try again."
        )
    return answer.stdout

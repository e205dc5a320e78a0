"""Trees that a2patch 0.1.0 patched are reverted and upgraded to the byte, by the receipts that it left.

`data` has the receipts as 0.1.0 wrote them, and a digest of each tree as 0.1.0 left it. The trees are made anew from
the release, by git from the diffs in the receipt.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zlib import decompress

import pytest

from a2patch.transaction import files, receipt, record
from a2patch.tree import tree
from tests.support import miniature
from tests.support.command import a2patch
from tests.support.files import snapshot
from tests.support.miniature import act
from tests.support.trees import NEWEST

DATA = Path(__file__).parent / "data"
Snapshot = dict[str, tuple[str, bytes]]


def windows(package: Path) -> None:
    """Give every file Windows line endings."""
    for place in (*package.rglob("*.py"), *package.rglob("*.yaml")):
        place.write_bytes(place.read_bytes().replace(b"\n", b"\r\n"))


def comment(package: Path) -> None:
    """Put a comment where the versioned diffs expect none, so that one is derived."""
    place = package / "nn/tasks.py"
    place.write_bytes(place.read_bytes().replace(b"elif m is Concat:\n", b"elif m is Concat:  # \xe8\xbf\x9e\n"))


@dataclass(frozen=True)
class Case:
    """A tree before 0.1.0 patched it.

    Attributes:
        release: The release that it is cut from.
        kind: One of `miniature.KINDS`.
        edit: What its user did to it.
    """

    release: str
    kind: str
    edit: Callable[[Path], object] = bool


CASES = {
    "installed": Case(NEWEST, "installed"),
    "single-module": Case("8.0.50", "installed"),
    "crlf": Case("8.1.0", "vendored", windows),
    "model": Case("8.0.200", "installed"),  # with a model file by `insert --install`
    "derived": Case(NEWEST, "vendored", comment),
}


def pristine(case: Case, cache: Path, root: Path) -> Path:
    package = miniature.cut(case.release, cache, root, case.kind)
    case.edit(package)
    return package


def digest(found: Snapshot) -> str:
    """One digest of everything in a tree."""
    parts = [f"{path} {kind} {hashlib.sha256(content).hexdigest()}" for path, (kind, content) in sorted(found.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def patch(package: Path, name: str) -> None:
    """Make of a pristine tree what 0.1.0 left, and see that it is that."""
    content = DATA.joinpath(f"{name}.json").read_bytes()
    kept = json.loads(content)
    text = "".join(diff["text"] for diff in kept["diffs"]).encode("utf-8", "surrogateescape")
    miniature.require_git()
    command = ["git", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(command, cwd=package.parent, input=text, check=True)
    for path, model in kept["models"].items():
        package.joinpath(path).write_bytes(decompress(b64decode(model)))
    for path, lines in kept["records"].items():
        place = package.joinpath(path).resolve()
        entries = [record.Entry(about, *(line and line.encode() for line in pair)) for about, *pair in lines]
        place.write_bytes(record.edit(place.read_bytes(), entries))
    package.joinpath(files.FOLDER).mkdir()
    package.joinpath(files.RECEIPT).write_bytes(content)
    package.joinpath(files.IGNORE).write_bytes(files.IGNORED)
    assert digest(snapshot(package.parent)) == json.loads(DATA.joinpath("trees.json").read_bytes())[name]


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_0_1_0_patched_is_reverted(cache: Path, tmp_path: Path, name: str) -> None:
    package = pristine(CASES[name], cache, tmp_path)
    before = snapshot(package.parent)
    patch(package, name)
    answer = a2patch("status", "--json", "--ultralytics-path", package)
    assert answer.document["tree"]["state"] == "applied"
    act("revert", package)
    assert snapshot(package.parent) == before


def test_what_0_1_0_patched_is_upgraded(cache: Path, tmp_path: Path, name: str) -> None:
    """To this a2patch, and to another that brings other files; each as if nothing had been there before."""
    package = pristine(CASES[name], cache, tmp_path / "patched")
    fresh = pristine(CASES[name], cache, tmp_path / "fresh")
    before = snapshot(package.parent)
    patch(package, name)
    kept = receipt.load(tree.find(package))
    assert kept is not None
    act("apply", package)
    act("apply", fresh)
    assert without_notes(package, kept) == without_notes(fresh, kept)
    with miniature.older(tmp_path / "other"):
        act("apply", package)
        act("revert", fresh)
        act("apply", fresh)
    assert b"(old)" in package.joinpath(created(kept)).read_bytes()
    assert without_notes(package, kept) == without_notes(fresh, kept)
    act("revert", package)
    assert snapshot(package.parent) == before


def created(kept: receipt.Receipt) -> str:
    """The module file."""
    return next(file.path for diff in kept.diffs for file in diff.files if diff.site == "module")


def without_notes(package: Path, kept: receipt.Receipt) -> Snapshot:
    """A tree without its receipt, and without the models that were installed and the installer's list of them."""
    found = snapshot(package)
    return {path: entry for path, entry in found.items() if path not in {files.RECEIPT, *kept.models}}

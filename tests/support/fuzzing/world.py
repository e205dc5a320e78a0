"""A folder with a tree in it and things around it that nobody may touch; it is brought back to a state in a moment."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from a2patch.protocol import EVENTS, Version, encode
from a2patch.transaction import commit
from tests.support import miniature
from tests.support.inside import inside

RELEASES = ("8.0.200", "8.4.190")
RECEIPT, JOURNAL, LOCK = ".a2patch/receipt.json", ".a2patch/journal.json", ".a2patch/lock"
SITES = ("nn/tasks.py", "nn/modules/__init__.py", "__init__.py")
OURS = ("nn/modules/double_attention.py", "cfg/models/v8/yolov8_A2.yaml")
"""Files of a tree, by their paths in it."""
ENVIRONMENT = "env"
PYTHON = f"{ENVIRONMENT}/bin/python3"
SITE = f"{ENVIRONMENT}/lib/python3.11/site-packages"
SPECIAL = ("pipe", "folder", "loop", "outside", "gone", "unreadable")
"""What can be put in place of a file besides bytes."""

Entry = tuple[str, bytes]
State = Mapping[str, Entry]
MODEL = b"nc: 80\nbackbone:\n  - [-1, 1, Conv, [64, 3, 2]]\nhead:\n  - [[0], 1, Detect, [nc]]\n"


def state(root: Path) -> dict[str, Entry]:
    """Return everything below a folder, also what is no file, by its path."""
    found: dict[str, Entry] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            place = Path(folder, name)
            mode = place.lstat().st_mode
            kind = "x" if stat.S_ISREG(mode) and mode & 0o100 else stat.filemode(mode)[0]
            content = place.read_bytes() if kind in "-x" else os.fsencode(place.readlink()) if kind == "l" else b""
            found[place.relative_to(root).as_posix()] = kind, content
    return found


def restore(root: Path, wanted: State, now: State) -> None:
    """Bring a folder to a state."""
    for path in sorted(now, reverse=True):
        if now[path] != wanted.get(path) and os.path.lexists(root / path):
            place = root / path
            shutil.rmtree(place) if now[path][0] == "d" else place.unlink()
    for path, (kind, content) in sorted(wanted.items()):
        place = root / path
        if os.path.lexists(place):
            continue
        if kind == "d":
            place.mkdir()
        elif kind == "l":
            place.symlink_to(os.fsdecode(content))
        else:
            place.write_bytes(content)
            place.chmod(0o755 if kind == "x" else 0o644)


def script(root: Path, ending: str = "", version: str = "3.11.7") -> bytes:
    """Return a script in the place of an interpreter, which leaves behind that it was started.

    Args:
        root: The folder that is compared; the file `started` lies beside it.
        ending: What it does in the end.
        version: What it says of itself, in the events of a probe; nothing where that is empty.
    """
    told = f"echo '{encode(Version('python', version))}' >>\"${{3%/*}}/{EVENTS}\"\n" if version else ""
    return f"#!/bin/sh\n: >'{root.parent}/started'\n{told}{ending}\n".encode()


class World:
    """A folder with a tree, an environment that links to it, and things outside that nobody may touch.

    Attributes:
        root: The folder, which is compared. Beside it lie folders that are not.
        states: What inputs begin with, by names that begin with the state of the tree.
    """

    def __init__(self, root: Path, cache: Path) -> None:
        self.root = root
        self.states: dict[str, State] = {}
        self._trees: dict[str, str] = {}
        for name in ("home", "tmp"):  # not compared
            root.parent.joinpath(name).mkdir(exist_ok=True)
        for release in RELEASES:
            self._make(release, cache)
        self._make(RELEASES[-1], cache, "checkout")

    def tree(self, start: str) -> str:
        """Return the path of the package folder in a state."""
        return self._trees[start]

    @property
    def started(self) -> Path:
        """The file that an interpreter leaves behind once it was started."""
        return self.root.parent / "started"

    @property
    def canary(self) -> Path:
        """The folder that code in a file makes once it was run."""
        return self.root.parent / "was_run"

    def _make(self, release: str, cache: Path, kind: str = "installed") -> None:
        """Make the states that inputs begin with: pristine, patched, half patched by a command that died."""
        restore(self.root, {}, state(self.root))
        package = miniature.cut(release, cache, self.root, kind)
        package.joinpath("utils").mkdir()  # without it, a release is too old for transplants
        package.joinpath("utils/__init__.py").touch()
        name = f"{release} {kind}"
        self._surround(package)
        self._note(f"pristine {name}", package)
        assert inside("apply", "--no-verify", "--ultralytics-path", package).code == 0
        self._note(f"applied {name}", package)
        restore(self.root, self.states[f"pristine {name}"], state(self.root))
        with mock.patch.object(commit, "finish", side_effect=RuntimeError("killed")):  # once the journal is in place
            inside("apply", "--no-verify", "--ultralytics-path", package)
        assert package.joinpath(JOURNAL).exists()
        package.joinpath(LOCK).touch()
        self._note(f"interrupted {name}", package)

    def _note(self, name: str, package: Path) -> None:
        self.states[name] = state(self.root)
        self._trees[name] = package.relative_to(self.root).as_posix()

    def _surround(self, package: Path) -> None:
        root = self.root
        for folder in ("here", "outside", f"{ENVIRONMENT}/bin", SITE):
            root.joinpath(folder).mkdir(parents=True)
        root.joinpath("outside/file").write_bytes(b"nobody's business\n")
        root.joinpath("here/m.yaml").write_bytes(MODEL)
        root.joinpath("here/m.pt").write_bytes(b"PK\x03\x04 no checkpoint")
        root.joinpath(ENVIRONMENT, "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
        root.joinpath(SITE, "x.pth").write_text(f"{package.parent}\n")
        for info in root.glob("site-packages/*.dist-info"):
            info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: ultralytics\n")
        python = root / PYTHON
        python.write_bytes(script(root))
        python.chmod(0o755)


def put(root: Path, path: str, content: bytes | str) -> None:
    """Put something in place of a file."""
    place = root / path
    if not place.parent.is_dir():
        return
    if place.is_symlink() or place.is_file() or (os.path.lexists(place) and not place.is_dir()):
        place.unlink()
    elif place.is_dir():
        if isinstance(content, bytes):
            return
        shutil.rmtree(place)
    match content:
        case bytes():
            place.write_bytes(content)
            place.chmod(0o755 if place.parent.name == "bin" else 0o644)
        case "pipe":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
        case "loop":
            place.symlink_to(place.name)
        case "outside":
            place.symlink_to(root / "outside/file")
        case "unreadable":
            place.touch(0o000)

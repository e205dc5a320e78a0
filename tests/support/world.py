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
TREE = "site-packages/ultralytics"
RECEIPT, JOURNAL = f"{TREE}/.a2patch/receipt.json", f"{TREE}/.a2patch/journal.json"
SITES = (f"{TREE}/nn/tasks.py", f"{TREE}/nn/modules/__init__.py", f"{TREE}/__init__.py")
OURS = (f"{TREE}/nn/modules/double_attention.py", f"{TREE}/cfg/models/v8/yolov8_A2.yaml")
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
            kind = stat.filemode(mode)[0]
            content = place.read_bytes() if kind == "-" else os.fsencode(place.readlink()) if kind == "l" else b""
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


class World:
    """A folder with a tree, an environment that links to it, and things outside that nobody may touch."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.root = root
        self.states: dict[str, State] = {}
        for name in ("home", "tmp"):  # not compared
            root.parent.joinpath(name).mkdir(exist_ok=True)
        for release in RELEASES:
            self._make(release, cache)

    def _make(self, release: str, cache: Path) -> None:
        """Make the states that inputs begin with: pristine, patched, half patched by a command that died."""
        restore(self.root, {}, state(self.root))
        miniature.cut(release, cache, self.root)
        self._surround()
        self.states[f"pristine {release}"] = state(self.root)
        assert inside("apply", "--no-verify", "--ultralytics-path", self.root / TREE).code == 0
        self.states[f"applied {release}"] = state(self.root)
        restore(self.root, self.states[f"pristine {release}"], state(self.root))
        with mock.patch.object(commit, "finish", side_effect=RuntimeError("killed")):  # once the journal is in place
            inside("apply", "--no-verify", "--ultralytics-path", self.root / TREE)
        assert self.root.joinpath(JOURNAL).exists()
        self.root.joinpath(TREE, ".a2patch/lock").touch()
        self.states[f"interrupted {release}"] = state(self.root)

    def _surround(self) -> None:
        root = self.root
        for folder in ("here", "outside", "env/bin", "env/lib/python3.11/site-packages"):
            root.joinpath(folder).mkdir(parents=True)
        root.joinpath("outside/file").write_bytes(b"nobody's business\n")
        root.joinpath("here/m.yaml").write_bytes(MODEL)
        root.joinpath("here/m.pt").write_bytes(b"PK\x03\x04 no checkpoint")
        root.joinpath("env/pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
        root.joinpath("env/lib/python3.11/site-packages/x.pth").write_text(f"{root / 'site-packages'}\n")
        python, version = root / "env/bin/python3", encode(Version("python", "3.11.7"))
        python.write_text(f"#!/bin/sh\necho '{version}' >>\"${{3%/*}}/{EVENTS}\"\n")
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

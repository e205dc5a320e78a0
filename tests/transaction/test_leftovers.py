"""Disks and locks that refuse: what a command had begun to write is gone when it says so."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from filelock import FileLock

from a2patch.errors import AccessError, ConflictError
from a2patch.runner import insert
from tests.support.files import snapshot
from tests.support.miniature import act


def refuse(code: int) -> object:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(code, os.strerror(code))

    return refuse


@pytest.mark.skipif(os.name == "nt", reason="Windows locks otherwise")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EIO, errno.EINVAL])
def test_where_files_cannot_be_locked_nothing_is_left(
    package: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(package.parent)
    monkeypatch.setattr("fcntl.flock", refuse(code))
    with pytest.raises(AccessError):
        act("apply", package)
    assert snapshot(package.parent) == before
    package.joinpath("nn/tasks.py").write_bytes(b"def parse_model(): ...\n")  # refused for another reason
    before = snapshot(package.parent)
    with pytest.raises(ConflictError):
        act("apply", package)
    assert snapshot(package.parent) == before


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_command_that_refuses_a_journal_lets_go_of_the_lock(package: Path, tmp_path: Path) -> None:
    folder = package / ".a2patch"
    folder.mkdir()
    folder.joinpath("lock").touch()
    folder.joinpath("journal.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AccessError, match="symbolic link") as kept:  # what it raises holds on to what it had
        act("apply", package)
    with FileLock(folder / "lock", timeout=0):
        assert kept.value.path == folder / "journal.json"


@pytest.mark.parametrize("operation", ["fsync", "replace"])
@pytest.mark.parametrize("place", ["m.yaml", "new/below/m.yaml", "there/m.yaml"])
def test_a_model_that_does_not_fit_on_the_disk_leaves_nothing(
    tmp_path: Path, place: str, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("there").mkdir()
    before = snapshot(tmp_path)
    monkeypatch.setattr(os, operation, refuse(errno.ENOSPC))
    with pytest.raises(AccessError, match="No space left"):
        insert.write({tmp_path / place: b"nc: 1\n"}, force=False)
    assert snapshot(tmp_path) == before

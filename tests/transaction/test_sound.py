"""Trees that are sound, and odd: what stands beside the patch is no obstacle to it unless it is by a name of ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from a2patch.errors import ConflictError
from tests.support.files import snapshot
from tests.support.miniature import act

CLASS = "class DoubleAttentionLayer: ...\n"


def write(path: str, text: str) -> Callable[[Path], object]:
    def write(package: Path) -> None:
        place = package / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")

    return write


def append(path: str, text: str) -> Callable[[Path], object]:
    return lambda package: package.joinpath(path).write_text(package.joinpath(path).read_text("utf-8") + text, "utf-8")


def link(path: str, target: str, content: str = "") -> Callable[[Path], object]:
    def link(package: Path) -> None:
        outside = package.parent.parent / target
        if content:
            outside.write_text(content, "utf-8")
        package.joinpath(path).symlink_to(outside)

    return link


SOUND = {
    "a device of Windows": write("nn/modules/aux.py", CLASS.replace("DoubleAttentionLayer", "Aux")),
    "a folder that is one": write("nn/con/nul.py", "x = 1\n"),
    "a name with a line ending": write("nn/modules/odd\nname.py", "x = 1\n"),
    "a link that leads out": link("nn/modules/theirs.py", "theirs.py", "x = 1\n"),
    "a dangling link": link("nn/modules/theirs.py", "nowhere.py"),
    "a linked YAML": link("cfg/models/v8/theirs.yaml", "theirs.yaml", "nc: 1\n"),
    "a docstring": append(
        "nn/modules/conv.py", '\ndef f():\n    """Like DoubleAttentionLayer and\n    DoubleAttentionBlock."""\n'
    ),
    "a string": append("nn/modules/conv.py", '\nNOTE = "see DoubleAttentionLayer"\nNAME = "DoubleAttentionBlock"\n'),
    "a comment": append("nn/tasks.py", "\n# DoubleAttentionLayer\n"),
    "a docstring in tasks": append("nn/tasks.py", '\ndef f():\n    """Knows DoubleAttentionLayer."""\n'),
    "a longer name": append("nn/modules/conv.py", "\nclass MyDoubleAttentionLayer2: ...\n"),
    "a docstring of the modules": append("nn/modules/__init__.py", '\n"""DoubleAttentionBlock."""\n'),
}
TAKEN = {
    "a class": append("nn/modules/conv.py", f"\n{CLASS}"),
    "a function": append("nn/modules/conv.py", "\ndef DoubleAttentionLayer(): ...\n"),
    "an import": append("nn/tasks.py", "\nfrom theirs import DoubleAttentionLayer\n"),
    "another name of an import": append("nn/tasks.py", "\nfrom theirs import X as DoubleAttentionBlock\n"),
    "a variable": append("nn/modules/conv.py", "\nDoubleAttentionLayer = object\n"),
    "a use of a module's": append("nn/modules/conv.py", "\nX = theirs.DoubleAttentionLayer\n"),
    "an export": append("nn/modules/block.py", '\n__all__ += ("DoubleAttentionLayer",)\n'),
    "a comparison by name": append("nn/tasks.py", '\nx = m.__name__ == "DoubleAttentionLayer"\n'),
    "no Python": write("nn/modules/broken.py", f"print 1\n{CLASS}"),
    "a linked class": link("nn/modules/theirs.py", "theirs.py", CLASS),
}


@pytest.mark.skipif(os.name == "nt", reason="names, links and pipes that Windows does not have")
@pytest.mark.parametrize("what", SOUND)
def test_a_sound_tree_is_patched_and_comes_back(package: Path, what: str) -> None:
    SOUND[what](package)
    before = snapshot(package.parent)
    act("apply", package)
    act("revert", package)
    assert snapshot(package.parent) == before


@pytest.mark.skipif(os.name == "nt", reason="no pipes in folders there")
def test_a_pipe_beside_is_not_waited_for(package: Path) -> None:
    os.mkfifo(package / "nn/modules/pipe.py")
    act("apply", package)
    act("revert", package)


@pytest.mark.skipif(os.name == "nt", reason="links need a right there that few users have")
@pytest.mark.parametrize("what", TAKEN)
def test_a_name_of_ours_is_an_obstacle(package: Path, what: str) -> None:
    TAKEN[what](package)
    before = snapshot(package.parent)
    with pytest.raises(ConflictError) as refused:
        act("apply", package)
    assert "DoubleAttention" in refused.value.found
    assert snapshot(package.parent) == before


def test_folders_that_disappear_while_they_are_looked_through(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = package / "nn/gone/below"
    gone.mkdir(parents=True)
    gone.joinpath("x.py").touch()
    scan = os.scandir

    def vanish(place: str | os.PathLike[str] = ".") -> object:
        if Path(place).name == "gone" and gone.exists():
            gone.joinpath("x.py").unlink()
            gone.rmdir()
            gone.parent.rmdir()
        return scan(place)

    monkeypatch.setattr(os, "scandir", vanish)
    act("apply", package)
    assert not gone.exists()

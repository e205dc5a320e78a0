"""The working design for YOLO11 and YOLO26: brought where a release has these, and nowhere else."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from a2patch.errors import A2PatchError, ConflictError
from a2patch.graph import read_text
from a2patch.patch import series
from a2patch.transaction import Operation, look_at, operations
from a2patch.tree import tree as trees
from patches import releases
from tests.support import miniature
from tests.support.command import ROOT, a2patch
from tests.support.files import contents
from tests.support.models import stock_texts
from tests.support.trees import NEWEST

SOURCES = ROOT / "patches" / "double_attention" / "sources"
V8 = {"cfg/models/v8/yolov8_A2.yaml", "cfg/models/v8/yolov8_DANet.yaml"}
OF_11, OF_26 = "cfg/models/11/yolo11_A2.yaml", "cfg/models/26/yolo26_A2.yaml"
BASES = re.compile(r"ultralytics/cfg/models/(?:11|26)/yolo(?:11|26)\.yaml")
Make = Callable[..., Path]


@pytest.fixture
def make(cache: Path, tmp_path: Path) -> Make:
    """Make a miniature tree that has the bases of the later families too."""

    def cut(release: str, place: str = "") -> Path:
        package = miniature.cut(release, cache, tmp_path / place)
        with zipfile.ZipFile(releases.wheel(release, cache)) as archive:
            archive.extractall(package.parent, [name for name in archive.namelist() if BASES.fullmatch(name)])
        return package

    return cut


def models(package: Path) -> set[str]:
    """Return the models of ours that a tree has."""
    return {path.relative_to(package).as_posix() for path in package.rglob("*.yaml") if "_A2" in path.name} | {
        path.relative_to(package).as_posix() for path in package.rglob("*_DANet.yaml")
    }


def state_by_its_bytes(package: Path) -> str:
    """Return the state that a tree has without its receipt."""
    receipt = package / ".a2patch/receipt.json"
    kept = receipt.read_bytes()
    receipt.unlink()
    state = look_at(trees.find(package)).state
    receipt.write_bytes(kept)
    return state


def replaced(path: Path, old: str, new: str) -> None:
    """Replace a text in a file."""
    content = path.read_bytes()
    assert re.search(old.encode(), content)
    path.write_bytes(re.sub(old.encode(), new.encode(), content))


@pytest.mark.parametrize("family", ["11", "26"])
def test_two_stages_of_a_family_are_what_insert_writes(family: str, cache: Path, tmp_path: Path) -> None:
    """Its rows and their comments; around them stands what each scale costs, measured on this release."""
    from tests.graph.test_edit import put

    new = put(stock_texts(NEWEST, cache)[f"yolo{family}.yaml"], "P3", "P4")
    shipped = (SOURCES / f"yolo{family}_A2.yaml").read_text(encoding="utf-8")

    def told(text: str) -> list[str]:
        lines = [line.partition(" # summary")[0].partition(f" # YOLO{family}")[0] for line in text.splitlines()]
        return [line for line in lines if not line.startswith(("#", "scales:"))]

    assert told(new) == told(shipped)
    assert [layer.place for layer in read_text(shipped).layers if layer.kind == "DoubleAttentionBlock"] == [5, 8]
    assert len(re.findall(rf"# YOLO{family}[nsmlx]_A2 summary: \d+ layers, \d+ parameters", shipped)) == 5


@pytest.mark.parametrize(
    ("release", "brought"),
    [
        ("8.0.0", None),
        ("8.0.200", V8),
        ("8.2.0", V8),
        ("8.3.0", {*V8, OF_11}),
        ("8.3.100", {*V8, OF_11}),
        ("8.4.0", {*V8, OF_11, OF_26}),
        (NEWEST, {*V8, OF_11, OF_26}),
    ],
)
def test_a_release_gets_the_families_that_it_has(release: str, brought: set[str] | None, make: Make) -> None:
    package = make(release)
    before = contents(package.parent)
    done = miniature.act("apply", package)
    assert isinstance(done, Operation)
    assert not done.notes
    assert not any(diff.derived for diff in done.diffs)
    if brought is not None:
        assert models(package) == brought
    seen = look_at(trees.find(package))
    assert (seen.state, operations.fault_of(seen)) == ("applied", "not verified")
    assert state_by_its_bytes(package) == "applied"
    miniature.act("revert", package)
    assert contents(package.parent) == before


@pytest.mark.parametrize(
    ("version", "gone", "brought"),
    [
        ("8.2.0", (), {*V8, OF_11, OF_26}),  # a version is a hint, the content decides
        ("8.3.1", (), {*V8, OF_11, OF_26}),
        ("0.1", (), {*V8, OF_11, OF_26}),
        (NEWEST, ("26",), {*V8, OF_11}),
        (NEWEST, ("11",), {*V8, OF_26}),
        (NEWEST, ("11", "26"), V8),
        (NEWEST, ("v8",), {*V8, OF_11, OF_26}),
    ],
)
def test_what_lies_in_a_tree_decides(version: str, gone: tuple[str, ...], brought: set[str], make: Make) -> None:
    package = make(NEWEST)
    replaced(package / "__init__.py", r'__version__ = "[\d.]+"', f'__version__ = "{version}"')
    (package / "cfg/default.yaml").touch()  # by which it is told where a release keeps its models
    for family in gone:
        for path in (package / "cfg/models" / family).glob("*.yaml"):
            path.unlink()
    before = contents(package.parent)
    done = miniature.act("apply", package)
    assert isinstance(done, Operation)
    assert models(package) == brought
    assert any(diff.derived for diff in done.diffs) == ("v8" in gone)
    assert look_at(trees.find(package)).state == "applied"
    assert state_by_its_bytes(package) == "applied"
    miniature.act("revert", package)
    assert contents(package.parent) == before


@pytest.mark.parametrize(
    ("family", "old", "new"),
    [
        ("11", "nc: 80", "nc: 4"),
        ("11", r"C3k2, \[512, True\]", "C3k2, [512, False]"),
        ("26", "end2end: True", "end2end: False"),
        ("26", "nc: 80", "activation: nn.ReLU()\nnc: 80"),
        ("v8", "nc: 80", "activation: nn.ReLU()\nnc: 80"),
    ],
)
def test_ours_are_made_from_the_trees_own(family: str, old: str, new: str, make: Make) -> None:
    package = make(NEWEST)
    stock = package / f"cfg/models/{family}/yolo{family}.yaml"
    replaced(stock, old, new)
    before = contents(package.parent)
    miniature.act("apply", package)
    assert models(package) == {*V8, OF_11, OF_26}
    ours = (package / f"cfg/models/{family}/yolo{family}_A2.yaml").read_text(encoding="utf-8")
    assert ours.startswith(f"# Made by a2patch from yolo{family}.yaml: DoubleAttentionBlock behind layers 4 and 6")
    assert new in ours
    for other in {"11", "26", "v8"} - {family}:
        text = (package / f"cfg/models/{other}/yolo{other}_A2.yaml").read_text(encoding="utf-8")
        assert text == (SOURCES / f"yolo{other}_A2.yaml").read_text(encoding="utf-8")
    assert look_at(trees.find(package)).state == "applied"
    miniature.act("revert", package)
    assert contents(package.parent) == before


@pytest.mark.parametrize("path", [OF_26, "cfg/models/mine/yolo11_A2.yaml", "cfg/models/11/yolo11s_A2.yaml"])
def test_a_file_of_the_user_by_that_name_is_named_and_kept(path: str, make: Make) -> None:
    """As it is for YOLOv8: nothing is written, and its place is told."""
    package = make(NEWEST)
    (package / path).parent.mkdir(exist_ok=True)
    (package / path).write_text("mine: true\n", encoding="utf-8")
    before = contents(package.parent)
    assert look_at(trees.find(package)).state == "foreign"
    with pytest.raises(ConflictError) as raised:
        miniature.act("apply", package)
    assert path in raised.value.found
    assert contents(package.parent) == before


@pytest.mark.parametrize("path", ["cfg/models/v8/yolo11_A2.yaml", OF_26])
def test_the_name_is_free_where_the_family_is_not(path: str, make: Make) -> None:
    package = make("8.2.0")
    (package / path).parent.mkdir(parents=True, exist_ok=True)
    (package / path).write_text("mine: true\n", encoding="utf-8")
    before = contents(package.parent)
    miniature.act("apply", package)
    assert look_at(trees.find(package)).state == "applied"
    miniature.act("revert", package)
    assert contents(package.parent) == before


@pytest.mark.parametrize("path", [OF_11, OF_26])
def test_one_that_was_deleted_is_missed_and_put_in_again(path: str, make: Make) -> None:
    package = make(NEWEST)
    miniature.act("apply", package)
    content = (package / path).read_bytes()
    (package / path).unlink()
    assert look_at(trees.find(package)).state == "partial"
    miniature.act("apply", package)
    assert (package / path).read_bytes() == content
    assert look_at(trees.find(package)).state == "applied"


def test_one_that_was_edited_is_refused_and_saved(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    package = make(NEWEST)
    before = contents(package.parent)
    miniature.act("apply", package)
    replaced(package / OF_11, "nc: 80", "nc: 4")
    assert look_at(trees.find(package)).state == "edited"
    with pytest.raises(A2PatchError, match="edited"):
        miniature.act("revert", package)
    assert a2patch("revert", "--force", "--ultralytics-path", package).code == 0
    assert contents(package.parent) == before
    assert b"nc: 4" in (tmp_path / "a2patch-your-edits.patch").read_bytes()


@contextmanager
def before_the_families(folder: Path) -> Iterator[None]:
    """Be an a2patch that knows no later family."""
    if not folder.exists():
        shutil.copytree(series.folder(), folder)
        for later in (*folder.glob("cfg/8.3.*"), *folder.glob("cfg/8.4.*")):
            later.unlink()
    with mock.patch.object(series, "folder", return_value=folder):
        yield


def test_what_an_older_a2patch_patched_is_reverted_and_upgraded(make: Make, tmp_path: Path) -> None:
    package, fresh = make(NEWEST, "patched"), make(NEWEST, "fresh")
    before = contents(package.parent)
    with before_the_families(tmp_path / "older"):
        miniature.act("apply", package)
    assert models(package) == V8
    assert look_at(trees.find(package)).state == "applied"
    miniature.act("revert", package)
    assert contents(package.parent) == before
    with before_the_families(tmp_path / "older"):
        miniature.act("apply", package)
    miniature.act("apply", package)
    miniature.act("apply", fresh)
    assert models(package) == {*V8, OF_11, OF_26}
    assert contents(package.parent) == contents(fresh.parent)
    miniature.act("revert", package)
    assert contents(package.parent) == before


def test_a_receipt_takes_no_other_file_of_these_folders(make: Make) -> None:
    package = make(NEWEST)
    miniature.act("apply", package)
    receipt = package / ".a2patch/receipt.json"
    document = json.loads(receipt.read_bytes())
    entry = next(entry for entry in document["diffs"] if entry["site"] == "cfg")
    entry["text"] = entry["text"].replace("yolo26_A2.yaml", "yolo26.yaml")
    receipt.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(A2PatchError, match="damaged"):
        miniature.act("revert", package)

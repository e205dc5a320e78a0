"""Real installers on patched packages, and the `RECORD` by which they know what to remove."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from a2patch.transaction import record as installers
from a2patch.transaction.record import Entry
from patches import releases
from tests.support.command import a2patch
from tests.support.files import contents, snapshot
from tests.support.trees import NEWEST, Unpack

OLDER = "8.3.253"
SITE = "Lib/site-packages" if os.name == "nt" else f"lib/python3.{sys.version_info.minor}/site-packages"
RECORD = (
    b"ultralytics/__init__.py,sha256=aaa,10\r\n"
    b'"ultralytics/with,comma.py",sha256=ccc,3\r\n'
    b"ultralytics/nn/tasks.py,sha256=bbb,20\r\n"
    b"ultralytics-8.4.190.dist-info/RECORD,,"
)

Install = Callable[..., Path]


@pytest.fixture
def wheels(cache: Path) -> list[str]:
    for release in (OLDER, NEWEST):
        releases.wheel(release, cache)
    return ["--no-index", "--no-deps", f"--find-links={cache}"]


@pytest.fixture
def pip(tmp_path: Path, wheels: list[str]) -> Callable[..., Path]:
    """An environment with pip in it; runs it there, and gives the folder of packages."""
    prefix = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    python = prefix / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def pip(*arguments: str) -> Path:
        options = wheels if arguments[0] == "install" else ["--yes"]
        command = [sys.executable, "-m", "pip", "--python", str(python), *arguments, *options]
        subprocess.run(command, check=True, capture_output=True, env=dict(os.environ) | {"PYTHONPATH": ""})
        return prefix / SITE

    return pip


def uv(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "uv", "--quiet", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


def names(site: Path) -> set[str]:
    return {path for path in snapshot(site) if "ultralytics" in path}


def state(site: Path) -> str:
    return str(a2patch("status", "--json", "--ultralytics-path", site).document["tree"]["state"])


def test_pip_knows_of_our_files_while_they_are_there(pip: Install) -> None:
    site = pip("install", f"ultralytics=={NEWEST}")
    before = snapshot(site)
    assert a2patch("apply", "--no-verify", "--ultralytics-path", site).code == 0
    assert {path for path, entry in snapshot(site).items() if before.get(path, entry) != entry} == {
        "ultralytics/nn/modules/__init__.py",
        "ultralytics/nn/tasks.py",
        f"ultralytics-{NEWEST}.dist-info/RECORD",
    }
    assert a2patch("revert", "--ultralytics-path", site).code == 0
    assert snapshot(site) == before

    assert a2patch("apply", "--no-verify", "--ultralytics-path", site).code == 0
    pip("uninstall", "ultralytics")
    assert names(site) == set()


def test_pip_upgrade_while_patched_and_a_new_patch_leave_nothing_of_the_old(pip: Install, tmp_path: Path) -> None:
    site = pip("install", "--no-compile", f"ultralytics=={OLDER}")
    assert a2patch("apply", "--no-verify", "--ultralytics-path", site).code == 0
    pip("install", "--no-compile", "--upgrade", f"ultralytics=={NEWEST}")
    assert state(site) == "pristine"  # the RECORD told pip of our files
    assert "DoubleAttention" not in site.joinpath("ultralytics/nn/tasks.py").read_text("utf-8")
    before = snapshot(site)
    assert a2patch("apply", "--no-verify", "--ultralytics-path", site).code == 0
    assert a2patch("revert", "--ultralytics-path", site).code == 0
    assert snapshot(site) == before


@pytest.mark.parametrize(("old", "new"), [(OLDER, NEWEST), ("8.0.50", "8.2.0")])
def test_an_upgrade_that_knows_nothing_of_us_is_stale_and_patched_anew(
    cache: Path, tmp_path: Path, old: str, new: str
) -> None:
    site, clean = tmp_path / "site-packages", tmp_path / "clean"
    releases.unpack(old, cache, site)
    assert a2patch("apply", "--no-verify", "--ultralytics-path", site).code == 0
    with zipfile.ZipFile(releases.wheel(old, cache)) as archive:
        for name in archive.namelist():
            site.joinpath(name).unlink()
    releases.unpack(new, cache, site)
    releases.unpack(new, cache, clean)
    for folder in sorted((place for place in site.rglob("*") if place.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()

    assert state(site) == "stale"
    answer = a2patch("apply", "--no-verify", "--json", "--ultralytics-path", site)
    assert answer.code == 0, answer.err
    assert old in " ".join(answer.document["notes"])
    assert a2patch("apply", "--no-verify", "--ultralytics-path", clean).code == 0
    site.joinpath("ultralytics/.a2patch/receipt.json").unlink()
    clean.joinpath("ultralytics/.a2patch/receipt.json").unlink()
    assert contents(site) == contents(clean)


def test_a_stale_tree_is_reverted_to_the_new_release(cache: Path, tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    package = releases.unpack("8.0.50", cache, site)
    assert a2patch("apply", "--no-verify", "--ultralytics-path", site).code == 0
    shutil.rmtree(next(site.glob("*.dist-info")))
    for name in ("nn/modules.py", "nn/tasks.py", "yolo/v8/models/yolov8n.yaml"):
        package.joinpath(name).unlink(missing_ok=True)
    releases.unpack(NEWEST, cache, site)
    assert a2patch("revert", "--ultralytics-path", site).code == 0
    assert not [path for path in snapshot(site) if "double_attention" in path or "_A2" in path or ".a2patch" in path]


def test_uv_links_one_cache_into_two_environments(tmp_path: Path, wheels: list[str]) -> None:
    sites = []
    for name in ("one", "two"):
        uv("venv", tmp_path / name, "--python", sys.executable)
        uv("pip", "install", "--python", tmp_path / name, "--link-mode=hardlink", f"--cache-dir={tmp_path / 'cache'}",
           *wheels, f"ultralytics=={NEWEST}")  # fmt: skip
        sites.append(tmp_path / name / SITE)
    assert sites[0].joinpath("ultralytics/nn/tasks.py").samefile(sites[1] / "ultralytics/nn/tasks.py")
    other, cached, before = snapshot(sites[1]), snapshot(tmp_path / "cache"), snapshot(sites[0])

    assert a2patch("apply", "--no-verify", "--ultralytics-path", tmp_path / "one").code == 0
    assert (state(sites[0]), state(sites[1])) == ("applied", "pristine")
    assert (snapshot(sites[1]), snapshot(tmp_path / "cache")) == (other, cached)
    assert a2patch("revert", "--ultralytics-path", tmp_path / "one").code == 0
    assert snapshot(sites[0]) == before
    assert (snapshot(sites[1]), snapshot(tmp_path / "cache")) == (other, cached)

    assert a2patch("apply", "--no-verify", "--ultralytics-path", tmp_path / "two").code == 0
    uv("pip", "uninstall", "--python", tmp_path / "two", "ultralytics")
    assert names(sites[1]) == set()


def test_an_editable_install_is_patched_where_its_source_lies(tmp_path: Path, unpack: Unpack) -> None:
    package = unpack(NEWEST, "clone")
    shutil.rmtree(next(package.parent.glob("*.dist-info")))
    uv("venv", tmp_path / "env", "--python", sys.executable)
    site = tmp_path / "env" / SITE
    info = site / f"ultralytics-{NEWEST}.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(f"Name: ultralytics\nVersion: {NEWEST}\n")
    info.joinpath("direct_url.json").write_text(json.dumps({"dir_info": {"editable": True}}))
    info.joinpath("RECORD").write_text("_ultralytics.pth,,\n")
    site.joinpath("_ultralytics.pth").write_text(f"{package.parent}\n")
    before = snapshot(site)
    answer = a2patch("apply", "--no-verify", "--json", "--ultralytics-path", tmp_path / "env")
    assert answer.code == 0, answer.err
    assert answer.document["tree"]["package"] == str(package)
    assert snapshot(site) == before


def test_a_record_changed_meanwhile_loses_only_our_lines(unpack: Unpack) -> None:
    package = unpack()
    record = next(package.parent.glob("*.dist-info")) / "RECORD"
    pristine = record.read_bytes()
    assert a2patch("apply", "--no-verify", "--ultralytics-path", package).code == 0
    theirs = b"ultralytics/mine.py,,\n"
    record.write_bytes(theirs + record.read_bytes().replace(b"ultralytics/__init__.py,", b"ultralytics/__init__.py,x"))
    assert a2patch("revert", "--ultralytics-path", package).code == 0
    assert record.read_bytes() == theirs + pristine.replace(b"ultralytics/__init__.py,", b"ultralytics/__init__.py,x")


def test_without_a_receipt_our_files_leave_the_record(unpack: Unpack) -> None:
    package = unpack()
    assert a2patch("apply", "--no-verify", "--ultralytics-path", package).code == 0
    package.joinpath(".a2patch/receipt.json").unlink()
    assert a2patch("revert", "--ultralytics-path", package).code == 0
    record = next(package.parent.glob("*.dist-info")).joinpath("RECORD").read_bytes()
    assert b"double_attention" not in record
    assert b"a2patch" not in record


def test_lines_go_in_and_out_to_the_byte() -> None:
    files = {"nn/tasks.py": b"new", "nn/modules/double_attention.py": b"ours", "with,comma.py": b"new", "gone.py": None}
    entries = installers.entries(RECORD, files, unhashed=())
    edited = installers.edit(RECORD, entries)
    assert edited.count(b"\r\n") == edited.count(b"\n") == RECORD.count(b"\n") + 1
    assert b'"ultralytics/with,comma.py",sha256=EQeqe' not in RECORD
    assert edited.endswith(b"ultralytics-8.4.190.dist-info/RECORD,,")
    assert installers.edit(edited, [entry.reversed() for entry in entries]) == RECORD


def test_a_line_that_is_no_longer_ours_is_left_alone() -> None:
    assert installers.edit(RECORD, [Entry("nn/tasks.py", b"ultralytics/nn/tasks.py,sha256=zzz,1", b"x")]) == RECORD

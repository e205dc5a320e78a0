"""Packages that somebody renamed are tried as any other, whether their code says `ultralytics` or their own name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.command import a2patch
from tests.support.miniature import act
from tests.support.trees import NEWEST, Unpack

pytest.importorskip("torch")


@pytest.mark.parametrize("thorough", [False, True])
def test_a_renamed_package_is_verified(unpack: Unpack, thorough: bool) -> None:
    package = unpack(NEWEST, "work")
    package = package.rename(package.with_name("doclayout_yolo" if thorough else "ultralytics_bak"))
    if thorough:
        for place in package.rglob("*.py"):
            place.write_text(place.read_text("utf-8").replace("ultralytics", "doclayout_yolo"), "utf-8")
    act("apply", package)
    answer = a2patch("verify", "--quick", "--json", "--python", sys.executable, "--ultralytics-path", package)
    assert answer.code == 0, answer.out + answer.err
    checks = {check["name"]: check for check in answer.document["verdict"]["checks"]}
    assert checks["import"]["figure"] == str(package)
    assert checks["register"]["result"] == checks["build"]["result"] == "pass"


def test_a_library_that_is_missing_is_not_the_package_itself(unpack: Unpack, tmp_path: Path) -> None:
    package = unpack(NEWEST, "work")
    package = package.rename(package.with_name("doclayout_yolo"))
    for place in package.rglob("*.py"):
        place.write_text(place.read_text("utf-8").replace("ultralytics", "doclayout_yolo"), "utf-8")
    act("apply", package)
    package.joinpath("utils/loss.py").unlink()
    answer = a2patch("verify", "--quick", "--json", "--python", sys.executable, "--ultralytics-path", package)
    assert answer.code == 1, answer.out + answer.err  # the tree is broken, and no library is missing
    checks = {check["name"]: check for check in answer.document["verdict"]["checks"]}
    assert checks["import"]["result"] == "fail"

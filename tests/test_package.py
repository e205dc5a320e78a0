"""What is built is what works: the wheel, installed as pip does it."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.support.command import ROOT
from tests.support.files import snapshot
from tests.support.trees import Unpack


def pip(*arguments: str | Path, cwd: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)


def test_an_installed_wheel_patches_and_reverts(unpack: Unpack, tmp_path: Path) -> None:
    pip("wheel", "--no-deps", "--wheel-dir", tmp_path / "wheels", ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.joinpath("wheels").glob("*.whl")
    pip("install", "--no-deps", "--target", tmp_path / "installed", wheel, cwd=tmp_path)
    assert tmp_path.joinpath("installed", "a2patch", "report", "html.css").is_file()
    package = unpack()
    before = snapshot(package.parent)

    def run(command: str) -> None:
        code = "from a2patch.cli import main; main()"
        arguments = [sys.executable, "-P", "-c", code] if sys.version_info >= (3, 11) else [sys.executable, "-c", code]
        environment = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
        options = ["--no-verify"] if command == "apply" else []
        arguments += [command, *options, "--ultralytics-path", str(package)]
        answer = subprocess.run(arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr

    run("apply")
    assert package.joinpath("nn/modules/double_attention.py").is_file()
    run("revert")
    assert snapshot(package.parent) == before


def test_the_source_distribution_carries_the_diffs(tmp_path: Path) -> None:
    code = f"from hatchling.build import build_sdist; build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    diffs = {place.relative_to(ROOT).as_posix() for place in ROOT.glob("patches/*/*/*.diff")}
    assert diffs | {"patches/double_attention/sources/double_attention.py", "cli.py", "LICENSE"} <= names

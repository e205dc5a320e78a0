"""What is built is what works: the wheel, installed as pip does it, and the sdist, which tests itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.support.command import ROOT
from tests.support.files import contents, snapshot
from tests.support.trees import Unpack


def pip(*arguments: str | Path, cwd: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)


def test_an_installed_wheel_patches_and_reverts(unpack: Unpack, tmp_path: Path) -> None:
    pip("wheel", "--no-deps", "--wheel-dir", tmp_path / "wheels", ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.joinpath("wheels").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert all(name.startswith(("a2patch/", "a2patch-")) for name in names)
    assert not [name for name in names if re.match(r"a2patch/patches/[^/]*$", name)], "the tools are not for users"
    kept = contents(ROOT / "patches", without={"__pycache__"})
    folders = {path: content for path, content in kept.items() if "/" in path}
    assert {f"a2patch/patches/{path}" for path in folders} <= set(names), (
        "a folder of patches/ is not in pyproject.toml"
    )
    assert not [name for name in names if "__pycache__" in name]
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


def test_the_source_distribution_tests_itself(tmp_path: Path) -> None:
    """It has every file of the folders that are worked in; all its tests are collected, and a few quick ones run."""
    code = f"from hatchling.build import build_sdist; build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    shutil.unpack_archive(sdist, tmp_path)
    root = tmp_path / sdist.name.removesuffix(".tar.gz")
    for folder in (".ci", "a2patch", "benchmarks", "patches", "tests"):
        assert contents(root / folder) == contents(ROOT / folder, without={"__pycache__"}), folder
    for name in ("LICENSE", "Makefile", "cli.py", "pyproject.toml"):
        assert root.joinpath(name).read_bytes() == ROOT.joinpath(name).read_bytes()

    quick = "test_fit or test_imports or test_mapping or test_series"
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", quick]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    answer = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout[-3000:]
    count = re.search(r"(\d+) passed, (\d+) deselected", answer.stdout)
    assert count is not None, answer.stdout[-3000:]
    assert int(count[1]) > 100
    assert int(count[2]) > 400

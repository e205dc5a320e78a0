"""Stands for Python's `venv`, which the archive of CPython for Windows leaves out; makes environments alike."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path


def create(
    env_dir: str | Path, system_site_packages: bool = False, symlinks: bool = False, with_pip: bool = False
) -> None:
    """Make a virtual environment; the parameters are those of Python's own."""
    if with_pip:
        raise NotImplementedError("there is no ensurepip here")
    folder, base = Path(env_dir).absolute(), Path(getattr(sys, "_base_executable", sys.executable))
    for name in ("Include", "Lib/site-packages", "Scripts"):
        folder.joinpath(name).mkdir(parents=True, exist_ok=True)
    lines = [f"home = {base.parent}", f"include-system-site-packages = {str(system_site_packages).lower()}"]
    lines += ["version = " + ".".join(map(str, sys.version_info[:3])), f"executable = {base}"]
    folder.joinpath("pyvenv.cfg").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    shutil.copy(base, folder / "Scripts" / "python.exe")


if __name__ == "__main__":
    parser = argparse.ArgumentParser("venv")
    parser.add_argument("--system-site-packages", action="store_true")
    parser.add_argument("--without-pip", action="store_true")
    parser.add_argument("env_dir")
    asked = parser.parse_args()
    create(asked.env_dir, asked.system_site_packages, with_pip=not asked.without_pip)

"""What a probe needs of its interpreter, and what to say where that is missing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from a2patch.errors import ToolMissingError
from a2patch.protocol import Check, LibraryUnfit, Version
from a2patch.runner.process import ProbeResult

# Where the name of a library that is imported is not the name that it is installed by.
_DISTRIBUTIONS = {
    "cpuinfo": "py-cpuinfo",
    "cv2": "opencv-python",
    "hub_sdk": "hub-sdk",
    "IPython": "ipython",
    "hydra": "hydra-core",
    "PIL": "pillow",
    "git": "gitpython",
    "thop": "ultralytics-thop",
    "yaml": "pyyaml",
}


def require_tools(interpreter: Path, probe: ProbeResult) -> None:
    """Make sure that the interpreter can try the package at all.

    Raises:
        ToolMissingError: It can't.
    """
    if probe.missing and "import" not in probe.checks:  # torch is wanted before all else
        _raise_missing(interpreter, probe.missing)
    unfit = probe.last(LibraryUnfit)
    if unfit:
        raise ToolMissingError(
            f"{unfit.library} doesn't load under the interpreter of the tree",
            path=interpreter,
            found=unfit.error,
            remedy="Its torch and torchvision must be a matching pair; install one with "
            + _pip(interpreter, ["--force-reinstall", "torch", "torchvision"]),
        )
    if not probe.last(Version):
        raise ToolMissingError(
            "The interpreter of the tree can't run the probe; it must be Python 3.8 or newer",
            path=interpreter,
            found=probe.ending,
            remedy="Name another with --python.",
        )


def require_libraries(interpreter: Path, probe: ProbeResult, checks: Mapping[str, Check]) -> None:
    """Make sure that no library is missing, unless a fault was found that this must not hide.

    Raises:
        ToolMissingError: Libraries are missing, and no check found a fault.
    """
    if probe.missing and all(check.result != "fail" for check in checks.values()):
        _raise_missing(interpreter, probe.missing)


def _raise_missing(interpreter: Path, modules: Sequence[str]) -> None:
    """Raise the error that names missing libraries and the command that installs them."""
    names = [_DISTRIBUTIONS.get(module, module) for module in modules]
    if "torch" in names and "torchvision" not in names:
        names.append("torchvision")
    names.sort(key=lambda name: (not name.startswith("torch"), name))
    raise ToolMissingError(
        f"This release needs {', '.join(names)}, which its interpreter lacks",
        path=interpreter,
        remedy=_pip(interpreter, names),
    )


def _pip(interpreter: Path, arguments: Sequence[str]) -> str:
    """Return the command that installs something for an interpreter."""
    return shlex.join([str(interpreter), "-m", "pip", "install", *arguments])

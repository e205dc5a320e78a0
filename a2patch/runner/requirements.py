"""What a probe needs of its interpreter, and what to say where that is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from a2patch.errors import ToolMissingError
from a2patch.protocol import Check, LibrariesMissing, LibraryUnfit, Version, command_line
from a2patch.runner.result import ProbeResult


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
            + pip(interpreter, ["--force-reinstall", "torch", "torchvision"]),
        )
    if not probe.last(Version):
        raise ToolMissingError(
            "the interpreter of the tree can't run the probe; it must be Python 3.8 or newer",
            path=interpreter,
            found=probe.ending,
            remedy="Name another with --python.",
        )


def require_libraries(interpreter: Path, probes: Sequence[ProbeResult], checks: Mapping[str, Check]) -> None:
    """Make sure that no library is missing, unless a fault was found that this must not hide.

    Raises:
        ToolMissingError: Libraries are missing, and no check found a fault.
    """
    missing = [probe.missing for probe in probes if probe.missing]
    if missing and all(check.result != "fail" for check in checks.values()):
        _raise_missing(interpreter, max(missing, key=lambda each: len(each.names)))


def require_all(interpreter: Path, probe: ProbeResult, who: str) -> None:
    """Make sure that no library is missing.

    Args:
        interpreter: The interpreter.
        probe: What the probe said.
        who: What needs it, as the beginning of a sentence.

    Raises:
        ToolMissingError: Libraries are missing.
    """
    if probe.missing:
        _raise_missing(interpreter, probe.missing, who)


def _raise_missing(interpreter: Path, missing: LibrariesMissing, who: str = "this tree") -> None:
    """Raise the error that names missing libraries and the command that installs them."""
    names = list(missing.distributions)
    if "torch" in names and "torchvision" not in names:
        names.append("torchvision")
    names.sort(key=lambda name: (not name.startswith("torch"), name.lower()))
    unknown = missing.unknown if names else missing.names
    remedy = pip(interpreter, names) if names else ""
    if unknown:
        maker = "the tree" if who == "this tree" else "it"
        origin = f"It is not known here what provides {', '.join(unknown)}: ask whoever made {maker}."
        remedy = f"{remedy}\n{origin}".strip()
    needed = [*names, *(f"the module {name}" for name in unknown)]
    raise ToolMissingError(
        f"{who} needs {', '.join(needed)}, which its interpreter lacks",
        path=interpreter,
        remedy=remedy,
    )


def pip(interpreter: Path, arguments: Sequence[str]) -> str:
    """Return the command that installs something for an interpreter."""
    return command_line([str(interpreter), "-m", "pip", "install", *arguments])

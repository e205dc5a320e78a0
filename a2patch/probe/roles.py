"""Do what a request asks, in order."""

from __future__ import annotations

import platform
import traceback
from importlib import import_module
from pathlib import Path
from typing import Dict, Tuple

from a2patch.probe.events import Channel, exhausted, missing_library
from a2patch.probe.imports import import_libraries, import_tree, missing, uncollected
from a2patch.probe.runtime.compat import move_home
from a2patch.probe.runtime.sandbox import apply_settings, go_offline, put_in_line
from a2patch.protocol import Done, Exhausted, Request, Role, Version, decode

# Where each role is played: a module of the probe, imported once the tree is, and a function of the request and the
# channel. The class of a request follows from its role.
_ROLES: Dict[Role, Tuple[str, str]] = {
    "patched": ("verify", "try_patched"),
    "trainer": ("verify", "try_patched"),
    "untouched": ("verify", "try_untouched"),
    "training": ("verify", "try_untouched_training"),
    "gpu": ("verify", "try_on_gpu"),
    "insert": ("verify", "try_inserted"),
    "worker": ("checks.ddp_worker", "work"),
    "figures": ("figures.draw", "draw_figures"),
    "transplant": ("transplant.graft", "transplant"),
    "trial": ("trial.trial", "try_classes"),
    "prepare": ("compare.prepare", "prepare"),
    "train": ("compare.train", "train"),
    "measure": ("compare.measure", "measure"),
}


def main(request_path: str) -> int:
    """Do what the request in a file asks.

    Args:
        request_path: The file, in the home of this probe, which is where events and files go.

    Returns:
        0: what was found is told by the events.
    """
    path = Path(request_path)
    request = decode(path.read_text(encoding="utf-8"))
    if not isinstance(request, Request):
        raise TypeError("{} holds no request".format(path))
    package = Path(request.package)
    channel = Channel(path.parent, request.checks)
    channel.package = package.name
    try:
        _do(request, channel, package)
    except Exception as error:
        traceback.print_exc()  # to the log
        what = exhausted(error)
        # Of a module of ours that needs it; what else escapes is a fault of ours.
        library = missing_library(error, package.name) if isinstance(error, ModuleNotFoundError) else ""
        if what:
            channel.emit(Exhausted(what))
        if what or not library:
            raise
        channel.lacks(library)
    if channel.missing:
        channel.emit(missing(channel.missing, package))
    channel.emit(Done())
    return 0


def _do(request: Request, channel: Channel, package: Path) -> None:
    """Do what a request asks, as far as its libraries and its tree can be imported."""
    channel.emit(Version("python", platform.python_version()))
    go_offline()
    channel.added_path = put_in_line(package, channel.scratch)
    move_home(package, channel.scratch)
    with uncollected():
        ready = import_libraries(request, channel, package)
        if ready and request.role == "gpu":  # most often there is none: then the tree need not be imported again
            ready = import_module("torch").cuda.is_available()
        ready = ready and import_tree(request, channel, package)
    if ready:
        apply_settings()
        module, function = _ROLES[request.role]
        getattr(import_module("a2patch.probe." + module), function)(request, channel)

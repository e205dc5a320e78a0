"""Import what a request needs: its libraries, and the tree, which is proved to be the tree."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Iterator, List

from a2patch.probe.events import Channel, Finding, exhausted, last_line, missing_library
from a2patch.probe.runtime.distributions import to_install
from a2patch.probe.runtime.libraries import installed, missing_libraries
from a2patch.protocol import Exhausted, LibrariesMissing, LibraryUnfit, Request, Version

# What importing a release begins with, in the layouts of all releases.
_STARTS = ["nn.tasks", "models", "engine.model", "engine.trainer", "models.yolo.detect", "yolo.engine.model", "yolo.v8"]


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage meanwhile, and from ever looking for it in what is there at the end.

    Nearly all that is imported stays, and looking through it again and again takes a fifth of the time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def import_libraries(request: Request, channel: Channel, package: Path) -> bool:
    """Import torch, and its vision library where it is asked for; say why where that fails."""
    for name in request.libraries:
        channel.trying("importing " + name)
        if not _import_library(name, channel, package):
            return False
    torch = import_module("torch")
    channel.emit(Version("torch", str(torch.__version__)))
    torch.set_num_threads(request.threads)
    return True


def _import_library(name: str, channel: Channel, package: Path) -> bool:
    try:
        import_module(name)
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        what, library = exhausted(error), missing_library(error, package.name)
        if what:
            channel.emit(Exhausted(what))
        if library and not installed(library):
            channel.lacks(library)
        else:  # a pair that doesn't match, mostly
            channel.emit(LibraryUnfit(name, last_line(error)))
        return False
    return True


def missing(modules: List[str], package: Path) -> LibrariesMissing:
    """Return what to tell where libraries are missing: all that are, so that they can be installed at once."""
    names = sorted({*modules, *missing_libraries(package, _STARTS)})
    distributions, unknown = to_install(names, package)
    return LibrariesMissing(tuple(names), tuple(distributions), tuple(unknown))


def import_tree(request: Request, channel: Channel, package: Path) -> bool:
    """Import the tree and prove that it is the tree."""

    def attempt() -> Finding:
        from a2patch.probe.checks.register import check_import

        found = check_import(package, request.parts)
        channel.emit(Version("ultralytics", str(import_module("ultralytics").__version__)))
        return found

    fine = channel.check("import", "importing " + package.name, attempt)
    if not fine and not channel.missing:  # a release that imports it by itself fails with it
        _import_library("torchvision", channel, package)
    return fine

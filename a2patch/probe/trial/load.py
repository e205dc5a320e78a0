"""Load a module file as if it lay in the tree, without writing there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from a2patch.probe.events import Channel, exhausted, last_line, missing_library
from a2patch.probe.runtime.libraries import missing_of
from a2patch.probe.trial.shared import Shared


class UnloadableError(Exception):
    """A module file can't be imported; the message says why."""


def load(path: Path, name: str, channel: Channel, package: Path) -> ModuleType:
    """Import a module file under the name that it would have in the tree, so that its relative imports work.

    Args:
        path: The file.
        name: What it would be called there.
        channel: Told which libraries are missing.
        package: The package folder.

    Raises:
        UnloadableError: It can't be imported.
    """
    home = "ultralytics.nn" + (".modules" if package.joinpath("nn", "modules").is_dir() else "")
    full = "{}.{}".format(home, name)
    spec = importlib.util.spec_from_file_location(full, str(path))
    if spec is None or spec.loader is None:
        raise UnloadableError("it has no name that Python imports")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(full)
    sys.modules[full] = module  # where pickle and TorchScript look its classes up
    shared = Shared()
    try:
        with shared:
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        if before is None:
            del sys.modules[full]
        raise _import_error(error, path, channel, package) from error
    finally:
        if before is not None:
            sys.modules[full] = before
    if shared.changed:
        raise UnloadableError("importing it {}".format(shared.changed))
    return module


def _import_error(error: BaseException, path: Path, channel: Channel, package: Path) -> Exception:
    """Return the error to raise where a file can't be imported; say which libraries are missing, all at once."""
    if exhausted(error):
        return MemoryError(exhausted(error))
    absent = absent_module(path, package, error)
    if absent:
        return UnloadableError(absent)
    library = missing_library(error, package.name)
    if not library:
        return UnloadableError("importing the file fails: {}".format(last_line(error)))
    for each in sorted({library, *missing_of(path, package)}):
        channel.lacks(each)
    return UnloadableError("needs the library {}, which is not installed".format(library))


# Folders of repositories that people copy modules from; on a registry such a name is something else.
_OF_REPOSITORIES = {
    "models": "YOLOv5 and its forks",
    "model": "the repository that the file comes from",
    "utils": "YOLOv5 and its forks",
    "common": "YOLOv5 and its forks",
    "nets": "the repository that the file comes from",
    "modules": "the repository that the file comes from",
    "layers": "the repository that the file comes from",
    "ops": "the repository that the file comes from",
    "ops_dcnv3": "the repository that the file comes from",
}


def absent_module(path: Path, package: Path, error: BaseException) -> str:
    """Return what to say where a file imports from a module that no registry brings; empty where it does not.

    Args:
        path: The file.
        package: The package folder.
        error: What importing it raised.
    """
    name = getattr(error, "name", None) or ""
    top = name.partition(".")[0]
    if not isinstance(error, ModuleNotFoundError):
        if isinstance(error, ImportError) and top in ("ultralytics", package.name):
            return "this release has not what the file imports: {}".format(last_line(error))
        return ""
    if top in ("ultralytics", package.name):
        text = "it imports from {}, which this tree does not have: paste what it needs of it into the file"
        return text.format(name)
    if top in _OF_REPOSITORIES:
        text = "it imports from `{}`, a folder of {}: import the same from ultralytics.nn.modules, or paste it in"
        return text.format(name, _OF_REPOSITORIES[top])
    return ""

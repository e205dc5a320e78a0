"""Load a module file as if it lay in the tree, without writing there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import torch

from a2patch.probe.events import Channel, exhausted, last_line, missing_library
from a2patch.probe.runtime.libraries import missing_of


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
    number = torch.get_default_dtype()
    sys.modules[full] = module  # where pickle and TorchScript look its classes up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        if before is None:
            del sys.modules[full]
        raise _import_error(error, path, channel, package) from error
    finally:
        if before is not None:
            sys.modules[full] = before
        changed = torch.get_default_dtype()
        torch.set_default_dtype(number)
    if changed != number:
        raise UnloadableError("importing it makes {} the default type of torch, for all models".format(changed))
    return module


def _import_error(error: BaseException, path: Path, channel: Channel, package: Path) -> Exception:
    """Return the error to raise where a file can't be imported; say which libraries are missing, all at once."""
    if exhausted(error):
        return MemoryError(exhausted(error))
    library = missing_library(error, package.name)
    if not library:
        return UnloadableError("importing the file fails: {}".format(last_line(error)))
    for each in sorted({library, *missing_of(path, package)}):
        channel.lacks(each)
    return UnloadableError("needs the library {}, which is not installed".format(library))

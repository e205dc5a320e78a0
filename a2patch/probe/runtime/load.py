"""Checkpoints: let through only as far as they are trusted, then loaded as the release loads them."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any, Callable, List

import torch

from a2patch.probe.runtime import restricted
from a2patch.probe.runtime.declined import DeclinedError
from a2patch.probe.runtime.file_kind import named_by

ALLOW = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
"""The variable by which torch is told to load checkpoints whole where the release does not say."""

_TRUST = "If you trust where it comes from, --trust loads it whole, as `yolo` does; that can run any code in it."
_SHOWN = 4


def admit(path: Path, trusted: bool) -> None:
    """Let a checkpoint through to be loaded whole: it is one, this tree has its classes, and it runs nothing else.

    Args:
        path: The file.
        trusted: Whether it may run any code.

    Raises:
        DeclinedError: It is something else, can't be loaded here, or needs trust that it was not given.
    """
    missing = restricted.lacking(named_by(path))
    if missing:
        raise _lacking(missing)
    if trusted:
        return
    try:
        restricted.read(path)
    except restricted.NeedsTrustError as error:
        raise DeclinedError("holds more than models of known classes", str(error), _TRUST) from error
    except Exception as error:  # what torch raises depends on the bytes
        found = "{}: {}".format(type(error).__name__, " ".join(str(error).split())[:300])
        raise DeclinedError("can't be loaded", found, "It is damaged: get it again, from where it came.") from error


def _lacking(names: List[str]) -> DeclinedError:
    """Return the error of a checkpoint that names what this tree or its interpreter does not have."""
    found = ", ".join(names[:_SHOWN]) + (" and {} more".format(len(names) - _SHOWN) if len(names) > _SHOWN else "")
    own = all(name.startswith("ultralytics.") for name in names)
    remedy = "Use the tree that it was trained with: its release, patched as it was."
    if not own:
        remedy = "Install the library that has them for the interpreter of this tree, or use the one that it came from."
    return DeclinedError("names what this tree does not have", found, remedy, names)


def load_model(path: Path) -> Any:
    """Return the model of a checkpoint that is trusted or ours, in single precision, as the release loads it."""
    tasks = importlib.import_module("ultralytics.nn.tasks")
    load = getattr(tasks, "load_checkpoint", None) or tasks.attempt_load_one_weight
    return allowing(load, path)[0].float()


def load_stored(path: Path) -> Any:
    """Return all that a checkpoint which was let through holds, as the release unpickles it."""
    tasks = importlib.import_module("ultralytics.nn.tasks")
    found = allowing(getattr(tasks, "torch_safe_load", None) or load_plainly, path)
    return found[0] if isinstance(found, tuple) else found


def load_plainly(path: str) -> Any:
    """Return what a checkpoint holds that was let through, and that need not be of ultralytics."""
    return torch.load(path, map_location="cpu", **restricted.whole_loading())


def allowing(load: Callable[[str], Any], path: Path) -> Any:
    """Load a file, and let this process load checkpoints whole where the release leaves that to torch.

    torch 2.6 made loading restricted by default, which releases before that do not ask torch to change. Where it had
    to be changed, the variable `ALLOW` is set afterwards.

    Args:
        load: What loads a file by its path.
        path: The file.
    """
    try:
        return load(str(path))
    except Exception as error:  # pickle.UnpicklingError in today's torch
        if "weights_only" not in str(error) or os.environ.get(ALLOW):
            raise
        os.environ[ALLOW] = "1"
    return load(str(path))

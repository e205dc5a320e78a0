"""Read a checkpoint without running anything that it names, before upstream unpickles it in full.

A pickle can call whatever it names. Here it gets stand-ins for the classes of the tree and of torch, which can be
created and filled but not called, and of functions only the few that torch's own restricted loading lets it call. Where
reading comes to its end like this, a full load of the same file does the same steps and no others. Since torch itself
reads the file, by its own rules about formats, there is no file that it would read otherwise afterwards. That needs
nothing of the release, and works with every torch.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import pickle
import sys
import tarfile
import types
import warnings
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch

from a2patch.probe.runtime.libraries import installed

# Functions that a checkpoint may call, none of which can be led to do more than to make what it is named for.
_CALLED_FOR_REAL = (
    "builtins.set",
    "collections.OrderedDict",
    "torch.Size",
    "torch.device",
    "torch.nn.parameter.Parameter",
    "torch.serialization._get_layout",
    *("torch._utils._rebuild_" + name for name in ("tensor", "tensor_v2", "parameter", "parameter_with_state")),
)
# The same, but what they make does not matter here.
_CALLED_FOR_SHOW = (
    "_codecs.encode",
    "collections.Counter",
    "numpy.dtype",
    *("numpy.{}.multiarray.scalar".format(core) for core in ("core", "_core")),
    *("{}.{}".format(m, c) for m in ("pathlib", "pathlib._local") for c in ("PosixPath", "WindowsPath")),
    *("{}.{}".format(m, c) for m in ("pathlib", "pathlib._local") for c in ("PurePosixPath", "PureWindowsPath")),
)
# What releases called otherwise, for which upstream finds the present name too.
_MOVED = (
    ("__builtin__.", "builtins."),
    ("ultralytics.yolo.utils.", "ultralytics.utils."),
    ("ultralytics.nn.modules.block.Silence", "torch.nn.modules.linear.Identity"),
    ("ultralytics.nn.tasks.YOLOv10DetectionModel", "ultralytics.nn.tasks.DetectionModel"),
    ("ultralytics.utils.loss.v10DetectLoss", "ultralytics.utils.loss.E2EDetectLoss"),
)
# Where a class is looked for; other modules of the tree only if importing the tree has imported them.
_IMPORTED = (
    *("ultralytics." + part for part in ("nn.", "models.", "engine.model.", "utils.loss.", "utils.tal.")),
    "torch.nn.",
    "torchvision.",
)
_MODULES = ("ultralytics.", "torch.nn.", "torchvision.")
# Whose classes need not be modules.
_OF_DATA = (
    "ultralytics.nn.distill_model",
    "ultralytics.utils.loss",
    "ultralytics.utils.tal",
    "torchvision.transforms.transforms",
)


class NeedsTrustError(pickle.UnpicklingError):
    """A checkpoint names or does what could run any code."""


def read(path: Path) -> None:
    """Read a checkpoint as far as it can be done without trust.

    Args:
        path: A file that torch saved.

    Raises:
        NeedsTrustError: It names something else than classes of the tree, or calls one.
        Exception: Whatever torch raises for a file that is damaged.
    """
    if tarfile.is_tarfile(str(path)):
        raise NeedsTrustError("the file is a tar archive as well")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old format compares source code, which stand-ins do not have
        found = torch.load(str(path), map_location="cpu", pickle_module=_PickleModule, **whole_loading())
    _refuse_kept_callables(found)


def whole_loading() -> Dict[str, bool]:
    """Return the arguments by which this torch loads a file whole; older ones can do nothing else."""
    return {"weights_only": False} if "weights_only" in inspect.signature(torch.load).parameters else {}


def lacking(names: List[str]) -> List[str]:
    """Return those of some dotted names that this tree and its interpreter do not have.

    Args:
        names: What a checkpoint names.
    """
    return [name for name in names if _state(_present(name)) == "lacking"]


class _Sealed(type):
    """The class of stand-ins for classes: they can't be called."""

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        """Refuse to be called, except by what is pickled as a call: an empty namespace and a value of an enum."""
        real = cls.__dict__["real"]
        if (issubclass(real, types.SimpleNamespace) and not arguments) or issubclass(real, enum.Enum):
            return _made(cls)
        raise NeedsTrustError("it calls the class {}".format(cls.__name__))

    def __setattr__(cls, name: str, value: Any) -> None:
        """Refuse to be changed."""
        raise NeedsTrustError("it changes the class {}".format(cls.__name__))


class _StandIn(metaclass=_Sealed):
    """An object of a class of the tree, whose state is only kept."""

    real: Any = object

    def __new__(cls, *arguments: Any) -> _StandIn:
        """Create one without arguments."""
        if arguments:
            raise NeedsTrustError("it creates {} with arguments".format(cls.__name__))
        return object.__new__(cls)

    def __setstate__(self, state: Any) -> None:
        """Keep the state."""
        self.__dict__["state"] = state


class _Function:
    """A function that a checkpoint may call."""

    def __init__(self, name: str, real: Any) -> None:
        self.name = name
        self.real = real

    def __call__(self, *arguments: Any) -> Any:
        """Call it, where what it makes matters here."""
        return self.real(*arguments) if self.real else _made()

    def __setstate__(self, state: Any) -> None:
        """Refuse to be changed."""
        raise NeedsTrustError("it changes {}".format(self.name))


class _Attribute(_Function):
    """`getattr` for what checkpoints need it for: a value of an enum, and which forward a head uses."""

    def __call__(self, *arguments: Any) -> Any:
        """Return what stands for the attribute, and can't be called."""
        owner, name = arguments
        kind = owner if isinstance(owner, _Sealed) else type(owner)
        real = kind.__dict__.get("real", object)
        if issubclass(real, enum.Enum) and name in real.__members__:
            return _made()
        if issubclass(real, torch.nn.Module) and name in ("forward", "forward_fuse"):
            return _made()
        raise NeedsTrustError("it asks for the attribute {!r} of {}".format(name, kind.__name__))


class _Unpickler(pickle.Unpickler):
    """An unpickler that knows only what is harmless."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a class or a function, or refuse it."""
        named = _present("{}.{}".format(module, name))
        if _state(named) != "known":
            raise NeedsTrustError("it names {}".format(named))
        if named == "builtins.getattr":
            return _Attribute(named, None)
        real = _found(named)
        if named in _CALLED_FOR_REAL:
            return _Function(named, real)
        if named in _CALLED_FOR_SHOW:
            return _Function(named, None)
        return real if _is_of_tensors(named, real) else _stand_in(named, real)


class _PickleModule:
    """What torch takes for the module pickle."""

    Unpickler = _Unpickler
    UnpicklingError = pickle.UnpicklingError
    PickleError = pickle.PickleError
    __name__ = "restricted"

    @staticmethod
    def load(file: Any, **options: Any) -> Any:
        """Load one pickle."""
        return _Unpickler(file, **options).load()


def _present(named: str) -> str:
    """Return the present name of what an older release called otherwise."""
    for old, new in _MOVED:
        if named.startswith(old) and _found(named) is None:
            return new + named[len(old) :]
    return named


def _state(named: str) -> str:
    """Return whether a name is `known`, `unknown` and thus in need of trust, or `lacking` here."""
    if named in _CALLED_FOR_SHOW or named == "builtins.getattr":
        return "known"
    real = _found(named)
    if real is None:
        top = named.partition(".")[0]
        there = installed(top) and top not in ("ultralytics", "__main__") and not named.startswith(_IMPORTED)
        return "unknown" if there else "lacking"
    return "known" if named in _CALLED_FOR_REAL or _is_of_tensors(named, real) or _is_class(named, real) else "unknown"


def _found(named: str) -> Any:
    """Return what a name means here, without importing anything that only the file names; None where nothing does."""
    module, _, name = named.rpartition(".")
    if (module + ".").startswith(_IMPORTED):
        try:
            importlib.import_module(module)
        except (ImportError, RuntimeError, OSError, ValueError):  # there is none, or it is broken
            return None
    return getattr(sys.modules.get(module), name, None)


def _is_of_tensors(named: str, real: Any) -> bool:
    """Return whether something is a type of numbers, or of what holds them."""
    front, _, name = named.rpartition(".")
    return front == "torch" and (isinstance(real, torch.dtype) or (isinstance(real, type) and name.endswith("Storage")))


def _is_class(named: str, real: Any) -> bool:
    """Return whether something is a class of which a checkpoint may hold objects."""
    if not isinstance(real, type) or not named.startswith(_MODULES):
        return False
    if issubclass(real, torch.nn.Module):
        return real.__module__.startswith(_MODULES)
    module = named.rpartition(".")[0]
    return issubclass(real, (types.SimpleNamespace, enum.Enum)) or (module in _OF_DATA and real.__module__ == module)


def _stand_in(named: str, real: Any) -> Any:
    """Return a class that stands for one."""
    return _Sealed(named, (_StandIn,), {"real": real})


def _made(kind: Any = _StandIn) -> Any:
    """Return what stands for the result of a call."""
    return object.__new__(kind)


def _refuse_kept_callables(found: Any) -> None:
    """Raise where what was read keeps a function or a class, which could be called later.

    Raises:
        NeedsTrustError: It does.
    """
    seen: Dict[int, Any] = {}
    todo: List[Any] = [found]
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if isinstance(value, (_Function, _Sealed)):
            raise NeedsTrustError("it keeps {}, to be called later".format(getattr(value, "name", value)))
        if isinstance(value, dict):
            todo.extend(value)
            todo.extend(value.values())
        elif isinstance(value, (list, tuple, set)):
            todo.extend(value)
        kept: Optional[Dict[str, Any]] = getattr(value, "__dict__", None)
        if isinstance(kept, dict):
            todo.extend(kept.values())
        if torch.is_tensor(value):
            todo.append(value._backward_hooks)

"""Is it the tree that is imported, and does it know the new classes?"""

from __future__ import annotations

import importlib
import os
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any, Sequence

import torch

from a2patch.probe.events import Finding, failed, passed
from a2patch.probe.models.context import Context


def check_import(package: Path, parts: Sequence[str]) -> Finding:
    """Check that the imported package is the tree, by its real path, and so are the parts that the patch touches."""
    for name in ["ultralytics", *("ultralytics." + part for part in parts)]:
        module = importlib.import_module(name)
        file = Path(os.path.realpath(str(module.__file__)))
        if package not in file.parents:
            return failed(
                str(file.parent),
                "Python imports {} from {}, not from the tree that was patched.".format(name, file.parent),
                "Remove or rename the other copy, or verify with the interpreter that the tree belongs to.",
            )
    known_as = importlib.import_module("ultralytics").__name__  # another where the package was renamed
    others = [copy for copy in _copies(known_as) if copy != package]
    also = "Also on this interpreter's path, behind the tree: {}.".format(", ".join(map(str, others)))
    return passed(str(package), also if others else "")


def _copies(name: str) -> list[Path]:
    """Return every package of a name on the module search path, in its order."""
    found = []
    for entry in sys.path:
        path = Path(entry, name).resolve()
        if (path / "__init__.py").is_file() and path not in found:
            found.append(path)
    return found


def check_register(context: Context) -> Finding:
    """Check that the classes are defined, exported, imported where the parser looks, and parsed as they should be."""
    for name in context.classes:
        ours = getattr(importlib.import_module("ultralytics." + context.modules.defined), name, None)
        for role in ("defined", "exported", "parsed"):
            module = importlib.import_module("ultralytics." + getattr(context.modules, role))
            if not isinstance(getattr(module, name, None), type):
                return failed(
                    "{} not in {}".format(name, module.__name__),
                    "{} is not {} in {}.".format(name, "imported" if role == "parsed" else role, module.__name__),
                    "Revert, then apply again; an edit by hand may have removed the line.",
                )
            if getattr(module, name) is not ours:
                return _shadowed(name, getattr(module, name), ours, module.__name__)
            if role == "exported" and name not in getattr(module, "__all__", [name]):
                return failed("not in __all__", "{}.__all__ doesn't name {}.".format(module.__name__, name))
    return _parses(context)


def _shadowed(name: str, found: Any, ours: Any, where: str) -> Finding:
    """Tell a class of the same name that stands in the way of ours."""
    file = getattr(sys.modules.get(found.__module__), "__file__", None) or found.__module__
    return failed(
        "another {}".format(name),
        "The {} that {} uses is not the one that was added, of {}: it is that of {} ({}).".format(
            name, where, ours.__module__, found.__module__, file
        ),
        "Look for what gives the name to another class behind the import of ours, such as `import *`; rename that one.",
    )


# Widths that no model of ours has: c_m differs from the channels before it, so that a row whose output width the
# parser takes from its input, as for a class it does not know, can't pass.
_ROWS = [
    [-1, 1, "Conv", [64, 3, 2]],  # 32 channels at width 0.5
    [-1, 1, "DoubleAttentionLayer", [128, 4]],  # 64
    [-1, 1, "DoubleAttentionLayer", [192, 4, True]],  # c_m = 96, brought back to 64
    [-1, 2, "DoubleAttentionBlock", [0.25]],  # 64, twice
    [-1, 1, "Conv", [16, 1]],  # 8
]


def parsed(context: Context, rows: list[Any], width: float = 1.0) -> Any:
    """Return the layers that `parse_model` makes of rows; early releases take the channels of the image as a list."""
    described = {"nc": 1, "depth_multiple": 1.0, "width_multiple": width, "backbone": rows, "head": []}
    parse_model = importlib.import_module("ultralytics." + context.modules.parsed).parse_model
    try:
        return parse_model(deepcopy(described), ch=3, verbose=False)[0]
    except TypeError:
        return parse_model(deepcopy(described), ch=[3], verbose=False)[0]


def _instead_of_ours(context: Context, layers: Any) -> Finding | None:
    """Return the fault of layers that are of other classes than ours though their rows name ours, if there is one."""
    defined = importlib.import_module("ultralytics." + context.modules.defined)
    for (_, repeats, name, _), layer in zip(_ROWS, layers):
        if name in context.classes:
            single = layer[0] if repeats != 1 else layer
            ours = getattr(defined, str(name))
            if type(single) is not ours:
                return _shadowed(str(name), type(single), ours, "parse_model")
    return None


def _parses(context: Context) -> Finding:
    """Check what `parse_model` makes of rows with our classes: arguments, scaled widths, repeats."""
    advice = "The branch must stand inside parse_model's if/elif chain on the module, not before or after it."
    try:
        layers = parsed(context, _ROWS, width=0.5)
        shadow = _instead_of_ours(context, layers)
        if shadow:
            return shadow
        x = torch.zeros(1, 3, 16, 16)
        widths = []
        for layer in layers.eval():
            x = layer(x)
            widths.append(x.shape[1])
    except Exception as error:  # whatever upstream raises when widths don't meet
        text = "{}: {}".format(type(error).__name__, str(error).splitlines()[0] if str(error) else "")
        return failed("rows don't parse", "A model of rows with the new classes fails: {}.".format(text), advice)
    got = {"c_m": [layers[1].c_m, layers[2].c_m], "widths": widths, "repeats": len(list(layers[3].children()))}
    expected = {"c_m": [64, 96], "widths": [32, 64, 64, 64, 8], "repeats": 2}
    if got != expected:
        return failed("rows parsed wrongly", "parse_model gives {}, expected {}.".format(got, expected), advice)
    return passed("{} rows parsed".format(len(_ROWS)))

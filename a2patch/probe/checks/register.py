"""Is it the tree that is imported, and does it know the new classes?"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any, Sequence

from a2patch.probe.checks.rows import WIDTH, added_class, defined_name, expected, parsed, single, widths
from a2patch.probe.events import Finding, failed, passed
from a2patch.probe.models.build import count_parameters
from a2patch.probe.models.context import Context
from a2patch.protocol import ExpectedRow


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
    for name in context.modules.classes or context.classes:
        ours = _ours(context, name)
        for role in ("defined", "exported", "parsed"):
            module = importlib.import_module("ultralytics." + getattr(context.modules, role))
            known_as = defined_name(context, name) if role == "defined" else name
            if not isinstance(getattr(module, known_as, None), type):
                return failed(
                    "{} not in {}".format(name, module.__name__),
                    "{} is not {} in {}.".format(name, "imported" if role == "parsed" else role, module.__name__),
                    "Revert, then apply again; an edit by hand may have removed the line.",
                )
            if getattr(module, known_as) is not ours:
                return _shadowed(name, getattr(module, known_as), ours, module.__name__)
            if role == "exported" and name not in getattr(module, "__all__", [name]):
                return failed("not in __all__", "{}.__all__ doesn't name {}.".format(module.__name__, name))
    return _parses(context)


def _ours(context: Context, name: str) -> Any:
    """Return the class that the module file defines; None if it does not."""
    try:
        return added_class(context, name)
    except AttributeError:
        return None


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


def _instead_of_ours(context: Context, rows: Sequence[ExpectedRow], layers: Any) -> Finding | None:
    """Return the fault of layers that are of other classes than ours though their rows name ours, if there is one."""
    for row, layer in zip(rows, layers):
        name = str(row.row[2])
        if name in context.classes:
            made, ours = type(single(row, layer)), added_class(context, name)
            if made is not ours:
                return _shadowed(name, made, ours, "parse_model")
    return None


def _parses(context: Context) -> Finding:
    """Check what `parse_model` makes of rows with our classes: arguments, scaled widths, repeats."""
    advice = "The branch must stand inside parse_model's if/elif chain on the module, not before or after it."
    rows = expected(context)
    try:
        layers = parsed(context, [list(row.row) for row in rows], WIDTH)
        shadow = _instead_of_ours(context, rows, layers)
        if shadow:
            return shadow
        given = widths(layers)
    except Exception as error:  # whatever upstream raises when widths don't meet
        text = "{}: {}".format(type(error).__name__, str(error).splitlines()[0] if str(error) else "")
        return failed("rows don't parse", "A model of rows with the new classes fails: {}.".format(text), advice)
    got = {**_attributes(rows, layers), "widths": given, **_counts(rows, layers)}
    wanted = {**_attributes(rows), "widths": [row.width for row in rows], **_counts(rows)}
    if got != wanted:
        return failed("rows parsed wrongly", "parse_model gives {}, expected {}.".format(got, wanted), advice)
    return passed("{} rows parsed".format(len(rows)))


def _attributes(rows: Sequence[ExpectedRow], layers: Any = None) -> dict[str, list[Any]]:
    """Return what layers have as the attributes that rows name, by these; what they should have without layers."""
    found: dict[str, list[Any]] = {}
    for place, row in enumerate(rows):
        for name, value in row.attributes:
            found.setdefault(name, []).append(getattr(layers[place], name) if layers else value)
    return found


def _counts(rows: Sequence[ExpectedRow], layers: Any = None) -> dict[str, Any]:
    """Return how many layers were made of a row that asks for several, and how many parameters others have."""
    found: dict[str, Any] = {}
    for place, row in enumerate(rows):
        if row.layers > 1:
            found["repeats"] = len(list(layers[place].children())) if layers else row.layers
        if row.parameters is not None:
            counted = count_parameters(layers[place]) if layers else row.parameters
            found.setdefault("parameters", []).append(counted)
    return found

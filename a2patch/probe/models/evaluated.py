"""What of a model's description upstream would evaluate as Python, and whether that does no more than it should."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from typing import Any, Iterator, Optional, Tuple

import torch

from a2patch.probe.runtime.declined import DeclinedError

DEFAULT_ACTIVATION = "nn.SiLU()"
"""The activation of a model whose description names none."""

_TRUST = "If you trust where it comes from, --trust lets upstream run it."


def refuse_code(described: Any, text: str, trusted: bool) -> None:
    """Raise where building a model would run code that its description holds.

    Args:
        described: What the model file says, or what a checkpoint holds of it.
        text: The text of the file, for its lines; empty for a checkpoint.
        trusted: Whether it may run any code.

    Raises:
        DeclinedError: It would, and is not trusted.
    """
    if trusted or not isinstance(described, dict):
        return
    tasks = importlib.import_module("ultralytics.nn.tasks")
    act = described.get("activation")
    if isinstance(act, str) and _dotted(_parsed(act)) and not _makes_a_module(act, tasks):
        remedy = "Call a class of torch.nn, such as `activation: nn.ReLU()`."
        raise DeclinedError("has an activation that is not called", _place("activation", act, text), remedy)
    if isinstance(act, str) and not _makes_a_module(act, tasks):
        remedy = "Name a class of torch.nn, called with literals, such as `activation: nn.LeakyReLU(0.1)`. "
        raise DeclinedError(
            "has an activation that upstream would run as code", _place("activation", act, text), remedy + _TRUST
        )
    for string in _rows_evaluated(described, tasks):
        if not (_dotted(_parsed(string)) or _is_literal(string) or _makes_a_module(string, tasks)):
            raise DeclinedError("has a row that this release would run as code", _place("", string, text), _TRUST)


def same_activation(one: str, other: str) -> bool:
    """Return whether two activations are the same; an empty one is the default."""
    first, second = (_parsed(re.sub(r"^\s*torch\.", "", each or DEFAULT_ACTIVATION)) for each in (one, other))
    return one == other or (first is not None and second is not None and ast.dump(first) == ast.dump(second))


def _rows_evaluated(described: Any, tasks: Any) -> Iterator[str]:
    """Yield the strings in rows that a release evaluates, as the first ones do."""
    if not re.search(r"(?<![\w.])eval\([ma]\)", inspect.getsource(tasks.parse_model)):
        return
    for row in [*(described.get("backbone") or ()), *(described.get("head") or ())]:
        for _, _, kind, arguments in [row] if isinstance(row, list) and len(row) == 4 else []:
            yield from (each for each in [kind, *_listed(arguments)] if isinstance(each, str))


def _listed(arguments: Any) -> Any:
    return arguments if isinstance(arguments, list) else [arguments]


def _parsed(string: str) -> Optional[ast.expr]:
    """Return a string as an expression; None if it is none."""
    try:
        return ast.parse(string.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _dotted(node: Optional[ast.AST]) -> Tuple[str, ...]:
    """Return the parts of a dotted name; none of anything else."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        front = _dotted(node.value)
        return (*front, node.attr) if front else ()
    return ()


def _makes_a_module(string: str, tasks: Any) -> bool:
    """Return whether a string is a dotted name of a class of modules, called with literals."""
    node = _parsed(string)
    if not isinstance(node, ast.Call):
        return False
    found: Any = tasks
    for part in _dotted(node.func) or ("",):
        found = None if part.startswith("_") else getattr(found, part, None)
    literals = [*node.args, *(keyword.value for keyword in node.keywords)]
    return isinstance(found, type) and issubclass(found, torch.nn.Module) and all(map(_is_literal, literals))


def _is_literal(value: Any) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def _place(key: str, string: str, text: str) -> str:
    """Return what stands there, with the number of its line where that can be told."""
    mark = re.compile(r"""^\s*["']?{}["']?\s*:""".format(key) if key else re.escape(string[:40]))
    line = next((number for number, line in enumerate(text.splitlines(), 1) if mark.search(line)), 0)
    return "{}{}{}".format("line {}: ".format(line) if line else "", key and key + ": ", string.strip()[:200])

"""How many channels `parse_model` declares for each row, and how many its layer gives.

The rows behind a layer are built for what is declared. A branch that never sets `c2` declares what the row before did,
and one that scales `c2` without telling the module declares what is never given: both build where the two are alike by
luck, at one scale and not at another.
"""

from __future__ import annotations

import ast
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, Callable, NamedTuple

import torch

_PARSER = "parse_model"


class Mismatch(NamedTuple):
    """A layer that does not give as many channels as are declared for it.

    Attributes:
        place: Its row.
        declared: The channels that `parse_model` declares.
        given: The channels that it gives.
    """

    place: int
    declared: int
    given: int


class Watch:
    """A context in which a model is built, which sends an image through: what is declared meanwhile, and what is given.

    Attributes:
        declared: The channels that `parse_model` declares, by row; empty if it did not come to its end.
        given: The channels of the layers that gave a map, by row.
    """

    def __init__(self) -> None:
        self.declared: list[Any] = []
        self.given: dict[int, int] = {}
        self._hook: Any = None

    def __enter__(self) -> Watch:
        """Listen."""
        self._hook = torch.nn.modules.module.register_module_forward_hook(self._passed)
        sys.setprofile(self._parsed)
        return self

    def __exit__(self, *error: object) -> None:
        """Listen no more."""
        sys.setprofile(None)
        self._hook.remove()

    @property
    def mismatch(self) -> Mismatch | None:
        """The first layer that gives other channels than are declared for it, if there is one."""
        pairs = ((i, dict(enumerate(self.declared)).get(i), given) for i, given in sorted(self.given.items()))
        return next((Mismatch(i, c, given) for i, c, given in pairs if isinstance(c, int) and c != given), None)

    def _parsed(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code.co_name == _PARSER:
            channels = frame.f_locals.get("ch")  # of the image alone, if it was left before the first row
            self.declared = channels if isinstance(channels, list) else []

    def _passed(self, module: Any, inputs: Any, output: Any) -> None:
        place = getattr(module, "i", None)
        if isinstance(place, int) and torch.is_tensor(output) and output.dim() == 4:
            self.given.setdefault(place, output.shape[1])


def branch(build: Callable[[], Any], place: int) -> str:
    """Return the branch of `parse_model` that a row goes through: its line, and whether it sets `c2`.

    Args:
        build: Builds the model; it may fail.
        place: The row.
    """
    lines: set[int] = set()
    frames: list[FrameType] = []

    def call(frame: FrameType, event: str, argument: Any) -> Any:
        return line if frame.f_code.co_name == _PARSER else None

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        frames[:] = [frame]
        if event == "line" and frame.f_locals.get("i") == place:
            lines.add(frame.f_lineno)
        return line

    sys.settrace(call)
    try:
        with suppress(Exception):  # why it doesn't build is not asked here
            build()
    finally:
        sys.settrace(None)
    found = _branch(Path(frames[0].f_code.co_filename), lines) if frames else None
    if found is None:
        return "no branch of parse_model is for it, so it declares what it reads"
    text, number, sets = found
    where = "the branch in nn/tasks.py, line {}, `{}`".format(number, text)
    return where if sets else where + ", never sets c2, so that of the row before it is taken"


def _branch(file: Path, lines: set[int]) -> tuple[str, int, bool] | None:
    """Return the test of the branch whose lines were gone through, its line, and whether it sets `c2`."""
    source = file.read_bytes()
    function = next(n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef) and n.name == _PARSER)
    entered = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.If) and node.body[0].lineno in lines and _names(node.test, "m")
    ]
    if not entered:
        return None
    # An `elif` is nested in the tree and not in the text: of those that were entered, the outermost by column.
    node = min(entered, key=lambda node: (node.col_offset, node.lineno))
    text = source.splitlines()[node.lineno - 1].decode("utf-8", "replace").strip()
    sets = any(
        isinstance(n, ast.Name) and n.id == "c2" and isinstance(n.ctx, ast.Store)
        for b in node.body
        for n in ast.walk(b)
    )
    return text if len(text) <= 60 else text[:59] + "…", node.lineno, sets


def _names(test: ast.expr, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(test))

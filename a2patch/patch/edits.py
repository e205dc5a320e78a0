"""The edits that put a block's classes into a release, by line, so that all bytes around them stay; and their diffs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from a2patch.block import Addition
from a2patch.patch import class_tests, scopes
from a2patch.patch.anchors import (
    AnchorError,
    Chain,
    chain,
    exports,
    modules_import,
    parse,
)
from a2patch.patch.diff import FileDiff, Hunk

Named = TypeVar("Named", ast.alias, ast.Constant)


@dataclass(frozen=True)
class Edit:
    """Lines put in place of others.

    Attributes:
        line: First line that is replaced, counted from 1; lines are put in before it where none is replaced.
        replaced: How many lines are replaced.
        lines: What stands there afterwards, without line endings.
    """

    line: int
    replaced: int
    lines: tuple[str, ...]


def tasks_edits(content: bytes, added: Addition) -> list[Edit]:
    """The import, and the branches inside `parse_model`'s chain on the module class.

    Args:
        content: The bytes of `nn/tasks.py`.
        added: What to put in.

    Raises:
        AnchorError: There is no such place, or not just one.
    """
    module = parse(content)
    lines = _lines(content)
    statement = modules_import(module)
    prefix = "." * statement.level + (statement.module or "").removesuffix(".conv")
    aliases = [] if (statement.module or "").endswith(".conv") else _one_a_line(statement.names, lines)
    if aliases:
        wanted = _import_order(added.classes[0])
        place = _sorted_place(aliases, [_import_order(alias.name) for alias in aliases], wanted)
        indent = _indent(lines[place.lineno - 1])
        importing = Edit(place.lineno, 0, tuple(f"{indent}{name}," for name in added.classes))
    else:
        indent = _indent(lines[statement.lineno - 1])
        importing = Edit(statement.lineno, 0, (f"{indent}from {prefix} import {', '.join(added.classes)}",))
    return [importing, _branch_edit(chain(module), lines, added)]


def modules_edits(content: bytes, added: Addition) -> list[Edit]:
    """The import and the entries of `__all__`, each in the file's own order.

    Args:
        content: The bytes of `nn/modules/__init__.py`.
        added: What to put in.

    Raises:
        AnchorError: There is no such place.
    """
    module = parse(content)
    lines = _lines(content)
    siblings = [node for node in module.body if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module]
    if not siblings:
        raise AnchorError("no import from a sibling module")
    after = [] if added.last else [node for node in siblings if (node.module or "") > added.module]
    line = after[0].lineno if after else (siblings[-1].end_lineno or siblings[-1].lineno) + 1
    exported = exports(module)
    importing = Edit(line, 0, (added.statement,))
    return [importing] if exported is None else [importing, _exports_edit(exported, lines, added)]


def single_module_edits(content: bytes, added: Addition) -> list[Edit]:
    """The import, after the last one at the top of the file.

    Args:
        content: The bytes of `nn/modules.py`, which releases before 8.0.98 have in place of the package.
        added: What to put in.

    Raises:
        AnchorError: There is no import at the top.
    """
    top: ast.stmt | None = None
    for node in parse(content).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            break
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            top = node
    if top is None:
        raise AnchorError("no import at the top")
    return [Edit((top.end_lineno or top.lineno) + 1, 0, (f"{added.statement}  # noqa: F401",))]


def file_diff(path: str, content: bytes, edits: Iterable[Edit]) -> FileDiff:
    """Write edits as a diff, with as little context as keeps the place of each hunk unique.

    Args:
        path: POSIX path relative to the package folder.
        content: The bytes that the edits are for; any line ending.
        edits: The edits, none of which touch another.
    """
    lines = [line.rstrip(b"\r\n") + b"\n" for line in content.splitlines(keepends=True)]
    hunks = tuple(_hunk(lines, edit) for edit in sorted(edits, key=lambda edit: edit.line))
    return FileDiff(path, hunks)


def _hunk(lines: list[bytes], edit: Edit) -> Hunk:
    for context in range(1, len(lines)):
        start = max(edit.line - 1 - context, 0)
        end = min(edit.line - 1 + edit.replaced + context, len(lines))
        window = lines[start:end]
        if sum(lines[at : at + len(window)] == window for at in range(len(lines))) == 1:
            break
    before = [(b" ", line) for line in lines[start : edit.line - 1]]
    removed = [(b"-", line) for line in lines[edit.line - 1 : edit.line - 1 + edit.replaced]]
    added = [(b"+", line.encode("utf-8", "surrogateescape") + b"\n") for line in edit.lines]
    after = [(b" ", line) for line in lines[edit.line - 1 + edit.replaced : end]]
    return Hunk(start + 1, (*before, *removed, *added, *after))


def _branch_edit(chain: Chain, lines: list[str], added: Addition) -> Edit:
    place = _place(chain)
    opening = lines[place.lineno - 1]
    outer = _indent(opening)
    if not opening[len(outer) :].startswith(("if", "elif")):
        raise AnchorError(f"line {place.lineno}: the branch does not begin with if or elif")
    inner = _indent(lines[place.body[0].lineno - 1])
    unit = inner[len(outer) :]
    if not inner.startswith(outer) or not unit or place.body[0].lineno == place.lineno:
        raise AnchorError(f"line {place.lineno}: the branch is not indented as a block")
    factors = _factors(chain)
    block = []
    for branch in added.branches:
        body = (line.format(**factors).replace("\t", unit) for line in branch.lines)
        block += [f"{outer}elif {branch.test}:", *(inner + line for line in body)]
    if opening[len(outer) :].startswith("elif"):
        return Edit(place.lineno, 0, tuple(block))
    first = outer + block[0].removeprefix(f"{outer}el")
    return Edit(place.lineno, 1, (first, *block[1:], f"{outer}el{opening[len(outer) :]}"))


def _factors(chain: Chain) -> dict[str, str]:
    """Return what a branch's lines leave to the release: the factor of the width, and the limit of the channels."""
    bound = scopes.bound(chain.function)
    missing = {"m", "f", "args", "ch", "c2"} - bound
    if missing:
        raise AnchorError(f"parse_model does not bind {', '.join(sorted(missing))}")
    width = next((name for name in ("width", "gw") if name in bound), None)
    if width is None:
        raise AnchorError("parse_model binds no width factor (width or gw)")
    return {"width": width, "channels": "min(args[0], max_channels)" if "max_channels" in bound else "args[0]"}


def _place(chain: Chain) -> ast.If:
    """The branch that ours goes before: that for Concat, or one before it that classes which it does not name pass."""
    first, *others = chain.branches
    branch = next(b for b in chain.branches if b is chain.concat or not class_tests.names_classes(b.test))
    return others[0] if branch is first and others and class_tests.names_classes(first.test) else branch


def _exports_edit(value: ast.Tuple | ast.List, lines: list[str], added: Addition) -> Edit:
    opening = lines[value.lineno - 1]
    entries = [entry for entry in value.elts if isinstance(entry, ast.Constant) and isinstance(entry.value, str)]
    if not entries or len(entries) != len(value.elts):
        raise AnchorError(f"line {value.lineno}: __all__ is not a literal of names")
    first = entries[0]
    quote = lines[first.lineno - 1][first.col_offset]
    quoted = [f"{quote}{name}{quote}" for name in added.classes]
    if value.end_lineno == value.lineno:
        at = first.col_offset
        return Edit(value.lineno, 1, (f"{opening[:at]}{', '.join(quoted)}, {opening[at:]}",))
    single = _one_a_line(entries, lines)
    if single:
        wanted = _export_order(added.classes[0])
        place = _sorted_place(single, [_export_order(str(entry.value)) for entry in single], wanted)
        return Edit(place.lineno, 0, tuple(f"{_indent(lines[place.lineno - 1])}{name}," for name in quoted))
    line = next((entry.lineno for entry in entries if entry.lineno > value.lineno), None)
    if line is None:
        raise AnchorError(f"line {value.lineno}: no line of __all__ begins with a name")
    return Edit(line, 0, (f"{_indent(lines[line - 1])}{', '.join(quoted)},",))


def _sorted_place(nodes: list[Named], keys: list[tuple[int, str]], wanted: tuple[int, str]) -> Named:
    """The node that a new one goes before; in a list that is not sorted the first, which releases change least."""
    if keys != sorted(keys):
        return nodes[0]
    return next((node for node, key in zip(nodes, keys, strict=True) if key > wanted), nodes[0])


def _lines(content: bytes) -> list[str]:
    """The lines; bytes that are not UTF-8 are kept as they are."""
    return [line.decode("utf-8", "surrogateescape") for line in content.splitlines()]


def _one_a_line(nodes: list[Named], lines: list[str]) -> list[Named]:
    """The nodes, if each has a line of its own; else none."""
    return nodes if all(re.fullmatch(r"""\s*["']?\w+["']?,?\s*(#.*)?""", lines[n.lineno - 1]) for n in nodes) else []


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _import_order(name: str) -> tuple[int, str]:
    """Isort's order by type: constants, classes, the rest; case aside."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name.lower()


def _export_order(name: str) -> tuple[int, str]:
    """Ruff's order of `__all__` (RUF022): as above, but with case."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name

"""What a module file defines, told from its syntax: its classes, which of them are modules, and what it exports."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_MODULE = re.compile(r"torch\.nn\.(?!functional\b|utils\b|init\b)[\w.]+|torch\.jit\.ScriptModule")
_UPSTREAM = re.compile(r"\..*|ultralytics\.nn\..*")
_FAMILIAR = re.compile(r"(?:torch\.)?nn\.\w+|Module|Sequential|Conv|C2f|C3k?|Bottleneck")  # however it was imported


@dataclass(frozen=True)
class Names:
    """What the names of a module file stand for.

    Attributes:
        classes: Its classes, by name; also those that it defines under a condition. The last of a name counts.
        aliases: Other names of its classes, and which these are.
        origins: What it imports, by its name in the file: the dotted name, with leading dots where it is relative.
        starred: Whether it imports all names of some module.
    """

    classes: Mapping[str, ast.ClassDef]
    aliases: Mapping[str, str]
    origins: Mapping[str, str]
    starred: bool

    def layers(self) -> dict[str, ast.ClassDef]:
        """Return the classes that derive from a module of torch, as far as syntax tells."""
        return {name: node for name, node in self.classes.items() if self._is_module(node, frozenset())}

    def _is_module(self, node: ast.ClassDef, seen: frozenset[str]) -> bool:
        """Return whether a class derives from a module: of torch, of upstream, of the file, or of another library."""
        bases = [ast.unparse(base) for base in node.bases]
        own = [self.classes[base] for base in bases if base in self.classes and base not in {node.name, *seen}]
        if any(self._is_module(base, seen | {node.name}) for base in own):
            return True
        return any(self._brings_module(base, runs=_runs(node)) for base in bases if base not in self.classes)

    def _brings_module(self, base: str, *, runs: bool) -> bool:
        """Return whether a base is a module; one of a library unknown here is, where the class has a `forward`."""
        first, _, rest = base.partition(".")
        origin = self.origins.get(first, "")
        full = f"{origin}.{rest}" if rest else origin
        if not origin:
            return bool(_FAMILIAR.fullmatch(base)) or (self.starred and runs and base.isidentifier())
        if full.startswith("torch."):
            return bool(_MODULE.fullmatch(full))
        return bool(_UPSTREAM.fullmatch(full)) or (runs and full.partition(".")[0] not in sys.stdlib_module_names)


def names_of(module: ast.Module) -> Names:
    """Return what the names of a module file stand for."""
    statements = list(executed(module.body))
    classes = {node.name: node for node in statements if isinstance(node, ast.ClassDef)}
    aliases: dict[str, str] = {}
    origins: dict[str, str] = {}
    starred = False
    for node in statements:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=of)) if of in classes:
                aliases[name] = of
            case ast.Import():
                origins |= {each.asname or each.name.partition(".")[0]: _imported(each) for each in node.names}
            case ast.ImportFrom():
                place = "." * node.level + (node.module or "")
                dotted = place if place.endswith(".") or not place else f"{place}."
                origins |= {each.asname or each.name: dotted + each.name for each in node.names}
                starred |= any(each.name == "*" for each in node.names)
    return Names(classes, aliases, origins, starred)


def exported(module: ast.Module) -> set[str]:
    """Return the names in `__all__`, as far as they are written out: assigned, added, appended or extended."""
    found: set[str] = set()
    for node in executed(module.body):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value)
                | ast.AugAssign(target=ast.Name(id="__all__"), value=value)
                | ast.Expr(
                    value=ast.Call(
                        func=ast.Attribute(value=ast.Name(id="__all__"), attr="append" | "extend"), args=[value]
                    )
                )
            ):
                found |= set(_written(value))
    return found


def executed(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that importing a file may run, also those under a condition."""
    for node in body:
        yield node
        match node:
            case ast.If() | ast.With() | ast.For() | ast.While():
                yield from executed(node.body)
                yield from executed(getattr(node, "orelse", []))
            case ast.Try():
                for part in (node.body, *(handler.body for handler in node.handlers), node.orelse, node.finalbody):
                    yield from executed(part)


def _imported(alias: ast.alias) -> str:
    return alias.name if alias.asname else alias.name.partition(".")[0]


def _runs(node: ast.ClassDef) -> bool:
    """Return whether a class says itself what it does with a map."""
    return any(isinstance(each, ast.FunctionDef) and each.name == "forward" for each in node.body)


def _written(value: ast.expr) -> Iterator[str]:
    """Yield the strings of a list that is written out."""
    match value:
        case ast.List() | ast.Tuple():
            for entry in value.elts:
                yield from _written(entry)
        case ast.BinOp(left=left, right=right):
            yield from _written(left)
            yield from _written(right)
        case ast.Constant(value=str() as text):
            yield text

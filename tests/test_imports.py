"""Imports point down, as DESIGN.md draws them, and go through the face of a package; those inside functions too."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.support.command import ROOT

LAYERS = (  # from the bottom up; who stands higher may import who stands lower
    *({"protocol"}, {"graph"}, {"errors"}, {"tree", "block"}, {"patch"}, {"transaction"}, {"runner"}, {"report"}),
    *({"console"}, {"commands"}, {"cli"}, {"__main__"}),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.glob("a2patch/**/*.py"))
}
PROBE = [name for name in FILES if name.startswith("a2patch.probe")]
HOST = [name for name in FILES if name not in PROBE]


def imports(name: str) -> Iterator[str]:
    """Yield what a module imports of ours, each under its full name."""
    package = name if FILES[name].stem == "__init__" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(FILES[name].read_bytes())):
        found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            near = package.rsplit(".", node.level - 1)[0] if node.level else ""
            source = ".".join(filter(None, (near, node.module)))
            found = [f"{source}.{alias.name}" for alias in node.names]
        yield from (each for each in found if each.startswith("a2patch."))


def part(name: str) -> str:
    """Return the package or module of a2patch that a name belongs to; that of a2patch itself is empty."""
    part = f"{name}..".split(".")[1]
    return part if f"a2patch.{part}" in FILES else ""


@pytest.mark.parametrize("name", HOST)
def test_the_host_imports_downward_and_through_faces(name: str) -> None:
    others = [found for found in imports(name) if part(found) not in ("", part(name))]
    upward = [found for found in others if LEVEL.get(part(found), len(LAYERS)) >= LEVEL.get(part(name), 0)]
    past_a_face = [found for found in others if found.count(".") > 2]
    assert (upward, past_a_face) == ([], [])


@pytest.mark.parametrize("name", PROBE)
def test_the_probe_imports_nothing_of_the_host(name: str) -> None:
    assert [found for found in imports(name) if part(found) not in {"probe", "graph", "protocol"}] == []

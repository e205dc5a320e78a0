"""A block put into a tree by hand: the module file, its imports, and a branch of `parse_model`."""

from __future__ import annotations

from pathlib import Path

from a2patch.block import Block

_BRANCHES = {
    "keep": "c2 = ch[f]\nargs = [c2, *args]",
    "keep:nothing": "c2 = ch[f]",
    "width": "c1, c2 = ch[f], make_divisible(min(args[0], max_channels) * width, 8)\nargs = [c1, c2, *args[1:]]",
    "repeat": "c1, c2 = ch[f], make_divisible(min(args[0], max_channels) * width, 8)\n"
    "args = [c1, c2, n, *args[1:]]\nn = 1",
    "join": "c2 = sum(ch[x] for x in f)\nargs = [[ch[x] for x in f], *args]",
    "join:nothing": "c2 = sum(ch[x] for x in f)",
    "merge": "c2 = ch[f[0]]\nargs = [c2, *args]",
    "merge:nothing": "c2 = ch[f[0]]",
}


def plant(package: Path, block: Block) -> dict[str, bytes | None]:
    """Put a block into a package, and return what was there before, by the paths of the files."""
    module, exports, tasks = (f"nn/{name}" for name in (f"modules/{block.name}.py", "modules/__init__.py", "tasks.py"))
    before: dict[str, bytes | None] = {module: None, exports: (package / exports).read_bytes()}
    before[tasks] = (package / tasks).read_bytes()
    (package / module).write_bytes(block.source)
    names = ", ".join(each.imported for each in block.classes)
    _edit(package / exports, f"\nfrom .{block.name} import {names}\n__all__ = (*__all__, {_listed(block)})\n")
    text = (package / tasks).read_text(encoding="utf-8")
    text = text.replace(
        "from ultralytics.utils import ",
        f"from ultralytics.nn.modules.{block.name} import {names}\nfrom ultralytics.utils import ",
        1,
    )
    mark = "        elif m is Concat:\n"
    assert text.count(mark) == 1
    branches = ""
    for each in block.classes:
        assert each.rule
        lines = "".join(f"            {line}\n" for line in _BRANCHES[each.rule.name].splitlines())
        branches += f"        elif m is {each.name}:\n{lines}"
    (package / tasks).write_text(text.replace(mark, branches + mark), encoding="utf-8")
    return before


def _listed(block: Block) -> str:
    return ", ".join(f'"{name}"' for name in block.names())


def _edit(path: Path, added: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + added, encoding="utf-8")

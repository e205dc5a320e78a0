"""Show blocks: what comes with a2patch, what a tree has, and how their rows are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from a2patch.report.text import table_lines

if TYPE_CHECKING:
    from a2patch.block import Block, BlockClass
    from a2patch.transaction import LayerStatus, Survey

_MEANING = {
    "applied": "in the tree",
    "edited": "in the tree, and edited since",
    "partial": "half there; `a2patch apply` puts it in again",
    "stale": "its file is left of an upgrade; `a2patch apply` puts it in again",
    "gone": "gone from the tree",
    "conflict": "there, but not as a2patch put it in",
}


def example_row(each: BlockClass) -> str:
    """Return an example row of a class, as a model YAML has it."""
    joins = "[-1, 6, 4]" if each.maps > 2 else "[-1, 6]"
    source = joins if each.reads_several else "-1"
    arguments = ", ".join(_value(value) for value in each.args)
    return f"- [{source}, 1, {each.name}, [{arguments}]]"


def understood_lines(told: Sequence[tuple[Block, Mapping[str, str]]]) -> list[str]:
    """Return how the rows of blocks are read, and what told it.

    Args:
        told: The blocks, and for each of their classes what told its rule, where more than names did.
    """
    rows = []
    for block, sources in told:
        for each in block.classes:
            of = each.name.removeprefix("Gated") if each.name not in sources else each.name
            by = f"by {sources[of]}" if of in sources else "by the names of its parameters"
            rows.append((each.name, each.rule.name if each.rule else "", example_row(each), by))
    return [] if not rows else ["rows", *(f"  {line}" for line in table_lines(rows))]


def bundled_lines(blocks: Sequence[Block]) -> list[str]:
    """Return the blocks that come with a2patch."""
    lines = ["with a2patch, for `a2patch apply NAME`"]
    for block in blocks:
        lines += [f"  {block.name:<18} {block.title}", f"  {'':<18} {block.use}"]
        lines += [f"  {'':<18} {example_row(each)}" for each in block.classes]
    return lines


def tree_lines(survey: Survey) -> list[str]:
    """Return the blocks that a tree has."""
    lines = ["", f"in {survey.tree.package}"]
    rows = [(name, state, ", ".join(classes)) for name, state, classes in _of_tree(survey)]
    return [*lines, *(f"  {line}" for line in table_lines(rows))] if rows else [*lines, "  none"]


def status_lines(layers: Sequence[LayerStatus]) -> list[str]:
    """Return what `a2patch status` says of the blocks upon the patch."""
    lines = []
    for one in layers:
        block = one.layer.block
        lines.append(f"block    {block.name} ({', '.join(block.names())}): {_MEANING[one.state]}")
        for diff in one.layer.diffs:
            lines.append(f"         {diff.site:<7} {one.sites[diff.site]:<9} {diff.files[0].path}")
    return lines


def document(layers: Sequence[LayerStatus]) -> list[dict[str, Any]]:
    """Return the blocks upon the patch, as the document has them."""
    return [
        {
            "name": one.layer.block.name,
            "state": one.state,
            "files": [
                {"site": diff.site, "path": diff.files[0].path, "state": one.sites[diff.site]}
                for diff in one.layer.diffs
            ],
            "classes": classes(one.layer.block),
            "edited": [change.path for change in one.edits],
        }
        for one in layers
    ]


def classes(block: Block) -> list[dict[str, Any]]:
    """Return the classes of a block, as the document has them."""
    return [
        {
            "name": each.name,
            "defined": each.defined or each.name,
            "rule": each.rule.name if each.rule else None,
            "row": example_row(each),
        }
        for each in block.classes
    ]


def bundled_document(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Return the blocks that come with a2patch, as the document has them."""
    return [
        {"name": each.name, "title": each.title, "use": each.use, "paper": each.paper, "classes": classes(each)}
        for each in blocks
    ]


def tree_document(survey: Survey) -> list[dict[str, Any]]:
    """Return the blocks that a tree has, as the document has them."""
    return [{"name": name, "state": state, "classes": list(classes)} for name, state, classes in _of_tree(survey)]


def _of_tree(survey: Survey) -> list[tuple[str, str, Sequence[str]]]:
    from a2patch.block import CLASSES, MODULE

    patched = survey.status.is_patched
    found: list[tuple[str, str, Sequence[str]]] = [(MODULE, survey.status.state, CLASSES)] if patched else []
    return found + [(one.layer.block.name, one.state, one.layer.block.names()) for one in survey.layers]


def _value(value: object) -> str:
    """Return a value as YAML has it."""
    if value is None or isinstance(value, bool):
        return str(value)
    return repr(value)

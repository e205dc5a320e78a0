"""Blocks as their user names them: found, read, and told how a row of each class is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from a2patch.block import (
    CLASSES,
    MODULE,
    RULES,
    Block,
    BlockClass,
    bringing,
    bundled,
    class_named,
    gated,
    load_folder,
    read_module_file,
)
from a2patch.commands.options import interpreter
from a2patch.console import Console, progress
from a2patch.errors import BlockError, BlockNeedsError, ToolMissingError

if TYPE_CHECKING:
    from a2patch.protocol import ClassTried
    from a2patch.tree import Surroundings, Tree

BlocksArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="BLOCK",
        help="A Python file with an nn.Module, a folder with a block.toml, or the name of a block that comes with "
        "a2patch (`a2patch blocks` lists them). Without any: Double Attention.",
    ),
]
RowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--row", metavar="CLASS=RULE", help=f"How a row of a class is read: {', '.join(RULES)}. Again for more."
    ),
]
AsOption = Annotated[
    list[str] | None,
    typer.Option("--as", metavar="NEW=OLD", help="Import the class OLD of a file as NEW. Again for more."),
]
GatedOption = Annotated[
    bool, typer.Option("--gated", help="Add a twin GatedX for each class X that keeps the channels; it starts closed.")
]


@dataclass(frozen=True)
class Given:
    """A block, and how it is known what its rows are like.

    Attributes:
        block: The block.
        sources: For each of its classes, by name, what told its rule; nothing where a trial may tell better.
    """

    block: Block
    sources: Mapping[str, str]


def read_blocks(named: Sequence[str], rows: Sequence[str], aliases: Sequence[str]) -> list[Given]:
    """Find and read the blocks that a command names, Double Attention aside.

    Args:
        named: What was typed.
        rows: The options `--row`.
        aliases: The options `--as`.

    Raises:
        BlockError: One is no block.
    """
    found = [_find(name) for name in dict.fromkeys(named) if name != MODULE]
    rules = {name: _rule(rule) for name, rule in _pairs(rows, "--row", "CLASS=RULE")}
    names = {old: new for new, old in _pairs(aliases, "--as", "NEW=OLD")}
    for old in rules.keys() | names.keys():
        if not any(class_named(each.block, old) for each in found) and old not in names.values():
            raise typer.BadParameter(f"none of these blocks defines a class {old}")
    given = [_with_options(each, rules, names) for each in found]
    for each in given:
        _refuse_ours(each.block)
    called = [each.block.name for each in given]
    if twice := [name for name in called if called.count(name) > 1]:
        raise typer.BadParameter(f"two of these blocks are called {twice[0]}; rename a file")
    return given


def understood(
    console: Console,
    tree: Tree,
    around: Surroundings,
    python: Path | None,
    given: Sequence[Given],
    *,
    try_them: bool,
    twins: bool,
    aside: bool,
) -> tuple[Block, ...]:
    """Work out how the rows of blocks are read, where nobody has said it, and say what was understood.

    Args:
        console: Where to say it.
        tree: The tree that they go into.
        around: What the command is run in.
        python: The interpreter to try classes with, where its user named one.
        given: The blocks.
        try_them: Whether classes may be tried, which runs their code.
        twins: Whether each class that keeps the channels gets a twin behind a gate.
        aside: Whether what was understood goes beside what the command prints, which may be piped.

    Raises:
        BlockError: No row can name a class, or it is not known how such a row is read.
    """
    blocks, told = [], []
    for each in given:
        known = each
        if try_them and len(each.sources) < len(each.block.classes):
            known = _tried(console, tree, around, python, each)
        known = _as_upstream_has_it(tree, known)
        block = gated(_complete(known.block)) if twins else _complete(known.block)
        blocks.append(block)
        told.append((block, known.sources))
    console.understood(told, aside=aside)
    return tuple(blocks)


def _find(named: str) -> Given:
    """Find a block by what was typed: a path, or a name of ours where there is no such path."""
    place = Path(named)
    if place.is_dir() and (place.joinpath("block.toml").is_file() or named not in bundled()):
        block = load_folder(place)
    elif place.is_file() or named.endswith(".py"):
        return Given(read_module_file(place), {})
    elif named in bundled():
        block = bundled()[named]
    else:
        brought = bringing([named])
        raise BlockError(
            f"there is no block {named}",
            found=f"those that come with a2patch: {', '.join(bundled())}",
            remedy=f"{brought} brings a class {named}."
            if brought
            else "Name one of these, or the path of a Python file or of a folder with a block.toml.",
        )
    return Given(block, dict.fromkeys(block.names(), "its block.toml"))


def _refuse_ours(block: Block) -> None:
    """Refuse a block by the names of Double Attention, which comes with a2patch and lies below all others.

    Raises:
        BlockError: It has one of them.
    """
    if block.name == MODULE:
        raise BlockError(
            f"{block.name} is the name of the block that `a2patch apply` puts in by itself",
            path=Path(f"{block.name}.py"),
            remedy="Rename the file, if you mean another.",
        )
    if taken := [name for name in block.names() if name in CLASSES]:
        raise BlockError(
            f"{taken[0]} is a class that `a2patch apply` puts in by itself",
            path=Path(f"{block.name}.py"),
            remedy=f"If you mean another, import it under another name: --as My{taken[0]}={taken[0]}.",
        )


def _with_options(given: Given, rules: Mapping[str, str], names: Mapping[str, str]) -> Given:
    """Return a block with the rules and the names that its user gave."""
    block, sources = given.block, dict(given.sources)
    chosen = {each.name: each for each in block.classes}
    for old in (*rules, *names):
        if old not in chosen and (more := class_named(block, old)):
            chosen[old] = more
    classes = []
    for old, each in chosen.items():
        name = names.get(old, old)
        source = sources.pop(old, "")
        rule = rules.get(old) or rules.get(name)
        if rule:
            each, source = replace(each, rule=RULES[rule]), "--row"
        classes.append(replace(each, name=name, defined=old if name != old else each.defined))
        sources |= {name: source} if source else {}
    return Given(replace(block, classes=tuple(classes)), sources)


def _tried(console: Console, tree: Tree, around: Surroundings, python: Path | None, given: Given) -> Given:
    """Return a block with what trying its classes told."""
    from a2patch.runner import try_classes

    try:
        found = interpreter(console, python, tree, around)
        with progress() as notify:
            tried = try_classes(tree.package, found, given.block, notify, around.variables)
    except BlockNeedsError:
        raise
    except ToolMissingError as error:  # a library is missing; names may tell enough
        console.notify(f"the classes can't be tried, so only the names of their parameters tell: {error.message}")
        return given
    by_name = {each.name: each for each in tried}
    classes, sources, refused = [], dict(given.sources), []
    for each in given.block.classes:
        told = by_name.get(each.defined or each.name)
        if each.name in sources or told is None:
            classes.append(each)
        elif told.problem:
            refused.append(told)
        else:
            rule = RULES[told.rule] if told.rule else None
            if rule is None and told.seen:
                console.notify(f"{each.name} stays open: {told.seen}")
            classes.append(
                replace(each, rule=rule, args=tuple(told.args) or each.args, scale=told.scale, maps=told.maps)
            )
            sources[each.name] = "trying it"
    if refused and not classes:
        raise _refused(given.block, refused)
    for told in refused:
        console.notify(f"{told.name} is left out: {told.problem}" + (f" ({told.seen})" if told.seen else ""))
    return Given(replace(given.block, classes=tuple(classes)), sources)


def _as_upstream_has_it(tree: Tree, given: Given) -> Given:
    """Return a block whose classes that upstream ships, and that are registered as they are, are read as upstream's."""
    from a2patch.transaction import shipped

    classes, sources = [], dict(given.sources)
    for each in given.block.classes:
        found = None if each.defined or sources.get(each.name) == "--row" else shipped(tree, each.name)
        if found and found.rule and found.rule != each.rule:
            each, sources[each.name] = found, "the names of upstream's parameters"
        classes.append(each)
    return Given(replace(given.block, classes=tuple(classes)), sources)


def _refused(block: Block, refused: Sequence[ClassTried]) -> BlockError:
    return BlockError(
        f"no row can name a class of {block.name}",
        path=Path(f"{block.name}.py"),
        found="\n".join(f"{each.name}: {each.problem}" + (f" ({each.seen})" if each.seen else "") for each in refused),
        remedy="Mend the file, and apply it again."
        if all("import" in each.problem for each in refused)
        else "A block takes one map, or several, and gives one map, of any size. If this class does, name its "
        f"rule: --row {refused[0].name}=keep|width|repeat|join|merge.",
    )


def _complete(block: Block) -> Block:
    """Return a block with a rule, and arguments of an example row, for each class.

    Raises:
        BlockError: It is not known how a row of one is read.
    """
    if unknown := [each.name for each in block.classes if each.rule is None]:
        raise BlockError(
            f"it is not known how a row of {' and of '.join(unknown)} is read",
            path=Path(f"{block.name}.py"),
            found="neither the names of its parameters nor a trial told it",
            remedy=f"Say it with --row {unknown[0]}=keep|width|repeat|join|merge: keep passes the channels first, "
            "keep:nothing none; with width the row's first argument is the number of output channels. "
            "Arguments that it must be given besides go into a block.toml, as `args` of its class.",
        )
    return replace(block, classes=tuple(map(_with_example, block.classes)))


def _with_example(each: BlockClass) -> BlockClass:
    scaled = each.rule is not None and each.rule.kind in ("width", "repeat")
    return replace(each, args=(64,)) if scaled and not each.args else each


def _pairs(options: Sequence[str], name: str, form: str) -> list[tuple[str, str]]:
    pairs = [option.split("=") for option in options]
    for pair, option in zip(pairs, options, strict=True):
        if len(pair) != 2 or not pair[0].isidentifier():
            raise typer.BadParameter(f"{name} is {form}, not {option[:80]!r}")
    return [(one, other) for one, other in pairs]


def _rule(name: str) -> str:
    if name not in RULES:
        raise typer.BadParameter(f"--row knows no rule {name[:40]!r}; those are {', '.join(RULES)}")
    return name

"""The ways in which forks write `parse_model`'s chain: each is patched so that it reads our rows, or told why not."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from a2patch.block import ADDITION, BLOCK, LAYER
from a2patch.patch import anchors, edits, validate
from tests.patch.test_mutations import Files, base, judge
from tests.support.trees import NEWEST

CONCAT = "        elif m is Concat:\n            c2 = sum(ch[x] for x in f)\n"
FIRST = "        if m in base_modules:\n"


def concat(test: str, before: str = "", within: str = "") -> Callable[[str], str]:
    """Another test for Concat, with statements before the loop and in the branch."""

    def change(text: str) -> str:
        body = "".join(f"            {line}\n" for line in within.split("\n") if line)
        text = text.replace(CONCAT, f"        elif {test}:\n{body}            c2 = sum(ch[x] for x in f)\n")
        return before_loop(before)(text) if before else text

    return change


def before_loop(statement: str) -> Callable[[str], str]:
    lines = "".join(f"    {line}\n" for line in statement.split("\n"))
    return lambda text: text.replace("    for i, (f, n, m, args) in enumerate(", f"{lines}    for i, (f, n, m, args) in enumerate(", 1)  # fmt: skip


def at_top(statement: str, test: str) -> Callable[[str], str]:
    return lambda text: concat(test)(text.replace("\n\ndef parse_model(", f"\n{statement}\n\n\ndef parse_model(", 1))


def behind(branch: str) -> Callable[[str], str]:
    """A branch behind that for Concat."""
    return lambda text: text.replace(CONCAT, f"{CONCAT}{branch}")


def concat_first(text: str) -> str:
    """Concat in the first `if`."""
    return text.replace(CONCAT, "").replace(FIRST, CONCAT.replace("elif", "if", 1) + FIRST.replace("if", "elif", 1))


def concat_inside_else(text: str) -> str:
    """Concat by itself in an `if` inside the chain's `else`."""
    inside = "".join(f"    {line}\n" for line in CONCAT.replace("elif", "if", 1).splitlines())
    return text.replace(CONCAT, "").replace("        else:\n            c2 = ch[f]\n", f"        else:\n            c2 = ch[f]\n{inside}")  # fmt: skip


THEIRS = "        elif m is AIFI:\n            "
SOUND: dict[str, Callable[[str], str]] = {
    "or": concat("m is Concat or m is AIFI"),
    "or, in brackets, over lines": concat("(\n            m is AIFI\n            or m is Concat\n        )"),
    "and": concat("m is Concat and isinstance(f, list)"),
    "the other way round": concat("Concat is m"),
    "by ==": concat("m == Concat"),
    "issubclass": concat("isinstance(m, type) and issubclass(m, Concat)"),
    "issubclass of several": concat("issubclass(m, (AIFI, Concat))"),
    "by name": concat('m.__name__ == "Concat"'),
    "by name, of several": concat('m.__name__ in {"Concat", "BiFPN"}'),
    "a walrus": concat("(kind := m) is Concat"),
    "a frozenset in the function": concat("m in JOINS", "JOINS = frozenset({Concat, AIFI})"),
    "a tuple in the module": at_top("JOINS = (AIFI, Concat)", "m in JOINS"),
    "an annotated one": at_top("JOINS: set = {Concat}", "m in JOINS"),
    "a table": at_top("JOINS = {Concat: sum}", "m in JOINS"),
    "one made of others": concat("m in JOINS", "one = {Concat}\nJOINS = one | {AIFI}"),
    "one that grows": concat("m in JOINS", "JOINS = {AIFI}\nJOINS |= {Concat}"),
    "one that is added to": concat("m in JOINS", "JOINS = [AIFI]\nJOINS.append(Concat)"),
    "another name for it": concat("m is Join", "Join = Concat"),
    "an if for it in its branch": concat("m in (Concat, AIFI)", within="if m is Concat:\n    c2 = 1\nelif m is AIFI:\n    c2 = 2"),
    "told apart before the chain": lambda t: t.replace(FIRST, f"        if m is Concat:\n            legacy = False\n{FIRST}"),
    "comments between": lambda t: t.replace(CONCAT, f"        # 拼接\n{CONCAT}        # 其它\n"),
    "in the first if": concat_first,
    "in an if of the else": concat_inside_else,
    "a lambda behind": behind(f"{THEIRS}c2 = max(args, key=lambda a: a)\n"),
    "a try behind": behind(f"{THEIRS}try:\n                c2 = int(args[0])\n            except ValueError as error:\n                raise error\n"),
    "an import behind": behind(f"{THEIRS}import math as maths\n            c2 = maths.ceil(args[0])\n"),
    "a nested function behind": behind(f"{THEIRS}def widened(channels, *more, by=2):\n                return channels * by\n            c2 = widened(args[0])\n"),
    "a comprehension behind": behind(f"{THEIRS}c2 = max(a for a in args)\n"),
    "a with behind": behind(f"{THEIRS}with contextlib.suppress(ValueError) as done:\n                c2 = args[0] if done is None else 1\n"),
    "a starred target behind": behind(f"{THEIRS}c2, *rest = args\n            for one in rest:\n                c2 += one\n"),
    "a match behind": behind(f"{THEIRS}match args:\n                case [first, *others]:\n                    c2 = first\n                case {{'c2': c2, **keys}}:\n                    pass\n                case other:\n                    c2 = other\n"),
    "a global behind": behind(f"{THEIRS}c2 = warnings_seen = args[0]\n"),
    "a nested function with a chain": before_loop("def told(m):\n    if m is Concat:\n        c2 = 1\n    elif m is AIFI:\n        c2 = 2\n    return c2"),
    "a name that another function makes global": lambda t: t + "\n\ndef widen():\n    global max_ratio\n    max_ratio = 2\n",
    "a branch before that all else passes": lambda t: t.replace(CONCAT, f"        elif m not in base_modules and m not in (Concat, Detect):\n            c2 = -1\n{CONCAT}"),
    "a first branch that all else passes": lambda t: t.replace(FIRST, "        if not (m in base_modules or m is Concat):\n            c2 = -1\n        elif m in base_modules:\n"),
}  # fmt: skip

REFUSED: dict[str, tuple[Callable[[str], str], str]] = {
    "classes that another file lists": (
        lambda t: concat("m in JOINS")(t.replace("import torch\n", "import torch\nfrom .joins import JOINS\n", 1)),
        "which classes are in JOINS, its file does not say",
    ),
    "all but": (concat("m not in (Conv, AIFI)"), "no chain of if and elif in parse_model has a branch that sets c2"),
    "taken out of a set": (concat("m in {AIFI} - {Concat}"), "no chain of if"),
    "match": (
        concat("m is AIFI", "match d:\n    case {}:\n        pass"),
        "where match tells the classes apart, register ours by hand",
    ),
    "two chains": (
        lambda t: t.replace(FIRST, f"        if m is Concat:\n            c2 = 0\n        elif m is AIFI:\n            c2 = 1\n{FIRST}"),
        "2 chains in parse_model set c2 for Concat (lines ",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def files(cache: Path) -> Files:
    return base(NEWEST, cache)


def changed(files: Files, change: Callable[[str], str]) -> Files:
    text = files["nn/tasks.py"].decode()
    assert change(text) != text
    return {**files, "nn/tasks.py": change(text).encode()}


@pytest.mark.parametrize("form", SOUND)
def test_a_sound_chain_is_patched(files: Files, form: str) -> None:
    varied = changed(files, SOUND[form])
    assert judge(varied, NEWEST) in ("derived", "versioned")
    content = varied["nn/tasks.py"]
    made = applied(content, edits.tasks_edits(content, ADDITION))
    assert validate.fault("nn/tasks.py", made, ADDITION) == ""
    assert row_read(made, LAYER, [64, 16, True]) == (24, [24, 16, 16, True])
    assert row_read(made, BLOCK, [0.25]) == (24, [24, 0.25])


@pytest.mark.parametrize("form", REFUSED)
def test_what_stays_unclear_is_refused_with_the_reason(files: Files, form: str) -> None:
    change, reason = REFUSED[form]
    with pytest.raises(anchors.AnchorError, match=re.escape(reason)):
        edits.tasks_edits(changed(files, change)["nn/tasks.py"], ADDITION)


@pytest.mark.parametrize(
    ("reads", "known"),
    [
        ("max(x for x in args)", True),
        ("(lambda a: a)(1)", True),
        ("here", True),
        ("unheard_of", False),
    ],
)
def test_our_branch_reads_only_what_parse_model_knows(files: Files, reads: str, known: bool) -> None:
    content = changed(files, before_loop("here = 1"))["nn/tasks.py"]
    made = applied(content, edits.tasks_edits(content, ADDITION))
    spoiled = made.replace(b"args = [c1, *args]", f"args = [c1, {reads}]".encode())
    told = validate.fault("nn/tasks.py", spoiled, ADDITION)
    assert told == ("" if known else f"the branch reads {reads}, which parse_model does not know")


def applied(content: bytes, changes: list[edits.Edit]) -> bytes:
    lines = content.decode().split("\n")
    for edit in sorted(changes, key=lambda edit: -edit.line):
        lines[edit.line - 1 : edit.line - 1 + edit.replaced] = edit.lines
    return "\n".join(lines).encode()


def row_read(content: bytes, name: str, args: list[Any]) -> tuple[int, list[Any]]:
    """What the loop of `parse_model` makes of a row of ours: its output channels and its arguments, the chain run."""
    module = ast.parse(content)
    chain = anchors.chain(module)
    made = re.compile(r"(JOINS|one|Join|base_modules|repeat_modules)\b")
    before = [node for part in (module, chain.function) for node in part.body if made.match(ast.unparse(node))]
    (loop,) = [n for n in chain.function.body if isinstance(n, ast.For) and "enumerate(d[" in ast.unparse(n.iter)]
    built = next(at for at, node in enumerate(loop.body) if ast.unparse(node).startswith("m_ = "))
    told = [n for n in loop.body[:built] if isinstance(n, ast.If) and "restricted" not in ast.unparse(n.test)]
    used = {node.id for part in (*before, *told) for node in ast.walk(part) if isinstance(node, ast.Name)}
    scope: dict[str, Any] = {n: type(n, (), {}) for n in used if re.match("v?[A-Z1]", n) and not hasattr(builtins, n)}
    nn = SimpleNamespace(BatchNorm2d=type("BatchNorm2d", (), {}), ConvTranspose2d=type("ConvTranspose2d", (), {}))
    scope |= {"torch": SimpleNamespace(nn=nn), "nn": nn, "make_divisible": lambda x, by: -(-int(x) // by) * by}
    scope |= {
        "f": 0,
        "n": 1,
        "args": args,
        "ch": [24],
        "c2": None,
        "width": 0.25,
        "max_channels": 1024,
        "scale": "n",
        "legacy": True,
    }
    scope["m"] = scope.setdefault(name, type(name, (), {}))
    exec(compile(ast.Module([*before, *told], []), "chain", "exec"), scope)
    return scope["c2"], scope["args"]

"""Errors are told in one style: what is wrong begins in lower case, what to do is a sentence or a command."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from a2patch import errors
from tests.support.command import ROOT

KINDS = {
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.A2PatchError)
}


def texts(node: ast.expr) -> Iterator[str]:
    """Yield the text that an expression certainly begins with."""
    match node:
        case ast.Constant(value=str(text)) | ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from (*texts(body), *texts(other))


def raised() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(ROOT.glob("a2patch/**/*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                yield f"{path.relative_to(ROOT)}, line {node.lineno}", node


def test_messages_begin_in_lower_case() -> None:
    found = [(where, text) for where, call in raised() for text in texts(call.args[0] if call.args else ast.Tuple([]))]
    assert len(found) > 50
    names = ("Git", "YOLO", "Python")  # which begin so
    assert [each for each in found if each[1][:1].isupper() and not each[1].startswith(names)] == []


def test_what_to_do_is_a_sentence_or_a_command() -> None:
    remedies = [(where, k.value) for where, call in raised() for k in call.keywords if k.arg == "remedy"]
    found = [(where, text) for where, value in remedies for text in texts(value)]
    assert len(found) > 50
    assert [each for each in found if each[1] and not (each[1][0].isupper() or each[1][0] == "`")] == []

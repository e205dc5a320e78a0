"""The forms in which the same text stands in the files of different users."""

from __future__ import annotations

from collections.abc import Callable

BOM = b"\xef\xbb\xbf"


def mixed(content: bytes) -> bytes:
    """End a third of the lines as Unix does, and the others as Windows does."""
    lines = content.split(b"\n")
    return b"".join(line + (b"\r\n" if number % 3 else b"\n") for number, line in enumerate(lines[:-1])) + lines[-1]


def gbk(content: bytes) -> bytes:
    """Write a whole file in GBK, with a comment whose bytes are no UTF-8."""
    return f"# -*- coding: gbk -*-\n# 中文\n{content.decode()}".encode("gbk", "replace")


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "LF": lambda content: content,
    "CRLF": lambda content: content.replace(b"\n", b"\r\n"),
    "mixed": mixed,
    "BOM": lambda content: BOM + content,
    "BOM and CRLF": lambda content: BOM + content.replace(b"\n", b"\r\n"),
    "no final newline": lambda content: content.rstrip(b"\n"),
    "Latin-1 comment": lambda content: b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + content,
    "GBK": gbk,
    "form feed and lone CR": lambda content: content + b"# a\x0c\rb: 1\n",
}

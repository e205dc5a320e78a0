"""Spoil bytes and documents in ways that a program may not have been written for."""

from __future__ import annotations

import base64
import copy
import json
import random
import zlib
from collections.abc import Callable, Sequence
from typing import Any

_LONG = "n" * 300
_TOKENS = (
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\x0c", b"\x1b[31m", b"\x1a", b"\t", b"\\", b"\xc3\x28"),
    *(b"(" * 300, b"[" * 4000, b"-" * 9000, b"a." * 9000, b"9" * 5000, b"x = 1" + b"+1" * 3000, b"x" * 70_000),
    *(b'"""', b"'", b"#", b":", b"\n    ", b"\n", b"pass\n", b"if x:\n", b"elif m is Concat:\n", b"else:\n"),
    *(b"DoubleAttentionLayer", b"DoubleAttentionBlock, ", b"__all__ = ()\n", b"from .x import *\n", b"Detect,\n"),
    *(b"<<<<<<< a\n", b"=======\n", b">>>>>>> b\n", b"# -*- coding: utf-16 -*-\n", b"# coding: nonsense\n"),
    *(b"def parse_model(d, ch):\n    pass\n", b"__version__ = 8\n", b'__version__ = "\\x1b"\n', b"match m:\n"),
    *(b",", b'"', b",sha256=", b",sha999=x,1\n", b"../../x,,\n", b"ultralytics/nn/tasks.py,,\n", b"\xe2\x80\xa8"),
    *(b"import os; import sys\n", b"MAPPING = {'ultralytics': '/'}\n", b"home = /\n", b"version = " + b"9" * 5000),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 10**30, 1.5, 1e308, float("inf"), "", "x", "\x00", "\ud800", "\x1b[31m", "é", _LONG),
    *("..", "../../outside/file", "/etc/passwd", "nn/../x", "nn//x", "C:\\x", "nn/con.py", "nn/tasks.py", "nn", "."),
    *("__init__.py", "../ultralytics-9.dist-info/RECORD", "../x.dist-info/RECORD", f"nn/{_LONG}.py", "a/" * 3000 + "b"),
    *("00" * 32, "zz" * 32, "0" * 63, "====", base64.b64encode(zlib.compress(bytes(1 << 25))).decode(), "eJw="),
    *([], {}, [[]], [None], {"x": 1}, ["x", "y", "z"], "module", "tasks", "9" * 5000, "8.4", "9999.0"),
    *("@@ -1 +1 @@", "--- a/ultralytics/x\n+++ b/ultralytics/x\n@@ -1,0 +1,0 @@\n", "--- a/x\n+++ b/x\n"),
)


def spoiled(content: bytes, chance: random.Random) -> bytes:
    """Return some bytes with up to five changes, each at a random place."""
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(content))
        end = min(len(content), start + chance.choice((0, 1, 2, 8, 40, 400, 4000, len(content))))
        content = chance.choice(_CHANGES)(content, start, end, chance)
    return content[: 1 << 18]


def spoiled_document(content: bytes, chance: random.Random) -> bytes:
    """Return a JSON document with up to three values changed, removed or put elsewhere."""
    document = json.loads(content)
    for _ in range(chance.randint(1, 3)):
        places = list(_places(document))
        if not places:
            break
        holder, key = chance.choice(places)
        how = chance.random()
        if how < 0.2:
            del holder[key]
        elif how < 0.3 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(chance.choice(holder)))
        elif how < 0.4:
            other, at = chance.choice(places)
            holder[key] = copy.deepcopy(other[at]) if isinstance(other, dict) or at < len(other) else None
        elif how < 0.55 and isinstance(holder[key], str):
            holder[key] = spoiled(holder[key].encode("utf-8", "replace"), chance).decode("utf-8", "replace")
        elif how < 0.65 and isinstance(holder, dict):
            holder[str(chance.choice(_VALUES))] = holder.pop(key)
        else:
            holder[key] = copy.deepcopy(chance.choice(_VALUES))
    return json.dumps(document).encode()


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return where values stand in a document, each with what holds it."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys: Sequence[Any] = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    return found


def _flip(content: bytes, start: int, end: int, chance: random.Random) -> bytes:
    return content[:start] + bytes([chance.randrange(256)]) + content[start + 1 :]


def _cut(content: bytes, start: int, end: int, chance: random.Random) -> bytes:
    return content[:start] + content[end:]


def _double(content: bytes, start: int, end: int, chance: random.Random) -> bytes:
    return content[:end] + content[start:end] + content[end:]


def _put(content: bytes, start: int, end: int, chance: random.Random) -> bytes:
    return content[:start] + chance.choice(_TOKENS) + content[start:]


def _end(content: bytes, start: int, end: int, chance: random.Random) -> bytes:
    return content[:start]


def _swap(content: bytes, start: int, end: int, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _endings(content: bytes, start: int, end: int, chance: random.Random) -> bytes:
    return content[:start] + content[start:end].replace(b"\n", b"\r\n") + content[end:]


_Change = Callable[[bytes, int, int, random.Random], bytes]
_CHANGES: tuple[_Change, ...] = (_flip, _flip, _cut, _cut, _double, _put, _put, _put, _end, _swap, _endings)

"""Pickles written opcode by opcode: sound ones as torch saves them, and what no pickler would write."""

from __future__ import annotations

import pickle
import random
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.fuzzing.mutation import spoiled

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
VALUES = struct.pack("<4f", 1, 2, 3, 4)
"""What the one storage of a checkpoint holds."""


def text(value: str) -> bytes:
    """Return the opcode that pushes a string."""
    content = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(content)) + content


def named(name: str) -> bytes:
    """Return the opcode that pushes what a dotted name means."""
    module, _, last = name.rpartition(".")
    return f"c{module}\n{last}\n".encode()


def called(name: str, *arguments: bytes) -> bytes:
    """Return the opcodes that call something."""
    return named(name) + b"(" + b"".join(arguments) + b"tR"


def table(pairs: dict[str, bytes]) -> bytes:
    """Return the opcodes that push a dict."""
    return b"}(" + b"".join(text(key) + value for key, value in pairs.items()) + b"u"


def checkpoint(*, older: bool, extra: bytes = b"") -> bytes:
    """Return the pickle of a checkpoint with one layer of torch's and one tensor.

    Args:
        older: Whether it is of torch's format before 1.6.
        extra: The opcodes of one more value, which may do anything.
    """
    view = b"N" if older else b""
    storage = (
        b"(" + text("storage") + named("torch.FloatStorage") + text("0") + text("cpu") + b"J\4\0\0\0" + view + b"tQ"
    )
    empty = called("collections.OrderedDict")
    one_tensor = (storage, b"J\0\0\0\0", b"(J\4\0\0\0t", b"(J\1\0\0\0t", b"\x89", empty)
    tensor = called("torch._utils._rebuild_tensor_v2", *one_tensor)
    parts = {"training": b"\x89", "_modules": empty, "_parameters": empty, "_buffers": empty, "weight": tensor}
    layer = named("torch.nn.modules.linear.Identity") + b")\x81" + table(parts) + b"b"
    whole = {"epoch": b"J\xff\xff\xff\xff", "model": layer, "ema": b"N", "date": text("some day")}
    return b"\x80\2" + table(whole | ({"extra": extra} if extra else {})) + b"."


def legacy(content: bytes) -> bytes:
    """Return a file in torch's format before 1.6 around the pickle of a checkpoint."""
    system = {"protocol_version": _PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    front = [pickle.dumps(each, 2) for each in (_MAGIC, _PROTOCOL, system)]
    return b"".join((*front, content, pickle.dumps(["0"], 2), struct.pack("<q", 4), VALUES))


def raw() -> bytes:
    """Return a pickle that torch did not save."""
    return pickle.dumps({"model": None, "epoch": 1}, 4)


def hostile(canary: Path, chance: random.Random) -> bytes:
    """Return the opcodes of one value that no pickler writes: what runs code, what is deep, vast, or bad.

    Args:
        canary: A folder that is made where any code in it is run.
        chance: What to choose by.
    """
    return chance.choice(_HOSTILE)(text(str(canary)), chance)


def spoiled_pickle(content: bytes, canary: Path, chance: random.Random) -> bytes:
    """Return a pickle with a value of `hostile` somewhere in it, or some bytes changed."""
    if chance.random() < 0.4:
        return spoiled(content, chance)
    place = chance.choice((2, len(content) - 1, chance.randrange(len(content))))
    return content[:place] + hostile(canary, chance) + content[place:]


def _runs_code(canary: bytes, chance: random.Random) -> bytes:
    """Return what makes the folder in one of the ways in which a pickle can call something."""
    module, name = chance.choice((("os", "mkdir"), ("posix", "mkdir"), ("os", "makedirs"), ("nt", "mkdir")))
    found = f"c{module}\n{name}\n".encode()
    script = "import os; os.mkdir(" + repr(canary[5:].decode("utf-8", "replace")) + ")"
    evaluate = f"__import__('os').mkdir({canary[5:].decode('utf-8', 'replace')!r})"
    return chance.choice(
        (
            found + b"(" + canary + b"tR",
            f"(i{module}\n{name}\n".encode() + b"(" + canary + f"i{module}\n{name}\n".encode(),
            b"(" + found + canary + b"o",
            text(module) + text(name) + b"\x93" + canary + b"\x85R",
            text(module) + b"\x94" + text(name) + b"\x94h\0h\1\x93(" + canary + b"tR",
            b"cbuiltins\nexec\n(" + text(script) + b"tR",
            b"c__builtin__\neval\n(" + text(evaluate) + b"tR",
            b"cbuiltins\ngetattr\n(" + named("os.path") + text("os") + b"tR",
            b"ctorch.hub\nload\n(" + canary + b"tR",
            b"ctorch.serialization\nload\n(" + canary + b"tR",
            b"cultralytics.utils.checks\ncheck_requirements\n(" + canary + b"tR",
            b"cfunctools\npartial\n(" + found + canary + b"tR)R",
            found + b")" + b"(" + canary + b"tR" + b"\x81",
            b"ctorch.nn.modules.linear\nIdentity\n)\x81}(" + text("__class__") + found + b"ub",
            b"ctorch.nn.modules.linear\nIdentity\n}(" + text("forward") + found + b"ub",
        )
    )


def _odd_name(canary: bytes, chance: random.Random) -> bytes:
    module, name = chance.choice(_NAMES), chance.choice(_NAMES)
    by_text = b"c" + module.encode("utf-8", "surrogatepass") + b"\n" + name.encode("utf-8", "surrogatepass") + b"\n"
    return chance.choice((by_text, text(module) + text(name) + b"\x93", b"i" + by_text[1:])) + chance.choice(
        (b"", b")R", b")\x81", b")\x81}b")
    )


_NAMES = (
    *("", " ", ".", "..", "torch", "torch.nn", "torch.nn.", "torch.nn..", "torch.nn.x y", "torch.nn.modules.linear"),
    *("ultralytics.nn.", "ultralytics.nn.tasks", "ultralytics.nn.\0", "ultralytics.nn.\ud800", "ultralytics.models.x"),
    *("ultralytics.nn." + "n" * 5000, "torchvision.", "Identity", "FloatStorage", "float32", "__class__", "__dict__"),
    *("models.yolo", "torch.ao.quantization", "\x1b[31m", "\ud800", "\0", "é", "a" * 70_000, "_", "__main__", "sys"),
    *("nn.modules.double_attention", "ultralytics.nn.modules.double_attention", "DoubleAttentionBlock"),
    *("torch.nn.modules.__init__", "numpy", "builtins", "collections", "OrderedDict", "pathlib", "PosixPath"),
)


def _deep(canary: bytes, chance: random.Random) -> bytes:
    depth = chance.choice((300, 5_000, 100_000))
    return chance.choice(
        (
            b"]" * depth + b"a" * (depth - 1),
            b"(" * depth + b"t" * depth,
            b"(" * depth,
            b"N" + b"\x85" * depth,
            b"}" * depth,
            b"N" + b"0" * depth,
            (b"}" + text("k")) * (depth // 10) + b"N" + b"s" * (depth // 10),
        )
    )


def _vast(canary: bytes, chance: random.Random) -> bytes:
    """Return what declares more than is there, or more than anybody has."""
    size = chance.choice((0xFF, 0xFFFF, 1 << 24, 0x7FFFFFFF, 0xFFFFFFFF))
    short, long = struct.pack("<I", size), struct.pack("<Q", chance.choice((size, 1 << 40, (1 << 63) - 1, 1 << 63)))
    signed = struct.pack("<i", chance.choice((-1, 0x7FFFFFFF, -0x80000000)))
    choices: Sequence[bytes] = (
        *(b"X" + short, b"T" + signed, b"B" + short, b"\x8d" + long, b"\x8e" + long, b"\x96" + long, b"\x8b" + signed),
        *(b"\x95" + long, b"\x95" + bytes(8), b"\x8a\xff" + b"\x7f" * 255, b"\x8b\0\0\1\0" + b"\x7f" * 65_536),
        *(b"I" + b"9" * 5000 + b"\n", b"L" + b"9" * 5000 + b"L\n", b"F1e999\n", b"F" + b"9" * 5000 + b"\n", b"Fnan\n"),
        *(b"I\n", b"L\n", b"Lx\n", b"I0x10\n", b"I1_0\n", b"I 7 \n", b"S'\n", b"S'a\\xZZ'\n", b"V\\ud800\n", b"V\\u\n"),
    )
    return chance.choice(choices)


def _bad_memo(canary: bytes, chance: random.Random) -> bytes:
    number = struct.pack("<I", chance.choice((0, 255, 1 << 20, 1 << 27, 0xFFFFFFFF)))
    return chance.choice(
        (
            *(b"h\xff", b"j" + number, b"N" + b"r" + number, b"g-1\n", b"gx\n", b"g\n", b"p-1\n", b"g1_0\n"),
            *(b"p" + b"9" * 30 + b"\n", b"g" + b"9" * 5000 + b"\n", b"p\xd9\xa3\n", b"\x94", b"\x94" * 3000),
            *(b"q\0h\0", b"N" * 300 + b"q\1" + b"0" * 300),
        )
    )


def _bad_order(canary: bytes, chance: random.Random) -> bytes:
    """Return opcodes that ask for what is not there."""
    return chance.choice(
        (
            *(
                b"\x80\xff",
                b"\x80",
                b"\x81",
                b"\x92",
                b"\x93",
                b"R",
                b"b",
                b"t",
                b"a",
                b"e",
                b"s",
                b"u",
                b"o",
                b"0",
                b"1",
            ),
            *(b"2", b".", b"\x82\1", b"\x83\1\0", b"\x84\1\0\0\0", b"\x97", b"\x98", b"\x8f", b"\x90", b"\x91", b"P\n"),
            *(
                b"Px\n",
                b"Q",
                b"NQ",
                b"(Q",
                b"\xff",
                b"c",
                b"cos",
                b"cos\n",
                b"c\xff\n\xff\n",
                b"c\n\n",
                b"i\n\n",
                b"]\x85Q",
            ),
            b"(" + text("storage") + named("torch.FloatStorage") + text("../../x") + text("cpu") + b"J\4\0\0\0tQ",
            b"(" + text("storage") + named("torch.FloatStorage") + text("0") + text("nowhere:9") + b"J\4\0\0\0tQ",
            b"(" + text("storage") + named("torch.FloatStorage") + text("0") + text("cpu") + b"J\xff\xff\xff\x7ftQ",
            b"(" + text("storage") + named("torch.FloatStorage") + text("0") + text("cpu") + b"J\xff\xff\xff\xfftQ",
            b"(" + text("module") + named("torch.nn.modules.linear.Identity") + text("/etc/passwd") + text("x") + b"tQ",
        )
    )


def _many(canary: bytes, chance: random.Random) -> bytes:
    """Return what takes long or grows, though it is short."""
    return chance.choice((b"N" * 50_000, b"2" * 50_000, (b"]q\0" + b"(" + b"h\0" * 5 + b"e") * 500, b"\x80\2" * 9000))


_HOSTILE: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_runs_code, _runs_code, _odd_name, _odd_name, _deep, _vast, _vast, _bad_memo, _bad_order, _bad_order, _many),
)

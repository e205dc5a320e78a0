"""Zip files whose structure is not what it says: fields of the headers, names, methods, and what stands around them."""

from __future__ import annotations

import io
import random
import re
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.fuzzing import pickles
from tests.support.fuzzing.mutation import spoiled

# Where a structure begins, and how its fields lie behind that.
_STRUCTURES = (
    (b"PK\x03\x04", "<4s5H3L2H"),  # of a member, before it
    (b"PK\x01\x02", "<4s6H3L5H2L"),  # of a member, in the directory
    (b"PK\x05\x06", "<4s4H2LH"),  # the end of the directory
)
_EXTREMES = (0, 1, 2, 8, 9, 12, 14, 93, 99, 0x800, 0x7FFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_NAMES = (
    *("../x", "../../x/data.pkl", "/data.pkl", "/etc/data.pkl", "C:\\data.pkl", "best\\data.pkl", "best/\0/data.pkl"),
    *("data.pkl", "a/b/data.pkl", "data.pkl/", "best/data.pkl\0", "best/data.PKL", "", "/", "best/", ".", "best//x"),
    *("constants.pkl", "best/constants.pkl", "best/code/x.py", "best/weights.pt", "é/data.pkl", "n" * 5000, "\x1b[31m"),
    *("best/data/0", "best/data/1", "best/data/../0", "best/version", "best/byteorder", "best/.format_version"),
)
_CONTENTS = (
    b"",
    b"\n",
    b"0\n",
    b"3",
    b"99999999999\n",
    b"9" * 5000,
    b"x\n",
    b"\xff\xfe",
    b"big",
    b"little\n",
    bytes(70_000),
)


@dataclass(frozen=True)
class Member:
    """A member of an archive, as `zipfile` writes it."""

    name: str
    content: bytes
    method: int = zipfile.ZIP_STORED


def sound(content: bytes) -> list[Member]:
    """Return the members of a checkpoint as torch writes them, around its pickle."""
    return [
        Member("best/data.pkl", content),
        Member("best/.format_version", b"1"),
        Member("best/byteorder", b"little"),
        Member("best/data/0", pickles.VALUES),
        Member("best/version", b"3\n"),
        Member("best/.data/serialization_id", b"0" * 40),
    ]


def written(members: list[Member]) -> bytes:
    """Return an archive; nothing is said about names that stand in it twice."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as archive:
        warnings.simplefilter("ignore")
        for member in members:
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = member.name, member.method  # the class itself would mend the name
            archive.writestr(info, member.content)
    return stream.getvalue()


def read(content: bytes) -> list[Member]:
    """Return the members of a sound archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [Member(info.filename, archive.read(info), info.compress_type) for info in archive.infolist()]


def spoiled_archive(content: bytes, canary: Path, chance: random.Random) -> bytes:
    """Return an archive with its members spoiled, its structure, or both.

    Args:
        content: A sound one.
        canary: A folder that is made where any code in it is run.
        chance: What to choose by.
    """
    if chance.random() < 0.7:
        members = read(content)
        for _ in range(chance.choice((1, 1, 2))):
            members = chance.choice(_OF_MEMBERS)(members, canary, chance)
        content = written(members)
    if chance.random() < 0.6:
        for _ in range(chance.choice((1, 1, 2, 4))):
            content = chance.choice(_OF_STRUCTURE)(content, chance)
    return content


def _pickle(members: list[Member], canary: Path, chance: random.Random) -> list[Member]:
    """Spoil the pickle."""
    return [
        replace(member, content=pickles.spoiled_pickle(member.content, canary, chance))
        if member.name.endswith("data.pkl") and member.content
        else member
        for member in members
    ]


def _rename(members: list[Member], canary: Path, chance: random.Random) -> list[Member]:
    """Give one member another name."""
    return _changed(members, chance, lambda member: replace(member, name=chance.choice(_NAMES)))


def _add(members: list[Member], canary: Path, chance: random.Random) -> list[Member]:
    """Add a member, often one that is there: then one pickle hides another."""
    content = pickles.checkpoint(older=False, extra=pickles.hostile(canary, chance))
    name = chance.choice((*_NAMES, *(member.name for member in members)))
    members.insert(chance.randint(0, len(members)), Member(name, content))
    return members


def _remove(members: list[Member], canary: Path, chance: random.Random) -> list[Member]:
    del members[chance.randrange(len(members)) :][: chance.choice((1, 1, 9))]
    return members


def _shuffle(members: list[Member], canary: Path, chance: random.Random) -> list[Member]:
    chance.shuffle(members)
    return members


def _compress(members: list[Member], canary: Path, chance: random.Random) -> list[Member]:
    method = chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    return _changed(members, chance, lambda member: replace(member, method=method))


def _refill(members: list[Member], canary: Path, chance: random.Random) -> list[Member]:
    """Put something else into a member that is no pickle: a storage that is shorter than declared, another version."""

    def other(member: Member) -> Member:
        short = member.content[: chance.randint(0, len(member.content))]
        return replace(member, content=chance.choice((*_CONTENTS, short, spoiled(member.content, chance))))

    return _changed(members, chance, other)


def _swell(members: list[Member], canary: Path, chance: random.Random) -> list[Member]:
    """Let a member be a thousand times as large as it looks."""
    size = chance.choice((1 << 16, 1 << 18, 1 << 21))
    content = chance.choice((bytes(size), b"\x80\2" + b"N" * size, b"\x80\2B" + struct.pack("<I", size) + bytes(size)))
    return _changed(members, chance, lambda member: replace(member, content=content, method=zipfile.ZIP_DEFLATED))


def _changed(members: list[Member], chance: random.Random, change: Callable[[Member], Member]) -> list[Member]:
    if members:
        place = chance.randrange(len(members))
        members[place] = change(members[place])
    return members


def _field(content: bytes, chance: random.Random) -> bytes:
    """Set one field of a header, of the directory or of its end to what it can't be."""
    mark, layout = chance.choice(_STRUCTURES)
    places = [found.start() for found in re.finditer(re.escape(mark), content)]
    size = struct.calcsize(layout)
    places = [place for place in places if place + size <= len(content)]
    if not places:
        return content
    place = chance.choice(places)
    values = list(struct.unpack_from(layout, content, place))
    number = chance.randrange(1, len(values))
    letters = re.sub(r"(\d)([HL])", lambda found: found[2] * int(found[1]), layout[3:])  # without "<4s"
    most = 0xFFFF if letters[number - 1] == "H" else 0xFFFFFFFF
    other = chance.choice((*_EXTREMES, values[number] + 1, values[number] - 1, values[number] ^ 1, len(content)))
    values[number] = other & most
    return content[:place] + struct.pack(layout, *values) + content[place + size :]


def _encrypt(content: bytes, chance: random.Random) -> bytes:
    """Say of every member that it is encrypted, in the directory and before it, or in one of both."""
    marks = ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8))
    for mark, at in marks[chance.randint(0, 1) :]:
        content = re.sub(
            re.escape(mark) + b"(?s:(.{%d}))(.)" % (at - 4),
            lambda found: found[0][:-1] + bytes([found[2][0] | 1]),
            content,
        )
    return content


def _zip64(content: bytes, chance: random.Random) -> bytes:
    """Put the records of a large archive before the end of the directory, with any numbers."""
    end = content.rfind(b"PK\x05\x06")
    if end < 0:
        return content
    numbers = [chance.choice((0, 1, 6, end, 1 << 31, (1 << 63) - 1, (1 << 64) - 1)) for _ in range(5)]
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", chance.choice((44, 0, 1 << 40)), 45, 45, 0, 0, *numbers[:4])
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, chance.choice((end, numbers[4])), 1)
    last = bytearray(content[end:])
    if len(last) >= 20 and chance.random() < 0.7:
        last[8:12], last[12:20] = b"\xff" * 4, b"\xff" * 8
    return content[:end] + record + locator + bytes(last)


def _surround(content: bytes, chance: random.Random) -> bytes:
    """Put bytes before or behind it, a comment of 64 KiB or another archive among them."""
    before = (b"\0", b"\x80\2N.", b"#!/bin/sh\n", b"PK\x03\x04", bytes(512), b"<html>", b"\x93NUMPY", content[:200])
    behind = (b"\0", b"PK\x05\x06" + bytes(18), b"x" * 70_000, content, b"PK\x05\x06")
    match chance.randrange(3):
        case 0:
            return chance.choice(before) + content
        case 1:
            return content + chance.choice(behind)
        case _:
            size = chance.choice((0xFFFF, 0xFFFE, 1))
            return content[:-2] + struct.pack("<H", size) + b"c" * chance.choice((size, size - 1))


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randint(0, len(content))]


def _any(content: bytes, chance: random.Random) -> bytes:
    return spoiled(content, chance)


_OF_MEMBERS: tuple[Callable[[list[Member], Path, random.Random], list[Member]], ...] = (
    *(_pickle, _pickle, _pickle, _rename, _rename, _add, _add, _remove, _shuffle, _compress, _refill, _refill, _swell),
)
_OF_STRUCTURE: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_field, _field, _field, _field, _encrypt, _zip64, _surround, _cut, _any),
)

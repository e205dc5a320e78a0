"""Tell what a file is from its bytes. Nothing in it is run: a pickle is only read, opcode by opcode."""

from __future__ import annotations

import pickletools
import re
import zipfile
import zlib
from collections import deque
from itertools import islice
from pathlib import Path
from typing import IO, Any, Deque, Dict, Iterator, List, Tuple

from a2patch.probe.runtime.declined import DeclinedError

_HEAD = 1 << 20
# What torch's format before 1.6 begins with, in a pickle of its own; three more stand before the object.
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PICKLES = 4
# Bounds for what is read of a pickle, which is far more than the greatest models have.
_MOST_BYTES = 256 << 20
_MOST_OPCODES = 5_000_000

_GET_AGAIN = "Get it again, from where it came; the download or the copy was not finished."
_NAME_A_MODEL = "Name a .pt file of a model that ultralytics saved."
_UNPACK = "Unpack it, and name the .pt file in it."

# What stands at a place of a file, what the file then is, and what to do.
_MARKS: Tuple[Tuple[int, bytes, str, str], ...] = (
    (
        0,
        b"version https://git-lfs",
        "a pointer of git-LFS: the file itself was not fetched",
        "Fetch it: `git lfs pull`.",
    ),
    (4, b"TFL3", "a TFLite model", "Name the .pt file that it was exported from."),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as Keras saves", _NAME_A_MODEL),
    (0, b"\x1f\x8b", "a gzip archive", _UNPACK),
    (0, b"BZh", "a bzip2 archive", _UNPACK),
    (0, b"\xfd7zXZ\x00", "an xz archive", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"\x93NUMPY", "an array that numpy saved", _NAME_A_MODEL),
    (0, b"GGUF", "a GGUF model", _NAME_A_MODEL),
    (0, b"\x89PNG\r\n", "a PNG image", _NAME_A_MODEL),
    (0, b"\xff\xd8\xff", "a JPEG image", _NAME_A_MODEL),
    (0, b"%PDF-", "a PDF document", _NAME_A_MODEL),
)


def named_by(path: Path) -> List[str]:
    """Return the classes and functions that a checkpoint names, by their dotted names, in order.

    Args:
        path: The file.

    Raises:
        DeclinedError: It is no file that torch saved objects in, or not one of ultralytics.
    """
    if not path.is_file():  # a pipe or a device would be waited for
        raise DeclinedError("is no ordinary file", remedy=_NAME_A_MODEL)
    with path.open("rb") as file:
        head = file.read(_HEAD)
        what, remedy = _by_its_marks(head, path.stat().st_size)
        if what:
            raise _other(what, remedy)
        if head.startswith(b"PK"):
            names = _named_in_zip(path)
        elif head.startswith(b"\x80"):
            file.seek(0)
            names = _named_in_legacy(file)
        else:
            raise _unknown(head)
    _refuse_families(names)
    return names


def _by_its_marks(head: bytes, size: int) -> Tuple[str, str]:
    """Return what a file is by its first bytes, and what to do; empty where they don't tell."""
    if not head:
        return "an empty file", _GET_AGAIN
    if not head.strip(b"\0"):
        return "a file of zeros", _GET_AGAIN
    for place, mark, what, remedy in _MARKS:
        if head.startswith(mark, place):
            return what, remedy
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1024].lower()
    if start.startswith((b"<!doctype html", b"<head")) or (start.startswith(b"<") and b"<html" in start):
        return "an HTML page, as a download that fails leaves one behind", "Download the file itself."
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and 8 + length <= size:
        return "a safetensors file, which holds weights and no model", _NAME_A_MODEL
    if head[4:5] == b"{" and 4 + int.from_bytes(head[:4], "little") < size:
        return "a TensorRT engine", "Name the .pt file that it was exported from."
    if re.match(rb"\x08[\x01-\x20][\x12\x1a\x22\x32\x3a\x42]", head):
        return "an ONNX model", "Name the .pt file that it was exported from."
    return "", ""


def _other(what: str, remedy: str, found: str = "") -> DeclinedError:
    """Return the error of a file that is something else."""
    return DeclinedError("is no checkpoint, but " + what, found, remedy)


def _unknown(head: bytes) -> DeclinedError:
    """Return the error of a file whose first bytes say nothing."""
    start = head[:4096]
    text = start.decode("utf-8", "ignore")
    cut = len(start) - len(text.encode("utf-8"))  # within a letter, where the text goes on
    if text.strip() and cut < (4 if len(head) > len(start) else 1) and not re.search(r"[\x00-\x08\x0e-\x1f]", text):
        line = text.strip().partition("\n")[0][:80]
        return _other("a text file", _NAME_A_MODEL, "it begins " + repr(line))
    return DeclinedError(
        "is no checkpoint: torch saves files of another form", "it begins " + head[:8].hex(" "), _NAME_A_MODEL
    )


def _named_in_zip(path: Path) -> List[str]:
    """Return what the pickle of an archive that torch saved names."""
    try:
        with zipfile.ZipFile(str(path)) as archive:
            members = archive.namelist()
            _refuse_other_zips(members)
            pickled = next(name for name in members if _is(name, "data.pkl"))
            _refuse_vast(archive.getinfo(pickled))
            with archive.open(pickled) as file:
                return _names(file)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise _other("a zip file that is cut off or damaged", _GET_AGAIN, str(error)) from error


def _refuse_vast(pickled: zipfile.ZipInfo) -> None:
    """Raise where a pickle is packed as torch packs nothing, or becomes larger than any model's once it is unpacked."""
    if pickled.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _other("a zip file that torch can't unpack", _NAME_A_MODEL)
    if pickled.file_size > _MOST_BYTES:
        found = "its data.pkl says that it has {} MiB".format(pickled.file_size >> 20)
        raise _other("a zip file that swells when it is unpacked", _NAME_A_MODEL, found)


def _refuse_other_zips(members: List[str]) -> None:
    """Raise where the members of a zip file are not those of a checkpoint."""
    if any(_is(name, "constants.pkl") or name.partition("/")[2].startswith("code/") for name in members):
        raise _other("TorchScript, an export that can only be run", "Name the .pt file that it was exported from.")
    if any(_is(name, "data.pkl") for name in members):
        return
    inside = [name for name in members if name.endswith((".pt", ".pth"))]
    found = "it holds " + ", ".join((inside or members)[:4]) if members else "it holds nothing"
    raise _other("a plain zip file", _UNPACK if inside else _NAME_A_MODEL, found)


def _is(member: str, name: str) -> bool:
    """Return whether a member of an archive is a file right in its one folder, where torch puts its own."""
    return member.rpartition("/")[2] == name and member.count("/") <= 1


def _named_in_legacy(file: IO[bytes]) -> List[str]:
    """Return what the pickles of a file in torch's format before 1.6 name."""
    first = [(opcode.name, argument) for opcode, argument in _opcodes(file)]
    if ("LONG1", _LEGACY_MAGIC) not in first:
        raise _other(
            "a bare pickle, which torch did not save",
            "Save it with `torch.save`, by the program that made it.",
            _shown(_resolved(first)),
        )
    rest = [(opcode.name, argument) for _ in range(_LEGACY_PICKLES - 1) for opcode, argument in _opcodes(file)]
    if [name for name, _ in rest].count("STOP") < _LEGACY_PICKLES - 1:
        raise DeclinedError("is a checkpoint that is cut off or damaged", remedy=_GET_AGAIN)
    return _resolved(rest)


def _shown(names: List[str]) -> str:
    return "it names " + ", ".join(names[:4]) if names else ""


def _opcodes(file: IO[bytes]) -> Iterator[Tuple[Any, Any]]:
    """Yield the opcodes of the next pickle in a file with their arguments, up to where it is damaged."""
    try:
        for opcode, argument, position in islice(pickletools.genops(file), _MOST_OPCODES):
            if position is not None and position > _MOST_BYTES:
                return
            yield opcode, argument
    except (ValueError, EOFError, IndexError, OverflowError, MemoryError):
        return  # torch says what is wrong with it


def _names(file: IO[bytes]) -> List[str]:
    """Return the dotted names of all classes and functions that the next pickle in a file names."""
    return _resolved((opcode.name, argument) for opcode, argument in _opcodes(file))


def _resolved(opcodes: Any) -> List[str]:
    """Return the dotted names in a stream of opcodes; those that newer protocols build of strings included."""
    names: Dict[str, None] = {}
    strings: Deque[Any] = deque([None, None], maxlen=2)  # what was pushed last, as far as it is a string
    memo: Dict[int, Any] = {}
    for name, argument in opcodes:
        if name in ("GLOBAL", "INST"):
            names[argument.replace(" ", ".", 1)] = None
            strings.append(None)
        elif name == "STACK_GLOBAL":
            module, attribute = strings
            if module and attribute:  # else they were hidden, which whoever loads it finds out
                names["{}.{}".format(module, attribute)] = None
            strings.append(None)
        elif name == "MEMOIZE":
            memo[len(memo)] = strings[-1]
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[int(argument)] = strings[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            strings.append(memo.get(int(argument)))
        elif name == "PROTO":  # the next pickle, which counts anew
            memo = {}
        elif name not in ("FRAME", "STOP", "MARK"):
            strings.append(argument if isinstance(argument, str) else None)
    return list(names)


def _refuse_families(names: List[str]) -> None:
    """Raise where what a checkpoint names shows that it is of another program, or quantised."""
    older = [name for name in names if re.match(r"models\.(yolo|common|experimental)\b", name)]
    if older:
        raise DeclinedError(
            "is a checkpoint of YOLOv5, or of a program made from it, which ultralytics 8 can't load",
            _shown(older),
            "Train a model with ultralytics; yolov5nu.pt and its like are the YOLOv5 models made for it.",
        )
    quantised = [
        name for name in names if re.match(r"torch\.(ao\.)?(nn\.)?(quantization|quantized|intrinsic|qat)\b", name)
    ]
    quantised += [name for name in names if name == "torch._utils._rebuild_qtensor"]
    if quantised:
        raise DeclinedError("holds a quantised model", _shown(quantised), "Name the one that it was made from.")

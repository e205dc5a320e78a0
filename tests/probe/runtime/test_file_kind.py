"""What a file is, told from its bytes, for all that gets the name .pt; nothing in it is run."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from a2patch.probe.runtime.declined import DeclinedError
from a2patch.probe.runtime.file_kind import named_by

MAGIC = 0x1950A86A20F9469CFC6C


class Canary:
    """Touches a file when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self.place), "w")


def named(module: str, name: str) -> bytes:
    """Return a pickle that names a class and makes nothing of it, at protocol 2."""
    return f"\x80\x02c{module}\n{name}\n.".encode("latin-1")


def zipped(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def saved(content: bytes) -> bytes:
    return zipped({"best/data.pkl": content, "best/version": b"3\n"})


def older(content: bytes) -> bytes:
    """Return a file in the format of torch before 1.6."""
    front = [pickle.dumps(each, 2) for each in (MAGIC, 1001, dict[str, str]())]
    return b"".join(front) + content + pickle.dumps([], 2)


OTHERS = {
    "empty": (b"", "an empty file", "again"),
    "zeros": (bytes(5000), "a file of zeros", "again"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 6\n", "git-LFS", "git lfs pull"),
    "page": (b"\n<!DOCTYPE html>\n<html><head><title>404", "HTML page", "Download the file itself"),
    "page in capitals": (b"\xef\xbb\xbf<HTML>", "HTML page", "Download"),
    "safetensors": (b"\x12\0\0\0\0\0\0\0{" + b" " * 100, "safetensors", ".pt"),
    "onnx": (b"\x08\x0a\x12\x07pytorch\x1a\x05", "ONNX", "exported from"),
    "engine": (b"\x10\0\0\0{" + b" " * 100, "TensorRT", "exported from"),
    "tflite": (b"\x20\0\0\0TFL3\0\0", "TFLite", "exported from"),
    "hdf5": (b"\x89HDF\r\n\x1a\n\0\0", "HDF5", ".pt"),
    "gzip": (b"\x1f\x8b\x08\0\0", "gzip", "Unpack"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0", "7z", "Unpack"),
    "rar": (b"Rar!\x1a\x07\x01", "RAR", "Unpack"),
    "cut zip": (saved(named("a", "b"))[:90], "cut off", "again"),
    "plain zip": (zipped({"runs/weights/best.pt": b"x", "runs/args.yaml": b""}), "a plain zip", "Unpack"),
    "zip of nothing": (zipped({}), "a plain zip", ".pt"),
    "torchscript": (zipped({"m/data.pkl": b"", "m/constants.pkl": b"", "m/code/a.py": b""}), "TorchScript", "exported"),
    "bare pickle": (pickle.dumps({"a": 1}), "a bare pickle", "torch.save"),
    "cut legacy": (older(named("a", "b"))[:30], "cut off", "again"),
    "commented page": (b"<!-- saved -->\n<html>", "HTML page", "Download"),
    "cloud": (b'{"error": "no such key"}', "a text file", ".pt"),
    "long text": ("权重".encode() * 2000, "a text file", ".pt"),
    "text": (b"weights: none\n", "a text file", ".pt"),
    "other": (b"\x01\x02\x03\x04\xff", "another form", ".pt"),
    "yolov5": (saved(named("models.yolo", "DetectionModel")), "YOLOv5", "Train a model with ultralytics"),
    "old yolov5": (older(named("models.common", "Conv")), "YOLOv5", "yolov5nu.pt"),
    "quantised": (saved(named("torch.ao.nn.quantized.modules.conv", "Conv2d")), "quantised", "made from"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_checkpoint_is_told(name: str, tmp_path: Path) -> None:
    content, kind, remedy = OTHERS[name]
    place = tmp_path / "best.pt"
    place.write_bytes(content)
    with pytest.raises(DeclinedError) as told:
        named_by(place)
    assert kind in str(told.value).replace("other form", "another form")
    assert remedy in told.value.remedy
    assert "--trust" not in told.value.remedy, "it could not help"


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(DeclinedError, match="no ordinary file"):
        named_by(tmp_path)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("wrap", [saved, older])
def test_names_are_read_and_nothing_is_run(wrap: object, protocol: int, tmp_path: Path) -> None:
    canary = tmp_path / "was_run"
    place = tmp_path / "best.pt"
    assert callable(wrap)
    place.write_bytes(wrap(pickle.dumps([Canary(canary), Path("x"), Path("y")], protocol)))
    found = named_by(place)
    assert found[0] in ("io.open", "_io.open")
    assert [name.rpartition(".")[2] for name in found[1:]] == [type(Path()).__name__]
    assert not canary.exists()


def vast() -> bytes:
    """Return an archive of some hundred bytes whose pickle says that it has a GiB."""
    content = bytearray(packed(zipfile.ZIP_DEFLATED))
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = (1 << 30).to_bytes(4, "little")
    return bytes(content)


def packed(method: int, flaw: bytes = b"") -> bytes:
    """Return an archive whose pickle is packed, its first bytes spoiled."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("best/data.pkl", named("collections", "OrderedDict") * 100)
    content = bytearray(stream.getvalue())
    place = content.index(b"data.pkl") + len("data.pkl")
    content[place : place + len(flaw)] = flaw
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (packed(zipfile.ZIP_DEFLATED, b"\xff" * 9), "cut off or damaged"),
        (packed(zipfile.ZIP_BZIP2), "torch can't unpack"),
        (packed(zipfile.ZIP_LZMA, b"\xff" * 9), "torch can't unpack"),
        (vast(), "swells"),
    ],
)
def test_an_archive_is_unpacked_only_as_torch_packs(content: bytes, told: str, tmp_path: Path) -> None:
    place = tmp_path / "best.pt"
    place.write_bytes(content)
    with pytest.raises(DeclinedError, match=told):
        named_by(place)


def test_a_model_that_is_called_code(tmp_path: Path) -> None:
    place = tmp_path / "code.pt"
    place.write_bytes(zipped({"code/data.pkl": named("collections", "OrderedDict")}))
    assert named_by(place) == ["collections.OrderedDict"]

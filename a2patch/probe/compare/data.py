"""The data set of a comparison: found where its user's ultralytics finds it, and told from another by a fingerprint."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

from a2patch.probe.events import last_line
from a2patch.probe.runtime.declined import DeclinedError

DATA = "data.yaml"
"""The file, below the folder of a comparison, that describes its data by absolute paths."""

_NAME = "Name a data set as `yolo train data=` takes it: a YAML file, or one that the tree knows, such as coco8.yaml."
_FETCH = (
    "a2patch fetches nothing. If it is a data set of ultralytics' own, fetch it first: "
    "`python -c \"from ultralytics.data.utils import check_det_dataset as f; f('{}')\"`"
)
_SUFFIXES = {".bmp", ".dng", ".heic", ".jpeg", ".jpg", ".mpo", ".pfm", ".png", ".tif", ".tiff", ".webp"}


def describe(name: str, datasets: str, cwd: str) -> Dict[str, Any]:
    """Return what a data set is, its paths absolute, as upstream reads it.

    Args:
        name: The data set, as `data=` of ultralytics takes it.
        datasets: Where its user's ultralytics looks for data sets.
        cwd: The folder that its user is in, from where relative paths lead.

    Raises:
        DeclinedError: There is no such data set on this machine, or it is none.
    """
    utils: Any = importlib.import_module("ultralytics.data.utils")
    utils.DATASETS_DIR = Path(datasets)
    here = os.getcwd()  # noqa: PTH109
    os.chdir(cwd)
    try:
        found = utils.check_det_dataset(name, autodownload=False)
    except Exception as error:  # upstream raises whatever suits it
        found = last_line(error).partition(" Note dataset")[0]  # which goes on about settings of this process
        missing = "images not found" in found
        raise DeclinedError("can't be used", found, _FETCH.format(name) if missing else _NAME) from error
    finally:
        os.chdir(here)
    kept = {key: value for key, value in found.items() if key not in ("download", "yaml_file")}
    return {key: str(value) if isinstance(value, Path) else value for key, value in kept.items()}


def write(described: Dict[str, Any], folder: Path) -> Path:
    """Write what a data set is, and return the file."""
    path = folder / DATA
    staged = path.with_name(DATA + ".new")
    staged.write_text(json.dumps(described, indent=1), encoding="utf-8")  # JSON is YAML
    staged.replace(path)
    return path


def fingerprint(described: Dict[str, Any]) -> Tuple[str, int, int]:
    """Return what tells a data set from others, and how many images it trains and validates on.

    Pixels are not read: of an image its name and size count, of a label each byte.
    """
    digest = hashlib.sha256(json.dumps([described.get("names"), described.get("nc")], sort_keys=True).encode())
    counts = []
    for split in ("train", "val"):
        images = _images(described, split)
        counts.append(len(images))
        for image in images:
            label = _label_of(image)
            told = "{} {} {}".format(split, image.name, image.stat().st_size)
            digest.update(told.encode("utf-8", "surrogateescape"))
            digest.update(label.read_bytes() if label.is_file() else b"")
    return digest.hexdigest()[:16], counts[0], counts[1]


def _images(described: Dict[str, Any], split: str) -> List[Path]:
    """Return the images of a split, in order.

    Raises:
        DeclinedError: There is none.
    """
    given = described[split]
    found = [image for place in (given if isinstance(given, list) else [given]) for image in _below(Path(place))]
    if not found:
        raise DeclinedError("has no images to {} on".format("train" if split == "train" else "validate"), str(given))
    return sorted(found)


def _below(place: Path) -> Iterator[Path]:
    """Yield the images in a folder, or that a list names, or an image itself."""
    if place.is_dir():
        yield from (path for path in place.rglob("*") if path.suffix.lower() in _SUFFIXES)
    elif place.suffix == ".txt" and place.is_file():
        for line in place.read_text(encoding="utf-8").split("\n"):
            if line.strip():
                path = Path(line.strip())
                yield path if path.is_absolute() else place.parent / path
    elif place.is_file():
        yield place


def _label_of(image: Path) -> Path:
    """Return where upstream looks for the label of an image."""
    images, labels = ("{0}{1}{0}".format(os.sep, name) for name in ("images", "labels"))
    return Path(labels.join(str(image.with_suffix(".txt")).rsplit(images, 1)))

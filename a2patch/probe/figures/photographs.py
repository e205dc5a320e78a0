"""Photographs that maps are drawn over: that which upstream ships, or the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Sequence

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from a2patch.probe.events import Channel, SkipCheckError, last_line
from a2patch.protocol import ImageUnreadable

HEIF = (".heic", ".heif")
LONGEST = 640  # pixels
MOST_PIXELS = 100_000_000  # a camera's image has fewer; unpacked, this one takes 300 MB


class Photograph(NamedTuple):
    """A photograph, and what to call it."""

    name: str
    pixels: Any  # (1, 3, H, W), from 0 to 1

    def as_input(self, channels: int) -> Any:
        """Return it with as many channels as a model takes."""
        return self.pixels[:, [c % 3 for c in range(channels)]]

    def smaller(self, longest: int, multiple: int) -> Photograph:
        """Return it with its longest side of about so many pixels, and sides that are multiples of a number."""
        size = _sides(self.pixels.shape[2:], longest, multiple)
        pixels = torch.nn.functional.interpolate(self.pixels, size=size, mode="bilinear", align_corners=False)
        return Photograph(self.name, pixels)


def shipped(package: Path, multiple: int) -> Photograph:
    """Return the photograph of a bus that upstream ships.

    Args:
        package: The package folder.
        multiple: What its sides must be multiples of.

    Raises:
        SkipCheckError: The tree has it not.
    """
    path = package / "assets" / "bus.jpg"
    if not path.is_file():
        raise SkipCheckError("the tree has no assets/bus.jpg")
    return Photograph(path.name, _read(path, multiple))


def given(channel: Channel, paths: tuple[str, ...], multiple: int) -> list[Photograph]:
    """Return the user's photographs, and tell of those that can't be read.

    Args:
        channel: Where events go.
        paths: Where they lie.
        multiple: What their sides must be multiples of.
    """
    found = []
    for path in paths:
        try:
            found.append(Photograph(Path(path).name, _read(Path(path), multiple)))
        except Exception as error:  # of a spoiled file the decoders raise anything
            channel.emit(ImageUnreadable(path, _reason(Path(path), error)))
    return found


def _reason(path: Path, error: Exception) -> str:
    """Return why a file can't be read as an image."""
    if path.suffix.lower() in HEIF and isinstance(error, (ImportError, UnidentifiedImageError)):
        return "it needs the library pi-heif, which is not installed"
    if isinstance(error, (ImportError, UnidentifiedImageError)):  # upstream tries the library for any unknown file
        return "it is no image of a kind that Pillow reads"
    return last_line(error)


def _read(path: Path, multiple: int) -> Any:
    """Return the pixels of an image, as it is looked at, no side longer than 640 px."""
    with Image.open(path) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise ValueError("{} x {} pixels are too many".format(*opened.size))
        upright = ImageOps.exif_transpose(opened)
        width, height = _sides(upright.size, LONGEST, multiple)
        pixels = np.array(_in_eight_bits(upright).convert("RGB").resize((width, height)))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def _in_eight_bits(image: Any) -> Any:
    """Return an image with values up to 255: of more bits Pillow would cut off the light half and more."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.array(image, dtype=np.float64)
    low, high = values.min(), values.max()
    return Image.fromarray((255 * (values - low) / ((high - low) or 1)).astype(np.uint8))


def _sides(sides: Sequence[int], longest: int, multiple: int) -> tuple[int, int]:
    """Return two sides with the longer of about so many pixels, both multiples of a number, four times it at least."""
    scale = longest / max(sides)
    one, other = (max(4 * multiple, round(scale * side / multiple) * multiple) for side in sides)
    return one, other

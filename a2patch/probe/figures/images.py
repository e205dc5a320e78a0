"""Arrays as images, in the form in which an HTML page holds them."""

from __future__ import annotations

import base64
import io
from typing import Any

import torch
from matplotlib import colormaps
from PIL import Image

COLOURS = "viridis"  # its lightness rises evenly, so it is read without its hues too
JPEG_QUALITY = 70


def png(image: Any) -> str:
    """Return an image of shape (3, H, W) with values from 0 to 1 as a PNG in a data URI."""
    return _encoded(_bytes(image.permute(1, 2, 0)), "PNG")


def grey_jpeg(image: Any) -> str:
    """Return an image of shape (3, H, W) with values from 0 to 1 as a grey JPEG in a data URI."""
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    return _encoded(_bytes((image * weights).sum(0)), "JPEG", quality=JPEG_QUALITY)


def heat(values: Any) -> str:
    """Return values from 0 to 1, of shape (H, W), as a PNG of one pixel a value in a data URI."""
    return _encoded(colormaps[COLOURS](values.detach().cpu().numpy(), bytes=True), "PNG")


def _bytes(image: Any) -> Any:
    return (image.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def _encoded(pixels: Any, form: str, **options: Any) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, optimize=True, **options)
    return "data:image/{};base64,{}".format(form.lower(), base64.b64encode(buffer.getvalue()).decode())

"""Photographs as users have them: turned, grey, of many bits or colours, spoiled; one that can't be read is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")

from a2patch.probe.events import Channel  # noqa: E402
from a2patch.probe.figures import photographs  # noqa: E402
from a2patch.protocol import ImageUnreadable  # noqa: E402

SHADES = np.linspace(0, 255, 100 * 50).reshape(50, 100).astype(np.uint8)


class Heard(Channel):
    """Hears what is told."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def emit(self, event: Any) -> None:
        self.events.append(event)


def read(*paths: Path) -> tuple[list[photographs.Photograph], list[Any]]:
    channel = Heard()
    return photographs.given(channel, tuple(map(str, paths)), 32), channel.events


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "CMYK", "LA", "I;16"])
def test_every_kind_becomes_light_and_dark(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("image.tif" if mode == "CMYK" else "image.png")
    grey = Image.fromarray(SHADES.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(SHADES).convert(mode)
    grey.save(path)
    (photo,), events = read(path)
    assert (photo.name, events) == (path.name, [])
    assert tuple(photo.pixels.shape) == (1, 3, 320, 640)
    assert photo.pixels.amin() < 0.1
    assert photo.pixels.amax() > 0.9
    assert 0.3 < float(photo.pixels.mean()) < 0.7


def test_an_image_stands_as_the_camera_was_held(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(SHADES).save(tmp_path / "turned.jpg", exif=exif)
    (photo,), _ = read(tmp_path / "turned.jpg")
    assert tuple(photo.pixels.shape[2:]) == (640, 320)
    assert tuple(photo.smaller(320, 64).pixels.shape[2:]) == (320, 256)
    assert tuple(photo.as_input(4).shape[:2]) == (1, 4)


def test_what_can_not_be_read_is_named_and_the_others_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(SHADES).save(tmp_path / "good.png")
    tmp_path.joinpath("text.jpg").write_text("no image")
    tmp_path.joinpath("empty.png").write_bytes(b"")
    tmp_path.joinpath("cut.png").write_bytes(tmp_path.joinpath("good.png").read_bytes()[:80])
    tmp_path.joinpath("new.heic").write_bytes(b"\0\0\0\x18ftypheic")
    Image.new("L", (500, 500)).save(tmp_path / "huge.png")
    monkeypatch.setattr(photographs, "MOST_PIXELS", 200_000)
    photos, events = read(*sorted(tmp_path.iterdir()), tmp_path / "gone.png")
    assert [photo.name for photo in photos] == ["good.png"]
    assert all(isinstance(event, ImageUnreadable) for event in events)
    reasons = {Path(event.path).name: event.reason for event in events}
    assert set(reasons) == {"text.jpg", "empty.png", "cut.png", "new.heic", "huge.png", "gone.png"}
    assert reasons["text.jpg"] == reasons["empty.png"] == "it is no image of a kind that Pillow reads"
    assert "500 x 500" in reasons["huge.png"]
    assert "pi-heif" in reasons["new.heic"]

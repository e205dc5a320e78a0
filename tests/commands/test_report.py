"""`verify --report` as it is typed: what can't be meant is said before any work is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.inside import inside


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--image", "a.png"), "name that too"),
        (("--image", "a.png", "--report", "out.html", "--quick"), "--quick looks at no images"),
        (("--image", "empty", "--report", "out.html"), "found no image"),
        (("--image", "gone.png", "--report", "out.html"), "gone.png"),
    ],
)
def test_images_are_for_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    tmp_path.joinpath("a.png").write_bytes(b"x")
    tmp_path.joinpath("empty").mkdir()
    answer = inside("verify", *options)
    assert answer.code == 2
    assert told in answer.err
    assert not tmp_path.joinpath("out.html").exists()

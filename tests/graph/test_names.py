"""The scales in the names of model files, held to what upstream's own functions read there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from a2patch.graph import at_scale, model_files, scale_of, unscaled
from patches import releases
from tests.support.trees import NEWEST


def guess_model_scale(cache: Path, folder: Path) -> object:
    """Upstream's own function, cut from its file, so that neither torch nor ultralytics is imported."""
    source = releases.unpack(NEWEST, cache, folder).joinpath("nn", "tasks.py").read_text(encoding="utf-8")
    found = next(node for node in ast.parse(source).body if getattr(node, "name", "") == "guess_model_scale")
    names: dict[str, object] = {"re": re, "Path": Path}
    exec(ast.unparse(found), names)
    return names["guess_model_scale"]


def test_a_name_asks_for_the_scale_that_upstream_reads(cache: Path, tmp_path: Path) -> None:
    upstream = guess_model_scale(cache, tmp_path)
    assert callable(upstream)
    files = model_files(tmp_path / "ultralytics")
    assert {"yolov8.yaml", "yolo11-seg.yaml", "yoloe-v8.yaml", "yoloe-26.yaml", "rtdetr-l.yaml"} <= set(files)
    named = [name for name in files if name.startswith("yolo") and scale_of(name) == ""]
    for name in [*files, *(at_scale(name, scale) for name in named for scale in "nsmlx")]:
        assert scale_of(name) == upstream(name), name
    for name in named:
        for scale in "nsmlx":
            asked = at_scale(name, scale)
            if asked == name:  # such as yolov8-cls-resnet50, which can't say; or one of a digit right behind
                continue
            assert (scale_of(asked), unscaled(asked)) == (scale, name)


@pytest.mark.parametrize(
    ("name", "at_s", "without"),
    [
        ("yolov8.yaml", "yolov8s.yaml", "yolov8.yaml"),
        ("yolov8_A2.yaml", "yolov8s_A2.yaml", "yolov8_A2.yaml"),
        ("yolov8n.yaml", "yolov8n.yaml", "yolov8.yaml"),
        ("yolo11x-seg.yaml", "yolo11x-seg.yaml", "yolo11-seg.yaml"),
        ("yoloe-v8-seg.yaml", "yoloe-v8s-seg.yaml", "yoloe-v8-seg.yaml"),
        ("mine.yaml", "mine.yaml", "mine.yaml"),
    ],
)
def test_a_scale_is_put_in_and_taken_out(name: str, at_s: str, without: str) -> None:
    assert at_scale(name, "s") == at_s
    assert unscaled(name) == without

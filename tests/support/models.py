"""Model files: the stock ones of a release, and ours."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from a2patch.graph import Graph, read, row_lines
from patches import releases
from tests.support.command import ROOT
from tests.support.strides import with_strides

SOURCES = ROOT / "patches" / "double_attention" / "sources"
STOCK = {"8.4.190": 66, "8.3.0": 45, "8.1.0": 23, "8.0.200": 17}  # how many of them are stock


def stock_texts(release: str, cache: Path) -> dict[str, str]:
    """Return the model files of a release as text, by name."""
    with zipfile.ZipFile(releases.wheel(release, cache)) as wheel:
        return {
            name.rpartition("/")[2]: wheel.read(name).decode()
            for name in wheel.namelist()
            if name.startswith("ultralytics/cfg/models/") and name.endswith(".yaml")
        }


def load(text: str) -> dict[str, Any]:
    """Read a model file, with C's loader where there is one: it is seven times as fast."""
    import yaml

    model: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return model


def graph_of(text: str) -> Graph:
    """Read a model file as a graph, with the comments of its rows."""
    return with_strides(read(load(text), [comment for _, _, comment in row_lines(text)]))

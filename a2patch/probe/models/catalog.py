"""The model files of a tree, and YAML as its interpreter reads it."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from a2patch.graph import SHIPPED, Graph, GraphError, at_scale, fingerprint, model_files, read, row_lines, unscaled

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


# What YAML does not allow in a file; upstream leaves it out before it parses.
_CONTROL = re.compile("[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


def parse(text: str) -> Any:
    """Return a YAML document as data, as upstream reads it."""
    return yaml.load(_CONTROL.sub("", text), Loader=_LOADER)


def parsed(text: str, name: str) -> dict[str, Any]:
    """Return what a model file says, as data.

    Raises:
        ValueError: It is no model file; says why, in the words of its text.
    """
    if "\0" in text:
        raise ValueError("{} is not in UTF-8, but in UTF-16 or no text at all: save it as UTF-8".format(name))
    try:
        model = parse(text)
    except yaml.MarkedYAMLError as error:
        raise ValueError(_where(error, text, name)) from error
    if not isinstance(model, dict) or not model.get("head"):
        raise ValueError("{} is no model file: it has no list of layers".format(name))
    return model


def _where(error: yaml.MarkedYAMLError, text: str, name: str) -> str:
    """Return what is wrong with a YAML file, where, and what stands there."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return "{} is no YAML: {}".format(name, error.problem)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    tab = "; indent with spaces, YAML takes no tabs" if line[: mark.column + 1].endswith("\t") else ""
    what = ", {!r}".format(line.strip()[:60]) if line.strip() else ""
    return "{} is no YAML: line {}{}: {}{}".format(name, mark.line + 1, what, error.problem, tab)


def graph(text: str, model: dict[str, Any], strides: list[float | None]) -> Graph:
    """Return the graph of a model, with the comments of its file where its rows can be told apart."""
    comments = [comment for _, _, comment in row_lines(text)]
    rows = len(model.get("backbone") or ()) + len(model.get("head") or ())
    return read(model, comments if len(comments) == rows else (), strides)


class Catalog:
    """The model files of a tree, read when they are asked for.

    Attributes:
        package: The package folder of the tree.
    """

    def __init__(self, package: Path) -> None:
        self.package = package

    @lru_cache(maxsize=None)  # noqa: B019 (it lives as long as the process)
    def _files(self) -> dict[str, Path]:
        """Return the model files, by name."""
        return model_files(self.package)

    def text(self, file: str) -> str:
        """Return what a model file says, empty where there is none of that name.

        Before 8.0.55 there is a file for each scale; the smallest then stands for all.
        """
        path = self._files().get(file) or self._files().get(unscaled(file)) or self._files().get(at_scale(file, "n"))
        return path.read_text(encoding="utf-8", errors="ignore") if path else ""  # as upstream reads it

    def scales(self, file: str, letters: str) -> list[str]:
        """Return the scales of a model that has a file for each, as before 8.0.55."""
        return [letter for letter in letters if at_scale(file, letter) in self._files()]

    def model(self, file: str) -> dict[str, Any]:
        """Return what a model file says, as data; empty where there is none of that name."""
        found = parse(self.text(file))
        return found if isinstance(found, dict) else {}

    @lru_cache(maxsize=None)  # noqa: B019
    def graphs(self) -> dict[str, Graph]:
        """Return the graphs of all model files, by name."""
        found = {}
        for file in self._files():
            with suppress(GraphError, yaml.YAMLError):
                found[file] = self.graph(file)
        return found

    @lru_cache(maxsize=None)  # noqa: B019
    def graph(self, file: str) -> Graph:
        """Return the graph of a model file.

        Raises:
            GraphError: There is none of that name, or it is no model.
        """
        return graph(self.text(file), self.model(file), [])

    @lru_cache(maxsize=None)  # noqa: B019
    def stock(self) -> dict[str, Graph]:
        """Return the graphs of the model files that a release shipped, by name.

        A file that its user wrote or rewired is no reference, wherever it lies and whatever it is called.
        """
        return {file: found for file, found in self.graphs().items() if fingerprint(found) in SHIPPED}

    def kinds(self) -> set[str]:
        """Return the kinds of layers of the stock models."""
        return {layer.kind for found in self.stock().values() for layer in found.layers}

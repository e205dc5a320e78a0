"""What a probe tells of model files that it made out of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Tuple


@dataclass(frozen=True)
class ModelRow:
    """A row of a model file.

    Attributes:
        index: The index of its layer.
        source: What it reads, as the file has it: an index, or a list of them.
        repeats: How often the layer stands there.
        module: The class that it names.
        args: Its arguments.
        added: Whether the class is one that the patch adds.
    """

    index: int
    source: Any
    repeats: int
    module: str
    args: List[Any]
    added: bool


@dataclass(frozen=True)
class InsertedModel:
    """A model file that was made out of another, and is not yet where its user wants it.

    Attributes:
        name: What to call it.
        text: What it says; bytes that are no UTF-8 stand in it as surrogates.
        positions: Where rows went, as they are typed.
        rows: Its rows.
        scales: The letters of its scales, the one first that is built where none is asked for.
    """

    name: str
    text: str
    positions: Tuple[str, ...]
    rows: Tuple[ModelRow, ...]
    scales: Tuple[str, ...] = ()

    @property
    def content(self) -> bytes:
        """Its bytes; line endings and encoding are those of the file that it was made from."""
        return self.text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class InsertionRefused:
    """Why what was asked for can't be made of a model."""

    reason: str

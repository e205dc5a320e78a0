"""A model YAML as a graph: read, compared, checked and edited as text.

The host and the probe use it, so it is Python 3.8 and needs neither torch nor yaml. Imports `protocol`.
"""

from a2patch.graph.edit import InsertionError, insert, remove
from a2patch.graph.lint import (
    against,
    correction,
    designed,
    dropped,
    faults,
    inserted_only,
    repaired,
    stale_labels,
)
from a2patch.graph.model import (
    IMAGE,
    Bypass,
    Comparison,
    Graph,
    GraphError,
    closest,
    compare,
    fingerprint,
    read,
)
from a2patch.graph.names import at_scale, model_files, scale_of, unscaled
from a2patch.graph.origin import marked, unmarked
from a2patch.graph.positions import FORMS, Position, PositionError, available, file_name, layers, parse
from a2patch.graph.shipped import SHIPPED
from a2patch.graph.text import read_text, repeated_keys, row_lines
from a2patch.protocol import Fault, Layer

__all__ = [
    "FORMS",
    "IMAGE",
    "SHIPPED",
    "Bypass",
    "Comparison",
    "Fault",
    "Graph",
    "GraphError",
    "InsertionError",
    "Layer",
    "Position",
    "PositionError",
    "against",
    "at_scale",
    "available",
    "closest",
    "compare",
    "correction",
    "designed",
    "dropped",
    "faults",
    "file_name",
    "fingerprint",
    "insert",
    "inserted_only",
    "layers",
    "marked",
    "model_files",
    "parse",
    "read",
    "read_text",
    "remove",
    "repaired",
    "repeated_keys",
    "row_lines",
    "scale_of",
    "stale_labels",
    "unmarked",
    "unscaled",
]

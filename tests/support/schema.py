"""What docs/schema.json says of the documents that --json prints."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema

from tests.support.command import ROOT


@cache
def validator() -> Any:
    """Return what holds documents against the schema."""
    schema = json.loads((ROOT / "docs/schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def flaws(document: Any) -> list[str]:
    """Return what the schema has against a document."""
    return [f"{list(error.path)}: {error.message}" for error in validator().iter_errors(document)]

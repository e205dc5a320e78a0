"""Make the document that `--json` prints, and each part of it; a part is made of plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a2patch.errors import A2PatchError
from a2patch.report import blocks

if TYPE_CHECKING:
    from a2patch.runner import InsertedModel, ModelRow, Transplant, Verdict
    from a2patch.transaction import Operation, Survey
    from a2patch.tree import Copy, Tree

SCHEMA = 1
"""The version of the document; it changes when a field changes its meaning or goes."""


def encode(document: Mapping[str, Any]) -> str:
    """Return a document as it is printed: in ASCII, which every console has, whatever is in it."""
    return json.dumps(document, indent=1)


def error(error: A2PatchError) -> dict[str, Any]:
    """Return what stopped a command."""
    return {
        "kind": type(error).__name__,
        "message": error.message,
        "path": str(error.path) if error.path else None,
        "found": error.found or None,
        "remedy": error.remedy or None,
    }


def place(tree: Tree) -> dict[str, Any]:
    """Return which tree a command is about."""
    facts = {"package": str(tree.package), "named": str(tree.named)}
    return {**facts, "kind": tree.kind, "version": tree.version or None}


def tree(survey: Survey) -> dict[str, Any]:
    """Return a tree and its state."""
    receipt = survey.receipt
    return {
        **place(survey.tree),
        "state": survey.state,
        "sites": [
            {
                "site": site.site,
                "state": site.state,
                "diff": diff.name if (diff := site.back or site.forth) else None,
                "edited": [change.path for change in site.edits],
            }
            for site in survey.status.sites
        ],
        "in_the_way": list(survey.status.taken),
        "receipt": receipt
        and {"a2patch": receipt.version, "verified": receipt.verified or None, "models": sorted(receipt.models)},
        **({"blocks": blocks.document(survey.layers)} if survey.layers else {}),
    }


def copy(copy: Copy) -> dict[str, str]:
    """Return a copy of ultralytics in sight."""
    return {"package": str(copy.package), "used_by": copy.used_by, "through": copy.through}


def changes(outcome: Operation) -> list[dict[str, Any]]:
    """Return what changed, file by file."""
    actions = {(True, False): "added", (False, True): "removed", (False, False): "changed"}
    names = outcome.names()
    return [
        {"path": c.path, "action": actions[c.before is None, c.after is None], "diff": names.get(c.path)}
        for c in outcome.changes
    ]


def verdict(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict.

    Returns:
        `schema`, `ok`, `interpreter`, `python`, `torch`, `ultralytics`, `note`, `others`, `checks` (each `name`,
        `result`, `figure`, `meaning`, `advice`, `seconds`, `detail`), `base` and `costs` (each `model`, `scale`,
        `layers`, `parameters`, `gradients`, `gflops` or null, `counted` or null).
    """
    from a2patch.runner import explained

    return {
        "schema": SCHEMA,
        "ok": verdict.ok,
        "interpreter": str(verdict.interpreter),
        "python": verdict.python,
        "torch": verdict.torch,
        "ultralytics": verdict.ultralytics,
        "note": verdict.note,
        "others": verdict.others,
        "checks": [asdict(explained(check)) for check in verdict.checks],
        "base": verdict.base,
        "costs": [asdict(cost) for cost in verdict.costs],
    }


def inserted_model(model: InsertedModel, place: Path | None) -> dict[str, Any]:
    """Return a model file that was made, and where it was written; None if it was not."""
    return {
        "name": model.name,
        "path": str(place) if place else None,
        "positions": list(model.positions),
        "layers": [_row(row) for row in model.rows],
    }


def _row(row: ModelRow) -> dict[str, Any]:
    fields = {"index": row.index, "from": row.source, "repeats": row.repeats}
    return {**fields, "module": row.module, "args": row.args, "ours": row.added}


def transplant(result: Transplant, written: Path | None) -> dict[str, Any]:
    """Return a transplant, and where its result was written; None if it was not."""
    left = [{"tensor": name, "reason": reason} for name, reason in result.left]
    told = {name: value for name, value in asdict(result).items() if name != "kinds"}  # `ours` has them
    return told | {"left": left, "exact": result.exact, "written": str(written) if written else None}

"""What a command says of a tree: lines for people, a document for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from a2patch.errors import A2PatchError

if TYPE_CHECKING:
    from a2patch.patch import Change
    from a2patch.transaction import Operation, Survey
    from a2patch.tree import Copy

_MEANING = {
    "pristine": "as upstream ships it; nothing of ours in it",
    "applied": "patched",
    "partial": "half patched; `a2patch apply` completes it, `a2patch revert` takes it out",
    "stale": "upgraded while patched: our files are left, upstream's are new; `a2patch apply` patches it again",
    "edited": "patched, and edited since inside lines or files of ours; `a2patch diff` shows them as they are",
    "conflict": "not as any diff expects it",
    "foreign": "nothing of ours in it, and something stands where ours would go",
}


def tree_lines(survey: Survey) -> list[str]:
    """The tree: where it is, what it is, through which link it was reached."""
    tree = survey.tree
    lines = [f"tree     {tree.package}", f"         {tree.kind}, ultralytics {tree.version or 'of unknown version'}"]
    if tree.named.absolute() != tree.package:
        lines.append(f"         reached by the link {tree.named}; it is patched at its real place")
    return lines


def status_lines(survey: Survey, copies: Sequence[Copy]) -> list[str]:
    """What `a2patch status` says."""
    state = survey.status.state
    lines = [*tree_lines(survey), f"state    {state}: {_MEANING[state]}"]
    for site in survey.status.sites:
        diff = site.back or site.forth
        lines.append(f"         {site.site:<7} {site.state:<9} {diff.name if diff else 'no diff fits'}")
        lines += [f"                 {change.path}" for change in site.edits]
    lines += [f"in the way  {line}" for line in survey.status.taken]
    if survey.receipt is not None:
        verified = survey.receipt.verified or "nothing yet; `a2patch verify` does"
        lines += [f"receipt  by a2patch {survey.receipt.version}", f"         verified by {verified}"]
        lines += [
            f"         {path:<36} {_as_installed(survey.tree.read(path), content)}"
            for path, content in survey.receipt.models.items()
        ]
    return lines + copies_lines(survey, copies)


def unchanged_lines(survey: Survey) -> list[str]:
    """What `a2patch apply` says of a tree that has the patch already."""
    edited = ", ".join(change.path for change in survey.status.edits)
    kept = [f"edited since, and left as it is: {edited}"] if edited else []
    return ["already patched: nothing to do", *kept]


def copies_lines(survey: Survey, copies: Sequence[Copy]) -> list[str]:
    """Every other copy in sight; empty where there is only this one."""
    if all(copy.package == survey.tree.package for copy in copies):
        return []
    lines = ["copies   more than one copy of ultralytics is in sight:"]
    for copy in copies:
        mark = "  <- this tree" if copy.package == survey.tree.package else ""
        lines.append(f"         {copy.used_by} uses {copy.package} ({copy.through}){mark}")
    return lines


def copy_document(copy: Copy) -> dict[str, str]:
    """A copy in sight, for `--json`."""
    return {"package": str(copy.package), "used_by": copy.used_by, "through": copy.through}


def change_lines(outcome: Operation) -> list[str]:
    """What changed, a file a line, with the diff that did it."""
    names = {file.path: diff.name for diff in outcome.diffs for file in diff.files}
    return [
        f"  {change.path:<36} {_amount(change):<18} {names.get(change.path, 'a2patch insert')}"
        for change in outcome.changes
    ]


def derived_lines(outcome: Operation) -> list[str]:
    """Which diffs were derived, said aloud; empty where all are versioned."""
    sites = [diff.site for diff in outcome.diffs if diff.derived]
    if not sites:
        return []
    return [
        f"no versioned diff fits {', '.join(sites)}: derived from this tree's own syntax; read it with `a2patch diff`"
    ]


def tree_document(survey: Survey) -> dict[str, Any]:
    """The tree and its state, for `--json`."""
    tree = survey.tree
    return {
        "package": str(tree.package),
        "named": str(tree.named),
        "kind": tree.kind,
        "version": tree.version or None,
        "state": survey.status.state,
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
        "receipt": None
        if survey.receipt is None
        else {
            "a2patch": survey.receipt.version,
            "verified": survey.receipt.verified or None,
            "models": sorted(survey.receipt.models),
        },
    }


def changes_document(outcome: Operation) -> list[dict[str, Any]]:
    """What changed, for `--json`."""
    actions = {(True, False): "added", (False, True): "removed", (False, False): "changed"}
    names = {file.path: diff.name for diff in outcome.diffs for file in diff.files}
    return [
        {"path": c.path, "action": actions[c.before is None, c.after is None], "diff": names.get(c.path)}
        for c in outcome.changes
    ]


def error_lines(error: A2PatchError) -> list[str]:
    """An error: what, where, what stands there, what to do."""
    lines = [f"a2patch: {error.message}"]
    if error.path is not None:
        lines.append(f"  {error.path}")
    lines += [f"  {line}" for line in error.found.splitlines()]
    if error.remedy:
        lines.append(error.remedy)
    return lines


def error_document(error: A2PatchError) -> dict[str, Any]:
    """An error, for `--json`."""
    return {
        "kind": type(error).__name__,
        "message": error.message,
        "path": str(error.path) if error.path else None,
        "found": error.found or None,
        "remedy": error.remedy or None,
    }


def _as_installed(content: bytes | None, written: bytes) -> str:
    if content is None:
        return "installed by insert, gone since"
    return "installed by insert" + ("" if content == written else ", edited since")


def _amount(change: Change) -> str:
    if change.before is None:
        return "new file"
    if change.after is None:
        return "removed"
    lines = change.after.count(b"\n") - change.before.count(b"\n")
    return f"{lines:+d} lines"

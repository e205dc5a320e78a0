"""Show a tree, its state, and what a command changed in it, as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from a2patch.errors import A2PatchError
from a2patch.report import blocks
from a2patch.report.next_steps import command
from a2patch.report.styled import Styled

if TYPE_CHECKING:
    from a2patch.patch import Change
    from a2patch.transaction import Operation, Survey
    from a2patch.tree import Copy

_MEANING = {
    "pristine": "as upstream ships it; nothing of ours in it",
    "applied": "patched",
    "partial": "half patched; `{apply}` completes it, `{revert}` takes it out",
    "stale": "upgraded while patched: our files are left, upstream's are new; `{apply}` patches it again",
    "edited": "patched, and edited since inside lines or files of ours; `{diff}` shows them as they are",
    "conflict": "not as any diff expects it",
    "foreign": "nothing of ours in it, and something stands where ours would go",
}


def tree_lines(survey: Survey) -> list[str]:
    """Return where a tree is, what it is, and through which link it was reached."""
    tree = survey.tree
    lines = [f"tree     {tree.package}", f"         {tree.kind}, ultralytics {tree.version or 'of unknown version'}"]
    if tree.named.absolute() != tree.package:
        lines.append(f"         reached by the link {tree.named}; it is patched at its real place")
    return lines


def status_lines(survey: Survey, copies: Sequence[Copy], named: Path | None) -> list[str]:
    """Return what `a2patch status` says.

    Args:
        survey: The tree, and what is known of it.
        copies: Every copy in sight.
        named: How the user named the tree; None where it was found without a name.
    """
    state = survey.state
    typed = {verb: command(verb, named) for verb in ("apply", "revert", "diff", "verify")}
    lines = [*tree_lines(survey), f"state    {state}: {_MEANING[state].format(**typed)}"]
    for site in survey.status.sites if not survey.layers or survey.status.is_patched else ():
        diff = site.back or site.forth
        lines.append(f"         {site.site:<7} {site.state:<9} {diff.name if diff else 'no diff fits'}")
        lines += [f"                 {survey.tree.path(change.path)}" for change in site.edits]
    lines += [f"in the way  {line}" for line in survey.status.taken if not survey.layers]
    lines += blocks.status_lines(survey.layers)
    if survey.receipt is not None:
        verified = survey.receipt.verified or f"nothing yet; `{typed['verify']}` does"
        lines += [f"receipt  by a2patch {survey.receipt.version}", f"         verified by {verified}"]
        lines += [
            f"         {survey.tree.path(path)}  {_installed(survey.tree.read(path), content)}"
            for path, content in survey.receipt.models.items()
        ]
    elif survey.layers:
        again = f"{typed['apply']} {survey.layers[0].layer.block.name}"
        lines.append(f"receipt  lost; the blocks are known by their bytes, and `{again}` writes a new one")
    return [*lines, *copies_lines(survey, copies), *_next_lines(survey, named)]


def _next_lines(survey: Survey, named: Path | None) -> list[str]:
    """Return what to type next."""
    state, verified = survey.state, survey.receipt is not None and survey.receipt.verified
    verb, why = _NEXT[state]
    if state == "applied" and verified:
        verb, why = "revert", "takes it out again"
    return ["", "next", f"  {command(verb, named)}   # {why}"]


_NEXT = {
    "pristine": ("apply", "patches it, and verifies the result"),
    "applied": ("verify", "tries it: nothing has yet"),
    "partial": ("apply", "completes it"),
    "stale": ("apply", "patches it again"),
    "edited": ("diff", "shows the patch as it was edited"),
    "conflict": ("apply --dry-run", "tells what was expected where, and what to paste"),
    "foreign": ("apply --dry-run", "tells what to take out by hand first"),
}


def checked_line(survey: Survey, fault: str) -> str:
    """Return what `a2patch status --check` comes to.

    Args:
        survey: The tree, and what is known of it.
        fault: What is wrong; empty where nothing is.
    """
    if fault:
        return f"check    {fault}"
    return f"check    the patch is whole, and verified by {survey.receipt.verified if survey.receipt else ''}"


def unchanged_lines(survey: Survey) -> list[str]:
    """Return what `a2patch apply` says of a tree that has the patch already."""
    edited = ", ".join(change.path for change in survey.status.edits)
    kept = [f"edited since, and left as it is: {edited}"] if edited else []
    return ["already patched: nothing to do", *kept]


def undone_line(survey: Survey) -> str:
    """Return what `a2patch apply` says once it has put back what it found, since the verdict is against the result."""
    if survey.is_patched:
        return "The verdict is against it: the patch that was there before was put back (--keep keeps the new one)."
    return "The verdict is against it: the patch was taken out again (--keep keeps it)."


def copies_lines(survey: Survey, copies: Sequence[Copy]) -> list[str]:
    """Return every copy in sight; nothing where there is only the one of this tree."""
    if all(copy.package == survey.tree.package for copy in copies):
        return []
    lines = ["copies   more than one copy of ultralytics is in sight:"]
    for copy in copies:
        mark = "  <- this tree" if copy.package == survey.tree.package else ""
        told = (
            f"{copy.package}: {copy.used_by}"
            if copy.is_shadowed
            else f"{copy.used_by} uses {copy.package} ({copy.through})"
        )
        lines.append(f"         {told}{mark}")
    return lines


def change_lines(outcome: Operation) -> list[str]:
    """Return a line for each file that changed, with the diff that changed it."""
    names = outcome.names()
    return [
        f"  {change.path:<36} {_amount(change):<18} {names.get(change.path, 'a2patch insert')}"
        for change in outcome.changes
    ]


def derived_lines(outcome: Operation) -> list[str]:
    """Return a line that names the diffs that were derived; nothing where all are versioned."""
    sites = [diff.site for diff in outcome.diffs if diff.derived]
    if not sites:
        return []
    return [
        f"no versioned diff fits {', '.join(sites)}: derived from this tree's own syntax; read it with `a2patch diff`"
    ]


def error_lines(error: A2PatchError) -> list[str | Styled]:
    """Return an error: what is wrong, where, what stands there, and what to do."""
    lines: list[str | Styled] = [Styled((("a2patch:", "fail"), (f" {error.message}", "")))]
    if error.path is not None:
        lines.append(f"  {error.path}")
    lines += [f"  {line}" for line in error.found.splitlines()]
    if error.remedy:
        lines.append(error.remedy)
    return lines


def _installed(content: bytes | None, written: bytes) -> str:
    """Return what became of a model file that `a2patch insert` wrote."""
    if content is None:
        return "installed by insert, gone since"
    return "installed by insert" + ("" if content == written else ", edited since")


def _amount(change: Change) -> str:
    """Return how much a file changed."""
    if change.before is None:
        return "new file"
    if change.after is None:
        return "removed"
    before, after = change.before.splitlines(), change.after.splitlines()
    if len(before) != len(after):
        return f"{len(after) - len(before):+d} lines"
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    return "1 line changed" if changed == 1 else f"{changed} lines changed"

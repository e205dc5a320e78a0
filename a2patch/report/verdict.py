"""Show a verdict as text, in a terminal of any width."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from a2patch.report.costs import LEGEND, cost_table, table_title
from a2patch.report.text import table_lines, wrapped
from a2patch.runner import NOT_ASKED, Check, Verdict, explained

_NARROWEST = 40
_INDENT = "    "
_GAP = "  "
_COUNTED = {"fail": "failed", "known": "known", "skip": "skipped"}


def verdict_text(verdict: Verdict, width: int) -> str:
    """Return a verdict as text: the checks, what is to be said about them, and what the patch costs.

    Args:
        verdict: The verdict.
        width: The columns to stay within; fewer than 40 are taken as 40.

    Returns:
        Lines without trailing newline and without colour.
    """
    width = max(width, _NARROWEST)
    parts = [wrapped(versions(verdict), width), _checks(verdict.checks, width), wrapped(conclusion(verdict), width)]
    parts.append(wrapped(verdict.others, width) if verdict.others else "")
    models = compared_models(verdict)
    parts.extend(_costs(verdict, model, width) for model in models)
    if models:
        parts.append(wrapped(LEGEND, width))
    if verdict.note:
        parts.append(wrapped(verdict.note, width))
    return "\n\n".join(part for part in parts if part)


def versions(verdict: Verdict) -> str:
    """Return what a verdict was found with, in a line."""
    return f"ultralytics {verdict.ultralytics or '?'}, torch {verdict.torch or '?'}, Python {verdict.python or '?'}"


def conclusion(verdict: Verdict) -> str:
    """Return a verdict in one sentence."""
    count: Counter[str] = Counter(check.result for check in verdict.checks if not check.unasked)
    counts = [
        f"{count['pass']} passed",
        *(f"{count[result]} {word}" for result, word in _COUNTED.items() if count[result]),
    ]
    return f"{'No fault was found' if verdict.ok else 'A fault was found'}: {', '.join(counts)}."


def compared_models(verdict: Verdict) -> list[str]:
    """Return the models whose costs are known, but for the one that they are compared with."""
    return [*dict.fromkeys(cost.model for cost in verdict.costs if cost.model != verdict.base)]


def _checks(checks: Sequence[Check], width: int) -> str:
    """Return a line for each check, and below it what there is to say about one that did not simply pass."""
    asked = [check for check in checks if not check.unasked]
    name_width = max((len(check.name) for check in checks), default=0)
    lines = [line for check in asked for line in _check_lines(check, name_width, width)]
    unasked = [check.name for check in checks if check.unasked]
    if unasked:
        lines.append(wrapped(f"{NOT_ASKED}: {', '.join(unasked)}", width))
    return "\n".join(lines)


def _check_lines(check: Check, name_width: int, width: int) -> list[str]:
    head = f"{check.result:<6}{check.name:<{name_width}}"
    seconds = f"{check.seconds:5.1f} s"
    room = width - len(head) - len(seconds) - 2 * len(_GAP)
    fits = len(check.figure) <= room
    lines = [f"{head}{_GAP}{check.figure if fits else '':<{room}}{_GAP}{seconds}"]
    if not fits:
        lines.append(wrapped(check.figure, width, _INDENT))
    # A check that passed is not explained: a terminal holds few lines.
    shown = check if check.result == "pass" else explained(check)
    lines += [wrapped(text, width, _INDENT) for text in (shown.meaning, shown.advice) if text]
    return lines + [_INDENT + line for line in check.detail.splitlines()]  # perhaps a diff, which must not be wrapped


def _costs(verdict: Verdict, model: str, width: int) -> str:
    table = cost_table(verdict.costs, verdict.base, model)
    if not table:
        return ""
    return "\n".join([wrapped(table_title(verdict.base, model), width), *table_lines(table, width)])

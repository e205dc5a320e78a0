"""Show a verdict as text, in a terminal of any width."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len

from a2patch.block import MODEL, TUTORIAL
from a2patch.report.costs import LEGEND, cost_table, table_title
from a2patch.report.styled import Style, Styled
from a2patch.report.text import padded, table_lines, wrapped
from a2patch.runner import NOT_ASKED, Check, Verdict, explained

_NARROWEST = 40
_INDENT = "    "
_GAP = "  "
_AROUND = 6 + len("999.9 s") + 2 * len(_GAP)  # columns of a line that are not a name or a figure
_COUNTED = {"known": "known", "skip": "skipped", "fail": "failed"}


def verdict_lines(verdict: Verdict, width: int, checks: Sequence[Check] | None = None) -> list[str | Styled]:
    """Return a verdict as lines: the checks, what is to be said about them, what the patch costs, and the conclusion.

    Args:
        verdict: The verdict.
        width: The columns to stay within; fewer than 40 are taken as 40.
        checks: The checks to show, such as those of `summarized`; without them, `explanations`.
    """
    width = max(width, _NARROWEST)
    lines = [*_wrapped(versions(verdict), width), "", *_check_table(checks or explanations(verdict), width)]
    models = compared_models(verdict)
    tables = [_costs(verdict, model, width) for model in models]
    legend = [LEGEND] if models else []
    for paragraph in (_wrapped(verdict.others, width), *tables, *(_wrapped(t, width) for t in (*legend, verdict.note))):
        lines += ["", *paragraph] if paragraph else []
    style: Style = "pass" if verdict.ok else "fail"
    return [*lines, "", *(Styled(((line, style),)) for line in _wrapped(conclusion(verdict), width))]


def explanations(verdict: Verdict) -> list[Check]:
    """Return the checks of a verdict, explained unless they passed: a terminal holds few lines."""
    return [check if check.result == "pass" else explained(check) for check in verdict.checks]


def summarized(verdict: Verdict) -> list[Check]:
    """Return `explanations`, with what is known of the tutorial's model told in one line, not in many."""
    known = [check for check in verdict.checks if check.result == "known" and TUTORIAL in check.meaning]
    if not known:
        return explanations(verdict)
    names = " and ".join(check.name for check in known)
    told = f"{TUTORIAL} fails {names}, as the tutorial has it; train {MODEL}"
    line = Check(known[0].name, "known", told, seconds=sum(check.seconds for check in known))
    told_of = {check.name for check in known[1:]}
    shown = [line if check.name == line.name else check for check in explanations(verdict)]
    return [check for check in shown if check.name not in told_of]


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
    failed = ", ".join(check.name for check in verdict.checks if check.result == "fail")
    counts[-1] += f": {failed}" if failed else ""
    return f"{'No fault was found' if verdict.ok else 'A fault was found'}: {', '.join(counts)}."


def compared_models(verdict: Verdict) -> list[str]:
    """Return the models whose costs are known, but for the one that they are compared with."""
    return [*dict.fromkeys(cost.model for cost in verdict.costs if cost.model != verdict.base)]


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return wrapped(text, width, indent).splitlines()


def check_line(check: Check, name_width: int, room: int) -> Styled:
    """Return the line of a check: its result, its name, what was measured as far as there is room, and its time."""
    name = f"{check.name:<{name_width}}"
    figure = check.figure if cell_len(check.figure) <= room else ""
    named: Style = "strong" if check.result == "fail" else "skip" if check.result == "skip" else ""
    rest: Style = "skip" if check.result == "skip" else ""
    return Styled(
        (
            (f"{check.result:<6}", check.result),
            (name, named),
            (f"{_GAP}{padded(figure, room)}{_GAP}{check.seconds:5.1f} s", rest),
        )
    )


def _check_table(checks: Sequence[Check], width: int) -> list[str | Styled]:
    """Return a line for each check, and below it what there is to say about one that did not simply pass."""
    asked = [check for check in checks if not check.unasked]
    name_width = max((len(check.name) for check in checks), default=0)
    lines = [line for check in asked for line in _check_lines(check, name_width, width)]
    unasked = ", ".join(check.name for check in checks if check.unasked)
    return lines + (_dim(_wrapped(f"{NOT_ASKED}: {unasked}", width)) if unasked else [])


def _check_lines(check: Check, name_width: int, width: int) -> list[str | Styled]:
    room = width - name_width - _AROUND
    lines: list[str | Styled] = [check_line(check, name_width, room)]
    figure = check.figure if cell_len(check.figure) > room else ""
    said = [line for text in (figure, check.meaning, check.advice) for line in _wrapped(text, width, _INDENT)]
    said += [_INDENT + line for line in check.detail.splitlines()]  # perhaps a diff, which must not be wrapped
    return lines + (_dim(said) if check.result == "skip" else [*said])


def _dim(lines: Sequence[str]) -> list[str | Styled]:
    return [Styled(((line, "skip"),)) for line in lines]


def _costs(verdict: Verdict, model: str, width: int) -> list[str]:
    table = cost_table(verdict.costs, verdict.base, model)
    return (
        [*_wrapped(table_title(verdict.costs, verdict.base, model), width), *table_lines(table, width)] if table else []
    )

"""Write what came out of a comparison into its folder: data, tables and a page; `docs/compare.md` tells of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from a2patch import __version__
from a2patch.errors import AccessError
from a2patch.report import compare
from a2patch.report.compare import KINDS, Row
from a2patch.runner import compare as runner
from a2patch.transaction import write_atomically

SCHEMA = 1
"""The version of `compare.json`; it changes when a field changes its meaning or goes."""

_LATEX = {**{c: f"\\{c}" for c in "&%$#_{}"}, "\\": r"\textbackslash{}", "~": r"\textasciitilde{}"}
_LATEX |= {"^": r"\textasciicircum{}", "±": r"$\pm$", "−": "$-$", "×": r"$\times$", "–": "--"}


def write(found: runner.Comparison, folder: Path) -> None:
    """Write all files, each in one step.

    Raises:
        AccessError: One can't be written.
    """
    from a2patch.report import compare_html

    made: dict[str, Callable[[], str]] = {
        "compare.json": lambda: json.dumps(document(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "runs.csv": lambda: runs_csv(found),
        "compare.md": lambda: markdown(found),
        "compare.tex": lambda: latex(found),
        "index.html": lambda: compare_html.page(found),
    }
    for name, text in made.items():
        try:
            write_atomically(folder / name, text().encode("utf-8", "replace"))
        except OSError as error:
            raise AccessError(
                f"can't be written: {error.strerror or error}",
                path=folder / name,
                remedy="Look at the folder and the space left on the disk; `a2patch compare --show` writes it anew.",
            ) from error


def document(found: runner.Comparison) -> dict[str, Any]:
    """Return a comparison as plain values."""
    plan = found.plan
    return {
        "schema": SCHEMA,
        "a2patch": __version__,
        "command": list(plan.command),
        "settings": dict(plan.settings),
        "arguments": dict(plan.arguments),
        "threads": plan.threads,
        "seeds": plan.seeds,
        "epochs": plan.epochs,
        "data": asdict(plan.data) if plan.data else None,
        "finished": found.finished,
        "failed": len(found.failed),
        "objects": dict(found.objects),
        "models": [asdict(model) for model in found.models],
        "runs": [asdict(run) for run in found.runs],
        "verdicts": compare.verdicts(found),
        "notes": compare.notes(found),
    }


def runs_csv(found: runner.Comparison) -> str:
    """Return a row for each training."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    named = [f"{kind} {name}" for kind in KINDS for name in runner.FIGURES]
    named += [f"last {runner.MAIN} {name}" for name in runner.SIZES]
    table.writerow(["model", "seed", "state", "epochs", *named, "best epoch", "seconds an epoch", "memory", "failure"])
    for run in found.runs:
        figures = [kind.get(name) for kind in (run.last, run.best) for name in runner.FIGURES]
        figures += [run.sizes.get(name) for name in runner.SIZES]
        rest = [run.best_epoch or None, run.epoch_seconds, run.memory, run.failure.partition("\n")[0]]
        table.writerow([run.label, run.seed, run.state, run.epochs, *figures, *rest])
    return text.getvalue()


def markdown(found: runner.Comparison) -> str:
    """Return the tables as Markdown."""
    pieces = [compare.headline(found) + "."]
    for title, rows in tables(found):
        pieces.append(f"{title}:\n\n{_markdown_table(rows)}")
    said = [*compare.verdicts(found), *compare.notes(found)]
    pieces += ["\n".join(f"- {_escaped(line)}" for line in said)] if said else []
    return "\n\n".join(pieces) + "\n"


def latex(found: runner.Comparison) -> str:
    """Return the tables as LaTeX, for a document with the package booktabs."""
    pieces = [f"% {compare.headline(found)}; {compare.command(found.plan.command)}".replace("\n", " ")]
    for title, rows in tables(found):
        head, *body = ["  " + " & ".join(map(_latex, row)) + r" \\" for row in rows]
        columns = "l" + "r" * (len(rows[0]) - 1)
        begin = [
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{_latex(title)}}}",
            f"  \\begin{{tabular}}{{{columns}}}",
        ]
        end = [r"  \bottomrule", r"  \end{tabular}", r"\end{table}"]
        pieces.append("\n".join([*begin, r"  \toprule", head, r"  \midrule", *body, *end]))
    return "\n\n".join(pieces) + "\n"


def tables(found: runner.Comparison) -> list[tuple[str, Sequence[Row]]]:
    """Return all tables of a comparison with their titles."""
    shown: list[tuple[str, Sequence[Row]]] = []
    for kind, told in KINDS.items():
        shown.append((f"Mean ± standard deviation over the seeds, {told}", compare.figure_table(found, kind)))
    if found.objects:
        shown.append((f"{compare.SIZES}: mean ± standard deviation over the seeds", compare.size_table(found)))
    for kind, told in KINDS.items():
        rows = compare.difference_table(found, kind)
        if len(rows) > 1:
            shown.append((f"Differences seed by seed, with 95 % intervals, {told}", rows))
    rows = compare.size_difference_table(found)
    if len(rows) > 1:
        shown.append(("Differences by the size of objects, seed by seed, with 95 % intervals", rows))
    return [*shown, ("Costs; speeds are medians, quartiles, and how many times the base's", compare.cost_table(found))]


def _markdown_table(rows: Sequence[Row]) -> str:
    head, *body = ["| " + " | ".join(map(_escaped, row)) + " |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])


def _escaped(text: str) -> str:
    return "".join("\\" + letter if letter in "\\|*_`<" else letter for letter in text)


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)

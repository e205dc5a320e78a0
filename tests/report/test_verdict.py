"""What a verdict looks like."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from a2patch.protocol import NOT_ASKED, Check, Cost, Result
from a2patch.report import json as documents
from a2patch.report.verdict import conclusion, summarized, verdict_lines
from a2patch.runner.verdict import CHECKS, Verdict

VERDICT = Verdict(
    interpreter=Path("env") / "bin" / "python",
    python="3.11.7",
    torch="2.9.0",
    ultralytics="8.4.190",
    checks=(
        Check("import", "pass", "site-packages/ultralytics", seconds=0.25),
        Check("sight", "known", "spread 0", "It is blind: " + "all positions are alike. " * 6, "Train the other.", 1.5),
    ),
    costs=(
        Cost("yolov8.yaml", "n", 129, 3157200, 3157184, 8.86, 8.74),
        Cost("yolov8.yaml", "x", 209, 68229648, 68229632, 258.54),
        Cost("yolov8_A2.yaml", "n", 139, 3178400, 3178384, 8.97, 8.85),
        Cost("yolov8_A2.yaml", "x", 219, 68745248, 68745232, None),
    ),
)


def verdict_text(verdict: Verdict, width: int) -> str:
    return "\n".join(map(str, verdict_lines(verdict, width))) + "\n"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_text_stays_within_its_width(width: int) -> None:
    text = verdict_text(VERDICT, width)
    assert max(map(len, text.splitlines())) <= max(width, 40)
    assert "\x1b" not in text
    for word in ("import", "sight", "known", "It is blind", "Train the other.", "3,157,200 -> 3,178,400", "258.5 -> ?"):
        assert word in text


def test_table_before_and_after() -> None:
    assert (
        "yolov8.yaml -> yolov8_A2.yaml\n"
        "scale  layers      parameters                gradients                 GFLOPs      counted     cost\n"
        "n      129 -> 139  3,157,200 -> 3,178,400    3,157,184 -> 3,178,384    8.9 -> 9.0  8.7 -> 8.8  "
        "+0.7 % / +1.3 %\n"
        "x      209 -> 219  68,229,648 -> 68,745,248  68,229,632 -> 68,745,232  258.5 -> ?  ? -> ?      +0.8 % / ?\n"
    ) in verdict_text(VERDICT, 120)
    assert (
        "scale  layers      parameters                gradients\n"
        "n      129 -> 139  3,157,200 -> 3,178,400    3,157,184 -> 3,178,384\n"
        "x      209 -> 219  68,229,648 -> 68,745,248  68,229,632 -> 68,745,232\n"
        "scale  GFLOPs      counted     cost\n"
        "n      8.9 -> 9.0  8.7 -> 8.8  +0.7 % / +1.3 %\n"
    ) in verdict_text(VERDICT, 80)
    assert (
        "scale  layers      parameters\n"
        "n      129 -> 139  3,157,200 -> 3,178,400\n"
        "x      209 -> 219  68,229,648 -> 68,745,248\n"
        "scale  gradients                 GFLOPs\n"
    ) in verdict_text(VERDICT, 50)
    alone = verdict_text(replace(VERDICT, base="", costs=VERDICT.costs[2:3]), 120)
    assert (
        "yolov8_A2.yaml\nscale  layers  parameters  gradients  GFLOPs  counted\n"
        "n      139     3,178,400   3,178,384  9.0     8.8\n"
    ) in alone
    elsewhere = verdict_text(replace(VERDICT, costs=(VERDICT.costs[1], VERDICT.costs[2])), 120)
    assert "yolov8_A2.yaml\nscale  layers  parameters  gradients  GFLOPs  counted\nn  " in elsewhere, "no common scale"


def test_conclusion() -> None:
    assert VERDICT.ok
    assert "No fault was found: 1 passed, 1 known." in verdict_text(VERDICT, 80)
    broken = replace(VERDICT, checks=(*VERDICT.checks, Check("build", "fail"), Check("train", "skip")))
    assert not broken.ok
    assert "A fault was found: 1 passed, 1 known, 1 skipped, 1 failed: build." in verdict_text(broken, 80)


def test_what_nobody_asked_for_is_not_counted() -> None:
    asked = replace(VERDICT, checks=(*VERDICT.checks, Check("ddp", "skip", meaning=NOT_ASKED)))
    assert "No fault was found: 1 passed, 1 known." in verdict_text(asked, 80)


def test_the_last_line_is_the_conclusion_and_names_what_failed() -> None:
    checks = tuple(Check(name, "fail" if name in ("wiring", "stride") else "pass") for name in CHECKS[:14])
    broken = replace(VERDICT, checks=checks, note="A note.", others="Others.")
    assert conclusion(broken) == "A fault was found: 12 passed, 2 failed: wiring, stride."
    assert verdict_text(broken, 80).splitlines()[-1] == conclusion(broken)


def test_what_is_known_of_the_tutorial_is_one_line() -> None:
    long = "yolov8_DANet.yaml is blind. " * 9
    made = [Check("scale", "pass"), *(Check(name, "known", long, long, long, 1.0) for name in ("sight", "gradient"))]
    made.append(Check("checkpoint", "known", meaning="This release loads none.", advice="Take another."))
    verdict = replace(VERDICT, checks=tuple(made), costs=())
    lines = [str(line) for line in verdict_lines(verdict, 120, summarized(verdict))]
    assert [line for line in lines if "DANet" in line] == [lines[3]]
    assert "sight and gradient" in lines[3]
    assert "train yolov8_A2.yaml" in lines[3]
    assert not lines[4].startswith("    ")
    assert "    This release loads none." in lines
    assert lines[-1] == "No fault was found: 1 passed, 3 known."
    assert summarized(replace(verdict, checks=())) == []


def test_every_check_says_what_it_means_and_what_to_do() -> None:
    for result in get_args(Result):
        made = [Check(name, result, meaning="" if result == "pass" else "raises") for name in CHECKS]
        for check in documents.verdict(replace(VERDICT, checks=tuple(made)))["checks"]:
            assert check["meaning"].strip(), check
            assert bool(check["advice"]) == (result in ("fail", "known")), check
    unasked = [Check(name, "skip", meaning=NOT_ASKED) for name in CHECKS]
    advice = {c["name"]: c["advice"] for c in documents.verdict(replace(VERDICT, checks=tuple(unasked)))["checks"]}
    assert (advice["sight"], advice["ddp"]) == ("Verify without --quick.", "Verify with --full.")
    exact = Check("learn", "fail", "32 -> 33", "It rises.", "Lower the steps.")
    (document,) = documents.verdict(replace(VERDICT, checks=(exact,)))["checks"]
    assert (document["meaning"], document["advice"]) == ("It rises.", "Lower the steps.")


def test_a_terminal_explains_only_what_did_not_pass() -> None:
    made = (Check("build", "pass", "10 models"), Check("learn", "fail", "32 -> 33", "It rises."))
    text = verdict_text(replace(VERDICT, checks=made, costs=()), 120)
    assert "Every model builds" not in text
    assert "It rises.\n    Look at" in text


def test_log_lines_of_a_dead_probe_stay_lines() -> None:
    dead = replace(VERDICT, checks=(Check("train", "fail", "the probe died", "It ended.\nfirst\nsecond"),), costs=())
    assert "    first\n    second" in verdict_text(dead, 80)


def test_json_is_plain_and_versioned() -> None:
    document = json.loads(json.dumps(documents.verdict(VERDICT)))
    assert document["schema"] == 1
    assert document["ok"] is True
    assert document["interpreter"] == str(VERDICT.interpreter)
    assert document["checks"][1]["result"] == "known"
    assert document["costs"][3] == {
        "model": "yolov8_A2.yaml",
        "scale": "x",
        "layers": 219,
        "parameters": 68745248,
        "gradients": 68745232,
        "gflops": None,
        "counted": None,
    }
    assert set(document) == {
        "schema", "ok", "interpreter", "python", "torch", "ultralytics", "note", "others", "checks", "costs", "base",
    }  # fmt: skip

"""A plugin of pytest that tells what came of each test, a line of JSON each, and ends a test that takes too long.

It is copied beside the tests of others and loaded there by its file's name: it imports nothing of ours. `OUTCOMES`
names the file that it adds to, `OUTCOMES_LIMIT` how many seconds a test has: the whole process ends then, since a test
that hangs outside of Python can't be ended otherwise.
"""

from __future__ import annotations

import faulthandler
import json
import os
from pathlib import Path

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell which tree is tested, and which tests there are."""
    import ultralytics
    from ultralytics.nn import tasks

    names = [name for name, each in vars(tasks).items() if isinstance(each, type)]
    _tell(tree=str(Path(ultralytics.__file__).parent), classes=names, ids=[item.nodeid for item in session.items])


def pytest_runtest_logstart(nodeid: str) -> None:
    """Tell that a test begins, so that it is known which one never ended."""
    _tell(id=nodeid, outcome="")
    faulthandler.dump_traceback_later(float(os.environ["OUTCOMES_LIMIT"]), exit=True, file=2)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell what came of one of the phases of a test; a phase that passes says nothing but for the call itself."""
    if report.when == "call" or not report.passed:
        crash = getattr(report.longrepr, "reprcrash", None)
        reason = crash.message if crash else "" if report.passed else str(report.longrepr)
        _tell(id=report.nodeid, outcome=report.outcome, reason=reason.strip())


def pytest_runtest_logfinish(nodeid: str) -> None:
    """Let the next one have its own time."""
    faulthandler.cancel_dump_traceback_later()


def _tell(**what: object) -> None:
    with Path(os.environ["OUTCOMES"]).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(what) + "\n")

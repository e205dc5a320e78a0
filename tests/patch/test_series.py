"""A diff is data, its reverse is data; what is written is read again as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2patch.errors import A2PatchError
from a2patch.patch import series
from a2patch.patch.diff import SITES, Diff, FileDiff, Hunk, Site, numbers, parse
from a2patch.patch.series import by_nearness

LOADED = series.load(series.folder())

lines = st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"") + b"\n")
operations = st.sampled_from([b" ", b"-", b"+"])
bodies = st.lists(st.tuples(operations, lines), min_size=1, max_size=6).map(tuple)
edits = st.lists(bodies, min_size=1, max_size=3).map(
    lambda found: FileDiff("nn/tasks.py", tuple(Hunk(20 * at + 7, body) for at, body in enumerate(found)))
)


@given(edits)
def test_what_is_written_is_read_again_as_it_was(file: FileDiff) -> None:
    (again,) = parse(file.text(), origin="a test")
    assert again == file


@given(edits)
def test_the_reverse_of_the_reverse_is_the_diff(file: FileDiff) -> None:
    assert file.reversed().reversed() == file
    assert [hunk.before for hunk in file.reversed().hunks] == [hunk.after for hunk in file.hunks]


def test_a_line_without_an_end_keeps_none() -> None:
    file = FileDiff("nn/tasks.py", (Hunk(1, ((b"-", b"old"), (b"+", b"new"))),))
    assert file.text().count(b"\\ No newline at end of file") == 2
    assert parse(file.text(), origin="a test") == (file,)


def test_lines_that_look_like_headers_are_lines() -> None:
    file = FileDiff("nn/tasks.py", (Hunk(1, ((b"-", b"-- a/ultralytics/x\n"), (b"+", b"++ b/ultralytics/x\n"))),))
    assert parse(file.text(), origin="a test") == (file,)


@pytest.mark.parametrize("site", SITES)
def test_the_shipped_diffs_are_read_as_they_stand(site: Site) -> None:
    for diff in LOADED[site]:
        place = series.folder() / site / f"{diff.release}.diff"
        assert diff.text() == place.read_bytes()
        assert diff.site == site


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hello\n",
        b"--- a/ultralytics/x\n",
        b"--- a/ultralytics/x\n+++ b/ultralytics/x\n",
        b"--- a/elsewhere/x\n+++ b/elsewhere/x\n@@ -1 +1 @@\n-a\n+b\n",
        b"--- a/ultralytics/x\n+++ b/ultralytics/x\n@@ -1,2 +1,2 @@\n-a\n+b\n",
        b"--- a/ultralytics/x\n+++ b/ultralytics/x\n@@ -1 +1 @@\n*a\n+b\n",
    ],
)
def test_what_is_no_diff_is_refused(text: bytes) -> None:
    with pytest.raises(A2PatchError, match="no unified diff"):
        parse(text, origin="a test")


def test_the_diff_that_the_version_names_is_tried_first_then_its_neighbours() -> None:
    diffs = tuple(Diff("tasks", release, ()) for release in ("8.0.0", "8.1.0", "8.2.0", "8.3.0"))

    def order(version: str) -> list[str]:
        return [diff.release for diff in by_nearness(diffs, version)]

    assert order("8.2.5") == ["8.2.0", "8.3.0", "8.1.0", "8.0.0"]
    assert order("8.0.0")[0] == "8.0.0"
    assert order("8.9.9")[0] == "8.3.0"
    assert order("0.0.2")[0] == order("")[0] == "8.3.0"
    assert sorted(order("8.1.0")) == ["8.0.0", "8.1.0", "8.2.0", "8.3.0"]


def test_versions_compare_as_numbers() -> None:
    assert numbers("8.10.2") > numbers("8.9.30")
    assert numbers("8.3.0.post1") == (8, 3, 0)
    assert numbers("unknown") == ()

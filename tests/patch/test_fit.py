"""Exact context, unique place, the file's own line endings."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2patch.patch.diff import Diff, FileDiff, Hunk
from a2patch.patch.fit import Misfit, explain, fit, outcome

HUNK = Hunk(40, ((b" ", b"one\n"), (b"+", b"new\n"), (b" ", b"two\n")))
DIFF = Diff("tasks", "8.0.0", (FileDiff("nn/tasks.py", (HUNK,)),))


def fitted(content: bytes, diff: Diff = DIFF) -> Diff | Misfit:
    return fit(diff, {"nn/tasks.py": content}.get)


def made(content: bytes, diff: Diff = DIFF) -> bytes | None:
    result = fitted(content, diff)
    assert isinstance(result, Diff)
    return outcome(result.files[0], content)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"one\ntwo\n", b"one\nnew\ntwo\n"),
        (b"zero\none\ntwo\nthree\n", b"zero\none\nnew\ntwo\nthree\n"),
        (b"one\r\ntwo\r\n", b"one\r\nnew\r\ntwo\r\n"),
        (b"zero\none\r\ntwo\n", b"zero\none\r\nnew\r\ntwo\n"),
        (b"zero\r\none\ntwo\r\n", b"zero\r\none\nnew\ntwo\r\n"),
        (b"one\ntwo", b"one\nnew\ntwo"),
        (b"\xef\xbb\xbfone\ntwo\n", b"\xef\xbb\xbfone\nnew\ntwo\n"),
        (b"caf\xe9\none\ntwo\n\xff\n", b"caf\xe9\none\nnew\ntwo\n\xff\n"),
    ],
)
def test_a_line_takes_the_ending_of_its_neighbours_and_goes_again(before: bytes, after: bytes) -> None:
    assert made(before) == after
    assert made(after, DIFF.reversed()) == before


@pytest.mark.parametrize(
    "content", [b"one\n two\n", b"One\ntwo\n", b"one \ntwo\n", b"one\n\ntwo\n", b"one\rtwo\n", b""]
)
def test_context_is_matched_exactly(content: bytes) -> None:
    result = fitted(content)
    assert isinstance(result, Misfit)
    assert result.reason == "no place has the lines that it expects"


def test_a_place_that_is_not_unique_is_a_misfit() -> None:
    result = fitted(b"one\ntwo\none\ntwo\n")
    assert isinstance(result, Misfit)
    assert result.reason == "its place is not unique: lines 1, 3"


def test_places_in_another_order_are_a_misfit() -> None:
    other = Hunk(1, ((b" ", b"three\n"), (b"+", b"newer\n"), (b" ", b"four\n")))
    diff = Diff("tasks", "8.0.0", (FileDiff("nn/tasks.py", (HUNK, other)),))
    assert made(b"one\ntwo\nthree\nfour\n", diff) == b"one\nnew\ntwo\nthree\nnewer\nfour\n"
    assert isinstance(fitted(b"three\nfour\none\ntwo\n", diff), Misfit)


def test_a_new_file_takes_the_endings_of_its_neighbour_and_must_be_new() -> None:
    path = "nn/modules/double_attention.py"
    diff = Diff("module", "8.0.98", (FileDiff(path, (Hunk(1, ((b"+", b"a\n"), (b"+", b"b\n"))),), creates=True),))
    assert isinstance(fit(diff, lambda path: None), Misfit)
    assert isinstance(fit(diff, {"nn/modules/__init__.py": b"x\n", path: b"theirs\n"}.get), Misfit)
    result = fit(diff, {"nn/modules/__init__.py": b"x\r\ny\r\n"}.get)
    assert isinstance(result, Diff)
    assert outcome(result.files[0], None) == b"a\r\nb\r\n"
    back = fit(diff.reversed(), {path: b"a\r\nb\r\n"}.get)
    assert isinstance(back, Diff)
    assert outcome(back.files[0], b"a\r\nb\r\n") is None
    edited = fit(diff.reversed(), {path: b"a\nb\nmine\n"}.get)
    assert isinstance(edited, Misfit)
    assert "edited" in edited.reason


def test_a_conflict_shows_the_closest_place() -> None:
    result = fitted(b"zero\nfour\nonE\ntwo\nfive\n")
    assert isinstance(result, Misfit)
    text = "\n".join(explain("tasks", result))
    assert "nn/tasks.py, line 3: no place has the lines that it expects (tasks/8.0.0)" in text
    assert "onE" in text
    assert "+new" in text


@given(
    st.lists(st.sampled_from([b"one", b"two", b"x", b""]), max_size=12),
    st.lists(st.sampled_from([b"\n", b"\r\n"])),
    st.booleans(),
)
def test_what_fits_goes_in_and_comes_out_again(words: list[bytes], endings: list[bytes], ended: bool) -> None:
    kinds = (endings or [b"\n"]) * (len(words) + 1)
    content = b"".join(word + ending for word, ending in zip(words, kinds, strict=False))
    content = content if ended else content.rstrip(b"\r\n")
    result = fitted(content)
    places = [at for at, pair in enumerate(itertools.pairwise(words)) if pair == (b"one", b"two")]
    assert isinstance(result, Diff) == (len(places) == 1)
    if isinstance(result, Diff):
        after = outcome(result.files[0], content)
        assert after is not None
        assert after.count(b"new") == 1
        assert made(after, DIFF.reversed()) == content


def test_a_file_that_was_fitted_once_is_fitted_again_as_it_is() -> None:
    path = "nn/modules/double_attention.py"
    diff = Diff("module", "8.0.98", (FileDiff(path, (Hunk(1, ((b"+", b"a\n"),)),), creates=True),))
    once = fit(diff, {"nn/modules/__init__.py": b"x\r\n"}.get)
    assert isinstance(once, Diff)
    assert fit(once, {"nn/modules/__init__.py": b"x\r\n"}.get) == once

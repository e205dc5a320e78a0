"""For generated trees and generated edits, apply then revert is the identity on everything that is not ours."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from a2patch.errors import ConflictError
from patches import releases
from tests.support import miniature
from tests.support.encodings import FORMS
from tests.support.files import contents, snapshot
from tests.support.miniature import act
from tests.support.trees import NEWEST

LINES = st.sampled_from(
    [b"# mine\n", b"x = 1\n", b"\n", b"# tab\t\r\n", b"# \xe4\xb8\xad\xe6\x96\x87\n", b"y = (2,)\n", b"    pass\n"]
)
EDITS = st.lists(st.tuples(st.sampled_from(["nn/tasks.py", "init", "__init__.py"]), st.floats(0, 1), LINES), max_size=5)
NEAR = 5  # lines around ours that count as its place


def resolve(package: Path, name: str) -> Path:
    folder = package / "nn/modules"
    return (
        package / name if name != "init" else folder / "__init__.py" if folder.is_dir() else package / "nn/modules.py"
    )


def at_will(package: Path, edits: list[tuple[str, float, bytes]]) -> None:
    """Put lines in anywhere, sense or not."""
    for name, where, line in edits:
        place = resolve(package, name)
        lines = place.read_bytes().splitlines(keepends=True)
        lines.insert(int(where * len(lines)), line)
        place.write_bytes(b"".join(lines))


def away_from_ours(package: Path, before: dict[str, bytes], edits: list[tuple[str, float, bytes]]) -> None:
    """Put lines in before or behind all that is ours, in the patched files and in what is expected of them."""
    for name, where, line in edits:
        place = resolve(package, name)
        key = place.relative_to(package).as_posix()
        have, wanted = (content.splitlines(keepends=True) for content in (place.read_bytes(), before[key]))
        pairs = list(zip(have, wanted, strict=False))
        start = next((at for at, (one, other) in enumerate(pairs) if one != other), len(pairs))
        if start == len(pairs) == len(have):
            start += NEAR
        pairs = list(zip(reversed(have), reversed(wanted), strict=False))
        end = next((at for at, (one, other) in enumerate(pairs) if one != other), len(pairs))
        if where < 0.5:
            at = int(where * 2 * max(start - NEAR, 0))
            have.insert(at, line)
            wanted.insert(at, line)
        elif end > NEAR and have[-1].endswith(b"\n"):
            at = int((where - 0.5) * 2 * (end - NEAR))
            have.insert(len(have) - at, line)
            wanted.insert(len(wanted) - at, line)
        place.write_bytes(b"".join(have))
        before[key] = b"".join(wanted)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    release=st.sampled_from(["8.0.50", "8.1.0", "8.3.0", NEWEST]),
    kind=st.sampled_from(["installed", "vendored"]),
    form=st.sampled_from(list(FORMS)),
    first=EDITS,
    then=EDITS,
)
def test_apply_and_revert_are_the_identity_on_all_that_is_not_ours(
    release: str, kind: str, form: str, first: list[tuple[str, float, bytes]], then: list[tuple[str, float, bytes]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        package = miniature.cut(release, releases.cache(os.environ), Path(folder).resolve(), kind)
        for name in ("nn/tasks.py", "init"):
            place = resolve(package, name)
            place.write_bytes(FORMS[form](place.read_bytes()))
        at_will(package, first)
        everything, expected = snapshot(Path(folder)), contents(package)
        try:
            act("apply", package)
        except ConflictError:  # a line of the user stands where the patch goes, or breaks the file
            assert snapshot(Path(folder)) == everything
            return
        away_from_ours(package, expected, then)
        act("revert", package)
        assert contents(package) == expected
        beside = {path: entry for path, entry in snapshot(Path(folder)).items() if "/ultralytics/" not in path}
        assert beside == {path: entry for path, entry in everything.items() if "/ultralytics/" not in path}

"""The receipt: what was applied to a tree, kept inside it, so that any later a2patch can take it back."""

from __future__ import annotations

import json
from dataclasses import dataclass

from a2patch.errors import A2PatchError
from a2patch.journal import FOLDER
from a2patch.series import SITES, Diff, parse
from a2patch.tree import Tree

PATH = f"{FOLDER}/receipt.json"
FORMAT = 1


@dataclass(frozen=True)
class Receipt:
    """What was applied.

    Attributes:
        version: The a2patch that did it.
        release: What the tree said of its version then.
        diffs: The diffs as they fitted this very tree.
        verified: What verified the result, such as `"torch 2.9.0, Python 3.12.1"`; empty while nothing has.
    """

    version: str
    release: str
    diffs: tuple[Diff, ...]
    verified: str = ""

    def encode(self) -> bytes:
        """The receipt as it is kept: JSON, bytes outside ASCII escaped."""
        document = {
            "format": FORMAT,
            "a2patch": self.version,
            "release": self.release,
            "verified": self.verified,
            "diffs": [
                {
                    "site": diff.site,
                    "release": diff.release,
                    "derived": diff.derived,
                    "text": diff.text().decode("utf-8", "surrogateescape"),
                }
                for diff in self.diffs
            ],
        }
        return (json.dumps(document, indent=1) + "\n").encode()


def load(tree: Tree) -> Receipt | None:
    """Read the receipt of a tree, or None where there is none.

    Raises:
        A2PatchError: It is damaged, or a newer a2patch wrote it.
    """
    content = tree.read(PATH)
    if content is None:
        return None
    try:
        document = json.loads(content)
        newer = int(document["format"]) > FORMAT
        version, release, verified = (str(document[key]) for key in ("a2patch", "release", "verified"))
        entries = (
            []
            if newer
            else [(str(e["site"]), str(e["release"]), bool(e["derived"]), str(e["text"])) for e in document["diffs"]]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(tree, f"{type(error).__name__}: {error}") from error
    if newer:
        raise A2PatchError(
            f"a2patch {version} patched this tree, and its receipt is newer than this a2patch can read",
            path=tree.path(PATH),
            remedy=f"Install a2patch {version} or later, and try again.",
        )
    return Receipt(version, release, tuple(_diff(tree, *entry) for entry in entries), verified)


def _diff(tree: Tree, site: str, release: str, derived: bool, text: str) -> Diff:
    if site not in SITES:
        raise _damaged(tree, f"it names a diff {site}/{release}")
    files = parse(text.encode("utf-8", "surrogateescape"), origin=PATH)
    for file in files:
        tree.path(file.path)
    return Diff(site, release, files, derived)


def _damaged(tree: Tree, reason: str) -> A2PatchError:
    return A2PatchError(
        "the receipt is damaged",
        path=tree.path(PATH),
        found=reason,
        remedy="Delete that one file and try again: a2patch then goes by what stands in the tree.",
    )

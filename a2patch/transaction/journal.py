"""The journal of a transaction: what it takes to finish it, or to undo it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from a2patch.errors import A2PatchError
from a2patch.transaction.files import FOLDER
from a2patch.tree import Tree

PATH = f"{FOLDER}/journal.json"
FORMAT = 1


@dataclass(frozen=True)
class Step:
    """What happens to one file.

    Attributes:
        path: POSIX path relative to the package folder.
        place: Where that is, checked to lie in the tree.
        before: The bytes that it had, None where there was no such file.
        after: The SHA-256 of what it gets, None where it is removed.
    """

    path: str
    place: Path
    before: bytes | None
    after: str | None


def digest(content: bytes | None) -> str | None:
    """The SHA-256 of some bytes in hexadecimal; None for no file."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def encode(command: str, steps: Sequence[Step]) -> bytes:
    """The journal as it is kept.

    Args:
        command: The name of the command, for messages.
        steps: All its steps, in order.
    """
    entries = [
        {
            "path": step.path,
            "before": None if step.before is None else base64.b64encode(step.before).decode(),
            "after": step.after,
        }
        for step in steps
    ]
    return json.dumps({"format": FORMAT, "command": command, "steps": entries}).encode()


def load(tree: Tree) -> tuple[str, tuple[Step, ...]] | None:
    """Read the journal of a tree: the command and its steps, or None where there is none.

    Raises:
        A2PatchError: It is damaged, names a path outside the tree, or a newer a2patch wrote it.
    """
    content = tree.read(PATH)
    if content is None:
        return None
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}, this a2patch knows {FORMAT}")
        steps = tuple(_step(tree, entry) for entry in document["steps"])
        command = str(document["command"])
        if not command.isalpha():
            raise ValueError("it names no command")
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise A2PatchError(
            "the journal of an interrupted command is damaged, or a newer a2patch wrote it",
            path=tree.path(PATH),
            found=f"{type(error).__name__}: {error}",
            remedy="Run the a2patch that was interrupted; or delete that one file to keep the tree as it stands: "
            "`a2patch status` then tells how that is.",
        ) from error
    return command, steps


def _step(tree: Tree, entry: dict[str, str | None]) -> Step:
    path, before, after = entry["path"], entry["before"], entry["after"]
    if not isinstance(path, str) or (after is not None and len(bytes.fromhex(after)) != 32):
        raise ValueError("a step is malformed")
    return Step(path, tree.path(path), None if before is None else base64.b64decode(before, validate=True), after)

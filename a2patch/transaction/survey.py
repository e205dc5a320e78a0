"""Look at a tree: what its bytes and its receipt say of the patch and of the blocks in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from a2patch.errors import NotPatchedError
from a2patch.patch import Diff, Site, State, Status, derive, names_taken, obstacles, plan, series, status_of
from a2patch.transaction import peeling, receipt, user_edits
from a2patch.transaction.peeling import LayerStatus
from a2patch.transaction.receipt import Receipt
from a2patch.tree import Tree, repository


@dataclass(frozen=True)
class Survey:
    """A tree and what is known of it.

    Attributes:
        tree: The tree.
        status: What its bytes say of the patch, once the blocks upon it are left out.
        receipt: What was applied, by its receipt; None where there is none.
        layers: What its bytes say of each block upon the patch, in order.
        beneath: The tree without these blocks, where there are any.
    """

    tree: Tree
    status: Status
    receipt: Receipt | None
    layers: tuple[LayerStatus, ...] = ()
    beneath: Survey | None = None

    @property
    def below(self) -> Survey:
        """The tree without the blocks upon the patch."""
        return self.beneath or self

    @property
    def is_patched(self) -> bool:
        """Whether anything of ours is in the tree."""
        return self.status.is_patched or any(one.state != "gone" for one in self.layers)

    @property
    def complete(self) -> bool:
        """Whether all is there that was put in, edited or not."""
        none = not self.status.is_patched
        return all(one.is_there for one in self.layers) and (self.status.complete or (bool(self.layers) and none))

    @property
    def state(self) -> State:
        """The state of the tree, from those of the patch and of the blocks upon it."""
        found = {one.state for one in self.layers if one.state != "gone"}
        if not found:
            return self.status.state
        if self.status.is_patched:
            found.add(self.status.state)  # type: ignore[arg-type]
        worst: tuple[State, ...] = ("conflict", "partial", "stale", "edited")
        return next((state for state in worst if state in found), "applied")


def survey(tree: Tree, *, derivable: bool = True) -> Survey:
    """Look at a tree.

    Args:
        tree: The tree.
        derivable: Whether a diff may be made from the tree's own syntax where no versioned one fits.

    Raises:
        A2PatchError: Its receipt can't be used.
    """
    kept = receipt.load(tree)
    if kept is None or not kept.blocks:
        return _survey(tree, kept, derivable=derivable)
    peeled = peeling.peel(tree, kept)
    below = _survey(peeled.tree, replace(kept, blocks=(), written=peeled.written), derivable=derivable)
    return Survey(tree, below.status, kept, peeled.layers, below)


def _survey(tree: Tree, kept: Receipt | None, *, derivable: bool) -> Survey:
    """Look at a tree that has no blocks upon the patch."""
    status = look(tree, kept.diffs if kept else (), derivable=derivable)
    if status.state != "applied" or kept:
        status = user_edits.recognize(tree, status, kept, _added_files(tree))
    if not status.is_patched:
        status = replace(status, taken=names_taken(tree, status))
    return Survey(tree, status, kept)


def refuse_unpatched(seen: Survey) -> None:
    """Refuse a tree that has nothing of the patch.

    Raises:
        NotPatchedError: It has nothing; what stands in the way of the patch is named.
    """
    if seen.state == "pristine":
        raise NotPatchedError(
            "the tree is not patched", path=seen.tree.package, remedy="Patch it with `a2patch apply`."
        )
    if seen.state == "foreign":
        raise NotPatchedError(
            "the tree is not patched, and something stands where the patch would go",
            path=seen.tree.package,
            found=obstacles(seen.status),
            remedy="Take this out by hand, or go back to the untouched release; then patch it with `a2patch apply`. "
            "`a2patch verify MODEL` tries a model of your own as the tree is.",
        )


def refuse_unmerged(seen: Survey) -> None:
    """Refuse a tree where git waits for its user to merge a file that a diff may touch.

    Raises:
        ConflictError: There is such a file.
    """
    diffs = [diff for one in series.load(series.folder()).values() for diff in one]
    diffs += seen.receipt.diffs if seen.receipt else ()
    diffs += [diff for one in seen.layers for diff in one.layer.diffs]
    repository.refuse_unmerged(seen.tree, {file.path for diff in diffs for file in diff.files})


def untouched(seen: Survey) -> Mapping[str, bytes | None] | None:
    """Work out which bytes the files of a patched tree had before the patch, and before the blocks upon it.

    Returns:
        The bytes by path, None for a file that was not there; None for a tree that is not completely patched.
    """
    if not seen.complete:
        return None
    below = seen.below
    patched = seen.status.is_patched
    changes = plan.plan_revert(below.tree, below.status).changes if patched else ()
    return {**below.tree.overlay, **{change.path: change.after for change in changes}}


def look(tree: Tree, known: Sequence[Diff], *, derivable: bool) -> Status:
    """Work out what the bytes of a tree say of the patch; `known` are diffs that a receipt says were applied."""
    patches, read = series.folder(), cache(tree.read)
    maker = partial(derive.diff, read=read, added=derive.sources(patches), release=tree.version)
    return status_of(read, series.load(patches), tree.version, known, maker if derivable else None)


def _added_files(tree: Tree) -> list[Diff]:
    """The diffs of a2patch that add files, those most likely to be in a tree first."""
    patches = series.folder()
    sites: tuple[Site, ...] = ("module", "cfg")
    return [diff for site in sites for diff in series.by_nearness(series.load_site(patches / site, site), tree.version)]

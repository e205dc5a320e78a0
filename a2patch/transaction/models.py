"""Work out how model files become part of a tree's patch: their names resolve then, and `revert` removes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from a2patch.errors import ConflictError, NotPatchedError
from a2patch.patch import CFG_FOLDERS, differing, is_model
from a2patch.transaction import receipt
from a2patch.transaction.composition import Operation
from a2patch.transaction.survey import Survey, survey
from a2patch.transaction.survey import refuse_unpatched as refuse_bare
from a2patch.tree import Tree, find_files


def folder_for(tree: Tree, model: Path) -> str:
    """Return where a model made from another belongs: next to it if it is in the tree, else next to those of the patch.

    Args:
        tree: The tree, patched.
        model: The model file that it was made from.

    Returns:
        A folder as a POSIX path relative to the package folder.
    """
    if model.is_relative_to(tree.package):
        return model.parent.relative_to(tree.package).as_posix()
    return next(folder for folder in CFG_FOLDERS if tree.package.joinpath(folder).is_dir())


def refuse_unpatched(seen: Survey) -> None:
    """Refuse a tree that can't take a model with our layers.

    Raises:
        NotPatchedError: It is not completely patched.
    """
    if seen.state == "foreign":
        refuse_bare(seen)
    if not seen.complete or not seen.is_patched:
        raise NotPatchedError(
            f"the tree is not patched, so it does not know our layers: its state is {seen.state}",
            path=seen.tree.package,
            remedy="Patch it with `a2patch apply`, and try again.",
        )


def installation(tree: Tree, models: Mapping[str, bytes], *, force: bool) -> Operation:
    """Work out what `insert --install` does to a tree, and write nothing.

    Args:
        tree: The tree.
        models: The files with their bytes, by POSIX path relative to the package folder.
        force: Whether files that were installed before are replaced.

    Raises:
        NotPatchedError: The tree is not completely patched, or was patched by hand and has no receipt.
        ConflictError: A name is taken.
    """
    seen = survey(tree)
    refuse_unpatched(seen)
    if seen.receipt is None:
        raise NotPatchedError(
            "the tree was patched by hand and has no receipt to note a model file in",
            path=tree.package,
            remedy="`a2patch revert` and `a2patch apply` make one; or write the file with -o, without --install.",
        )
    classes = [name for one in seen.layers for name in one.layer.block.names()]
    changes = differing(tree.read, models)
    for change in changes:
        _check_name(tree, change.path)
        if change.before is not None and not (force and change.path in seen.receipt.models):
            installed = change.path in seen.receipt.models
            raise ConflictError(
                "a model of that name is in the tree already, and it is another",
                path=tree.path(change.path),
                remedy="Nothing was written. Name yours otherwise with -o"
                + (", or replace it with --force." if installed else "."),
            )
        if not is_model(change.path, change.after or b"", classes):  # `revert` removes no file that might be upstream's
            raise ConflictError(
                "a model without our layers is installed under a name that ends with -removed.yaml"
                + (f", and one with other blocks under a name with _{classes[0]}" if classes else ""),
                path=tree.path(change.path),
                remedy="Nothing was written. Leave -o out, or name it so.",
            )
    if not changes:
        return Operation(seen)
    added = {change.path: change.after for change in changes if change.after is not None}
    return Operation(seen, tuple(changes), metadata=receipt.note_models(tree, seen.receipt, added))


def _check_name(tree: Tree, path: str) -> None:
    """Refuse a name that another file of the package has: upstream looks in every folder, and then finds two."""
    place = tree.path(path)
    others = [other for other in find_files(tree.package, place.name) if other != place]
    if others:
        raise ConflictError(
            "the tree has a file of that name elsewhere, and upstream refuses a name that two files have",
            path=others[0],
            remedy="Nothing was written. Name yours otherwise with -o.",
        )

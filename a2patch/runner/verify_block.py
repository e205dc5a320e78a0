"""Try a block that a tree holds, by models that the probe makes for it, and judge it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from a2patch.block import BASES, Block, bundled
from a2patch.errors import ModelError
from a2patch.graph import at_scale, model_files
from a2patch.protocol import AddedBlock, AddedModules, Check, ModelSpec, ModelUnreadable, Role, VerifyRequest
from a2patch.runner.attempt import Attempt, libraries, try_package
from a2patch.runner.process import THREADS
from a2patch.runner.verdict import DEFAULT, SCALES, Verdict


def verify_block(
    package: Path,
    interpreter: Path,
    untouched: Mapping[str, bytes | None] | None,
    block: Block,
    notify: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    base: str = "",
    only: Collection[str] = DEFAULT,
    source: Check | None = None,
    heard: Callable[[Check], None] = lambda check: None,
    timeout: float = 1800.0,
) -> Verdict:
    """Try a block of a package, and judge it: every check on a model for each of its classes.

    Nothing is written outside a temporary folder, and nothing is fetched.

    Args:
        package: The real path of the package folder, with the block in it.
        interpreter: The Python that the package belongs to.
        untouched: What the files that a patch changes were before it, by their POSIX paths inside the package; None for
            a file that was not there. None if that is not known; nothing is then compared with it.
        block: The block; the rule of each of its classes is known.
        notify: Told, in a few words, what is being tried.
        environ: The environment to derive the probe's from.
        base: The stock model to try it in; without it the first of the families that the tree has.
        only: The checks to make besides `import`; the others are skipped.
        source: The check `source`, if the caller has looked at the bytes of the package.
        heard: Told each check as it is made, before all is judged together.
        timeout: Seconds after which a probe that has not ended is taken for hung.

    Returns:
        The verdict, with one check for each name in `CHECKS`.

    Raises:
        ToolMissingError: The interpreter can't run, or lacks a library.
        ModelError: The tree has no model that the block can be tried in.
    """
    base = base or base_of(package)

    def asked(role: Role, place: Path, checks: Sequence[str]) -> VerifyRequest:
        return block_request(role, place, checks, block, base)

    def untriable(unreadable: ModelUnreadable) -> ModelError:
        return ModelError(
            f"no model can be made of it to try {block.name} by",
            path=model_files(package).get(base, package),
            found=unreadable.error,
            remedy="Insert the block into a model of your own with `a2patch insert`, and verify that.",
        )

    attempt = Attempt(package, interpreter, untouched, asked, base, untriable, _command(block))
    pointless = _pointless(only, untouched)
    return try_package(
        attempt, notify, environ, only=only, pointless=pointless, source=source, heard=heard, timeout=timeout
    )


def base_of(package: Path) -> str:
    """Return the stock model that blocks are tried in: the first of the families that a tree has.

    Raises:
        ModelError: It has none.
    """
    files = model_files(package)
    for base in BASES:
        if base in files or at_scale(base, "n") in files:  # the first releases have a file for each scale
            return base
    raise ModelError(
        "the tree has no model to try a block in",
        path=package,
        found=f"none of {', '.join(BASES)} among its {len(files)} models",
        remedy="Insert the block into a model of your own with `a2patch insert`, and verify that.",
    )


def block_request(role: Role, package: Path, wanted: Sequence[str], block: Block, base: str) -> VerifyRequest:
    """Return what a probe is asked to do with a block.

    Args:
        role: What the probe is to do.
        package: The package to try.
        wanted: The checks to make.
        block: The block.
        base: The stock model that its models are made from.
    """
    stock = role in ("untouched", "training")
    folder = "nn.modules" if package.joinpath("nn", "modules").is_dir() else "nn"
    return VerifyRequest(
        role=role,
        package=str(package),
        libraries=libraries(wanted),
        parts=("nn.tasks", "nn.modules"),
        checks=tuple(wanted),
        classes=block.names(),
        threads=THREADS,
        models=(ModelSpec(base, base),) if stock else (),
        costs=False,
        base=base,
        scales=SCALES,
        trained=base if stock else "",
        modules=AddedModules(defined=f"{folder}.{block.name}", exported="nn.modules", parsed="nn.tasks"),
        awaited="",
        block=AddedBlock() if stock else _described(block),
        commands=(),
    )


def _command(block: Block) -> str:
    """Return the command that puts a block into another tree."""
    return f"a2patch apply {block.name if block.name in bundled() else f'{block.name}.py'}"


def _described(block: Block) -> AddedBlock:
    """Return what the checks go by."""
    return AddedBlock(
        rules=tuple(each.rule.name if each.rule else "keep" for each in block.classes),
        args=tuple(each.args for each in block.classes),
        defined=tuple(each.defined for each in block.classes),
        reference=block.reference.decode("utf-8", "replace"),
    )


def _pointless(only: Collection[str], untouched: object) -> dict[str, str]:
    """Return why checks can't be made that were asked for, by name."""
    if untouched is None and "base" in only:
        return {"base": "the tree is not wholly patched, so it is not known how it was before"}
    return {}

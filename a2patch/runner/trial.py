"""Have the classes of a module file tried, to learn how a row that names each has to be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from a2patch.block import Block
from a2patch.errors import BlockError, BlockNeedsError, ToolMissingError
from a2patch.protocol import ClassTried, TrialRequest
from a2patch.runner.process import FREE_BYTES, THREADS, ProbeRunner
from a2patch.runner.requirements import require_all, require_tools
from a2patch.tree import scratch_folder


def try_classes(
    package: Path,
    interpreter: Path,
    block: Block,
    notify: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    timeout: float = 300.0,
) -> tuple[ClassTried, ...]:
    """Try the classes of a block under the tree's own interpreter, which runs the code of its module file.

    Nothing is written outside a temporary folder.

    Args:
        package: The real path of the package folder; the block need not be in it.
        interpreter: The Python that the package belongs to.
        block: The block, with what names told of its classes.
        notify: Told, in a few words, what is being tried.
        environ: The environment to derive the probe's from.
        timeout: Seconds after which a probe that has not ended is taken for hung.

    Returns:
        What each class came to, in the order of the block.

    Raises:
        ToolMissingError: The interpreter can't run, or lacks a library that the tree needs.
        BlockNeedsError: It lacks a library that the module file needs, and no other.
        BlockError: The module file ended the probe, or the tree can't be imported.
    """
    with scratch_folder("trial", FREE_BYTES) as folder:
        module = folder / f"{block.name}.py"
        module.write_bytes(block.source)
        runner = ProbeRunner(interpreter, folder, environ, notify, timeout)
        probe = runner.run([trial_request(package, module, block)])["trial"]
    require_tools(interpreter, probe)
    if probe.missing and "import" in probe.checks and not probe.failed("import"):
        with _told_of(block):
            require_all(interpreter, probe, f"{block.name}.py")
    require_all(interpreter, probe, f"This tree, with {block.name}.py in it,")
    if probe.failed("import"):
        raise BlockError(
            "no class can be tried in this tree",
            path=package,
            found=probe.checks["import"].meaning,
            remedy="Mend what stops the import, or name the rules with --row.",
        )
    tried = tuple(probe.events_of(ClassTried))
    if not probe.done:
        raise BlockError(
            "trying the classes of the module file came to no end",
            path=Path(f"{block.name}.py"),
            found=probe.ending,
            remedy="Look at what the file does when it is imported; only definitions belong there.",
        )
    return tried


@contextmanager
def _told_of(block: Block) -> Iterator[None]:
    """Say of a library that is missing that the block needs it, and the tree does not."""
    try:
        yield
    except ToolMissingError as error:
        raise BlockNeedsError(
            error.message,
            path=error.path,
            found=f"with {block.name}.py in the tree, nothing could import ultralytics",
            remedy=f"Nothing was written. Install it first, or leave what needs it out of the file.\n{error.remedy}",
        ) from error


def trial_request(package: Path, module: Path, block: Block) -> TrialRequest:
    """Return what the probe is asked to do.

    Args:
        package: The real path of the package folder.
        module: The path of the module file, outside of it.
        block: The block.
    """
    return TrialRequest(
        role="trial",
        package=str(package),
        libraries=("torch",),
        parts=("nn.tasks",),
        checks=("import",),
        classes=tuple(each.defined or each.name for each in block.classes),
        threads=THREADS,
        module=str(module),
        name=block.name,
        rules=tuple(each.rule.name if each.rule else "" for each in block.classes),
        given=tuple(each.args for each in block.classes),
    )

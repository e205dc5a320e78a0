"""A module file as its user brings it, read by its syntax and never run."""

from __future__ import annotations

import ast
import codecs
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from a2patch.block.definition import Block, BlockClass, RowRule
from a2patch.block.syntax import exported, names_of
from a2patch.errors import BlockError

_CODING = re.compile(rb"(?m)^[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")
_RESERVED = re.compile(r"__init__|con|prn|aux|nul|com\d|lpt\d")  # the last are devices of Windows
_LARGEST = 1 << 20  # bytes; the longest module of a release has a tenth of it
# What people call the channels of the input, and of the output: in the modules of forks and of papers' repositories.
_INPUT = frozenset(
    """
    c1 ch cin c_in channel channels in_channel in_channels inchannel inchannels in_ch in_chan in_c inp input_channels
    input_dim in_dim in_dims dim_in inc ic in_chs in_filters in_feat input_channel num_features n_dims op_channel
    in_planes in_plane inplanes n_channels num_channels dim dims embed_dim d_model features
    in_features nin nf planes inplane embed_dims feat_dim channels_in c gate_channels
    """.split()  # noqa: SIM905 (a list of a name a line is no better to read)
)
_OUTPUT = frozenset(
    """
    c2 cout c_out out_channel out_channels outchannel outchannels out_ch out_chan out_c oup ou outp output_channels
    output_dim out_dim out_dims ouc oc out_chs out_feat output_channel channels_out
    out_planes out_plane outplanes filters out_features nout num_filters
    """.split()  # noqa: SIM905
)
_REPEATS = frozenset(("n", "num_blocks", "num_layers", "repeats", "depth", "layers", "nums"))


def read_module_file(path: Path) -> Block:
    """Read a module file by its syntax: the classes that rows can name, and how, as far as names tell.

    Those for rows are the `nn.Module` classes in `__all__`; without one, those that no other class of the file uses.

    Args:
        path: The file.

    Raises:
        BlockError: It is no Python, or has no such class.
    """
    name = re.sub(r"\W", "_", path.stem).lower()
    if not is_module_name(name):
        raise BlockError(
            "a module can't have that name",
            path=path,
            remedy="Rename the file: letters a to z, digits and _, no digit first, and no name that Python or Windows "
            "keeps for itself, such as class.py, __init__.py or con.py.",
        )
    source = read_source(path)
    return _read(name, source, path)


def is_module_name(name: str) -> bool:
    """Return whether a module file may be called so: as those of upstream are, in ASCII and lower case."""
    plain = bool(re.fullmatch(r"[a-z_][a-z0-9_]{0,60}", name))
    return plain and not keyword.iskeyword(name) and not _RESERVED.fullmatch(name)


def reread(name: str, source: bytes) -> Block:
    """Read a module file again that is known by its bytes."""
    return _read(name, source, Path(f"{name}.py"))


def read_source(path: Path) -> bytes:
    """Return the bytes of a Python file that belongs to a block.

    Raises:
        BlockError: There is none, or it is far too large.
    """
    if not path.is_file():
        raise BlockError("there is no such file", path=path, remedy="Name a Python file with an nn.Module class.")
    if path.stat().st_size > _LARGEST:
        raise BlockError("the file is too large for a module", path=path, remedy="Name a file of one module.")
    return path.read_bytes()


def _read(name: str, source: bytes, path: Path) -> Block:
    if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BlockError("the file is in UTF-16, which Python does not read", path=path, remedy="Save it as UTF-8.")
    try:
        module = _parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BlockError("the file is no Python", path=path, found=str(error), remedy="Mend its syntax.") from error
    found = names_of(module)
    layers = found.layers()
    if not layers:
        functions = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
        raise BlockError(
            "the file has no class that derives from nn.Module",
            path=path,
            found=f"it defines the functions {', '.join(functions[:5])}; a row names a class" if functions else "",
            remedy="Name the file that defines it"
            + (", or write a class whose __init__ calls the function." if functions else "."),
        )
    wanted = exported(module)
    used = {name for node in found.classes.values() for name in _names(node) if name != node.name}
    renamed = {new: old for new, old in found.aliases.items() if new in wanted and old in layers}
    listed = [*(n for n in layers if n in wanted), *renamed]
    chosen = listed or [n for n in layers if n not in used] or list(layers)
    classes = tuple(
        BlockClass(n, _rule_by_names(layers[renamed.get(n, n)], layers), defined=renamed.get(n, "")) for n in chosen
    )
    return Block(name, source, classes, title=_first_line(module))


def _parsed(source: bytes) -> ast.Module:
    """Return the syntax tree of a file; of one in an encoding that it does not name, byte by byte, as its text is."""
    try:
        return ast.parse(source)
    except SyntaxError:
        if _CODING.search(b"\n".join(source.split(b"\n", 2)[:2])) or _is_utf8(source):
            raise
        return ast.parse(source.decode("latin-1"))


def encoding(source: bytes) -> str:
    """Return the encoding of a module file; UTF-8 where it names none that Python knows."""
    with suppress(SyntaxError):
        return tokenize.detect_encoding(io.BytesIO(source).readline)[0].removesuffix("-sig")
    return "utf-8"


def _is_utf8(source: bytes) -> bool:
    try:
        source.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _names(node: ast.AST) -> set[str]:
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


def _first_line(module: ast.Module) -> str:
    return (ast.get_docstring(module) or "").partition("\n")[0].rstrip(".")


def parameters(node: ast.ClassDef, known: dict[str, ast.ClassDef]) -> list[tuple[str, bool]]:
    """Return the positional parameters of a class's `__init__`, each with whether it must be given."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            names = [a.arg for a in (*statement.args.posonlyargs, *statement.args.args)][1:]
            required = len(names) - len(statement.args.defaults)
            return [(name, place < required) for place, name in enumerate(names)]
    bases = [ast.unparse(base) for base in node.bases]
    return next((parameters(known[base], known) for base in bases if base in known and base != node.name), [])


def _rule_by_names(node: ast.ClassDef, known: dict[str, ast.ClassDef]) -> RowRule | None:
    """Return how a row of a class is read, as far as the names of its parameters tell; None where they do not."""
    found = parameters(node, known)
    names = [name.lower() for name, _ in found]
    if not names or (not any(required for _, required in found) and names[0] not in _INPUT):
        return RowRule("keep", "nothing")
    if names[0] not in _INPUT:
        return None
    if len(names) > 1 and names[1] in _OUTPUT:
        return RowRule("repeat" if len(names) > 2 and names[2] in _REPEATS else "width")
    return RowRule("keep")


def defined_classes(source: bytes) -> set[str]:
    """Return the names of the classes that a module file defines."""
    return set(names_of(_parsed(source)).classes)


def class_named(block: Block, name: str) -> BlockClass | None:
    """Return a class of a block: one that rows name, or another `nn.Module` of its module file."""
    known = {each.name: each for each in block.classes}
    if name in known:
        return known[name]
    found = names_of(_parsed(block.source))
    layers, old = found.layers(), found.aliases.get(name, name)
    if old not in layers:
        return None
    return BlockClass(name, _rule_by_names(layers[old], layers), defined="" if old == name else old)


def imports_siblings(source: bytes) -> bool:
    """Return whether a module file imports from the tree that it is put into."""
    nodes = list(ast.walk(_parsed(source)))
    return "ultralytics" in imports(source) or any(isinstance(node, ast.ImportFrom) and node.level for node in nodes)


def imports(source: bytes) -> Iterator[str]:
    """Yield the top-level names of the libraries that a module file imports when it is imported."""
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]

"""A module file as its user brings it, read by its syntax and never run."""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from a2patch.block.definition import Block, BlockClass, RowRule
from a2patch.errors import BlockError

_CODING = re.compile(rb"(?m)^[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")
_RESERVED = re.compile(r"__init__|con|prn|aux|nul|com\d|lpt\d")  # the last are devices of Windows
_LARGEST = 1 << 20  # bytes; the longest module of a release has a tenth of it
_MODULE = re.compile(r"(?:torch\.)?nn\.\w+|Module|Sequential|Conv|C2f|C3k?|Bottleneck")  # of torch, or of upstream
# What people call the channels of the input, and of the output: in the modules of forks and of papers' repositories.
_INPUT = frozenset(
    """
    c1 ch cin c_in channel channels in_channel in_channels inchannel inchannels in_ch in_chan in_c inp input_channels
    input_dim in_dim in_planes in_plane inplanes n_channels num_channels dim dims embed_dim d_model features
    in_features nin nf planes c gate_channels
    """.split()  # noqa: SIM905 (a list of a name a line is no better to read)
)
_OUTPUT = frozenset(
    """
    c2 cout c_out out_channel out_channels outchannel outchannels out_ch out_chan out_c oup ou outp output_channels
    output_dim out_dim out_planes out_plane outplanes filters out_features nout num_filters
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
    source = _content(path)
    return _read(name, source, path)


def is_module_name(name: str) -> bool:
    """Return whether a module file may be called so: as those of upstream are, in ASCII and lower case."""
    plain = bool(re.fullmatch(r"[a-z_][a-z0-9_]{0,60}", name))
    return plain and not keyword.iskeyword(name) and not _RESERVED.fullmatch(name)


def reread(name: str, source: bytes) -> Block:
    """Read a module file again that is known by its bytes."""
    return _read(name, source, Path(f"{name}.py"))


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise BlockError("there is no such file", path=path, remedy="Name a Python file with an nn.Module class.")
    if path.stat().st_size > _LARGEST:
        raise BlockError("the file is too large for a module", path=path, remedy="Name a file of one module.")
    return path.read_bytes()


def _read(name: str, source: bytes, path: Path) -> Block:
    try:
        module = _parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BlockError("the file is no Python", path=path, found=str(error), remedy="Mend its syntax.") from error
    modules = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
    layers = {name: node for name, node in modules.items() if _is_module(node, modules)}
    if not layers:
        raise BlockError(
            "the file has no class that derives from nn.Module", path=path, remedy="Name the file that defines it."
        )
    exported = _exported(module)
    used = {name for node in modules.values() for name in _names(node) if name != node.name}
    chosen = [n for n in layers if n in exported] or [n for n in layers if n not in used] or list(layers)
    classes = tuple(BlockClass(n, _rule_by_names(layers[n], layers)) for n in chosen)
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


def _is_module(node: ast.ClassDef, known: dict[str, ast.ClassDef]) -> bool:
    """Return whether a class derives from a module of torch, by itself or through another class of the file."""
    bases = [ast.unparse(base) for base in node.bases]
    own = [known[base] for base in bases if base in known and base != node.name]
    return any(map(_MODULE.fullmatch, bases)) or any(_is_module(base, known) for base in own)


def _exported(module: ast.Module) -> set[str]:
    """Return the names in `__all__`."""
    found: set[str] = set()
    for node in module.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List() | ast.Tuple() as value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.List() | ast.Tuple() as value)
            ):
                found |= {str(entry.value) for entry in value.elts if isinstance(entry, ast.Constant)}
    return found


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
    return {node.name for node in _parsed(source).body if isinstance(node, ast.ClassDef)}


def class_named(block: Block, name: str) -> BlockClass | None:
    """Return a class of a block: one that rows name, or another `nn.Module` of its module file."""
    known = {each.name: each for each in block.classes}
    modules = {node.name: node for node in _parsed(block.source).body if isinstance(node, ast.ClassDef)}
    if name in known:
        return known[name]
    if name in modules and _is_module(modules[name], modules):
        return BlockClass(name, _rule_by_names(modules[name], modules))
    return None


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

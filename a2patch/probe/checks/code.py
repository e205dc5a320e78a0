"""Lines of a module file to look at where a check found a fault: what does that most often, by its syntax."""

from __future__ import annotations

import ast
import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator

from a2patch.probe.events import Finding
from a2patch.probe.models.context import Context

_SHOWN = 5
_RANDOM = ("bernoulli", "dropout", "multinomial", "normal", "rand", "rand_like", "randint", "randn", "randn_like")
_RANDOM_METHODS = ("bernoulli_", "exponential_", "normal_", "uniform_", "random_")
_REDUCING = ("mean", "sum", "std", "var", "max", "min", "norm", "normalize", "cumsum", "cat", "stack", "roll", "flip")
_CUTTING = ("detach", "item", "numpy", "argmax", "round", "floor", "sign", "no_grad", "tolist")


def with_lines(context: Context, name: str, found: Finding) -> Finding:
    """Return a fault of a block with the lines of its module file to look at, if any; other findings as they are."""
    if found.result != "fail" or found.detail or not context.request.block.rules:
        return found
    return replace(found, detail=_quoted_lines(context, _SOUGHT.get(name, ())))


def _quoted_lines(context: Context, sought: tuple[Callable[[ast.Module], Iterator[ast.AST]], ...]) -> str:
    """Return lines of the module file, with their numbers."""
    try:
        module = importlib.import_module("ultralytics." + context.modules.defined)
    except ImportError:  # which the check on registering tells
        return ""
    path = Path(str(module.__file__))
    source = path.read_bytes()
    parsed = ast.parse(source)
    numbers = sorted({int(getattr(node, "lineno", 0)) for seek in sought for node in seek(parsed)})
    lines = source.decode("utf-8", "replace").splitlines()
    shown = ["{:5}  {}".format(number, lines[number - 1].strip()) for number in numbers[:_SHOWN] if number]
    return "\n".join(["Look in {} at".format(path.name), *shown]) if shown else ""


def _called(node: ast.AST) -> str:
    """Return the name of the function or method that is called; empty for what is no call."""
    function = getattr(node, "func", None) if isinstance(node, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _argument(call: Any, name: str, place: int) -> Any:
    """Return an argument of a call by its name or place; None where it has none."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return named[0] if named else call.args[place] if len(call.args) > place else None


def _is_zero(node: Any) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value == 0


def _batch(module: ast.Module) -> Iterator[ast.AST]:
    """Yield what works along the first dimension, which is the batch, or along none that is named."""
    for node in ast.walk(module):
        name = _called(node)
        if name in ("softmax", "log_softmax", "softmin"):
            dim = _argument(node, "dim", 1 if _of_functional(node) else 0)
            if dim is None or _is_zero(dim):
                yield node
        elif name in ("Softmax", "LogSoftmax", "Softmax2d"):
            dim = _argument(node, "dim", 0)
            if name != "Softmax2d" and (dim is None or _is_zero(dim)):
                yield node
        elif name in _REDUCING:
            dim = _argument(node, "dim", 1 if _of_functional(node) else 0)
            if _is_zero(dim) or (dim is None and name in ("mean", "sum", "std", "var", "max", "min", "norm")):
                yield node


def _of_functional(node: Any) -> bool:
    """Return whether a function of torch is called, whose first argument is the tensor, and no method of a tensor."""
    holder = getattr(node.func, "value", None)
    return not isinstance(holder, ast.Call) and getattr(holder, "id", getattr(holder, "attr", "")) in (
        "F",
        "torch",
        "functional",
    )


def _random(module: ast.Module) -> Iterator[ast.AST]:
    """Yield what draws random numbers outside of `__init__`."""
    for function in _functions(module):
        for node in ast.walk(function):
            name = _called(node)
            training = _argument(node, "training", 2) if name.startswith("dropout") else None
            if name in (*_RANDOM, *_RANDOM_METHODS, "dropout2d") and training is None:
                yield node


def _state(module: ast.Module) -> Iterator[ast.AST]:
    """Yield what is assigned to `self`, or added to what it holds, outside of `__init__`."""
    for function in _functions(module):
        for node in ast.walk(function):
            targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
            stored = [t.value if isinstance(t, ast.Subscript) else t for t in targets]
            mutated = _called(node) in ("append", "extend", "add_", "mul_", "copy_", "update", "fill_")
            if mutated and isinstance(node, ast.Call):
                stored = [getattr(node.func, "value", None)]
            if (mutated or isinstance(node, (ast.Assign, ast.AugAssign))) and any(map(_of_self, stored)):
                yield node


def _of_self(node: Any) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _cut(module: ast.Module) -> Iterator[ast.AST]:
    """Yield what cuts a gradient off, or multiplies by zero."""
    for node in ast.walk(module):
        factors = (node.left, node.right) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) else ()
        data = isinstance(node, ast.Attribute) and node.attr == "data"
        if _called(node) in _CUTTING or data or any(map(_is_zero, factors)):
            yield node


def _unused(module: ast.Module) -> Iterator[ast.AST]:
    """Yield the parts that `__init__` makes and nothing reads."""
    read = {
        node.attr for node in ast.walk(module) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            made = [target.attr for target in node.targets if isinstance(target, ast.Attribute) and _of_self(target)]
            if made and not set(made) & read:
                yield node


def _normalised(module: ast.Module) -> Iterator[ast.AST]:
    """Yield every softmax, and what takes means."""
    return (node for node in ast.walk(module) if _called(node).lower() in ("softmax", "log_softmax", "mean", "norm"))


def _numbers(module: ast.Module) -> Iterator[ast.AST]:
    """Yield what makes a number of a tensor or its size, or goes by one."""
    for function in _functions(module):
        for node in ast.walk(function):
            if _called(node) in ("int", "item", "numpy", "tolist", "float") or isinstance(node, (ast.If, ast.IfExp)):
                yield node


def _functions(module: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield the functions and methods, without `__init__`."""
    return (n for n in ast.walk(module) if isinstance(n, ast.FunctionDef) and n.name != "__init__")


_SOUGHT = {
    "alone": (_batch, _random, _state),
    "sight": (_normalised, _cut),
    "gradient": (_cut, _unused, _normalised),
    "formula": (_normalised,),
    "checkpoint": (_state,),
    "export": (_numbers, _state),
    "ddp": (_unused, _state, _random),
    "learn": (_cut, _random),
}

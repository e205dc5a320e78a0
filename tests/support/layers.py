"""What tests of layers share; on Python 3.8 and torch 1.8 too, for `make oldest`."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

PATCHES = Path(__file__).parents[2] / "patches"

deprecated = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # TorchScript, by torch


def load_source(path: Path, name: str) -> ModuleType:
    """Run a file of `patches/` as the module `name`."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # pickle and TorchScript look classes up by name
    # exec_module would leave a __pycache__ among the sources of the diffs
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
    return module


def gradients(
    function: Callable[[torch.Tensor], torch.Tensor], module: nn.Module, x: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Of a fixed, uneven sum of the output, to the input and to every parameter."""
    x = x.detach().requires_grad_()
    output = function(x)
    loss = (output * torch.linspace(-1, 2, output.numel(), dtype=x.dtype).reshape(output.shape)).sum()
    names, tensors = ["x"], [x]
    for name, parameter in module.named_parameters():
        names.append(name)
        tensors.append(parameter)
    return dict(zip(names, torch.autograd.grad(loss, tensors)))


def assert_close(actual: Any, expected: Any, **tolerances: float) -> None:
    """Compare tensors, or mappings of them by name, as `torch.testing.assert_close` does, which came with torch 1.9."""
    if hasattr(torch.testing, "assert_close"):
        torch.testing.assert_close(actual, expected, **tolerances)
        return
    tensors = actual if isinstance(actual, dict) else {"": actual}
    assert not isinstance(actual, dict) or actual.keys() == expected.keys()
    for name, tensor in tensors.items():
        torch.testing.assert_allclose(tensor, expected[name] if name else expected, **tolerances)


def need(dtype: torch.dtype) -> None:
    """Skip where this torch can't compute with a dtype on the CPU."""
    try:
        nn.Conv2d(1, 1, 1).to(dtype)(torch.zeros(1, 1, 2, 2, dtype=dtype)).flatten(2).softmax(2).softmax(1)
        torch.bmm(torch.zeros(1, 1, 1, dtype=dtype), torch.zeros(1, 1, 1, dtype=dtype))
    except RuntimeError as error:
        pytest.skip(f"this torch does not compute in {dtype} on the CPU: {error}")


def export_onnx(layer: nn.Module, x: torch.Tensor, path: Path, exporter: str) -> Any:
    """Export with free batch, height and width, by `torchscript` or `dynamo`, and return a session of onnxruntime."""
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    known = inspect.signature(torch.onnx.export).parameters
    free = {0: "batch", 2: "height", 3: "width"}
    opset = 17 if tuple(map(int, torch.__version__.split(".")[:2])) >= (1, 13) else 12
    options: dict[str, Any] = {"opset_version": opset, "dynamic_axes": {"x": free, "y": free}}
    if "dynamo" in known:
        options["dynamo"] = False
    if exporter == "dynamo":
        pytest.importorskip("onnxscript")
        if "dynamic_shapes" not in known:
            pytest.skip("this torch has no other exporter")
        sizes = {axis: torch.export.Dim(name) for axis, name in free.items()}
        options = {"opset_version": 18, "dynamo": True, "verbose": False, "dynamic_shapes": (sizes,)}
    torch.onnx.export(layer, (x,), str(path), input_names=["x"], output_names=["y"], **options)
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

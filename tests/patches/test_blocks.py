"""The blocks that come with a2patch beside Double Attention, by their values: each is held against its own formula.

The file runs by itself on Python 3.8 and torch 1.8 too: `make oldest`.
"""

from __future__ import annotations

import ast
import copy
import doctest
import io
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from tests.support.layers import PATCHES, assert_close, deprecated, export_onnx, gradients, load_source, need

CLASSES = {
    "se": "SE",
    "eca": "ECA",
    "cbam": "CBAM",
    "coord_att": "CoordAtt",
    "simam": "SimAM",
    "ema": "EMA",
    "triplet_attention": "TripletAttention",
    "lska": "LSKA",
}
MODULES = {name: load_source(PATCHES / name / f"{name}.py", name) for name in CLASSES}
REFERENCES = {name: load_source(PATCHES / name / "reference.py", f"{name}_reference") for name in CLASSES}

SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {  # beside what is the default
    "se": ({"reduction": 2}, {"reduction": 100}),
    "eca": ({"gamma": 1, "b": 2}, {"gamma": 100}),
    "cbam": ({"kernel_size": 3, "reduction": 2}, {"kernel_size": 1}),
    "coord_att": ({"reduction": 1},),
    "simam": ({"e_lambda": 0.5},),
    "ema": ({"factor": 3}, {"factor": 1}, {"factor": 12}),
    "triplet_attention": ({"kernel_size": 3},),
    "lska": ({"k": 7}, {"k": 11}, {"k": 35}, {"k": 41}, {"k": 53}),
}
KEYS = {
    "se": "fc1.weight fc2.weight",
    "eca": "conv.weight",
    "cbam": "mlp.0.weight mlp.2.weight conv.weight",
    "coord_att": "conv1.weight bn.* conv_h.weight conv_h.bias conv_w.weight conv_w.bias",
    "simam": "",
    "ema": "gn.weight gn.bias conv1x1.weight conv1x1.bias conv3x3.weight conv3x3.bias",
    "triplet_attention": " ".join(f"gate_{plane}.conv.weight gate_{plane}.bn.*" for plane in ("hc", "cw", "hw")),
    "lska": " ".join(
        f"{conv}.weight {conv}.bias" for conv in ("local_h", "local_v", "dilated_h", "dilated_v", "conv1")
    ),
}
NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")

blocks = pytest.mark.parametrize("name", CLASSES)
traced = pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")  # that a size is taken as a number
reduced = pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)


def make(name: str, c1: int, **options: Any) -> Any:
    """Build a block with random weights and statistics, none of them near what would hide it."""
    torch.manual_seed(0)
    module = getattr(MODULES[name], CLASSES[name])(c1, **options)
    for key, tensor in module.state_dict().items():
        if key.endswith("running_var"):
            nn.init.uniform_(tensor, 0.5, 2)
        elif tensor.is_floating_point():
            nn.init.normal_(tensor, std=0.5)
    return module


def images(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return 0.5 + torch.randn(shape, dtype=dtype)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Of such small tensors, several would take longer."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# --- values and gradients


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize(
    ("name", "options"),
    [(name, options) for name in CLASSES for options in ({}, *SETTINGS[name])],
    ids=lambda value: value if isinstance(value, str) else "-".join(f"{k}={v}" for k, v in value.items()) or "default",
)
def test_values_are_those_of_the_formula(name: str, options: dict[str, Any], training: bool) -> None:
    module = make(name, 12, **options).double().train(training)
    for shape in ((2, 12, 5, 4), (1, 12, 1, 7), (1, 12, 9, 2)):
        x = images(*shape)
        assert_close(module(x), REFERENCES[name].reference(module, x), rtol=1e-10, atol=1e-10)


@blocks
def test_values_are_those_of_the_formula_as_built_in_a_model(name: str) -> None:
    """With its own first weights, in float32, and channels enough that no setting falls back on its least value."""
    torch.manual_seed(0)
    module = getattr(MODULES[name], CLASSES[name])(64).eval()
    x = images(1, 64, 5, 6, dtype=torch.float32)
    assert_close(module(x).double(), REFERENCES[name].reference(module, x), rtol=1e-4, atol=1e-5)


@blocks
def test_a_single_position(name: str) -> None:
    module = make(name, 12).double().eval()
    x = images(3, 12, 1, 1)
    assert_close(module(x), REFERENCES[name].reference(module, x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "training"), [*((name, False) for name in CLASSES), ("coord_att", True), ("triplet_attention", True)]
)
def test_gradcheck(name: str, training: bool) -> None:
    small: dict[str, dict[str, Any]] = {
        "cbam": {"kernel_size": 3},
        "ema": {"factor": 1},
        "triplet_attention": {"kernel_size": 3},
        "lska": {"k": 7},
    }
    module = make(name, 2, **small.get(name, {})).double().train(training)
    x = images(2, 2, 2, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, *parameters: module(x), (x, *module.parameters()))


@pytest.mark.parametrize("c1", [16, 37])
@blocks
def test_every_weight_gets_a_gradient(name: str, c1: int) -> None:
    """From the first step on, however it starts; a weight or bias that never learned would be a fault."""
    for seed in range(6):
        torch.manual_seed(seed)
        module = getattr(MODULES[name], CLASSES[name])(c1).double().train()
        found = gradients(module, module, images(2, c1, 3, 4))
        assert {key: seed for key, gradient in found.items() if gradient.abs().max() < 1e-8} == {}


# --- inputs


@blocks
@pytest.mark.parametrize("c1", [1, 2, 3, 7, 24, 37, 48, 100, 320])
def test_any_number_of_channels(name: str, c1: int) -> None:
    module = make(name, c1).eval()
    x = images(2, c1, 5, 6, dtype=torch.float32)
    output = module(x)
    assert output.shape == x.shape
    assert output.isfinite().all()


@blocks
def test_any_size(name: str) -> None:
    module = make(name, 8).eval()
    for height, width in ((1, 1), (1, 9), (9, 1), (3, 2), (13, 21), (80, 80)):
        x = images(1, 8, height, width, dtype=torch.float32)
        assert module(x).shape == x.shape
        assert module(x).isfinite().all()


@blocks
def test_an_empty_batch(name: str) -> None:
    try:
        torch.zeros(0, 1).max(1)
    except RuntimeError as error:
        pytest.skip(f"this torch has no maximum of an empty batch: {error}")
    assert make(name, 8).eval()(torch.zeros(0, 8, 4, 5)).shape == (0, 8, 4, 5)


@blocks
def test_images_of_a_batch_do_not_meet(name: str) -> None:
    module = make(name, 12).double().eval()
    x = images(4, 12, 6, 5)
    assert_close(module(x), torch.cat([module(image.unsqueeze(0)) for image in x]), rtol=1e-12, atol=1e-12)


@blocks
def test_eval_gives_the_same_again_and_changes_nothing(name: str) -> None:
    module = make(name, 12).eval()
    x = images(2, 12, 6, 5, dtype=torch.float32)
    given, weights, fields = x.clone(), copy.deepcopy(module.state_dict()), set(vars(module))
    first = module(x)
    assert torch.equal(module(x), first)
    assert torch.equal(x, given)
    assert set(vars(module)) == fields
    for key, tensor in module.state_dict().items():
        assert torch.equal(tensor, weights[key]), key


@blocks
def test_memory_layout_does_not_matter(name: str) -> None:
    module = make(name, 8).double().eval()
    x = images(2, 8, 7, 6)
    expected = module(x)
    for view in (x.to(memory_format=torch.channels_last), x.transpose(2, 3).contiguous().transpose(2, 3)):
        assert_close(module(view), expected)


BAD: dict[str, tuple[dict[str, Any], ...]] = {
    "se": ({"reduction": 0},),
    "eca": ({"gamma": 0},),
    "cbam": ({"reduction": 0}, {"kernel_size": 4}, {"kernel_size": -1}),
    "coord_att": ({"reduction": 0},),
    "simam": ({"e_lambda": 0.0},),
    "ema": ({"factor": 0},),
    "triplet_attention": ({"kernel_size": 2}, {"kernel_size": -3}),
    "lska": ({"k": 8}, {"k": 21}),
}


@blocks
def test_what_does_not_fit_is_named(name: str) -> None:
    for options in ({"c1": 0}, {"c1": -8}, *BAD[name]):
        ((argument, value),) = options.items()
        with pytest.raises(ValueError, match=rf"{CLASSES[name]} needs .*{argument}.*got .*{value}"):
            getattr(MODULES[name], CLASSES[name])(**{"c1": 8, **options})


# --- what each paper settles


def test_the_width_of_eca_is_the_nearest_odd_number() -> None:
    widths = {c1: MODULES["eca"].ECA(c1).conv.kernel_size[0] for c1 in (1, 2, 8, 64, 128, 256, 512, 1024, 2048)}
    assert widths == {1: 1, 2: 1, 8: 3, 64: 3, 128: 5, 256: 5, 512: 5, 1024: 5, 2048: 7}


@pytest.mark.parametrize(
    ("c1", "factor", "groups"),
    [(64, 32, 32), (256, 32, 32), (32, 32, 32), (48, 32, 24), (16, 32, 8), (80, 32, 20), (7, 32, 1), (1, 32, 1),
     (64, 8, 8), (6, 4, 3)],
)  # fmt: skip
def test_the_groups_of_ema_divide_its_channels(c1: int, factor: int, groups: int) -> None:
    assert MODULES["ema"].EMA(c1, factor).groups == groups


def test_hidden_channels_keep_their_least_number() -> None:
    assert [MODULES["se"].SE(c1).fc1.out_channels for c1 in (1, 16, 32, 64, 256)] == [2, 2, 2, 4, 16]
    assert [MODULES["cbam"].CBAM(c1).mlp[0].out_channels for c1 in (1, 64, 256)] == [2, 4, 16]
    assert [MODULES["coord_att"].CoordAtt(c1).conv1.out_channels for c1 in (4, 64, 256, 512)] == [8, 8, 8, 16]


@pytest.mark.parametrize("k", [7, 11, 23, 35, 41, 53])
def test_lska_sees_exactly_its_kernel(k: int) -> None:
    module = make("lska", 1, k=k).double()
    x = torch.ones(1, 1, 61, 61, dtype=torch.float64).requires_grad_()
    (seen,) = torch.autograd.grad(module(x)[0, 0, 30, 30], x)
    rows, columns = (seen[0, 0] != 0).nonzero().unbind(1)
    assert {int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1} == {k}


# --- half precision


@reduced
@blocks
def test_reduced_precision_is_close(name: str, dtype: torch.dtype) -> None:
    need(dtype)
    module = make(name, 32).eval()
    x = images(2, 32, 20, 20, dtype=torch.float32)
    expected = module(x)
    output = copy.deepcopy(module).to(dtype)(x.to(dtype))
    assert output.dtype is dtype
    assert (output.float() - expected).abs().max() < 0.05 * expected.abs().max()


@reduced
@blocks
def test_large_maps_of_large_values_stay_finite(name: str, dtype: torch.dtype) -> None:
    """Their sum, and the squares of some, are beyond float16."""
    need(dtype)
    torch.manual_seed(0)
    module = getattr(MODULES[name], CLASSES[name])(8, **{"lska": {"k": 7}}.get(name, {})).eval()
    x = images(1, 8, 160, 160, dtype=torch.float32) * (100 if name == "lska" else 300)
    expected = module(x)
    output = module.to(dtype)(x.to(dtype)).float()
    assert output.isfinite().all()
    if dtype is torch.float16:  # a logit of 300 in bfloat16 is off by one
        assert (output - expected).abs().max() < 0.05 * expected.abs().max()


@pytest.mark.skipif(not hasattr(torch, "autocast"), reason="autocast on the CPU came with torch 1.10")
@reduced
@blocks
def test_autocast_is_finite(name: str, dtype: torch.dtype) -> None:
    need(dtype)
    module = make(name, 32).train()
    x = images(2, 32, 20, 20, dtype=torch.float32).requires_grad_()
    with torch.autocast("cpu", dtype=dtype):
        output = module(x)
    output.float().square().mean().backward()
    assert output.isfinite().all()
    for key, tensor in (("x", x), *module.named_parameters()):
        assert tensor.grad.isfinite().all(), key


# --- copies, export


@blocks
def test_the_keys_of_the_weights_stay(name: str) -> None:
    """Saved models name them."""
    expected = []
    for key in KEYS[name].split():
        expected += [f"{key[:-1]}{part}" for part in NORM] if key.endswith("*") else [key]
    assert list(make(name, 64).state_dict()) == expected


@blocks
def test_copies_compute_the_same(name: str) -> None:
    module = make(name, 12).eval()
    x = images(2, 12, 6, 5, dtype=torch.float32)
    for clone in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(clone(x), module(x))


@deprecated
@traced
@blocks
def test_trace_and_script(name: str) -> None:
    module = make(name, 12).eval()
    compiled = [torch.jit.script(module), torch.jit.trace(module, images(2, 12, 6, 5, dtype=torch.float32))]
    for each in list(compiled):
        saved = io.BytesIO()
        torch.jit.save(each, saved)
        saved.seek(0)
        compiled.append(torch.jit.load(saved))
    for each in compiled:
        for shape in ((2, 12, 6, 5), (3, 12, 9, 11), (1, 12, 7, 1)):
            x = images(*shape, dtype=torch.float32)
            assert_close(each(x), module(x))


@deprecated
@traced
@pytest.mark.parametrize(("name", "exporter"), [*((name, "torchscript") for name in CLASSES), ("all", "dynamo")])
def test_onnx_takes_other_sizes_than_it_was_exported_with(name: str, exporter: str, tmp_path: Path) -> None:
    module = nn.Sequential(*(make(each, 12) for each in ([name] if name in CLASSES else CLASSES))).eval()
    session = export_onnx(module, images(2, 12, 6, 5, dtype=torch.float32), tmp_path / "block.onnx", exporter)
    for shape in ((2, 12, 6, 5), (1, 12, 9, 11), (3, 12, 2, 7)):
        x = images(*shape, dtype=torch.float32)
        (output,) = session.run(None, {"x": x.numpy()})
        assert_close(torch.from_numpy(output), module(x), rtol=1e-3, atol=1e-4)


# --- the files


@blocks
def test_the_files_say_what_they_are_and_run_on_python_38(name: str) -> None:
    folder = PATCHES / name
    for path in (folder / f"{name}.py", folder / "reference.py"):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    module: ModuleType = MODULES[name]
    assert module.__all__ == (CLASSES[name],)
    assert module.__doc__ is not None
    for part in ("Paper: ", "Provenance: ", "Licence: AGPL-3.0"):
        assert part in module.__doc__
    assert (folder / f"{name}.py").read_text(encoding="utf-8").startswith("# Ultralytics 🚀 AGPL-3.0 License - ")


@blocks
def test_the_folder_says_the_same_as_its_module(name: str) -> None:
    tomllib = pytest.importorskip("tomllib")  # came with Python 3.11
    block = tomllib.loads((PATCHES / name / "block.toml").read_text(encoding="utf-8"))
    assert (block["name"], block["file"], block["reference"]) == (name, f"{name}.py", "reference.py")
    assert all(block[key] for key in ("title", "use", "licence", "provenance"))
    told = re.sub(r"\s+", " ", MODULES[name].__doc__ or "")
    for key in ("title", "authors", "venue", "url"):
        assert block["paper"][key] in told, key
    ((class_name, said),) = block["classes"].items()
    assert (class_name, said["row"]) == (CLASSES[name], "keep")
    x = images(1, 64, 5, 4, dtype=torch.float32)
    assert getattr(MODULES[name], class_name)(64, *said["args"])(x).shape == x.shape


@blocks
def test_the_examples_in_the_docstrings(name: str) -> None:
    results = doctest.testmod(MODULES[name])
    assert results.attempted > 0
    assert results.failed == 0

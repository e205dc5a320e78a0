"""The layer and the block that the diffs add, by their values.

Shapes cannot tell Double Attention from its wrong copies, so everything here is held against two independent forms: a
loop over single positions written from the paper's definition, and the tensors of the tutorial's own class.

The file runs by itself on Python 3.8 and torch 1.8 too: `make oldest`.
"""

from __future__ import annotations

import copy
import doctest
import inspect
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.support.layers import PATCHES, assert_close, deprecated, export_onnx, gradients, load_source, need

double_attention = load_source(PATCHES / "double_attention/sources/double_attention.py", "double_attention")
DoubleAttentionBlock = double_attention.DoubleAttentionBlock
DoubleAttentionLayer = double_attention.DoubleAttentionLayer


class TutorialLayer(nn.Module):  # type: ignore[misc]
    """The class that the tutorials print, the axes of its two softmaxes made an argument of `attend`."""

    def __init__(self, in_channels: int, c_m: int, c_n: int, reconstruct: bool = False) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.reconstruct = reconstruct
        self.c_m = c_m
        self.c_n = c_n
        self.convA = nn.Conv2d(in_channels, c_m, 1)
        self.convB = nn.Conv2d(in_channels, c_n, 1)
        self.convV = nn.Conv2d(in_channels, c_n, 1)
        if self.reconstruct:
            self.conv_reconstruct = nn.Conv2d(c_m, in_channels, kernel_size=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attend(x, maps_axis=-1, vectors_axis=1)

    def attend(self, x: torch.Tensor, maps_axis: int, vectors_axis: int) -> torch.Tensor:
        b, c, h, w = x.shape
        assert c == self.in_channels
        features = self.convA(x).reshape(b, self.c_m, h * w)
        maps = self.convB(x).reshape(b, self.c_n, h * w).softmax(maps_axis)
        vectors = self.convV(x).reshape(b, self.c_n, h * w).softmax(vectors_axis)
        z = features.bmm(maps.permute(0, 2, 1)).matmul(vectors).reshape(b, self.c_m, h, w)
        return self.conv_reconstruct(z) if self.reconstruct else z


def position_loop(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Double attention as the paper defines it, one position at a time, without softmax or batched products."""

    def affine(conv: nn.Conv2d, vector: torch.Tensor) -> torch.Tensor:
        return conv.weight[:, :, 0, 0] @ vector + conv.bias

    batch, _, height, width = x.shape
    images = []
    for b in range(batch):
        pixels = [x[b, :, i, j] for i in range(height) for j in range(width)]
        features = [affine(layer.convA, pixel) for pixel in pixels]
        map_weights = [affine(layer.convB, pixel).exp() for pixel in pixels]
        totals = sum(map_weights)  # of each descriptor, over the positions
        descriptors = [
            sum(weights[k] / totals[k] * feature for weights, feature in zip(map_weights, features))
            for k in range(layer.c_n)
        ]
        outputs = []
        for pixel in pixels:
            weights = affine(layer.convV, pixel).exp()
            total = sum(weights[k] for k in range(layer.c_n))  # of this position, over the descriptors
            z = sum(weights[k] / total * descriptors[k] for k in range(layer.c_n))
            outputs.append(affine(layer.conv_reconstruct, z) if layer.reconstruct else z)
        images.append(torch.stack(outputs, 1).reshape(-1, height, width))
    return torch.stack(images)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


reconstructed = pytest.mark.parametrize("reconstruct", [False, True])
shapes = pytest.mark.parametrize(
    "shape", [(2, 5, 3, 4), (1, 5, 3, 4), (1, 5, 1, 4), (2, 5, 3, 1), (2, 5, 1, 1)], ids=lambda s: "x".join(map(str, s))
)

# --- values and gradients


@reconstructed
@shapes
@pytest.mark.parametrize("c_n", [1, 3, 7])
def test_values_and_gradients_are_those_of_the_definition(shape: tuple[int, ...], c_n: int, reconstruct: bool) -> None:
    layer = DoubleAttentionLayer(5, 4, c_n, reconstruct).double()
    x = 2 * torch.randn(shape, dtype=torch.float64)

    assert_close(layer(x), position_loop(layer, x), rtol=1e-12, atol=1e-13)
    expected = gradients(lambda x: position_loop(layer, x), layer, x)
    assert_close(gradients(layer, layer, x), expected, rtol=1e-11, atol=1e-12)


@reconstructed
@pytest.mark.parametrize(("c_m", "c_n"), [(8, 8), (24, 5), (32, 1), (3, 40)])
def test_values_and_gradients_are_those_of_the_straightforward_form(c_m: int, c_n: int, reconstruct: bool) -> None:
    layer = DoubleAttentionLayer(32, c_m, c_n, reconstruct).double()
    straightforward = TutorialLayer(32, c_m, c_n, reconstruct).double()
    straightforward.load_state_dict(layer.state_dict())
    x = 3 * torch.randn(2, 32, 20, 17, dtype=torch.float64)

    assert_close(layer(x), straightforward(x), rtol=1e-12, atol=1e-13)
    expected = gradients(straightforward, straightforward, x)
    assert_close(gradients(layer, layer, x), expected, rtol=1e-10, atol=1e-11)


@reconstructed
def test_gradcheck(reconstruct: bool) -> None:
    layer = DoubleAttentionLayer(3, 2, 2, reconstruct).double()
    x = torch.randn(2, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *parameters: layer(x), (x, *layer.parameters()))


@pytest.mark.parametrize(
    ("maps_axis", "vectors_axis"),
    [
        pytest.param(-1, -1, id="both-over-positions"),
        pytest.param(1, 1, id="both-over-descriptors"),
        pytest.param(1, -1, id="exchanged"),
        pytest.param(0, 0, id="none-given"),  # torch's choice for three dimensions is the batch
    ],
)
def test_the_copied_softmax_axes_give_other_values(maps_axis: int, vectors_axis: int) -> None:
    layer = TutorialLayer(5, 4, 3).double()
    x = torch.randn(2, 5, 3, 4, dtype=torch.float64)
    expected = position_loop(layer, x)

    assert_close(layer.attend(x, maps_axis=-1, vectors_axis=1), expected)
    wrong = layer.attend(x, maps_axis, vectors_axis)
    assert wrong.shape == expected.shape
    assert (wrong - expected).abs().max() > 0.1


def test_flat_maps_and_vectors_give_the_mean_of_the_features() -> None:
    layer = DoubleAttentionLayer(6, 4, 3).double()
    for conv in (layer.convB, layer.convV):
        nn.init.zeros_(conv.weight)
    x = torch.randn(2, 6, 5, 7, dtype=torch.float64)
    assert_close(layer(x), layer.convA(x).mean((2, 3), keepdim=True).expand(-1, -1, 5, 7))


def test_one_descriptor_makes_the_output_constant_over_the_image() -> None:
    x = torch.randn(2, 16, 9, 11)
    blind = DoubleAttentionLayer(16, 8, 1)(x)
    assert torch.equal(blind, blind[:, :, :1, :1].expand_as(blind))
    for c_n in (2, 8):
        assert DoubleAttentionLayer(16, 8, c_n)(x).std((2, 3)).min() > 1e-4


@reconstructed
@pytest.mark.parametrize("c_n", [1, 4])
def test_the_bias_of_the_maps_gets_no_gradient(c_n: int, reconstruct: bool) -> None:
    layer = DoubleAttentionLayer(6, 5, c_n, reconstruct).double()
    x = torch.randn(2, 6, 7, 5, dtype=torch.float64)
    of_layer = gradients(layer, layer, x)
    assert of_layer["convB.bias"].abs().max() < 1e-14
    assert of_layer["convB.weight"].abs().max() > 1e-3
    before = layer(x)
    with torch.no_grad():
        layer.convB.bias += 3 * torch.randn(c_n, dtype=torch.float64)
    assert_close(layer(x), before)


def test_convolutions_act_on_the_descriptors_where_they_can() -> None:
    layer = DoubleAttentionLayer(6, 5, 3, reconstruct=True)
    seen = {}
    for name, conv in layer.named_children():
        conv.register_forward_hook(lambda _, inputs, output, name=name: seen.update({name: inputs[0].shape}))
    layer(torch.randn(2, 6, 10, 20))
    assert seen == {
        "convA": (2, 6, 3, 1),
        "convB": (2, 6, 10, 20),
        "convV": (2, 6, 10, 20),
        "conv_reconstruct": (2, 5, 3, 1),
    }


# --- inputs


@reconstructed
def test_an_empty_batch(reconstruct: bool) -> None:
    layer = DoubleAttentionLayer(6, 4, 3, reconstruct)
    x = torch.randn(0, 6, 5, 7, requires_grad=True)
    output = layer(x)
    assert output.shape == (0, 6 if reconstruct else 4, 5, 7)
    output.sum().backward()
    assert x.grad.shape == x.shape


@reconstructed
@pytest.mark.parametrize(
    "view",
    [
        pytest.param(lambda x: x.transpose(2, 3), id="transposed"),
        pytest.param(lambda x: x.to(memory_format=torch.channels_last), id="channels_last"),
        pytest.param(lambda x: x[:, :, 1:-1, ::2], id="sliced-positions"),
        pytest.param(lambda x: x[:, :, ::3], id="sliced-rows"),
        pytest.param(lambda x: x.flip(1)[1:], id="sliced-batch"),
        pytest.param(lambda x: torch.cat((x, x), 1)[:, 4:12], id="sliced-channels"),
        pytest.param(lambda x: x[:1].expand(3, -1, -1, -1), id="expanded"),
    ],
)
def test_memory_layout_does_not_matter(view: Callable[[torch.Tensor], torch.Tensor], reconstruct: bool) -> None:
    layer = DoubleAttentionLayer(8, 4, 3, reconstruct).double()
    x = view(torch.randn(3, 8, 12, 14, dtype=torch.float64))
    assert_close(layer(x), layer(x.contiguous()))
    expected = gradients(layer, layer, x.contiguous())
    assert_close(gradients(layer, layer, x), expected)


def test_channels_last_module() -> None:
    layer = DoubleAttentionLayer(8, 4, 3, reconstruct=True).double()
    x = torch.randn(2, 8, 6, 5, dtype=torch.float64)
    expected = layer(x)
    layer.to(memory_format=torch.channels_last)
    assert_close(layer(x.to(memory_format=torch.channels_last)), expected)


@pytest.mark.parametrize("name", ["in_channels", "c_m", "c_n"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "8", None, True])
def test_a_channel_count_that_is_no_positive_integer_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be a positive integer, got {value!r}"):
        DoubleAttentionLayer(**{"in_channels": 8, "c_m": 4, "c_n": 3, name: value})


def test_a_block_too_thin_for_its_ratio_is_refused() -> None:
    with pytest.raises(ValueError, match=r"c1 \* e >= 2 descriptors, got c1=3"):
        DoubleAttentionBlock(3, 0.25)


@reconstructed
def test_an_input_of_other_channels_is_an_error_that_names_both_counts(reconstruct: bool) -> None:
    with pytest.raises(RuntimeError, match="to have 8 channels, but got 6 channels"):
        DoubleAttentionLayer(8, 4, 3, reconstruct)(torch.randn(1, 6, 5, 5))


# --- the block


def test_a_new_block_is_the_identity() -> None:
    block = DoubleAttentionBlock(16)
    x = 10 * torch.randn(2, 16, 5, 7)
    assert torch.equal(block.train()(x), x)
    assert torch.equal(block.eval()(x), x)


@pytest.mark.parametrize(("c1", "e", "hidden"), [(16, 0.25, 4), (16, 0.5, 8), (10, 0.25, 2)])
def test_block_is_the_input_plus_the_normalized_layer(c1: int, e: float, hidden: int) -> None:
    block = DoubleAttentionBlock(c1, e).double().eval()
    assert (block.attn.in_channels, block.attn.c_m, block.attn.c_n) == (c1, hidden, hidden)
    assert block.attn.reconstruct
    for tensor in (block.bn.weight, block.bn.bias, block.bn.running_mean):
        nn.init.normal_(tensor)
    nn.init.uniform_(block.bn.running_var, 0.5, 2)
    x = torch.randn(2, c1, 3, 4, dtype=torch.float64)

    mean, var, gain, bias = (
        t.reshape(1, -1, 1, 1) for t in (block.bn.running_mean, block.bn.running_var, block.bn.weight, block.bn.bias)
    )
    expected = x + gain * (position_loop(block.attn, x) - mean) / (var + block.bn.eps).sqrt() + bias
    assert_close(block(x), expected, rtol=1e-12, atol=1e-13)


def test_the_gain_learns_first_and_everything_behind_it_second() -> None:
    block = DoubleAttentionBlock(16).double().train()
    x = torch.randn(4, 16, 6, 5, dtype=torch.float64)

    def moved() -> set[str]:
        return {name for name, grad in gradients(block, block, x).items() if grad.abs().max() > 1e-9}

    assert moved() == {"x", "bn.weight", "bn.bias"}
    first = gradients(block, block, x)
    with torch.no_grad():
        for name, parameter in block.named_parameters():
            parameter -= 0.01 * first[name]
    # A bias that shifts a whole channel is taken out again by the batch norm's own mean, as convB's is by its softmax.
    cancelled = {"attn.convA.bias", "attn.convB.bias", "attn.conv_reconstruct.bias"}
    assert moved() == {"x", *dict(block.named_parameters())} - cancelled


# --- copies and checkpoints


def test_parameters_have_the_tutorials_names_and_order() -> None:
    for reconstruct in (False, True):
        ours, theirs = (cls(8, 4, 3, reconstruct) for cls in (DoubleAttentionLayer, TutorialLayer))
        assert {k: v.shape for k, v in ours.state_dict().items()} == {
            k: v.shape for k, v in theirs.state_dict().items()
        }
        assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize("make", [lambda: DoubleAttentionLayer(8, 4, 3), lambda: DoubleAttentionBlock(8)])
def test_copies_compute_the_same(make: Callable[[], Any]) -> None:
    module = make().eval()
    for parameter in module.parameters():
        nn.init.normal_(parameter)  # a block at its start would hide what is behind its gain
    x = torch.randn(2, 8, 5, 7)
    expected = module(x)

    saved = io.BytesIO()
    torch.save(module, saved)
    saved.seek(0)
    restricted = "weights_only" in inspect.signature(torch.load).parameters  # unless told otherwise, since torch 2.6
    loaded = torch.load(saved, **({"weights_only": False} if restricted else {}))
    for clone in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), loaded):
        assert type(clone) is type(module)
        assert torch.equal(clone(x), expected)
    clone = make().eval()
    clone.load_state_dict(module.state_dict())
    assert torch.equal(clone(x), expected)


@reconstructed
def test_a_tutorial_state_dict_loads_and_computes_the_same(reconstruct: bool) -> None:
    theirs = TutorialLayer(8, 4, 3, reconstruct)
    ours = DoubleAttentionLayer(8, 4, 3, reconstruct)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 8, 9, 7)
    assert_close(ours(x), theirs(x))


@deprecated
@reconstructed
def test_a_tutorial_object_unpickles_as_ours_and_computes_the_same(reconstruct: bool) -> None:
    # Checkpoints of ultralytics hold whole modules: their class is looked up by name, __init__ is not called.
    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            return DoubleAttentionLayer if name == "TutorialLayer" else super().find_class(module, name)

    theirs = TutorialLayer(8, 4, 3, reconstruct)
    ours = Unpickler(io.BytesIO(pickle.dumps(theirs))).load()
    assert type(ours) is DoubleAttentionLayer
    assert vars(ours).keys() == vars(DoubleAttentionLayer(8, 4, 3, reconstruct)).keys()
    x = torch.randn(2, 8, 9, 7)
    assert_close(ours(x), theirs(x))
    assert_close(torch.jit.script(ours)(x), theirs(x))


# --- half precision


@reconstructed
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_reduced_precision_is_close(dtype: torch.dtype, reconstruct: bool) -> None:
    need(dtype)
    layer = DoubleAttentionLayer(32, 8, 8, reconstruct)
    x = torch.randn(2, 32, 20, 20)
    expected = layer(x)
    output = copy.deepcopy(layer).to(dtype)(x.to(dtype))
    assert output.dtype is dtype
    assert_close(output.float(), expected, rtol=0.02, atol=0.02)


@pytest.mark.skipif(not hasattr(torch, "autocast"), reason="autocast on the CPU came with torch 1.10")
@reconstructed
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_is_finite_and_close(dtype: torch.dtype, reconstruct: bool) -> None:
    need(dtype)
    layer = DoubleAttentionLayer(32, 8, 8, reconstruct)
    x = torch.randn(2, 32, 20, 20, requires_grad=True)
    expected = layer(x)
    with torch.autocast("cpu", dtype=dtype):
        output = layer(x)
    assert output.dtype is dtype
    assert_close(output.float(), expected, rtol=0.02, atol=0.02)
    output.float().square().mean().backward()
    for name, tensor in (("x", x), *layer.named_parameters()):
        assert tensor.grad.dtype is torch.float32, name
        assert tensor.grad.isfinite().all(), name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("logits", [0.0, 1.0, 50.0])
def test_many_positions_in_reduced_precision(logits: float, dtype: torch.dtype) -> None:
    # 1/102,400 lies below the smallest normal number of float16; logits far apart would overflow a bare exponential.
    need(dtype)
    layer = DoubleAttentionLayer(8, 4, 4, reconstruct=True)
    with torch.no_grad():
        layer.convB.weight *= logits
        layer.convV.weight *= logits
        layer.to(dtype)
        x = (100 + torch.randn(1, 8, 320, 320)).to(dtype)
        output = layer(x).float()
        expected = layer.float()(x.float())
    assert output.isfinite().all()
    assert_close(output, expected, rtol=0, atol=0.5)  # of values up to 28


# --- export and compilation


@deprecated
@reconstructed
def test_trace_and_script(reconstruct: bool) -> None:
    layer = DoubleAttentionLayer(8, 4, 3, reconstruct).eval()
    compiled = [torch.jit.script(layer), torch.jit.trace(layer, torch.randn(1, 8, 6, 5))]
    for module in list(compiled):
        saved = io.BytesIO()
        torch.jit.save(module, saved)
        saved.seek(0)
        compiled.append(torch.jit.load(saved))
    for module in compiled:
        for shape in ((1, 8, 6, 5), (3, 8, 9, 11), (2, 8, 1, 1)):
            x = torch.randn(shape)
            assert_close(module(x), layer(x))


@deprecated
def test_script_of_a_block() -> None:
    block = DoubleAttentionBlock(8).eval()
    nn.init.normal_(block.bn.weight)
    x = torch.randn(2, 8, 6, 5)
    assert_close(torch.jit.script(block)(x), block(x))


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="torch.compile came with torch 2.0")
def test_compile_makes_one_graph_for_all_sizes() -> None:
    aot_eager = torch._dynamo.lookup_backend("aot_eager")  # needs no C++ compiler, unlike the default backend
    graphs = []

    def backend(graph: Any, inputs: list[torch.Tensor]) -> Any:
        graphs.append(graph)
        return aot_eager(graph, inputs)

    layer = DoubleAttentionLayer(8, 4, 3, reconstruct=True).double()
    compiled = torch.compile(layer, backend=backend, dynamic=True, fullgraph=True)
    for shape in ((2, 8, 6, 5), (3, 8, 9, 11), (4, 8, 20, 20)):
        x = torch.randn(shape, dtype=torch.float64)
        assert_close(compiled(x), layer(x))
        expected = gradients(layer, layer, x)
        assert_close(gradients(compiled, layer, x), expected)
    assert len(graphs) == 2  # one with and one without a gradient to x


@deprecated
@pytest.mark.parametrize("exporter", ["torchscript", "dynamo"])
def test_onnx_takes_other_sizes_than_it_was_exported_with(exporter: str, tmp_path: Path) -> None:
    layer = DoubleAttentionLayer(8, 4, 3, reconstruct=True).eval()
    session = export_onnx(layer, torch.randn(2, 8, 6, 5), tmp_path / "layer.onnx", exporter)
    for shape in ((2, 8, 6, 5), (1, 8, 9, 11), (3, 8, 1, 7)):
        x = torch.randn(shape)
        (output,) = session.run(None, {"x": x.numpy()})
        assert_close(torch.from_numpy(output), layer(x), rtol=1e-4, atol=1e-5)


def test_the_examples_in_the_docstrings() -> None:
    results = doctest.testmod(double_attention)
    assert results.attempted > 0
    assert results.failed == 0

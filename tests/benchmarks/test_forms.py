"""The ways to compute the layer that the benchmarks compare: alike in values, and what is shipped holds little."""

from __future__ import annotations

import pytest
import torch

from benchmarks.forms import FORMS, shipped, straightforward
from benchmarks.measuring import peak
from tests.patches.test_double_attention import DoubleAttentionLayer


@pytest.mark.parametrize("reconstruct", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_a_form_gives_what_the_layer_gives(name: str, reconstruct: bool) -> None:
    torch.manual_seed(0)
    layer = DoubleAttentionLayer(12, 6, 5, reconstruct).double()
    x = torch.randn(2, 12, 7, 9, dtype=torch.float64)
    torch.testing.assert_close(FORMS[name](layer, x), layer(x), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("c_m", "c_n", "reconstruct"), [(16, 16, True), (32, 8, True), (64, 1, False)])
def test_a_backward_pass_holds_no_more_than_that_of_the_straightforward_form(
    c_m: int, c_n: int, reconstruct: bool
) -> None:
    layer = DoubleAttentionLayer(64, c_m, c_n, reconstruct)
    x = torch.randn(1, 64, 80, 80)
    ours, theirs = (
        peak(lambda form=form: form(layer, x.detach().requires_grad_()).sum().backward())  # type: ignore[misc]
        for form in (shipped, straightforward)
    )
    assert ours <= 1.01 * theirs

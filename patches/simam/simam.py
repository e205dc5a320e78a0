# Ultralytics 🚀 AGPL-3.0 License - https://ultralytics.com/license
"""Simple, parameter-free attention.

Paper: Lingxiao Yang, Ru-Yuan Zhang, Lida Li, Xiaohua Xie, "SimAM: A Simple, Parameter-Free Attention Module for
    Convolutional Neural Networks", ICML 2021, https://proceedings.mlr.press/v139/yang21o.html (not on arXiv)
Provenance: written for a2patch from the paper's formulas and its listing; no code of others was taken.
Licence: AGPL-3.0, as ultralytics.
"""

import torch
from torch import nn

__all__ = ("SimAM",)


class SimAM(nn.Module):
    """Parameter-free attention: weigh each value by how far it stands out from the others of its channel.

    With the mean `m` and the variance `v` of a channel over the positions,

        y = x sigmoid((x - m)^2 / (4 (v + e_lambda)) + 1/2)

    The sum of squares is divided by one less than there are positions, as in the listing that the paper prints; its
    formula divides by their number. On a single position the variance is 0.

    There is no parameter. `c1` is taken so that rows of model YAMLs read as those of other blocks do.

    Attributes:
        e_lambda (float): What keeps the quotient finite.

    Examples:
        >>> import torch
        >>> SimAM(64)(torch.ones(1, 64, 20, 20)).shape
        torch.Size([1, 64, 20, 20])

    References:
        https://proceedings.mlr.press/v139/yang21o.html
    """

    def __init__(self, c1: int, e_lambda: float = 1e-4):
        """Initialize parameter-free attention.

        Args:
            c1 (int): Number of input and output channels.
            e_lambda (float): What is added to the variance.

        Raises:
            ValueError: If `c1` is less than 1 or `e_lambda` not above 0.
        """
        super().__init__()
        if c1 < 1 or e_lambda <= 0:
            raise ValueError(f"SimAM needs c1 >= 1 and e_lambda > 0, got c1={c1} and e_lambda={e_lambda}")
        self.e_lambda = float(e_lambda)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weigh each value.

        Args:
            x (torch.Tensor): Input of shape `(B, c1, H, W)`.

        Returns:
            (torch.Tensor): Output of the same shape.
        """
        # Squares, and their sum over the image, leave the range of float16 soon
        wide = x.float() if x.dtype == torch.float16 or x.dtype == torch.bfloat16 else x
        d = (wide - wide.mean((2, 3), keepdim=True)).pow(2)  # (B, c1, H, W)
        v = d.sum((2, 3), keepdim=True) / max(x.shape[2] * x.shape[3] - 1, 1)  # (B, c1, 1, 1)
        return x * (d / (4 * (v + self.e_lambda)) + 0.5).sigmoid().to(x.dtype)

# Ultralytics 🚀 AGPL-3.0 License - https://ultralytics.com/license
"""Convolutional block attention module.

Paper: Sanghyun Woo, Jongchan Park, Joon-Young Lee, In So Kweon, "CBAM: Convolutional Block Attention Module",
    ECCV 2018, https://arxiv.org/abs/1807.06521
Provenance: written for a2patch from the paper's formulas; no code of others was taken.
Licence: AGPL-3.0, as ultralytics.
"""

import torch
from torch import nn

__all__ = ("CBAM",)


class CBAM(nn.Module):
    """Convolutional block attention: weigh the channels first, then the positions.

        c = sigmoid(mlp(mean over the positions) + mlp(maximum over the positions))        (B, C, 1, 1)
        u = c x
        p = sigmoid(convolution of [mean over the channels, maximum over the channels])    (B, 1, H, W)
        y = p u

    As in the paper's formulas, neither the perceptron, one for both means and maxima, nor the convolution has a bias.
    The hidden channels start in pairs of opposite weights: where one is zero behind the relu the other is not, so that
    no block starts dead.

    The class that ultralytics ships under this name has one convolution of the means in place of the perceptron, and
    no maxima over the positions. A row of a model YAML suits both: its first argument is the size of the kernel.

    Attributes:
        mlp (nn.Sequential): The perceptron, with `max(2, c1 // reduction)` hidden channels.
        conv (nn.Conv2d): The convolution of the two maps.

    Examples:
        >>> import torch
        >>> CBAM(64)(torch.ones(1, 64, 20, 20)).shape
        torch.Size([1, 64, 20, 20])

    References:
        https://arxiv.org/abs/1807.06521
    """

    def __init__(self, c1: int, kernel_size: int = 7, reduction: int = 16):
        """Initialize convolutional block attention.

        Args:
            c1 (int): Number of input and output channels.
            kernel_size (int): Size of the convolution that weighs the positions.
            reduction (int): How many times fewer hidden channels the perceptron has.

        Raises:
            ValueError: If `c1` or `reduction` is less than 1, or `kernel_size` no odd positive number.
        """
        super().__init__()
        if c1 < 1 or reduction < 1:
            raise ValueError(f"CBAM needs c1 >= 1 and reduction >= 1, got c1={c1} and reduction={reduction}")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"CBAM needs an odd kernel_size, got {kernel_size}")
        c_ = max(2, c1 // reduction)  # hidden channels
        self.mlp = nn.Sequential(nn.Conv2d(c1, c_, 1, bias=False), nn.ReLU(), nn.Conv2d(c_, c1, 1, bias=False))
        with torch.no_grad():
            self.mlp[0].weight[1::2] = -self.mlp[0].weight[: c_ - 1 : 2]
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weigh the channels, then the positions.

        Args:
            x (torch.Tensor): Input of shape `(B, c1, H, W)`.

        Returns:
            (torch.Tensor): Output of the same shape.
        """
        peaks = x.flatten(2).max(2, keepdim=True)[0].unsqueeze(3)  # (B, c1, 1, 1)
        x = x * (self.mlp(x.mean((2, 3), keepdim=True)) + self.mlp(peaks)).sigmoid()
        maps = torch.cat((x.mean(1, keepdim=True), x.max(1, keepdim=True)[0]), 1)  # (B, 2, H, W)
        return x * self.conv(maps).sigmoid()

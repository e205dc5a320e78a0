# Ultralytics 🚀 AGPL-3.0 License - https://ultralytics.com/license
"""Efficient channel attention.

Paper: Qilong Wang, Banggu Wu, Pengfei Zhu, Peihua Li, Wangmeng Zuo, Qinghua Hu, "ECA-Net: Efficient Channel Attention
    for Deep Convolutional Neural Networks", CVPR 2020, https://arxiv.org/abs/1910.03151
Provenance: written for a2patch from the paper's formulas; no code of others was taken.
Licence: AGPL-3.0, as ultralytics.
"""

import math

import torch
from torch import nn

__all__ = ("ECA",)


class ECA(nn.Module):
    """Efficient channel attention: weigh each channel by its own mean over the image and those of its neighbours.

        z = mean of x over the positions                         (B, C)
        s = sigmoid(convolution of z over the channels, k wide)  (B, C)
        y = s x                                                  (B, C, H, W)

    The width `k` grows with the channels: the odd number nearest to `log2(c1) / gamma + b / gamma`, the greater of two
    that are as near. The convolution has no bias, and sees zeros beyond the first and the last channel.

    Attributes:
        conv (nn.Conv1d): The convolution over the channels, `k` weights in all.

    Examples:
        >>> import torch
        >>> ECA(64)(torch.ones(1, 64, 20, 20)).shape
        torch.Size([1, 64, 20, 20])

    References:
        https://arxiv.org/abs/1910.03151
    """

    def __init__(self, c1: int, gamma: float = 2, b: float = 1):
        """Initialize efficient channel attention.

        Args:
            c1 (int): Number of input and output channels.
            gamma (float): How slowly the width grows with `log2(c1)`.
            b (float): What is added to `log2(c1)`.

        Raises:
            ValueError: If `c1` is less than 1 or `gamma` not above 0.
        """
        super().__init__()
        if c1 < 1 or gamma <= 0:
            raise ValueError(f"ECA needs c1 >= 1 and gamma > 0, got c1={c1} and gamma={gamma}")
        k = 2 * (int(abs((math.log2(c1) + b) / gamma)) // 2) + 1  # [0, 2) gives 1, [2, 4) gives 3
        self.conv = nn.Conv1d(1, 1, k, padding=k // 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weigh the channels.

        Args:
            x (torch.Tensor): Input of shape `(B, c1, H, W)`.

        Returns:
            (torch.Tensor): Output of the same shape.
        """
        z = x.mean((2, 3)).unsqueeze(1)  # (B, 1, c1)
        return x * self.conv(z).sigmoid().transpose(1, 2).unsqueeze(3)

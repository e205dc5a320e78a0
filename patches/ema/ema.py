# Ultralytics 🚀 AGPL-3.0 License - https://ultralytics.com/license
"""Efficient multi-scale attention.

Paper: Daliang Ouyang, Su He, Guozhong Zhang, Mingzhu Luo, Huaiyong Guo, Jian Zhan, Zhijie Huang, "Efficient Multi-Scale
    Attention Module with Cross-Spatial Learning", ICASSP 2023, https://arxiv.org/abs/2305.13563
Provenance: written for a2patch from the paper's text and figure; no code of others was taken.
Licence: AGPL-3.0, as ultralytics.
"""

import torch
from torch import nn

__all__ = ("EMA",)


class EMA(nn.Module):
    """Efficient multi-scale attention: weigh the positions, group of channels by group, by two branches that cross.

    The groups of `c_` channels share all weights. Of each group `g`,

        a = gn(g sigmoid(conv1x1 of the rows' means) sigmoid(conv1x1 of the columns' means))    (c_, H, W)
        b = conv3x3(g)                                                                          (c_, H, W)
        w = softmax(mean of a) b + softmax(mean of b) a                                         (1, H, W)
        y = g sigmoid(w)

    with means over the positions, softmax over the `c_` channels, and products that sum over them. `gn` has a group a
    channel.

    Attributes:
        groups (int): Number of groups: `factor`, where it divides `c1`. Otherwise the greatest number below it that
            does and leaves at least two channels a group; the softmax over a single one would be 1 everywhere.
        gn (nn.GroupNorm): Norm of each channel over the positions.
        conv1x1 (nn.Conv2d): Convolution of the means of rows and columns.
        conv3x3 (nn.Conv2d): Convolution of the other branch.

    Examples:
        >>> import torch
        >>> EMA(64, 8)(torch.ones(1, 64, 20, 30)).shape
        torch.Size([1, 64, 20, 30])

    References:
        https://arxiv.org/abs/2305.13563
    """

    def __init__(self, c1: int, factor: int = 32):
        """Initialize efficient multi-scale attention.

        Args:
            c1 (int): Number of input and output channels.
            factor (int): Number of groups; the greatest number, where it does not divide `c1`.

        Raises:
            ValueError: If `c1` or `factor` is less than 1.
        """
        super().__init__()
        if c1 < 1 or factor < 1:
            raise ValueError(f"EMA needs c1 >= 1 and factor >= 1, got c1={c1} and factor={factor}")
        fitting = [n for n in range(1, min(factor, c1 // 2) + 1) if c1 % n == 0]
        self.groups = factor if c1 % factor == 0 else max(fitting, default=1)
        c_ = c1 // self.groups  # channels of a group
        self.gn = nn.GroupNorm(c_, c_)
        self.conv1x1 = nn.Conv2d(c_, c_, 1)
        self.conv3x3 = nn.Conv2d(c_, c_, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weigh the positions.

        Args:
            x (torch.Tensor): Input of shape `(B, c1, H, W)`.

        Returns:
            (torch.Tensor): Output of the same shape.
        """
        b, c, h, w = x.shape
        n, c_ = b * self.groups, c // self.groups
        g = x.reshape(n, c_, h, w)
        rows, columns = g.mean(3, keepdim=True), g.mean(2, keepdim=True).transpose(2, 3)  # (n, c_, H, 1), (n, c_, W, 1)
        logits = self.conv1x1(torch.cat((rows, columns), 2))  # (n, c_, H + W, 1)
        one = self.gn(g * logits[:, :, :h].sigmoid() * logits[:, :, h:].transpose(2, 3).sigmoid())
        three = self.conv3x3(g)
        of_one = one.mean((2, 3)).softmax(1).unsqueeze(1)  # (n, 1, c_)
        of_three = three.mean((2, 3)).softmax(1).unsqueeze(1)
        weights = torch.bmm(of_one, three.flatten(2)) + torch.bmm(of_three, one.flatten(2))  # (n, 1, H * W)
        return (g * weights.sigmoid().reshape(n, 1, h, w)).reshape(b, c, h, w)

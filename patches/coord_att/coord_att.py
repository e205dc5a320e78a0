# Ultralytics 🚀 AGPL-3.0 License - https://ultralytics.com/license
"""Coordinate attention.

Paper: Qibin Hou, Daquan Zhou, Jiashi Feng, "Coordinate Attention for Efficient Mobile Network Design", CVPR 2021,
    https://arxiv.org/abs/2103.02907
Provenance: written for a2patch from the paper's formulas; no code of others was taken.
Licence: AGPL-3.0, as ultralytics.
"""

import torch
from torch import nn

__all__ = ("CoordAtt",)


class CoordAtt(nn.Module):
    """Coordinate attention: weigh each channel by row and by column.

        r = mean of x over each row, c = mean over each column         (B, C, H), (B, C, W)
        f = h_swish(bn(conv1 [r, c]))                                  (B, c_, H + W)
        y = x sigmoid(conv_h of f's rows) sigmoid(conv_w of f's columns)

    `conv1` has no bias, since the batch norm behind it would take it out again.

    Attributes:
        conv1 (nn.Conv2d): From `c1` to `max(8, c1 // reduction)` channels, for rows and columns alike.
        bn (nn.BatchNorm2d): Batch norm.
        act (nn.Hardswish): `x relu6(x + 3) / 6`.
        conv_h (nn.Conv2d): Logits of the rows' weights.
        conv_w (nn.Conv2d): Logits of the columns' weights.

    Examples:
        >>> import torch
        >>> CoordAtt(64)(torch.ones(1, 64, 20, 30)).shape
        torch.Size([1, 64, 20, 30])

    References:
        https://arxiv.org/abs/2103.02907
    """

    def __init__(self, c1: int, reduction: int = 32):
        """Initialize coordinate attention.

        Args:
            c1 (int): Number of input and output channels.
            reduction (int): How many times fewer hidden channels there are; at least 8 remain.

        Raises:
            ValueError: If `c1` or `reduction` is less than 1.
        """
        super().__init__()
        if c1 < 1 or reduction < 1:
            raise ValueError(f"CoordAtt needs c1 >= 1 and reduction >= 1, got c1={c1} and reduction={reduction}")
        c_ = max(8, c1 // reduction)  # hidden channels
        self.conv1 = nn.Conv2d(c1, c_, 1, bias=False)
        self.bn = nn.BatchNorm2d(c_)
        self.act = nn.Hardswish()
        self.conv_h = nn.Conv2d(c_, c1, 1)
        self.conv_w = nn.Conv2d(c_, c1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weigh the channels by row and by column.

        Args:
            x (torch.Tensor): Input of shape `(B, c1, H, W)`.

        Returns:
            (torch.Tensor): Output of the same shape.
        """
        h = x.shape[2]
        rows = x.mean(3, keepdim=True)  # (B, c1, H, 1)
        columns = x.mean(2, keepdim=True).transpose(2, 3)  # (B, c1, W, 1)
        f = self.act(self.bn(self.conv1(torch.cat((rows, columns), 2))))  # (B, c_, H + W, 1)
        by_row = self.conv_h(f[:, :, :h]).sigmoid()  # (B, c1, H, 1)
        by_column = self.conv_w(f[:, :, h:]).sigmoid().transpose(2, 3)  # (B, c1, 1, W)
        return x * by_row * by_column

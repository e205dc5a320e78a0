# Ultralytics 🚀 AGPL-3.0 License - https://ultralytics.com/license
"""Triplet attention.

Paper: Diganta Misra, Trikay Nalamada, Ajay Uppili Arasanipalai, Qibin Hou, "Rotate to Attend: Convolutional Triplet
    Attention Module", WACV 2021, https://arxiv.org/abs/2010.03045
Provenance: written for a2patch from the paper's formulas; no code of others was taken.
Licence: AGPL-3.0, as ultralytics.
"""

import torch
from torch import nn

__all__ = ("TripletAttention",)


class TripletGate(nn.Module):
    """One branch of triplet attention: weigh a plane by the maximum and the mean across it.

    Attributes:
        conv (nn.Conv2d): Convolution of the two maps, without a bias, which the batch norm would take out again.
        bn (nn.BatchNorm2d): Batch norm.
    """

    def __init__(self, kernel_size: int = 7):
        """Initialize a branch.

        Args:
            kernel_size (int): Size of the convolution; odd.
        """
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)
        self.bn = nn.BatchNorm2d(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weigh the plane of the last two axes.

        Args:
            x (torch.Tensor): Input of shape `(B, L, M, N)`.

        Returns:
            (torch.Tensor): Output of the same shape.
        """
        pooled = torch.cat((x.max(1, keepdim=True)[0], x.mean(1, keepdim=True)), 1)  # Z-pool, (B, 2, M, N)
        return x * self.bn(self.conv(pooled)).sigmoid()


class TripletAttention(nn.Module):
    """Triplet attention: weigh each of the three planes that channels, rows and columns make, and take the mean.

        Z-pool(t) = [maximum of t over its first axis, mean of t over it]
        gate(t) = t sigmoid(bn(conv Z-pool(t)))
        y = (gate over rows and channels + gate over channels and columns + gate over rows and columns) / 3

    What the paper calls a rotation brings the axis to be pooled to the front. No weight depends on the number of
    channels. `c1` is taken so that rows of model YAMLs read as those of other blocks do.

    Attributes:
        gate_hc (TripletGate): Of rows and channels; columns are pooled.
        gate_cw (TripletGate): Of channels and columns; rows are pooled.
        gate_hw (TripletGate): Of rows and columns; channels are pooled.

    Examples:
        >>> import torch
        >>> TripletAttention(64)(torch.ones(2, 64, 20, 30)).shape
        torch.Size([2, 64, 20, 30])

    References:
        https://arxiv.org/abs/2010.03045
    """

    def __init__(self, c1: int, kernel_size: int = 7):
        """Initialize triplet attention.

        Args:
            c1 (int): Number of input and output channels.
            kernel_size (int): Size of the convolutions.

        Raises:
            ValueError: If `c1` is less than 1, or `kernel_size` no odd positive number.
        """
        super().__init__()
        if c1 < 1 or kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(
                f"TripletAttention needs c1 >= 1 and an odd kernel_size, got c1={c1} and kernel_size={kernel_size}"
            )
        self.gate_hc = TripletGate(kernel_size)
        self.gate_cw = TripletGate(kernel_size)
        self.gate_hw = TripletGate(kernel_size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weigh the three planes.

        Args:
            x (torch.Tensor): Input of shape `(B, c1, H, W)`.

        Returns:
            (torch.Tensor): Output of the same shape.
        """
        hc = self.gate_hc(x.transpose(1, 3)).transpose(1, 3)  # as (B, W, H, c1)
        cw = self.gate_cw(x.transpose(1, 2)).transpose(1, 2)  # as (B, H, c1, W)
        return (hc + cw + self.gate_hw(x)) / 3

# Ultralytics 🚀 AGPL-3.0 License - https://ultralytics.com/license
"""Squeeze-and-excitation.

Paper: Jie Hu, Li Shen, Gang Sun, "Squeeze-and-Excitation Networks", CVPR 2018, https://arxiv.org/abs/1709.01507
Provenance: written for a2patch from the paper's formulas; no code of others was taken.
Licence: AGPL-3.0, as ultralytics.
"""

import torch
from torch import nn

__all__ = ("SE",)


class SE(nn.Module):
    """Squeeze-and-excitation: weigh each channel by what all channels show over the whole image.

        z = mean of x over the positions             squeeze,     (B, C)
        s = sigmoid(W2 relu(W1 z))                   excitation,  (B, C)
        y = s x                                      scale,       (B, C, H, W)

    As in the paper, the two products have no bias. The hidden channels start in pairs of opposite weights: where one is
    zero behind the relu the other is not, so that no block starts dead.

    Attributes:
        fc1 (nn.Conv2d): `W1`, from `c1` to `max(2, c1 // reduction)` channels.
        act (nn.ReLU): What stands between the two.
        fc2 (nn.Conv2d): `W2`, back to `c1` channels.

    Examples:
        >>> import torch
        >>> SE(64)(torch.ones(1, 64, 20, 20)).shape
        torch.Size([1, 64, 20, 20])

    References:
        https://arxiv.org/abs/1709.01507
    """

    def __init__(self, c1: int, reduction: int = 16):
        """Initialize squeeze-and-excitation.

        Args:
            c1 (int): Number of input and output channels.
            reduction (int): How many times fewer channels there are between the two products.

        Raises:
            ValueError: If `c1` or `reduction` is less than 1.
        """
        super().__init__()
        if c1 < 1 or reduction < 1:
            raise ValueError(f"SE needs c1 >= 1 and reduction >= 1, got c1={c1} and reduction={reduction}")
        c_ = max(2, c1 // reduction)  # hidden channels
        self.fc1 = nn.Conv2d(c1, c_, 1, bias=False)
        self.act = nn.ReLU()
        self.fc2 = nn.Conv2d(c_, c1, 1, bias=False)
        with torch.no_grad():
            self.fc1.weight[1::2] = -self.fc1.weight[: c_ - 1 : 2]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weigh the channels.

        Args:
            x (torch.Tensor): Input of shape `(B, c1, H, W)`.

        Returns:
            (torch.Tensor): Output of the same shape.
        """
        z = x.mean((2, 3), keepdim=True)  # (B, c1, 1, 1)
        return x * self.fc2(self.act(self.fc1(z))).sigmoid()

# Ultralytics 🚀 AGPL-3.0 License - https://ultralytics.com/license
"""Large separable kernel attention.

Paper: Kin Wai Lau, Lai-Man Po, Yasar Abbas Ur Rehman, "Large Separable Kernel Attention: Rethinking the Large Kernel
    Attention Design in CNN", Expert Systems with Applications 236, 2024, https://arxiv.org/abs/2309.01439
Provenance: written for a2patch from the paper's formulas; no code of others was taken.
Licence: AGPL-3.0, as ultralytics.
"""

import torch
from torch import nn

__all__ = ("LSKA",)


class LSKA(nn.Module):
    """Large separable kernel attention: weigh each value by what a large kernel sees around it.

    A depthwise kernel of `k x k` is taken apart: first `2 d - 1` values side by side, then `k // d` values that lie `d`
    apart, each along the rows and then along the columns. A convolution of 1x1 mixes the channels.

        y = x conv1(dilated_v(dilated_h(local_v(local_h(x)))))

    Attributes:
        local_h (nn.Conv2d): Depthwise, `1 x (2 d - 1)`.
        local_v (nn.Conv2d): Depthwise, `(2 d - 1) x 1`.
        dilated_h (nn.Conv2d): Depthwise, `1 x (k // d)` with dilation `d`.
        dilated_v (nn.Conv2d): Depthwise, `(k // d) x 1` with dilation `d`.
        conv1 (nn.Conv2d): 1x1, over the channels.

    Examples:
        >>> import torch
        >>> LSKA(64, 11)(torch.ones(1, 64, 20, 20)).shape
        torch.Size([1, 64, 20, 20])

    References:
        https://arxiv.org/abs/2309.01439
    """

    def __init__(self, c1: int, k: int = 23):
        """Initialize large separable kernel attention.

        Args:
            c1 (int): Number of input and output channels.
            k (int): Size of the kernel that is taken apart: 7, 11, 23, 35, 41 or 53.

        Raises:
            ValueError: If `c1` is less than 1, or `k` none of the paper's sizes.
        """
        super().__init__()
        dilations = {7: 2, 11: 2, 23: 3, 35: 3, 41: 3, 53: 3}
        if c1 < 1 or k not in dilations:
            raise ValueError(f"LSKA needs c1 >= 1 and k one of {sorted(dilations)}, got c1={c1} and k={k}")
        d = dilations[k]
        n, m = 2 * d - 1, k // d  # values side by side, values apart: n + d * (m - 1) = k
        p = d * (m // 2)
        self.local_h = nn.Conv2d(c1, c1, (1, n), padding=(0, n // 2), groups=c1)
        self.local_v = nn.Conv2d(c1, c1, (n, 1), padding=(n // 2, 0), groups=c1)
        self.dilated_h = nn.Conv2d(c1, c1, (1, m), padding=(0, p), groups=c1, dilation=d)
        self.dilated_v = nn.Conv2d(c1, c1, (m, 1), padding=(p, 0), groups=c1, dilation=d)
        self.conv1 = nn.Conv2d(c1, c1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weigh each value.

        Args:
            x (torch.Tensor): Input of shape `(B, c1, H, W)`.

        Returns:
            (torch.Tensor): Output of the same shape.
        """
        near = self.local_v(self.local_h(x))
        return x * self.conv1(self.dilated_v(self.dilated_h(near)))

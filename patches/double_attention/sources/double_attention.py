# Ultralytics 🚀 AGPL-3.0 License - https://ultralytics.com/license
"""Double attention modules."""

import torch
from torch import nn

__all__ = ("DoubleAttentionBlock", "DoubleAttentionLayer")


class DoubleAttentionLayer(nn.Module):
    """Double attention: gather global descriptors over all positions, then hand each position a mixture of them.

    With `N = H * W` positions, `A = convA(x)`, attention maps `B = softmax(convB(x))` over the positions and attention
    vectors `V = softmax(convV(x))` over the `c_n` descriptors, the layer is

        G = A B^T        gather,      (B, c_m, c_n)
        Z = G V          distribute,  (B, c_m, N)

    followed by `conv_reconstruct(Z)` where `reconstruct` is set.

    Every row of `B` and every column of `V` sums to one, and a 1x1 convolution is affine, so it commutes with both
    products, bias included:

        A B^T = (W_A X + b_A 1^T) B^T = W_A (X B^T) + b_A 1^T
        W_R (G V) + b_R 1^T = (W_R G + b_R 1^T) V

    `forward` therefore applies `convA` and `conv_reconstruct` to the `c_n` descriptors instead of to all `N` positions.
    Parameters and values are the same, and no `(B, c_m, N)` tensor is made before the result.

    With `c_n = 1` the softmax over the descriptors is 1 everywhere and the output is constant over the image: use at
    least 2. The bias of `convB` shifts a whole map and cancels in its softmax: its gradient is zero in every setting.

    Attributes:
        in_channels (int): Number of input channels.
        c_m (int): Number of channels of each descriptor.
        c_n (int): Number of descriptors.
        reconstruct (bool): Whether the output is brought back to `in_channels`.
        convA (nn.Conv2d): Features that are gathered.
        convB (nn.Conv2d): Logits of the attention maps.
        convV (nn.Conv2d): Logits of the attention vectors.
        conv_reconstruct (nn.Conv2d): Projection back to `in_channels`; absent unless `reconstruct`.

    Examples:
        >>> import torch
        >>> layer = DoubleAttentionLayer(64, c_m=32, c_n=16)
        >>> layer(torch.ones(1, 64, 20, 20)).shape
        torch.Size([1, 32, 20, 20])

    References:
        Chen et al., "A^2-Nets: Double Attention Networks", NeurIPS 2018, https://arxiv.org/abs/1810.11579
    """

    __constants__ = ["reconstruct"]  # lets TorchScript drop the branch whose convolution is absent

    def __init__(self, in_channels: int, c_m: int, c_n: int, reconstruct: bool = False):
        """Initialize the double attention layer.

        Args:
            in_channels (int): Number of input channels.
            c_m (int): Number of channels of each descriptor, and of the output unless `reconstruct`.
            c_n (int): Number of descriptors.
            reconstruct (bool): Whether to project the output back to `in_channels`.

        Raises:
            ValueError: If a channel count is not a positive integer.
        """
        super().__init__()
        for name, value in (("in_channels", in_channels), ("c_m", c_m), ("c_n", c_n)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"DoubleAttentionLayer {name} must be a positive integer, got {value!r}")
        self.in_channels = in_channels
        self.c_m = c_m
        self.c_n = c_n
        self.reconstruct = bool(reconstruct)
        self.convA = nn.Conv2d(in_channels, c_m, 1)
        self.convB = nn.Conv2d(in_channels, c_n, 1)
        self.convV = nn.Conv2d(in_channels, c_n, 1)
        if self.reconstruct:
            self.conv_reconstruct = nn.Conv2d(c_m, in_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply double attention.

        Args:
            x (torch.Tensor): Input of shape `(B, in_channels, H, W)`.

        Returns:
            (torch.Tensor): Output of shape `(B, c_m, H, W)`, or the shape of the input where `reconstruct` is set.
        """
        maps = self.convB(x).flatten(2).softmax(2)  # (B, c_n, N)
        descriptors = torch.bmm(x.flatten(2), maps.transpose(1, 2))  # (B, in_channels, c_n)
        descriptors = self.convA(descriptors.unsqueeze(3))  # (B, c_m, c_n, 1)
        if self.reconstruct:
            descriptors = self.conv_reconstruct(descriptors)  # (B, in_channels, c_n, 1)
        # Last, so that the backward pass comes to convV first: to its gradient of x the others are added in place
        vectors = self.convV(x).flatten(2).softmax(1)  # (B, c_n, N)
        z = torch.bmm(descriptors.squeeze(3), vectors)
        return z.reshape(z.shape[0], z.shape[1], x.shape[2], x.shape[3])


class DoubleAttentionBlock(nn.Module):
    """Residual double attention, `x + BN(layer(x))`, as A^2-Nets inserts it between two stages of a backbone.

    The gain of the batch norm starts at zero: a new block is the identity, and leaves what surrounds it as it was until
    it has learned something. The gain gets a gradient from the first step and the weights behind it from the second.
    The biases of `convA` and `conv_reconstruct` shift whole channels, which the batch norm cancels in training.

    Attributes:
        attn (DoubleAttentionLayer): Double attention with `c_m = c_n = int(e * c1)`, reconstructed to `c1` channels.
        bn (nn.BatchNorm2d): Batch norm, its gain starting at zero.

    Examples:
        >>> import torch
        >>> block = DoubleAttentionBlock(64)
        >>> x = torch.ones(1, 64, 20, 20)
        >>> torch.equal(block.eval()(x), x)
        True
    """

    def __init__(self, c1: int, e: float = 0.25):
        """Initialize the double attention block.

        Args:
            c1 (int): Number of input and output channels.
            e (float): Ratio of the descriptors' number and width to `c1`.

        Raises:
            ValueError: If `c1 * e` leaves fewer than two descriptors, with which attention cannot tell positions apart.
        """
        super().__init__()
        c_ = int(c1 * e)  # hidden channels
        if c_ < 2:
            raise ValueError(f"DoubleAttentionBlock needs c1 * e >= 2 descriptors, got c1={c1!r} and e={e!r}")
        self.attn = DoubleAttentionLayer(c1, c_, c_, reconstruct=True)
        self.bn = nn.BatchNorm2d(c1)
        nn.init.zeros_(self.bn.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the normalized double attention of `x` to `x`.

        Args:
            x (torch.Tensor): Input of shape `(B, c1, H, W)`.

        Returns:
            (torch.Tensor): Output of the same shape.
        """
        return x + self.bn(self.attn(x))

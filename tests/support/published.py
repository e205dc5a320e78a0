"""Module files in the shapes that people publish, each with what a trial must tell of its classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

IMPORTS = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n"


@dataclass(frozen=True)
class Told:
    """What a trial must tell of a class: its rule, its arguments, words of why it is refused or of what was seen."""

    rule: str = ""
    args: tuple[Any, ...] | None = None
    problem: str = ""
    seen: str = ""


@dataclass(frozen=True)
class Published:
    """A module file, and what must be told of the classes that rows can name."""

    source: bytes
    told: dict[str, Told]


def _text(body: str, **told: Told) -> Published:
    return Published((IMPORTS + body).encode(), told)


PUBLISHED = {
    "se_channel_reduction": _text(
        """class SELayer(nn.Module):
    def __init__(self, channel, reduction=16):
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(channel, channel // reduction, bias=False), nn.ReLU(inplace=True),
            nn.Linear(channel // reduction, channel, bias=False), nn.Sigmoid())

    def forward(self, x):
        b, c, _, _ = x.size()
        y = self.fc(self.avg_pool(x).view(b, c)).view(b, c, 1, 1)
        return x * y.expand_as(x)


if __name__ == "__main__":
    print(SELayer(64)(torch.rand(1, 64, 8, 8)).shape)
    raise SystemExit("never run")
""",
        SELayer=Told("keep", ()),
    ),
    "own_helpers": _text(  # of names that upstream has
        """def autopad(k, p=None):
    return k // 2 if p is None else p


class Conv(nn.Module):
    def __init__(self, c1, c2, k=1):
        super().__init__()
        self.conv = nn.Conv2d(c1, c2, k, 1, autopad(k), bias=False)
        self.bn = nn.BatchNorm2d(c2)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class GAM(nn.Module):
    def __init__(self, in_planes, rate=4):
        super().__init__()
        self.body = nn.Sequential(Conv(in_planes, in_planes // rate, 7), Conv(in_planes // rate, in_planes, 7))

    def forward(self, x):
        return x * self.body(x).sigmoid()
""",
        GAM=Told("keep", ()),
    ),
    "inp_oup": _text(
        """class CoordAtt(nn.Module):
    def __init__(self, inp, oup, reduction=32):
        super().__init__()
        mip = max(8, inp // reduction)
        self.conv1, self.bn1 = nn.Conv2d(inp, mip, 1), nn.BatchNorm2d(mip)
        self.conv_h, self.conv_w = nn.Conv2d(mip, oup, 1), nn.Conv2d(mip, oup, 1)

    def forward(self, x):
        n, c, h, w = x.size()
        x_h, x_w = x.mean(3, keepdim=True), x.mean(2, keepdim=True).permute(0, 1, 3, 2)
        y = F.hardswish(self.bn1(self.conv1(torch.cat([x_h, x_w], dim=2))))
        x_h, x_w = torch.split(y, [h, w], dim=2)
        return x * self.conv_w(x_w.permute(0, 1, 3, 2)).sigmoid() * self.conv_h(x_h).sigmoid()
""",
        CoordAtt=Told("width", (256,), seen="as many as it reads"),
    ),
    "dim_heads": _text(  # whose default does not fit 64 channels
        """class Attention(nn.Module):
    def __init__(self, dim, num_heads=6, qkv_bias=True):
        super().__init__()
        assert dim % num_heads == 0, f"dim {dim} is not divisible by {num_heads}"
        self.h, self.scale = num_heads, (dim // num_heads) ** -0.5
        self.qkv, self.proj = nn.Linear(dim, 3 * dim, bias=qkv_bias), nn.Linear(dim, dim)

    def forward(self, x):
        B, C, H, W = x.shape
        qkv = self.qkv(x.flatten(2).transpose(1, 2)).reshape(B, H * W, 3, self.h, C // self.h)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        x_ = ((q @ k.transpose(-2, -1)) * self.scale).softmax(-1) @ v
        return self.proj(x_.transpose(1, 2).reshape(B, H * W, C)).transpose(1, 2).reshape(B, C, H, W)
""",
        Attention=Told("keep", (8,)),
    ),
    "c1_c2_n": _text(
        """class Bneck(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.cv = nn.Conv2d(c, c, 3, 1, 1)

    def forward(self, x):
        return x + self.cv(x)


class C3_X(nn.Module):
    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        super().__init__()
        c_ = int(c2 * e)
        self.cv1, self.cv2, self.cv3 = nn.Conv2d(c1, c_, 1), nn.Conv2d(c1, c_, 1), nn.Conv2d(2 * c_, c2, 1)
        self.m = nn.Sequential(*(Bneck(c_) for _ in range(n)))

    def forward(self, x):
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))
""",
        C3_X=Told("repeat", (256,)),
    ),
    "nothing": _text(
        """class simam_module(torch.nn.Module):
    def __init__(self, e_lambda=1e-4):
        super().__init__()
        self.e_lambda = e_lambda

    def forward(self, x):
        d = (x - x.mean(dim=[2, 3], keepdim=True)).pow(2)
        y = d / (4 * (d.sum(dim=[2, 3], keepdim=True) / (x.shape[2] * x.shape[3] - 1) + self.e_lambda)) + 0.5
        return x * torch.sigmoid(y)
""",
        simam_module=Told("keep:nothing", ()),
    ),
    "groups_only": _text(  # which builds happily with the channels in its place
        """class ShuffleChannels(nn.Module):
    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, x):
        b, c, h, w = x.shape
        return x.view(b, self.groups, c // self.groups, h, w).transpose(1, 2).reshape(b, c, h, w)
""",
        ShuffleChannels=Told("keep:nothing", (8,)),
    ),
    "a_rate": _text(
        """class Noisy(nn.Module):
    def __init__(self, strength_of_it):
        super().__init__()
        self.s = strength_of_it

    def forward(self, x):
        return x * self.s
""",
        Noisy=Told(seen="strength_of_it"),
    ),
    "named_oddly": _text(  # only a trial tells
        """class Odd(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.cv = nn.Conv2d(a, b, 3, padding=1)

    def forward(self, x):
        return self.cv(x)
""",
        Odd=Told("width", (256,)),
    ),
    "of_upstream": _text(
        """from .conv import Conv
from ultralytics.nn.modules.block import C2f


class MyConv(Conv):
    def forward(self, x):
        return self.bn(self.conv(x))


class C2f_Att(C2f):
    def __init__(self, c1, c2, n=1, shortcut=False):
        super().__init__(c1, c2, n, shortcut)
        self.att = MyGate(c2)

    def forward(self, x):
        return self.att(super().forward(x))


class MyGate(nn.Module):
    def __init__(self, nc_in):
        super().__init__()
        self.g = nn.Parameter(torch.ones(1, nc_in, 1, 1))

    def forward(self, x):
        return x * self.g
""",
        MyConv=Told("width", (256,)),
        C2f_Att=Told("repeat", (256,)),
    ),
    "down": _text(
        """class ADown2(nn.Module):
    def __init__(self, c1, c2):
        super().__init__()
        self.cv = nn.Conv2d(c1, c2, 3, 2, 1)

    def forward(self, x):
        return self.cv(x)
""",
        ADown2=Told("width", (256,), seen="half"),
    ),
    "wavelet": _text(  # takes even sides only
        """class HWD(nn.Module):
    def __init__(self, in_ch, out_ch):
        super().__init__()
        self.cv = nn.Conv2d(in_ch * 4, out_ch, 1)

    def forward(self, x):
        return self.cv(torch.cat([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 1))
""",
        HWD=Told("width", (256,), seen="even sides"),
    ),
    "concat": _text(
        """class Concat_BiFPN(nn.Module):
    def __init__(self, dimension=1):
        super().__init__()
        self.d = dimension
        self.w = nn.Parameter(torch.ones(2))

    def forward(self, x):
        w = self.w / (self.w.sum() + 1e-4)
        return torch.cat([w[0] * x[0], w[1] * x[1]], self.d)
""",
        Concat_BiFPN=Told("join:nothing", ()),
    ),
    "concat_of_channels": _text(
        """class Fuse(nn.Module):
    def __init__(self, in_channels):
        super().__init__()
        self.cvs = nn.ModuleList(nn.Conv2d(c, c, 1) for c in in_channels)

    def forward(self, feats):
        return torch.cat([cv(f) for cv, f in zip(self.cvs, feats)], 1)
""",
        Fuse=Told("join", ()),
    ),
    "summed": _text(
        """class BiFPN_Add(nn.Module):
    def forward(self, x):
        return x[0] + x[1]
""",
        BiFPN_Add=Told("merge:nothing", ()),
    ),
    "merged": _text(
        """class Bi_FPN(nn.Module):
    def __init__(self, length):
        super().__init__()
        self.w = nn.Parameter(torch.ones(length))

    def forward(self, x):
        return sum(self.w[i] * each for i, each in enumerate(x))


class CGAFusion(nn.Module):
    def __init__(self, dim, reduction=8):
        super().__init__()
        self.cv = nn.Conv2d(dim, dim, 1)

    def forward(self, data):
        x, y = data
        return x * self.cv(x + y).sigmoid() + y
""",
        Bi_FPN=Told("merge:nothing", (2,)),
        CGAFusion=Told("merge", ()),
    ),
    "two_inputs": _text(
        """class CrossAtt(nn.Module):
    def __init__(self, dim):
        super().__init__()

    def forward(self, x, y):
        return x * y.sigmoid()
""",
        CrossAtt=Told(problem="2 inputs (x, y)"),
    ),
    "a_list": _text(
        """class Split(nn.Module):
    def __init__(self, channels):
        super().__init__()

    def forward(self, x):
        return [x, x * 2]
""",
        Split=Told(problem="a list of 2"),
    ),
    "backbone": _text(
        """class Tiny(nn.Module):
    def __init__(self, in_chans=3, dims=(16, 32, 64)):
        super().__init__()
        self.stem = nn.Conv2d(in_chans, dims[0], 4, 4)
        self.stages = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in zip(dims, dims[1:]))

    def forward(self, x):
        outs = [self.stem(x)]
        for stage in self.stages:
            outs.append(stage(outs[-1]))
        return outs


def tiny():
    return Tiny()
""",
        Tiny=Told(problem="as a backbone does"),
    ),
    "image_backbone": _text(
        """class FromImages(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)

    def forward(self, x):
        return self.stem(x)
""",
        FromImages=Told(problem="64 channels"),
    ),
    "fixed_size": _text(
        """class PosEmb(nn.Module):
    def __init__(self, dim, size=20):
        super().__init__()
        self.pos = nn.Parameter(torch.zeros(1, dim, size, size))

    def forward(self, x):
        return x + self.pos
""",
        PosEmb=Told(problem="fixed size"),
    ),
    "windows": _text(
        """class WindowPool(nn.Module):
    def __init__(self, dim, window_size=8):
        super().__init__()
        self.w = window_size

    def forward(self, x):
        b, c, h, w = x.shape
        y = x.view(b, c, h // 8, 8, w // 8, 8).mean((3, 5), keepdim=True)
        return x * y.expand(b, c, h // 8, 8, w // 8, 8).reshape(b, c, h, w)
""",
        WindowPool=Told(problem="16x16"),
    ),
    "shrinks": _text(
        """class Unpadded(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.cv = nn.Conv2d(channels, channels, 3)

    def forward(self, x):
        return self.cv(x)
""",
        Unpadded=Told(problem="18x12"),
    ),
    "weights_only": _text(
        """class ChannelWeights(nn.Module):
    def __init__(self, in_planes, ratio=16):
        super().__init__()
        self.fc = nn.Conv2d(in_planes, in_planes, 1)

    def forward(self, x):
        return self.fc(F.adaptive_avg_pool2d(x, 1)).sigmoid()


class SpatialWeights(nn.Module):
    def __init__(self, kernel_size=7):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2)

    def forward(self, x):
        return self.conv(torch.cat([x.mean(1, keepdim=True), x.max(1, keepdim=True)[0]], 1)).sigmoid()
""",
        ChannelWeights=Told(problem="1x1"),
        SpatialWeights=Told(problem="1 channels where it reads 64"),
    ),
    "few_channels": _text(
        """class Only(nn.Module):
    def __init__(self, channels):
        super().__init__()
        assert channels in (64, 128, 256), "unsupported"
        self.cv = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return self.cv(x)
""",
        Only=Told(problem="Only(192)"),
    ),
    "code_at_import": _text(
        """print("loading", __name__)
torch.manual_seed(3)
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Gate(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.cv = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return x * self.cv(x).sigmoid()


model = Gate(16)
print(model(torch.rand(1, 16, 4, 4)).shape)
""",
        Gate=Told("keep", ()),
    ),
    "exits_at_import": _text(
        """import argparse

class Gate2(nn.Module):
    def __init__(self, channels):
        super().__init__()

    def forward(self, x):
        return x

args = argparse.ArgumentParser().parse_args(["--weights", "x.pt"])
""",
        Gate2=Told(problem="importing the file fails: SystemExit"),
    ),
    "two_for_yaml": _text(
        """__all__ = ["AttA", "AttB"]


class Helper(nn.Module):
    def forward(self, x):
        return x


class AttA(nn.Module):
    def __init__(self, c1, k=3):
        super().__init__()
        self.cv, self.h = nn.Conv2d(c1, c1, k, padding=k // 2, groups=c1), Helper()

    def forward(self, x):
        return self.h(self.cv(x))


class AttB(AttA):
    pass
""",
        AttA=Told("keep", ()),
        AttB=Told("keep", ()),
    ),
    "gbk": Published(
        "# -*- coding: gbk -*-\n# 注意力机制\nimport torch\nfrom torch import nn\n\n\nclass 注意(nn.Module):\n"
        "    def __init__(self, channels):\n        super().__init__()  # 通道\n"
        "        self.cv = nn.Conv2d(channels, channels, 1)\n\n"
        "    def forward(self, x):\n        return x * self.cv(x).sigmoid()\n".encode("gbk"),
        {"注意": Told("keep", ())},
    ),
    "softmax_over_no_axis": _text(  # for the checks to judge: it builds and runs
        """class A2(nn.Module):
    def __init__(self, in_channels, c_m=32, c_n=32):
        super().__init__()
        self.a, self.b, self.v = (nn.Conv2d(in_channels, c, 1) for c in (c_m, c_n, c_n))
        self.r = nn.Conv2d(c_m, in_channels, 1)

    def forward(self, x):
        b, c, h, w = x.shape
        maps, vectors = F.softmax(self.b(x).flatten(2)), F.softmax(self.v(x).flatten(2))
        z = self.a(x).flatten(2) @ maps.transpose(1, 2) @ vectors
        return self.r(z.view(b, -1, h, w))
""",
        A2=Told("keep", ()),
    ),
    "required_unknown": _text(
        """class Needs(nn.Module):
    def __init__(self, channels, what_ever):
        super().__init__()
        self.cv = nn.Conv2d(channels, channels, what_ever["k"])

    def forward(self, x):
        return self.cv(x)
""",
        Needs=Told(seen="what_ever"),
    ),
    "required_known": _text(
        """class DWAtt(nn.Module):
    def __init__(self, in_channels, kernel_size, groups):
        super().__init__()
        self.cv = nn.Conv2d(in_channels, in_channels, kernel_size, padding=kernel_size // 2, groups=groups)

    def forward(self, x):
        return x * self.cv(x)
""",
        DWAtt=Told("keep", (3, 8)),
    ),
    "residual_of_planes": _text(  # the second name is no name of output channels
        """class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inplanes, planes, stride=1):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False), nn.BatchNorm2d(planes)

    def forward(self, x):
        return F.relu(x + self.bn1(self.conv1(x)))
""",
        BasicBlock=Told("width", (256,), seen="as many as it reads"),
    ),
    "expanded": _text(
        """class Bottleneck4(nn.Module):
    expansion = 4

    def __init__(self, in_planes, out_planes):
        super().__init__()
        self.cv = nn.Conv2d(in_planes, out_planes * 4, 1)

    def forward(self, x):
        return self.cv(x)
""",
        Bottleneck4=Told(problem="128 channels are asked for, and it gives 512"),
    ),
    "complex_numbers": _text(
        """class Fourier(nn.Module):
    def __init__(self, dim):
        super().__init__()

    def forward(self, x):
        return torch.fft.fft2(x)
""",
        Fourier=Told(problem="torch.complex64"),
    ),
    "of_one_image": _text(
        """class Single(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.c = channels

    def forward(self, x):
        return x.view(1, -1, *x.shape[2:])
""",
        Single=Told(problem="2 images"),
    ),
    "on_a_gpu": _text(
        """class OnGpu(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.w = nn.Parameter(torch.ones(channels).to("meta" if torch.cuda.is_available() else "cuda"))

    def forward(self, x):
        return x * self.w.view(1, -1, 1, 1)
""",
        OnGpu=Told(problem="OnGpu(64) doesn't build: its code puts tensors onto a GPU"),
    ),
    "a_switch": _text(
        """class HSig(nn.Module):
    def __init__(self, inplace=True):
        super().__init__()
        self.relu = nn.ReLU6(inplace=inplace)

    def forward(self, x):
        return x * self.relu(x + 3) / 6
""",
        HSig=Told("keep:nothing", ()),
    ),
    "ignores_c2": _text(
        """class Ignoring(nn.Module):
    def __init__(self, c1, c2):
        super().__init__()
        self.g = nn.Parameter(torch.ones(1, c1, 1, 1))

    def forward(self, x):
        return x * self.g
""",
        Ignoring=Told("keep", (64,)),
    ),
    "channels_last": _text(
        """class Outlook(nn.Module):
    def __init__(self, dim, num_heads=1):
        super().__init__()
        self.v = nn.Linear(dim, dim)

    def forward(self, x):
        B, H, W, C = x.shape
        return self.v(x).permute(0, 3, 1, 2).reshape(B, C, H, W).permute(0, 2, 3, 1)
""",
        Outlook=Told(problem="channels last (B, H, W, C)"),
    ),
    "tokens": _text(
        """class AFT(nn.Module):
    def __init__(self, d_model, n=49):
        super().__init__()
        self.p = nn.Parameter(torch.ones(n, 1))

    def forward(self, x):
        bs, n, dim = x.shape
        return x * self.p
""",
        AFT=Told(problem="tokens (B, N, C)"),
    ),
    "upsampler": _text(
        """class DySample(nn.Module):
    def __init__(self, in_channels, scale=2, style="lp"):
        super().__init__()
        self.offset = nn.Conv2d(in_channels, scale * scale, 1)
        self.scale = scale

    def forward(self, x):
        return F.interpolate(x, scale_factor=self.scale) * F.pixel_shuffle(self.offset(x), self.scale)
""",
        DySample=Told("keep", (), seen="at twice the size"),
    ),
    "three_maps": _text(
        """class BiFPN_Concat3(nn.Module):
    def __init__(self, dimension=1):
        super().__init__()
        self.w = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return torch.cat([self.w[0] * x[0], self.w[1] * x[1], self.w[2] * x[2]], 1)
""",
        BiFPN_Concat3=Told("join:nothing", (), seen="three maps"),
    ),
    "list_of_numbers": _text(
        """class BiFPN_Add2(nn.Module):
    def __init__(self, c1, c2):
        super().__init__()
        self.conv = nn.Conv2d(c1, c2, 1)

    def forward(self, x):
        return self.conv(x[0] + x[1])
""",
        BiFPN_Add2=Told(problem="it reads a list of maps"),
    ),
    "unused_second": _text(
        """class Bn(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x):
        return x * self.bn(x).sigmoid()


class NAMAttention(Bn):
    def __init__(self, channels, shape, out_channels=None, no_spatial=True):
        super().__init__(channels)


class NAM(Bn):
    def __init__(self, channels, out_channels=None):
        super().__init__(channels)


class Involution(Bn):
    def __init__(self, c1, c2, kernel_size, stride):
        super().__init__(c1)
""",
        NAMAttention=Told("keep", (64,)),
        NAM=Told("keep", ()),
        Involution=Told("keep", (64, 3, 1)),
    ),
    "sets_the_type": _text(
        """class Doubled(nn.Module):
    def __init__(self, c1):
        super().__init__()
        torch.set_default_dtype(torch.float64)
        self.cv = nn.Conv2d(c1, c1, 1)

    def forward(self, x):
        return self.cv(x)
""",
        Doubled=Told(problem="building it makes torch.float64 the default type"),
    ),
    "sets_the_device": _text(
        """torch.set_default_device("meta")


class OnMeta(nn.Module):
    def __init__(self, c1):
        super().__init__()

    def forward(self, x):
        return x
""",
        OnMeta=Told(problem="importing it makes meta the default device"),
    ),
    "sibling_missing": _text(
        """from .my_helpers import gate


class Relative(nn.Module):
    def __init__(self, c1):
        super().__init__()

    def forward(self, x):
        return gate(x)
""",
        Relative=Told(problem="nn.modules.my_helpers, which this tree does not have: paste"),
    ),
    "of_another_repository": _text(
        """from models.common import *


class C3STR(C3):
    def __init__(self, c1, c2, n=1):
        super().__init__(c1, c2, n)

    def forward(self, x):
        return x
""",
        C3STR=Told(problem="`models`, a folder of YOLOv5"),
    ),
    "scripted": _text(
        """class Scripted(torch.jit.ScriptModule):
    def __init__(self, c1):
        super().__init__()
        self.cv = nn.Conv2d(c1, c1, 1)

    @torch.jit.script_method
    def forward(self, x):
        return self.cv(x)
""",
        Scripted=Told(problem="compiled by torch.jit"),
    ),
    "fraction": _text(
        """class ContextBlock(nn.Module):
    def __init__(self, inplanes, ratio, pooling_type="att"):
        super().__init__()
        planes = int(inplanes * ratio)
        self.a, self.b = nn.Conv2d(inplanes, planes, 1), nn.Conv2d(planes, inplanes, 1)

    def forward(self, x):
        return x * self.b(self.a(x)).sigmoid()
""",
        ContextBlock=Told("keep", (0.0625,)),
    ),
    "lazy": _text(
        """class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.cv = nn.LazyConv2d(1, 1)

    def forward(self, x):
        return x * self.cv(x).sigmoid()
""",
        Lazy=Told(problem="no shape before it runs"),
    ),
}
"""The files, by their names without the ending."""

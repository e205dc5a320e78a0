"""Why figures of a page are missing, and images were left out."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "the block declares no attention maps": "这个模块没有声明注意力图",
    "it has no layers that attend as their block declares": "其中没有声明了注意力图的层",
    "nothing was counted": "什么都没有统计",
    "drawing had ended before": "绘图此前已经结束",
    "the {part} of {layer} is not used": "{layer} 的 {part} 没有被用到",
    "the {part} of {layer} gives no map": "{layer} 的 {part} 给出的不是特征图",
    "the tree has no assets/bus.jpg": "这份源码没有 assets/bus.jpg",
    "none of the images could be read": "没有一幅图像可以读取",
    "it needs the library pi-heif, which is not installed": "需要 pi-heif 库，它没有安装",
    "it is no image of a kind that Pillow reads": "不是 Pillow 能读取的图像",
    "{n} x {n1} pixels are too many": "{n} x {n1} 像素太大",
    "ValueError: {n} x {n1} pixels are too many": "{n} x {n1} 像素太大",
    "this is no ordinary file": "不是普通文件",
    "it is larger than {n} MiB": "大于 {n} MiB",
}
"""By template."""

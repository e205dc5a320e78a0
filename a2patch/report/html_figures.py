"""What a page shows of where the maps of a model answer, and of where its layers look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from a2patch.report.bilingual import both
from a2patch.report.diagram import stage
from a2patch.report.markup import Markup, element, together
from a2patch.runner import Attention, Pictures, Shares, Sight, SightMap

TITLES = {"sight": both("Sight", "对位置的响应"), "attention": both("Attention", "注意力")}
"""The titles of the sections, by name."""

ABOUT = {
    "sight": both(
        "A patch of noise stands in one place, then in another. Where a map of the model answers to the move, it "
        "knows where things are; a map that answers nowhere is blind. Borders are taken away for this: the image goes "
        "on at its other side. Each map has a colour scale of its own, up to the figure below it. Select a picture to "
        "see it larger.",
        "一块噪声先放在一处，再移到另一处。特征图在哪里随之变化，就说明它知道目标在哪里；哪里都不变化的特征图是盲的。为此去掉了边界的影响：图像的一侧与另一侧相接。"
        "每幅图的颜色各有刻度，上限是图下的数值。点击图片可以放大。",
    ),
    "attention": both(
        "A layer gathers a descriptor by each of its maps, whose shares over all positions sum to one, then hands each "
        "position a mixture of the descriptors, whose shares sum to one there. Shown are the descriptors whose maps "
        "have the highest peaks. A share of 1 is an even one: of a map that looks everywhere alike, or a mixture of "
        "all descriptors alike; what is even everywhere is grey. The colours are on a logarithmic scale. Both are "
        "softmaxes of what the named parts of the layer give, whatever the layer makes of them.",
        "每一层按每幅注意力图汇集一个描述子，图上各位置的份额之和为 1；再把各描述子的混合分发给每个位置，"
        "每个位置上的份额之和也为 1。"
        "这里显示峰值最高的几个描述子。"
        "份额为 1 表示平均：注意力图处处相同，或各描述子均匀混合；处处相同的图显示为灰色。颜色按对数刻度。"
        "两者都是对标题所列部分的输出做 softmax 得到的，与该层实际怎样使用它们无关。",
    ),
}
"""What the sections show, by name."""

_FRESH = both(
    "The weights are fresh: nobody trained them, so this shows that the layers tell places apart, not what they look "
    "for. For that, verify a trained checkpoint.",
    "权重未经训练：这里只说明各层能区分不同的位置，不说明它们关注什么。要看后者，请验证训练好的检查点。",
)
_LARGER = "larger, and back · 放大或还原"


Photos = Mapping[str, tuple[int, int]]
"""Photographs as data URIs, in order, with their widths and heights."""


def photographs(drawn: Iterable[Pictures]) -> Photos:
    """Return every photograph that pictures lie over, each once."""
    return {layer.photo: layer.size for pictures in drawn for layer in pictures.attention}


def held_once(photos: Photos) -> Markup:
    """Return the photographs as a page holds them: once each, for every picture that lies over one."""
    images = (
        element("image", id=f"photo-{number}", href=uri, width=wide, height=high)
        for number, (uri, (wide, high)) in enumerate(photos.items())
    )
    symbols = element("defs", *images)
    return element("svg", symbols, class_="hidden", aria_hidden="true", width=0, height=0) if photos else Markup()


def sights(seen: Sequence[Sight]) -> Iterator[Markup]:
    """Yield, for each model, what was moved and where the model answered."""
    if seen:
        yield _scale(both("no answer", "没有变化"), both("the largest of the map", "该图的最大值"))
    for sight in seen:
        texts = (("the patch here", "噪声在一处"), ("the patch there", "噪声在另一处"))
        moved = (
            _tile(element("img", src=image, alt=english), both(english, chinese))
            for image, (english, chinese) in zip(sight.inputs, texts, strict=True)
        )
        yield element("h4", sight.model, *([both(", over ", "，"), sight.image] if sight.image else []))
        yield element("div", *moved, *map(_sight_map, sight.maps), class_="maps")


def _sight_map(seen: SightMap) -> Markup:
    """Return where one map answered."""
    kind, _, number = seen.name.partition(" ")
    english, chinese = seen.name, f"层 {number}"
    if kind != "layer":
        english, chinese = f"{seen.name} of the head", f"检测头的输入 {number}"
    size = f"{stage(seen.stride)}, {seen.size[0]} × {seen.size[1]}"
    answer = (
        element("span", both(f"✕ blind: {seen.answer:.2g}", f"✕ 盲：{seen.answer:.2g}"), class_="blind")
        if seen.blind
        else both(f"up to {seen.answer:.2g}", f"最大 {seen.answer:.2g}")
    )
    alt = f"{english} answers {'nowhere' if seen.blind else f'by up to {seen.answer:.2g} of its largest value'}"
    caption = together(both(f"{english}, {size}: ", f"{chinese}，{size}："), answer)
    return _tile(element("img", src=seen.image, alt=alt), caption)


def attentions(layers: Sequence[Attention], photos: Photos) -> Iterator[Markup]:
    """Yield the maps of each layer that attends over the photographs.

    Args:
        layers: The layers.
        photos: The photographs, as `held_once` was given them.
    """
    if not layers:
        return
    if any(layer.fresh for layer in layers):
        yield element("p", element("strong", _FRESH))
    yield _scale(
        both("the lowest share of the map", "该图的最小份额"),
        both("the highest", "最大份额"),
        both("the same everywhere", "处处相同"),
    )
    for layer in layers:
        wide, high = layer.grid
        stride = stage(layer.size[0] / wide)
        sources = element("code", " / ".join(filter(None, layer.parts)))
        title = both(
            f"{layer.model}, {layer.layer} ({stride}), over {layer.image}: {layer.descriptors} descriptors by ",
            f"{layer.model}，{layer.layer}（{stride}），{layer.image}：{layer.descriptors} 个描述子，取自 ",
        )
        size = both(f", maps of {wide} × {high}", f"，注意力图为 {wide} × {high}")
        yield element("h4", title, sources, size)
        place = f"#photo-{[*photos].index(layer.photo)}"
        figures = (figure for one in layer.maps for figure in _pair(layer, place, *one))
        paired = all(handed for _, _, handed in layer.maps)
        yield element("div", *figures, class_="maps pairs" if paired else "maps")


def _pair(layer: Attention, place: str, number: int, gather: Shares, distribute: Shares | None) -> Iterator[Markup]:
    """Yield the map that a descriptor is gathered by, and that of where it is handed out."""
    yield _over(layer, place, gather, f"gathers descriptor {number}", f"汇集描述子 {number}")
    if distribute:
        yield _over(layer, place, distribute, f"hands out {number}", f"分发描述子 {number}")


def _over(layer: Attention, place: str, shares: Shares, english: str, chinese: str) -> Markup:
    """Return one map over its photograph."""
    wide, high = layer.size
    told = f"{english}: {'everywhere' if shares.even else f'{shares.low:.3g} to'} {shares.high:.3g}"
    in_chinese = f"处处为 {shares.high:.3g}" if shares.even else f"{shares.low:.3g} 至 {shares.high:.3g}"
    laid = (
        element("rect", width=wide, height=high, class_="even")
        if shares.even
        else element("image", href=shares.image, width=wide, height=high, preserveAspectRatio="none", opacity=0.6)
    )
    drawn = element(
        "svg",
        element("use", href=place),
        laid,
        viewBox=f"0 0 {wide} {high}",
        role="img",
        aria_label=f"Over {layer.image}: {told}",
    )
    return _tile(drawn, both(told, f"{chinese}：{in_chinese}"))


def _tile(picture: Markup, caption: Markup) -> Markup:
    """Return a picture that opens larger, with its caption, where it is selected."""
    larger = element(
        "details", element("summary", picture, title=_LARGER), element("p", caption), class_="zoom", name_="tile"
    )
    return element("figure", larger, element("figcaption", caption))


def _scale(low: Markup, high: Markup, even: Markup | None = None) -> Markup:
    """Return what the colours of maps mean."""
    swatch = [element("i", class_="even"), element("span", even)] if even else []
    return element("p", element("span", low), element("i"), element("span", high), *swatch, class_="scale")

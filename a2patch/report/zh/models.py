"""What is said of model files and how they are built, of scales and strides, and of the user's own models."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "{model} at scale {scale}": "{model}（规模 {scale}）",
    # build
    "{n} model": "{n} 个模型",
    "{n} models": "{n} 个模型",
    "{n} of {n1} models": "{n1} 个模型中的 {n} 个",
    "{said_model}: {said}.": "{said_model}：{said}。",
    "{said_model}: {said}. (and {n} more)": "{said_model}：{said}。（另有 {n} 个）",
    "{said_model}: {said}. (and {n} more) {said1}": "{said_model}：{said}。（另有 {n} 个）{said1}",
    "In {said_model} the key {said} stands more than once, and only the last one counts.": (
        "{said_model}里，键{said}出现了不止一次，只有最后一次有效。"
    ),
    "The tree does not know {said}: run {said1} first.": "这份源码不认识{said}：请先运行{said1}。",
    "parse_model declares {n} channels for row {n1} ({kind}), and its layer gives {n2}: {said}": (
        "parse_model 为第 {n1} 行（{kind}）声明了 {n} 个通道，而它的层给出 {n2} 个：{said}"
    ),
    "no branch of parse_model is for it, so it declares what it reads": (
        "parse_model 没有处理它的分支，因此声明的是它所读取的通道数"
    ),
    "the branch in nn/tasks.py, line {n}, `{code}`": "所经过的分支是 nn/tasks.py 第 {n} 行的 `{code}`",
    "the branch in nn/tasks.py, line {n}, `{code}`, never sets c2, so that of the row before it is taken": (
        "nn/tasks.py 第 {n} 行的分支 `{code}` 从不设置 c2，因此沿用了前一行的值"
    ),
    "Let the branch set c2 to what the layer gives, and tell the layer what c2 is.": (
        "让这个分支把 c2 设为该层给出的通道数，并把 c2 传给该层。"
    ),
    "asked for scale {scale}, got {other}": "要的是规模 {scale}，得到的是 {other}",
    "Look at how parse_model scales.": "检查 parse_model 如何缩放。",
    "row {n} names {kind}, and {other} is built": "第 {n} 行写的是 {kind}，构建出来的却是 {other}",
    "Look at the branches of parse_model for {kind}.": "检查 parse_model 里处理 {kind} 的各个分支。",
    "Say it where this release reads it (the channels, for one, in the YAML of the data), or delete it.": (
        "把它写到这个版本会读取的地方（例如通道数写在数据集的 YAML 里），或者删掉它。"
    ),
    "{key}: {value} is asked for, and this release knows no such key": (
        "{key}：要求的是 {value}，但这个版本不认识这个键"
    ),
    "{key}: {value} is asked for, and this release builds {other}": (
        "{key}：要求的是 {value}，而这个版本构建的是 {other}"
    ),
    # why a model does not build
    "the file has no `{key}`": "文件里没有 `{key}`",
    "Add it: a list of rows [from, repeats, module, arguments].": (
        "请加上它：一个由 [from, repeats, module, arguments] 各行组成的列表。"
    ),
    "`from` names layers before the row, counted from 0; -1 is the one right before it.": (
        "`from` 指的是这一行之前的层，从 0 数起；-1 就是紧挨着的前一层。"
    ),
    "Write the row as [from, repeats, module, arguments].": "请把这一行写成 [from, repeats, module, arguments]。",
    "Look at the rows: their spelling, their arguments, and the channels that they read.": (
        "检查各行：拼写、参数，以及所读取的通道数。"
    ),
    "Write each scale as three numbers: depth, width, and the most channels, as in `n: [0.33, 0.25, 1024]`.": (
        "每个规模写成三个数：深度、宽度和最大通道数，例如 `n: [0.33, 0.25, 1024]`。"
    ),
    "`scales` holds {value}": "`scales` 的内容是 {value}",
    "`scales` has no {scale}; it has {names}": "`scales` 里没有 {scale}，只有 {names}",
    "scale {scale} is {value}, which this release can't read ({said})": (
        "规模 {scale} 写的是 {value}，这个版本读不了（{said}）"
    ),
    "row {n}, {row} names {key}, and the file has no such key": "第 {n} 行 {row} 写到了 {key}，而文件里没有这个键",
    "Add `{key}: {value}` to the file.": "请在文件里加上 `{key}: {value}`。",
    "row {n}, {row}: nn/tasks.py does not know {kind}": "第 {n} 行 {row}：nn/tasks.py 不认识 {kind}",
    "row {n}, {row}: nn/tasks.py does not know {kind}, though nn/modules has it": (
        "第 {n} 行 {row}：nn/modules 里有 {kind}，但 nn/tasks.py 不认识它"
    ),
    "Import it in nn/tasks.py, and give parse_model a branch for it.": (
        "请在 nn/tasks.py 里导入它，并在 parse_model 里为它加一个分支。"
    ),
    "Did you mean {kind}? Register the class, or correct its name.": "是不是想写 {kind}？请注册这个类，或者改正名字。",
    "Register the class, or correct its name.": "请注册这个类，或者改正名字。",
    "row {n}, {row} has {value} as its repeats": "第 {n} 行 {row} 的重复次数写成了 {value}",
    "Write a whole number there, mostly 1.": "那里应写一个整数，通常是 1。",
    "row {n}, {row}: {said}; parse_model calls {call}": "第 {n} 行 {row}：{said}；parse_model 这样调用它：{call}",
    "row {n}, {row}: {said}": "第 {n} 行 {row}：{said}",
    "It takes {call}: look at the arguments of the row.": "它的参数是 {call}：检查这一行的参数。",
    "Look at the arguments of the row.": "检查这一行的参数。",
    "row {n} ({kind}) can't take what it reads, {said}: {said1}": "第 {n} 行（{kind}）接受不了它读取的{said}：{said1}",
    "Look at the indices that it reads: maps of other sizes can't be joined.": (
        "检查它读取的层号：尺寸不同的特征图无法拼接。"
    ),
    "Look at the channels that the row before it gives, and at the branch of parse_model for that.": (
        "检查前一行给出的通道数，以及 parse_model 里处理那一行的分支。"
    ),
    "there is no list of layers in it": "其中没有层的列表",
    "row {n} is not [from, repeats, module, args]: {value}": "第 {n} 行不是 [from, repeats, module, args]：{value}",
    "row {n} reads {value}, which is no index": "第 {n} 行读取 {value}，这不是层号",
    "row {n} reads {value}, and there is no such layer before it": "第 {n} 行读取 {value}，而它之前没有这一层",
    # where a model does not build
    "{said_model} doesn't build, as `build` tells": "{said_model}无法构建，原因见 `build`",
    "{said_model} doesn't build": "{said_model}无法构建",
    "it runs on no images of {n} to {n1} px: {said}": "{n} 到 {n1} 像素的图像它都无法计算：{said}",
    "the tree has no model {model}": "这份源码没有模型 {model}",
    "the tree has no model file {model} to compare with": "这份源码没有可用来比较的模型文件 {model}",
    # scale and stride
    "{least}M to {most}M": "{least}M 至 {most}M",
    "In {model} scale {scale} has {n} parameters and {scale1}, whose factors are no smaller, {n1}.": (
        "{model} 中，规模 {scale} 的参数量是 {n}，而系数不比它小的规模 {scale1} 是 {n1}。"
    ),
    "Look at the `scales` of the YAML, and at how parse_model scales the layers.": (
        "检查 YAML 里的 `scales`，以及 parse_model 如何缩放各层。"
    ),
    "The scales of {model} are all alike: none of its layers takes a width from them.": (
        "{model} 的各个规模都一样：没有一层按它们取宽度。"
    ),
    "A name without a scale letter silently builds scale {said}: {names}.": (
        "名字里不写规模字母时，会不声不响地构建规模{said}：{names}。"
    ),
    "of none of its own": "（不是它自己的任何一个）",
    "The head of {said_model} reads maps of other strides.": "{said_model}的检测头读取的特征图步长不对。",
    # the user's own models
    "{file} is fused: its batch norms are folded into its convolutions; it is tried as it is.": (
        "{file} 已经融合：批归一化已并入卷积；按原样检查。"
    ),
    "{file} is pruned: {n} of its {n1} tensors have other shapes than its description builds, {tensor} first "
    "({shape}, not {shape1}); it is tried as it is.": (
        "{file} 已经剪枝：{n1} 个张量中有 {n} 个的形状与它的描述所构建的不同，第一个是 {tensor}"
        "（{shape}，而不是 {shape1}）；按原样检查。"
    ),
    "a checkpoint has been trained already": "检查点已经训练过",
    "the images that are drawn here have no labels for a head of the kind {kind}": (
        "这里画出的图像没有 {kind} 这种检测头所需的标签"
    ),
    # costs
    "{model} is counted for {n} classes, as {other} has them.": "{model} 按 {n} 个类别统计，与 {other} 相同。",
    "costs are not counted: {said}": "没有统计开销：{said}",
    "GFLOPs are not counted: the library thop is not installed": "没有统计 GFLOPs：没有安装 thop 库",
    "GFLOPs are not counted: the distribution thop hides ultralytics-thop, and ultralytics' get_flops fails with it "
    "silently; uninstall thop, then reinstall ultralytics-thop": (
        "没有统计 GFLOPs：thop 这个包遮住了 ultralytics-thop，ultralytics 的 get_flops 用它计算时出错而不提示；"
        "请先卸载 thop，再重新安装 ultralytics-thop"
    ),
    "GFLOPs are not counted: ultralytics' get_flops fails with thop {version}": (
        "没有统计 GFLOPs：ultralytics 的 get_flops 用 thop {version} 计算时出错"
    ),
}
"""By template."""

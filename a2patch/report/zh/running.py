"""What is said of saving, training, exporting, fewer bits and several workers, and of the probe that does it."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    # checkpoint
    "same output": "输出相同",
    "same output, also restricted": "输出相同，受限加载也一样",
    "same output, also without the patch": "输出相同，不打补丁也一样",
    "same output, also restricted, also without the patch": "输出相同，受限加载和不打补丁时也一样",
    "other output": "输出不同",
    "loaded": "已加载",
    "not loaded": "未加载",
    "After load {model} gives another output.": "加载之后，{model} 的输出变了。",
    "After restricted load {model} gives another output.": "受限加载之后，{model} 的输出变了。",
    "This release loads no checkpoint, patched or not, under torch {version}: torch 2.6 made loading restricted by "
    "default, and the release doesn't ask for more.": (
        "在 torch {version} 下，这个版本不论是否打过补丁都加载不了检查点：torch 2.6 起默认只做受限加载，"
        "而这个版本没有要求更多。"
    ),
    "Set {variable}=1 when you train or predict, as this check did, or use a torch before 2.6.": (
        "训练或预测时请像这项检查一样设置 {variable}=1，或者使用 2.6 之前的 torch。"
    ),
    "An unpatched ultralytics does not load it: it has no {module}.": (
        "没有打补丁的 ultralytics 加载不了它：那里没有 {module}。"
    ),
    "An unpatched ultralytics does not load it: {said}.": "没有打补丁的 ultralytics 加载不了它：{said}。",
    "it has no {module}": "那里没有 {module}",
    "Run `{command}` wherever it is to be loaded.": "要加载它的地方都请运行 `{command}`。",
    # train
    "{part} loss {n}": "{part} 损失 {n}",
    "no best.pt": "没有 best.pt",
    "metrics not finite": "指标不是有限的数",
    "{n} of {n1} images": "{n1} 幅图像中的 {n} 幅",
    "Training {model} ended without saving its best model.": "训练 {model} 结束时没有保存最好的模型。",
    "The losses of an epoch on {model} are not finite.": "{model} 训练一个 epoch 的损失不是有限的数。",
    "After an epoch, {part} of {model} is as it was: it doesn't learn.": (
        "训练一个 epoch 后，{model} 的 {part} 没有变化：它学不到东西。"
    ),
    "Validation from best.pt gives {value}.": "用 best.pt 验证得到 {value}。",
    "Prediction from best.pt gives no boxes object.": "用 best.pt 预测没有得到 boxes 对象。",
    "this release trains on images of 3 channels, and the model takes {n}": (
        "这个版本只用 3 个通道的图像训练，而这个模型要 {n} 个"
    ),
    # amp
    "worst layer: {said}": "最差的一层：{said}",
    "bfloat16": "bfloat16",
    "half": "半精度",
    "half on the GPU": "GPU 上的半精度",
    "all half on the GPU": "GPU 上全部用半精度",
    "bfloat16 {said}": "bfloat16 {said}",
    "half {said}": "半精度{said}",
    "half on the GPU {said}": "GPU 上的半精度{said}",
    "all half on the GPU {said}": "GPU 上全部用半精度{said}",
    "{n} (typical {n1})": "{n}（典型值 {n1}）",
    "In {said}, what layer {n} ({kind}) gives is not finite, the first of {model}.": (
        "用{said}计算时，{model} 的第 {n} 层（{kind}）最先给出非有限的数。"
    ),
    "In {said}, what layer {n} ({kind}) gives is off by {n1}, where {n2} is typical of a layer of {model}.": (
        "用{said}计算时，{model} 的第 {n} 层（{kind}）相差 {n1}，而该模型各层的典型值是 {n2}。"
    ),
    "Keep sums over positions in range, and differences of large values in float32; until then, train it with "
    "amp=False.": "让对各位置的求和不超出范围，让大数之差在 float32 下计算；在此之前，训练时请设置 amp=False。",
    "the GPU can't be used: {said}": "GPU 无法使用：{said}",
    "torch {version} computes in fewer bits nowhere here": "torch {version} 在这台机器上不能用更低的精度计算",
    "Only on the CPU: {said}.": "只在 CPU 上检查：{said}。",
    # export
    "{model} TorchScript {n}": "{model} TorchScript {n}",
    "{model} ONNX {n}": "{model} ONNX {n}",
    "{model} as {format}, off by {n}": "{model} 导出为 {format}，相差 {n}",
    "{model} as {format}": "{model} 导出为 {format}",
    "The {format} export is not made: {said}.": "{format} 没有导出成功：{said}。",
    "The {format} export doesn't run on images of {shape}: {said}.": (
        "导出的 {format} 无法计算 {shape} 的图像：{said}。"
    ),
    "The {format} export gives {value}, not {value1}, on images of {shape}.": (
        "导出的 {format} 对 {shape} 的图像给出 {value}，而不是 {value1}。"
    ),
    "The {format} export gives something else than the model on images of {shape}.": (
        "导出的 {format} 对 {shape} 的图像给出的结果与模型不同。"
    ),
    "{kind}: no message": "{kind}：没有说明",
    "Work with the sizes of tensors as they come (`x.shape[2]`, `flatten`), and keep `int`, `if` and whatever is "
    "remembered from one call to the next away from them.": (
        "直接使用张量的尺寸（`x.shape[2]`、`flatten`），不要对它们用 `int`、`if`，也不要把内容从一次调用留到下一次。"
    ),
    "ONNX was not tried: {said} is not installed.": "没有试 ONNX：没有安装{said}。",
    "ONNX was not tried: {said} are not installed.": "没有试 ONNX：没有安装{said}。",
    "this release exports models of images of 3 channels, and this one takes others": (
        "这个版本只导出 3 通道图像的模型，而这个模型要别的通道数"
    ),
    "in float32 the model itself gives something else than in float64": (
        "模型自身在 float32 下的结果就与 float64 下不同"
    ),
    "a head of the kind {kind} reads what classes are called, besides images": (
        "{kind} 这种检测头除了图像还要读取类别的名称"
    ),
    # ddp
    "this torch has no torchrun": "这个 torch 没有 torchrun",
    "another import": "导入了另一份",
    "{n} workers, gradients alike to {n1}": "{n} 个进程，梯度之差不超过 {n1}",
    "{n} unused": "{n} 个未被用到",
    "In {model} no output depends on {names}: DistributedDataParallel stops at the second step, waiting for a "
    "gradient, unless it is told to look for such parameters.": (
        "{model} 中没有输出取决于 {names}：除非要求 DistributedDataParallel 查找这样的参数，"
        "否则它会在第二步停住，一直等待梯度。"
    ),
    "Use it in forward, or take it out.": "在 forward 里用上它，或者去掉它。",
    "Of the stock layers of {model}, {n} parameters are unused.": "{model} 的官方层里，有 {n} 个参数未被用到。",
    "The gradients of a worker for {model} are not {said}: they are off by {n} of their size.": (
        "对 {model}，一个进程的梯度不等于{said}：相对误差为 {n}。"
    ),
    "the mean of those of single workers": "各进程单独计算时的平均",
    "those of the other worker": "另一个进程的梯度",
    "Look for parameters that come into being in forward, and for what draws or remembers values.": (
        "查找在 forward 里才创建的参数，以及抽取随机数或留有记忆的地方。"
    ),
    "The workers that this release itself starts on several GPUs import {path}.": (
        "这个版本自己在多块 GPU 上启动的进程导入的是 {path}。"
    ),
    "The workers that this release itself starts on several GPUs don't find this tree.": (
        "这个版本自己在多块 GPU 上启动的进程找不到这份源码。"
    ),
    "Set PYTHONPATH={path} when you train on several GPUs, or install the tree.": (
        "用多块 GPU 训练时请设置 PYTHONPATH={path}，或者安装这份源码。"
    ),
    "worker {n} of {n1} died": "{n1} 个进程中的第 {n} 个中途退出",
    "two workers don't meet on this machine: {said}": "在这台机器上两个进程无法互相连接：{said}",
    "torchrun ended with status {n}": "torchrun 以状态码 {n} 结束",
    "torchrun was still running after {n} s": "torchrun 在 {n} 秒后仍未结束",
    # the probe
    "raises": "抛出异常",
    "It was raised at": "抛出异常的位置：",
    "What a gradient needs is changed in place. Look in forward for `x *= …`, `x += …`, methods such as `x.mul_(…)`, "
    "and inplace=True; write `x = x * …` instead.": (
        "求梯度所需的内容被原地修改了。在 forward 里查找 `x *= …`、`x += …`、`x.mul_(…)` 这样的方法和 inplace=True，"
        "改写成 `x = x * …`。"
    ),
    "A tensor is made on one device, whatever the input's: make it with device=x.device, or keep it as a parameter or "
    "a buffer.": ("有张量固定建在某个设备上，没有跟随输入：用 device=x.device 创建它，或者把它存为参数或缓冲区。"),
    "A tensor is made of one type, whatever the input's: make it with dtype=x.dtype.": (
        "有张量固定为某种数据类型，没有跟随输入：用 dtype=x.dtype 创建它。"
    ),
    "the probe died": "探测程序中途退出",
    "the probe had died before": "探测程序此前已经退出",
    "The probe was still running when its time was up while {said}.": "探测程序到时限仍未结束，当时正在{said}。",
    "The probe was killed by signal {n} while {said}.": "探测程序被信号 {n} 杀掉，当时正在{said}。",
    "The probe ended with status {n} while {said}.": "探测程序以状态码 {n} 结束，当时正在{said}。",
    "The probe ended too soon while {said}.": "探测程序提前结束，当时正在{said}。",
    "it tells nothing before what `{check}` found is mended": "`{check}` 发现的问题解决之前，这项检查没有意义",
    "this machine ran out of something: {said}": "这台机器的资源不够：{said}",
    "needs the library {library}, which is not installed": "需要 {library} 库，它没有安装",
    "it needs the library {library}, which is not installed": "需要 {library} 库，它没有安装",
    # what it is at
    "starting": "启动",
    "importing {module}": "导入 {module}",
    "building {model}": "构建 {model}",
    "registering the layers": "检查各层的注册",
    "comparing the layer with its formula": "把层与公式对照",
    "building the models": "构建模型",
    "looking for what is no number": "查找非数值",
    "following the wires": "跟踪连接",
    "comparing the scales": "比较各规模",
    "reading the strides": "读取步长",
    "computing images alone and together": "单独和成批计算图像",
    "looking through the layers": "逐层观察响应",
    "following the gradients": "跟踪梯度",
    "learning one batch": "在同一批图像上训练",
    "computing the stock models": "计算官方模型",
    "computing stock {model}": "计算官方的 {model}",
    "saving and loading": "保存和加载",
    "training {model} for an epoch": "训练 {model} 一个 epoch",
    "validating and predicting from its best.pt": "用 best.pt 验证和预测",
    "computing in fewer bits": "用更低的精度计算",
    "computing {model} at {n} px in fewer bits": "用更低的精度计算 {model}（{n} 像素）",
    "computing on the GPU": "在 GPU 上计算",
    "exporting": "导出",
    "exporting {model} to {format}": "把 {model} 导出为 {format}",
    "training with two workers": "用两个进程训练",
    "loading the checkpoint without the patch": "在没有补丁的包里加载检查点",
    "loading a stock model": "加载官方模型",
    "counting {said_model}": "统计{said_model}",
    "drawing the sight of {model} over {image}": "画 {model} 在 {image} 上对位置的响应",
    "drawing the {section} of {said_model}": "画{said_model}的 {section}",
}
"""By template."""

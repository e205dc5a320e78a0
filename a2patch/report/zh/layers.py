"""What checks say of layers and of what they compute."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    # what places and layers are called
    "layer {n} ({kind})": "第 {n} 层（{kind}）",
    "layer {n}": "第 {n} 层",
    "model.{n}.{name} ({kind})": "model.{n}.{name}（{kind}）",
    "input {n}": "输入 {n}",
    "what reaches {said}": "{said}的输入",
    # alone
    "In evaluation {said} of {model} mixes the images of a batch: what it gives for one depends on the others.": (
        "在推理模式下，{model} 的{said}混合了同一批里的图像：它对一幅图像的输出取决于其他图像。"
    ),
    "In evaluation {said} ({kind}) of {model} keeps what it computes: with each image it holds {n} values more.": (
        "在推理模式下，{model} 的{said}（{kind}）保留了算出的内容：每处理一幅图像，就多占 {n} 个数值。"
    ),
    "In evaluation {said} of {model} gives the same image something else each time: it draws random numbers.": (
        "在推理模式下，{model} 的{said}对同一幅图像每次给出不同的结果：它抽取了随机数。"
    ),
    "In evaluation {said} of {model} gives the same image something else each time: "
    "it keeps something from one image to the next.": (
        "在推理模式下，{model} 的{said}对同一幅图像每次给出不同的结果：它把某些内容从一幅图像留到下一幅。"
    ),
    "In evaluation {said} of {model} gives the same image something else each time: "
    "it keeps something from one image to the next ({names}).": (
        "在推理模式下，{model} 的{said}对同一幅图像每次给出不同的结果：它把某些内容从一幅图像留到下一幅（{names}）。"
    ),
    "In evaluation {names} of {model} change.": "在推理模式下，{model} 的 {names} 会改变。",
    "Look for what its forward assigns to `self`, or adds to; change it only where `self.training` is set.": (
        "在 forward 里查找给 `self` 赋值或往里追加的地方；只在 `self.training` 为真时才改动它。"
    ),
    "Let dropout and noise ask `self.training`; torch.nn.functional.dropout is on unless it is told otherwise.": (
        "让 dropout 和噪声取决于 `self.training`；不加说明时，torch.nn.functional.dropout 总是开启的。"
    ),
    "{said}, off by {n}": "{said}，相差 {n}",
    "{n} values": "{n} 个数值",
    # sight
    "{model} layer {n} {n1}": "{model} 第 {n} 层 {n1}",
    "{model} input {n} {n1}": "{model} 输入 {n} {n1}",
    "layer {n} {n1}": "第 {n} 层 {n1}",
    "input {n} {n1}": "输入 {n} {n1}",
    "{model} is blind: {said} is the same wherever things are in the image, so the detector can't localise.": (
        "{model} 是盲的：不论目标在图像的哪里，{said}都相同，因此检测器无法定位。"
    ),
    "{model} is blind: {said} are the same wherever things are in the image, so the detector can't localise.": (
        "{model} 是盲的：不论目标在图像的哪里，{said}都相同，因此检测器无法定位。"
    ),
    "The {number} of {layer} is 1, and a softmax over one channel is 1 at every position.": (
        "{layer} 的 {number} 是 1，而对单个通道做 softmax，每个位置都等于 1。"
    ),
    "Give the layer a {number} of at least 2.": "把这一层的 {number} 设为至少 2。",
    "It is kept as the tutorial has it; train {model} instead.": "它按教程原样保留；请改为训练 {model}。",
    "nothing here has positions: the head reads no maps of several": (
        "这里没有空间位置可言：检测头读取的特征图都不超过一个位置"
    ),
    # gradient
    "In {model} no finite gradient reaches {names}.": "{model} 中，没有有限的梯度到达 {names}。",
    "In {model} after the first step no finite gradient reaches {names}.": (
        "{model} 中，第一步之后没有有限的梯度到达 {names}。"
    ),
    "Something cuts it off, such as a detach or an output that nothing reads, or isn't finite, such as the logarithm "
    "of a negative number.": (
        "有什么切断了它，例如 detach 或没有任何层读取的输出；或者出现了非有限的数，例如负数的对数。"
    ),
    "In {model} the gradient of {names} is zero for good: it will never learn.": (
        "{model} 中，{names} 的梯度始终为零：它永远学不到东西。"
    ),
    "With {number} = 1 its softmax is 1 whatever it learns.": "{number} = 1 时，不论学到什么，它的 softmax 都等于 1。",
    "Look for what multiplies it by zero, or cancels it.": "查找把它乘以零或使它抵消的地方。",
    "{n} tensors, {n1} zero by algebra": "{n} 个张量，其中 {n1} 个的梯度在代数上必为零",
    "Zero for good, since {number} is 1 there: {said}.": "那里的 {number} 是 1，因此始终为零：{said}。",
    "{thing} in {model}": "{model} 中的 {thing}",
    "infinity in {tensor}": "{tensor} 中的无穷大",
    "{n} of {n1}": "{n1} 个中的 {n} 个",
    "the added layers have nothing to learn": "新增的层没有可学习的参数",
    "every layer is one that the stock models have": "每一层都是官方模型里已有的",
    # learn
    "{n} steps on one batch don't lower the loss of {model} by a tenth.": (
        "在同一批图像上训练 {n} 步，没有使 {model} 的损失降低十分之一。"
    ),
    "the models of this release don't know their loss": "这个版本的模型不会计算自己的损失",
    "there are no labels here for a head of the kind {kind}": "这里没有 {kind} 这种检测头所需的标签",
    # finite
    "{n} tensors": "{n} 个张量",
    "{n} of {n1} tensors": "{n1} 个张量中的 {n} 个",
    "{model} holds values that are no finite numbers: {said}.": "{model} 含有非有限的数值：{said}。",
    "{model} holds values that are no finite numbers: {said} and {n} more.": (
        "{model} 含有非有限的数值：{said}，另有 {n} 处。"
    ),
    "Its training diverged: take an earlier checkpoint, or train again with a lower lr0 or amp=False.": (
        "训练已经发散：请改用更早的检查点，或者用更小的 lr0 或 amp=False 重新训练。"
    ),
    "Infinite, as a mask is: {said}.": "含有无穷大，像掩码那样：{said}。",
    # formula
    "within {n}": "误差在 {n} 以内",
    "off by {n}": "相差 {n}",
    "{layer} doesn't compute its formula.": "{layer} 的计算与它的公式不符。",
    "Compare its forward with its reference.py, step by step: the axis of each softmax, mean and norm.": (
        "把它的 forward 与它的 reference.py 逐步对照：每个 softmax、mean 和 norm 所取的轴。"
    ),
    "{layer} doesn't compute A²-Nets' double attention; a softmax over the wrong axis does this.": (
        "{layer} 计算的不是 A²-Nets 的双重注意力；softmax 取错了轴就会这样。"
    ),
    "The maps are normalised over the positions, the vectors over the c_n descriptors.": (
        "注意力图应在各位置上归一化，注意力向量应在 c_n 个描述子上归一化。"
    ),
    "parse_model uses another class of that name, which is none of this form": (
        "parse_model 使用了另一个同名的类，它的形式与此不同"
    ),
    "the block brings no formula to compare with (reference.py)": "这个模块没有附带可供核对的公式（reference.py）",
    "{file} is no Python file": "{file} 不是 Python 文件",
    "{layer} is double attention": "{layer} 是双重注意力",
    "wrong axis": "轴不对",
    "{layer} looks like double attention, and normalises {said} and its vectors {said1}.": (
        "{layer} 看起来是双重注意力，但{said}；{said1}。"
    ),
    "(convV) over {said} instead of the channels": "注意力向量（convV）在{said}上归一化，而不是在通道上",
    "{layer} looks like double attention, and normalises {said}.": "{layer} 看起来是双重注意力，但{said}。",
    "its maps (convB) over {said} instead of the positions": "注意力图（convB）在{said}上归一化，而不是在位置上",
    "its vectors (convV) over {said} instead of the channels": "注意力向量（convV）在{said}上归一化，而不是在通道上",
    "the batch": "批",
    "the channels": "通道",
    "the positions": "位置",
    "Flatten each to (B, c_n, N); then take softmax(2) of the maps, and softmax(1) of the vectors.": (
        "把两者都展平为 (B, c_n, N)；然后对注意力图取 softmax(2)，对注意力向量取 softmax(1)。"
    ),
    "it has the convolutions of double attention, and computes something else with them": (
        "它有双重注意力的那些卷积，但用它们计算的是别的东西"
    ),
    # the lines to look at
    "Look in {file} at": "请看 {file} 的这些行：",
}
"""By template."""

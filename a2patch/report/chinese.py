"""What stands on a page of the checks, in Chinese. What a check found in a model: `zh`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from a2patch.runner import Verdict

PASSED: Mapping[str, str] = {
    "source": "源码的字节与打过补丁后应有的一致。",
    "import": "解释器导入的就是这份源码。",
    "register": "新的层已经导出，模型里写到它们的行按应有的方式解析。",
    "formula": "层的计算与论文公式一致。",
    "build": "每个模型的每个规模都能构建，文件里写到的层都在其中。",
    "finite": "所有权重和缓冲区都是有限的数。",
    "wiring": "每一层都读取应读的层。",
    "scale": "构建出来的规模就是所要的规模，参数量随规模递增。",
    "stride": "检测头读取的特征图步长依次增大。",
    "alone": "同一幅图像单独计算、成批计算、换一种顺序计算，结果都相同。",
    "sight": "检测头读到的特征仍能反映目标的位置。",
    "gradient": "我们的层里所有可学习的参数都有梯度。",
    "learn": "在同一批图像上训练几步，损失就会下降。",
    "base": "官方模型的结构和计算结果与打补丁之前相同。",
    "checkpoint": "模型保存后再加载，输出不变。",
    "train": "真实训练一个 epoch、验证和预测都能完成。",
    "amp": "用更低的精度计算时，每一层的结果与 float32 的差别都在该精度允许的范围内。",
    "export": "导出的模型与原模型输出一致。",
    "ddp": "两个进程训练的都是这份源码，梯度也相同。",
}
"""What it means that a check passed."""

REMEDIES: Mapping[str, str] = {
    "source": "用 `a2patch apply` 补全补丁，或用 `a2patch revert` 撤销补丁。",
    "import": "先解决无法导入的问题，或者重新安装这个包，再打一次补丁。",
    "register": "先撤销补丁再重新打：可能有人手工删掉了某一行。",
    "formula": "先撤销补丁再重新打：模块文件被改过。",
    "build": "检查 YAML 里的各行：拼写、参数、所读取的层的通道数。",
    "finite": "检查这一层如何创建参数：torch.empty 不会清除内存里原有的内容。",
    "wiring": "逐行对照它所依据的模型，看每一行读取哪一层；用 --base 可以指明那个模型。",
    "scale": "检查 YAML 里的 `scales`，以及 parse_model 如何缩放各层。",
    "stride": "让检测头读取每个阶段的最后一层，分辨率最高的排在最前。",
    "alone": "在 forward 里查找对第 0 维（batch）做的 softmax、mean、norm 或 view；"
    "不写 dim 的 softmax 对三维输入就取这一维。",
    "sight": "查找让所有位置变得相同的运算：求平均、对单个通道做 softmax、为零的增益。",
    "gradient": "查找切断梯度或把它乘以零的地方。",
    "learn": "先看还有哪些检查没有通过；如果都通过了，再看模型里有什么是随机的或不是有限数。",
    "base": "撤销补丁：补丁不应改动其他模型用到的东西。",
    "checkpoint": "查找这一层保存在参数和缓冲区以外的内容。",
    "train": "用同样的方法训练这份源码自带的官方模型；如果可以训练，再比较两个 YAML 文件。",
    "amp": "修好之前，训练时请设置 amp=False。",
    "export": "在 forward 里查找取决于单幅图像的数值或尺寸的地方。",
    "ddp": "修好之前，请只用一个设备训练。",
}
"""What to do where a check did not pass and says nothing of its own."""

RESULTS: Mapping[str, str] = {"pass": "通过", "fail": "有误", "known": "已知", "skip": "跳过"}

COLUMNS: Mapping[str, str] = {
    "scale": "规模",
    "layers": "层数",
    "parameters": "参数量",
    "gradients": "可训练参数",
    "counted": "torch 计数",
    "cost": "增幅",
}
"""The columns of the table of costs."""

_COUNTED = {"known": "项已知", "skip": "项跳过", "fail": "项有误"}


def conclusion(verdict: Verdict) -> str:
    """Return a verdict in one sentence."""
    count: Counter[str] = Counter(check.result for check in verdict.checks if not check.unasked)
    counts = [f"{count['pass']} 项通过", *(f"{count[key]} {word}" for key, word in _COUNTED.items() if count[key])]
    failed = "、".join(check.name for check in verdict.checks if check.result == "fail")
    counts[-1] += f"（{failed}）" if failed else ""
    return f"{'没有发现问题' if verdict.ok else '发现了问题'}：{'，'.join(counts)}。"

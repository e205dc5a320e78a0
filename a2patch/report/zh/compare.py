"""What is said of a comparison of models that were trained."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    # how far it is
    "{n} models, {said}, {n1} epochs: {n2} of {n3} trainings are finished.": (
        "{n} 个模型，{said}，每次训练 {n1} 轮：{n3} 次训练已完成 {n2} 次。"
    ),
    "{n} models, {said}, {n1} epochs: {n2} of {n3} trainings are finished, {n4} failed.": (
        "{n} 个模型，{said}，每次训练 {n1} 轮：{n3} 次训练已完成 {n2} 次，失败 {n4} 次。"
    ),
    "one seed": "一个种子",
    "{n} seeds": "{n} 个种子",
    # verdicts
    "{model}: better than {other}, with {said} ({metric} at the last epoch).": (
        "{model}：比 {other} 更好，用了{said}（最后一轮的 {metric}）。"
    ),
    "{model}: worse than {other}, with {said} ({metric} at the last epoch).": (
        "{model}：比 {other} 更差，用了{said}（最后一轮的 {metric}）。"
    ),
    "{model}: one seed decides nothing: {n} beside {other} may be chance ({metric} at the last epoch).": (
        "{model}：一个种子什么也不能判定，与 {other} 之差 {n} 可能只是偶然（最后一轮的 {metric}）。"
    ),
    "{model}: can't be told apart from {other} with {said}: the figures are the same with each seed "
    "({metric} at the last epoch).": (
        "{model}：用{said}与 {other} 分不出来，每个种子的数字都相同（最后一轮的 {metric}）。"
    ),
    "{model}: can't be told apart from {other} with {said}; for a difference of {n} it would take {said1} "
    "({metric} at the last epoch).": (
        "{model}：用{said}与 {other} 分不出来；要看出 {n} 的差别需要{said1}（最后一轮的 {metric}）。"
    ),
    "about {n}": "大约 {n} 个",
    "more than {n}": "超过 {n} 个",
    # notes
    "Each mAP50-95 is 0: nothing has been learned yet. Compare anew with more --epochs.": (
        "所有 mAP50-95 都是 0：还什么都没学到。请用更多的 --epochs 重新比较。"
    ),
    "One seed decides nothing: give --seeds 3 or more, which goes on from here.": (
        "一个种子什么也不能判定：请用 --seeds 3 或更多，它会接着做下去。"
    ),
    "Each interval stands for itself: of {n} differences that are none, one may well seem to be one.": (
        "每个区间各自成立：{n} 个其实没有差别的差之中，很可能有一个看起来有差别。"
    ),
    "AP by the size of objects is not told of {said}: it needs faster-coco-eval.": (
        "{said}没有给出按目标尺寸划分的 AP：这需要 faster-coco-eval。"
    ),
    'Install that beside a2patch: pip install "a2patch[sizes]".': (
        '请在 a2patch 所在的环境里安装：pip install "a2patch[sizes]"。'
    ),
    "Then a2patch compare --show FOLDER tells it, and trains nothing.": (
        "之后 a2patch compare --show FOLDER 就会给出，不用再训练。"
    ),
    "AP by the size of objects is not known of {said}, made by an earlier a2patch.": (
        "{said}是由较早的 a2patch 完成的，不知道其按目标尺寸划分的 AP。"
    ),
    "one training": "一次训练",
    "{n} trainings": "{n} 次训练",
    "{n} parameters, and {model} has {n1}": "参数量为 {n}，而 {model} 有 {n1}",
    "its first epoch starts elsewhere than the checkpoint: its added layers are no identity": (
        "它的第一轮不是从检查点的位置开始的：新增的层不是恒等映射"
    ),
    "{n} of its {n1} tensors are the checkpoint's, by name and shape": (
        "按名称和形状，{n1} 个张量中有 {n} 个来自检查点"
    ),
    "{n} of its {n1} tensors are the checkpoint's, by name and shape: "
    "it has the layers of the checkpoint and more of the same kind": (
        "按名称和形状，{n1} 个张量中有 {n} 个来自检查点：检查点里的层它都有，另外还有同类的层"
    ),
    # tables
    "At the last epoch": "最后一轮",
    "At the best epoch": "最好的一轮",
    "What each model costs": "每个模型的开销",
    "By class": "按类别",
    "{metric} at the last epoch by the size of objects (their number)": (
        "最后一轮按目标尺寸划分的 {metric}（括号内为个数）"
    ),
    "Differences by the size of objects, with intervals": "按目标尺寸划分的差，附区间",
    "small": "小",
    "medium": "中",
    "large": "大",
    "small ({n})": "小（{n}）",
    "medium ({n})": "中（{n}）",
    "large ({n})": "大（{n}）",
    "model": "模型",
    "trainings": "训练次数",
    "parameters": "参数量",
    "an epoch": "一轮",
    "memory": "内存",
    "class": "类别",
    "precision": "精确率",
    "recall": "召回率",
    "{device}, batch {n}": "{device}，批大小 {n}",
    "{n}, {n1} failed": "{n}，失败 {n1}",
    "{n} (one)": "{n}（一个种子）",
    "{n} ms [{n1}, {n2}], {n3} FPS": "{n} ms [{n1}, {n2}]，{n3} FPS",
    "{n} ms [{n1}, {n2}], {n3} FPS, {n4} ×": "{n} ms [{n1}, {n2}]，{n3} FPS，{n4} ×",
    "{n} s": "{n} 秒",
    "{n} GiB": "{n} GiB",
    # what it was made with
    "arguments": "参数",
    "images": "图像",
    "threads": "线程数",
    "command": "命令",
    "made": "生成者",
    "by a2patch {version}": "a2patch {version}",
    "{n} to train on, {n1} to validate on, {n2} classes": "训练 {n} 幅，验证 {n1} 幅，{n2} 个类别",
    # pictures
    "epoch": "轮次",
    "difference of {metric}": "{metric} 之差",
    "parameters, millions": "参数量（百万）",
    "GFLOPs at 640 px": "640 像素下的 GFLOPs",
    "ms for a batch of {n} on {device}": "{device} 上一批 {n} 幅的毫秒数",
    "{metric} against {said}": "{metric} 与{said}",
    # trainings that failed
    "{model}, seed {n}": "{model}，种子 {n}",
    "Its loss is no number after epoch {n}.": "第 {n} 轮之后，损失变成了非数值。",
    "It ended with status {n}.": "它以状态码 {n} 结束。",
    "It ended with status {n} while {said}.": "它以状态码 {n} 结束，当时正在{said}。",
    "It ended too soon while {said}.": "它提前结束，当时正在{said}。",
    "It was killed by signal {n} while {said}.": "它被信号 {n} 杀掉，当时正在{said}。",
    "It was lost with its worker: {said}": "它与运行它的进程一起丢失：{said}",
    "Ray could not make it: {said}": "Ray 无法运行它：{said}",
}
"""By template."""

"""Write the tables of `docs/blocks.md` and of its Chinese page: what each block costs three models, and every check.

python -m benchmarks.block_tables [--repeats 31] [--threads 1] [--blocks se ema] [--bases yolo26.yaml] [--print]

Times want a machine with nothing else to do. What the checks say takes most of the time; it is done after the times.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from a2patch.block import BASES, Block, bundled
from a2patch.protocol import Check
from benchmarks.in_models import AGAIN, BASE, Cost, checked, measured, patched
from tests.support.trees import NEWEST

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = {"en": DOCS / "blocks.md", "zh": DOCS / "zh" / "blocks.md"}
BEGIN, END = "<!-- written by `python -m benchmarks.block_tables`: begin -->", "<!-- end -->"
_MODEL = re.compile(r"\byolo\w+\.yaml ")  # of which there is one
USE = {
    "se": "根据整幅图像中所有通道的内容，为各个通道加权。",
    "eca": "根据通道自身及其相邻通道为每个通道加权，总共只有几个权重。",
    "cbam": "先根据整幅图像的均值和最大值为通道加权，再根据各通道的均值和最大值为位置加权。",
    "coord_att": "按行和按列为每个通道加权，从而知道目标在两个方向上的位置。",
    "simam": "根据每个值与其所在通道的差异为它加权，不含任何参数。",
    "ema": "用两个作用范围不同、互相参照的分支，为每组通道的各个位置加权。",
    "triplet_attention": "在通道、行、列两两构成的三个平面上加权，使每两者都发生交互。",
    "lska": "根据大卷积核在每个值周围看到的内容为它加权，代价只相当于小卷积核。",
}
WORDS = {
    "en": {
        "how": "As measured on {date}: ultralytics {release}, torch {torch}, Python {python}, {cores} cores, {threads} "
        "of them used, {repeats} repeats. Each model is the base at scale n with the block behind P3 and P4 of its "
        "backbone, with the arguments of its paper, as `a2patch insert` makes it. GFLOPs count convolutions and "
        "matrix products at 640 px. Latency is that of one image at 640 px on the CPU, batch norms folded, over the "
        "base's: medians of interleaved repeats, and the base a second time tells how much of it is noise.",
        **{"block": "block", "parameters": "parameters", "latency": "latency", "checks": "checks", "check": "check"},
        **{BASE: "the base", AGAIN: "the base again", "pass": "passed", "skip": "skipped", "fail": "failed"},
        "known": "known of the release",
        "paper": "paper",
    },
    "zh": {
        "how": "测量于 {date}：ultralytics {release}，torch {torch}，Python {python}，{cores} 核（使用 {threads} 核），"
        "重复 {repeats} 次。每个模型都是 n 尺度的基准模型，在骨干的 P3 和 P4 之后放入该模块，参数取自论文，"
        "与 `a2patch insert` 生成的相同。GFLOPs 统计 640 像素下的卷积和矩阵乘法。延迟是 CPU 上单张 640 像素图像的"
        "推理时间（已融合批归一化）与基准模型之比：交替重复取中位数；基准模型再测一次，可以看出其中有多少是噪声。",
        **{"block": "模块", "parameters": "参数量", "latency": "延迟", "checks": "检查", "check": "检查"},
        **{BASE: "基准模型", AGAIN: "基准模型（再测）", "pass": "项通过", "skip": "项跳过", "fail": "项失败"},
        "known": "项为该版本已知问题",
        "paper": "论文",
    },
}


@dataclass(frozen=True)
class Measured:
    """What came out for one base: what the models cost, and what the checks said, by the blocks' names."""

    base: str
    costs: Mapping[str, Cost]
    checks: Mapping[str, tuple[Check, ...]]

    @property
    def title(self) -> str:
        """The base as it is called: `YOLO26n`."""
        return f"{self.base.removesuffix('.yaml').replace('yolo', 'YOLO')}n"


def main() -> None:
    """Measure, and write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=31)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--blocks", nargs="+", default=sorted(bundled()), choices=sorted(bundled()))
    parser.add_argument("--bases", nargs="+", default=BASES, choices=BASES)
    parser.add_argument("--print", action="store_true", help="print the English tables, and write nothing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="a2patch-blocks-") as name:
        folder = Path(name).resolve()
        package, blocks = patched(NEWEST, folder, arguments.blocks)
        costs = {
            base: measured(package, folder, base, blocks, arguments.repeats, arguments.threads)
            for base in arguments.bases
        }
        found = [Measured(base, costs[base], checked(package, base, blocks, _notify)) for base in arguments.bases]
    blocks = [bundled()[name] for name in arguments.blocks]  # by the names that they have for their users
    setting = {**_setting(), "threads": str(arguments.threads), "repeats": str(arguments.repeats)}
    if arguments.print:
        print(tables("en", found, blocks, setting))
        return
    for language, page in PAGES.items():
        page.write_text(placed(page.read_text("utf-8"), tables(language, found, blocks, setting)), encoding="utf-8")


def placed(page: str, text: str) -> str:
    """Return a page with other text between its marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END, 1)[1]}"


def tables(language: str, found: Sequence[Measured], blocks: Sequence[Block], setting: Mapping[str, str]) -> str:
    """Return all that the page says of the blocks: a table for each base, then one for each block."""
    words = WORDS[language]
    parts = [words["how"].format_map(setting)]
    for one in found:
        parts += [f"### {one.title}", _costs(one, blocks, words)]
    for block in blocks:
        rows = ", ".join(f"`[-1, 1, {each.name}, {list(each.args)}]`" for each in block.classes)
        use = block.use if language == "en" else USE[block.name]
        paper = f"[{words['paper']}]({block.paper})"
        parts += [f"### {block.classes[0].name}", f"{block.title}. {use} {rows}, {paper}", _checks(found, block, words)]
    return "\n\n".join(parts)


def _costs(one: Measured, blocks: Sequence[Block], words: Mapping[str, str]) -> str:
    base = one.costs[BASE]
    lines = [
        [words["block"], words["parameters"], "GFLOPs", words["latency"], words["checks"]],
        [words[BASE], f"{base.parameters:,}", f"{base.flops / 1e9:.3f}", f"{1e3 * base.seconds:.1f} ms", ""],
        [words[AGAIN], "", "", f"{one.costs[AGAIN].seconds / base.seconds:.2f}", ""],
    ]
    for block in blocks:
        cost = one.costs[block.name]
        counts = Counter(check.result for check in one.checks[block.name])
        lines.append(
            [
                block.classes[0].name,
                f"+{cost.parameters - base.parameters:,}",
                f"+{(cost.flops - base.flops) / 1e9:.3f}",
                f"{cost.seconds / base.seconds:.2f}",
                ", ".join(
                    f"{counts[result]} {words[result]}"
                    for result in ("pass", "known", "skip", "fail")
                    if counts[result]
                ),
            ]
        )
    return _table(lines)


def _checks(found: Sequence[Measured], block: Block, words: Mapping[str, str]) -> str:
    lines = [[words["check"], *(one.title for one in found)]]
    for checks in zip(*(one.checks[block.name] for one in found), strict=True):
        lines.append([f"`{checks[0].name}`", *map(_said, checks)])
    return _table(lines)


def _said(check: Check) -> str:
    """Return what a check said: what it measured where it passed, else also what that means."""
    said = check.figure if check.result == "pass" else ": ".join(filter(None, (check.figure, check.meaning)))
    plain = " ".join(_MODEL.sub("", said).split()).replace("|", "\\|")
    return f"{check.result} {plain}".strip()


def _table(lines: Sequence[Sequence[str]]) -> str:
    head, *rows = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([head, f"{'|---' * len(lines[0])}|", *rows])


def _setting() -> dict[str, str]:
    import torch

    date = datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat()
    cores = str(os.cpu_count())
    return {
        **{"date": date, "release": NEWEST, "torch": torch.__version__},
        **{"python": platform.python_version(), "cores": cores},
    }


def _notify(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

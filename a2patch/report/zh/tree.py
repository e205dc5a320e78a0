"""What is said of the tree: its bytes, what is imported, how its layers are registered, and its stock models."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    # source
    "applied: {said}": "已打补丁：{said}",
    "edited: {said}": "被改动过：{said}",
    "What was edited since it was put in is tried as it is.": "打补丁之后的改动按原样检查。",
    "the tree is not patched": "这份源码没有打过补丁",
    "pristine": "未改动",
    "applied": "已打补丁",
    "edited": "被改动过",
    "partial": "不完整",
    "stale": "已过时",
    "conflict": "有冲突",
    "foreign": "不是我们的",
    "The bytes of the tree are not those of a patched one ({said}), so it is not compared with how it was.": (
        "这份源码的字节与打过补丁后应有的不一致（{said}），因此没有与它原来的样子比较。"
    ),
    "The bytes of the tree are not those of one with {block} ({said}).": (
        "这份源码的字节与带有 {block} 时应有的不一致（{said}）。"
    ),
    **{
        f"{site} {state}": f"{site} {chinese}"
        for site in ("module", "init", "tasks", "cfg")
        for state, chinese in (
            ("pristine", "未改动"),
            ("applied", "已打补丁"),
            ("edited", "被改动过"),
            ("partial", "不完整"),
            ("stale", "已过时"),
            ("conflict", "有冲突"),
            ("foreign", "不是我们的"),
        )
    },
    "Undo what `a2patch diff` names, or take the patch out with `a2patch revert`.": (
        "撤回 `a2patch diff` 指出的改动，或用 `a2patch revert` 撤销补丁。"
    ),
    "Complete the patch with `a2patch apply`, or take it out with `a2patch revert`.": (
        "用 `a2patch apply` 补全补丁，或用 `a2patch revert` 撤销补丁。"
    ),
    "Take it out with `a2patch revert {block}`, and put it in again with `a2patch apply`.": (
        "用 `a2patch revert {block}` 取出它，再用 `a2patch apply` 重新放入。"
    ),
    # import
    "Python imports {module} from {path}, not from the tree that was patched.": (
        "Python 从 {path} 导入 {module}，而不是从打过补丁的源码导入。"
    ),
    "Remove or rename the other copy, or verify with the interpreter that the tree belongs to.": (
        "请删掉另一份或给它改名，或者用这份源码所属的解释器来验证。"
    ),
    "Also on this interpreter's path, behind the tree: {names}.": (
        "这个解释器的搜索路径上，排在这份源码之后的还有：{names}。"
    ),
    "Broken before the patch: the untouched package doesn't import either. {said}": (
        "打补丁之前就有问题：没有改动过的包也无法导入。{said}"
    ),
    "Repair or reinstall the package first.": "请先修复或重新安装这个包。",
    "the tree can't be imported": "这份源码无法导入",
    "not asked for": "没有要求检查",
    "the tree is not wholly patched": "这份源码没有完整地打上补丁",
    "the tree is not wholly patched, so it is not known how it was before": (
        "这份源码没有完整地打上补丁，因此不知道它原来的样子"
    ),
    "it is about the stock models; verify without a MODEL makes it": (
        "这项检查针对官方模型；不写 MODEL 的 verify 才会做"
    ),
    "Verify without --quick.": "验证时请不要加 --quick。",
    "Verify with --full.": "验证时请加上 --full。",
    # register
    "{n} rows parsed": "解析了 {n} 行",
    "rows parsed wrongly": "有的行解析错误",
    "rows don't parse": "有的行无法解析",
    "not in __all__": "不在 __all__ 里",
    "another {kind}": "另一个 {kind}",
    "{kind} not in {module}": "{module} 里没有 {kind}",
    "{kind} is not imported in {module}.": "{module} 没有导入 {kind}。",
    "{kind} is not exported in {module}.": "{module} 没有导出 {kind}。",
    "{kind} is not defined in {module}.": "{module} 没有定义 {kind}。",
    "Revert, then apply again; an edit by hand may have removed the line.": (
        "先撤销补丁再重新打：可能有人手工删掉了那一行。"
    ),
    "{module}.__all__ doesn't name {kind}.": "{module}.__all__ 里没有 {kind}。",
    "The {kind} that {module} uses is not the one that was added, of {module1}: it is that of {module2} ({path}).": (
        "{module} 使用的 {kind} 不是所添加的那一个（{module1}），而是 {module2} 的（{path}）。"
    ),
    "Look for what gives the name to another class behind the import of ours, such as `import *`; rename that one.": (
        "查找在导入我们的类之后又把这个名字给了另一个类的地方，例如 `import *`；请给那个类改名。"
    ),
    "A model of rows with the new classes fails: {said}.": "由新的类的各行组成的模型出错：{said}。",
    "parse_model gives {value}, expected {value1}.": "parse_model 给出 {value}，应为 {value1}。",
    "The branch must stand inside parse_model's if/elif chain on the module, not before or after it.": (
        "分支必须写在 parse_model 对模块的 if/elif 链里面，不能在它之前或之后。"
    ),
    # base
    "alike": "相同",
    "{n} scales": "{n} 个规模",
    "{n} scales alike, {n1} parameters at {scale}; {said} alike": (
        "{n} 个规模相同，规模 {scale} 的参数量为 {n1}；{said}也相同"
    ),
    "{n} scales alike, {n1} parameters at {scale}": "{n} 个规模相同，规模 {scale} 的参数量为 {n1}",
    "{n} scales alike, {n1} parameters; {said} alike": "{n} 个规模相同，参数量为 {n1}；{said}也相同",
    "{n} scales alike, {n1} parameters": "{n} 个规模相同，参数量为 {n1}",
    "alike, {n} parameters at {scale}; {said} alike": "相同，规模 {scale} 的参数量为 {n}；{said}也相同",
    "alike, {n} parameters at {scale}": "相同，规模 {scale} 的参数量为 {n}",
    "alike, {n} parameters; {said} alike": "相同，参数量为 {n}；{said}也相同",
    "alike, {n} parameters": "相同，参数量为 {n}",
    "scale {scale}": "规模 {scale}",
    "The untouched copy of the package, to compare with, can't be tried. {said}": (
        "用来比较的未改动的副本无法检查。{said}"
    ),
    "The patch changes the stock {file}: at scale {scale}, {said}.": (
        "补丁改变了官方的 {file}：在规模 {scale} 下，{said}。"
    ),
    "it doesn't build any more": "它不再能构建",
    "it has {n} parameters instead of {n1}": "它的参数量是 {n}，而不是 {n1}",
    "it has another number of layers": "它的层数变了",
    "layer {n} is another": "第 {n} 层变了",
    "the same weights give another output": "同样的权重给出不同的输出",
    "Revert; the patch must not touch what other models are made of.": ("请撤销补丁：补丁不应改动其他模型用到的东西。"),
    "as without the patch": "与不打补丁时一样",
    "The untouched package fails in the same way with {model}: {said}": "没有改动过的包用 {model} 也会这样出错：{said}",
    "The release and the libraries of its interpreter don't fit; try older libraries.": (
        "这个版本与解释器里的库不匹配；请试试更旧的库。"
    ),
    # other copies
    "Not everybody uses this tree: {said}. If this is the tree that you train, uninstall the other copy, or install "
    "this one in its place (`pip install -e`).": (
        "并非所有命令都使用这份源码：{said}。如果你训练用的就是这份源码，请卸载另一份，"
        "或者把这一份安装到它的位置（`pip install -e`）。"
    ),
    "`yolo …` with {python} uses {path} ({said})": "用 {python} 运行的 `yolo …` 使用 {path}（{said}）",
    "`python script.py`, for a script in {folder} uses {path} ({said})": (
        "在 {folder} 里运行脚本的 `python script.py` 使用 {path}（{said}）"
    ),
    "installed": "已安装",
    "editable link": "可编辑安装的链接",
    "current folder": "当前文件夹",
}
"""By template."""

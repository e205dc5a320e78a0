"""What is said of how the layers of a model are connected."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    # layers
    "the image": "输入图像",
    "{n} ({kind}, stride {n1})": "第 {n} 层（{kind}，步长 {n1}）",
    "{n} ({kind})": "第 {n} 层（{kind}）",
    # faults
    "layer {said} reads {said1}, whose stage goes on with {said2}": ("{said}读取{said1}，而那一阶段之后还有{said2}"),
    "{said} reads maps of the strides {names}, which should strictly rise": (
        "{said}读取的特征图步长是 {names}，本应逐个增大"
    ),
    "{said} joins {said1} twice": "{said}把{said1}拼接了两次",
    "nothing reads {said}; delete it, or let a layer read it": "没有任何层读取{said}；请删掉它，或让某一层读取它",
    "{said} reads {said1}, and its comment says “{comment}”": "{said}读取{said1}，而它的注释写的是“{comment}”",
    "{said} reads {said1} where that of {base} reads {said2}": "{said}读取{said1}，而 {base} 的同一层读取{said2}",
    "{said} reads {said1} where that of {base} reads {said2}; {said3} where that of {base1} reads {said4}": (
        "{said}读取{said1}，而 {base} 的同一层读取{said2}；还读取{said3}，而 {base1} 的同一层读取{said4}"
    ),
    "{said} where that of {base} reads {said1}": "还读取{said}，而 {base} 的同一层读取{said1}",
    "{said} does not read what that of {base} reads": "{said}读取的层与 {base} 的同一层不同",
    "In {model} {said}.": "{model} 中，{said}。",
    "and {n} more": "另有 {n} 处",
    "The row of layer {n} is commented {n1}: its file was numbered before a row was put in.": (
        "第 {n} 层那一行的注释写的是 {n1}：文件里的编号是插入一行之前写的。"
    ),
    # remedies
    "Wire it as {base} is:": "请按 {base} 那样连接：",
    "Every index after an inserted row moves by one.": "插入一行之后，后面的每个层号都要加一。",
    "Look at what the branch of parse_model for our layers leaves behind for the rows after them.": (
        "检查 parse_model 里处理我们的层的分支给后面各行留下了什么。"
    ),
    # figures
    "1 layer": "1 层",
    "{n} of {n1} layers": "{n1} 层中的 {n} 层",
    "{model} {n} layers": "{model} {n} 层",
    "{model} {n} layers, as {base}": "{model} {n} 层，与 {base} 一致",
    # remarks
    "Nothing reads {said}: delete its row.": "没有任何层读取{said}：请删掉那一行。",
    "Nothing reads {said}: delete its row, and with it {names}.": (
        "没有任何层读取{said}：请删掉那一行，并连同第 {names} 层一起删掉。"
    ),
    "Layer {said} reads {n}, past {said1}.": "{said}读取第 {n} 层，绕过了{said1}。",
    "Its base is {base}: {said}.": "它的基础模型是 {base}：{said}。",
    "The closest stock model is {base}: {said}.": "最接近的官方模型是 {base}：{said}。",
    "a layer added": "新增 1 层",
    "a layer left out": "去掉 1 层",
    "a layer of another kind": "1 层类型不同",
    "a layer reading others": "1 层读取的层不同",
    "{n} layers added": "新增 {n} 层",
    "{n} layers left out": "去掉 {n} 层",
    "{n} layers of another kind": "{n} 层类型不同",
    "{n} layers reading others": "{n} 层读取的层不同",
    "The row of layer {n} is commented {n1}; the numbers in the comments are old.": (
        "第 {n} 层那一行的注释写的是 {n1}；注释里的编号已经过时。"
    ),
    # beside the same file without our rows
    "{model}: at scale {scale}, our layers not counted, layer {n} is {said}, and without our rows {said1}": (
        "{model}：在规模 {scale} 下，不算我们的层，第 {n} 层是{said}，而去掉我们的行时是{said1}"
    ),
    "{kind} with {n} parameters reading {sources}": "{kind}（参数量 {n}，读取 {sources}）",
    "{model}: at scale {scale}, our layers not counted, it has {n} layers, and without our rows {n1}": (
        "{model}：在规模 {scale} 下，不算我们的层共有 {n} 层，而去掉我们的行时有 {n1} 层"
    ),
    "{said_model} doesn't build, and its rows can't be followed: {said}": (
        "{said_model}无法构建，也无法逐行跟踪连接：{said}"
    ),
}
"""By template."""

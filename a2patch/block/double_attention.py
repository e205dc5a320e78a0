"""Double attention: what its classes, its module and its models are called in a tree."""

from __future__ import annotations

from a2patch.block.addition import Addition, Branch, LaterModel
from a2patch.block.folder import folder
from a2patch.protocol import AddedBlock, ExpectedRow, Form

BASE = "yolov8.yaml"
"""The stock model that the models are made from."""

BASES = (BASE, "yolo11.yaml", "yolo26.yaml")
"""The stock models that other blocks are tried in: the first that a tree has."""

BLOCK = "DoubleAttentionBlock"
"""The working design: with a residual, and a gain that starts at 0."""

LAYER = "DoubleAttentionLayer"
"""The layer by itself, as the tutorial names it."""

CLASSES = (BLOCK, LAYER)

MODULE = "double_attention"
"""The module file without its ending; saved models name it."""

MODEL = "yolov8_A2.yaml"
"""The model of the working design."""

TUTORIAL = "yolov8_DANet.yaml"
"""The model of the tutorial, kept as it is."""

MODELS = (MODEL, TUTORIAL)

LATER = (
    LaterModel("cfg/models/11/yolo11_A2.yaml", "cfg/models/11/yolo11.yaml"),
    LaterModel("cfg/models/26/yolo26_A2.yaml", "cfg/models/26/yolo26.yaml"),
)
"""The working design for the families that came later."""

_BRANCH = (
    "c1 = c2 = ch[f]",
    f"if m is {LAYER}:  # args are c_m, c_n, reconstruct",
    "\tc_m = make_divisible({channels} * {width}, 8)",
    "\targs = [c_m, *args[1:]]",
    "\tif not any(args[2:]):",
    "\t\tc2 = c_m",
    "args = [c1, *args]",
)

ADDITION = Addition(MODULE, CLASSES, CLASSES, (Branch(CLASSES, _BRANCH),), MODELS, LATER)
"""What the edits put in for it."""

# Widths that no model has: c_m differs from the channels before it, so that a row whose output width the parser takes
# from its input, as for a class it does not know, can't pass.
_ROWS = (
    ExpectedRow((-1, 1, "Conv", [64, 3, 2]), 32),
    ExpectedRow((-1, 1, LAYER, [128, 4]), 64, (("c_m", 64),)),
    ExpectedRow((-1, 1, LAYER, [192, 4, True]), 64, (("c_m", 96),)),  # brought back
    ExpectedRow((-1, 2, BLOCK, [0.25]), 64, layers=2),
    ExpectedRow((-1, 1, "Conv", [16, 1]), 8),
)

ADDED = AddedBlock(
    reference=folder().joinpath(MODULE, "reference.py").read_text("utf-8"),
    rows=_ROWS,
    forms=tuple(Form(LAYER, (6, 5, 3, reconstruct), 6) for reconstruct in (False, True)),
    unlike=(
        f"{LAYER} doesn't compute A²-Nets' double attention; a softmax over the wrong axis does this.",
        "The maps are normalised over the positions, the vectors over the c_n descriptors.",
    ),
    gain="bn",
    descriptors="c_n",
    vectors="convV",
    maps="convB",
    cancelled=("convB.bias",),
    shifts=("convA.bias", "conv_reconstruct.bias", "bn.bias"),
)
"""What its checks go by."""

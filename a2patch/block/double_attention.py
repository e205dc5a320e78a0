"""Double attention: what its classes, its module and its models are called in a tree."""

from __future__ import annotations

from a2patch.block.addition import Addition, Branch

BASE = "yolov8.yaml"
"""The stock model that the models are made from."""

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

_BRANCH = (
    "c1 = c2 = ch[f]",
    f"if m is {LAYER}:  # args are c_m, c_n, reconstruct",
    "\tc_m = make_divisible({channels} * {width}, 8)",
    "\targs = [c_m, *args[1:]]",
    "\tif not any(args[2:]):",
    "\t\tc2 = c_m",
    "args = [c1, *args]",
)

ADDITION = Addition(MODULE, CLASSES, CLASSES, (Branch(CLASSES, _BRANCH),), MODELS)
"""What the edits put in for it."""

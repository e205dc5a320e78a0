"""Double attention: what its classes, its module and its models are called in a tree."""

from __future__ import annotations

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

"""What the help of each verb ends with: a command that its reader can type, and what it does."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, str] = {
    "apply": """\
Examples:
  a2patch apply                                 patch the ultralytics of this environment, and verify it
  a2patch apply --dry-run > preview.diff        look first; nothing is written
  a2patch apply --copy-to patched               where the environment can't be written
  a2patch apply my_block.py                     a block of your own; `a2patch blocks` lists those that come along""",
    "verify": """\
Examples:
  a2patch verify                                the patched tree, down to an epoch of training
  a2patch verify my-model.yaml --quick          a model of your own, in seconds
  a2patch verify best.pt --report best.html --image photos
                                                with pictures, over images of yours, as one page""",
    "revert": """\
Examples:
  a2patch revert                                the tree is as it was, to the byte
  a2patch revert ema                            one block only""",
    "recover": """\
Example:
  a2patch recover                               after a crash or a power cut""",
    "status": """\
Examples:
  a2patch status                                what stands in the tree, and what to type next
  a2patch status --check && python train.py     train only with a patch that is whole and verified""",
    "blocks": """\
Example:
  a2patch blocks                                what comes along, and what the tree has""",
    "diff": """\
Example:
  a2patch diff | git apply --check -            the patch as git sees it, in a clone""",
    "insert": """\
Examples:
  a2patch insert --base yolov8 --at P3          writes yolov8_A2-p3.yaml here
  a2patch insert --base yolo11 --each -o study  one file for each position that the model has""",
    "compare": """\
Examples:
  a2patch compare --data coco8.yaml --base yolov8n.yaml yolov8n_A2.yaml --control -- imgsz=640
  a2patch compare --show runs/compare           say again what came out""",
    "transplant": """\
Example:
  a2patch transplant yolov8n.pt --model yolov8n_A2.yaml -o yolov8n_A2.pt""",
}

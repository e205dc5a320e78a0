"""Broken models that build, or nearly: each is caught by the check that should, and by none that should not."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pytest

from a2patch.block import CLASSES
from a2patch.errors import ModelError
from a2patch.protocol import Check
from a2patch.runner.verdict import CHECKS
from a2patch.runner.verify import Subject, verify
from a2patch.transaction import look_at, untouched
from a2patch.tree import tree
from patches import releases
from tests.support.chinese import english_left, page_of
from tests.support.command import a2patch, here, patch
from tests.support.models import SOURCES
from tests.support.probes import tried
from tests.support.trees import NEWEST

pytest.importorskip("torch")
pytest.importorskip("torchvision")

A2, DANET = (SOURCES / name for name in ("yolov8_A2.yaml", "yolov8_DANet.yaml"))
STATIC = ("build", "wiring", "scale", "stride", "sight", "gradient")
LAYER, BLOCK = "DoubleAttentionLayer, [128, 1]", "DoubleAttentionBlock, [0.25]"
SEEING = (LAYER, "DoubleAttentionLayer, [128, 4]")
Edit = tuple[str, str]


@dataclass(frozen=True)
class Broken:
    """A model and the checks that must fail on it."""

    name: str
    source: Path
    edits: tuple[Edit, ...]
    caught_by: tuple[str, ...]
    told: str

    def write(self, folder: Path) -> Path:
        text = self.source.read_text(encoding="utf-8")
        for old, new in self.edits:
            assert text.count(old) == 1, (self.name, old, text.count(old))
            text = text.replace(old, new)
        path = folder / self.name.replace(" ", "-") / "yolov8n-broken.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


def single_at(row: str, width: int) -> tuple[Edit, ...]:
    """The tutorial's layer, its c_n 1, after a row, in the place of the block there or in the head."""
    return ((row, row.replace(BLOCK, f"DoubleAttentionLayer, [{width}, 1]")),)


P3_BLOCK, P4_BLOCK = f"[-1, 1, {BLOCK}] # 5", f"[-1, 1, {BLOCK}] # 8"
HEAD_P3 = "[-1, 3, C2f, [256]] # 17 (P3/8-small)"
BROKEN = (
    Broken(
        "the head left as it was before the row was put in",
        DANET,
        (
            SEEING,
            ("[[-1, 7], 1", "[[-1, 6], 1"),
            ("[[-1, 5], 1", "[[-1, 4], 1"),
            ("[[-1, 13], 1", "[[-1, 12], 1"),
            ("[[-1, 10], 1", "[[-1, 9], 1"),
            ("[[16, 19, 22]", "[[15, 18, 21]"),
        ),
        ("wiring",),
        "12 (Concat",
    ),
    Broken("one Concat off by one", A2, (("[[-1, 14], 1", "[[-1, 13], 1"),), ("wiring",), "14 (C2f"),
    Broken("Detect on the wrong stage", A2, (("[[17, 20, 23]", "[[17, 14, 23]"),), ("wiring",), "20 (C2f"),
    Broken("Detect in the wrong order", A2, (("[[17, 20, 23]", "[[20, 17, 23]"),), ("wiring", "stride"), "16, 8, 32"),
    Broken("a map joined with itself", A2, (("[[-1, 14], 1", "[[-1, 18], 1"),), ("wiring",), "twice"),
    Broken("c_n = 1 at P2", DANET, (), ("sight", "gradient"), "input 0"),
    Broken("c_n = 1 at P3", A2, single_at(P3_BLOCK, 256), ("sight", "gradient"), "layer 5"),
    Broken("c_n = 1 at P4", A2, single_at(P4_BLOCK, 512), ("sight", "gradient"), "layer 8"),
    Broken(
        "c_n = 1 right before Detect",
        A2,
        ((HEAD_P3, "[-1, 1, DoubleAttentionLayer, [256, 1]] # 17 (P3/8-small)"),),
        ("sight", "gradient"),
        "input 0",
    ),
    Broken("the row misspelt", A2, ((P3_BLOCK, "[-1, 1, DoubleAttentionBlok, [0.25]] # 5"),), ("build",), "Blok"),
    Broken(
        "maps of different sizes joined, which doesn't build",
        A2,
        (("[[-1, 8], 1", "[[-1, 7], 1"), ("[[-1, 5], 1", "[[-1, 2], 1")),
        ("build", "wiring"),
        "Sizes of tensors must match",
    ),
    Broken("an index that leads nowhere", A2, (("[[17, 20, 23]", "[[17, 20, 99]"),), ("build",), "row 24 reads 99"),
)
SOUND = (
    Broken("as it ships", A2, (), (), ""),
    Broken("two descriptors", DANET, ((LAYER, "DoubleAttentionLayer, [128, 2]"),), (), ""),
    Broken("many descriptors, brought back", DANET, ((LAYER, "DoubleAttentionLayer, [64, 32, True]"),), (), ""),
)


@pytest.fixture(scope="module")
def package(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A patched release."""
    return patch(releases.unpack(NEWEST, cache, tmp_path_factory.mktemp("tree")).resolve())


def checks(package: Path, subject: Subject, only: Collection[str] = STATIC) -> dict[str, Check]:
    verdict = verify(package, Path(sys.executable), {}, lambda _: None, os.environ, only=only, subject=subject)
    assert [check.name for check in verdict.checks] == list(CHECKS)
    return {check.name: check for check in verdict.checks}


def test_each_broken_model_is_caught_by_the_check_that_should_and_no_sound_one(package: Path, tmp_path: Path) -> None:
    subjects = {model.name: Subject(model.write(tmp_path)) for model in BROKEN}
    subjects |= {
        model.name: Subject(model.write(tmp_path), base=package / "cfg/models/v8/yolov8.yaml") for model in SOUND
    }
    for subject in subjects.values():  # two scales tell what five would
        text = subject.file.read_text(encoding="utf-8")
        subject.file.write_text(re.sub(r"\n  [mlx]: .*", "", text), encoding="utf-8")
    (tmp_path / "work").mkdir()
    found = tried(package, subjects, STATIC, tmp_path / "work")
    failed = {name: tuple(n for n, c in checks.items() if c.result == "fail") for name, checks in found.items()}
    assert failed == {model.name: model.caught_by for model in (*BROKEN, *SOUND)}
    for model in BROKEN:
        first = found[model.name]["sight" if "sight" in model.caught_by else model.caught_by[0]]
        assert model.told in first.meaning + first.figure, first
    assert english_left(page_of(check for checks in found.values() for check in checks.values())) == []
    unbuilt = found["maps of different sizes joined, which doesn't build"]["wiring"]
    assert "16 (Concat" in unbuilt.meaning
    assert "+  - [[-1, 5], 1, Concat, [1]] # cat backbone P3" in unbuilt.detail
    for model in SOUND:
        assert {n: found[model.name][n].result for n in STATIC} == dict.fromkeys(STATIC, "pass"), found[model.name]


def test_an_off_by_one_is_put_right(package: Path, tmp_path: Path) -> None:
    """The diff that the check prints makes the file what it was."""
    file = BROKEN[0].write(tmp_path)
    found = checks(package, Subject(file), ("wiring",))["wiring"]
    lines = file.read_text(encoding="utf-8")
    changes = [line for line in found.detail.splitlines()[2:] if line.startswith(("-", "+"))]
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert (old[0], new[0]) == ("-", "+")
        lines = lines.replace(old[1:], new[1:])
    assert lines == DANET.read_text(encoding="utf-8").replace(*SEEING)


def test_a_name_without_a_scale_letter_is_said(package: Path, tmp_path: Path) -> None:
    (tmp_path / "yolov8-mine.yaml").write_bytes(A2.read_bytes())
    subject = Subject(tmp_path / "yolov8-mine.yaml")
    assert "silently builds scale n" in checks(package, subject, ("scale",))["scale"].meaning
    named = Subject(subject.file, scale="s")
    assert "silently" not in checks(package, named, ("scale",))["scale"].meaning


def test_a_block_without_its_residual_is_blind(package: Path, tmp_path: Path) -> None:
    """Its gain starts at zero, so nothing comes through it."""
    path = package / "nn/modules/double_attention.py"
    text = path.read_text(encoding="utf-8")
    assert text.count("return x + self.bn(") == 1
    path.write_text(text.replace("return x + self.bn(", "return self.bn("), encoding="utf-8")
    try:
        found = checks(package, Subject(SOUND[0].write(tmp_path)), ("build", "wiring", "sight"))
    finally:
        path.write_text(text, encoding="utf-8")
    assert {name for name, check in found.items() if check.result == "fail"} == {"sight"}
    assert "layer 5" in found["sight"].meaning


def test_a_gradient_that_bursts_once_the_gain_has_moved(package: Path, tmp_path: Path) -> None:
    """With a gain of zero the logarithm is that of one, and its gradient finite."""
    path = package / "nn/modules/double_attention.py"
    text = path.read_text(encoding="utf-8")
    old = "return x + self.bn(self.attn(x))"
    assert text.count(old) == 1
    path.write_text(text.replace(old, "return x + torch.log1p(1e3 * self.bn(self.attn(x)))"), encoding="utf-8")
    try:
        found = checks(package, Subject(SOUND[0].write(tmp_path)), ("gradient",))["gradient"]
    finally:
        path.write_text(text, encoding="utf-8")
    assert found.result == "fail"
    assert "after the first step no finite gradient reaches" in found.meaning


def test_a_shift_that_its_readers_take_away_is_no_fault(package: Path, tmp_path: Path) -> None:
    """What reads the layer behind SPPF is convolutions of one pixel with batch norms: they cancel a channel's bias."""
    file = tmp_path / "yolov8n-sppf.yaml"
    assert a2patch("insert", "--base", "yolov8", "--at", "sppf", "-o", file, *here(package)).code == 0
    found = checks(package, Subject(file), ("gradient",))["gradient"]
    assert (found.result, found.figure) == ("pass", "10 tensors, 4 zero by algebra"), found


def test_a_bias_that_a_norm_of_another_block_cancels_is_no_fault(cache: Path, tmp_path: Path) -> None:
    package = patch(releases.unpack(NEWEST, cache, tmp_path / "tree").resolve())
    block = tmp_path / "normed.py"
    block.write_text(
        "from torch import nn\n\n\nclass Normed(nn.Module):\n    def __init__(self, c1):\n        super().__init__()\n"
        "        self.conv, self.norm = nn.Conv2d(c1, c1, 1), nn.BatchNorm2d(c1)\n\n"
        "    def forward(self, x):\n        return x + self.norm(self.conv(x)).sigmoid()\n"
    )
    given = a2patch("apply", block, "--row", "Normed=keep", "--no-verify", *here(package))
    assert given.code == 0, given.err
    model = Broken("two blocks", A2, ((P3_BLOCK, "[-1, 1, Normed, []] # 5"),), (), "").write(tmp_path)
    found = checks(package, Subject(model, classes=(*CLASSES, "Normed")), ("gradient",))["gradient"]
    assert found.result == "pass", found


def test_a_shift_that_comes_to_nothing_in_the_block_is_a_fault(package: Path, tmp_path: Path) -> None:
    path = package / "nn/modules/double_attention.py"
    text = path.read_text(encoding="utf-8")
    old = "return x + self.bn(self.attn(x))"
    assert text.count(old) == 1
    path.write_text(text.replace(old, old + " - self.bn.bias.view(1, -1, 1, 1)"), encoding="utf-8")
    try:
        found = checks(package, Subject(SOUND[0].write(tmp_path)), ("gradient",))["gradient"]
    finally:
        path.write_text(text, encoding="utf-8")
    assert (found.result, found.figure) == ("fail", "2 of 20"), found
    assert "model.5.bn.bias, model.8.bn.bias" in found.meaning


@pytest.mark.parametrize(
    ("name", "content", "scale", "told"),
    [
        ("no-model.yaml", "hello: 1", "", "no list of layers"),
        ("no-yaml.yaml", "[", "", "is no YAML: line 2: "),
        ("no-checkpoint.pt", "hello", "", "is no checkpoint, but a text file"),
        ("yolov8.yaml", A2.read_text(encoding="utf-8"), "q", "no scale 'q'"),
    ],
)
def test_what_is_no_model_is_told(
    name: str, content: str, scale: str, told: str, package: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        checks(package, Subject(tmp_path / name, scale=scale), ("build",))
    assert told in caught.value.found


def test_a_checkpoint_of_the_users_own(package: Path, cache: Path, tmp_path: Path) -> None:
    program = (
        f"import sys, torch; sys.path.insert(0, {str(package.parent)!r})\n"
        "from ultralytics.nn.tasks import DetectionModel\n"
        f"model = DetectionModel({str(DANET)!r}, verbose=False).half()\n"
        f"torch.save({{'model': model, 'ema': None, 'epoch': -1, 'train_args': {{}}}}, {str(tmp_path / 'best.pt')!r})\n"
    )
    import subprocess

    environment = {**os.environ, "YOLO_CONFIG_DIR": str(tmp_path), "YOLO_OFFLINE": "true"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, capture_output=True)
    found = checks(package, Subject(tmp_path / "best.pt"), (*STATIC, "checkpoint", "train"))
    assert {name for name, check in found.items() if check.result == "fail"} == {"sight", "gradient"}
    assert found["checkpoint"].result == "pass"
    assert "trained already" in found["train"].meaning
    unpatched = releases.unpack(NEWEST, cache, tmp_path / "unpatched").resolve()
    with pytest.raises(ModelError) as caught:
        checks(unpatched, Subject(tmp_path / "best.pt"), ("build",))
    assert "run `a2patch apply`" in caught.value.remedy


def test_a_checkpoint_without_our_layers_needs_no_patch(package: Path) -> None:
    subject = Subject(package / "cfg/models/v8/yolov8-cls.yaml")
    before = untouched(look_at(tree.find(package)))
    assert before
    verdict = verify(
        package, Path(sys.executable), before, lambda _: None, os.environ, only=("checkpoint",), subject=subject
    )
    found = next(check for check in verdict.checks if check.name == "checkpoint")
    assert (found.result, found.meaning) == ("pass", "")
    assert "also without the patch" in found.figure


def test_an_unpatched_tree_will_do_for_a_model_without_our_layers(cache: Path, tmp_path: Path) -> None:
    package = releases.unpack("8.1.0", cache, tmp_path).resolve()
    subject = Subject(package / "cfg/models/v8/yolov8-pose.yaml")
    verdict = verify(
        package, Path(sys.executable), None, lambda _: None, os.environ, only=(*STATIC, "learn"), subject=subject
    )
    found = {check.name: check.result for check in verdict.checks}
    assert {name for name, result in found.items() if result == "pass"} == {
        "import", "build", "wiring", "scale", "stride", "sight", "learn",
    }  # fmt: skip
    assert found["gradient"] == "skip"


def test_why_a_check_can_not_be_made_of_a_model_of_ones_own_is_told(cache: Path, tmp_path: Path) -> None:
    package = releases.unpack("8.1.0", cache, tmp_path).resolve()
    model = package / "cfg/models/v8/yolov8-cls.yaml"
    answer = a2patch("verify", model, "--quick", *here(package), "--json")
    assert answer.code == 0, answer.err
    found = {check["name"]: check for check in answer.document["verdict"]["checks"]}
    assert (found["register"]["result"], found["register"]["meaning"]) == ("skip", "the tree is not wholly patched")
    assert found["sight"]["meaning"] == "not asked for"


def test_a_model_with_our_layers_needs_a_patched_tree(cache: Path, tmp_path: Path) -> None:
    package = releases.unpack("8.1.0", cache, tmp_path).resolve()
    model = tmp_path / "two_kinds.yaml"
    model.write_text(A2.read_text("utf-8").replace(BLOCK, "EMA, [8]", 1), "utf-8")
    answer = a2patch("verify", model, "--quick", *here(package))
    assert answer.code == 1, answer.err
    told = "does not know DoubleAttentionBlock and EMA: run `a2patch apply` and `a2patch apply ema` first"
    assert told in " ".join(answer.out.split())


def test_the_command_tries_a_model(package: Path, tmp_path: Path) -> None:
    file = BROKEN[2].write(tmp_path)
    answer = a2patch("verify", file, "--quick", "--base", "yolov8.yaml", *here(package), "--json")
    assert answer.code == 1, answer.err
    found = {check["name"]: check for check in answer.document["verdict"]["checks"]}
    assert found["wiring"]["result"] == "fail"
    assert "+  - [[17, 20, 23], 1, Detect, [nc]] # Detect(P3, P4, P5)" in found["wiring"]["detail"].splitlines()
    assert found["train"]["meaning"] == "not asked for"
    assert a2patch("verify", "--scale", "s", "--ultralytics-path", package).code == 2

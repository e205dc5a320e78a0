"""Module files that build and run, and are broken: each with the check that must catch it, and what it must tell."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.published import IMPORTS, PUBLISHED


@dataclass(frozen=True)
class Faulty:
    """A module file with one class of the rule `keep`, and how it is caught.

    Attributes:
        source: The file.
        name: The class.
        check: The check that finds the fault; empty for a sound one.
        told: Words of what it tells, the lines to look at included.
    """

    source: bytes
    name: str
    check: str = ""
    told: tuple[str, ...] = ()


def _text(name: str, body: str, check: str = "", *told: str) -> Faulty:
    return Faulty((IMPORTS + body).encode(), name, check, told)


def _gate(name: str, init: str, forward: str) -> str:
    """Return a class that weighs its input by a convolution of it, with lines of its own."""
    return f"""class {name}(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.cv = nn.Conv2d(channels, channels, 1)
        {init}

    def forward(self, x):
        w = self.cv(x)
        {forward}
        return x * w.sigmoid()
"""


FAULTY = {
    "softmax_over_no_axis": Faulty(
        PUBLISHED["softmax_over_no_axis"].source, "A2", "alone", ("mixes the images", "F.softmax(self.b(x)")
    ),
    "softmax_over_another_axis": Faulty(
        PUBLISHED["softmax_over_no_axis"]
        .source.replace(b"F.softmax(self.b(x).flatten(2))", b"self.b(x).flatten(2).softmax(2)")
        .replace(b"F.softmax(self.v(x).flatten(2))", b"self.v(x).flatten(2).softmax(2)")
        .replace(b"self.a, self.b, self.v", b"self.convA, self.convB, self.convV")
        .replace(b"self.a(", b"self.convA(")
        .replace(b"self.b(", b"self.convB(")
        .replace(b"self.v(", b"self.convV(")
        .replace(b"self.r", b"self.conv_reconstruct")
        .replace(b"class A2(", b"class A2Other("),
        "A2Other",
        "formula",
        ("its vectors (convV) over the positions instead of the channels", "softmax(2)"),
    ),
    "batch_norm_by_hand": _text(
        "ByBatch",
        _gate("ByBatch", "pass", "w = w - w.mean(0, keepdim=True)"),
        "alone",
        "mixes the images",
        "w.mean(0",
    ),
    "random": _text(
        "Random", _gate("Random", "pass", "w = F.dropout(w, 0.1)"), "alone", "draws random numbers", "F.dropout"
    ),
    "growing": _text(
        "Growing",
        _gate("Growing", "self.seen = 0.0", "self.seen = 0.9 * self.seen + w.mean().item(); w = w - self.seen"),
        "alone",
        "keeps something",
        "self.seen = 0.9",
    ),
    "hoarding": _text(  # gives the same each time
        "Hoarding",
        _gate("Hoarding", "self.kept = []", "self.kept.append(w.detach())"),
        "alone",
        "keeps what it computes",
        "self.kept.append",
    ),
    "dead_branch": _text(
        "DeadBranch",
        _gate("DeadBranch", "self.other = nn.Conv2d(channels, channels, 1)", "w = w + 0 * self.other(x)"),
        "gradient",
        "other.weight",
        "0 * self.other(x)",
    ),
    "unused": _text(
        "Unused",
        _gate("Unused", "self.left = nn.Conv2d(channels, channels, 1)", "pass"),
        "gradient",
        "left.weight",
        "self.left = nn.Conv2d",
    ),
    "one_channel": _text(
        "OneChannel",
        _gate("OneChannel", "self.one = nn.Conv2d(channels, 1, 1)", "w = w * self.one(x).softmax(1)"),
        "gradient",
        "one.weight",
        "softmax(1)",
    ),
    "in_place": _text(
        "InPlace", _gate("InPlace", "pass", "x *= w.sigmoid()"), "gradient", "is changed in place", "write `x = x * …`"
    ),
    "of_one_type": _text(  # what is computed in more bits tells nothing of it
        "OfOneType", _gate("OfOneType", "pass", "w = w + F.conv2d(x, torch.ones(1, x.shape[1], 1, 1))")
    ),
    "averaging": _text(
        "Averaging",
        """class Averaging(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.cv = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return self.cv(x.mean((2, 3), keepdim=True)).expand_as(x)
""",
        "sight",
        "is blind",
        "x.mean((2, 3)",
    ),
    "cancelled_biases": _text(  # a softmax and a norm take them away again
        "Cancelled",
        """class Cancelled(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.cv, self.bn = nn.Conv2d(dim, dim, 3, padding=1, bias=True), nn.BatchNorm2d(dim)
        self.mask = nn.Conv2d(dim, 1, 1)

    def forward(self, x):
        m = self.mask(x).flatten(2).softmax(2)
        context = (x.flatten(2) @ m.transpose(1, 2)).unsqueeze(3)
        return x + F.relu(self.bn(self.cv(x))) + context
""",
    ),
    "starts_as_nothing": _text(  # learns from the second step on
        "Gated",
        """class Gated(nn.Module):
    def __init__(self, c1):
        super().__init__()
        self.cv, self.g = nn.Conv2d(c1, c1, 1), nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return x + self.g * (self.cv(x) - x)
""",
    ),
    "nothing_to_learn": Faulty(PUBLISHED["nothing"].source, "simam_module"),
}
"""The files, by their names without the ending."""

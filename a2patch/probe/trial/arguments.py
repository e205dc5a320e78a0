"""Arguments that a class can be given in a row, by the names of its parameters."""

from __future__ import annotations

import inspect
from typing import Any, Iterator, List, NamedTuple, Tuple


class Parameter(NamedTuple):
    """A parameter that a row can pass: by its place."""

    name: str
    required: bool
    default: Any


REPEATS = frozenset(("n", "num_blocks", "num_layers", "repeats", "depth", "layers", "nums"))
"""What people call the number of repeats."""

_EXPECTED = object()
# What a parameter of a name is often given, the commonest first.
_VALUES = (
    ("reduction reduction_ratio ratio r squeeze squeeze_factor rd_ratio reduce red", (16, 8, 4)),
    ("factor", (8, 4, 32)),
    ("groups group g num_groups n_groups gn_groups ngroups", (8, 4, 16, 32)),
    ("num_heads heads head n_heads nheads nhead n_head head_num", (8, 4, 2)),
    ("kernel_size kernel k ks k_size ksize kernel_sizes", (3, 7, 5)),
    ("stride s strides", (1,)),
    ("padding pad", (1, 0, 3)),
    ("dilation d dilations", (1,)),
    ("expand expansion expand_ratio e exp mlp_ratio expand_factor", (0.5, 2, 4)),
    ("bias qkv_bias shortcut add use_bias residual norm act", (True, False)),
    ("dropout drop drop_rate attn_drop proj_drop drop_path rate dropout_rate", (0.1, 0.0)),
    ("eps e_lambda lamb epsilon", (1e-4,)),
    ("window_size window ws win_size", (4, 8, 7)),
    ("num length num_inputs n_inputs n levels num_levels", (2, 1)),
    ("num_layers num_blocks n_layers depth repeats", (1, 2)),
    ("gamma", (2,)),
    ("b", (1,)),
    ("hidden mid mid_channels hid inter_channels hidden_dim inner_dim hidden_channels", (32, 64)),
    ("head_dim dim_head key_dim qk_dim", (32, 16)),
    ("h w height width size resolution input_resolution img_size feat_size fmap_size hw", (20, 40)),
    ("dimension axis", (1,)),
)
REDUCTIONS = frozenset(_VALUES[0][0].split())
"""What people call the factor by which channels are made fewer; some write it as a fraction."""

BY_NAME = {name: values for names, values in _VALUES for name in names.split()}
"""What a parameter of a name can be tried with."""


def parameters(cls: Any) -> List[Parameter]:
    """Return the parameters of a class that can be passed by their place."""
    try:
        found = list(inspect.signature(cls.__init__).parameters.values())[1:]
    except (TypeError, ValueError):
        return []
    placed = [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [Parameter(p.name, p.default is p.empty, None if p.default is p.empty else p.default) for p in placed]


def candidates(rest: List[Parameter]) -> Iterator[Tuple[Any, ...]]:
    """Yield the arguments to try for parameters: their defaults first, then with one of them changed.

    Yields nothing where one must be given and its name does not tell what.
    """
    count = max((place + 1 for place, each in enumerate(rest) if each.required), default=0)
    first = [_first(each) for each in rest]
    if any(each is _EXPECTED for each in first[:count]):
        return
    yield tuple(first[:count])
    for place, each in enumerate(rest):
        if first[place] is _EXPECTED or not _plain(first[place]):
            return  # what stands before must be written too
        for value in BY_NAME.get(each.name.lower(), ()):
            if value != first[place]:
                yield (*first[:place], value, *first[place + 1 : count])


def unknown(rest: List[Parameter]) -> str:
    """Return the first parameter that must be given, and whose name does not tell what; empty if there is none."""
    return next((each.name for each in rest if each.required and each.name.lower() not in BY_NAME), "")


def _first(each: Parameter) -> Any:
    """Return what a parameter is tried with first."""
    return BY_NAME.get(each.name.lower(), (_EXPECTED,))[0] if each.required else each.default


def _plain(value: Any) -> bool:
    """Return whether a row can hold a value."""
    if isinstance(value, (list, tuple)):
        return all(map(_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))

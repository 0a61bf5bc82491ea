"""How a dissection was made, and how to make it again and cite it."""

from __future__ import annotations

import re
from typing import Any

from prefdissect.report.contents import Contents

__all__ = ["making_section"]

_CITE = (
    "The method: Junlong Li, Fan Zhou, Shichao Sun, Yikai Zhang, Hai Zhao and Pengfei Liu. 2024. Dissecting Human and "
    "LLM Preferences. Proceedings of the 62nd Annual Meeting of the Association for Computational Linguistics.",
    "The software: prefdissect {version}.",
)
_ARGUMENTS: tuple[str, ...] = (
    "by",
    "encoding",
    "ties",
    "position",
    "generators",
    "cluster",
    "engine",
    "draws",
    "chains",
    "folds",
)
_ARGUMENTS += ("interval", "min_pairs", "robust", "pooling", "exclude_from_pool", "pair_effect")


def making_section(contents: Contents) -> dict[str, Any]:
    """Return the options, versions, hash of the data, the call, and what to cite."""
    options = dict(contents.options)
    versions = options.pop("versions", {})
    asked = [f"    {name}={options[name]!r}," for name in (*_ARGUMENTS, "random_seed") if name in options]
    judges = list(contents.posterior.judges)
    call = ["result = prefdissect.dissect(", "    data,", f"    judge={judges!r},", *asked]
    prior = re.sub(r"\b(Laplace|Normal)\(", r"prefdissect.\1(", str(options.get("prior")))
    return {
        "options": [[name, value if isinstance(value, str) else repr(value)] for name, value in options.items()],
        "versions": [[name, version] for name, version in versions.items()],
        "call": "\n".join([*call, f"    prior={prior},", ")"]),
        "cite": [line.format(version=versions.get("prefdissect", "")) for line in _CITE],
    }

"""Named sets of options, and how they go along with options that are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefdissect._typing import Clustering, Encoding, Pooling, Preset, Ties, check_choice, check_switch
from prefdissect.errors import OptionError
from prefdissect.inference import PAPER_PRIOR, PriorLike

__all__ = ["apply_preset"]

_PAPER: dict[str, Any] = {
    "ties": "drop",
    "position": False,
    "generators": False,
    "encoding": "comparison",
    "cluster": "none",
    "prior": PAPER_PRIOR,
    "pooling": "none",
}
_DEFAULTS = _PAPER | {"ties": "davidson", "position": "auto", "generators": "auto", "cluster": None}


def apply_preset(
    preset: Preset | None,
    chosen: Mapping[str, Any],
    cluster: Clustering | None,
    prior: PriorLike,
    pooling: Pooling = "none",
) -> tuple[dict[str, Any], Clustering, PriorLike]:
    """Return the options of the design, each checked, the clustering and the prior, as a preset has them.

    Without a preset clusters count where fits are pooled, if not said otherwise.

    Raises
    ------
    OptionError
        If one is no option, or is given and is not what the preset says.
    """
    check_choice("encoding", chosen["encoding"], Encoding)
    check_choice("ties", chosen["ties"], Ties)
    if cluster is not None:
        check_choice("cluster", cluster, Clustering)
    for name in ("position", "generators"):
        check_switch(name, chosen[name])
    if preset is None:
        return dict(chosen), cluster or ("none" if pooling == "none" else "auto"), prior
    check_choice("preset", preset, Preset)
    for name, value in {**chosen, "cluster": cluster, "prior": prior, "pooling": pooling}.items():
        if value not in (_PAPER[name], _DEFAULTS[name]):
            raise OptionError(
                f"preset={preset!r} has {name}={_PAPER[name]!r}, and {name}={value!r} was given; leave out one of both"
            )
    return {name: _PAPER[name] for name in chosen}, _PAPER["cluster"], _PAPER["prior"]

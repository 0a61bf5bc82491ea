"""Names under which one judge goes: the paper writes `gpt-4-turbo`, its data `gpt-4-1106-preview`."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["JUDGE_PREFIX", "resolve_judge"]

JUDGE_PREFIX = "judge_"

# Source: Li et al. 2024 (ACL), names in the text and in the released labels.
_SAME = (("gpt-4-turbo", "gpt-4-1106-preview"), ("gpt-3.5-turbo", "gpt-3.5-turbo-1106"))


def resolve_judge(name: str, known: Collection[str]) -> str:
    """Return the one of `known` that is meant by `name`: itself, else without its prefix, else by its other name.

    A name that none of them bears comes back without its prefix.

    Examples
    --------
    >>> resolve_judge("gpt-4-turbo", ["human", "gpt-4-1106-preview"])
    'gpt-4-1106-preview'
    >>> resolve_judge("gpt-4-turbo", ["gpt-4-turbo", "gpt-4-1106-preview"])
    'gpt-4-turbo'
    >>> resolve_judge("judge_human", ["human"])
    'human'
    """
    bare = name.removeprefix(JUDGE_PREFIX)
    others = (other for pair in _SAME if bare in pair for other in pair)
    return next((one for one in (name, bare, *others) if one in known), bare)

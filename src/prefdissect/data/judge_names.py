"""Names under which one judge goes: the paper writes `gpt-4-turbo`, its data `gpt-4-1106-preview`."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["resolve_judge"]

# Source: Li et al. 2024 (ACL), names in the text and in the released labels.
_SAME = (("gpt-4-turbo", "gpt-4-1106-preview"), ("gpt-3.5-turbo", "gpt-3.5-turbo-1106"))


def resolve_judge(name: str, known: Collection[str]) -> str:
    """Return the one of `known` that is meant by `name`: itself, else its other name, else `name` as it is.

    Examples
    --------
    >>> resolve_judge("gpt-4-turbo", ["human", "gpt-4-1106-preview"])
    'gpt-4-1106-preview'
    >>> resolve_judge("gpt-4-turbo", ["gpt-4-turbo", "gpt-4-1106-preview"])
    'gpt-4-turbo'
    """
    if name in known:
        return name
    others = (other for pair in _SAME if name in pair for other in pair)
    return next((other for other in others if other in known), name)

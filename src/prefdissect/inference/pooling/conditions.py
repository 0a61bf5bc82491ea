"""What a pooled fit needs, and what it cannot be combined with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefdissect.errors import OptionError, UnknownNameError, choices
from prefdissect.features import Design
from prefdissect.inference.options import FitOptions
from prefdissect.inference.prior import PAPER_PRIOR, PriorLike

__all__ = ["check_pooling", "terms_when_pooled"]

_WHY_NOT = "pooling={pooling!r} goes with engine='exact' or 'ep', without folds= and robust=; got {got}"


def check_pooling(design: Design, prior: PriorLike, options: FitOptions) -> None:
    """Raise where the options do not go together with pooling, or there is nothing to pool.

    Raises
    ------
    OptionError
        For options that do not go together, groups that overlap, one judge in one group.
    UnknownNameError
        Where a judge to be excluded is not dissected.
    """
    if options.pooling == "none":
        _refuse_without_pooling(options)
        return
    got = [f"engine={options.engine!r}"] if options.engine == "nuts" else []
    got += [f"folds={options.folds}"] if options.folds else []
    got += ["robust=True"] if options.robust else []
    if got:
        raise OptionError(_WHY_NOT.format(pooling=options.pooling, got=", ".join(got)))
    if options.pooling == "partial" and prior != PAPER_PRIOR:
        raise OptionError(
            f"pooling='partial' learns how large weights are, so that prior={prior!r} would say nothing; leave prior= "
            "out, or fit each judge and group apart with pooling='none'"
        )
    cases = [name for name in design.groups if design.group_kinds[name] == "case"]
    if cases:
        raise OptionError(
            f"pooling={options.pooling!r} is over groups that share no pairs, and {cases[0]!r} is a case, whose pairs "
            "are in scenarios, too; take by='scenario' or a column"
        )
    for name in options.exclude_from_pool:
        if name not in design.judges:
            raise UnknownNameError(f"exclude_from_pool= names {name!r}; {choices(name, design.judges)}")
    n_judges = len(design.judges) - len(set(options.exclude_from_pool))
    if n_judges * len(design.groups) < 2:
        raise OptionError(
            f"pooling={options.pooling!r} needs two judges or two groups to pool, and there are {n_judges} and "
            f"{len(design.groups)}; take pooling='none'"
        )


def terms_when_pooled(chosen: Mapping[str, Any], options: FitOptions, *, own: bool) -> dict[str, Any]:
    """Return the options of a design: all but ties on a latent scale; `own`, a judge's own response, needs the models.

    Raises
    ------
    OptionError
        For terms that pooled fits cannot have, or that are needed and left out.
    """
    if options.pooling != "none" and chosen["ties"] == "ordered":
        raise OptionError(
            f"pooling={options.pooling!r} does not go with ties='ordered', whose weights are on a scale of their own; "
            "take ties='davidson', or pooling='none'"
        )
    if own and chosen["generators"] is False:
        raise OptionError(
            "self_preference=True needs generators: without them a judge's own responses are preferred for being good; "
            "leave generators= out"
        )
    return {**chosen, "generators": True} if own else dict(chosen)


def _refuse_without_pooling(options: FitOptions) -> None:
    for name in ("exclude_from_pool", "pair_effect"):
        value = getattr(options, name)
        if value:
            raise OptionError(
                f"{name}={value!r} says how to pool, and pooling='none'; take pooling='partial' or leave it out"
            )

"""A message that asks a model for what a judge likes, or for what it likes least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prefdissect._typing import Direction, check_choice, check_count, check_flag
from prefdissect.audit.pair_card import aim
from prefdissect.audit.shift import bounds_of, sigmoid
from prefdissect.errors import OptionError, TooFewPairsError, UnknownNameError, choices
from prefdissect.features import Design
from prefdissect.inference import Posterior
from prefdissect.llm import Prompt
from prefdissect.schema import Property

__all__ = ["SteeringMessage", "steering_message"]

_PROMPT = Prompt("prefdissect.audit", "steer")


@dataclass(frozen=True)
class SteeringMessage:
    """A system message, and why it says what it says.

    Parameters
    ----------
    text
        The message.
    judge, group, direction
        For whom it was made, by which fit, and whether it steers toward the judge's favour or away from it.
    properties
        What it asks for: property, rank (1 is the judge's favourite), weight, probability, lower and upper (of the
        weight, at `interval`), prob_positive.
    prompt_hash
        The version of the wording.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> schema = pdx.PAPER.select(["clear", "lengthy"])
    >>> study = pdx.simulate(600, schema=schema, judges=["me"], scenarios=None, weights={"clear": 1.0}, random_seed=0)
    >>> message = pdx.dissect(study.data, random_seed=0).steering_message("all", k=1)
    >>> message.direction, message.properties["property"].tolist(), str(message) == message.text
    ('toward', ['clear'], True)
    """

    text: str
    judge: str
    group: str
    direction: Direction
    properties: pd.DataFrame
    prompt_hash: str

    def __str__(self) -> str:
        """Return the message itself."""
        return self.text

    @property
    def doubtful(self) -> list[str]:
        """What it asks for though the interval is not all above 0 (`toward`), or all below 0 (`away`)."""
        of = self.properties
        sure = of["lower"] > 0 if self.direction == "toward" else of["upper"] < 0
        return of.loc[~sure, "property"].tolist()

    def why(self) -> str:
        """Return in a line or two what it asks for, how likely that is to win, and of what the fit is not sure."""
        asked = ", ".join(f"{p.property} {p.probability:.2f}" for p in self.properties.itertuples())
        sign, side = ("liked", "above") if self.direction == "toward" else ("disliked", "below")
        doubt = f"\nnot surely {sign} (the interval is not all {side} 0): {', '.join(self.doubtful)}"
        return f"{aim(self.direction, self.judge)}, {self.group} ({asked})" + doubt * bool(self.doubtful)

    def __repr__(self) -> str:
        return f"SteeringMessage {self.why()}\n\n{self.text}"


def steering_message(
    design: Design,
    posterior: Posterior,
    judge: str,
    group: str,
    *,
    k: int = 3,
    direction: Direction = "toward",
    certain: bool = False,
) -> SteeringMessage:
    """Return a system message that asks for the `k` properties that a judge likes most, or least, in a group.

    Both directions ask for more of the named properties: away from a judge's favour lies what it likes least.
    Source: Li et al. 2024, manipulation without training (there k = 3, by the posterior mean).

    Parameters
    ----------
    design, posterior
        Of a dissection.
    judge, group
        Whose weights, in which scenario or case.
    k
        How many properties.
    direction
        `toward` or `away`.
    certain
        Only properties whose weight is certainly above 0 (`toward`), or certainly below 0 (`away`): the posterior
        interval excludes 0.

    Raises
    ------
    UnknownNameError
        If there is no such judge or group.
    TooFewPairsError
        If the group has no fit of this judge.
    OptionError
        If there are fewer than `k` properties, or fewer that are certain.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> from prefdissect.audit import steering_message
    >>> schema = pdx.PAPER.select(["friendly", "clear", "lengthy"])
    >>> study = pdx.simulate(
    ...     600, schema=schema, judges=["me"], scenarios=None, weights={"clear": 1.0, "lengthy": -1.0}, random_seed=0
    ... )
    >>> result = pdx.dissect(study.data, random_seed=0)
    >>> message = steering_message(result.design, result.fitted, "me", "all", k=1)
    >>> print(message)
    While you answer, take care that every reply has these qualities:
    - clear and understandable: Is easy to read and leaves no doubt what is meant.
    Show them clearly, but do not name this list or say that you follow it.
    >>> steering_message(result.design, result.fitted, "me", "all", k=1, direction="away").properties["property"].item()
    'lengthy'
    """
    check_choice("direction", direction, Direction)
    check_flag("certain", certain)
    table = ranked(design, posterior, judge, group)
    side = table if direction == "toward" else table.iloc[::-1]
    if certain:
        side = side[side["lower"] > 0] if direction == "toward" else side[side["upper"] < 0]
    if check_count("k", k) > len(side):
        sure = f" whose weight is certainly {'above' if direction == 'toward' else 'below'} 0" if certain else ""
        raise OptionError(
            f"k={k}, but judge {judge!r} has {len(side)} {'property' if len(side) == 1 else 'properties'}{sure} in "
            f"group {group!r}{_named(side)}; ask for fewer{', or leave certain=False' if certain else ''}"
        )
    chosen = side.head(k).reset_index(drop=True)
    schema = design.encoder.schema
    text = _PROMPT.fill(wanted=[_described(schema[str(name)]) for name in chosen["property"]])
    return SteeringMessage(text, judge, group, direction, chosen, _PROMPT.hash)


def ranked(design: Design, posterior: Posterior, judge: str, group: str) -> pd.DataFrame:
    """Return the properties of one fit, the judge's favourite first."""
    for what, name, valid in (("judge", judge, posterior.judges), ("group", group, posterior.groups)):
        if name not in valid:
            raise UnknownNameError(f"unknown {what} {name!r}; {choices(name, valid)}")
    fit = posterior.fits.get((judge, group))
    if fit is None:
        fitted = [g for g in posterior.groups if (judge, g) in posterior.fits]
        raise TooFewPairsError(
            f"judge {judge!r} has no fit in group {group!r}: too few pairs; groups with one: "
            f"{', '.join(fitted) or 'none'}"
        )
    kept = design.is_property
    draws = fit.draws.reshape(-1, fit.draws.shape[-1])[:, kept].astype(np.float64)
    lower, upper = bounds_of(draws, posterior.interval)
    weight = fit.mean[kept]
    table = pd.DataFrame(
        {
            "property": list(design.encoder.schema.ids),
            "weight": weight,
            "probability": sigmoid(weight),
            "lower": lower,
            "upper": upper,
            "prob_positive": (draws > 0).mean(axis=0),
        }
    ).sort_values("weight", ascending=False, kind="stable", ignore_index=True)
    table.insert(1, "rank", np.arange(1, len(table) + 1))
    table.attrs = {"interval": posterior.interval}
    return table


def _described(prop: Property) -> dict[str, str | bool]:
    """Return what the message says of a property; amounts are asked for as such, and no description is made up."""
    is_amount = prop.kind in ("number", "words") and prop.direction == "higher"
    return {"name": prop.name, "description": prop.description, "is_amount": is_amount}


def _named(side: pd.DataFrame) -> str:
    return f" ({', '.join(map(str, side['property']))})" if 0 < len(side) <= 5 else ""

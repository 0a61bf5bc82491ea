"""The messages of a judge for every scenario and both directions, and whose posterior they come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from prefdissect._typing import Condition, Direction
from prefdissect.audit.steer import SteeringMessage, steering_message
from prefdissect.errors import OptionError, UnknownNameError, choices
from prefdissect.features import Design
from prefdissect.inference import Posterior

__all__ = ["Steering"]


@dataclass(frozen=True, eq=False, repr=False)
class Steering:
    """How a model is steered toward a judge's favour or away from it, scenario by scenario.

    Made by `Dissection.steering`; `run_experiment` tries it out.

    Parameters
    ----------
    design, posterior
        Of the dissection that knows the judge.
    judge
        Whose favour.
    k
        How many properties each message asks for.
    certain
        Only properties whose sign is certain.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> schema = pdx.PAPER.select(["clear", "lengthy"])
    >>> truth = {"clear": 1.0, "lengthy": -1.0}
    >>> study = pdx.simulate(600, schema=schema, judges=["me"], scenarios=None, weights=truth, random_seed=0)
    >>> pdx.dissect(study.data, random_seed=0).steering(k=1)
    Steering by judge 'me', 1 property
      all, toward: clear
      all, away: lengthy
    """

    design: Design
    posterior: Posterior
    judge: str
    k: int = 3
    certain: bool = False

    def message(self, group: str, direction: Direction) -> SteeringMessage:
        """Return the message for one scenario or case; see `steering_message` for its errors."""
        return steering_message(
            self.design, self.posterior, self.judge, group, k=self.k, direction=direction, certain=self.certain
        )

    @property
    def groups(self) -> list[str]:
        """Scenarios in which the judge has a fit; cases where there are only these."""
        return [g for g in self._fitted if self.design.group_kinds[g] != "case"] or self._fitted

    @property
    def _fitted(self) -> list[str]:
        return [g for g in self.posterior.groups if (self.judge, g) in self.posterior.fits]

    def texts(self, group: str, conditions: tuple[Condition, ...]) -> dict[Condition, str | None]:
        """Return the system message of each condition in one scenario or case; None for `none`."""
        if group not in self._fitted:
            raise UnknownNameError(
                f"no fit of judge {self.judge!r} in scenario {group!r}, so nothing is known to steer by; leave its "
                f"prompts out, or name another scenario for them; {choices(group, self._fitted)}"
            )
        return {c: None if c == "none" else self.message(group, c).text for c in conditions}

    def remarks(self, groups: Iterable[str], conditions: Iterable[Condition]) -> list[str]:
        """Say where a message asks for what works against it: fewer than `k` weights have the sign that it needs."""
        found = []
        for condition in (c for c in conditions if c != "none"):
            wrong = {g: [*self._wrong(g, condition)] for g in groups}
            said = "; ".join(f"{', '.join(names)} in {group!r}" for group, names in wrong.items() if names)
            if said:
                sign = "below" if condition == "toward" else "above"
                found.append(f"{condition} asks for what has a weight {sign} 0: {said}; a smaller k leaves it out")
        return found

    def _wrong(self, group: str, direction: Direction) -> list[str]:
        asked = self.message(group, direction).properties
        wrong = asked["weight"] < 0 if direction == "toward" else asked["weight"] > 0
        return [str(name) for name in asked.loc[wrong, "property"]]

    def __repr__(self) -> str:
        n = f"{self.k} {'property' if self.k == 1 else 'properties'}"
        lines = [f"Steering by judge {self.judge!r}, {n}{', of certain sign' * self.certain}"]
        for group in self.groups:
            for direction in get_args(Direction):
                lines.append(f"  {group}, {direction}: {self._names(group, direction)}")
        return "\n".join(lines)

    def _names(self, group: str, direction: Direction) -> str:
        """Name what a message asks for, or say that there is none: to be looked at must not be an error."""
        try:
            return ", ".join(self.message(group, direction).properties["property"])
        except OptionError:
            return f"no message, as fewer than {self.k} {'are certain' if self.certain else 'are there'}"

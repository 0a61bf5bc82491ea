"""The messages of a judge for every scenario and both directions, and whose posterior they come from."""

from __future__ import annotations

from dataclasses import dataclass

from prefdissect._typing import Condition, Direction
from prefdissect.audit.steer import SteeringMessage, steering_message
from prefdissect.errors import UnknownNameError, choices
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
        fitted = [g for g in self.posterior.groups if (self.judge, g) in self.posterior.fits]
        return [g for g in fitted if self.design.group_kinds[g] != "case"] or fitted

    def texts(self, group: str, conditions: tuple[Condition, ...]) -> dict[Condition, str | None]:
        """Return the system message of each condition in one scenario; None for `none`."""
        if group not in self.groups:
            raise UnknownNameError(
                f"no fit of judge {self.judge!r} in scenario {group!r}, so nothing is known to steer by; leave its "
                f"prompts out, or name another scenario for them; {choices(group, self.groups)}"
            )
        return {c: None if c == "none" else self.message(group, c).text for c in conditions}

    def __repr__(self) -> str:
        lines = [f"Steering by judge {self.judge!r}, {self.k} properties{', of certain sign' * self.certain}"]
        for group in self.groups:
            for direction in ("toward", "away"):
                asked = self.message(group, direction).properties["property"]
                lines.append(f"  {group}, {direction}: {', '.join(asked)}")
        return "\n".join(lines)

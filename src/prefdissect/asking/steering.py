"""How a model is steered by what a judge prefers."""

from __future__ import annotations

from prefdissect._typing import Direction, check_count, check_flag
from prefdissect.asking.fitted import Fitted
from prefdissect.audit import Steering, SteeringMessage
from prefdissect.choose import pick
from prefdissect.errors import OptionError, choices

__all__ = ["SteersModels"]


class SteersModels(Fitted):
    """The methods of `Dissection` that steer models toward a judge or away from it."""

    def steering(self, judge: str | None = None, *, k: int = 3, certain: bool = False) -> Steering:
        """Return the messages of all scenarios, which `run_experiment` tries out; see `Steering`.

        `judge` may be left out where there is one only.

        Raises
        ------
        UnknownNameError
            If there is no such judge.
        OptionError
            If there are several and none was named, or `k` is no number of properties.
        """
        if judge is None and len(self.judges) > 1:
            raise OptionError(f"judge=None, but a model is steered by one judge; {choices('', self.judges)}")
        (name,) = pick("judge", judge, self.judges)
        check_flag("certain", certain)
        return Steering(self.design, self.fitted, name, check_count("k", k), certain)

    def steering_message(
        self,
        scenario: str,
        judge: str | None = None,
        *,
        k: int = 3,
        direction: Direction = "toward",
        certain: bool = False,
    ) -> SteeringMessage:
        """Return a system message that asks for what a judge likes most, or least; see `steering_message`.

        Raises
        ------
        UnknownNameError, TooFewPairsError, OptionError
            If there is no such judge or scenario, the scenario has no fit, or there are fewer than `k` properties.
        """
        return self.steering(judge, k=k, certain=certain).message(scenario, direction)

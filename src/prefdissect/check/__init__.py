"""Can a fit be trusted: findings of many checks, and predictions of pairs that it did not see."""

from __future__ import annotations

from prefdissect.check.case import design_effect_of
from prefdissect.check.checks import Checks
from prefdissect.check.heldout import HeldOut, hold_out
from prefdissect.check.left_out import longer
from prefdissect.check.run import FOLDS, hold_out_where_possible, run_checks

__all__ = [
    "FOLDS",
    "Checks",
    "HeldOut",
    "design_effect_of",
    "hold_out",
    "hold_out_where_possible",
    "longer",
    "run_checks",
]

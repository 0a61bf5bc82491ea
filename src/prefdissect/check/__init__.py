"""Can a fit be trusted: predictions of pairs that it did not see."""

from __future__ import annotations

from prefdissect.check.heldout import HeldOut, hold_out

__all__ = ["HeldOut", "hold_out"]

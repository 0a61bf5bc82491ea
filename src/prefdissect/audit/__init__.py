"""How far a judge, and what is built on its verdicts, can be gamed."""

from __future__ import annotations

from prefdissect.audit.steer import SteeringMessage, steering_message

__all__ = ["SteeringMessage", "steering_message"]

"""How far a judge, and what is built on its verdicts, can be gamed.

`steering_message` asks a model for what a judge likes, or likes least; `Steering` holds the messages of all scenarios,
and `run_experiment` tries them out.
"""

from __future__ import annotations

from prefdissect.audit.experiment import estimate_experiment, run_experiment
from prefdissect.audit.generating import ChatGenerator
from prefdissect.audit.prompt_sets import load_prompts
from prefdissect.audit.steer import SteeringMessage, steering_message
from prefdissect.audit.steering import Steering
from prefdissect.audit.tried import Experiment

__all__ = [
    "ChatGenerator",
    "Experiment",
    "Steering",
    "SteeringMessage",
    "estimate_experiment",
    "load_prompts",
    "run_experiment",
    "steering_message",
]

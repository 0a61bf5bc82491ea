"""How far a judge, and what is built on its verdicts, can be gamed.

`steering_message` asks a model for what a judge likes, or likes least; `Steering` holds the messages of all scenarios,
and `run_experiment` tries them out. `preference_pairs` labels pairs by what a fit says the judge prefers, so that a
model can be trained toward the judge or away from it; `PreferencePairs` holds them and writes them for TRL, with a card
that says what they are.
"""

from __future__ import annotations

from prefdissect.audit.experiment import estimate_experiment, run_experiment
from prefdissect.audit.generating import ChatGenerator
from prefdissect.audit.label_pairs import check_pair_options, preference_pairs
from prefdissect.audit.pair_card import card_path
from prefdissect.audit.pair_texts import Candidates, gather
from prefdissect.audit.pairs import PreferencePairs
from prefdissect.audit.prompt_sets import load_prompts
from prefdissect.audit.steer import SteeringMessage, steering_message
from prefdissect.audit.steering import Steering
from prefdissect.audit.tried import Experiment

__all__ = [
    "Candidates",
    "ChatGenerator",
    "Experiment",
    "PreferencePairs",
    "Steering",
    "SteeringMessage",
    "card_path",
    "check_pair_options",
    "estimate_experiment",
    "gather",
    "load_prompts",
    "preference_pairs",
    "run_experiment",
    "steering_message",
]

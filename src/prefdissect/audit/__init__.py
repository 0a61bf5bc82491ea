"""How far a judge, and a benchmark built on it, can be gamed.

Without a model: `predicted_shift` says by how much a change of properties moves a win rate, `exploit` what one step of
each property and the best few together reach, `audit_benchmark` what rules win of a benchmark, and who leads it with
properties held equal.

With one: `steering_message` asks a model for what a judge likes, or likes least; `Steering` holds the messages of all
scenarios, and `run_experiment` tries them out; `sort_prompts` tells which scenario each prompt belongs to.

By training: `preference_pairs` labels pairs by what a fit says the judge prefers; `PreferencePairs` holds them and
writes them for TRL, with a card that says what they are.
"""

from __future__ import annotations

from prefdissect.audit.benchmark import Audit, AuditFigure
from prefdissect.audit.experiment import estimate_experiment, run_experiment
from prefdissect.audit.exploitability import exploit
from prefdissect.audit.exploited import Exploitability
from prefdissect.audit.generating import ChatGenerator
from prefdissect.audit.label_pairs import check_pair_options, preference_pairs
from prefdissect.audit.pair_card import card_path
from prefdissect.audit.pair_texts import Candidates, gather
from prefdissect.audit.pairs import PreferencePairs
from prefdissect.audit.prompt_sets import load_prompts, sort_prompts
from prefdissect.audit.run import Plan, audit_benchmark, audit_design, check_plan
from prefdissect.audit.shift import predicted_shift
from prefdissect.audit.steer import SteeringMessage, steering_message
from prefdissect.audit.steering import Steering
from prefdissect.audit.tried import Experiment

__all__ = [
    "Audit",
    "AuditFigure",
    "Candidates",
    "ChatGenerator",
    "Experiment",
    "Exploitability",
    "Plan",
    "PreferencePairs",
    "Steering",
    "SteeringMessage",
    "audit_benchmark",
    "audit_design",
    "card_path",
    "check_pair_options",
    "check_plan",
    "estimate_experiment",
    "exploit",
    "gather",
    "load_prompts",
    "predicted_shift",
    "preference_pairs",
    "run_experiment",
    "sort_prompts",
    "steering_message",
]

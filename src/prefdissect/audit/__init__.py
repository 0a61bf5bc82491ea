"""How far a judge, and what is built on its verdicts, can be gamed.

`preference_pairs` labels pairs by what a fit says the judge prefers, so that a model can be trained toward the judge or
away from it; `PreferencePairs` holds them and writes them for TRL, with a card that says what they are.
"""

from __future__ import annotations

from prefdissect.audit.label_pairs import check_pair_options, preference_pairs
from prefdissect.audit.pair_card import card_path
from prefdissect.audit.pair_texts import Candidates, gather
from prefdissect.audit.pairs import PreferencePairs

__all__ = ["Candidates", "PreferencePairs", "card_path", "check_pair_options", "gather", "preference_pairs"]

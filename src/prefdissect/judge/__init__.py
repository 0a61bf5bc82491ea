"""Ask a judge which of two responses is better, in both orders, and keep every verdict.

`collect` asks a `ChatJudge` (a model behind a server), a `LocalJudge` (a model of transformers in this process) or a
`RuleJudge` (a baseline) about all pairs, and returns `Collected`: the data with the judge's verdicts, and how far it
agrees with itself. `estimate_collect` says beforehand what that takes.

A `Question` is a pair in one order (`questions`); a judge turns it into an `Answer` by position (`answers`), in one of
several ways (`ways`, `scoring`, `local`, `rules`); answers become verdicts by content, and several on one pair become
what they come to (`combining`).
"""

from prefdissect.judge.agreeing import Measured
from prefdissect.judge.answers import Answer, Answers, Judge, Run
from prefdissect.judge.chat import ChatJudge
from prefdissect.judge.collect import collect, estimate_collect
from prefdissect.judge.collected import Collected
from prefdissect.judge.local import LocalJudge
from prefdissect.judge.questions import Question
from prefdissect.judge.rules import RuleJudge

__all__ = [
    "Answer",
    "Answers",
    "ChatJudge",
    "Collected",
    "Judge",
    "LocalJudge",
    "Measured",
    "Question",
    "RuleJudge",
    "Run",
    "collect",
    "estimate_collect",
]

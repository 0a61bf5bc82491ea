"""Words and phrases that show a manner of speaking: small lists, ours, made to be read.

`(a|b)` stands for either. Phrases are in small letters with straight apostrophes; a match is of
whole words. They are English: in other languages these measures are 0 for both responses of a pair.
"""

from __future__ import annotations

__all__ = ["FIRST_PERSON", "LEXICONS", "SECOND_PERSON", "STEP_WORDS"]

_CANNOT = "(cannot|can't|can not|am unable to|i'm unable to|am not able to|i'm not able to|won't|will not)"
_CANNOT_KNOW = "(cannot|can't|can not|am unable to|am not able to)"

LEXICONS: dict[str, tuple[str, ...]] = {
    # The speaker holds a claim to be less than sure (Hyland 1998 calls these hedges).
    "hedges": (
        "(maybe|perhaps|possibly|probably|presumably|apparently|seemingly|arguably|likely|unlikely)",
        "(roughly|approximately|somewhat|generally|typically|usually|often|sometimes)",
        "(may|might|could) be",
        "(may|might) (also|have|not|help|need|want|vary|include|cause|require|take)",
        "could (also|have|potentially)",
        "(potentially|in general|in most cases|in some cases|to some extent|more or less|as far as i know)",
        "(seem|seems|seemed) (to|that|like)",
        "(appear|appears|appeared) to",
        "(tend|tends) to",
        "it (depends|is possible|is likely)",
        "i (think|believe|guess|suppose|assume|suspect)",
        "(in my opinion|it's possible|it's likely|it can be argued)",
    ),
    # The speaker says that it does not know, may be wrong, was wrong, or is only a program.
    "stated_limits": (
        "as (an ai|a language model|a large language model|an artificial intelligence|an assistant)",
        "as an ai (language model|assistant)",
        "(i'm|i am) (just|only) (an ai|a language model|a program)",
        "(i'm|i am) (an ai|a language model|a large language model)",
        "i (do not|don't) (know|have access|have information|have enough|have personal|have real-time|have any)",
        "i (do not|don't) have (the ability|feelings|personal|opinions|up-to-date|the latest)",
        "(i'm|i am) not (sure|certain|aware|familiar|qualified|a doctor|a lawyer)",
        "i (may|might|could) be (wrong|mistaken)",
        "i (made a mistake|was wrong|was mistaken|apologize for the (mistake|confusion|error|misunderstanding))",
        f"i {_CANNOT_KNOW} (verify|confirm|guarantee|be sure|be certain|access|browse|see|know|tell)",
        "(my knowledge|my training data|my training|my knowledge cutoff|knowledge cutoff|my last update)",
        "(i could not|i couldn't|unable to) find",
        "(apologies|sorry) for the (mistake|confusion|error|misunderstanding)",
    ),
    # The speaker will not do what was asked.
    "refusal": (
        f"i {_CANNOT} (help|assist|provide|fulfill|fulfil|comply|create|write|generate|engage|support|do|give|answer)",
        f"i {_CANNOT} (discuss|share|offer|participate|promote|continue|respond|produce|complete|satisfy|recommend)",
        "(i'm|i am) (unable|not able) to (help|assist|provide|fulfill|comply|create|write|generate|engage|answer)",
        "i (must|have to|need to) (decline|refuse)",
        "i (decline|refuse) to",
        "(i'm|i am) not (comfortable|willing|allowed|permitted)",
        "(against|violates) my (guidelines|programming|policy|policies|principles)",
        "(i'm|i am) sorry but i",
    ),
    # Courtesy: thanks, wishes, offers, praise of the question, apologies.
    "courtesy": (
        "(please|thanks|thank you|you're welcome|you are welcome|welcome|congratulations|congrats)",
        "(sorry|i apologize|i apologise|my apologies|apologies|excuse me|pardon)",
        "(happy|glad|delighted|pleased) to",
        "(great|good|excellent|interesting|fascinating|wonderful) (question|point|choice|idea)",
        "i hope (this|that|you|it)",
        "hope (this|that|it) helps",
        "let me know",
        "(feel free|of course|my pleasure|no problem|good luck|best wishes|best regards|kind regards)",
    ),
}

FIRST_PERSON = frozenset(["i", "me", "my", "mine", "myself", "i'm", "i've", "i'd", "i'll"])
SECOND_PERSON = frozenset(["you", "your", "yours", "you're", "you'd", "you'll", "you've"])

# At the beginning of a sentence or list item they number the steps of an argument or a procedure.
STEP_WORDS = frozenset(
    ("first", "firstly", "second", "secondly", "third", "thirdly", "fourth", "next", "then", "afterwards")
    + ("finally", "lastly", "therefore", "thus", "hence")
)

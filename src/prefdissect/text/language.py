"""Which language a text is in, as far as script and common words tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["guess_language"]

_FIRST_CHARACTERS, _FIRST_WORDS = 2_000, 100  # enough to tell a language
_LEAST_COMMON_WORDS = 2

_OTHER_SCRIPT = re.compile(r"[\u0370-\u1fff\u3040-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")
_SCRIPTS = {
    name: re.compile(f"[{characters}]")
    for name, characters in {
        "Greek": "\u0370-\u03ff",
        "Cyrillic": "\u0400-\u052f",
        "Hebrew": "\u0590-\u05ff",
        "Arabic": "\u0600-\u077f",
        "Devanagari": "\u0900-\u097f",
        "Bengali": "\u0980-\u09ff",
        "Tamil": "\u0b80-\u0bff",
        "Thai": "\u0e00-\u0e7f",
        "Korean": "\u1100-\u11ff\uac00-\ud7a3",
        "Japanese": "\u3041-\u30fa",
        "Han": "\u3400-\u4dbf\u4e00-\u9fff",
        "Latin": "a-zA-Z\u00c0-\u024f",
    }.items()
}

# Words that are frequent in one language and rare as words of the others.
_COMMON = {
    "English": "the and is of to that for with are this it be on you have not from what how can my i write explain",
    "German": "der die und ist das nicht ein eine zu mit den von für auf dem sich auch wie ich sie wird bei oder kann",
    "French": "le la les des est et une dans pour que qui sur pas avec vous ce cette sont du au je comment plus ou",
    "Spanish": "el la los las es y una que en por para con se del como más pero su al lo cómo qué son puede",
    "Portuguese": "o os as é e uma que em para com não se do da como mais mas seu ao dos das são você pode por",
    "Italian": "il lo gli è e una che di per con non si del della come più ma sono nel alla questo anche può",
    "Dutch": "de het een en van is niet dat voor met zijn op te aan ook als er maar hoe wat je kan worden deze",
    "Swedish": "och det att en som är inte för på med av den till har jag kan ett om hur vad eller du detta",
    "Polish": "i w nie na się jest do to że z jak o co dla po ale czy są przez od być jako może które",
    "Turkish": "ve bir bu için ile da de ne nasıl olarak daha çok gibi var olan en ama veya değil ben sen kadar",
    "Indonesian": "dan yang di untuk dengan ini dari adalah tidak pada itu dalam atau juga akan ke saya anda bisa",
    "Vietnamese": "và của là có không một các cho được trong với những này để người khi từ đã tôi bạn",
}
_LANGUAGES_OF = {
    word: [language for language, words in _COMMON.items() if word in words.split()]
    for word in {w for words in _COMMON.values() for w in words.split()}
}


def guess_language(text: str, words: Sequence[str]) -> str:
    """Return the name of a language, or of a script that tells no more, or "" where nothing can be said.

    `words` are the words of the text in small letters. Of a text in Latin script the language is
    the one with most common words, if it has at least two and more than any other.

    Examples
    --------
    >>> from prefdissect.text.language import guess_language
    >>> guess_language("Was ist das?", ["was", "ist", "das"]), guess_language("OK!", ["ok"])
    ('German', '')
    """
    script = _main_script(text[:_FIRST_CHARACTERS])
    return script if script != "Latin" else _latin_language(words[:_FIRST_WORDS])


def _main_script(text: str) -> str:
    if text.isascii() or not _OTHER_SCRIPT.search(text):
        return "Latin"
    counts = {name: len(script.findall(text)) for name, script in _SCRIPTS.items()}
    if counts["Japanese"] * 10 > counts["Han"]:  # Japanese mixes kana with Han, Chinese does not
        counts["Japanese"] += counts.pop("Han")
    counts["Latin"] //= 3  # a word of letters against one or two characters
    return max(counts, key=lambda name: counts[name])


def _latin_language(words: Sequence[str]) -> str:
    common = [word for word in words if word in _LANGUAGES_OF]
    hits = Counter([language for word in common for language in _LANGUAGES_OF[word]])
    best = hits.most_common(2)
    clear = bool(best) and best[0][1] >= _LEAST_COMMON_WORDS and (len(best) == 1 or best[0][1] > best[1][1])
    return best[0][0] if clear else ""

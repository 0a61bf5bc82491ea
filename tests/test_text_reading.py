"""Every measure against hand-worked answers, a slow twin, or an invariant."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefdissect import TEXT
from prefdissect.text.language import guess_language
from prefdissect.text.lexicons import LEXICONS
from prefdissect.text.phrases import PhraseCounter, expand
from prefdissect.text.readability import count_syllables, reading_ease
from prefdissect.text.reading import RATED, read_response
from prefdissect.text.tokens import split_words
from prefdissect.text.variety import moving_average_ttr, share_repeated

COUNTS = ("sentences", "tables", "links", "stated_limits", "refusal", "courtesy", "questions")
KEPT = tuple(n for n in RATED if n not in (*COUNTS, "length", "lexical_diversity", "repetition"))
WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=40)


def rate(response: str, prompt: str = "What?") -> dict[str, float]:
    return read_response(response, prompt)


# Known answers: twenty words, so that one is five in a hundred.

FILL = " ".join(["word"] * 20)


@pytest.mark.parametrize(
    ("name", "response", "value"),
    [
        ("length", "Don't go, please.", 6),
        ("sentences", "# Title\n\nOne two. Dr. Who is three? Four!\n\n- an item", 4),
        ("headings", f"# one two\n\n{' '.join(['w'] * 18)}", 5),
        ("list_items", "- " + "\n- ".join(["a b c d e"] * 4), 20),
        ("bold", f"**{FILL}**", 5),
        ("code", "abcd `xyz`!!", 100 * 3 / 11),
        ("tables", "|a|\n|-|\n|b|\n\nx\n\n|a|\n|-|", 2),
        ("links", "[a](b) https://c.d [1]", 3),
        ("quotations", f'> "{FILL}"', 10),
        ("numbers", "1 2.5 a3 " + " ".join(["w"] * 17), 10),
        ("reading_ease", ("The cat sat. " * 7).strip(), 206.835 - 1.015 * 3 - 84.6),
        ("sentence_length", "One two three four five six seven. " * 3 + "Eight nine ten.", 24 / 4),
        ("word_length", "ab abcd " * 10, 3),
        ("lexical_diversity", " ".join(f"w{i}" for i in range(60)), 100),
        ("lexical_diversity", "same " * 60, 2),
        ("repetition", "a b c d e a b c d", 100 / 6),
        ("step_words", "First, w it. Then w it. W then it! Step 2: w w it. " + " ".join(["w"] * 6), 15),
        ("hedges", "Perhaps it may be so, and perhaps not: " + " ".join(["w"] * 12), 15),
        ("stated_limits", "As an AI language model, I don't know. I may be wrong. I’m not sure", 4),
        ("refusal", "I'm sorry, but I can't help with that. I must decline.", 3),
        ("courtesy", "Thanks! I'd be happy to help. Let me know, please.", 4),
        ("questions", 'Do you like it? Is it good? "Are you sure?" If you do.', 2),
        ("exclamations", "w! w!! ！" + " w" * 18, 20),
        ("emoji", "😀 " + "w " * 20, 5),
        ("first_person", "I said I’m my own, it is mine " + "w " * 12, 20),
        ("prompt_overlap", "river banks flood the city", 50),
        ("same_language", "Das ist nicht der Fall und die Antwort ist falsch.", 0),
        ("same_language", "It is not the case and the answer is wrong.", 1),
        ("same_language", "42", 1),
    ],
)
def test_known_answers(name: str, response: str, value: float) -> None:
    assert rate(response, "What is it with the river and the city?")[name] == pytest.approx(value)


def test_every_property_has_a_known_answer_here() -> None:
    cases = test_known_answers.pytestmark[0].args[1]
    assert {case[0] for case in cases} == set(TEXT.ids) == set(RATED)


def test_properties_say_what_they_are() -> None:
    for prop in TEXT:
        assert prop.description, prop.id
        assert prop.unit, prop.id
        assert prop.source, prop.id
        assert prop.group == "text"
        assert prop.threshold > 0 or prop.kind == "words"
        assert prop.direction == "higher"


# Invariants

SENTENCES = st.lists(
    st.sampled_from(
        [
            "I think that this may help you.",
            "First, wash 3 apples!",
            "**Note** the `code` here 😀.",
            "\n\n- an item of a list\n- another one\n\n",
            "\n\n## A heading\n\n",
            "\n\n| a | b |\n|---|---|\n| c | d |\n\n",
            'She said "yes" to you, would you?',
            "See [this](x) and (Li, 2024).",
            "I can't help with that, sorry.",
            "\n\n```\ncode()\n```\n\n",
        ]
    ),
    min_size=3,
    max_size=12,
).map(" ".join)


@given(SENTENCES)
def test_saying_it_twice_doubles_counts_and_keeps_rates(text: str) -> None:
    once, twice = rate(text), rate(f"{text}\n\n{text}")
    assert {n: twice[n] for n in (*COUNTS, "length")} == {n: 2 * once[n] for n in (*COUNTS, "length")}
    for name in KEPT:
        if math.isfinite(once[name]):
            assert twice[name] == pytest.approx(once[name]), name


@given(SENTENCES, SENTENCES)
def test_swapping_a_and_b_flips_every_sign(a: str, b: str) -> None:
    left, right = rate(a), rate(b)
    for prop in TEXT:
        one, other = (prop.encode([x[prop.id]], [y[prop.id]])[0] for x, y in ((left, right), (right, left)))
        assert one == -other, prop.id


@given(st.text(max_size=300), st.text(max_size=50))
def test_any_text_is_rated_within_its_range(response: str, prompt: str) -> None:
    found = rate(response, prompt)
    assert tuple(found) == RATED
    if not response.strip():
        assert all(map(math.isnan, found.values()))
        return
    assert found["length"] >= 1
    for name in ("code", "repetition", "lexical_diversity", "prompt_overlap"):
        assert math.isnan(found[name]) or 0 <= found[name] <= 100, name
    assert all(math.isnan(v) or v >= 0 for n, v in found.items() if n != "reading_ease")


@pytest.mark.parametrize("empty", ["", "   ", "\n\t\u3000"])
def test_an_empty_response_has_no_rating(empty: str) -> None:
    assert all(map(math.isnan, rate(empty).values()))


def test_too_short_a_text_is_missing_only_where_a_mean_says_nothing() -> None:
    missing = {name for name, value in rate("Paris.", "").items() if math.isnan(value)}
    assert missing == {p.id for p in TEXT if p.missing == "zero"}


# Twins


def slow_mattr(words: Sequence[str], window: int) -> float:
    shares = [len(set(words[i : i + window])) / window for i in range(len(words) - window + 1)]
    return sum(shares) / len(shares) if shares else math.nan


@given(WORDS, st.integers(1, 12))
def test_lexical_diversity_is_the_mean_over_all_windows(words: list[str], window: int) -> None:
    assert moving_average_ttr(words, window) == pytest.approx(slow_mattr(words, window), nan_ok=True)


@given(WORDS, st.integers(1, 5))
def test_repetition_counts_runs_that_stood_before(words: list[str], n: int) -> None:
    runs = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    again = sum(run in runs[:i] for i, run in enumerate(runs))
    assert share_repeated(words, n) == pytest.approx(again / len(runs) if runs else 0.0)


SPOKEN = st.sampled_from([*["may", "be", "know", "as", "perhaps", "help", "cannot", "sorry"], "i", "an", "ai", "don't"])


@given(st.lists(SPOKEN, max_size=30))
def test_phrases_are_those_a_slow_search_finds(words: list[str]) -> None:
    found = PhraseCounter(LEXICONS).count(words)
    for name, patterns in LEXICONS.items():
        phrases = {phrase for pattern in patterns for phrase in expand(pattern)}
        starts = [any(tuple(words[i : i + len(p)]) == p for p in phrases) for i in range(len(words))]
        assert found[name] == sum(starts), name


def test_lexicons_are_written_as_words_are_read() -> None:
    for name, patterns in LEXICONS.items():
        for phrase in (p for pattern in patterns for p in expand(pattern)):
            assert split_words(" ".join(phrase)) == list(phrase), name


def test_choices_in_phrases_may_nest() -> None:
    assert expand("a (b|c (d|e)) f") == [("a", "b", "f"), ("a", "c", "d", "f"), ("a", "b", "f"), ("a", "c", "e", "f")]


# Syllables and languages


@pytest.mark.parametrize(
    "words",
    [
        "1 the cat make strength jumped please don't i'm eyes",
        "2 table wanted houses reading being pages people's happy well-known doctor",
        "3 readable banana remember computer important piano",
        "4 information necessary television",
        "0 123 日 x² -",
    ],
)
def test_syllables_by_hand(words: str) -> None:
    n, *rest = words.split()
    assert {word: count_syllables(word) for word in rest} == dict.fromkeys(rest, int(n))


def test_reading_ease_of_flesch_own_terms() -> None:
    assert reading_ease(["cat", "sat"], 1) == pytest.approx(206.835 - 2.03 - 84.6)
    assert math.isnan(reading_ease(["日", "12"], 1))
    assert math.isnan(reading_ease(["cat"], 0))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the capital of this country?", "English"),
        ("Wie kann ich das auf dem Rechner machen?", "German"),
        ("Comment est-ce que je peux dire cela dans une phrase avec les mots", "French"),
        ("¿Cómo puedo hacer esto con los datos del usuario?", "Spanish"),
        ("Como eu posso fazer isso com os dados da empresa? Você não sabe", "Portuguese"),
        ("Come posso fare questo con gli oggetti della lista che sono nel file", "Italian"),
        ("Hoe kan ik dat met een computer maken? Wat is het", "Dutch"),
        ("Как мне это сделать?", "Cyrillic"),
        ("这是什么意思", "Han"),
        ("これは何ですか", "Japanese"),
        ("이것은 무엇입니까", "Korean"),
        ("ما هذا؟", "Arabic"),
        ("यह क्या है", "Devanagari"),
        ("นี่คืออะไร", "Thai"),
        ("The word 日本 means Japan and it is the name of a country", "English"),
        ("", ""),
        ("x = 1", ""),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert guess_language(text, split_words(text)) == language

"""Tokens, words and sentences: known answers, released counts, and what splitting must keep."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefdissect.text.tokens import count_tokens, split_sentences, split_words, tokenise


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Good muffins cost $3.88.", "Good|muffins|cost|$|3.88|."),
        ("I can't, you won't.", "I|ca|n't|,|you|wo|n't|."),
        ("It’s Ann's; they'll cannot", "It|’s|Ann|'s|;|they|'ll|can|not"),
        ("well-known -- e.g. U.S. law", "well-known|--|e.g.|U.S.|law"),
        ("1,000 at 10:30, so: yes", "1,000|at|10:30|,|so|:|yes"),
        ("**bold** (x)...", "*|*|bold|*|*|(|x|)|..."),
        ("```py", "```|py"),
        ("你好，世界", "你|好|，|世|界"),
        ("ひらカナ ok", "ひ|ら|カ|ナ|ok"),
        ("naïve café", "naïve|café"),
        ("हिन्दी में", "हिन्दी|में"),
        ("a/b #1", "a/b|#|1"),
        ("\0 \ud800", "\0|\ud800"),
        ("  \n\t", ""),
    ],
)
def test_tokens_by_hand(text: str, tokens: str) -> None:
    assert tokenise(text) == (tokens.split("|") if tokens else [])


@given(st.text(st.characters() | st.sampled_from("'’.,-:`n t!")))
def test_tokens_keep_every_visible_character_in_order(text: str) -> None:
    assert "".join("".join(tokenise(text)).split()) == "".join(text.split())


def test_counts_are_those_released_with_the_paper(data_dir: Path) -> None:
    lines = (data_dir / "gair" / "sample_unannotated.jsonl").read_text(encoding="utf-8").splitlines()
    released = [
        (row[f"{part} word"], count_tokens(row[part]))
        for row in map(json.loads, lines)
        for part in ("prompt", "response_a", "response_b")
    ]
    assert [ours - theirs for theirs, ours in released] == [0, 0, 0, 0, -2, 0]
    assert released[4][0] == 431


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop-gap 3.14, OK? (Yes!)", "don't stop-gap 3.14 ok yes"),
        ("I’m here — now", "i'm here now"),
        ("中文 and 日本", "中 文 and 日 本"),
        ("हिन्दी में लिखें।", "हिन्दी में लिखें"),
        ("snake_case", "snake case"),
        ("naïve_Ünal", "naïve ünal"),
        ("... --- ***", ""),
    ],
)
def test_words_by_hand(text: str, words: str) -> None:
    assert split_words(text) == words.split()


@given(st.text(st.characters(max_codepoint=127)))
def test_words_of_plain_text_do_not_depend_on_the_path_taken(text: str) -> None:
    # An accent elsewhere sends the text down the general path.
    assert split_words(f"{text} é") == [*split_words(text), "é"]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Mr. A. Smith paid 3.50 e.g. today.", ["Mr. A. Smith paid 3.50 e.g. today."]),
        ('He said "Go." Then left...', ['He said "Go."', "Then left..."]),
        ("a line\nanother", ["a line", "another"]),
        ("你好。再见！", ["你好。", "再见！"]),
        ("first。second", ["first。", "second"]),
        ("See example.com now", ["See example.com now"]),
        ("!!! ... \n\n", []),
    ],
)
def test_sentences_by_hand(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@given(st.lists(st.sampled_from(["One two.", "What now?", "Stop!", "你好。"]), min_size=1))
def test_sentences_written_one_after_the_other_come_back(sentences: list[str]) -> None:
    assert split_sentences(" ".join(sentences)) == sentences

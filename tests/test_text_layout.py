"""Markdown and patterns: hand-made documents with known counts, and hostile ones."""

from __future__ import annotations

import math

import pytest

from prefdissect.text.markdown import read_markdown
from prefdissect.text.marks import count_addresses, count_citations, count_emoji, count_quotations
from prefdissect.text.reading import LONGEST, read_response

PAGE = """# Title

Intro with **bold** and __also bold__ and *not*, `code()` and [a link](https://x.org "t").

## Part

1. one
2. two
   - inner **x**

> quoted
> block

| head | top |
|------|-----|
| a1   | b1  |

```python
def f(x):
    return **x**  # [no](link)
```

Last ![pic](p.png) <https://auto.link>
---
end
"""


def test_a_page_counted_by_hand() -> None:
    page = read_markdown(PAGE)
    assert (page.headings, page.list_items, page.bold, page.tables, page.links, page.quotes) == (2, 3, 3, 1, 2, 1)
    # code(): 6, def f(x): 8, return **x**  # [no](link): 6 + 5 + 1 + 10
    assert page.code == 6 + 8 + 22
    assert page.labels == ["Title", "Part", "head", "top", "a1", "b1"]
    assert page.prose[0].split() == ["Intro", "with", "bold", "and", "also", "bold", "and", "not,", "and", "a", "link."]
    assert page.prose[1:4] == ["one", "two", "inner x"]
    assert page.prose[4] == "quoted\nblock"
    assert [line.split() for line in page.prose[5:]] == [["Last", "https://auto.link"], ["end"]]


def test_every_kind_of_code_is_kept_out_of_prose() -> None:
    for code in ("```\nzzz\n```", "~~~js\nzzz\n~~~", "para\n\n    zzz\n", "<div>zzz</div>", "a `zzz` b", "```\nzzz"):
        page = read_markdown(code)
        assert "zzz" not in " ".join(page.prose + page.labels), code
        assert page.code >= 3, code


def test_code_changes_only_length_and_its_own_share() -> None:
    prose = "Here you are. I think that this may be what you want, at least for now, if 3 is enough for you! Bye."
    plain = read_response(prose, "what?")
    coded = read_response(f"{prose}\n\n```\nI! I! perhaps 1 2 3? **b**\n- x\n# y\n```", "what?")
    changed = {name for name in plain if plain[name] != coded[name] and plain[name] == plain[name]}
    assert changed == {"length", "code"}


def test_a_table_leaves_sentences_alone() -> None:
    prose = "This is a sentence of plain words that goes on. So is this one, which has a few more words than that."
    table = "| a | b |\n|---|---|\n| sesquipedalian? | incomprehensibility |"
    plain, more = read_response(prose, "x"), read_response(f"{prose}\n\n{table}", "x")
    for name in ("reading_ease", "sentence_length", "word_length", "questions"):
        assert more[name] == plain[name]
    assert (plain["tables"], more["tables"]) == (0, 1)


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("", 0),
        ("plain (c) 12 ©", 0),
        ("😀😀 ✅", 3),
        ("👨\u200d👩\u200d👧", 1),
        ("👍🏽 ❤️ ☀️", 3),
        ("🇫🇷🇩🇪", 2),
        ("✓ → ★ 日本", 0),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1),
    ],
)
def test_emoji(text: str, n: int) -> None:
    assert count_emoji(text) == n


def test_addresses_citations_quotations() -> None:
    assert count_addresses("http://a.b/c?d=e, https://x.org. www.y.org doi:10.1/2 doi: 10.3/4 http:/ no") == 5
    assert (
        count_citations("[1] [2, 3] [4-6] (Li et al., 2024) (Ng & Lee, 1999b) (May 2020) [x] (2020) (see Li, 2024)")
        == 5
    )
    assert count_quotations('"a b" \'c\' “d” «e» 「f」 "" "open\n"') == 4


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "word " * 200_000,
        "[" * 200_000,
        "![" * 100_000,
        "[a](" * 50_000,
        "*a_ " * 50_000,
        "**a" * 60_000,
        "`a``b```" * 20_000,
        ">" * 100_000,
        "- " * 100_000,
        "<a " * 60_000,
        '"' * 100_000,
        "“" * 100_000,
        "(Aa" * 60_000,
        "'" * 100_000,
        "." * 100_000,
        "a." * 100_000,
        "a-" * 100_000,
        "n't" * 60_000,
        "|a" * 40_000 + "\n" + "|-" * 40_000,
        "\n" * 200_000 + "x",
        "x" + " " * 200_000 + "y",
        "\0" * 1000,
        "a\0b\ud800c\udfff",
        "\u200f\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627\u060c \u0639\u0627\u0644\u0645\u061f " * 2000,
        "👨\u200d" * 50_000,
        "".join(" " * i + "- a\n" for i in range(300)),
        "\u0301" * 100_000,
    ],
    ids=lambda text: repr(text[:12]),
)
@pytest.mark.timeout(60)  # a guard against hanging, far above what any of them takes
def test_hostile_texts_are_read(text: str) -> None:
    found = read_response(text, text)
    assert found["length"] >= 1
    assert all(math.isnan(value) or value >= 0 for name, value in found.items() if name != "reading_ease")


def test_only_length_counts_beyond_what_is_read() -> None:
    text = "word " * (LONGEST // 5)
    one, two = read_response(text, "x"), read_response(text + "Maybe **bold**! " * 1000, "x")
    assert two["length"] == one["length"] + 7 * 1000
    assert (two["bold"], two["exclamations"], two["hedges"]) == (0, 0, 0)

"""The 29 properties are those of the paper, name by name and number by number."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from prefdissect import PAPER
from prefdissect.errors import SchemaError, UnknownNameError

# Position, short name, name in system messages, long name: the paper's table, in its order.
TABLE = (
    (0, "harmless", "harmless", "harmlessness"),
    (
        1,
        "grammarly correct",
        "no grammar, spelling, punctuation, and code-switching mistakes",
        "grammar, spelling, punctuation, and code-switching",
    ),
    (2, "friendly", "friendly", "friendly"),
    (3, "polite", "polite", "polite"),
    (4, "interactive", "interactive", "interactive"),
    (5, "authoritative", "authoritative tone", "authoritative tone"),
    (6, "funny", "funny and humorous", "funny and humorous"),
    (
        7,
        "use rhetorical devices",
        "use metaphors, personification, similes, hyperboles, irony, parallelism",
        "metaphors, personification, similes, hyperboles, irony, parallelism",
    ),
    (
        8,
        "complex word & sentence",
        "use complex word usage and sentence structure",
        "complex word usage and sentence structure",
    ),
    (
        9,
        "use supporting materials",
        "use of direct and explicit supporting materials",
        "use of direct and explicit supporting materials",
    ),
    (10, "well formatted", "well formatted", "well formatted"),
    (11, "admit limits", "admit limitations or mistakes", "admit limitations or mistakes"),
    (12, "persuasive", "persuade user", "persuade user"),
    (13, "step-by-step", "provide step by step solution", "step by step solution"),
    (14, "use informal expressions", "use informal expressions", "use of informal expressions"),
    (15, "non-repetitive", "non-repetitive", "non-repetitive"),
    (16, "clear", "clear and understandable", "clear and understandable"),
    (17, "relevant", "relevant", "relevance without considering inaccuracy"),
    (18, "novel", "innovative and novel", "innovative and novel"),
    (19, "contain rich info", "contain rich information", "information richness without considering inaccuracy"),
    (20, "no minor errors", "no minor errors", "accuracy / Minor"),
    (21, "no moderate errors", "no moderate errors", "accuracy / Moderate"),
    (22, "no severe errors", "no severe errors", "accuracy / Severe"),
    (23, "clarify intent", "clarify user intent", "clarify user intent"),
    (24, "show empathetic", "show empathetic", "showing empathetic"),
    (25, "satisfy constraints", "satisfy explicit constraints", "satisfying explicit constraints"),
    (26, "support stances", "support explicit subjective stances", "supporting explicit subjective stances"),
    (27, "correct mistakes", "correct explicit mistakes or biases", "correcting explicit mistakes or biases"),
    (28, "lengthy", "lengthy", "length"),
)
# Other spellings of the short names in the annotation code.
OTHER_SPELLINGS = {13: "use step-by-step solution", 15: "non repetitive", 19: "contain rich information"}
IDS = [
    "harmless",
    "grammarly_correct",
    "friendly",
    "polite",
    "interactive",
    "authoritative",
    "funny",
    "use_rhetorical_devices",
    "complex_word_and_sentence",
    "use_supporting_materials",
    "well_formatted",
    "admit_limits",
    "persuasive",
    "step_by_step",
    "use_informal_expressions",
    "non_repetitive",
    "clear",
    "relevant",
    "novel",
    "contain_rich_info",
    "no_minor_errors",
    "no_moderate_errors",
    "no_severe_errors",
    "clarify_intent",
    "show_empathetic",
    "satisfy_constraints",
    "support_stances",
    "correct_mistakes",
    "lengthy",
]


def test_ids_and_labels_stand_in_the_order_of_the_paper() -> None:
    assert PAPER.ids == tuple(IDS)
    assert PAPER.labels == tuple(short for _, short, _, _ in TABLE)
    assert [p.name for p in PAPER] == [long for _, _, _, long in TABLE]
    assert len(PAPER) == 29


@pytest.mark.parametrize(("position", "short", "system", "long"), TABLE, ids=IDS)
def test_every_name_of_a_property_finds_it(position: int, short: str, system: str, long: str) -> None:
    wanted = PAPER.properties[position]
    assert wanted.label == short
    for name in (position, position - 29, IDS[position], short, system, long):
        assert PAPER[name] is wanted
        assert name in PAPER
    if position in OTHER_SPELLINGS:
        assert PAPER[OTHER_SPELLINGS[position]] is wanted


def test_no_name_belongs_to_two_properties() -> None:
    owners: dict[str, set[str]] = {}
    for prop in PAPER:
        for name in (prop.id, prop.label, prop.name, prop.rated, *prop.aliases):
            owners.setdefault(name, set()).add(prop.id)
    assert [(name, ids) for name, ids in owners.items() if len(ids) > 1] == []


@pytest.mark.parametrize("name", ["lengthyy", 29, -30, "accuracy", ""])
def test_unknown_names_are_errors_with_the_choices(name: str | int) -> None:
    assert name not in PAPER
    with pytest.raises(UnknownNameError, match=r"unknown property .* valid: 'harmless'"):
        PAPER[name]


def test_a_near_miss_names_the_closest_match() -> None:
    with pytest.raises(UnknownNameError, match=r"'lengthyy' in schema 'paper'; close matches: 'lengthy'"):
        PAPER["lengthyy"]


def test_groups_count_21_5_and_3() -> None:
    groups = [p.group for p in PAPER]
    assert Counter(groups) == {"basic": 21, "query-specific": 5, "error": 3}
    assert [k for k, g in enumerate(groups) if g == "error"] == [20, 21, 22]
    assert [k for k, g in enumerate(groups) if g == "query-specific"] == [23, 24, 25, 26, 27]


def test_kinds_directions_and_what_missing_means() -> None:
    assert [k for k, p in enumerate(PAPER) if p.missing == "zero"] == [23, 24, 25, 26, 27]
    assert [k for k, p in enumerate(PAPER) if p.direction == "lower"] == [15, 20, 21, 22]
    assert [k for k, p in enumerate(PAPER) if p.compare == "nonzero"] == [17]
    kinds = {"count": (20, 21, 22), "label": (26, 27), "words": (28,)}
    odd = {k: kind for kind, positions in kinds.items() for k in positions}
    assert [p.kind for p in PAPER] == [odd.get(k, "rating") for k in range(29)]
    assert {p.range for p in PAPER if p.kind == "rating"} == {(0, 3)}
    scales = [None if p.kind == "words" else p.norm_scale for p in PAPER]
    assert scales == [3] * 20 + [5] * 3 + [3] * 5 + [None]


def test_every_property_is_described() -> None:
    assert all(p.description.endswith(".") and len(p.description) > 20 for p in PAPER)
    assert len({p.description for p in PAPER}) == 29


@pytest.mark.parametrize(
    "stem",
    [
        "non_repetitive",
        "non-repetitive",
        "no_minor_errors",
        "no_moderate_errors",
        "no_severe_errors",
        "no severe errors",
        "accuracy / Minor",
    ],
)
def test_columns_whose_direction_is_unsure_are_refused(stem: str) -> None:
    rated = PAPER[stem].rated
    with pytest.raises(SchemaError, match=rf"'{stem}_a'.*as '{rated}' \(lower is more.*'{rated}_a' and '{rated}_b'"):
        PAPER.rated_as(stem)


def test_columns_are_found_by_what_is_rated() -> None:
    assert PAPER.rated_as("repetitive") is PAPER[15]
    found = [PAPER.rated_as(f"{severity}_errors") for severity in ("minor", "moderate", "severe")]
    assert found == [PAPER[20], PAPER[21], PAPER[22]]
    for position, name in enumerate(IDS):
        if position not in (15, 20, 21, 22):
            assert PAPER.rated_as(name) is PAPER[position]
    assert PAPER.rated_as("length") is PAPER[28]
    assert PAPER.rated_as("harmlessness") is PAPER[0]
    assert PAPER.rated_as("tokens") is None


def test_select_keeps_the_order_of_the_schema() -> None:
    chosen = PAPER.select(["lengthy", 3, "harmlessness"])
    assert chosen.ids == ("harmless", "polite", "lengthy")
    assert chosen["length"] is PAPER[28]
    with pytest.raises(UnknownNameError, match="'friendly'"):
        PAPER.select(["frendly"])


def test_frame_has_a_row_per_property() -> None:
    frame = PAPER.to_frame()
    assert frame["id"].tolist() == IDS
    assert frame.loc[15, ["label", "kind", "group", "direction", "missing"]].tolist() == [
        "non-repetitive",
        "rating",
        "basic",
        "lower",
        "drop",
    ]
    assert frame.loc[26, ["label", "kind", "group", "direction", "missing"]].tolist() == [
        "support stances",
        "label",
        "query-specific",
        "higher",
        "zero",
    ]


def test_the_whole_vector_of_one_pair() -> None:
    """The paper's resolved record of one pair, with every property that it leaves equal at zero."""
    a, b = dict.fromkeys(IDS, 1.0), dict.fromkeys(IDS, 1.0)
    a |= {"friendly": 2, "no_minor_errors": 1, "satisfy_constraints": 3, "lengthy": 64, "clarify_intent": np.nan}
    b |= {"friendly": 1, "no_minor_errors": 0, "satisfy_constraints": 0, "lengthy": 120, "clarify_intent": np.nan}
    expected = {
        "comparison": {"friendly": 1, "no_minor_errors": -1, "satisfy_constraints": 1, "lengthy": -1},
        "diff": {"friendly": 1, "no_minor_errors": -1, "satisfy_constraints": 3, "lengthy": -56},
        "norm_diff": {"friendly": 0.3333, "no_minor_errors": -0.2, "satisfy_constraints": 1, "lengthy": -0.6504},
    }
    for encoding, told in expected.items():
        got = [float(p.encode([a[p.id]], [b[p.id]], encoding)[0]) for p in PAPER]  # type: ignore[arg-type]
        assert got == pytest.approx([told.get(name, 0) for name in IDS], abs=5e-5)

"""The design: what each judge preferred, how pairs are encoded, and that every pair is accounted for."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prefdissect import PAPER, PreferenceData, Property, PropertySchema, load
from prefdissect.errors import DataError, UnknownNameError
from prefdissect.features import Design, build_design, build_encoder, preferences

NAN = float("nan")
JUDGES = ["ann", "bob"]
TIES = ("drop", "half")
ENCODINGS = ("comparison", "diff", "norm_diff")

# Preferences


def asked(rows: list[tuple[str, str, Any, float]], pairs: tuple[str, ...] = ("p", "q", "r")) -> PreferenceData:
    """Return data of these pairs in which (pair, judge, verdict, weight) were said; `zoe` knows all pairs."""
    everyone = [*((pair, "zoe", "A", 1.0) for pair in pairs), *rows]
    table = pd.DataFrame(everyone, columns=["pair_id", "judge", "value", "weight"])
    return PreferenceData.from_frame(table.assign(x_a=1.0, x_b=0.0))


def twin_preference(cells: list[tuple[Any, float]], ties: str) -> tuple[Fraction, Fraction, str]:
    """Return preference, weight and reason of absence from what one judge said of one pair."""
    usable, n_ties, n_weightless = [], 0, 0
    for cell, weight in cells:
        if cell in ("invalid", None):
            continue
        if weight == 0:
            n_weightless += 1
            continue
        is_tie = cell in ("tie", "both_bad", 0.5, "0.5")
        value = Fraction(1, 2) if is_tie else {"A": Fraction(1), "B": Fraction(0)}.get(cell)
        usable.append((is_tie, Fraction(float(cell)) if value is None else value, Fraction(weight)))
        n_ties += is_tie
    counted = [(v, w) for is_tie, v, w in usable if not (is_tie and ties == "drop")]
    if counted:
        total = sum(w for _, w in counted)
        return sum(v * w for v, w in counted) / total, total / sum(w for _, _, w in usable), ""
    if n_ties:
        why = "tie, dropped"
    elif n_weightless:
        why = "verdict of weight 0"
    else:
        why = "invalid verdict" if cells else "no verdict"
    return Fraction(1, 2), Fraction(0), why


# 500 pairs, of each judge 0 to 4 verdicts: every mixture of two outcomes is met several times.
@pytest.mark.parametrize("ties", TIES)
def test_preferences_agree_with_counting_by_hand(ties: Any) -> None:
    draw = random.Random(11)
    cells = ["A", "B", "tie", "both_bad", "invalid", None, 0.25, "0.9", 1 / 3, 0.5]
    pairs = tuple(f"pair {i}" for i in range(500))
    rows = [
        (pair, judge, draw.choice(cells), draw.choice([1.0, 2.0, 0.75, 0.0]))
        for pair in pairs
        for judge in JUDGES
        for _ in range(draw.randint(0, 4))
    ]
    draw.shuffle(rows)
    said: dict[tuple[str, str], list[tuple[Any, float]]] = {(pair, judge): [] for pair in pairs for judge in JUDGES}
    for pair, judge, cell, share in rows:
        said[pair, judge].append((cell, share))
    y, weight, why = preferences(asked(rows, pairs), JUDGES, ties)
    expected = [[twin_preference(said[pair, judge], ties) for judge in JUDGES] for pair in pairs]
    np.testing.assert_allclose(y, [[float(cell[0]) for cell in row] for row in expected], rtol=0, atol=1e-12)
    np.testing.assert_allclose(weight, [[float(cell[1]) for cell in row] for row in expected], rtol=0, atol=1e-12)
    assert why.tolist() == [[cell[2] for cell in row] for row in expected]
    assert min(Counter(why.ravel()).values()) >= 10


@pytest.mark.parametrize(
    ("cells", "dropped", "half"),
    [
        (["A"], (1, 1, ""), (1, 1, "")),
        (["B"], (0, 1, ""), (0, 1, "")),
        (["A", "B"], (0.5, 1, ""), (0.5, 1, "")),  # two orders that disagree are two verdicts
        (["tie", "A"], (1, 0.5, ""), (0.75, 1, "")),
        (["both_bad", "B"], (0, 0.5, ""), (0.25, 1, "")),
        (["tie"], (0.5, 0, "tie, dropped"), (0.5, 1, "")),
        (["both_bad", "tie"], (0.5, 0, "tie, dropped"), (0.5, 1, "")),
        (["tie", "invalid"], (0.5, 0, "tie, dropped"), (0.5, 1, "")),
        (["A", "invalid"], (1, 1, ""), (1, 1, "")),
        (["invalid", None], (0.5, 0, "invalid verdict"), (0.5, 0, "invalid verdict")),
        ([0.8], (0.8, 1, ""), (0.8, 1, "")),
        ([0.8, "B"], (0.4, 1, ""), (0.4, 1, "")),
        (["tie", "A", "A", "B"], (2 / 3, 0.75, ""), (0.625, 1, "")),
        ([], (0.5, 0, "no verdict"), (0.5, 0, "no verdict")),
    ],
)
def test_preferences_known_answers(cells: list[Any], dropped: tuple[Any, ...], half: tuple[Any, ...]) -> None:
    data = asked([("q", "ann", cell, 1.0) for cell in cells] + [("p", "ann", "A", 1.0)])
    for ties, expected in (("drop", dropped), ("half", half)):
        y, weight, why = preferences(data, ["ann"], ties)  # type: ignore[arg-type]
        assert (y[1, 0], weight[1, 0], why[1, 0]) == pytest.approx(expected)


def test_judges_stand_in_the_order_asked_for() -> None:
    data = asked([("p", "ann", "A", 1.0), ("p", "bob", "B", 1.0)])
    y, weight, _ = preferences(data, ["bob", "zoe", "ann"], "drop")
    assert y.tolist() == [[0, 1, 1], [0.5, 1, 0.5], [0.5, 1, 0.5]]
    assert weight.tolist() == [[1, 1, 1], [0, 1, 0], [0, 1, 0]]


def test_two_orders_that_disagree_are_one_half_of_weight_one() -> None:
    rows = {"pair_id": ["p", "p", "q", "q"], "first": ["A", "B", "A", "B"], "value": ["A", "B", "A", "tie"]}
    data = PreferenceData.from_frame(pd.DataFrame(rows).assign(judge="ann", x_a=1.0, x_b=0.0))
    for ties, expected in (("drop", [[0.5, 1], [1, 0.5]]), ("half", [[0.5, 1], [0.75, 1]])):
        design = build_design(data, ["ann"], by=None, encoding="diff", ties=ties)  # type: ignore[arg-type]
        assert np.hstack([design.y, design.weight]).tolist() == expected
        assert design.x.tolist() == [[1], [1]]
        assert design.dropped.empty


# Random studies

SCHEMA = PropertySchema(
    name="study",
    properties=(
        *PAPER.select(["polite", "non-repetitive", "relevant", "no severe errors", "support stances", "lengthy"]),
        Property(id="score", kind="number", threshold=0.25),
    ),
)
SIDES = ("_a", "_b")


def study(seed: int, n: int = 80) -> pd.DataFrame:
    """Return `n` random pairs: all kinds of ratings and verdicts, some missing, some of no group."""
    draw = random.Random(seed)
    some = {
        "polite": lambda: draw.choice([0, 1, 2, 3, 3, NAN]),
        "repetitive": lambda: draw.choice([0, 0, 1, 3]),
        "relevant": lambda: draw.choice([0, 0, 1, 2, 3, NAN]),
        "severe_errors": lambda: draw.choice([0, 0, 1, 2, 9]),
        "support_stances": lambda: draw.choice(["neutral", "strongly opposed", "weakly supported", None]),
        "lengthy": lambda: draw.choice([0, 3, 12, 80, 100, 130, 700]),
        "score": lambda: draw.choice([draw.gauss(0, 1), draw.gauss(0, 10), NAN]),
    }
    table = pd.DataFrame({f"{x}{side}": [make() for _ in range(n)] for x, make in some.items() for side in SIDES})
    cells = ["A", "A", "B", "B", 0.25, "0.875", "tie", "both_bad", "invalid", None]
    for judge in JUDGES:
        table[f"judge_{judge}"] = pd.Series([draw.choice(cells) for _ in range(n)], dtype=object)
    table["scenario"] = [draw.choice(["Code", "Advice", "Others", None]) for _ in range(n)]
    table["urgent"] = [draw.random() < 0.5 for _ in range(n)]
    table["rude"] = [draw.random() < 0.2 for _ in range(n)]
    return table.assign(pair_id=[f"pair {i}" for i in range(n)], model=[draw.choice("xyz") for _ in range(n)])


def load_study(table: pd.DataFrame, schema: PropertySchema = SCHEMA) -> PreferenceData:
    return PreferenceData.from_frame(table, schema=schema, cases=["urgent", "rude"])


def design_of(table: pd.DataFrame, schema: PropertySchema = SCHEMA, **options: Any) -> Design:
    chosen = {"by": "both", "encoding": "norm_diff", "ties": "drop"} | options
    return build_design(load_study(table, schema), JUDGES, **chosen)  # type: ignore[arg-type]


def swapped(table: pd.DataFrame) -> pd.DataFrame:
    """Return the same pairs with A and B exchanged, and the verdicts with them."""
    turned = {"A": "B", "B": "A", 0.25: 0.75, "0.875": "0.125"}
    out = table.rename(columns={c: c[:-2] + {"_a": "_b", "_b": "_a"}[c[-2:]] for c in table if c[-2:] in SIDES})
    for judge in JUDGES:
        out[f"judge_{judge}"] = [turned.get(cell, cell) for cell in table[f"judge_{judge}"]]
    return out


def reasons_by_hand(table: pd.DataFrame, judge: str, rows: np.ndarray, ties: str) -> Counter[str]:
    """Count why the pairs in these rows are not used; "" counts those that are."""
    found: Counter[str] = Counter()
    for _, row in table[rows].iterrows():
        cell = row[f"judge_{judge}"]
        lacking = [
            prop.id
            for prop in SCHEMA
            if prop.id != "support_stances" and any(pd.isna(row[prop.rated + side]) for side in SIDES)
        ]
        if cell is None or pd.isna(cell):
            found["no verdict"] += 1
        elif cell == "invalid":
            found["invalid verdict"] += 1
        elif cell in ("tie", "both_bad") and ties == "drop":
            found["tie, dropped"] += 1
        elif lacking:
            found[f"no rating of {lacking[0]}"] += 1
        else:
            found[""] += 1
    return found


# Two studies of 400 pairs: of 64 pairs or more in a group, each reason is met many times.
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("ties", TIES)
def test_every_pair_of_every_group_is_used_or_counted_once(ties: str, seed: int) -> None:
    table = study(seed, n=400)
    design = design_of(table, ties=ties)
    members = {name: (table["scenario"] == name).to_numpy() for name in ("Code", "Advice", "Others")}
    members |= {name: table[name].to_numpy() for name in ("urgent", "rude")}
    assert set(design.groups) == set(members)
    n_pairs, n_differs = design.count()
    seen = set()
    for j, judge in enumerate(JUDGES):
        for g, group in enumerate(design.groups):
            expected = reasons_by_hand(table, judge, members[group], ties)
            mine = design.dropped[(design.dropped["judge"] == judge) & (design.dropped["group"] == group)]
            counted = dict(zip(mine["reason"], mine["n"], strict=True))
            assert len(counted) == len(mine)
            cell = design.cell(judge, group)
            assert {"": len(cell)} | counted == {"": 0} | expected
            assert len(cell) + mine["n"].sum() == members[group].sum()
            assert n_pairs[j, g] == len(cell)
            assert n_differs[j, g].tolist() == [sum(v != 0 for v in column) for column in cell.x.T]
            seen |= set(counted)
    absent = {"no verdict", "invalid verdict", *(["tie, dropped"] if ties == "drop" else [])}
    assert seen == absent | {f"no rating of {x}" for x in ("polite", "relevant", "score")}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("ties", TIES)
def test_swapping_a_and_b_turns_the_whole_design_round(ties: str, encoding: str) -> None:
    table = study(3, n=200)
    one = design_of(table, encoding=encoding, ties=ties)
    two = design_of(swapped(table), encoding=encoding, ties=ties)
    assert (one.x != 0).any(axis=0).all()
    np.testing.assert_array_equal(two.x, -one.x)
    asked_ = one.weight > 0
    np.testing.assert_array_equal(two.y[asked_], 1 - one.y[asked_])
    np.testing.assert_array_equal(two.weight, one.weight)
    assert two.pair_ids.tolist() == one.pair_ids.tolist()
    np.testing.assert_array_equal(two.in_group, one.in_group)
    pd.testing.assert_frame_equal(two.dropped, one.dropped)
    assert two.encoder.scales == one.encoder.scales


# 12 studies of 80 pairs: a column or a count that stays behind shows in any of them.
@pytest.mark.parametrize("seed", range(12))
def test_permuting_rows_permutes_the_design(seed: int) -> None:
    table = study(seed)
    one, two = design_of(table), design_of(table.sample(frac=1, random_state=seed))
    order = [two.pair_ids.tolist().index(p) for p in one.pair_ids]
    assert order != sorted(order)
    assert set(one.pair_ids) == set(two.pair_ids)
    assert one.groups == two.groups
    for part in ("x", "y", "weight", "in_group"):
        np.testing.assert_array_equal(getattr(two, part)[order], getattr(one, part))
    pd.testing.assert_frame_equal(two.dropped, one.dropped)
    assert two.encoder.scales == pytest.approx(one.encoder.scales, rel=1e-15)


def test_new_names_of_properties_change_nothing_else() -> None:
    table = study(4)
    new = {p.id: f"p{k}" for k, p in enumerate(SCHEMA)}
    renamed = PropertySchema(
        name="renamed",
        properties=tuple(p.model_copy(update={"id": new[p.id], "rated": f"r_{new[p.id]}"}) for p in SCHEMA),
    )
    columns = {p.rated + side: f"r_{new[p.id]}{side}" for p in SCHEMA for side in SIDES}
    one, two = design_of(table), design_of(table.rename(columns=columns), renamed)
    assert two.columns == tuple(new.values())
    for part in ("x", "y", "weight", "in_group"):
        np.testing.assert_array_equal(getattr(two, part), getattr(one, part))
    assert two.encoder.scales == {new[p]: scale for p, scale in one.encoder.scales.items()}
    told = [
        f"no rating of {new[r.removeprefix('no rating of ')]}" if "rating" in r else r for r in one.dropped["reason"]
    ]
    key = ["judge", "group", "reason"]
    pd.testing.assert_frame_equal(
        two.dropped.sort_values(key, ignore_index=True),
        one.dropped.assign(reason=told).sort_values(key, ignore_index=True),
    )


def test_another_order_of_properties_is_another_order_of_columns() -> None:
    table = study(5)
    backwards = PropertySchema(name="backwards", properties=SCHEMA.properties[::-1])
    one, two = design_of(table), design_of(table, backwards)
    assert two.columns == one.columns[::-1]
    np.testing.assert_array_equal(two.x[:, ::-1], one.x)
    np.testing.assert_array_equal(two.y, one.y)
    n_dropped = one.dropped.groupby(["judge", "group"])["n"].sum()
    pd.testing.assert_series_equal(two.dropped.groupby(["judge", "group"])["n"].sum(), n_dropped)


def test_cell_and_sel_take_the_rows_and_names_asked_for() -> None:
    design = design_of(study(6, n=200))
    chosen = design.sel(["bob"], ["urgent", "Code"])
    assert (chosen.judges, chosen.groups) == (("bob",), ("urgent", "Code"))
    assert chosen.group_kinds == {"urgent": "case", "Code": "scenario"}
    for group in chosen.groups:
        one, two = design.cell("bob", group), chosen.cell("bob", group)
        assert len(one) >= 5
        for part in ("x", "y", "weight"):
            np.testing.assert_array_equal(getattr(one, part), getattr(two, part))
        assert one.take(np.array([2, 0])).y.tolist() == [one.y[2], one.y[0]]
    mine = design.dropped[
        (design.dropped["judge"] == "bob") & design.dropped["group"].isin(["urgent", "Code", "(none)"])
    ]
    assert chosen.dropped["n"].sum() == mine["n"].sum() > 0
    assert chosen.count()[0].tolist() == [[len(design.cell("bob", "urgent")), len(design.cell("bob", "Code"))]]


def test_pairs_of_no_group_are_not_rows() -> None:
    design = design_of(study(7), by="scenario")
    assert design.in_group.sum(axis=1).tolist() == [1] * len(design.x)


# Encoders


def scored(a: list[float], b: list[float], schema: PropertySchema | None = None) -> PreferenceData:
    return PreferenceData.from_frame(pd.DataFrame({"x_a": a, "x_b": b, "judge_ann": ["A"] * len(a)}), schema=schema)


@pytest.mark.parametrize(
    ("differences", "scale"),
    [
        ([*range(21)], 19.0),  # 95 % of the way along 21 values is the twentieth
        ([-k for k in range(21)], 19.0),
        ([0, -4, 2, NAN], 3.8),  # of 0, 2, 4: rank 1.9, so 2 + 0.9 (4 - 2)
        ([0.0] * 99 + [-7], 7.0),  # the percentile is 0: the largest
        ([0.0, 0.0], 1.0),  # nothing differs
        ([NAN, NAN], 1.0),  # nothing is rated
    ],
)
def test_a_number_is_scaled_by_its_typical_large_difference(differences: list[float], scale: float) -> None:
    train = scored([10 + d for d in differences], [10.0] * len(differences))
    encoder = build_encoder(train, "norm_diff")
    assert encoder.scales == {"x": pytest.approx(scale, rel=1e-12)}
    new = scored([scale / 2, 0, 1e6, 3], [0, scale / 4, 0, 3])
    assert encoder.encode(new)[:, 0] == pytest.approx([0.5, -0.25, 1, 0], rel=1e-12)


def test_stated_scales_and_thresholds_are_kept() -> None:
    stated = PropertySchema(properties=(Property(id="x", kind="number", scale=4, threshold=1, direction="lower"),))
    encoder = build_encoder(scored([100, 0], [0, 0], stated), "norm_diff")
    assert encoder.scales == {"x": 4}
    new = scored([1, 0.5, 0, 9], [0, 0, 2, 0], stated)
    assert encoder.encode(new)[:, 0].tolist() == [-0.25, 0, 0.5, -1]


def test_new_pairs_are_encoded_by_the_scales_of_the_design() -> None:
    design = design_of(study(8))
    table = study(9)
    got = design.encoder.encode(load_study(table))
    raw = (table["score_a"] - table["score_b"]).to_numpy()
    scale = design.encoder.scales["score"]
    expected = [NAN if np.isnan(d) else 0 if abs(d) < 0.25 else max(-1, min(1, d / scale)) for d in raw]
    np.testing.assert_allclose(got[:, design.columns.index("score")], expected, rtol=1e-14)
    errors = (table["severe_errors_b"] - table["severe_errors_a"]).to_numpy()
    expected = [max(-1, min(1, d / 5)) for d in errors]
    np.testing.assert_allclose(got[:, design.columns.index("no_severe_errors")], expected, rtol=1e-14)
    assert scale != pytest.approx(design_of(table).encoder.scales["score"], rel=1e-3)
    with pytest.raises(UnknownNameError, match="the data lack property 'score'"):
        design.encoder.encode(load_study(table.drop(columns=["score_a", "score_b"])))


def test_ready_made_differences_are_scaled_too() -> None:
    table = pd.DataFrame({"gain": [2.0, -4.0, 0.0, NAN], "judge_ann": ["A", "B", "A", "A"]})
    data = PreferenceData.from_frame(table, properties=["gain"])
    design = build_design(data, ["ann"], by=None, encoding="norm_diff", ties="drop")
    assert design.encoder.scales == {"gain": pytest.approx(3.8, rel=1e-12)}
    assert design.x[:, 0] == pytest.approx([2 / 3.8, -1, 0], rel=1e-12)
    assert design.dropped.to_numpy().tolist() == [["ann", "all", "no rating of gain", 1]]


# Refusals


def test_a_study_without_properties_is_refused() -> None:
    data = PreferenceData.from_frame(pd.DataFrame({"text": ["t"], "judge_ann": ["A"]}))
    with pytest.raises(DataError, match=r"rate no property.*columns: text"):
        build_design(data, ["ann"], by=None, encoding="comparison", ties="drop")


@pytest.mark.parametrize(
    ("cells", "ties", "found"),
    [
        (["tie", "both_bad", "invalid"], "drop", "2 pairs: tie, dropped, 1 pairs: invalid verdict"),
        (["invalid", None, None], "half", "2 pairs: no verdict, 1 pairs: invalid verdict"),
    ],
)
def test_a_judge_without_a_usable_verdict_is_named(cells: list[Any], ties: Any, found: str) -> None:
    columns = {"x_a": [1.0] * 3, "x_b": [0.0] * 3, "judge_ann": ["A"] * 3, "judge_bob": cells}
    data = PreferenceData.from_frame(pd.DataFrame(columns))
    with pytest.raises(DataError, match=rf"judge 'bob' has no usable verdict \({found}\)"):
        build_design(data, JUDGES, by=None, encoding="comparison", ties=ties)


def test_pairs_in_no_group_are_counted():
    table = pd.DataFrame(
        {"x_a": [1, 2, 3, 4], "x_b": [2, 1, 1, 1], "judge_j": list("ABAB"), "lang": ["en", None, "de", None]}
    )
    data = load(table)
    dropped = build_design(data, ["j"], by="lang", encoding="comparison", ties="drop").dropped
    assert dropped.to_numpy().tolist() == [["j", "(none)", "in no group", 2]]


def test_a_nuisance_column_stands_beside_the_properties_and_not_among_them():
    data = load(pd.DataFrame({"x_a": [1, 2, 3], "x_b": [2, 1, 1], "judge_j": list("ABA")}))
    first = np.array([1.0, -1.0, 1.0])
    design = build_design(data, ["j"], by=None, encoding="comparison", ties="drop", nuisance={"first": first})
    assert design.columns == ("x", "first")
    assert design.roles == ("property", "nuisance")
    np.testing.assert_array_equal(design.x, [[-1, 1], [1, -1], [1, 1]])
    np.testing.assert_array_equal(design.complete(np.array([[1.0], [-1.0]])), [[1, 0], [-1, 0]])


def test_hash_knows_names_of_groups_and_clusters():
    table = pd.DataFrame(
        {"x_a": [1, 2], "x_b": [2, 1], "judge_j": ["A", "B"], "scenario": ["en", "de"], "cluster": ["u", "v"]}
    )
    hashes = {
        load(table).hash,
        load(table.assign(scenario=["xx", "yy"])).hash,
        load(table.assign(cluster=["u", "u"])).hash,
        load(table.assign(judge_j=["A", "tie"])).hash,
    }
    assert len(hashes) == 4

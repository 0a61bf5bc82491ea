"""What checks, explanations and added judges make of ties, order, models and cluster weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from prefdissect.check import hold_out_where_possible
from prefdissect.data.verdicts import make_verdicts
from written import written_by

SMALL = pdx.PAPER.select(["lengthy", "clear"])
FAST = {"engine": "ep", "random_seed": 0, "progress": False}


def both_orders(data: pdx.PreferenceData) -> pdx.PreferenceData:
    """Return the data with each verdict once more, in the other order, some of them the other way."""
    table = data.verdicts
    other = table["first"].astype(object).map({"A": "B", "B": "A"})
    turned = np.arange(len(table)) % 4 == 0
    value = np.where(turned, 1 - table["value"], table["value"])
    again = table.assign(first=other, value=value, outcome=np.where(value == 1, "A", np.where(value == 0, "B", "tie")))
    both = pd.concat([table.astype({"first": object, "outcome": object}), again], ignore_index=True)
    return replace(data, verdicts=make_verdicts(both.assign(weight=1.0)))


def test_checks_count_pairs_and_not_the_orders_they_were_shown_in():
    study = pdx.simulate(200, schema=SMALL, judges=["me"], scenarios=None, random_seed=0)
    result = pdx.dissect(both_orders(study.data), **FAST)
    assert len(result.design.pair_ids) == 400
    said = result.check(progress=False).table.set_index("check")["said"]
    assert said["pairs"].startswith("200 pairs for 2 properties that differ, 100.0 each")
    assert said["clusters"] == "no two pairs share a prompt (cluster)"
    assert "of 400 decided verdicts" in said["balance"]


def test_tied_pairs_are_counted_once_where_both_orders_are_rows():
    study = pdx.simulate(200, schema=SMALL, judges=["me"], scenarios=None, tie_rate=0.3, random_seed=0)
    result = pdx.dissect(both_orders(study.data), **FAST)
    tied = (study.data.verdicts["outcome"] == "tie").sum()
    assert result.nuisance.set_index("term").loc["ties", "n_differs"] == tied


def test_checks_weigh_rows_as_the_fit_did():
    study = pdx.simulate(
        400, schema=SMALL, judges=["me"], scenarios=None, responses_per_prompt=6, response_sd=1.5, random_seed=0
    )
    result, raw = (pdx.dissect(study.data, cluster=c, position=False, **FAST) for c in ("auto", "none"))
    effect = result.certificates["design_effect"][0]
    assert effect > 1.2
    found = result.check(progress=False).table.set_index("check")
    assert f"rows weigh one over {effect:.2f}" in found.loc["clusters", "said"]
    assert found.loc["clusters", "level"] == "ok"
    held = [hold_out_where_possible(r.data, r.design, r.fitted, random_seed=0) for r in (result, raw)]
    size = [float(h.log_odds["fit"].abs().mean()) for h in held if h is not None]
    assert size[0] < 0.95 * size[1]  # with less evidence the prior pulls more


def test_an_explanation_tells_what_the_models_would_add():
    table, strength = written_by(2000)
    result = pdx.dissect(table, **FAST)
    pair = result.data.pairs.index[0]
    found, predicted = result.explain(pair), result.predict(table.head(1)).iloc[0]
    assert found.with_models == pytest.approx(predicted["probability"], abs=1e-12)
    assert abs(found.with_models - found.probability) > 0.05
    assert f"{found.with_models:.3f} with the models that wrote them" in repr(found)
    without = pdx.dissect(table, generators=False, **FAST).explain(pair)
    assert np.isnan(without.with_models)
    assert "models" not in repr(without)


def test_a_judge_is_added_with_the_terms_that_the_others_have():
    """Too few pairs a model for `auto`, and an order that never varies: both asked for, and kept."""
    table, _ = written_by(90)
    study = pdx.load(table.assign(judge_me=np.where(np.arange(90) % 3, "A", "B")))
    fixed = replace(study, verdicts=study.verdicts.assign(first="A"))
    result = pdx.dissect(fixed, generators=True, position=True, **FAST)
    added = result.add("new", ["A", "B"] * 45)
    assert added.design.columns == result.design.columns
    assert (added.design.x[:, added.design.roles.index("order")] != 0).any()
    rows = added.nuisance.query("judge == 'new' and term == 'generator'")
    assert rows["identified"].all()
    before = result.nuisance.reset_index(drop=True)
    pd.testing.assert_frame_equal(added.nuisance.query("judge == 'me'").reset_index(drop=True), before)


def test_few_verdicts_in_an_order_are_said_to_be_few():
    study = pdx.simulate(12, schema=SMALL, judges=["me"], scenarios=None, random_seed=0)
    (note,) = pdx.dissect(study.data, **FAST).design.notes
    assert "fewer than 10 verdicts in one order" in note

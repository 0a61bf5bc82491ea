"""Does a judge prefer what it wrote itself: recovered with others in the pool, refused without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from prefdissect.data.verdicts import make_verdicts
from prefdissect.errors import DataError, OptionError
from prefdissect.features import build_encoder

SCHEMA = pdx.PAPER.select(["clear", "lengthy"])
GENERATORS = [f"model{i}" for i in range(6)]
JUDGES = [*GENERATORS[:4], "ann", "bob"]  # four of them wrote responses
SELF, QUALITY = 0.6, np.array([1.0, 0.5, 0.2, -0.2, -0.5, -1.0])
ASKED = {"pooling": "partial", "engine": "ep", "random_seed": 0, "progress": False}


def simulate(seed: int, n: int = 1200) -> pdx.PreferenceData:
    """Return pairs of six generators of unlike quality, and judges of whom those who wrote prefer their own."""
    rng = np.random.default_rng(seed)
    data = pdx.simulate(n, schema=SCHEMA, judges=JUDGES, scenarios=None, weights={"clear": 0.3}, random_seed=rng).data
    a = rng.integers(6, size=n)
    b = (a + rng.integers(1, 6, size=n)) % 6
    pairs = data.pairs.assign(model_a=np.array(GENERATORS)[a], model_b=np.array(GENERATORS)[b])
    x = build_encoder(data, "comparison").encode(data)
    logit = (x @ [0.3, 0.0] + QUALITY[a] - QUALITY[b])[:, None] * np.ones(len(JUDGES))
    for j in range(4):
        logit[:, j] += SELF * ((a == j).astype(float) - (b == j))
    prefers_a = rng.random(logit.shape) < 1 / (1 + np.exp(-logit))
    table = pd.DataFrame(
        {
            "pair_id": np.tile(pairs.index.to_numpy(), len(JUDGES)),
            "judge": np.repeat(JUDGES, n),
            "first": "unknown",
            "repeat": 0,
            "value": prefers_a.T.ravel().astype(float),
            "outcome": np.where(prefers_a, "A", "B").T.ravel(),
            "weight": 1.0,
            "judge_generator": np.repeat([*JUDGES[:4], None, None], n),
        }
    )
    return replace(data, pairs=pairs, verdicts=make_verdicts(table))


@pytest.fixture(scope="module")
def data() -> pdx.PreferenceData:
    return simulate(0)


def test_self_preference_is_told_from_quality(data):
    """Four judges with 400 pairs of their own each: standard errors of about 0.15, of the mean about 0.1."""
    result = pdx.dissect(data, self_preference=True, **ASKED)
    found = result.self_preference
    assert found["judge"].tolist() == found["generator"].tolist() == GENERATORS[:4]
    assert found["mean"].mean() == pytest.approx(SELF, abs=0.25)
    assert ((found["lower"] < SELF) & (found["upper"] > SELF)).all()
    assert (found["sd"] < 0.35).all()
    assert set(result.weights["property"]) == set(SCHEMA.ids)  # nuisance stands in no table
    assert set(result.layers["property"]) == set(SCHEMA.ids)


def test_what_is_not_there_is_not_found():
    """Without self-preference in the truth: two judges who are named as generators and prefer nothing of their own."""
    data = simulate(1)
    verdicts = data.verdicts[data.verdicts["judge"].isin(["ann", "bob"])].reset_index(drop=True)
    named = verdicts.assign(judge_generator=np.where(verdicts["judge"] == "ann", GENERATORS[4], GENERATORS[5]))
    data = replace(data, verdicts=named)
    found = pdx.dissect(data, ["ann", "bob"], self_preference=True, **ASKED).self_preference
    assert ((found["lower"] < 0) & (found["upper"] > 0)).all()


def test_refused_with_the_reason(data):
    with pytest.raises(OptionError, match="may be what they deserve.*pooling='none' and 6 judges"):
        pdx.dissect(data, self_preference=True, random_seed=0)
    with pytest.raises(OptionError, match="and 1 judge$"):
        pdx.dissect(data, "ann", self_preference=True, **ASKED)
    with pytest.raises(OptionError, match="and 1 judge$"):
        pdx.dissect(data, self_preference=True, exclude_from_pool=JUDGES[1:], **ASKED)
    with pytest.raises(DataError, match="model_a and model_b"):
        pdx.dissect(replace(data, pairs=data.pairs.drop(columns="model_a")), self_preference=True, **ASKED)
    with pytest.raises(DataError, match="judge_generator"):
        pdx.dissect(data, ["ann", "bob"], self_preference=True, **ASKED)
    with pytest.raises(OptionError, match="nobody asked"):
        _ = pdx.dissect(data, ["ann", "bob"], **ASKED).self_preference

# ruff: noqa: D100, T201
# %% [markdown]
# # Your own properties
#
# State how properties are rated, in Python or in a file: labels, a rating in the other direction, a property that
# only some requests call for, a number that is too noisy to compare to the last digit.

# %%
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import prefdissect as pdx

YAML = """
name: support desk
properties:
- id: warm
  kind: label
  labels: {warm: 1, neutral: 0, cold: -1}
- id: to_the_point
  kind: rating
  range: [0, 3]
  rated: padding
  direction: lower
- id: keeps_limits
  kind: rating
  range: [0, 3]
  missing: zero
  group: query-specific
- id: fluent
  kind: number
  threshold: 0.5
"""
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "support.yaml"
    file.write_text(YAML, encoding="utf-8")
    schema = pdx.PropertySchema.from_file(file)
print(schema)

# %% [markdown]
# Ratings, as an annotator would write them. Only one request in three states limits; the others have no rating of
# them. The judge likes warm answers without padding that keep the limits. Fluency does not matter.

# %%
rng = np.random.default_rng(3)
n = 1200
states_limits = rng.random(n) < 1 / 3
warm, padding, limits = rng.integers(0, 3, (n, 2)), rng.integers(0, 4, (n, 2)), rng.integers(0, 4, (n, 2))
table = pd.DataFrame()
for i, side in enumerate("ab"):
    table[f"warm_{side}"] = np.array(["cold", "neutral", "warm"])[warm[:, i]]
    table[f"padding_{side}"] = padding[:, i]
    table[f"keeps_limits_{side}"] = np.where(states_limits, limits[:, i], np.nan)
    table[f"fluent_{side}"] = rng.normal(0, 1, n)
warmer, more_padding, more_limits = (np.sign(x[:, 0] - x[:, 1]) for x in (warm, padding, limits))
log_odds = 0.5 * warmer - 0.7 * more_padding + 1.0 * more_limits * states_limits
table["judge_desk"] = np.where(rng.random(n) < 1 / (1 + np.exp(-log_odds)), "A", "B")

data = pdx.load(table, schema=schema)
print()
print(data)

# %% [markdown]
# Padding is rated, "to the point" is weighed: the weight is positive although more padding makes the judge turn away.
# `n_differs` counts the pairs that bear on a weight: few for the limits, and for fluency only differences of 0.5 or
# more.

# %%
result = pdx.dissect(data, prior=pdx.Normal(1.0), draws=500, random_seed=3)
print()
print(
    result.weights[["property", "mean", "lower", "upper", "n_pairs", "n_differs", "certified"]]
    .round(2)
    .to_string(index=False)
)

# %% [markdown]
# A rating that is not in the schema is an error. It names the row and what would be valid.

# %%
try:
    pdx.load(table.assign(warm_a="wram"), schema=schema)
except pdx.PrefDissectError as error:
    print()
    print("error:", error)

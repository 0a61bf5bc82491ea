# ruff: noqa: D100, T201
# %% [markdown]
# # A first study
#
# Simulate two judges with known weights, dissect them, and see whether the weights are found again.

# %%
import prefdissect as pdx

schema = pdx.PAPER.select(["clear", "friendly", "no severe errors", "lengthy"])
study = pdx.simulate(
    1500,
    schema=schema,
    judges=["ann", "bob"],
    scenarios=None,
    weights={"clear": 0.5, "no severe errors": 1.0, "lengthy": -0.4},  # "friendly" does not matter to them
    random_seed=1,
)
print(study.data)

# %% [markdown]
# One fit per judge. Each line of the result names the properties that a judge prefers most and least, with the
# weight and its interval.

# %%
result = pdx.dissect(study.data, draws=500, random_seed=1)
print()
print(result)

# %% [markdown]
# The truth beside the estimate. The prior pulls large weights a little towards 0.

# %%
table = result.weights.merge(study.weights.rename(columns={"weight": "truth"}), on=["judge", "group", "property"])
table["inside"] = table["truth"].between(table["lower"], table["upper"])
print()
print(table[["judge", "property", "truth", "mean", "lower", "upper", "inside"]].round(2).to_string(index=False))

# %% [markdown]
# All fits passed their checks, and the extremes are the right ones.

# %%
top = result.top(1)
print()
print("all certified:", bool(result.weights["certified"].all()))
for row in top.itertuples():
    print(f"{row.judge} prefers {row.label!r} {row.side}: probability {row.probability:.2f}")

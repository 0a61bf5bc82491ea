# ruff: noqa: D100, T201
# %% [markdown]
# # Your own table
#
# From a CSV file to weights, a prediction, and a saved result. The file is made here; yours has the same kinds of
# columns: `<property>_a`, `<property>_b`, one column of verdicts for each judge, and one that names the scenario.

# %%
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import prefdissect as pdx

rng = np.random.default_rng(0)
n = 1000
table = pd.DataFrame({"task": rng.choice(["write", "explain"], n)})
for name in ("clear", "funny"):
    table[f"{name}_a"], table[f"{name}_b"] = rng.integers(1, 6, (2, n))
# The judge wants clear explanations and funny texts.
clear, funny = (np.sign(table[f"{name}_a"] - table[f"{name}_b"]) for name in ("clear", "funny"))
log_odds = np.where(table["task"] == "explain", 1.0 * clear, 0.8 * funny)
table["editor"] = np.where(rng.random(n) < 1 / (1 + np.exp(-log_odds)), "A", "B")
table.loc[rng.random(n) < 0.1, "editor"] = "tie"

# %% [markdown]
# Read the file. `load` says what it understood: check it before you go on.

# %%
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "pairs.csv"
    table.to_csv(file, index=False)
    data = pdx.load(file, judges=["editor"], scenario="task")
print(data)

# %%
result = pdx.dissect(data, draws=500, random_seed=2)
columns = ["group", "property", "mean", "lower", "upper", "probability", "n_pairs"]
print()
print(result.weights[columns].round(2).to_string(index=False))
print()
# A tenth of the verdicts are ties: they are no weight of a property, but a term of their own.
ties = result.nuisance.query("term == 'ties' and group != 'overall'").astype({"n_differs": int})
print(ties[["judge", "group", "probability", "n_differs"]].round(2).to_string(index=False))

# %% [markdown]
# Predict two new pairs. In both, A is clearer and B is funnier.

# %%
new = pd.DataFrame(
    {
        "task": ["explain", "write"],
        "clear_a": [5, 5],
        "clear_b": [2, 2],
        "funny_a": [1, 1],
        "funny_b": [4, 4],
    }
)
predicted = result.predict(pdx.load(new, scenario="task"))
print()
for row in predicted.itertuples():
    choice = "A" if row.probability > 0.5 else "B"
    print(f"{row.group}: prefers {choice}, P(A) = {row.probability:.2f} [{row.lower:.2f}, {row.upper:.2f}]")

# %% [markdown]
# Save everything in one file, and load it again.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = result.save(Path(folder) / "run.nc")
    again = pdx.Dissection.load(path)
print()
print("the same after loading:", again.weights.equals(result.weights))

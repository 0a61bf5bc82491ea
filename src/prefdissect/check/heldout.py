"""How well a fit predicts pairs that it has not seen, and whether it does better than simple rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd
from scipy.special import expit, logit

from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.errors import DataError
from prefdissect.features import Cell, Design
from prefdissect.inference import Normal, PriorArrays, arrange_prior, fit_without, stream_of
from prefdissect.inference.progress import progress_bar
from prefdissect.inference.threads import one_blas_thread

if TYPE_CHECKING:
    from prefdissect.plots import Axes

__all__ = ["HeldOut", "hold_out", "loss_of"]

LENGTHS = ("lengthy", "length", "text_length", "words")  # properties that say how long a response is, by preference
_MODELS = ("fit", "majority", "length only", "best single")
_OF_WORDS = arrange_prior(Normal(1.0), ["words"])
_BINS = 10
_WILSON = 1.96**2  # of a 95% interval


@dataclass(frozen=True, eq=False, repr=False)
class HeldOut:
    """Predictions of pairs by fits that did not see them, and the scores of four models.

    Parameters
    ----------
    scores
        One row per judge, group and model: judge, group, model (`fit`; `majority`: the more frequent label of the other
        folds; `length only` and `best single`: a fit to one property, the best by how often its sign is right in the
        other folds), n, n_undecided, accuracy, log_loss (nats), auc, brier, property (of a single one, the most
        frequent over folds; NaN: there is none).
    log_odds
        One row per judge, group and pair: judge, group, pair_id, fold, label, then the log-odds of A by each model.
        `predictions` has the probabilities, of which rounding makes 0 and 1 where log-odds are beyond 37.
    k
        Number of folds.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> schema = pdx.PAPER.select(["lengthy", "clear"])
    >>> truth = {"lengthy": 1.0, "clear": 0.5}
    >>> study = pdx.simulate(500, schema=schema, judges=["me"], scenarios=None, weights=truth, random_seed=0)
    >>> scores = pdx.dissect(study.data, engine="ep", random_seed=0).cross_validate().scores.set_index("model")
    >>> bool(scores.loc["fit", "accuracy"] > scores.loc["majority", "accuracy"])
    True
    """

    scores: pd.DataFrame
    log_odds: pd.DataFrame
    k: int

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """One row per judge, group and pair: judge, group, pair_id, fold, label, the probability of A by each model."""
        return self.log_odds.assign(**{model: expit(self.log_odds[model].to_numpy()) for model in _MODELS})

    def plot(self, ax: Axes | None = None, *, judge: str | None = None, group: str | None = None) -> Axes:
        """Draw observed shares against predicted probabilities, of all judges and groups or of some."""
        from prefdissect.plots import plot_calibration

        return plot_calibration(self.calibration(judge, group), ax)

    def calibration(self, judge: str | None = None, group: str | None = None) -> pd.DataFrame:
        """Return how often A was preferred where the fit says how often it should be, in ten bins of equal size.

        Columns: predicted (mean), observed (share), lower, upper (Wilson's 95% interval), n. Of all judges and groups
        together, or of some. Source: Wilson 1927, Journal of the American Statistical Association 22.
        """
        table = self.predictions
        table = table[(table["judge"] == judge) | (judge is None)]
        table = table[((table["group"] == group) | (group is None)) & (table["label"] != 0.5)]
        if table.empty:
            raise DataError(f"no held-out pair of judge {judge!r} in group {group!r}")
        order = np.argsort(table["fit"].to_numpy(), kind="stable")
        rows = []
        for part in np.array_split(order, min(_BINS, len(order))):
            predicted, label = table["fit"].to_numpy()[part], table["label"].to_numpy()[part] > 0.5
            n, p = len(part), float(label.mean())
            middle = (p + _WILSON / (2 * n)) / (1 + _WILSON / n)
            half = np.sqrt(_WILSON * (p * (1 - p) / n + _WILSON / (4 * n * n))) / (1 + _WILSON / n)
            rows.append((float(predicted.mean()), p, middle - half, middle + half, n))
        return pd.DataFrame(rows, columns=["predicted", "observed", "lower", "upper", "n"])


def hold_out(
    design: Design,
    prior: PriorArrays,
    clusters: pd.Series,
    *,
    k: int,
    min_pairs: int,
    random_seed: int,
    keys: Sequence[tuple[str, str]] | None = None,
    effects: Mapping[tuple[str, str], float] | None = None,
    words: FloatArray | None = None,
    progress: bool | None = None,
) -> HeldOut:
    """Predict each pair by a fit to the other folds, never to a pair of its cluster.

    Pairs that share a prompt share what makes one response win, so a fit that has seen one predicts the other too well;
    `clusters` [pair] says which belong together. A pair whose preference is 1/2 is fitted and predicted, takes no part
    in scores, and is counted in `n_undecided`; where ties are a term they are neither fitted nor predicted here.
    `keys`: the judges and groups; by default all with `min_pairs` pairs. `effects`: by what rows'
    weights are divided. `words` [row]: by how much A is longer (log), which stands for length where no property does.

    Raises
    ------
    DataError
        If a group has fewer clusters than folds.
    """
    if keys is None:
        keys = [(j, g) for g in design.groups for j in design.judges if len(design.decided(j, g)[0]) >= min_pairs]
    clusters = clusters[~clusters.index.duplicated()]
    of_row = pd.factorize(clusters.reindex(design.pair_ids).to_numpy())[0]
    with (
        progress_bar("holding out", len(keys), progress) as bar,
        one_blas_thread(),
        ThreadPoolExecutor(joblib.cpu_count()) as pool,
    ):

        def work(key: tuple[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
            rows, cell = design.decided(*key)
            cell = replace(cell, weight=cell.weight / (effects or {}).get(key, 1.0))
            folds = _deal(of_row[rows], k, key, random_seed)
            found = _hold_out_cell(design, cell, prior, rows, folds, words)
            bar.update(1)
            return found

        parts = list(pool.map(work, keys))
    scores, log_odds = (pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True))
    return HeldOut(scores, log_odds, k)


def _deal(clusters: IntArray, k: int, key: tuple[str, str], random_seed: int) -> IntArray:
    """Return the fold of each pair: clusters whole, the largest first into the fold that has least."""
    names, of, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    if len(names) < k:
        raise DataError(
            f"judge {key[0]!r} in group {key[1]!r} has pairs of {len(names)} clusters (prompts), too few for {k} folds"
            + (f"; take k={len(names)} or fewer" if len(names) > 1 else ", and one cannot be left out")
        )
    rng = stream_of(random_seed, *key, "folds")
    shuffled = rng.permutation(len(names))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    filled, fold = np.zeros(k, dtype=np.int64), np.empty(len(names), dtype=np.int64)
    for cluster in order:
        fold[cluster] = filled.argmin()
        filled[fold[cluster]] += sizes[cluster]
    return fold[of]


def _hold_out_cell(
    design: Design, cell: Cell, prior: PriorArrays, rows: IntArray, folds: IntArray, words: FloatArray | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    kept = [np.flatnonzero(folds != fold) for fold in range(folds.max() + 1)]
    length = _length_column(design)
    long = None if words is None or length is not None else replace(cell, x=words[rows][:, None])
    log_odds = {model: np.full(len(cell), np.nan) for model in _MODELS}
    log_odds["majority"] = np.array([_majority(cell, train) for train in kept])[folds]
    chosen = np.array([_best_single(cell, train, design.is_property) for train in kept])
    every = range(len(kept))
    _predict(cell, prior, kept, folds, every, log_odds["fit"])
    for best in np.unique(chosen):
        alone = cell.only(int(best)), prior.take([best])
        _predict(*alone, kept, folds, np.flatnonzero(chosen == best), log_odds["best single"])
    if length is not None:
        _predict(cell.only(length), prior.take([length]), kept, folds, every, log_odds["length only"])
    elif long is not None:
        _predict(long, _OF_WORDS, kept, folds, every, log_odds["length only"])
    predictions = pd.DataFrame(
        {
            "judge": cell.judge,
            "group": cell.group,
            "pair_id": design.pair_ids[rows],
            "fold": folds,
            "label": cell.y,
            **log_odds,
        }
    ).astype({"judge": "str", "group": "str", "pair_id": "str"})
    decided = cell.y != 0.5
    names = {
        "length only": design.columns[length]
        if length is not None
        else None
        if long is None
        else "(words of the text)",
        "best single": design.columns[int(np.bincount(chosen).argmax())],
    }
    scores = [
        {
            "judge": cell.judge,
            "group": cell.group,
            "model": model,
            "n": int(decided.sum()),
            "n_undecided": int((~decided).sum()),
            **_score(cell.y[decided] > 0.5, values[decided], ranks=model != "majority"),
            "property": names.get(model),
        }
        for model, values in log_odds.items()
    ]
    return pd.DataFrame(scores).astype({"judge": "str", "group": "str", "property": "str"}), predictions


def _predict(
    cell: Cell,
    prior: PriorArrays,
    kept: Sequence[IntArray],
    folds: IntArray,
    asked: Iterable[int],
    found: FloatArray,
) -> None:
    """Write the log-odds of the pairs of some folds, each by a fit to the rows that are kept of the others."""
    means = fit_without(cell, [kept[fold] for fold in asked], prior)
    for fold, mean in zip(asked, means, strict=True):
        test = np.flatnonzero(folds == fold)
        found[test] = cell.x[test] @ mean


def _majority(cell: Cell, train: IntArray) -> float:
    """Return the log-odds of A by its share in some rows, half a verdict away from 0 and 1 at least."""
    weight, y = cell.weight[train], cell.y[train]
    return float(logit(np.clip(weight @ y / weight.sum(), 1 / (2 * len(y)), 1 - 1 / (2 * len(y)))))


def _length_column(design: Design) -> int | None:
    return next((design.columns.index(name) for name in LENGTHS if name in design.columns), None)


def _best_single(cell: Cell, train: IntArray, kept: BoolArray) -> int:
    """Return the property whose sign goes most often along with the preference, or against it, in some rows."""
    along = np.abs((cell.weight[train] * (2 * cell.y[train] - 1)) @ np.sign(cell.x[train]))
    return int(np.where(kept, along, -1.0).argmax())


def loss_of(label: BoolArray, log_odds: FloatArray) -> FloatArray:
    """Return the log loss of each prediction, in nats: finite for any log-odds."""
    return np.asarray(np.logaddexp(0.0, np.where(label, -log_odds, log_odds)), dtype=np.float64)


def _score(label: BoolArray, log_odds: FloatArray, *, ranks: bool) -> dict[str, float]:
    """Return accuracy (a probability of 1/2 is half right), log loss, AUC and Brier score; NaN without predictions.

    The AUC is NaN, too, where all labels are one: there is nothing to rank. A model that does not rank has 1/2.
    """
    from scipy.stats import rankdata  # slow to import

    if not len(label) or np.isnan(log_odds).any():
        return dict.fromkeys(("accuracy", "log_loss", "auc", "brier"), float("nan"))
    right = np.where(log_odds == 0, 0.5, (log_odds > 0) == label)
    n_a, n_b = int(label.sum()), int((~label).sum())
    order = rankdata(log_odds if ranks else np.zeros(len(label)))
    auc = (order[label].sum() - n_a * (n_a + 1) / 2) / (n_a * n_b) if n_a and n_b else float("nan")
    return {
        "accuracy": float(right.mean()),
        "log_loss": float(loss_of(label, log_odds).mean()),
        "auc": float(auc),
        "brier": float(((expit(log_odds) - label) ** 2).mean()),
    }

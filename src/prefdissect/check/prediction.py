"""Does the fit predict pairs that it has not seen, and better than length alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtri

from prefdissect.check.case import Case, sum_clusters
from prefdissect.check.finding import Finding
from prefdissect.check.heldout import loss_of

__all__ = ["check_prediction"]

_Z = float(ndtri(0.95))  # one-sided
_RULES = {"majority": "the more frequent label", "length only": "length alone"}


def check_prediction(case: Case) -> Finding:
    """Whether held-out log loss is better than that of the majority and of length alone, for sure.

    This asks for evidence, and says look where there is none. Its significance is that of one fit, however many there
    are: shared among them it would say look more often, not less.
    """
    table = case.held_out
    decided = table[table["label"] != 0.5]
    if len(decided) < 2:
        said = "not checked: too few clusters (prompts) or decided pairs to hold any out"
        return Finding("prediction", "look", said, look_at=0.0, advice="more prompts are needed to see if it predicts")
    label = (decided["label"] > 0.5).to_numpy()
    cluster = case.cell.cluster[(table["label"] != 0.5).to_numpy()]
    known = [name for name in ("fit", *_RULES) if decided[name].notna().all()]
    loss = {name: loss_of(label, decided[name].to_numpy(dtype=np.float64)) for name in known}
    gains = {}
    for name, rule in _RULES.items():
        if name in loss:
            sums = sum_clusters(loss[name] - loss["fit"], cluster)
            gains[rule] = (float(sums.sum()) / len(label), float(sums.sum() / np.sqrt(max((sums**2).sum(), 1e-300))))
    rule, (gain, z) = min(gains.items(), key=lambda item: item[1][1])
    accuracy = float(((decided["fit"] > 0) == label).mean())
    others = ", ".join(f"{_RULES[name]} {_accuracy(decided[name], label):.0%}" for name in loss if name != "fit")
    said = f"{accuracy:.0%} of held-out pairs are right ({others})"
    if z >= _Z:
        return Finding("prediction", "ok", f"{said}, better than each of these by log loss", z, look_at=_Z)
    said += f"; by log loss no better than {rule}, for all that can be seen ({gain:+.3f} nats a pair, z {z:+.1f})"
    advice = "properties that matter may be missing, or there are too few pairs: do not say that these drive the judge"
    return Finding("prediction", "look", said, z, look_at=_Z, advice=advice)


def _accuracy(log_odds: pd.Series, label: np.ndarray) -> float:
    t = log_odds.to_numpy(dtype=np.float64)
    return float(np.where(t == 0, 0.5, (t > 0) == label).mean())

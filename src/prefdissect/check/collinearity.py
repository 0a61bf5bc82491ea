"""Can the properties be told apart."""

from __future__ import annotations

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.check.case import Case
from prefdissect.check.finding import Finding, grade

__all__ = ["check_collinearity", "inflation"]

_LOOK, _STOP = 5.0, 10.0  # variance inflation: customary limits, e.g. James et al. 2021, section 3.3.3
_OPPOSED = 0.8  # posterior correlation of two weights, in size, that is looked at whatever the inflation
_LARGEST = 1e6  # what stands for infinite


def check_collinearity(case: Case) -> Finding:
    """Whether two properties go together so often that their weights cannot be told apart."""
    known = case.known
    if len(known) < 2:
        return Finding("collinearity", "ok", "not checked: fewer than two properties differ")
    vif, condition = inflation(case.cell.x[:, known] * np.sqrt(case.cell.weight)[:, None])
    cov = case.fit.cov[np.ix_(known, known)]
    sd = np.sqrt(np.diagonal(cov))
    posterior = cov / np.outer(sd, sd)
    np.fill_diagonal(posterior, 0.0)
    inflated = vif.max() >= _LOOK
    k = int(vif.argmax()) if inflated else int(np.abs(posterior).max(axis=1).argmax())
    partner = int(np.abs(posterior[k]).argmax())
    together = abs(float(posterior[k, partner]))
    level = grade(float(vif.max()), _LOOK, _STOP)
    measured = float(vif.max()), _LOOK, _STOP
    if level == "ok" and together >= _OPPOSED:
        level, measured = "look", (together, _OPPOSED, float("nan"))
    first, second = (case.labels[known[i]] for i in sorted((k, partner)))  # whichever of the two rounding chose
    figures = (
        f"variance inflation {_show(vif[k])}, posterior correlation {posterior[k, partner]:+.2f}, "
        f"condition number {_show(condition)}"
    )
    if level == "ok":
        return Finding("collinearity", "ok", f"all properties can be told apart ({figures})", *measured)
    n = int((vif >= _LOOK).sum())
    said = f"cannot tell {first} from {second} for this judge ({figures})"
    said += f"; {n} properties are inflated so" if n > 2 else ""
    advice = (
        "leave one out: properties=[...] of load() or, for those measured from texts, of measure_text(); --property on "
        f"the command line. Or report {first} and {second} as one"
    )
    return Finding("collinearity", level, said, *measured, advice)


def inflation(x: FloatArray) -> tuple[FloatArray, float]:
    """Return the variance inflation of each column, and the condition number of all; about 0, as there is no intercept.

    Source: Belsley, Kuh and Welsch 1980, Regression Diagnostics, chapter 3.
    """
    unit = x / np.linalg.norm(x, axis=0)
    values, vectors = np.linalg.eigh(unit.T @ unit)
    values = np.maximum(values, 1 / _LARGEST)
    return np.asarray((vectors**2 / values).sum(axis=1), dtype=np.float64), float(np.sqrt(values[-1] / values[0]))


def _show(number: float) -> str:
    return f"{number:.1f}" if number < 1000 else "above 1,000"

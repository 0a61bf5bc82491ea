"""From a `Design` to a `Posterior`: priors, engines and the certificate of each fit."""

from __future__ import annotations

from prefdissect.inference.fit import FitOptions, fit_design
from prefdissect.inference.posterior import Fit, Posterior
from prefdissect.inference.prior import PAPER_PRIOR, Laplace, Normal, Prior, PriorLike, arrange_prior

__all__ = [
    "PAPER_PRIOR",
    "Fit",
    "FitOptions",
    "Laplace",
    "Normal",
    "Posterior",
    "Prior",
    "PriorLike",
    "arrange_prior",
    "fit_design",
]

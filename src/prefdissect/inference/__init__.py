"""From a `Design` to a `Posterior`: priors, engines and the certificate of each fit."""

from __future__ import annotations

from prefdissect.inference.fit import fit_design, refit
from prefdissect.inference.joint import sample_joint
from prefdissect.inference.options import FitOptions, check_options
from prefdissect.inference.posterior import Fit, Posterior
from prefdissect.inference.prior import PAPER_PRIOR, Laplace, Normal, Prior, PriorArrays, PriorLike, arrange_prior

__all__ = [
    "PAPER_PRIOR",
    "Fit",
    "FitOptions",
    "Laplace",
    "Normal",
    "Posterior",
    "Prior",
    "PriorArrays",
    "PriorLike",
    "arrange_prior",
    "check_options",
    "fit_design",
    "refit",
    "sample_joint",
]

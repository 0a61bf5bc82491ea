"""From a `Design` to a `Posterior`: priors, engines and the certificate of each fit."""

from __future__ import annotations

from prefdissect.inference.certificate import MOST_R_HAT, failed_criteria
from prefdissect.inference.ep import StandIn
from prefdissect.inference.fit import fit_design, fit_without, refit, stand_in, stream_of
from prefdissect.inference.joint import sample_joint
from prefdissect.inference.options import FitOptions, check_options
from prefdissect.inference.posterior import Cutpoint, Fit, Posterior
from prefdissect.inference.prior import PAPER_PRIOR, Laplace, Normal, Prior, PriorArrays, PriorLike, arrange_prior
from prefdissect.inference.shapley import shapley_values
from prefdissect.inference.ties import outcome_probabilities, tie_rate

__all__ = [
    "MOST_R_HAT",
    "PAPER_PRIOR",
    "Cutpoint",
    "Fit",
    "FitOptions",
    "Laplace",
    "Normal",
    "Posterior",
    "Prior",
    "PriorArrays",
    "PriorLike",
    "StandIn",
    "arrange_prior",
    "check_options",
    "failed_criteria",
    "fit_design",
    "fit_without",
    "refit",
    "outcome_probabilities",
    "sample_joint",
    "shapley_values",
    "stand_in",
    "stream_of",
    "tie_rate",
]

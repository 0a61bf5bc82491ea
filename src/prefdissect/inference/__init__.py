"""From a `Design` to a `Posterior`: priors, engines and the certificate of each fit."""

from __future__ import annotations

from prefdissect.inference.certificate import MOST_R_HAT, failed_criteria
from prefdissect.inference.ep import StandIn
from prefdissect.inference.fit import fit_design, fit_without, refit, stand_in, stream_of
from prefdissect.inference.joint import sample_joint
from prefdissect.inference.options import FitOptions, check_options
from prefdissect.inference.pooling.conditions import check_pooling, terms_when_pooled
from prefdissect.inference.pooling.pooled import UNLIKE, Pooled, layers_table, scales_table
from prefdissect.inference.pooling.posterior import fit_pooled
from prefdissect.inference.pooling.self_preference import (
    OWN,
    check_self_preference,
    own_column,
    self_preference_table,
)
from prefdissect.inference.posterior import Cutpoint, Fit, Posterior
from prefdissect.inference.prior import PAPER_PRIOR, Laplace, Normal, Prior, PriorArrays, PriorLike, arrange_prior
from prefdissect.inference.shapley import shapley_values
from prefdissect.inference.ties import outcome_probabilities, tie_rate

__all__ = [
    "MOST_R_HAT",
    "OWN",
    "PAPER_PRIOR",
    "Cutpoint",
    "UNLIKE",
    "Fit",
    "FitOptions",
    "Laplace",
    "Normal",
    "Pooled",
    "Posterior",
    "Prior",
    "PriorArrays",
    "PriorLike",
    "StandIn",
    "arrange_prior",
    "check_options",
    "check_pooling",
    "check_self_preference",
    "failed_criteria",
    "fit_design",
    "fit_pooled",
    "fit_without",
    "layers_table",
    "own_column",
    "refit",
    "outcome_probabilities",
    "sample_joint",
    "scales_table",
    "self_preference_table",
    "terms_when_pooled",
    "shapley_values",
    "stand_in",
    "stream_of",
    "tie_rate",
]

"""Benchmarks still fit what they time: their studies, on a few fits; that they run as a whole is not tested here."""

from __future__ import annotations

import numpy as np
from benchmarks.cases import all_cases
from benchmarks.study import add_terms, make_design, paper_study

from prefdissect.inference import Laplace, arrange_prior, fit_design
from prefdissect.inference.options import check_options
from prefdissect.inference.pooling.rows import arrange_rows


def test_names_of_cases_differ():
    names = [case.name for case in all_cases()]
    assert len(names) == len(set(names)) > 10


def test_the_study_has_the_size_of_the_papers_and_its_terms_are_fitted():
    study = paper_study()
    assert study.x.shape == (5240, 29)
    assert (study.in_group.sum(axis=0)[:11] >= 400).all()
    few = add_terms(study).sel(study.judges[:2], study.groups[:1])
    n = len(few.encoder.schema.ids)
    prior = arrange_prior(Laplace(0.1), few.columns[:n], few.columns[n:])
    found = fit_design(few, prior, check_options("ep", 8, 2, None, 0.94, 10, 0, False), progress=False)
    assert all(fit.certified and fit.cut is not None for fit in found.fits.values())
    assert 0.1 < np.mean(few.tied[few.in_group[:, 0]]) < 0.2
    assert arrange_rows(few, few.judges, few.groups).ties.all()


def test_a_design_of_any_size():
    assert make_design(50, 4, 3).y.shape == (50, 3)

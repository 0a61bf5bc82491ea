"""What is timed, by name and with its target."""

from __future__ import annotations

from functools import partial

from benchmarks.rounds import Case
from benchmarks.study import N_FITS, N_JUDGES, SCENARIO_SIZES, add_terms, make_design, paper_study
from benchmarks.work import WANTED_ESS, dissecting, fitting, importing, moments, pooling, whole_grid
from prefdissect.features import Design

__all__ = ["all_cases"]


def all_cases() -> list[Case]:
    """Return all cases but the references, in the order of the tables."""
    return [*_one_judge(), *_one_group(400), *_one_group(820), *_whole_study(), *_pooled(), *_other_sizes()]


def one_scenario(n_rows: int) -> Design:
    """Return the study's judges in its first scenario of so many pairs."""
    study = paper_study()
    return study.sel(study.judges, [study.groups[SCENARIO_SIZES.index(n_rows)]])


def with_terms() -> Design:
    """Return the study's scenarios and cases with all terms."""
    return add_terms(paper_study())


def _one_judge() -> list[Case]:
    title = "one judge, n = 400, from data to `.weights`"
    return [
        Case("import", "`import prefdissect`, above a bare Python", importing, target=0.05),
        Case("lone-exact", f"{title}, exact (the default)", dissecting("exact"), like="400", target=0.1),
        Case("lone-ep", f"{title}, ep", dissecting("ep"), like="400"),
    ]


def _one_group(n_rows: int) -> list[Case]:
    make, like, title = partial(one_scenario, n_rows), str(n_rows), f"{N_JUDGES} judges, n = {n_rows}"
    exact = fitting(make, "exact", draws=500)
    return [
        Case(f"moments-{n_rows}", f"{title}, ep, means and sds", moments(make), like=like),
        Case(f"ep-{n_rows}", f"{title}, ep with intervals", fitting(make, "ep"), like=like),
        Case(f"exact-{n_rows}", f"{title}, exact, 4 x 500", exact, "ess", like, target=75.0 if n_rows == 400 else None),
    ]


def _whole_study() -> list[Case]:
    folds, ten = f"{10 * N_FITS:,} fits (10 folds), ep", moments(paper_study, folds=10)
    enough = f"{N_FITS} fits, exact, at least {WANTED_ESS:,} effective draws of every weight"
    return [
        Case("grid-moments", f"{N_FITS} fits, ep, means and sds", moments(paper_study), like="400", target=0.5),
        Case("grid-ep", f"{N_FITS} fits, ep with intervals", fitting(paper_study, "ep"), like="400", target=1.0),
        Case("grid-exact", enough, whole_grid, like="400", target=4.0),
        Case("folds-moments", f"{folds}, means and sds", ten, like="400", target=5.0),
        Case("folds-ep", f"{folds} with intervals", fitting(paper_study, "ep", folds=10), like="400", target=5.0),
    ]


def _pooled() -> list[Case]:
    title = f"{N_JUDGES} judges x {len(SCENARIO_SIZES)} scenarios pooled"
    more = f"{title}, with ties, presentation order and 20 generators"
    return [
        Case("pooled", f"{title}, properties only", pooling(), target=3.0),
        Case("pooled-pairs", f"{title}, with pairs' effects", pooling(pair_sd=0.3), target=10.0),
        Case("pooled-terms", more, pooling(terms=True), target=10.0, quick=False),
        Case("terms", f"{N_FITS} fits, ep with intervals, ties, order and 20 generators", fitting(with_terms, "ep")),
    ]


def _other_sizes() -> list[Case]:
    hundred_thousand, million = partial(make_design, 100_000), partial(make_design, 1_000_000)
    wide, crowd = partial(make_design, 2000, 200, 8), partial(make_design, 400, n_judges=500)
    one = "one judge, ep with intervals and certificate"
    return [
        Case("rows-1e5", f"{one}, n = 100,000", fitting(hundred_thousand, "ep")),
        Case("rows-1e6", f"{one}, n = 1,000,000", fitting(million, "ep"), target=2.0, quick=False),
        Case("columns-200-ep", "8 judges, 200 properties, n = 2,000, ep", fitting(wide, "ep"), quick=False),
        Case(
            "columns-200-exact",
            "8 judges, 200 properties, n = 2,000, exact, 4 x 500",
            fitting(wide, "exact", draws=500),
            quick=False,
        ),
        Case("judges-500", "500 judges, n = 400, ep with intervals", fitting(crowd, "ep"), like="400", quick=False),
    ]

"""What fits hold beside properties: ties, presentation order, models, and how much rows weigh."""

from __future__ import annotations

from typing import Any

import numpy as np

from prefdissect.nuisance import nuisance_table
from prefdissect.report.contents import Contents
from prefdissect.report.sections.trust import plain_rows

__all__ = ["terms_section"]


def terms_section(contents: Contents) -> dict[str, Any]:
    """Return the rows of `nuisance_table`, what is to be said of them, and design effects where rows are weighted."""
    design, posterior = contents.design, contents.posterior
    asked_twice = [
        f"order and repeats: two verdicts of {judge} on one pair correlate by {r:.2f}"
        for judge, r in zip(design.judges, design.correlation, strict=True)
        if np.isfinite(r)
    ]
    effects = [
        {"judge": judge, "group": group, "design_effect": float(f"{fit.certificate['design_effect']:.4g}")}
        for (judge, group), fit in posterior.fits.items()
        if np.isfinite(fit.certificate.get("design_effect", np.nan))
    ]
    rows = plain_rows(nuisance_table(design, posterior))
    return {"ties": design.ties, "rows": rows, "notes": [*design.notes, *asked_twice], "effects": effects}

"""From ratings and verdicts to the signed design that a posterior is fitted to."""

from __future__ import annotations

from prefdissect.features.build import build_design
from prefdissect.features.cell import Cell
from prefdissect.features.design import Design
from prefdissect.features.encoder import Encoder, build_encoder
from prefdissect.features.grouping import NO_GROUP, OVERALL, check_by, check_group_names, choose_groups, groups_like
from prefdissect.terms import preferences

__all__ = [
    "NO_GROUP",
    "OVERALL",
    "Cell",
    "Design",
    "Encoder",
    "build_design",
    "build_encoder",
    "check_by",
    "check_group_names",
    "choose_groups",
    "groups_like",
    "preferences",
]

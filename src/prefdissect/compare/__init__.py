"""Judges against judges: similarity that knows its own noise, clusters, contrasts, and the paper's released judges."""

from __future__ import annotations

from prefdissect.compare.agreement import agreement_table
from prefdissect.compare.ceiling import ceiling_table, refit_twice
from prefdissect.compare.clusters import JudgeClusters, cluster_judges
from prefdissect.compare.contrasts import contrast_table, disagreement_table
from prefdissect.compare.grouping import GroupingTest, grouping_test
from prefdissect.compare.joint_similarity import draw_jointly, judge_similarity
from prefdissect.compare.measures import Measure, compare_weights
from prefdissect.compare.paper_judges import judge_table
from prefdissect.compare.reference import ReferenceWeights, check_properties, load_reference, place_table
from prefdissect.compare.similarity import JudgeSimilarity

__all__ = [
    "GroupingTest",
    "JudgeClusters",
    "JudgeSimilarity",
    "Measure",
    "ReferenceWeights",
    "agreement_table",
    "ceiling_table",
    "check_properties",
    "cluster_judges",
    "compare_weights",
    "contrast_table",
    "disagreement_table",
    "draw_jointly",
    "judge_similarity",
    "judge_table",
    "load_reference",
    "place_table",
    "refit_twice",
    "grouping_test",
]

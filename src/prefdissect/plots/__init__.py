"""Figures of a paper: tables in, matplotlib Axes out.

Nothing here computes: each function draws the numbers of one table, and returns the Axes to go on with. matplotlib is
loaded when the first figure is drawn. Colours can be told apart by colour-blind readers, and in grey by their markers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefdissect.plots.audit import plot_exploitability, plot_leaderboard, plot_rules, plot_shifts, plot_subsets
from prefdissect.plots.calibration import plot_calibration
from prefdissect.plots.contrast import plot_contrast
from prefdissect.plots.heatmaps import plot_heatmap
from prefdissect.plots.properties import plot_forest, plot_probabilities
from prefdissect.plots.similarity import plot_ceiling, plot_similarity
from prefdissect.plots.waterfall import plot_waterfall

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes

__all__ = [
    "plot_calibration",
    "plot_ceiling",
    "plot_contrast",
    "plot_exploitability",
    "plot_forest",
    "plot_heatmap",
    "plot_leaderboard",
    "plot_probabilities",
    "plot_rules",
    "plot_similarity",
    "plot_shifts",
    "plot_subsets",
    "plot_waterfall",
]

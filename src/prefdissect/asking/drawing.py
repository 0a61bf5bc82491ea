"""Figures of a dissection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import pandas as pd
from scipy.special import expit

from prefdissect import tables
from prefdissect._typing import check_choice
from prefdissect.asking.fitted import Fitted
from prefdissect.choose import pick
from prefdissect.errors import OptionError, choices
from prefdissect.plots import plot_forest, plot_heatmap, plot_probabilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefdissect.plots import Axes

__all__ = ["DrawsFigures", "Kind"]

Kind: TypeAlias = Literal["probabilities", "forest", "judges", "groups"]


class DrawsFigures(Fitted):
    """The method of `Dissection` that draws."""

    def plot(
        self,
        kind: Kind = "probabilities",
        ax: Axes | None = None,
        *,
        judge: str | Sequence[str] | None = None,
        group: str | None = None,
        wide: bool = False,
    ) -> Axes:
        """Draw what judges prefer, and return matplotlib's Axes; nothing is shown or saved.

        Parameters
        ----------
        kind
            `probabilities`: the probability of each property with its interval, judges in colours (the paper's main
            figure), in `group` or averaged over the scenarios that have a fit. `forest`: weights with intervals, of
            judges in one group or of one judge in all. `judges`: a heat map of properties by judges. `groups`: of
            properties by groups, for one judge.
        ax
            Where to draw; by default a new figure, `ax.figure`, of one column's width and fit to print.
        judge, group
            Which; by default all.
        wide
            Two columns wide; heat maps of more than five columns always are.

        Raises
        ------
        OptionError
            If `kind` is unknown, or needs one judge or one group.
        UnknownNameError
            If a judge or group is not in the result.
        """
        check_choice("kind", kind, Kind)
        judges = pick("judge", judge, self.judges)
        groups = self.groups if group is None else pick("group", group, self.groups)
        if kind in ("probabilities", "judges"):
            table = self._probabilities(judges, group)
            if kind == "probabilities":
                return plot_probabilities(table, ax, wide=wide)
            return plot_heatmap(table, ax, columns="judge", wide=wide)
        if len(judges) > 1 and (kind == "groups" or len(groups) > 1):
            raise OptionError(f"kind={kind!r} draws one judge, or one group; name one in judge=; {choices('', judges)}")
        weights = self._weights()
        weights = weights[weights["judge"].isin(judges) & weights["group"].isin(groups)]
        if kind == "forest":
            return plot_forest(weights, ax, wide=wide)
        return plot_heatmap(weights, ax, columns="group", wide=wide)

    def _weights(self) -> pd.DataFrame:
        return tables.weights_table(self.design, self.fitted, self._schema)

    def _probabilities(self, judges: list[str], group: str | None) -> pd.DataFrame:
        if group is None:
            table = tables.overall_table(self.design, self.fitted, self._schema, skipna=True)
            return table[table["judge"].isin(judges)]
        table = self._weights()
        table = table[table["judge"].isin(judges) & (table["group"] == group)]
        return table.assign(lower=expit(table["lower"]), upper=expit(table["upper"]))

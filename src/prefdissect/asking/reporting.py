"""The page that shows a dissection."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import get_args

import pandas as pd

from prefdissect import tables
from prefdissect.asking.auditing import AuditsJudges
from prefdissect.asking.comparing import ComparesJudges
from prefdissect.compare import Measure, ReferenceWeights, check_properties
from prefdissect.data import PreferenceData, Source, load
from prefdissect.errors import OptionError
from prefdissect.report import Compared, Contents, Texts, choose_texts, why_none, write_page

__all__ = ["WritesReports"]


class WritesReports(ComparesJudges, AuditsJudges):
    """The method of `Dissection` that writes a page."""

    def report(
        self,
        path: str | Path,
        *,
        texts: Texts = "sample",
        data: Source | None = None,
        reference: ReferenceWeights | None = None,
        title: str = "What judges prefer",
    ) -> Path:
        """Write everything to one HTML file, which opens by a double click, without server or network.

        What has not been asked before (`check`, `similarity` and its ceilings, held-out predictions) is computed
        first, which takes a minute for 33 judges in 16 groups.

        Parameters
        ----------
        path
            The file.
        texts
            Show prompts and responses, and whatever else the source says of a pair: of a `sample` of 200 pairs, of
            all (True), or of none (False). Who gets the file can read them.
        data
            The pairs with their texts, where this dissection was saved without: what `load` takes.
        reference
            Released judges to compare with: `load_reference("paper")`.
        title
            Heading of the page.

        Raises
        ------
        OptionError
            If `texts` or `reference` is something else.
        FileFormatError
            If the file cannot be written.
        UnknownNameError
            If the reference has weights of other properties.
        """
        if not isinstance(texts, bool) and texts != "sample":  # 0 might be a number of texts
            raise OptionError(f"texts={texts!r}; say 'sample', True or False")
        if reference is not None and not isinstance(reference, ReferenceWeights):
            raise OptionError(f"reference={reference!r} is no ReferenceWeights: load_reference('paper') gives one")
        if reference is not None:
            check_properties(reference, self.properties)
        given = data if data is None or isinstance(data, PreferenceData) else load(data)
        chosen = choose_texts(texts, self.data, given, random_seed=self.options["random_seed"])
        return write_page(self._contents(chosen, reference, why_none(texts)), Path(path), title=title)

    def _contents(self, texts: pd.DataFrame | None, reference: ReferenceWeights | None, without: str) -> Contents:
        scenarios = any(self.design.group_kinds[g] != "case" for g in self.groups)
        several = any(sum((j, g) in self.fitted.fits for j in self.judges) > 1 for g in self.groups)
        return Contents(
            data=self.data,
            design=self.design,
            posterior=self.fitted,
            options=self.options,
            weights=tables.weights_table(self.design, self.fitted, self._schema),
            overall=tables.overall_table(self.design, self.fitted, self._schema, skipna=True) if scenarios else None,
            joint=self._joint_weights.reshape(-1, *self._joint_weights.shape[2:]) if several else None,
            similarities=self._compared if several else {},
            checks=self._checks,
            held_out=self._held_out,
            exploitability=self.exploitability(skipna=True),
            audit=self._audited,
            reference=reference,
            texts=texts,
            without_texts=without,
        )

    @cached_property
    def _compared(self) -> dict[Measure, Compared]:
        return {method: Compared.of(self.similarity(method, skipna=True)) for method in get_args(Measure)}

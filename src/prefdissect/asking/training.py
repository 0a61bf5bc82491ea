"""Pairs to train a model on, labelled by a dissection."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from prefdissect._typing import Direction
from prefdissect.asking.fitted import Fitted
from prefdissect.audit import Candidates, PreferencePairs, check_pair_options, gather, preference_pairs
from prefdissect.choose import pick
from prefdissect.data import Source
from prefdissect.errors import OptionError, choices

__all__ = ["LabelsPairs"]

_OF_THE_DESIGN = ("preset", "encoding", "ties", "position", "generators", "cluster", "pooling")
_OF_THE_FIT = (*_OF_THE_DESIGN, "prior", "engine", "draws", "chains", "folds", "min_pairs", "robust", "random_seed")


class LabelsPairs(Fitted):
    """The method of `Dissection` that labels pairs to train on."""

    def preference_pairs(
        self,
        data: Source | None = None,
        judge: str | None = None,
        *,
        margin: float = 0.15,
        direction: Direction = "toward",
        scenario: str | Sequence[str] | None = None,
    ) -> PreferencePairs:
        """Return pairs labelled by what the fits say the judge prefers, to train a model on: toward it, or away.

        Each pair is labelled by the fit of its scenario, at posterior mean weights, whether or not the judge decided
        it. Pairs of a scenario without a fit are left out and counted, as no other fit stands in for it.

        Parameters
        ----------
        data
            What `load` takes: the pairs with their texts, where this dissection was saved without; by default its own.
            Pairs that are not the dissection's are labelled too, if they rate the same properties or have texts to
            measure.
        judge
            May be left out where there is one only.
        margin
            Pairs whose probability is within 1/2 plus or minus this are left out: 0 or more, below 0.5.
        direction
            `toward`: the chosen response is the one that the judge is predicted to prefer; `away`: the exact mirror.
        scenario
            Label the pairs of these groups only; by default of all that do not overlap.

        Raises
        ------
        OptionError
            If an argument is out of its range, `judge` or `scenario` is needed, or the groups named overlap.
        UnknownNameError
            If a judge or scenario is not in the result.
        DataError
            If there are no texts, a scenario that was named has no fit, or no pair is left.
        """
        check_pair_options(margin, direction)
        name = self._judge_to_train_on(judge)
        found = gather(self.data, self.design, name, by=self.options["by"], ties=self.options["ties"], given=data)
        asked: dict[str, Any] = {"margin": margin, "direction": direction, "scenario": scenario}
        return preference_pairs(found, self.design, self.fitted, name, **asked, made=self._made(found))

    def _judge_to_train_on(self, judge: str | None) -> str:
        if (judge is None and len(self.judges) > 1) or not isinstance(judge, str | None):
            raise OptionError(f"judge={judge!r}, but pairs are labelled for one judge; {choices('', self.judges)}")
        return pick("judge", judge, self.judges)[0]

    def _made(self, found: Candidates) -> dict[str, str]:
        """Return from what and how the labels were made, for a card."""
        schema, options = self._schema, self.options
        schema_hash = hashlib.blake2b(schema.model_dump_json().encode(), digest_size=16).hexdigest()
        return {
            "properties": f"{len(schema)}, schema {schema.name!r}",
            "hash of the schema": schema_hash,
            "hash of these pairs": found.data_hash,
            "texts": found.source,
            "hash of the data fitted": options["data_hash"],
            "options of the fits": ", ".join(f"{name}={options[name]}" for name in _OF_THE_FIT if name in options),
            "fitted with": ", ".join(f"{name} {version}" for name, version in options.get("versions", {}).items()),
            "labelled with": f"prefdissect {metadata.version('prefdissect')}",
        }

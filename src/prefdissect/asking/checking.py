"""Whether the fits can be trusted."""

from __future__ import annotations

from prefdissect._typing import check_count
from prefdissect.asking.fitted import Fitted
from prefdissect.check import HeldOut, hold_out

__all__ = ["ChecksFits"]


class ChecksFits(Fitted):
    """The methods of `Dissection` that check its fits."""

    def cross_validate(self, k: int = 10, *, random_seed: int | None = None, progress: bool | None = None) -> HeldOut:
        """Return how well pairs are predicted by fits that did not see them, beside three simple rules.

        Pairs of one cluster (by default: one prompt) are in one fold. `random_seed` None takes that of the dissection.
        See `HeldOut` for the tables.

        Raises
        ------
        DataError
            If a group has fewer clusters than folds.
        """
        seed = self.options["random_seed"] if random_seed is None else check_count("random_seed", random_seed, least=0)
        return hold_out(
            self.design,
            self.fitted.prior,
            self.data.pairs["cluster"],
            k=check_count("k", k, least=2),
            min_pairs=max(self.options["min_pairs"], 2),
            random_seed=seed,
            progress=progress,
        )

"""Whether the fits can be trusted."""

from __future__ import annotations

from functools import cached_property

from prefdissect._typing import check_count
from prefdissect.asking.fitted import Fitted
from prefdissect.check import (
    Checks,
    HeldOut,
    design_effect_of,
    hold_out,
    hold_out_where_possible,
    longer,
    run_checks,
)

__all__ = ["ChecksFits"]


class ChecksFits(Fitted):
    """The methods of `Dissection` that check its fits."""

    def check(self, *, progress: bool | None = None) -> Checks:
        """Return what speaks against trusting each fit: findings that say ok, look or stop, and what to do.

        Convergence, pairs per property, separation, collinearity, clusters, balance and order, held-out prediction,
        calibration, lapses, posterior predictive check, properties left out, the prior, placebo properties, permuted
        labels, and signs. See `Checks`; thresholds and false alarms stand in the documentation, "What checks find".
        """
        return self._checks if progress is None else self._run_checks(progress)

    @cached_property
    def _checks(self) -> Checks:
        return self._run_checks(None)

    @cached_property
    def _held_out(self) -> HeldOut | None:
        return self._hold_out(None)

    def _run_checks(self, progress: bool | None) -> Checks:
        return run_checks(
            self.data,
            self.design,
            self.fitted,
            dict(zip(self._schema.ids, self._schema.labels, strict=True)),
            self._held_out if progress is None else self._hold_out(progress),
            engine=self.options["engine"],
            robust=self.options.get("robust", False),
            min_pairs=self.options["min_pairs"],
            random_seed=self.options["random_seed"],
            progress=progress,
        )

    def _hold_out(self, progress: bool | None) -> HeldOut | None:
        seed = self.options["random_seed"]
        return hold_out_where_possible(self.data, self.design, self.fitted, random_seed=seed, progress=progress)

    def cross_validate(self, k: int = 10, *, random_seed: int | None = None, progress: bool | None = None) -> HeldOut:
        """Return how well pairs are predicted by fits that did not see them, beside three simple rules.

        Pairs of one cluster (by default: one prompt) are in one fold. It takes `k` times as long as a fit by `ep`, and
        some more for the rules. `random_seed` None takes that of the dissection.
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
            effects={key: design_effect_of(fit) for key, fit in self.fitted.fits.items()},
            words=longer(self.data, self.design),
            progress=progress,
        )

"""Agreement equals its definition, and its intervals hold what they should."""

import numpy as np
import pytest

from prefdissect import PAPER, Property
from prefdissect.measure.agreement import agree

pytestmark = pytest.mark.lane("newer")

CLEAR = PAPER["clear"]


def kappa_by_table(x, y, n_levels):
    """Return Cohen's kappa with quadratic weights as it is defined: from the table of counts."""
    table = np.zeros((n_levels, n_levels))
    for a, b in zip(x.ravel().astype(int), y.ravel().astype(int), strict=True):
        table[a, b] += 1
    table /= table.sum()
    chance = np.outer(table.sum(axis=1), table.sum(axis=0))
    apart = np.subtract.outer(np.arange(n_levels), np.arange(n_levels)) ** 2
    return 1 - (apart * table).sum() / (apart * chance).sum()


def two_raters(n, seed, noise=0.4):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 4, (n, 2)).astype(float)
    y = np.where(rng.random((n, 2)) < noise, rng.integers(0, 4, (n, 2)), x)
    return x, y


class TestPoint:
    @pytest.mark.parametrize("seed", range(3))
    def test_kappa_is_that_of_the_table_of_counts(self, seed):
        x, y = two_raters(200, seed)
        found = agree((CLEAR, CLEAR), [(x, y)], np.arange(200))
        assert found.kappa == pytest.approx(kappa_by_table(x, y, 4), abs=1e-12)
        assert found.same == np.mean(np.sign(x[:, 0] - x[:, 1]) == np.sign(y[:, 0] - y[:, 1]))
        assert found.n == 200

    def test_several_pairs_of_ratings_are_pooled(self):
        x, y = two_raters(100, 0)
        z = two_raters(100, 1)[1]
        found = agree((CLEAR, CLEAR), [(x, y), (x, z)], np.arange(100))
        assert found.kappa == pytest.approx(kappa_by_table(np.stack([x, x]), np.stack([y, z]), 4), abs=1e-12)
        assert found.n == 200

    def test_missing_ratings_are_left_out(self):
        x, y = two_raters(100, 0)
        x[:20, 0] = np.nan
        y[10:30, 1] = np.nan
        found = agree((CLEAR, CLEAR), [(x, y)], np.arange(100))
        rest = agree((CLEAR, CLEAR), [(x[30:], y[30:])], np.arange(70))
        assert (found.kappa, found.same, found.n) == (pytest.approx(rest.kappa, abs=1e-12), rest.same, 70)

    def test_a_shift_is_disagreement_that_comparisons_do_not_see(self):
        x = np.tile([[0.0, 1.0], [2.0, 1.0]], (20, 1))
        found = agree((CLEAR, CLEAR), [(x, x + 1)], np.arange(40))
        assert found.same == 1
        assert found.kappa == pytest.approx(kappa_by_table(x, x + 1, 4))
        assert found.kappa < 0.6

    def test_edges(self):
        same = np.ones((10, 2))
        found = agree((CLEAR, CLEAR), [(same, same)], np.arange(10))
        assert np.isnan(found.kappa)
        assert np.isnan(found.kappa_lower)
        assert (found.same, found.same_lower) == (1, 1)
        nothing = agree((CLEAR, CLEAR), [(same * np.nan, same)], np.arange(10))
        assert nothing.n == 0
        assert np.isnan([nothing.kappa, nothing.same, nothing.same_upper]).all()
        one = agree((CLEAR, CLEAR), [two_raters(10, 0)], np.zeros(10, dtype=np.int64))
        assert np.isnan([one.kappa_lower, one.same_lower]).all()
        assert not np.isnan(one.kappa)

    def test_each_side_is_compared_by_its_own_property(self):
        x, _ = two_raters(50, 0)
        turned = Property(id="padding", kind="number", direction="lower")
        plain = Property(id="padding", kind="number")
        assert agree((plain, turned), [(x, -x)], np.arange(50)).same == 1


def test_intervals_hold_the_truth_as_often_as_they_say():
    """94% intervals of 200 data sets of 150 prompts with two pairs each: between 88% and 98%, 3.5 sd around 94%.

    Pairs of a prompt share their noise, so that an interval over pairs would be too narrow. The truth is from 200,000.
    """
    rng = np.random.default_rng(0)

    def draw(n_prompts):
        x = rng.integers(0, 4, (n_prompts, 2, 2)).astype(float)
        noisy = rng.random((n_prompts, 1, 1)) < 0.4
        y = np.where(noisy, rng.integers(0, 4, (n_prompts, 2, 2)), x)
        return x.reshape(-1, 2), y.reshape(-1, 2), np.repeat(np.arange(n_prompts), 2)

    x, y, _ = draw(100_000)
    truth = kappa_by_table(x, y, 4), np.mean(np.sign(x[:, 0] - x[:, 1]) == np.sign(y[:, 0] - y[:, 1]))
    held = np.zeros((200, 2), dtype=bool)
    for k in range(200):
        x, y, clusters = draw(150)
        found = agree((CLEAR, CLEAR), [(x, y)], clusters, random_seed=k)
        held[k] = (
            found.kappa_lower <= truth[0] <= found.kappa_upper,
            found.same_lower <= truth[1] <= found.same_upper,
        )
    assert ((held.mean(axis=0) > 0.88) & (held.mean(axis=0) < 0.98)).all(), held.mean(axis=0)

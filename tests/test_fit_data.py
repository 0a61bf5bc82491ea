"""Fits that share rows: collapsed rows and gathered cells mean the same as the cells themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cells import make_cell, reduced, simulated_cell
from prefdissect.features import Cell
from prefdissect.inference.fit_data import FitData, gather


def brute_force(cell: Cell, w: np.ndarray) -> float:
    """Return the log likelihood of one weight vector, row by row."""
    total = 0.0
    for x, y, weight in zip(cell.x, cell.y, cell.weight, strict=True):
        p = 1 / (1 + np.exp(-float(x @ w)))
        total += weight * (y * np.log(p) + (1 - y) * np.log(1 - p))
    return total


def from_data(data: FitData, w: np.ndarray) -> float:
    """Return the log likelihood by the statistic and the even terms."""
    return float(data.statistic @ w - data.weight @ np.log(2 * np.cosh(w @ data.xt / 2)))


def from_reduced(cell: Cell, w: np.ndarray) -> float:
    return from_data(reduced(cell), w)


def collapsed(cell: Cell) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data = reduced(cell)
    return data.xt.T, data.statistic, data.weight


rows = hnp.arrays(float, st.tuples(st.integers(1, 12), st.just(3)), elements=st.sampled_from([-1.5, -1, -0.0, 0, 1]))


@settings(max_examples=200)
@given(rows, st.integers(0, 2**32 - 1))
def test_collapsed_rows_have_the_same_likelihood(x, seed):
    """Any rows, among them mirrored, repeated, zero ones and -0.0; soft labels and row weights."""
    rng = np.random.default_rng(seed)
    cell = make_cell(x, rng.choice([0.0, 0.5, 1.0, rng.random()], len(x)), rng.uniform(0.1, 3, len(x)))
    w = rng.normal(0, 2, 3)
    assert from_reduced(cell, w) == pytest.approx(brute_force(cell, w), rel=1e-10, abs=1e-10)


def test_equal_and_mirrored_rows_become_one():
    x = [[1, 0, -1], [-1, 0, 1], [1, -0.0, -1], [-1, -0.0, 1], [0, 1, 0], [0, -1, -0.0], [0, 0, 0], [-0.0, 0, 0]]
    cell = make_cell(np.array(x), np.array([1, 0, 0.25, 1, 1, 1, 0, 1.0]), np.array([1, 2, 3, 4, 5, 6, 7, 8.0]))
    distinct, statistic, weight = collapsed(cell)
    found = {tuple(row): total for row, total in zip(distinct.tolist(), weight.tolist(), strict=True)}
    assert found == {(1, 0, -1): 10, (0, 1, 0): 11, (0, 0, 0): 15}
    assert not np.signbit(distinct[distinct == 0]).any()
    # Upright row 1: 1*.5 + 2*.5 - 3*.25 - 4*.5; row 2: 5*.5 - 6*.5.
    assert statistic.tolist() == pytest.approx([-1.25, -0.5, 1.25])


def test_weight_two_is_each_row_twice():
    cell = simulated_cell()
    twice = cell.take(np.repeat(np.arange(len(cell)), 2))
    doubled = make_cell(cell.x, cell.y, 2 * cell.weight)
    for one, other in zip(collapsed(twice), collapsed(doubled), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert collapsed(doubled)[2].sum() == pytest.approx(2 * cell.weight.sum())


def test_swapping_a_and_b_collapses_to_the_mirror_image():
    """The rows are the same, and the log likelihood of w is that of -w."""
    cell = simulated_cell()
    swapped = make_cell(-cell.x, cell.y, cell.weight)
    w = np.array([0.3, -1.2, 0.7])
    np.testing.assert_array_equal(collapsed(swapped)[0], collapsed(cell)[0])
    assert from_reduced(swapped, w) == pytest.approx(brute_force(cell, -w))


def test_rows_that_hardly_repeat_stay_as_they_are():
    x = np.random.default_rng(0).normal(size=(600, 3))
    x[1] = x[0]
    data = reduced(make_cell(x, np.ones(600)))
    np.testing.assert_array_equal(data.xt.T, x)
    assert data.unit


def test_rows_that_repeat_far_apart_are_found():
    """The first rows are all different: those of judges one after another, or of a sorted table."""
    x = np.tile(np.random.default_rng(0).normal(size=(700, 3)), (4, 1))
    assert reduced(make_cell(x, np.ones(2800))).xt.shape == (3, 700)


def test_cells_of_different_rows_do_not_mix():
    """Two judges with rows of their own, one with folds: each likelihood is its own."""
    rng = np.random.default_rng(1)
    one, other = simulated_cell(40, seed=1), simulated_cell(25, seed=2)
    splits = [[np.arange(10, 40), np.arange(0, 40, 2)], [np.arange(25)]]
    first, second = gather([one, other], splits)
    w = rng.normal(size=3)
    assert from_data(first[0], w) == pytest.approx(brute_force(one.take(splits[0][0]), w))
    assert from_data(first[1], w) == pytest.approx(brute_force(one.take(splits[0][1]), w))
    assert from_data(second[0], w) == pytest.approx(brute_force(other, w))


def test_a_fit_has_only_rows_that_it_uses():
    """A fold leaves rows out, and no engine passes over them with weight 0."""
    x = np.random.default_rng(2).normal(size=(30, 3))
    cell = make_cell(x, np.ones(30), np.arange(1.0, 31.0))
    ((data,),) = gather([cell], [[np.arange(5, 30)]])
    np.testing.assert_array_equal(data.xt, x[5:].T)
    np.testing.assert_array_equal(data.weight, cell.weight[5:])
    assert data.xt.flags.c_contiguous
    assert not data.unit


def test_judges_of_the_same_rows_share_them():
    cell = simulated_cell(30)
    x = np.random.default_rng(3).normal(size=(30, 3))
    cells = [make_cell(x.copy(), cell.y, cell.weight), make_cell(x.copy(), 1 - cell.y, cell.weight)]
    (one,), (other,) = gather(cells, [[np.arange(30)]] * 2)
    assert one.xt is other.xt
    np.testing.assert_allclose(one.statistic, -other.statistic)

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.core.shares import MAX_AMOUNT, UNIT, cut, shares_of

weights = st.lists(st.integers(0, 1_000), min_size=1, max_size=8).filter(any)


def of(*shares):
    return np.array([[round(share * UNIT) for share in shares]])


def test_the_last_cent_goes_to_the_largest_remainder():
    assert cut(np.array([10_000]), of(0.6, 0.4)).tolist() == [[6_000, 4_000]]
    assert cut(np.array([101]), of(0.29, 0.71)).tolist() == [[29, 72]]
    assert cut(np.array([-101]), of(0.29, 0.71)).tolist() == [[-29, -72]]


def test_of_equal_remainders_the_first_has_it():
    assert cut(np.array([5, 1]), of(0.5, 0.5)).tolist() == [[3, 2], [1, 0]]


@settings(max_examples=100)
@given(weights, st.integers(-MAX_AMOUNT, MAX_AMOUNT))
def test_parts_sum_to_the_whole_and_are_within_a_cent_of_exact(given_weights, amount):
    shares = shares_of(np.array([given_weights]))
    assert shares.sum() == UNIT
    [parts] = cut(np.array([amount]), shares).tolist()
    assert sum(parts) == amount
    for part, share, weight in zip(parts, shares[0].tolist(), given_weights, strict=True):
        assert abs(part - Fraction(amount * share, UNIT)) < 1
        assert weight or not part


@pytest.mark.parametrize("shares", [of(0.6, 0.39), of(0.6, 0.41), of(1.1, -0.1)])
def test_a_deck_that_is_not_one_is_refused(shares):
    with pytest.raises(ValueError, match=r"1\.00000000"):
        cut(np.array([1]), shares)


def test_an_amount_that_would_overflow_is_refused():
    with pytest.raises(ValueError, match=str(MAX_AMOUNT)):
        cut(np.array([MAX_AMOUNT + 1]), of(1))

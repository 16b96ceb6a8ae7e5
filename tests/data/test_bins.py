"""Numbers become labels by bins."""

import numpy as np
import pytest

from vaeline.data.columns import read_column
from vaeline.system.errors import UserError


def test_edges_bin_numbers_and_belong_to_the_upper_bin() -> None:
    column = read_column("age", ["17", "18", "39.5", "40", "", "99"], [18.0, 40.0])
    assert column.values == ["below 18", "18 to 40", "40 and above"]
    assert column.codes.tolist() == [0, 1, 1, 2, -1, 2]
    assert column.describe().startswith(
        "age: numbers from 17 to 99 in 3 bins: below 18 (1), 18 to 40 (2), 40 and above (2); 1"
    )


@pytest.mark.parametrize("bins", [2, 3, 5, 10])
def test_bins_have_equally_many_numbers(bins: int) -> None:
    numbers = np.random.default_rng(0).lognormal(2, 1, 1000)
    column = read_column("mass", [f"{number:.6f}" for number in numbers], bins)
    assert len(column.values) == bins and column.kind.endswith(f" in {bins} bins")
    assert np.abs(np.bincount(column.codes) - 1000 / bins).max() <= 20
    order = np.argsort(numbers)
    assert (np.diff(column.codes[order]) >= 0).all()


def test_numbers_that_repeat_leave_fewer_bins() -> None:
    column = read_column("n", ["0"] * 90 + ["1"] * 5 + ["2"] * 5, 10)
    assert column.values == ["below 1", "1 and above"] and np.bincount(column.codes).tolist() == [90, 10]
    assert not read_column("n", ["3"] * 9, 4).values


def test_a_bin_without_an_image_is_refused() -> None:
    with pytest.raises(
        UserError,
        match="dataset.bins: no age is in below 30, 90 and above; its numbers are from 32 to 80. Choose other edges.",
    ):
        read_column("age", ["32", "45.5", "80", ""], [30.0, 40.0, 90.0])

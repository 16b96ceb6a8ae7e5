"""The choice of the test images that runs draw from."""

from vaeline.data.drawn_rows import drawn_rows
from vaeline.study.schema import Sampling


def test_chosen_test_images_do_not_repeat() -> None:
    chosen = drawn_rows(40, Sampling(count=10)).tolist()
    assert len(set(chosen)) == 10 and chosen == sorted(chosen) and max(chosen) < 40
    assert chosen != drawn_rows(40, Sampling(count=10, seed=1)).tolist()


def test_all_test_images_are_chosen_if_there_are_no_more() -> None:
    for count in (None, 5, 9):
        assert drawn_rows(5, Sampling(count=count)).tolist() == [0, 1, 2, 3, 4]

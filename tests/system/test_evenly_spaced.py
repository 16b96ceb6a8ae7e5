"""Rows spread evenly over a split."""

from vaeline.system.evenly_spaced import evenly_spaced


def test_evenly_spaced_rows_reach_from_end_to_end() -> None:
    assert evenly_spaced(9, 3).tolist() == [0, 4, 8]
    assert evenly_spaced(3, 9).tolist() == [0, 1, 2]
    assert evenly_spaced(3, None).tolist() == [0, 1, 2]
    assert len(set(evenly_spaced(1_000, 999).tolist())) == 999

"""The bench of many stages, without its projects."""

import pytest

from benchmarks.made_up_project import OF_STUDY, OF_VARIANT, variants_for
from benchmarks.many_stages import Costs, table


@pytest.mark.parametrize(("stages", "variants"), [(1, 1), (24, 1), (456, 26), (3000, 176)])
def test_as_many_variants_as_come_closest_to_the_stages(stages: int, variants: int) -> None:
    assert variants_for(stages) == variants
    near = [abs(OF_STUDY + OF_VARIANT * each - stages) for each in (variants, variants + 1)]
    assert near[0] <= near[1]


def test_the_table_has_costs_of_a_stage() -> None:
    costs = Costs(
        stages=100, nothing_to_do=[1.0, 9.0, 2.0], recording=3.0, making_equal=0.5, end_of_run=5.0, again=2.5, peak_bytes=2**28,
    )  # fmt: skip
    assert table([costs]).splitlines()[-1] == "| 100 | 2.0 | 30 | 5 | 5.0 | 2.5 | 256 |"

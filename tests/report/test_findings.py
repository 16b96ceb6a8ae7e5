"""Which runs of a study are drawn."""

from dataclasses import replace

import numpy as np

from tests.made_up import findings_of
from vaeline.report.findings import Findings
from vaeline.report.results import Results


def test_a_variant_is_shown_by_its_first_run_with_the_data(findings: Findings) -> None:
    one, two = findings.results.runs
    bare, second = replace(one, drawn={}), replace(one, seed=1)
    found = findings_of(Results(findings.results.study, [bare, second, replace(two, drawn={})], {}))
    assert found.first_runs() == {"one": bare, "two": found.results.runs[2]}
    assert found.first_runs_with("codes") == {"one": second}


def test_failures_of_points_are_not_shown(findings: Findings) -> None:
    assert findings.first_runs_failing("low_posterior").keys() == {"one", "two"}
    points = [replace(run, facts=replace(run.facts, levels=0)) for run in findings.results.runs]
    assert not findings_of(Results(findings.results.study, points, {})).first_runs_failing("low_posterior")
    assert not np.any([run.levels for run in points])

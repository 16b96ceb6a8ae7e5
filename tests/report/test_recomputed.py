"""Statistics of kept results that are computed again are those of the values of the runs."""

import json
import random

from tests.made_up_results import kept
from vaeline.report.comparison import PublishedComparison
from vaeline.report.kept_results import KeptResults
from vaeline.report.recomputed import recomputed

VALUES = {"nll": {"one": [1.0, 1.1, 1.3], "two": [3.0, 3.2, 3.3]}}


def test_the_same_code_computes_the_same_statistics_of_many_seeds() -> None:
    """The file has the seeds sorted as text: 0, 1, 10, 11, 2."""
    generator = random.Random(0)
    drawn = {variant: [generator.gauss(0, 1) for _ in range(12)] for variant in ("one", "two", "three")}
    made = kept({"nll": drawn})
    assert recomputed(KeptResults.model_validate_json(json.dumps(made.model_dump(mode="json"), sort_keys=True))) == made


def test_our_value_beside_a_published_one_is_computed_again() -> None:
    """Also that of a metric which the kept comparison leaves out."""
    made = kept({**VALUES, "nll_tenth": VALUES["nll"]})
    assert "nll_tenth" not in made.comparison.metrics
    of_paper = {"variant": "one", "value": 1.0, "error": None, "source": "a paper", "upper_bound": "", "unlike": []}
    right, wrong = made.comparison.metrics["nll"].summaries["one"], made.comparison.metrics["nll"].summaries["two"]
    beside = [
        PublishedComparison.model_validate({"metric": name, "ours": wrong, **of_paper}) for name in ("nll", "nll_tenth")
    ]
    beside.append(beside[0].model_copy(update={"ours": None}))
    with_paper = made.model_copy(update={"comparison": made.comparison.model_copy(update={"published": beside})})
    assert [each.ours for each in recomputed(with_paper).comparison.published] == [right, right, None]

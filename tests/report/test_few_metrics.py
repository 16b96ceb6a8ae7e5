"""The metrics of DVC's tables: few, the primary ones first."""

from pathlib import Path

from tests.made_up import study, write_run
from vaeline.report import compare, results
from vaeline.report.few_metrics import MOST, few_means, few_metrics

VALUES = {
    "nll": 1.0, "nll_refit": 1.5, "fd_sample": 2.0, "kd_sample": 3.0, "precision": 0.5, "skl": 4.0, "rate": 5.0, "clustering": 0.4, "probe_linear": 0.3,
    "condition_accuracy": 0.2, "parameters": 7.0,
}  # fmt: skip


def test_primary_metrics_come_first_and_every_other_group_has_one(tmp_path: Path) -> None:
    for variant in ("one", "two"):
        values = (
            VALUES
            if variant == "one"
            else {name: each for name, each in VALUES.items() if name != "condition_accuracy"}
        )
        write_run(tmp_path / variant / "seed-0", values)
    found = compare.compare(results.read(tmp_path, study(("one", "two"), (0,), primary=["kd_sample", "nll"])))
    names = few_metrics(found)
    assert names == ["kd_sample", "nll", "skl", "clustering", "condition_accuracy"] and len(names) == MOST
    means = few_means(found)
    assert list(means["one"].items()) == [(name, VALUES[name]) for name in names]  # in the order of the columns
    assert list(means["two"]) == names[:-1]

"""Results as CSV and LaTeX."""

import csv
from io import StringIO
from pathlib import Path

from tests.made_up import study, write_run
from vaeline.report import compare, results, table
from vaeline.report.comparison import Comparison
from vaeline.report.exports import as_csv, as_latex, comparisons_as_csv, comparisons_as_latex, comparisons_as_text


def compared(folder: Path) -> Comparison:
    for place, variant in enumerate(("one_a", "two")):
        how = {"rate": {"upper_bound": "why"}} if variant == "two" else {}
        for seed in range(3):
            values = {"nll": 1234.5 * (1 + place) + seed * (1 + place / 10), "rate": 1.0 + seed}
            write_run(folder / variant / f"seed-{seed}", values, how)
    return compare.compare(results.read(folder, study(("one_a", "two"))))


def test_the_csv_holds_every_mean_to_the_last_digit(tmp_path: Path) -> None:
    found = compared(tmp_path)
    rows = list(csv.DictReader(StringIO(as_csv(found))))
    assert [(row["metric"], row["variant"]) for row in rows] == [
        (name, variant) for name in ("nll", "rate") for variant in ("one_a", "two")
    ]
    assert float(rows[0]["mean"]) == found.metrics["nll"].summaries["one_a"].mean
    assert [row["upper_bound"] for row in rows] == ["0", "0", "0", "1"]
    assert (rows[0]["seeds"], rows[0]["unit"], rows[0]["better"]) == ("3", "nats", "lower")


def test_a_name_that_a_spreadsheet_would_compute_stays_text(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"=1+1": 2.0})
    assert "one,'=1+1," in as_csv(compare.compare(results.read(tmp_path, study(("one",), (0,)))))


def test_the_latex_has_the_rules_of_booktabs_and_the_best_in_bold(tmp_path: Path) -> None:
    found = compared(tmp_path)
    text = as_latex(found, table.rows(found))
    assert [rule for rule in (r"\toprule", r"\midrule", r"\bottomrule") if rule in text] == [
        r"\toprule",
        r"\midrule",
        r"\bottomrule",
    ]
    assert r"\begin{tabular}{lrr}" in text and r"Negative log-likelihood (nats) $\downarrow$ & " in text
    assert r"one\_a & $\mathbf{1{,}235.5}$ $\pm$ 2.5 & $2.0$ $\pm$ 2.5 \\" in text
    assert r"two & $2{,}470.1$ $\pm$ 2.7 & $\le$ $2.0$ $\pm$ 2.5 \\" in text


def test_comparisons_hold_every_pair_and_say_which_are_decided(tmp_path: Path) -> None:
    found = compared(tmp_path)
    [nll, rate] = csv.DictReader(StringIO(comparisons_as_csv(found)))
    [pair] = found.metrics["nll"].pairs
    assert float(nll["difference"]) == pair.difference and float(nll["half_width"]) == pair.half_width
    assert (nll["claimed"], nll["decided"], nll["won"], nll["over"]) == ("1", "1", "3", "seeds")
    assert (rate["metric"], rate["claimed"], rate["decided"], rate["p_value"]) == ("rate", "0", "0", "1.0")
    line, _, legend, _ = comparisons_as_text(found).split("\n")
    assert line == "nll ↓  one_a - two  -1,234.60 ± 0.25 nats  better on 3 of 3 seeds  *" and legend.startswith("* ")
    assert r"one\_a $-$ two & $\mathbf{-1{,}234.60}$ $\pm$ 0.25 & 3 of 3 \\" in comparisons_as_latex(found)


def test_a_difference_from_an_upper_bound_is_not_ranked(tmp_path: Path) -> None:
    for variant, value in (("one", 3.0), ("two", 5.0)):
        for seed in range(2):
            bound = {"nll": {"upper_bound": "why"}} if variant == "two" else {}
            write_run(tmp_path / variant / f"seed-{seed}", {"nll": value + seed * value / 99}, bound)
    found = compare.compare(results.read(tmp_path, study(("one", "two"), (0, 1), primary=["nll"])))
    assert "the value of two is an upper bound" in comparisons_as_text(found)
    latex = comparisons_as_latex(found)
    assert "(not ranked) &" in latex and "mathbf" not in latex

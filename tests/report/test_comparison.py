"""Means over seeds and paired comparisons match numbers worked out by hand."""

from pathlib import Path

import pytest

from tests.made_up import references, study, study_content, write_run, write_runs
from vaeline.evaluation.catalogue import DEFINING, catalogue
from vaeline.metrics._entry import Past
from vaeline.report import answer, compare, comparison, results, table
from vaeline.report.comparison import Comparison
from vaeline.report.table import marks
from vaeline.study import reading
from vaeline.system.errors import UserError
from vaeline.system.sealed_files import write_sealed

T_2 = 4.302652729749462  # 97.5% quantile of Student's t with 2 degrees of freedom


def compared(
    folder: Path, variants: tuple[str, ...] = ("one", "two"), seeds: tuple[int, ...] = (0, 1, 2)
) -> Comparison:
    return compare.compare(results.read(folder, study(variants, seeds)))


def test_a_metric_is_a_mean_with_its_t_interval(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0]})
    summary = compared(tmp_path, ("one",)).metrics["nll"].summaries["one"]
    assert summary.mean == 2
    assert summary.half_width == pytest.approx(T_2 / 3**0.5)  # the standard deviation is 1
    assert summary.values == {0: 1, 1: 2, 2: 3}


@pytest.mark.parametrize("metric", ["fd_sample", "condition_accuracy"])
def test_halves_of_the_images_widen_intervals_and_cancel_in_pairs(tmp_path: Path, metric: str) -> None:
    """Other images would move one and two alike, and three the other way."""
    halves = {0: [3.0, -2.0, 1.0], 1: [3.1, -2.1, 1.0], 2: [2.9, -2.0, 1.1]}
    for variant, shift, sign in (("one", 0.0, 1), ("two", 1.0, 1), ("three", 2.0, -1)):
        for seed, value in enumerate((1.0, 1.2, 1.1)):
            how = {metric: {"halves": [sign * each for each in halves[seed]]}}
            write_run(tmp_path / variant / f"seed-{seed}", {metric: value + shift + 0.1 * seed * shift}, how)
    found = compared(tmp_path, ("one", "two", "three")).metrics[metric]
    alike, opposed = found.pair("one", "two"), found.pair("one", "three")
    one = found.summaries["one"]
    assert one.over == ["seeds", "images"] and (one.half_width or 0) > 2.16  # their root mean square
    assert alike is not None and alike.significant and (alike.half_width or 9) < 0.5
    assert opposed is not None and not opposed.significant and (opposed.half_width or 0) > 2 * 2.16


def test_variants_are_compared_seed_by_seed(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 12.0, 103.0], "two": [2.0, 13.5, 103.5]})
    pair = compared(tmp_path).metrics["nll"].pair("one", "two")
    assert pair is not None
    assert pair.difference == pytest.approx(-1)  # of -1, -1.5 and -0.5
    assert pair.half_width == pytest.approx(T_2 * 0.5 / 3**0.5)
    assert (pair.seeds, pair.won, pair.lost) == (3, 3, 0)
    assert not pair.significant  # 1.24 > 1


def test_a_paired_comparison_can_be_reversed(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [2.0, 2.0, 2.5]})
    results = compared(tmp_path).metrics["nll"]
    pair, turned = results.pair("one", "two"), results.pair("two", "one")
    assert pair is not None
    assert turned is not None
    assert (turned.first, turned.second, turned.difference) == ("two", "one", -pair.difference)
    assert (pair.won, pair.lost) == (turned.lost, turned.won) == (1, 1)  # and a tie


def test_only_shared_seeds_are_compared(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0], "two": [5.0, 5.0, 5.0], "three": [7.0, 7.0, 7.0]})
    found = compare.compare(results.read(tmp_path, study(("one", "two", "three"), (0, 1, 2)), True))
    assert [(pair.first, pair.second, pair.seeds) for pair in found.metrics["nll"].pairs] == [
        ("one", "two", 2),
        ("one", "three", 2),
        ("two", "three", 3),
    ]


def test_a_single_seed_is_never_significantly_different(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0], "two": [100.0]})
    results = compared(tmp_path, seeds=(0,)).metrics["nll"]
    assert results.summaries["one"].half_width is None
    assert results.pairs[0].half_width is None
    assert not results.pairs[0].significant


def test_higher_is_better_if_the_metric_declares_it(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [0.9, 0.9, 0.8], "two": [0.5, 0.6, 0.9]}, "condition_accuracy")
    results = compared(tmp_path).metrics["condition_accuracy"]
    assert results.ranking(catalogue().metric("condition_accuracy")) == ["one", "two"]
    assert (results.pairs[0].won, results.pairs[0].lost) == (2, 1)


def test_a_dash_keeps_its_reason(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    write_run(tmp_path / "two" / "seed-0", {}, {"nll": {"dash": "it has no density"}})
    found = compared(tmp_path, ("one", "two", "absent"), (0,))
    assert found.metrics["nll"].dashes == {"two": "it has no density", "absent": "none of its runs is finished"}
    assert found.missing == ["absent seed 0: not trained"]


def test_a_mean_with_one_upper_bound_is_an_upper_bound(tmp_path: Path) -> None:
    for variant, whys in {"one": ["", "it falls"], "two": ["", ""]}.items():
        for seed, why in enumerate(whys):
            write_run(tmp_path / variant / f"seed-{seed}", {"nll": 1.0, "rate": 4.0}, {"nll": {"upper_bound": why}})
    metrics = compared(tmp_path, seeds=(0, 1)).metrics
    assert {name: results.upper_bounds for name, results in metrics.items()} == {"nll": {"one": "it falls"}, "rate": {}}


def test_probabilities_and_densities_are_not_compared(tmp_path: Path) -> None:
    for variant, value, measure in (
        ("one", 1.0, "density of pixels"),
        ("two", 2.0, "density of pixels"),
        ("odd", -9.0, "probability of pixels"),
    ):
        for seed in (0, 1, 2):
            write_run(tmp_path / variant / f"seed-{seed}", {"nll": value * (1 + seed)}, {"nll": {"measure": measure}})
    found = compared(tmp_path, ("one", "two", "odd"))
    results = found.metrics["nll"]
    assert results.mixed and [(pair.first, pair.second) for pair in results.pairs] == [("one", "two")]
    parts = results.alike()
    assert {measure: set(part.summaries) for measure, part in parts.items()} == {
        "density of pixels": {"one", "two"}, "probability of pixels": {"odd"},
    }  # fmt: skip
    assert set(marks(parts["density of pixels"], catalogue().metric("nll"))) <= {"one", "two"}
    [sentence] = answer.sentences(found, "nll")
    assert sentence.startswith(
        "one and two are not significantly different in nll: the interval of their difference, 2.0 ± 2.5 nats"
    )


def test_differently_defined_values_do_not_share_a_column(tmp_path: Path) -> None:
    for place, (variant, samples) in enumerate((("one", 500), ("two", 500), ("odd", 100))):
        for seed in (0, 1, 2):
            nll = samples + (seed if place == 0 else 2 - seed)
            write_run(tmp_path / variant / f"seed-{seed}", {"nll": nll}, {"nll": {"samples": samples}})
    found = compared(tmp_path, ("one", "two", "odd"))
    results = found.metrics["nll"]
    assert results.measures == {
        "one": "measured with samples 500", "two": "measured with samples 500", "odd": "measured with samples 100",
    }  # fmt: skip
    assert [(pair.first, pair.second) for pair in results.pairs] == [("one", "two")]
    rows = {row.measure: row for row in table.rows(found)}
    assert [cell.value for cell in rows["measured with samples 500"].cells] == ["501.0", "501.0", "-"]
    assert [cell.mark for cell in rows["measured with samples 500"].cells] == ["tied", "tied", ""]
    assert [cell.value for cell in rows["measured with samples 100"].cells] == ["-", "-", "101.0"]
    assert (
        rows["measured with samples 100"].cells[0].note
        == "measured with samples 500: not comparable with the other variants"
    )
    assert "nll ↓ (measured with samples 100)" in table.plain(found, 120)
    assert not any("odd" in sentence for sentence in answer.sentences(found, "nll"))


@pytest.mark.parametrize("key", DEFINING)
def test_any_difference_in_definition_separates_values(tmp_path: Path, key: str) -> None:
    for variant, value in (("one", "this"), ("two", "that")):
        write_run(tmp_path / variant / "seed-0", {"rate": 1.0}, {"rate": {key: value}})
    assert compared(tmp_path, seeds=(0,)).metrics["rate"].mixed
    write_run(tmp_path / "one" / "seed-1", {"rate": 1.0}, {"rate": {key: "other"}})
    assert "one" in compared(tmp_path, ("one",), (0, 1)).metrics["rate"].dashes


def test_what_the_encoder_sees_is_said_in_words(tmp_path: Path) -> None:
    for seed in range(2):
        write_run(tmp_path / "one" / f"seed-{seed}", {"probe_linear": 0.5}, {"probe_linear": {"told": "the label"}})
        write_run(tmp_path / "two" / f"seed-{seed}", {"probe_linear": 0.5})
    assert compared(tmp_path, ("one", "two"), (0, 1)).metrics["probe_linear"].measures == {
        "one": "measured with an encoder that sees the label too",
        "two": "measured with an encoder that sees the image only",
    }


def test_differently_measured_seeds_have_no_mean(tmp_path: Path) -> None:
    for seed, weights in enumerate(["ab12", "ab12", "cd34"]):
        write_run(tmp_path / "one" / f"seed-{seed}", {"fd_sample": 1.0}, {"fd_sample": {"weights": weights}})
        write_run(tmp_path / "two" / f"seed-{seed}", {"fd_sample": 2.0}, {"fd_sample": {"weights": "ab12"}})
    results = compared(tmp_path, ("one", "two")).metrics["fd_sample"]
    assert set(results.summaries) == {"two"}
    assert results.dashes["one"] == "its seeds were measured in different ways: weights ab12; weights cd34"


def test_the_answer_uses_the_metric_comparing_most_variants(tmp_path: Path) -> None:
    """Two variants have each metric; a third variant has only an upper bound, which is another measure."""
    measure = "density of pixels"
    for variant, metrics, of_bound in (
        ("one", {"nll": 1.0, "negative_elbo": 2.0}, measure),
        ("two", {"nll": 2.0, "negative_elbo": 3.0}, measure),
        ("odd", {"negative_elbo": 1.0}, f"{measure} given the label"),
    ):
        evaluation = {"nll": {"measure": measure}, "negative_elbo": {"measure": of_bound}}
        write_run(tmp_path / variant / "seed-0", metrics, {name: evaluation[name] for name in metrics})
    found = compared(tmp_path, ("one", "two", "odd"), (0,))
    assert [results.comparable for results in (found.metrics["nll"], found.metrics["negative_elbo"])] == [2, 2]
    assert found.primary == ["nll"]


def test_the_table_leaves_out_errors_and_keeps_an_order(tmp_path: Path) -> None:
    companions = ["nll_standard_error", "nll_monte_carlo_error", "nll_tenth"]
    names = ["zest", "rate", "fd_sample", "nll", "angle", *companions]
    write_run(tmp_path / "one" / "seed-0", dict.fromkeys(names, 1.0))
    found = compared(tmp_path, ("one",), (0,))
    assert list(found.main_metrics()) == ["nll", "fd_sample", "rate", "angle", "zest"]
    assert set(found.companions()) == set(companions)
    assert found.means() == {"one": dict.fromkeys(["nll", "fd_sample", "rate", "angle", "zest"], 1.0)}


def test_references_are_those_of_the_data_set(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0]}, "kd_sample")
    scale = references({"kd_floor": 2.5, "kd_floor_standard_error": 0.5, "precision_ceiling": 0.9}, {"kd_floor": 0.4})
    scale.put("condition_accuracy_ceiling", 0.8, halves=[0.03, -0.01, 0.01, -0.03])
    found = compare.compare(results.read(tmp_path, study(("one",), (0, 1)), reference=scale)).references
    assert {name: (each.value, each.standard_error, each.spread) for name, each in found.items()} == {
        "kd_floor": (2.5, 0.5, 0.4), "precision_ceiling": (0.9, None, None),
        "condition_accuracy_ceiling": (0.8, pytest.approx(0.0005**0.5), None),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "scale", "past", "expected"),
    [
        ("precision", {"precision_ceiling": 0.5}, "better than real images", ["two"]),
        ("precision", {"precision_ceiling": 0.6}, "better than real images", []),
        ("fd_sample", {"fd_pixel_gaussian": 0.55}, "no better than one Gaussian", ["two"]),
        ("fd_sample", {"fd_floor": 0.5}, "better than real images", ["one"]),
        ("fd_reconstruction", {"fd_floor": 0.5}, "better than real images", []),  # of the test images themselves
        ("fd_sample", {}, "no better than one Gaussian", []),
    ],
)
def test_a_value_past_a_reference_is_known(
    tmp_path: Path, metric: str, scale: dict[str, float], past: Past, expected: list[str]
) -> None:
    write_runs(tmp_path, {"one": [0.401, 0.4], "two": [0.601, 0.6]}, metric)
    found = compare.compare(results.read(tmp_path, study(seeds=(0, 1)), reference=references(scale)))
    assert list(found.past(metric, past)) == expected


@pytest.mark.parametrize(
    ("values", "spread", "is_past"),
    [
        ([0.95, 0.97, 0.96], None, True),  # 0.96 ± 0.025
        ([0.90, 1.00, 0.98], None, False),  # 0.96 ± 0.13
        ([0.95, 0.97, 0.96], 0.01, True),  # the difference is 0.06 ± 0.032
        ([0.95, 0.97, 0.96], 0.03, False),
        ([0.96], None, False),
        ([1.0, 1.0, 1.0], 0.03, False),  # seeds that agree say nothing of other seeds
        ([1.0, 1.0, 1.0], None, False),
    ],
)
def test_only_an_interval_past_a_ceiling_is_past_it(
    tmp_path: Path, values: list[float], spread: float | None, is_past: bool
) -> None:
    write_runs(tmp_path, {"one": values}, "precision")
    scale = references({"precision_ceiling": 0.9}, {"precision_ceiling": spread} if spread else {})
    found = compare.compare(results.read(tmp_path, study(("one",), tuple(range(len(values)))), reference=scale))
    assert found.unranked("precision") == (["one"] if is_past else [])


def test_a_comparison_reads_back_equal(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", {"one": [1.0, 2.0, 4.0], "two": [2.0, 2.0]})
    found = compared(tmp_path / "runs")
    path = tmp_path / "comparison.json"
    comparison.write(path, found)
    assert comparison.read(path) == found
    assert found.weights["one"].keys() == {0, 1, 2} and found.settings["training"]["epochs"] == 2


def test_an_edited_comparison_is_refused(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", {"one": [1.0, 2.0, 4.0], "two": [2.0, 2.0]})
    path = tmp_path / "comparison.json"
    comparison.write(path, compared(tmp_path / "runs"))
    path.write_text(path.read_text().replace("2.0", "1.0", 1))
    with pytest.raises(UserError, match=r"comparison.json is damaged .*its checksum differs"):
        comparison.read(path)


@pytest.mark.parametrize("content", [b"{", b"{}", b"\xff"])
def test_a_damaged_comparison_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "comparison.json"
    with pytest.raises(UserError, match="There is no .*comparison.json; run the study"):
        comparison.read(path)
    path.write_bytes(content)
    with pytest.raises(UserError, match="comparison.json is damaged"):
        comparison.read(path)


def test_a_comparison_without_a_variant_is_refused(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", {"one": [1.0, 2.0], "two": [2.0, 2.0]})
    content = compared(tmp_path / "runs").model_dump(mode="json")
    del content["metrics"]["nll"]["summaries"]["two"]
    write_sealed(tmp_path / "comparison.json", content)
    with pytest.raises(UserError, match="comparison.json is damaged"):
        comparison.read(tmp_path / "comparison.json")


@pytest.mark.parametrize("key", ["weights", "evaluations"])
def test_a_comparison_that_names_no_runs_of_a_variant_is_refused(tmp_path: Path, key: str) -> None:
    write_runs(tmp_path, {"one": [1.0], "two": [2.0]})
    content = compared(tmp_path, seeds=(0,)).model_dump(mode="json")
    del content[key]["two"]
    write_sealed(tmp_path / "comparison.json", content)
    with pytest.raises(UserError, match=r"comparison.json is damaged .*; `snakemake --cores 4 all`"):
        comparison.read(tmp_path / "comparison.json")


def test_old_and_new_definitions_are_not_averaged(tmp_path: Path) -> None:
    for seed, words in enumerate(("Nats.", "Bits.")):
        write_run(tmp_path / "one" / f"seed-{seed}", {"nll": 5.0 + seed}, {"nll": {"definition": words}})
    results = compared(tmp_path, ("one",), (0, 1)).metrics["nll"]
    assert "one" not in results.summaries
    assert results.dashes["one"] == "its seeds were measured in different ways: definition Nats.; definition Bits."


def test_warnings_of_runs_are_shown_with_their_metric(tmp_path: Path) -> None:
    how = {"warning": "biased upwards", "left_out": ["digit=3"]}
    write_run(tmp_path / "one" / "seed-0", {"fd_sample": 3.0}, {"fd_sample": how})
    [cell] = table.rows(compared(tmp_path, ("one",), (0,)))[0].cells
    assert cell.note == "biased upwards; without digit=3: too few images have it"


def test_an_upper_bound_is_not_compared_with_published_values(tmp_path: Path) -> None:
    write_run(
        tmp_path / "one" / "seed-0",
        {"nll": 91.0},
        {"nll": {"samples": 200, "upper_bound": "its effective sample size is under 10"}},
    )
    paper = {
        "metric": "nll",
        "variant": "one",
        "value": 89.78,
        "source": "a paper",
        "how": {"samples": 200, "images": 4},
    }
    of = reading.check({**study_content(), "published": {"vae": paper}}, Path("params.yaml"))
    found = compare.compare(results.read(tmp_path, of))
    assert found.published[0].difference is None
    assert table.published(found)[0][2:4] == (
        "<= 91", "not compared: an upper bound: its effective sample size is under 10"
    )  # fmt: skip


def test_a_published_value_without_a_definition_is_refused() -> None:
    paper = {"metric": "nll", "variant": "one", "value": 89.78, "source": "a paper"}
    with pytest.raises(UserError, match="nll of one needs `how`, the way it was measured, or `differs`"):
        reading.check({**study_content(), "published": {"vae": paper}}, Path("params.yaml"))


def test_published_values_of_unknown_origin_are_not_compared(tmp_path: Path) -> None:
    ours = {"samples": 200, "features": "own"}
    write_run(tmp_path / "one" / "seed-0", {"fd_sample": 1.0}, {"fd_sample": ours})
    paper = {"metric": "fd_sample", "variant": "one", "value": 160.0, "source": "a paper"}
    published = {
        "vague": {**paper, "how": {"split": "test"}},
        "whole": {**paper, "how": {"samples": "200", "images": 4, "features": "own"}},
    }
    of = reading.check({**study_content(("one",), (0,)), "published": published}, Path("params.yaml"))
    vague, whole = compare.compare(results.read(tmp_path, of)).published
    assert vague.unlike == [
        f"{key} not said there, {value} here" for key, value in (("samples", 200), ("images", 4), ("features", "own"))
    ]
    assert whole.difference == pytest.approx(-159)


@pytest.mark.parametrize(
    ("metric", "key", "words"),
    [
        ("nll", "sampels", "published.p.how has sampels; its keys are definition, measure"),
        ("fid_samples", "samples", "published.p.metric is 'fid_samples', .*did you mean fid_sample"),
    ],
)
def test_an_unknown_word_of_a_published_value_is_refused(tmp_path: Path, metric: str, key: str, words: str) -> None:
    write_runs(tmp_path, {"one": [1.0]})
    paper = {"metric": metric, "variant": "one", "value": 9.0, "source": "a paper", "how": {key: 200}}
    of = reading.check({**study_content(("one",), (0,)), "published": {"p": paper}}, Path("params.yaml"))
    with pytest.raises(UserError, match=words):
        compare.compare(results.read(tmp_path, of))


def test_published_values_of_the_same_definition_are_compared(tmp_path: Path) -> None:
    for seed, value in enumerate((90.0, 92.0, 91.0)):
        write_run(tmp_path / "one" / f"seed-{seed}", {"nll": value}, {"nll": {"samples": 200}})
        write_run(tmp_path / "two" / f"seed-{seed}", {"rate": 1.0})
    of = {"metric": "nll", "variant": "one", "value": 89.78, "error": 0.01, "source": "a paper"}
    paper = {**of, "how": {"samples": 200, "images": 4}}
    published = {
        "alike": paper,
        "fewer": {**paper, "how": {"samples": 200, "images": 10_000}},
        "other": {**paper, "differs": "of other images"},
        "elsewhere": {**paper, "variant": "two"},
    }
    asked = reading.check({**study_content(), "published": published}, Path("params.yaml"))
    found = compare.compare(results.read(tmp_path, asked))
    alike, fewer, other, elsewhere = found.published
    assert alike.difference == pytest.approx(91 - 89.78) and not alike.unlike
    assert (fewer.difference, fewer.unlike) == (None, ["images 10000 there, 4 here"])
    assert (other.difference, other.unlike) == (None, ["of other images"])
    assert elsewhere.ours is None and elsewhere.difference is None
    assert comparison.Comparison.model_validate_json(found.model_dump_json()) == found
    rows = table.published(found)
    assert rows[0] == ("nll of one", "89.78 (error 0.010)", "91.0 ± 2.5", "+1.22 ± 2.5", "a paper")
    assert [row[3] for row in rows[1:]] == [
        "not compared: images 10000 there, 4 here", "not compared: of other images", "not measured here",
    ]  # fmt: skip
    assert "nll of one: 89.78 (error 0.010) published (a paper), 91.0 ± 2.5 here, +1.22 ± 2.5" in table.plain(
        found, 120
    )

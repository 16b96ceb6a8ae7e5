"""The report page of a study."""

import base64
import hashlib
import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.made_up import VARIANT, references, study, study_content, write_run, write_runs
from vaeline.data.facts import Facts
from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.record import Record
from vaeline.report import compare, results
from vaeline.report import page as report
from vaeline.report.findings import Findings
from vaeline.report.plots.shared import contract, rendering
from vaeline.report.plots.shared.contract import RenderedPlots
from vaeline.report.provenance import Provenance, Stage
from vaeline.report.real_images import RealImages
from vaeline.report.sections.header import differing_keys
from vaeline.study import reading
from vaeline.study.schema import Study


def page(folder: Path, of: Study, real: bytes | None = None, reference: Record | None = None) -> str:
    found = results.read(folder, of, reference=reference)
    facts = Facts("dots", (1, 8, 8), 17, (-1.0, 1.0), ["digit"], [["0"]])
    images = RealImages(np.zeros((4, 1, 8, 8), np.uint8), facts, real) if real else None
    findings = Findings(found, compare.compare(found), images)
    made_of = Provenance([Stage("train", "weights of a run", 6, "3 s")], {"data set": "dots"}, {"Python": "3.11.0"})
    return report.render(report.compose(of, RenderedPlots(findings, contract.found()), made_of))


def text_of(html: str) -> str:
    """What a reader sees, on one line."""
    body = re.sub(r"<(style|svg).*?</\1>", "", html[html.index("<body") :], flags=re.DOTALL)
    return " ".join(re.sub(r"<wbr>|<[^>]*>", lambda tag: "" if tag[0] == "<wbr>" else " ", body).split())


class Links(HTMLParser):
    """Collects every address that a page names, and the tags that are open at its end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]
        self.ids += [value or "" for name, value in attrs if name == "id"]


@pytest.fixture(autouse=True)
def undrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering plots takes most of the time; only a test that asks for `drawn` does it."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(rendering, "svg", lambda _: b"<svg/>")
        monkeypatch.setattr(rendering, "png", lambda _: b"PNG")


@pytest.fixture
def drawn() -> None: ...


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.3]})
    return tmp_path


def test_the_page_answers_in_sentences(runs: Path) -> None:
    text = text_of(page(runs, study(question="Is one better?")))
    assert "Is one better?" in text
    assert "one is better than two by 3.10 ± 0.43 nats in this metric, on 3 of 3 seeds." in text
    assert "partial" not in text


def test_the_head_answers_each_primary_metric_in_words(tmp_path: Path) -> None:
    values_of = {"one": (1.0, 9.0, 5.0), "two": (4.0, 2.0, 5.0)}
    for variant, (nll, distance, linear) in values_of.items():
        for seed in range(3):
            metrics = {"nll": nll * (1 + seed / 100), "fd_sample": distance * (1 + seed / 100), "probe_linear": linear}
            write_run(tmp_path / variant / f"seed-{seed}", metrics)
    text = text_of(page(tmp_path, study()))
    head = text[: text.index("What a single part does")] if "What a single part does" in text else text[:2000]
    assert "one improves the negative log-likelihood by 3.030 ± " in head
    assert "nats over the next best, two (better on 3 of 3 seeds)" in head
    assert "two improves the Fréchet distance of samples (own features) by 7." in head


def test_the_table_shows_means_with_intervals_and_marks_the_best(runs: Path) -> None:
    html = page(runs, study())
    assert re.search(
        r'<td class="number best" data-value="2.0">.*?best .*?<span class="value">2.0</span> <span class="spread">± 2.5</span></td>',
        html,
    )
    assert re.search(
        r'<td class="number " data-value="5.1\d*">.*?<span class="value">5.1</span> <span class="spread">± 2.9</span></td>',
        html,
    )


def test_no_request_leaves_the_page(runs: Path) -> None:
    links = Links(page(runs, study(), real=(runs / "one" / "seed-0" / "samples.png").read_bytes()))
    assert links.addresses
    explorer = "http://localhost:8765/?run=one/seed-0&run=two/seed-0"  # a link to this machine, which waits for a click
    assert {each for each in links.addresses if not each.startswith(("data:", "#"))} == {explorer}
    assert {address[1:] for address in links.addresses if address.startswith("#")} <= set(links.ids)
    assert len(set(links.ids)) == len(links.ids)
    assert not links.tags & {"iframe", "object"}


def test_no_script_runs_but_the_pages_own(runs: Path) -> None:
    html = page(runs, study())
    [script] = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src &#39;none&#39;; img-src data:; style-src &#39;unsafe-inline&#39;; script-src &#39;sha256-{digest}&#39;"
    assert policy.replace("&#39;", "'") in html
    assert not re.search(r"\son\w+=", re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL))


def test_every_picture_and_curve_is_inside_and_described(runs: Path, drawn: None) -> None:
    html = page(runs, study(), real=(runs / "one" / "seed-0" / "samples.png").read_bytes())
    images = re.findall(r"<img [^>]*>", html)
    # Head; test images; reconstructions and samples of two variants; labels; latents; failures; curves; the enlarged one.
    assert len(images) == 3 + 1 + 2 * 2 + 1 + 4 + 2 + 4 + 1
    assert all(re.search(r'alt="[^"]{10,}"', image) for image in images[:-1])
    assert "The test images are not at hand." in text_of(page(runs, study()))


def test_existing_trade_offs_are_plotted(tmp_path: Path, runs: Path, drawn: None) -> None:
    assert "Trade-offs" not in text_of(page(runs, study()))
    for index, variant in enumerate(("three", "four")):
        write_run(tmp_path / "others" / variant / "seed-0", {"nll": index, "fd_sample": 1.0})
    html = page(tmp_path / "others", study(("three", "four"), (0,)))
    [content] = re.findall(r'<section id="trade-offs">.*?src="data:image/svg\+xml;base64,([^"]*)"', html, re.DOTALL)
    assert "Fréchet distance of samples".encode() in b64decode(content)


def test_names_with_html_in_them_are_shown_not_run(tmp_path: Path) -> None:
    attack = "<script>alert('x')</script><img src=http://x.example/y>"
    write_run(
        tmp_path / "one" / "seed-0",
        {"nll": 1.0, attack: 1.0},
        {attack: {"value": 1.0, "definition": attack, attack: attack}, "rate": {"dash": attack}},
    )
    html = page(tmp_path, study(("one",), (0,), question=attack))
    assert html.count("<script") == 1 and "<script>alert" not in html
    assert "<img src=http" not in html
    assert html.count("&lt;script&gt;") >= 4


def test_sections_without_data_are_omitted(runs: Path, tmp_path: Path) -> None:
    assert "One label switched" in text_of(page(runs, study()))
    without = ("switched", "switched_labels", "interpolations", "reconstruction_errors", "low_posterior")
    for variant in ("one", "two"):
        write_run(tmp_path / "others" / variant / "seed-0", {"nll": 1.0}, without=without)
    html = page(tmp_path / "others", study(seeds=(0,)))
    assert not {"labels", "failures"} & set(Links(html).ids) and "Interpolations" not in html


def test_differences_between_variants_are_named(runs: Path) -> None:
    content = study_content()
    flow = {"name": "decoupled", "flow": {"name": "affine_coupling", "layers": 3}}
    content["variants"] = {**content["variants"], "two": {**VARIANT, "prior": flow, "latent": 3}}
    found = differing_keys(reading.check(content, Path("params.yaml")))
    assert found.keys() >= {"latent", "prior", "prior.flow", "prior.flow.layers"} and "network" not in found
    assert found["latent"] == ["2", "3"] and found["prior"] == ["standard", "decoupled"]
    assert found["prior.flow.layers"] == ["", "3"] and list(found)[:2] == ["latent", "prior"]
    assert "Differences between the variants" not in page(runs, study())


def test_a_dash_among_the_differences_is_explained(runs: Path) -> None:
    content = study_content()
    content["variants"] = {**content["variants"], "two": {**VARIANT, "condition": {"embedding": 3}}}
    differing = reading.check(content, Path("params.yaml"))
    found = differing_keys(differing)
    assert found["condition"] == ["none", "as below"] and found["condition.embedding"] == ["", "3"]
    assert "A dash means that the variant has no such key." in page(runs, differing)


def test_the_page_lists_stages_and_data(runs: Path) -> None:
    text = text_of(page(runs, study()))
    assert "train ×6 weights of a run 3 s" in text and "data set dots" in text


def test_a_missing_run_is_named(runs: Path) -> None:
    (runs / "two" / "seed-1" / "metrics.json").unlink()
    text = text_of(page(runs, study()))
    assert "This report is partial." in text
    assert "two seed 1: sampled, not evaluated" in text
    assert "5 of 6 runs complete" in text
    assert "2 of 3 seeds" in text


def test_a_variant_without_runs_is_a_column_of_dashes(runs: Path) -> None:
    text = text_of(page(runs, study(("one", "two", "three"))))
    assert "three seed 2: not trained" in text
    assert "none of its runs is finished" in text


def test_one_run_is_enough_for_a_page(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    assert "there is nothing to compare" in text_of(page(tmp_path, study(("one",), (0,))))


def test_dashes_and_upper_bounds_give_their_reason(tmp_path: Path) -> None:
    for seed in range(3):
        write_run(
            tmp_path / "one" / f"seed-{seed}",
            {"nll": 1.0 + seed},
            {"nll": {"upper_bound": "its effective sample size is under 10"}},
        )
        write_run(tmp_path / "two" / f"seed-{seed}", {}, {"nll": {"dash": "it has no density"}})
    html = page(tmp_path, study())
    assert "≤ 2.0" in html
    assert (
        html.count("an upper bound: its effective sample size is under 10") == 3
    )  # a tooltip on cell and mark, a note
    assert re.search(r'title="it has no density">.*?—', html)


def test_shared_definitions_are_shown_once(runs: Path) -> None:
    assert page(runs, study()).count("How nll is made.") == 1


def test_definitions_that_differ_name_their_variants(tmp_path: Path) -> None:
    for seed, sigma in enumerate((0.41, 0.43)):
        write_run(
            tmp_path / "one" / f"seed-{seed}",
            {"nll_refit": 1.0},
            {"nll_refit": {"definition": "Refitted.", "sigma": sigma}},
        )
        write_run(
            tmp_path / "two" / f"seed-{seed}", {"nll_refit": 1.0}, {"nll_refit": {"definition": "Already fitted."}}
        )
    text = text_of(page(tmp_path, study(seeds=(0, 1))))
    assert all(f"σ refitted, nats: measured with definition {way}." in text for way in ("Refitted", "Already fitted"))
    assert "one Refitted. images 4 sigma 0.4100 to 0.4300 split test" in text
    assert "two Already fitted. images 4 split test" in text


def test_a_mean_over_labels_is_shown_label_by_label(tmp_path: Path) -> None:
    for seed, value in enumerate((0.5, 0.75)):
        by_label = {"definition": "Balanced.", "by_label": {"Smiling": value, "Male": 1.0}}
        write_run(tmp_path / "one" / f"seed-{seed}", {"condition_accuracy": value}, {"condition_accuracy": by_label})
        write_run(tmp_path / "two" / f"seed-{seed}", {"nll": 1.0})
    html = text_of(page(tmp_path, study(seeds=(0, 1))))
    assert "Male 1 — Smiling 0.6250 —" in html
    assert "Attributes with the lowest condition accuracy one Smiling 0.6250 , Male 1 Condition" in html
    assert "&#34;Male" not in html  # nor as JSON among the ways of its making


def test_a_mean_over_classifiers_is_shown_classifier_by_classifier(tmp_path: Path) -> None:
    for seed, value in enumerate((0.5, 0.75)):
        judged = {"by_judge": {"0": value, "8": 0.25}, "weights": {"0": "a" * 64, "8": "b" * 64}}
        write_run(tmp_path / "one" / f"seed-{seed}", {"fd_sample": value, "nll": 1.0}, {"fd_sample": judged})
        write_run(tmp_path / "two" / f"seed-{seed}", {"nll": 1.0})
    scale = references({"fd_floor": 1.25})
    scale.evaluation["fd_floor"]["by_judge"] = {"0": 1.5, "8": 1.0}
    html = text_of(page(tmp_path, study(seeds=(0, 1)), reference=scale))
    assert "by seed of the classifier 0: 1.500, 8: 1" in html
    assert "fd_sample by seed of the classifier, means over seeds of the variants." in html
    assert "0 0.6250 — 8 0.2500 —" in html
    assert "weights 0: aaaaaaaaaaaa…, 8: bbbbbbbbbbbb…" in html
    assert "Intervals are for new seeds and new classifiers: fd_sample." in html


def test_errors_are_not_in_the_table(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 2.0, "nll_standard_error": 0.125})
    html = page(tmp_path, study(("one",), (0,)))
    table, errors = html.split("Errors that go with", 1)
    assert "nll_" not in text_of(table)
    assert "nll_standard_error How nll_standard_error is made." in text_of("<body" + errors)
    assert "0.1250" in errors


def test_every_footnote_belongs_to_a_row_of_the_table(tmp_path: Path) -> None:
    """A dash among the errors, which are folded away, and a metric that no variant has, have their reasons elsewhere."""
    nowhere = {"mig": {"dash": "there are no factors"}}
    write_run(tmp_path / "one" / "seed-0", {"nll": 2.0, "nll_standard_error": 0.125, "rate": 1.0}, nowhere)
    write_run(tmp_path / "two" / "seed-0", {"rate": 1.0}, {"nll": {"dash": "it has no density"}} | nowhere)
    html = page(tmp_path, study(seeds=(0,)))
    notes = re.findall(r'<li id="note-(\d+)">(.*?)</li>', html)
    assert notes == [("1", "it has no density")]
    table, errors = html.split('<ol class="notes">')
    assert 'href="#note-1"' in table
    assert "nll_standard_error How nll_standard_error is made. images 4 split test 0.1250 — not measured" in text_of(
        "<body" + errors
    )


def test_arrays_are_shown_by_their_range(tmp_path: Path) -> None:
    for seed in range(2):
        how = {"rates": [0.5, 1.5 + seed], "untrusted_images": [], "left_out": ["Male", "Young"]}
        write_run(tmp_path / "one" / f"seed-{seed}", {"active_units": 2.0}, {"active_units": how})
    text = text_of(page(tmp_path, study(("one",), (0, 1))))
    assert "rates 0.5000 to 2.500, each in evaluation.json" in text
    assert "untrusted images none" in text and "left out Male, Young" in text
    assert "[" not in text[text.index("How active_units is made") :][:300]


def test_at_most_six_metrics_stand_before_the_fold(tmp_path: Path) -> None:
    for variant in ("one", "two"):
        write_run(tmp_path / variant / "seed-0", dict.fromkeys(catalogue().metrics, 1.0))
    html = page(tmp_path, study(seeds=(0,)))
    first, rest = (
        re.findall(r'href="#how-(\w+)"', part)
        for part in html.split('id="table"')[1].split('<details class="rest">')[:2]
    )
    assert first[:2] == ["nll_given_label_refit", "fid_sample"] and len(first) == 6 < len(rest)
    assert not set(first) & set(rest)


def test_the_page_can_be_copied_as_text(runs: Path) -> None:
    html = page(runs, study(question="Is one better?"))
    copied = dict(re.findall(r"<summary>([^<]*)</summary><button[^>]*>Copy</button><pre>(.*?)</pre>", html, re.DOTALL))
    assert copied["Summary as text"].startswith(
        "tiny: Is one better?\n- one improves the negative log-likelihood by 3.10 ± 0.43 nats"
    )
    assert "2 variants, each trained from 3 seeds; dots: images of 8×8 pixels" in copied["Summary as text"]
    assert copied["All metrics as CSV"].splitlines()[1].startswith("one,nll,,2.0,")
    assert r"\toprule" in copied["This table as LaTeX"]


def test_what_the_encoder_sees_is_among_the_definitions(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"probe_linear": 0.5}, {"probe_linear": {"told": "the label"}})
    assert "encoder also sees the label" in text_of(page(tmp_path, study(("one",), (0,))))


def test_references_of_the_data_set_are_defined(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"fd_sample": 2.0})
    scale = references({"fd_floor": 1.25, "kd_floor": 0.5, "kd_floor_standard_error": 0.25})
    text = text_of(page(tmp_path, study(("one",), (0,)), reference=scale))
    assert f"fd_floor 1.250 {catalogue().definition('fd_floor')}" in text
    assert "kd_floor 0.50 (s.e. 0.25)" in text


def test_the_page_has_all_parameters_and_the_environment(runs: Path) -> None:
    html = page(runs, study())
    shown = re.findall(r"<pre>(.*?)</pre>", html, re.DOTALL)
    written = (runs / "params.yaml").write_text(shown[-1].replace("&#39;", "'").replace("&#34;", '"'))
    assert written
    assert reading.load(runs / "params.yaml") == reading.check(study_content(), Path("params.yaml"))
    assert "3.11.0" in html


def test_the_page_is_the_same_each_time(runs: Path) -> None:
    assert page(runs, study()) == page(runs, study())

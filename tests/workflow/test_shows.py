"""The engines' views of a finished study: Snakemake's report and DVC's plots."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.scratch import Project
from vaeline.report.plots.shared import contract
from workflow import bridge

ROOT = Path(__file__).parents[2]
NOWHERE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "no_proxy": ""}
PLOTS = contract.found()
PARETO = "results/digits/pareto.json"


def reported(project: Project, what: str = "results") -> dict[str, Any]:
    """The content of Snakemake's report, made without a network: its files by path, or its `runtimes_spec`."""
    project.run("snakemake", "--report", "shown.html", **NOWHERE)
    page = (project.folder / "shown.html").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(re.search(rf"var {what} = (\{{.*\}});\n", page)[1])  # type: ignore[index]
    return found


def runtimes(project: Project) -> dict[str, list[float]]:
    """Run times of jobs by rule, as Snakemake's report plots them."""
    found: dict[str, list[float]] = {}
    for each in reported(project, "runtimes_spec")["data"]["values"]:
        found.setdefault(each["rule"], []).append(each["runtime"])
    return found


def test_snakemakes_report_shows_plots_under_captions_and_changes_nothing(project: Project) -> None:
    seen = (project.folder / bridge.SEEN).stat().st_mtime_ns
    shown = reported(project)
    drawn = {f"{name}.{'svg' if 'svg' in plot.forms else 'png'}" for name, plot in PLOTS.items() if plot.forms}
    tables = {"report.html", "metrics.json", "means.json", "comparison.json"}
    assert {Path(path).name for path in shown if "runs" not in path} == drawn | tables
    run = shown["results/digits/runs/cvae/seed-0/samples.png"]
    assert run["labels"] == {"variant": "cvae", "seed": "0", "picture": "samples"}
    assert "<tt" in run["caption"] and "cvae" in run["caption"]
    assert all(len(each["caption"]) > 50 for each in shown.values())
    assert (project.folder / bridge.SEEN).stat().st_mtime_ns == seen
    assert project.settled()
    assert project.snakemake() == project.repro() == []


def test_snakemakes_report_shows_what_dvc_ran(empty_project: Project) -> None:
    empty_project.repro()
    note = empty_project.folder / "results/digits/runs/cvae/seed-0/timing.json"
    note.write_text(json.dumps({"train": {"seconds": 7.5, "host": "here"}}))
    assert "results/digits/curves.svg" in reported(empty_project)
    found = runtimes(empty_project)
    assert sorted(found["train"]) == pytest.approx(
        [1.0, 7.5], abs=0.5
    )  # as noted; of what left no note it knows nothing
    assert empty_project.settled()


@pytest.mark.slow(reason="the report of what DVC ran takes its times from the same records")
def test_an_undone_edit_keeps_the_times_in_snakemakes_report(project: Project) -> None:
    before = runtimes(project)
    note = {"seconds": 99.0, "host": "here"}  # of some other time
    (project.folder / "results/digits/runs/cvae/seed-0/timing.json").write_text(json.dumps({"train": note}))
    project.edit(lambda params: params["training"].update(epochs=7))
    project.run("snakemake", "-n", "all")
    (project.folder / "dvc.lock").touch()
    project.run("snakemake", "-n", "all")  # marks all that is stale
    project.edit(lambda params: params["training"].update(epochs=60))
    assert project.settled()
    after = runtimes(project)
    assert {rule: sorted(times) for rule, times in after.items()} == {
        rule: pytest.approx(sorted(times)) for rule, times in before.items()
    }


def test_every_caption_is_shown() -> None:
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    for path in (ROOT / "workflow/report").glob("*.rst"):
        assert re.search(rf'"{path.stem}["\.]', rules) or path.stem == "study", path


def test_dvc_plots_two_experiments(project: Project) -> None:
    project.edit(lambda params: params["variants"]["cvae"].update(latent=5))
    project.snakemake()
    data = json.loads(project.run("dvc", "plots", "diff", "HEAD", "workspace", "--json"))
    assert "errors" not in data
    found = data["data"]
    [drawn] = found[PARETO]
    values = drawn["content"]["data"]["values"]
    assert {row["rev"] for row in values} == {"HEAD", "workspace"}
    for name in (name for name, plot in PLOTS.items() if plot.forms):
        assert len(found[f"results/digits/{name}.png"]) == 2, name
    assert "results/digits/runs/cvae/seed-0/training.csv" in found
    project.run("dvc", "plots", "diff", "HEAD", "--out", "shown")
    page = (project.folder / "shown/index.html").read_text()
    assert 'id="offline"' in page and "vegaEmbed('#results_digits_pareto_json'" in page
    assert page.count("_results_digits_pareto.png") == 2


def test_the_template_uses_fields_of_a_record() -> None:
    from vaeline.report.tradeoffs import COSTS, QUALITIES

    template = json.loads((ROOT / ".dvc/plots/pareto.json").read_text())
    axes = [(panel["encoding"]["x"]["field"], panel["encoding"]["y"]["field"]) for panel in template["concat"]]
    likelihood, samples = QUALITIES
    assert set(axes) == {(samples, likelihood), *((cost, quality) for cost in COSTS for quality in QUALITIES)}
    for panel, (x, y) in zip(template["concat"], axes, strict=True):
        assert f"'{y} by {x}'" in json.dumps(panel)

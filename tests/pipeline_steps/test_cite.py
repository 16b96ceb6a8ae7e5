"""The papers behind a study."""

from pathlib import Path

import yaml
from click.testing import CliRunner

from pipeline_steps import cite
from tests.pipeline_steps.conftest import STUDY
from vaeline.study import papers


def cited(*variants: str) -> list[str]:
    study = {**STUDY, "study": {**STUDY["study"], "variants": list(variants)}}
    Path("params.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    said = CliRunner().invoke(cite.main)
    assert said.exit_code == 0, said.output
    return [key for key, entry in papers.entries().items() if entry in said.stdout]


def test_a_part_adds_the_papers_that_its_file_cites(project: object) -> None:
    plain, both = cited("plain"), cited("plain", "flow")
    flow = STUDY["variants"]["flow"]["prior"]["name"]
    of_flow = papers.papers_of(Path(cite.parts.file("priors", flow)).read_text(encoding="utf-8"))
    assert of_flow and set(of_flow) <= set(both)
    assert set(plain) < set(both)


def test_a_misspelt_primary_metric_is_a_sentence(project: object) -> None:
    study = {**STUDY, "study": {**STUDY["study"], "primary": ["nlll"]}}
    Path("params.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    said = CliRunner().invoke(cite.main)
    assert said.exit_code == 1 and "study.primary has 'nlll', which is no metric that ranks variants" in said.output

"""The examples of the README are valid."""

import re
from pathlib import Path

import yaml

from vaeline.evaluation.catalogue import catalogue
from vaeline.study import keys_page, ready_studies
from vaeline.study.schema import Study

ROOT = Path(__file__).parents[2]


def examples() -> list[dict]:
    return [
        yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    ]


def test_the_page_of_keys_equals_the_generated_one() -> None:
    page = keys_page.document()
    assert (ROOT / "docs/keys.md").read_text(encoding="utf-8") == page, "run `make parts`"
    assert "|  |\n" not in page  # each key says what it means


def test_the_examples_fit_the_schema_completely() -> None:
    whole = ready_studies.resolve("digits").model_dump(mode="json")
    for example in examples():
        for section, content in example.items():
            changed = {**whole, section: {**whole[section], **content}}
            assert Study.model_validate(changed).model_dump(mode="json") == changed


def test_metrics_of_which_more_is_better_are_named() -> None:
    [sentence] = re.findall(r"Higher is better for (.*?);", (ROOT / "README.md").read_text(), re.DOTALL)
    higher = {name for name, metric in catalogue().metrics.items() if metric.better == "higher"}
    assert {name for name in higher if not name.startswith("probe_")} == set(re.findall(r"`(\w+)`", sentence))


def test_every_linked_file_exists() -> None:
    text = (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / link).exists(), link

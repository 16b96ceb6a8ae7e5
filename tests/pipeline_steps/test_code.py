"""The hash of the report's code covers what no import statement shows."""

from pathlib import Path

from tests.pipeline_steps.test_closure import changed_by

ROOT = Path(__file__).parents[2]


def test_every_plot_belongs_to_the_report_alone() -> None:
    for name in ("curves", "shared/panels"):
        assert changed_by(f"vaeline/report/plots/{name}.py") == {"report"}


def test_every_template_belongs_to_the_report_alone() -> None:
    templates = list((ROOT / "vaeline/report/templates").iterdir())
    assert len(templates) > 10
    for path in templates:
        assert changed_by(str(path.relative_to(ROOT))) == {"report"}, path

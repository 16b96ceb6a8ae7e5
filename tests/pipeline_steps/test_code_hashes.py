"""The hash of the report's code covers what no import statement shows."""

import json
from pathlib import Path

import pytest

from pipeline_steps.code_hashes import hashes, write_hashes
from tests.pipeline_steps.test_closure import changed_by
from vaeline.data.paths import CODE
from vaeline.study.reading import load

ROOT = Path(__file__).parents[2]


def test_every_plot_belongs_to_the_report_alone() -> None:
    for name in ("curves", "shared/panels"):
        assert changed_by(f"vaeline/report/plots/{name}.py") == {"report"}


def test_every_template_belongs_to_the_report_alone() -> None:
    templates = list((ROOT / "vaeline/report/templates").iterdir())
    assert len(templates) > 10
    for path in templates:
        assert changed_by(str(path.relative_to(ROOT))) == {"report"}, path


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"[]"])
def test_a_damaged_file_of_hashes_is_written_again(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = load(ROOT / "params.yaml")
    monkeypatch.chdir(tmp_path)
    CODE.parent.mkdir()
    CODE.write_bytes(content)
    write_hashes(study)
    assert json.loads(CODE.read_text())["download"] == hashes(study)["download"]

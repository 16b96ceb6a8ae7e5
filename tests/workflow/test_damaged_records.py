"""Records that are damaged, or hold a conflict of git, end in a sentence or are made again."""

from pathlib import Path

import pytest

from tests.workflow.scratch import Project
from workflow import bridge

CONFLICT = "<<<<<<< HEAD\nschema: '2.0'\n=======\nschema: '2.1'\n>>>>>>> other\n"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"3", b'{"files": 1}', b"[" * 100_000, b"\xff\xfe", b"9" * 5_000, None]
)
def test_a_damaged_note_of_what_was_seen_is_as_none(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "SEEN", tmp_path / "seen.json")
    if content is not None:
        (tmp_path / "seen.json").write_bytes(content)
    assert not bridge._is_seen([])


@pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml"])
def test_a_conflict_in_a_file_of_dvc_is_named_with_its_remedy(project: Project, name: str) -> None:
    path = project.folder / name
    path.write_text(CONFLICT + path.read_text())
    said = project.run("snakemake", "-n", "all", fails=True)
    assert name in said and "resolve git's conflict in the file, or restore it with `git checkout`" in said
    assert "Traceback" not in said


def test_a_conflict_in_params_is_a_sentence(project: Project) -> None:
    path = project.folder / "params.yaml"
    path.write_text(CONFLICT + path.read_text())
    said = project.run("snakemake", "-n", "all", fails=True)
    assert "params.yaml is not valid YAML" in said and "Traceback" not in said

"""Files beside the code, and line ends of Windows, make neither engine run a step again."""

from pathlib import Path

from tests.pipeline_steps.test_closure import STRAYS
from tests.workflow.scratch import Project


def test_files_beside_the_code_rerun_nothing(project: Project) -> None:
    for name in STRAYS:
        for folder in ("vaeline", "vaeline/models/priors", "pipeline_steps"):
            path = project.folder / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("another = 1\n")
    assert project.settled()


def test_line_ends_of_windows_rerun_no_step(project: Project) -> None:
    """DVC runs `code` again, which is none of the logged steps; it gives the same hashes."""
    for path in [*files(project, "*.py"), *files(project, "*.css"), *files(project, "*.j2")]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert project.repro() == []
    assert project.settled()
    assert project.snakemake() == []


def files(project: Project, pattern: str) -> list[Path]:
    return [path for package in ("vaeline", "pipeline_steps") for path in (project.folder / package).rglob(pattern)]

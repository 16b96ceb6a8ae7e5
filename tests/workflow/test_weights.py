"""The weights of a feature space that a study gives by path are an input: another file makes what it judged stale."""

import pytest

from tests.workflow.scratch import Project


@pytest.mark.slow(reason="another source is noticed in the same way")
def test_snakemake_notices_other_weights(project: Project) -> None:
    weights = project.folder / "data/weights.pth"
    weights.write_bytes(b"one")
    space = {"name": "inception", "weights": "data/weights.pth"}
    project.edit(lambda params: params["evaluation"].update(features=space))
    assert "report" in project.snakemake()
    assert project.settled()
    weights.touch()
    assert project.settled()
    weights.write_bytes(b"two")
    assert "Measuring the test images" in project.run("snakemake", "-n", "all")
    assert "reference" in project.snakemake()
    assert project.settled()
    weights.unlink()
    said = project.run("snakemake", "-n", "all", fails=True)
    assert "evaluation.features.weights is 'data/weights.pth', but" in said and "Traceback" not in said

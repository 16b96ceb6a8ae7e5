"""Both engines take the project's own parts for code: an edit of one makes the runs that use it anew, and no others."""

from typing import Any

import pytest

from tests.models.test_contracts import EXAMPLE_OF_PAGE
from tests.workflow.scratch import Project, stages_of

PART = "parts/priors/laplace.py"


def use_laplace(params: dict[str, Any]) -> None:
    params["variants"]["cvae"]["prior"] = {"name": "laplace", "scale": 0.7}


def write(project: Project, source: str) -> None:
    path = project.folder / PART
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)


@pytest.mark.slow(reason="own parts are hashed as vaeline's are, whose edit a quicker test reruns")
def test_an_edit_of_an_own_part_reruns_the_variants_that_use_it(project: Project) -> None:
    write(project, EXAMPLE_OF_PAGE)
    assert project.snakemake() == [] and project.repro() == []  # no variant uses it
    project.edit(use_laplace)
    of_cvae = sorted([*stages_of("cvae"), "report"])
    assert project.snakemake() == of_cvae
    assert project.settled()
    write(project, f"# A comment.\n{EXAMPLE_OF_PAGE}")
    assert project.snakemake() == [] and project.repro() == []
    write(project, EXAMPLE_OF_PAGE.replace("log_prob(z).sum(1)", "log_prob(z).sum(-1)"))
    assert project.repro() == stages_of("cvae")  # the stubs write the same files again, so that the report is not stale
    assert project.settled()


def test_an_own_part_with_a_name_of_vaeline_stops_both_engines(project: Project) -> None:
    path = project.folder / "parts/priors/standard.py"
    path.parent.mkdir()
    path.write_text(EXAMPLE_OF_PAGE)
    for command in (("snakemake", "--cores", "1", "all"), ("dvc", "repro")):
        said = project.run(*command, fails=True)
        assert "parts/priors/standard.py has the name of a part of vaeline" in said and "Traceback" not in said

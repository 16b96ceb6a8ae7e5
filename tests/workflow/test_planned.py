"""What was planned, what was used and what was recorded are the same, or the run fails and nothing is certified."""

from typing import Any

import pytest

from tests.workflow.scratch import DVC, SNAKEMAKE, Project, stages_of

MODULE = "vaeline/models/likelihoods/optimal_sigma.py"
engines = pytest.mark.parametrize("command", [SNAKEMAKE, DVC], ids=["snakemake", "dvc"])


def widen(params: dict[str, Any]) -> None:
    params["variants"]["cvae"]["latent"] += 1


def samples(count: int) -> Any:
    return lambda params: params["evaluation"].update(importance_samples=count)


def start(project: Project, command: tuple[str, ...]) -> Any:
    """A run that trains one variant and is held there. Its steps compare themselves with the plan, as real ones do."""
    project.edit(widen)
    options = ["all"] if command == SNAKEMAKE else []
    return project.start(*options, held_step=1, command=command, CHECKED="1")


def end(project: Project, run: Any) -> list[str]:
    """Let the held step go on, see the run fail, and return the steps that began."""
    project.release()
    assert run.wait() != 0
    return project.ran_in_order()


def assert_trained_anew(project: Project, *steps: str) -> None:
    """Assert that neither engine certifies what the failed run left, and that the next run makes it."""
    assert project.status()
    assert "Nothing to be done" not in project.run("snakemake", "-n", "all")
    assert set(steps) <= set(project.snakemake(CHECKED="1"))
    assert project.settled()


def test_snakemake_refuses_an_edit_that_is_undone_later(project: Project) -> None:
    run = start(project, SNAKEMAKE)
    project.edit(samples(37))
    project.release()
    assert run.wait() != 0
    assert project.ran_in_order() == ["train cvae 0", "sample cvae 0"]
    project.edit(samples(500))
    assert_trained_anew(project, "evaluate cvae 0", "report")


def test_an_edit_of_another_variant_meanwhile_is_no_matter(project: Project) -> None:
    run = start(project, SNAKEMAKE)
    project.edit(lambda params: params["variants"]["gaussian_cvae"].update(latent=3))
    assert end(project, run) == ["train cvae 0", "sample cvae 0", "evaluate cvae 0"]  # the report reads all variants
    project.edit(lambda params: params["variants"]["gaussian_cvae"].update(latent=8))
    assert project.snakemake(CHECKED="1") == ["report"]
    assert project.settled()


@engines
def test_a_module_that_is_edited_and_checked_out_again_is_refused(project: Project, command: tuple[str, ...]) -> None:
    run = start(project, command)
    module = project.folder / MODULE
    text = module.read_text()
    module.write_text(text + "\nADDED = 1\n")
    module.write_text(text)
    assert end(project, run) == ["train cvae 0"]
    assert_trained_anew(project, *stages_of("cvae"))


@engines
def test_a_module_that_is_edited_between_two_steps_is_refused(project: Project, command: tuple[str, ...]) -> None:
    project.edit(lambda params: params["training"].update(epochs=7))
    options = ["all"] if command == SNAKEMAKE else []
    run = project.start(*options, held_step=1, command=command, CHECKED="1")
    first = project.log()[0]
    module = (
        project.folder / "vaeline/models/posteriors/gaussian.py"
    )  # of both variants, which the held step has not read
    text = module.read_text()
    module.write_text(text + "\nADDED = 1\n")
    assert end(project, run) == [first]
    module.write_text(text)
    assert_trained_anew(project, first)


def test_code_that_code_json_does_not_name_is_refused_under_dvc(project: Project) -> None:
    project.edit(widen)
    with (project.folder / MODULE).open("a") as file:
        file.write("\nADDED = 1\n")
    said = project.run("dvc", "repro", "--single-item", "train@digits-cvae-0", fails=True, CHECKED="1")
    assert "run `python -m pipeline_steps.code`" in said
    assert project.repro(CHECKED="1") == of_cvae()


def of_cvae() -> list[str]:
    return sorted([*stages_of("cvae"), "report"])

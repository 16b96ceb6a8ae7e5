"""A study whose claims are not well declared is refused before anything runs, by both engines."""

from typing import Any

import pytest

from tests.workflow.scratch import Project

WRONG = {
    "unknown": ({"primary": ["nll", "fd_smaple"]}, "study.primary has 'fd_smaple', which is no metric that ranks variants; did you mean fd_sample"),
    "descriptive": ({"primary": ["sigma"]}, "study.primary has 'sigma', which is no metric that ranks variants"),
    "too many": ({"primary": ["nll", "mig", "recall", "precision"]}, "study.primary holds 4, but should hold at most 3."),
    "repeated": ({"primary": ["nll", "nll"]}, "study.primary is ['nll', 'nll'], but must name each once."),
    "baseline": ({"baseline": "vae"}, "baseline is 'vae'; take one of study.variants: gaussian_cvae, cvae"),
    "looks": ({"looks": [3, 4]}, "seeds lists 1, and looks are declared at 3, 4 seeds; list as many as at one look"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), WRONG.values(), ids=WRONG)
def test_wrong_claims_are_refused_by_both_engines(project: Project, change: dict[str, Any], sentence: str) -> None:
    project.edit(lambda params: params["study"].update(change))
    for command in (("snakemake", "-n", "all"), ("dvc", "repro")):
        said = project.run(*command, fails=True)
        assert sentence in said and "Traceback" not in said
    assert project.ran() == [] and (project.folder / "results/digits/report.html").exists()

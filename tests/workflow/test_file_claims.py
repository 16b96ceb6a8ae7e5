"""What the files of a tuning say to the bridge before it records them."""

from pathlib import Path
from typing import Any

import pytest

from tests import made_up
from vaeline.runs import tuning
from vaeline.runs.folder import StudyFolder
from vaeline.runs.tuning import Trial
from vaeline.study import reading
from vaeline.study.design import point
from vaeline.study.schema import Study
from workflow.file_claims import says_other

OF_TRIAL, OF_VARIANT, OF_RUN = {"variant": "one", "trial": "0"}, {"variant": "one"}, {"variant": "one", "seed": "0"}
RULES = {"design": OF_VARIANT, "trial": OF_TRIAL, "choose": OF_VARIANT}


def study_of(trials: list[int], seed: int = 0) -> Study:
    space = {"training.learning_rate": {"log": [0.0001, 0.01]}}
    content = made_up.study_content() | {"tuning": {"trials": trials, "space": space, "seed": seed}}
    return reading.check(content, Path("params.yaml"))


@pytest.fixture
def tuned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study with one trial of a variant, which has a run that was not tuned."""
    monkeypatch.chdir(tmp_path)
    study = study_of([0])
    tuning.write_design(study, "one")
    found: Any = Trial(trial=0, point=point(study.tuning.space, 0, 0), score=1.0)
    tuning.write_trial(study, "one", made_up.facts(), found)
    tuning.write_choice(study, "one")
    made_up.write_run(StudyFolder("tiny").run("one", 0), {"nll": 1.0}, of=study)
    return study


@pytest.mark.parametrize("rule", RULES)
def test_files_of_a_tuning_are_recorded_with_their_own_settings_only(tuned: Study, rule: str) -> None:
    assert says_other(rule, RULES[rule], tuned) == ""
    assert "tuning.seed 0, now 1" in says_other(rule, RULES[rule], study_of([0], seed=1))


def test_a_run_that_was_trained_with_another_choice_is_not_recorded(tuned: Study) -> None:
    assert "trained with other values than its tuning has chosen" in says_other("train", OF_RUN, tuned)
    tuning.write_design(study_of([]), "one")
    tuning.write_choice(study_of([]), "one")
    assert says_other("train", OF_RUN, study_of([])) == ""

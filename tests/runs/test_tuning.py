"""The files of a tuning: what is chosen, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests import made_up
from vaeline.data.facts import Facts
from vaeline.runs import tuning
from vaeline.runs.folder import TRIAL, RunKey, StudyFolder
from vaeline.runs.tuning import Trial, read_choice, require_chosen, write_choice, write_design, write_trial
from vaeline.study import reading
from vaeline.study.design import point
from vaeline.study.schema import Study
from vaeline.system.errors import UserError
from vaeline.system.sealed_files import read_sealed

SPACE = {"training.learning_rate": {"log": [0.0001, 0.01]}}
FACTS = replace(made_up.facts(), checksums={"train": "a", "validation": "b", "test": "c"})
WHERE = StudyFolder("tiny")


def study_of(trials: list[int], **changes: Any) -> Study:
    content = made_up.study_content() | {"tuning": {"trials": trials, "space": SPACE, **changes}}
    return reading.check(content, Path("params.yaml"))


STUDY = study_of([0, 1, 2])


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_trials(*scores: float | None, of: Study = STUDY, variant: str = "one", facts: Facts = FACTS) -> None:
    write_design(of, variant)
    for number, score in enumerate(scores):
        tried = point(of.tuning.space, of.tuning.seed, number)
        failed = "" if score is not None else "It diverged."
        write_trial(of, variant, facts, Trial(trial=number, point=tried, score=score, failed=failed))


def test_the_lowest_score_is_chosen_and_of_two_the_first() -> None:
    write_trials(3.0, 1.0, 1.0)
    write_choice(STUDY, "one")
    choice = read_choice(STUDY, "one", FACTS)
    assert choice.chosen == 1 and choice.point == point(STUDY.tuning.space, 0, 1)
    assert [trial.score for trial in choice.trials] == [3.0, 1.0, 1.0]


def test_the_design_is_the_same_for_all_variants() -> None:
    for variant in ("one", "two"):
        write_design(STUDY, variant)
    one, two = (read_sealed(WHERE.design(variant), "") for variant in ("one", "two"))
    assert one["points"] == two["points"] and len(one["points"]) == 3
    assert {key for key in one if one[key] != two[key]} == {"variant"}


def test_without_trials_nothing_is_chosen() -> None:
    off = study_of([])
    write_design(off, "one")
    write_choice(off, "one")
    assert read_choice(off, "one", FACTS).point == {}


def test_a_trial_that_diverged_is_not_chosen() -> None:
    write_trials(None, 5.0, 7.0)
    assert write_choice(STUDY, "one").chosen == 1
    write_trials(None, None, None)
    with pytest.raises(UserError, match="Every trial of one has diverged .*narrow tuning.space"):
        write_choice(STUDY, "one")


def test_a_missing_trial_is_named_with_its_command() -> None:
    write_trials(1.0, 2.0)
    with pytest.raises(UserError, match=r"trial-2.*pipeline_steps.trial --variant one --trial 2` again"):
        write_choice(STUDY, "one")


def test_trials_of_other_settings_are_refused() -> None:
    write_trials(1.0, 2.0, 3.0)
    with pytest.raises(UserError, match=r"tuning.epochs 10, now 4"):
        write_choice(study_of([0, 1, 2], epochs=4), "one")
    write_choice(STUDY, "one")
    with pytest.raises(UserError, match=r"tuning.seed 0, now 1"):
        read_choice(study_of([0, 1, 2], seed=1), "one")


def test_a_choice_among_trials_of_another_entry_is_refused() -> None:
    write_trials(1.0, 2.0, 3.0)
    write_choice(STUDY, "one")
    variants = {**STUDY.variants, "one": STUDY.variants["one"].model_copy(update={"latent": 3})}
    with pytest.raises(UserError, match=r"variants.one.latent 2, now 3"):
        read_choice(STUDY.model_copy(update={"variants": variants}), "one")


def test_trials_of_other_images_are_refused() -> None:
    write_trials(1.0, 2.0, 3.0)
    write_choice(STUDY, "one")
    other = replace(FACTS, checksums={**FACTS.checksums, "train": "z"})
    with pytest.raises(UserError, match="of other images than those of now"):
        read_choice(STUDY, "one", other)
    write_trial(STUDY, "one", other, Trial(trial=2, point=point(STUDY.tuning.space, 0, 2), score=3.0))
    with pytest.raises(UserError, match="Trials 0 and 2 of one are of other images"):
        write_choice(STUDY, "one")
    read_choice(STUDY, "one", replace(FACTS, checksums={**FACTS.checksums, "test": "z"}))  # which no trial saw


def test_a_file_in_the_place_of_another_is_refused() -> None:
    write_trials(1.0, 2.0, 3.0)
    write_trials(3.0, 2.0, 1.0, variant="two")
    for step, number in (("trial", 1), ("design", None)):
        mine, other = (tuning._path(STUDY, step, variant, number) for variant in ("one", "two"))
        mine.write_bytes(other.read_bytes())
        assert "is of two" in tuning.other_settings(STUDY, step, "one", number)
    write_trials(1.0, 2.0, 3.0)
    (WHERE.trial("one", 0) / TRIAL).write_bytes((WHERE.trial("one", 1) / TRIAL).read_bytes())
    with pytest.raises(UserError, match="is of one trial 1 of the study tiny, not of one trial 0"):
        write_choice(STUDY, "one")


def test_an_edited_choice_is_refused() -> None:
    write_trials(1.0, 2.0, 3.0)
    write_choice(STUDY, "one")
    assert not tuning.other_settings(STUDY, "choose", "one")
    content = json.loads(WHERE.choice("one").read_text())
    WHERE.choice("one").write_text(json.dumps(content | {"chosen": 2}))
    with pytest.raises(UserError, match="checksum differs"):
        read_choice(STUDY, "one")


def test_a_run_of_another_choice_is_refused() -> None:
    write_trials(1.0, 2.0, 3.0)
    write_choice(STUDY, "one")
    require_chosen(STUDY, RunKey("one", 0), point(STUDY.tuning.space, 0, 0))
    for tuned in ({}, point(STUDY.tuning.space, 0, 1)):
        with pytest.raises(UserError, match="trained with other values than its tuning has chosen"):
            require_chosen(STUDY, RunKey("one", 0), tuned)

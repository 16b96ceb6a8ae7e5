"""The files of a variant's tuning: its design, its trials, and the choice among them.

Each says under a seal what it is of. The design is written for a study without trials too, and so is the choice, of nothing: a training
always reads one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat

from vaeline.data.facts import Facts
from vaeline.runs.folder import TRIAL, RunKey, StudyFolder
from vaeline.study.design import Point, Value, point
from vaeline.study.schema import Study
from vaeline.study.settings import differences
from vaeline.study.step_settings import again, require_settings, settings_of
from vaeline.system.errors import UserError, in_words, reading_ours
from vaeline.system.sealed_files import read_sealed, write_sealed

SEEN = ("train", "validation")  # the splits that a trial reads


class Trial(BaseModel):
    """What a trial has found."""

    model_config = ConfigDict(strict=True)

    trial: int  # its number
    point: dict[str, Any]  # dotted key -> its value
    score: FiniteFloat | None  # of the best epoch; None if the training diverged
    failed: str = ""  # why there is no score
    epochs: int = 0  # that it was trained


class Choice(BaseModel):
    """The trials of a variant, and which of them won."""

    model_config = ConfigDict(strict=True)

    trials: list[Trial]
    chosen: int | None  # the number of the best trial; None without trials

    @property
    def point(self) -> Point:
        """The values that the variant is trained with: dotted key -> value."""
        return next((each.point for each in self.trials if each.trial == self.chosen), {})


def write_design(study: Study, variant: str) -> None:
    """Write what the trials of a variant try."""
    content = {"points": [{"trial": each, "point": _point(study, each)} for each in study.tuning.trials]}
    write_sealed(StudyFolder(study.study.name).design(variant), _of(study, "design", variant) | content)


def write_trial(study: Study, variant: str, facts: Facts, found: Trial) -> None:
    """Write what a trial has found."""
    path = StudyFolder(study.study.name).trial(variant, found.trial) / TRIAL
    data = {split: facts.checksums[split] for split in SEEN}
    write_sealed(path, {**_of(study, "trial", variant), "data": data, **found.model_dump()})


def write_choice(study: Study, variant: str) -> Choice:
    """Choose the trial with the lowest score, of several the first, and write it with all others.

    Raises:
        UserError: the design or a trial is missing, or is of other settings or images; or every trial has diverged.
    """
    _read(study, "design", variant)
    read = [_read(study, "trial", variant, number) for number in study.tuning.trials]
    trials = [_trial_of(study, variant, content) for content in read]
    data = read[0]["data"] if read else {}
    for found, content in zip(trials, read, strict=True):
        if content["data"] != data:
            raise UserError(
                f"Trials {trials[0].trial} and {found.trial} of {variant} are of other images; {_tune_again('trial', variant, found.trial)}."
            )
    scored = [(each.score, each.trial) for each in trials if each.score is not None]
    if trials and not scored:
        raise UserError(
            f"Every trial of {variant} has diverged ({trials[0].failed}); narrow tuning.space to smaller values, and run again."
        )
    choice = Choice(trials=trials, chosen=min(scored)[1] if scored else None)
    of_trials = {"data": data, "of_trials": settings_of(study, "trial", variant) if trials else {}}
    path = StudyFolder(study.study.name).choice(variant)
    write_sealed(path, {**_of(study, "choose", variant), **of_trials, **choice.model_dump()})
    return choice


def read_choice(study: Study, variant: str, facts: Facts | None = None) -> Choice:
    """What the tuning of a variant has chosen.

    Args:
        study: the active one.
        variant: its name.
        facts: of the images that the variant is trained on; None for any.

    Raises:
        UserError: the file is missing, damaged, or of another variant, of other settings or of other images.
    """
    content, path = _read(study, "choose", variant), StudyFolder(study.study.name).choice(variant)
    with reading_ours(path, _tune_again("choose", variant)):
        choice = Choice.model_validate({key: content[key] for key in Choice.model_fields})
        made, data = content["of_trials"], content["data"]
    if choice.trials:
        require_settings(path, made, settings_of(study, "trial", variant), _tune_again("choose", variant))
        if facts and any(facts.checksums[split] != checksum for split, checksum in data.items()):
            raise UserError(f"The trials of {variant} are of other images than those of now; run the study again.")
    return choice


def require_chosen(study: Study, run: RunKey, tuned: Mapping[str, Value]) -> None:
    """Check that a run was trained with what the tuning of its variant has chosen.

    Args:
        study: the active one.
        run: that was trained.
        tuned: the values that its variant.yaml names.

    Raises:
        UserError: it was trained with others; or the choice cannot be used.
    """
    if other := differences(tuned, read_choice(study, run.variant).point):
        raise UserError(
            f"{run} was trained with other values than its tuning has chosen: {'; '.join(other)}; {again('train', run)}."
        )


def other_settings(study: Study, step: str, variant: str, number: int | None = None) -> str:
    """What is wrong with the file that a step of a variant's tuning wrote; empty if it is of the study's settings.

    Args:
        study: the active one.
        step: `design`, `trial` or `choose`.
        variant: that is tuned.
        number: of the trial.
    """
    try:
        if step == "choose":
            read_choice(study, variant)
        else:
            _read(study, step, variant, number)
    except (UserError, OSError) as error:
        return str(in_words(error))
    return ""


def _tune_again(step: str, variant: str, number: int | None = None) -> str:
    """What to do if a file of a variant's tuning cannot be used."""
    of_trial = "" if number is None else f" --trial {number}"
    return f"run `python -m pipeline_steps.{step} --variant {variant}{of_trial}` again"


def _point(study: Study, number: int) -> Point:
    return point(study.tuning.space, study.tuning.seed, number)


def _of(study: Study, step: str, variant: str) -> dict[str, Any]:
    """What a file says of itself."""
    return {"study": study.study.name, "variant": variant, "settings": settings_of(study, step, variant)}


def _path(study: Study, step: str, variant: str, number: int | None) -> Path:
    folder = StudyFolder(study.study.name)
    if number is not None:
        return folder.trial(variant, number) / TRIAL
    return folder.choice(variant) if step == "choose" else folder.design(variant)


def _read(study: Study, step: str, variant: str, number: int | None = None) -> dict[str, Any]:
    """The content of a file, which is of this study, variant, trial and settings."""
    path, remedy = _path(study, step, variant, number), _tune_again(step, variant, number)
    content = read_sealed(path, remedy)
    wanted = {"study": study.study.name, "variant": variant, **({} if number is None else {"trial": number})}
    if {key: content.get(key) for key in wanted} != wanted:
        raise UserError(f"{path} is of {_words(content)}, not of {_words(wanted)}; {remedy}.")
    require_settings(path, content.get("settings", {}), settings_of(study, step, variant), remedy)
    return content


def _trial_of(study: Study, variant: str, content: Mapping[str, Any]) -> Trial:
    path = _path(study, "trial", variant, content["trial"])
    with reading_ours(path, _tune_again("trial", variant, content["trial"])):
        found = Trial.model_validate({key: content[key] for key in Trial.model_fields})
        if found.point != _point(study, found.trial):
            raise ValueError("its values are not those of the design")
    return found


def _words(content: Mapping[str, Any]) -> str:
    of_trial = f" trial {content['trial']}" if "trial" in content else ""
    return f"{content.get('variant')}{of_trial} of the study {content.get('study')}"

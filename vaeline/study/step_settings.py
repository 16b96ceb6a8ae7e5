"""What each step reads of params.yaml.

Store, classifier, reference and runs name these values, and readers compare them with the study. `dvc.yaml` and
`workflow/rules/` list the same keys; a test compares them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaeline.study.design import Value
from vaeline.study.recipe import UNTUNED, recipe_of
from vaeline.study.schema import Dataset, Study
from vaeline.study.settings import differences, values
from vaeline.system.errors import UserError

# Dotted keys, as dvc.yaml has them; `{variant}` stands for the variant of the run.
READS: dict[str, tuple[str, ...]] = {
    "code": ("study", "variants", "dataset.name", "evaluation.features"),
    "download": ("dataset", "evaluation.features"),
    "preprocess": ("dataset",),
    "classifier": ("classifier", "training.device"),
    "reference": (
        "evaluation.features", "evaluation.by_label", "sampling.count", "sampling.seed", "classifier.threads",
        "training.device",
    ),
    "design": ("tuning.trials", "tuning.space", "tuning.seed"),
    "trial": (
        "tuning.epochs", "tuning.space", "tuning.metric", "tuning.seed", "training", "variants.{variant}",
    ),
    "choose": ("tuning",),
    "train": ("training", "variants.{variant}"),
    "sample": ("sampling", "training.device", "training.threads"),
    "evaluate": ("evaluation", "training.device", "training.threads"),
    "report": ("study", "dataset", "training", "tuning", "classifier", "sampling", "evaluation", "variants", "published"),
}  # fmt: skip
OF_RUN = ("train", "sample", "evaluate")  # the steps of one run


def settings_of(study: Study, step: str, variant: str = "", tuned: Mapping[str, Value] = UNTUNED) -> dict[str, Any]:
    """The values that a step reads now, as its files name them: dotted key -> value, as JSON gives it back.

    Args:
        study: as params.yaml has it.
        step: whose files they are.
        variant: of the run, if the step is one of a run.
        tuned: the values that the run was trained with in place of those of its variant, if the step is `train`.
    """
    if step == "preprocess":
        return settings_of_store(study.dataset)
    found = values(study, (key.format(variant=variant) for key in READS[step]))
    if step == "train":  # whose files name the values with all that is overridden
        entry, training = recipe_of(study, variant, tuned)
        found = {"training": training.model_dump(mode="json"), f"variants.{variant}": entry.model_dump(mode="json")}
    found.pop("study", None)  # the comparison has its name, variants and seeds under keys of their own
    return found


def settings_of_store(dataset: Dataset) -> dict[str, Any]:
    """The settings that decide a store, as it names them. The place of the files is not among them."""
    return {"dataset": dataset.model_dump(mode="json", exclude={"source"})}


def again(step: str, run: tuple[str, int] | None = None) -> str:
    """What to do if a file of a step cannot be used.

    Args:
        step: that made it.
        run: its variant and its seed; None if the step makes files for all runs, or if the run is not known.
    """
    if step in OF_RUN:
        step += " --variant {} --seed {}".format(*run or ("<variant>", "<seed>"))
    return f"run `python -m pipeline_steps.{step}` again"


# DVC restores what it has recorded, also if that was made with other settings, as after an edit that was undone in the wrong moment.
BY_DVC = " (if DVC has recorded it as it is, `snakemake --cores 4 all` makes it and the record anew)"


def require_settings(path: Path, made: Mapping[str, Any], wanted: Mapping[str, Any], remedy: str) -> None:
    """Refuse a file of other settings.

    Args:
        path: of the file.
        made: the settings that it names.
        wanted: those of now, as `settings_of` returns them.
        remedy: what to do, as `again` says it.

    Raises:
        UserError: names the settings that differ.
    """
    if other := differences(made, wanted):
        raise UserError(
            f"{path} was made with other settings than those of params.yaml: {'; '.join(other)}; {remedy}{BY_DVC}."
        )

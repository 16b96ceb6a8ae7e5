"""What a step reads, what its files name, and how a file of other settings is refused."""

from importlib import import_module
from pathlib import Path

import pytest

from tests import made_up
from vaeline.study.step_settings import READS, again, require_settings, settings_of
from vaeline.system.errors import UserError

PATH = Path("results/tiny/runs/one/seed-0")


@pytest.mark.parametrize("step", READS)
def test_every_step_declares_the_keys_that_its_files_name(step: str) -> None:
    assert import_module(f"pipeline_steps.{step}").main.callback.reads == READS[step]


@pytest.mark.parametrize("step", ["classifier", "reference", "train", "sample", "evaluate"])
def test_files_name_every_key_that_the_step_reads(step: str) -> None:
    found = settings_of(made_up.study(), step, "one")
    assert list(found) == [key.format(variant="one") for key in READS[step]]
    assert None not in [found[key] for key in found if key != "sampling.count"]


def test_a_store_does_not_name_where_its_source_lies() -> None:
    [(key, dataset)] = settings_of(made_up.study(), "preprocess").items()
    assert key == "dataset" and dataset["id"] == "dots" and "source" not in dataset


def test_a_report_names_all_but_the_study_which_it_has_under_other_keys() -> None:
    assert ["study", *settings_of(made_up.study(), "report")] == list(READS["report"])


def test_a_file_of_other_settings_is_refused_with_what_differs() -> None:
    study = made_up.study()
    made = settings_of(study, "train", "one")
    wanted, remedy = settings_of(study, "train", "one"), again("train", ("one", 0))
    require_settings(PATH, made, wanted, remedy)
    made["training"] = made["training"] | {"epochs": 7}
    with pytest.raises(UserError) as refused:
        require_settings(PATH, made, wanted, remedy)
    assert str(refused.value) == (
        f"{PATH} was made with other settings than those of params.yaml: training.epochs 7, now 2; run "
        "`python -m pipeline_steps.train --variant one --seed 0` again (if DVC has recorded it as it is, `snakemake --cores 4 all` makes it and the record anew)."
    )


def test_a_file_that_names_no_settings_is_refused() -> None:
    with pytest.raises(UserError, match=r"classifier.epochs absent, now .*; run `.*classifier` again"):
        require_settings(Path("a"), {}, settings_of(made_up.study(), "classifier"), again("classifier"))


def test_a_command_for_an_unknown_run_names_the_options_that_it_needs() -> None:
    assert again("sample") == "run `python -m pipeline_steps.sample --variant <variant> --seed <seed>` again"
    assert again("reference") == "run `python -m pipeline_steps.reference` again"

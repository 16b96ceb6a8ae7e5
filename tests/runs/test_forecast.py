"""What a study will cost, before and after it ran."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.made_up import facts, study
from vaeline.models.model import Model
from vaeline.runs import forecast
from vaeline.runs.folder import StudyFolder
from vaeline.study.schema import Study
from vaeline.system.files import write_json

FACTS = replace(facts(), counts={"train": 3_600, "validation": 10, "test": 20_000})


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study of two variants and three seeds, whose store is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(forecast, "state_folder", lambda: tmp_path / "checkpoints")
    monkeypatch.setattr(forecast, "read_facts_of", lambda study: FACTS)
    found = study(("one", "two"))
    store = Path(f"data/{found.dataset.id}.h5")
    store.parent.mkdir()
    store.write_bytes(bytes(1000))
    return found.model_copy(update={"study": found.study.model_copy(update={"seeds": [0, 1, 2]})})


def note(folder: Path, **seconds: float) -> None:
    times = {step: {"seconds": value, "host": "here", "peak_bytes": 1} for step, value in seconds.items()}
    write_json(folder / "timing.json", times)


def test_every_run_and_trial_is_a_job(asked: Study) -> None:
    tuned = asked.model_copy(update={"tuning": asked.tuning.model_copy(update={"trials": [0, 1, 2, 3]})})
    jobs = forecast.jobs(tuned)
    assert jobs["train"] == jobs["sample"] == jobs["evaluate"] == 6
    assert jobs["trial"] == 8 and jobs["design"] == jobs["choose"] == 2 and jobs["report"] == 1


def test_hours_follow_the_jobs_that_have_run(asked: Study) -> None:
    tuned = asked.model_copy(update={"tuning": asked.tuning.model_copy(update={"trials": [0, 1, 2, 3]})})
    folder = StudyFolder(asked.study.name)
    note(folder.run("one", 0), train=3600.0, sample=36.0)
    note(folder.run("one", 1), train=7200.0)
    note(folder.trial("two", 3), trial=360.0)
    found = forecast.forecast(tuned)
    assert found.measured == pytest.approx({"train": 6 * 1.5, "sample": 6 * 0.01, "trial": 8 * 0.1})
    assert not found.guessed and found.unknown == [
        "download",
        "preprocess",
        "classifier",
        "reference",
        "evaluate",
        "report",
    ]
    note(folder.run("two", 0), train=360.0)
    assert forecast.forecast(tuned).measured["train"] == pytest.approx(3 * 1.5 + 3 * 0.1)


def test_without_times_trainings_follow_a_rule_of_thumb(asked: Study) -> None:
    """Each variant has its own epochs, and a trial has those of the tuning."""
    longer = asked.variants["two"].model_copy(update={"training": {"epochs": 10}})
    tuning = asked.tuning.model_copy(update={"trials": [0, 1], "epochs": 5})
    tuned = asked.model_copy(update={"tuning": tuning, "variants": {**asked.variants, "two": longer}})
    epoch = 3_600 * 64 * 1e-6 / 3600
    found = forecast.forecast(tuned)
    assert found.guessed == pytest.approx({"train": 3 * (2 + 10) * epoch, "trial": 4 * 5 * epoch})
    assert not found.measured and "train" not in found.unknown


def test_disk_follows_the_settings_and_then_the_files(asked: Study, tmp_path: Path) -> None:
    found = forecast.forecast(asked).disk
    model = Model(asked.variants["one"], FACTS)
    weights = sum(tensor.nbytes for tensor in model.state_dict().values())
    assert found["store"] == 1000 and found["models"] == 6 * weights and found["checkpoints"] == 24 * weights
    assert 6 * 20_000 * 64 < found["samples"] < 8 * 20_000 * 64  # 10,000 of each kind
    folder = StudyFolder(asked.study.name).run("one", 0)
    folder.mkdir(parents=True)
    (folder / "samples.h5").write_bytes(bytes(77))
    kept = tmp_path / f"checkpoints/{asked.study.name}-one-seed-0-0123"
    kept.mkdir(parents=True)
    (kept / "epoch-00001").write_bytes(bytes(33))
    again = forecast.forecast(asked).disk
    assert again["samples"] == found["samples"] // 6 * 5 + 77 and again["checkpoints"] == 20 * weights + 33


def test_before_the_images_are_there_hours_and_disk_are_unknown(asked: Study) -> None:
    Path(f"data/{asked.dataset.id}.h5").unlink()
    found = forecast.forecast(asked)
    assert not found.disk and not found.measured and not found.guessed and "train" in found.unknown

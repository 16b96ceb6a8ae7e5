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
    monkeypatch.setattr(forecast, "read_facts", lambda path: FACTS)
    found = study(("one", "two"))
    store = Path(f"data/{found.dataset.id}.h5")
    store.parent.mkdir()
    store.write_bytes(bytes(1000))
    return found.model_copy(update={"study": found.study.model_copy(update={"seeds": [0, 1, 2]})})


def note(of: Study, variant: str, seed: int, **seconds: float) -> None:
    times = {step: {"seconds": value, "host": "here", "peak_bytes": 1} for step, value in seconds.items()}
    write_json(StudyFolder(of.study.name).run(variant, seed) / "timing.json", times)


def test_every_run_and_trial_is_a_job(asked: Study) -> None:
    tuned = asked.model_copy(update={"tuning": asked.tuning.model_copy(update={"trials": [0, 1, 2, 3]})})
    jobs = forecast.jobs(tuned)
    assert jobs["train"] == jobs["sample"] == jobs["evaluate"] == 6
    assert jobs["trial"] == 8 and jobs["design"] == jobs["choose"] == 2 and jobs["report"] == 1


def test_hours_follow_the_runs_that_exist(asked: Study) -> None:
    note(asked, "one", 0, train=3600.0, sample=36.0)
    note(asked, "one", 1, train=7200.0)
    found = forecast.forecast(asked)
    assert found.timed == 2
    assert found.hours == {"train": pytest.approx(6 * 1.5), "sample": pytest.approx(6 * 0.01)}
    note(asked, "two", 0, train=360.0)
    assert forecast.forecast(asked).hours["train"] == pytest.approx(3 * 1.5 + 3 * 0.1)


def test_without_runs_hours_follow_a_rule_of_thumb(asked: Study) -> None:
    found = forecast.forecast(asked)
    values = 3_600 * 64 * asked.training.epochs * 6
    assert found.timed == 0 and found.hours == {"train": pytest.approx(values * 1e-6 / 3600)}


def test_disk_follows_the_settings_and_then_the_files(asked: Study, tmp_path: Path) -> None:
    found = forecast.forecast(asked).disk
    model = Model(asked.variants["one"], FACTS)
    weights = sum(tensor.nbytes for tensor in model.state_dict().values())
    assert found["store"] == 1000 and found["models"] == 6 * weights and found["checkpoints"] == 24 * weights
    assert 6 * 20_000 * 64 < found["samples"] < 8 * 20_000 * 64  # 10,000 of each kind
    folder = StudyFolder(asked.study.name).run("one", 0)
    folder.mkdir(parents=True)
    (folder / "samples.h5").write_bytes(bytes(77))
    again = forecast.forecast(asked).disk
    assert again["samples"] == found["samples"] // 6 * 5 + 77


def test_before_the_images_are_there_the_disk_is_unknown(asked: Study) -> None:
    Path(f"data/{asked.dataset.id}.h5").unlink()
    found = forecast.forecast(asked)
    assert not found.disk and not found.hours

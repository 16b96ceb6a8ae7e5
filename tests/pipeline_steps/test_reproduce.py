"""`vaeline reproduce`: planted faults make a row of seconds fail; calls go on where others stopped; mistakes are sentences."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA

from pipeline_steps import download, measure, preprocess, reproduce, reproducing
from pipeline_steps.kept_of_run import kept_of_run
from pipeline_steps.reproducing import Budget, OutOfTime, Task
from pipeline_steps.running import RUNNING
from vaeline.data import store
from vaeline.data.batches import Batches
from vaeline.data.paths import DataFiles
from vaeline.evaluation import published_value
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.published_value import (
    MEASURES,
    OPTIMA,
    SATURATED,
    Manner,
    Run,
    Value,
    known_optimum,
    measured_value,
)
from vaeline.evaluation.record import Record
from vaeline.models.contracts import Elbo, Terms, TrainingBatch
from vaeline.models.model import Model
from vaeline.models.regularizers import kl
from vaeline.report import reproduced
from vaeline.report.equivalence import Verdict
from vaeline.report.reproduced import Reproduced, RowValues
from vaeline.runs.folder import RunKey
from vaeline.study import ready_studies
from vaeline.study.published_rows import FULL, Metric, read_rows
from vaeline.study.recipe import recipe_of
from vaeline.system.errors import UserError
from vaeline.training import job
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.loop import train
from vaeline.training.stages import fabric_of

ROOT = Path(__file__).parents[2]
LINEAR = ("linear_nll", "linear_nll_train", "linear_bound", "linear_rate")
CPU = torch.device("cpu")
TRAINING = "checkpoints/pythae_vae-vae-seed-0-0123456789abcdef"  # inside the project
OF = {"data": {"train": "a", "test": "b"}}  # what a measurement says it is of
WEIGHTS = count()


def of_own_weights() -> dict[str, Any]:
    return {**OF, "weights_sha256": str(next(WEIGHTS))}


def task(name: str, fraction: float = FULL) -> Task:
    """A row of the repository, in any folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        rows = read_rows()
        row = rows.rows[name]
        found = Task(name, row, rows.settings[row.setting], fraction, source=".")
        assert found.study and found.published
    return found


def judged(of: Task, *published: dict[str, Any]) -> tuple[Reproduced, Verdict]:
    """The numbers of values that were measured as published, and their verdict."""
    epochs = of.study.training.epochs
    values = RowValues(
        row=of.name, key="key", epochs=epochs, values={"published": [*published]}, commit="", hardware=[]
    )
    found = reproduced.numbers(of.row, of.published, values)
    return found, reproduced.verdict(of.row, found)


# The row of seconds: a linear VAE, whose optimum is known.


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with the points of the linear rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("linear"))
        Path("params.yaml").write_text(ready_studies.as_yaml(task("linear_nll").study))
        for step in (download, preprocess):
            assert CliRunner().invoke(step.main).exit_code == 0
        yield Path.cwd()


def trained(folder: Path) -> Model:
    study = task("linear_nll").study
    path = folder / DataFiles(study.dataset.id).store
    prepared = job.prepare(recipe_of(study, "vae"), store.read_facts(path), path, 0, CPU)
    train(prepared, Checkpoints("linear", {"try": time.monotonic()}), fabric_of(prepared), lambda row: None)
    return prepared.model.eval()


def outcomes(model: Model, folder: Path, test: str = "test") -> dict[str, str]:
    """What the linear rows say of a model; `test` is the split that is read as the one for test."""
    found = {}
    for name in LINEAR:
        of = task(name)
        path, how = folder / DataFiles(of.study.dataset.id).store, of.row.how
        splits = {
            each: Batches(store.read_split(path, read, 2**20), store.read_facts(path), 100)
            for each, read in (("train", "train"), ("test", test))
        }
        manner = Manner(of.row.metric, how.split, how.method, how.samples)
        run = Run(model, splits, of.study.evaluation, Kept(), 0)
        value, known = measured_value(run, manner), known_optimum(run, manner)
        apart = {"known": float(known.mean()), "apart": asdict(value.minus(known))}
        found[name] = judged(of, {"of": of_own_weights(), **asdict(value), **apart})[1].outcome
    return found


def test_a_sound_training_passes_and_a_bound_of_half_the_rate_fails(
    points: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = trained(points)
    assert outcomes(model, points) == dict.fromkeys(LINEAR, "pass")
    swapped = outcomes(model, points, test="train")  # then the closed form is of these points too
    assert swapped == dict.fromkeys(LINEAR, "fail") | {"linear_nll_train": "pass"}
    sound = model.elbo

    def halved(x: torch.Tensor, labels: torch.Tensor) -> Elbo:
        found = sound(x, labels)
        return replace(found, rate=found.rate / 2)

    monkeypatch.setattr(model, "elbo", halved)
    found = outcomes(model, points)
    assert found["linear_bound"] == found["linear_rate"] == "fail" and found["linear_nll"] == "pass"


def test_a_training_with_half_the_kl_fails(points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = kl.WeightedRate.__call__

    def halved(self: kl.WeightedRate, batch: TrainingBatch) -> Terms:
        return Terms({"kl": sound(self, batch).minimised["kl"] / 2})

    monkeypatch.setattr(kl.WeightedRate, "__call__", halved)
    found = outcomes(trained(points), points)
    assert found["linear_bound"] == found["linear_rate"] == "fail"


def test_a_training_on_the_test_split_fails(points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = job.read_split
    monkeypatch.setattr(
        job, "read_split", lambda path, split, most: read(path, "test" if split == "train" else split, most)
    )
    found = outcomes(trained(points), points)
    assert found["linear_nll"] == found["linear_nll_train"] == "fail"


def test_what_is_known_is_the_probabilistic_pca_of_scikit_learn(points: Path) -> None:
    """So that no fault of how points are drawn, split, stored or read moves the closed form unnoticed."""
    path = points / DataFiles("linear_gaussian").store
    drawn = {each: np.asarray(store.read_split(path, each, 2**20).images, np.float64) for each in ("train", "test")}
    unbiased = len(drawn["train"]) / (len(drawn["train"]) - 1)  # scikit-learn divides by n - 1
    pca = PCA(4).fit(drawn["train"])
    best = multivariate_normal(pca.mean_, pca.get_covariance() / unbiased)
    for name, split in (("linear_nll", "test"), ("linear_nll_train", "train"), ("linear_bound", "test")):
        assert task(name).row.known == pytest.approx(-best.logpdf(drawn[split]).mean(), abs=reproduced.AGREE / 2)
    variance = pca.noise_variance_ / unbiased
    kept = 1 - variance / (pca.explained_variance_ / unbiased)  # of each latent's variance, by its image
    rates = 0.5 * (
        pca.transform(drawn["test"]) ** 2 * kept / (pca.explained_variance_ / unbiased) - kept - np.log1p(-kept)
    )
    assert task("linear_rate").row.known == pytest.approx(rates.sum(1).mean(), abs=reproduced.AGREE / 2)


def test_what_is_known_of_other_images_is_not_subtracted(points: Path) -> None:
    value = Value(1.0, None, [1.0, 2.0], images=2)
    assert value.minus(torch.ones(2)).value == 0.0
    with pytest.raises(UserError, match="The value is of 2 images and what is known of 3, so that"):
        value.minus(torch.ones(3))


# The command.


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "studies", "studies")
    return tmp_path


def said(*words: str) -> Result:
    return CliRunner().invoke(reproduce.main, words)


def measured(value: float, of: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "of": of or of_own_weights(), "value": value, "standard_error": 0.1, "parts": [], "images": 100, "upper_bound": "never checked", "saturated": ""
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["linear_nl"], "There is no row 'linear_nl' in studies/published.yaml; did you mean linear_nll"),
        ([""], "There is no row '' in studies/published.yaml; there are: linear_nll,"),
        (["linear_nll", "--minutes", "0"], "--minutes is 0.0, but should be a finite number above 0"),
        (["linear_nll", "--minutes", "inf"], "--minutes is inf, but should be a finite number above 0"),
        (["linear_nll", "--fraction", "nan"], "--fraction is nan, but should be above 0"),
        (["linear_nll", "--fraction", "2"], "--fraction is 2.0, but should be above 0 and at most 1"),
        (["vae", "--source", "nowhere"], "There is no folder 'nowhere'; SOURCE must be a folder"),
        (["vae", "--source", ""], "There is no folder ''; SOURCE must be a folder"),
        (["vae", "--source", "~nobody/x"], "There is no folder '~nobody/x'; SOURCE must be a folder"),
        (["vae"], "Row vae needs the files of mnist, and there is no folder"),
        (["vae", "--source", "studies", "--fraction", "1"], "vae would take about 1 h of CPU time; give MINUTES="),
    ],
)
def test_a_mistake_is_one_sentence(words: list[str], sentence: str, project: Path) -> None:
    result = said(*words)
    assert result.exit_code == 1
    [line] = [line for line in result.output.splitlines() if line.startswith("Error:")]
    assert sentence in line


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"# A page\n", "docs/reproduce.md has no block of rows; write `<!-- rows: reproduced -->`"),
        (b"\xff", "docs/reproduce.md is not UTF-8"),
    ],
)
def test_a_page_that_could_not_show_the_rows_is_refused_before(content: bytes, why: str, project: Path) -> None:
    Path("docs").mkdir()
    reproduce.PAGE.write_bytes(content)
    result = said("linear_nll", "--keep")
    assert result.exit_code == 1 and why in result.output and result.output.count("\n") == 1


def test_it_is_refused_beside_an_engine(project: Path) -> None:
    RUNNING.parent.mkdir(parents=True)
    with RUNNING.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        result = said("linear_nll")
    assert result.exit_code == 1 and "A run of Snakemake is going on" in result.output


def test_a_finished_row_is_printed_again_until_its_code_changes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def measure(of: Task, budget: Budget) -> dict[str, list[dict[str, Any]]]:
        calls.append(of.name)
        return {"published": [measured(90.0)], "around_modes": [measured(88.0)]}

    monkeypatch.setattr(reproduce, "measure", measure)
    monkeypatch.setattr(Task, "key_now", lambda of: "one")
    timing = reproducing.PROJECT / "results/pythae_vae/runs/vae/seed-0/timing.json"
    timing.parent.mkdir(parents=True)
    timing.write_text('{"train": {"seconds": 1.0, "host": "a", "hardware": "a processor"}}')
    for _ in range(2):
        result = said("vae", "--source", ".", "--fraction", "1", "--minutes", "1")
        assert "pass: ours - published is +0.22 ± 0.17 over images, of one training: within 1" in result.output, (
            result.output
        )
        assert "≤ 88.00" in result.output
    assert calls == ["vae"] and reproduced.read("vae").hardware == ["a processor"]
    monkeypatch.setattr(Task, "key_now", lambda of: f"two {of.fraction}")
    assert said("vae", "--source", ".", "--fraction", "1", "--minutes", "1").exit_code == 0 and len(calls) == 2
    shorter = said("vae", "--source", ".", "--minutes", "1")
    assert "not comparable: trained for 10 of 500 epochs" in shorter.output and len(calls) == 3


def test_a_row_that_does_not_hold_ends_with_exit_code_1(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Task, "key_now", lambda of: f"{of.fraction}")
    for value, code in ((95.0, 1), (90.78, 0)):  # the latter is undecided, and no theorem gives it
        monkeypatch.setattr(reproduce, "measure", lambda of, budget, value=value: {"published": [measured(value)]})
        reproduced.path_of("vae").unlink(missing_ok=True)
        result = said("vae", "--source", ".", "--fraction", "1", "--minutes", "1")
        assert result.exit_code == code and ("Error: Not reproduced: vae, as said above" in result.output) == bool(code)
    known = task("linear_nll")
    apart = measured(17.6) | {"known": 17.5434, "apart": {"value": 0.09, "parts": [0.08, 0.1], "standard_error": None}}
    undecided, verdict = judged(known, apart)
    assert verdict.outcome == "undecided"
    with pytest.raises(UserError, match="Not reproduced: linear_nll"):
        reproduce._refuse_failed([(known.row, undecided)])


def test_without_names_a_row_is_skipped_for_missing_files_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project / "studies/published.yaml"
    text = path.read_text()
    monkeypatch.setattr(reproduce, "_refuse_long", lambda tasks, minutes: None)
    asked: list[str] = []
    monkeypatch.setattr(reproduce, "_reproduce", lambda tasks, budget: asked.extend(task.name for task in tasks))
    monkeypatch.setattr(Task, "key_now", lambda of: "one")
    result = said()
    assert result.exit_code == 0 and "Row vae needs the files of mnist" in result.output, result.output
    assert "linear_nll" in asked and "vae" not in asked
    path.write_text(
        text.replace("overrides:\n      training: {epochs: 2000,", "overrides:\n      training: {epoch: 2000,")
    )
    result = said()
    assert result.exit_code == 1 and "training.epoch is not a known key" in result.output, result.output


def test_a_damaged_result_is_refused(project: Path) -> None:
    reproduced.FOLDER.mkdir(parents=True)
    reproduced.path_of("linear_nll").write_text('{"row": "linear_nll", "outcome": "pass"}')
    result = said("linear_nll")
    assert result.exit_code == 1 and "it has no checksum" in result.output and "remove it, and run" in result.output


# A result is reported as long as all that decides it is as it was.


def keyed(source: Path) -> str:
    """The key of the row `vae` with its data in a folder."""
    rows = read_rows()
    return Task("vae", rows.rows["vae"], rows.settings["pythae_vae"], FULL, str(source)).key_now()


def test_the_key_is_of_the_content_of_the_source_and_of_all_code(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(reproducing, "digest", lambda modules: asked.extend(modules) or "code")
    for folder, content in (("one", "a"), ("same", "a"), ("other", "b")):
        Path(folder).mkdir()
        Path(folder, "images").write_text(content)
    one, same, other = (keyed(project / folder) for folder in ("one", "same", "other"))
    assert one == same != other
    steps = {f"pipeline_steps.{step}" for step in ("download", "preprocess", "train", "measure")}
    assert not {"pipeline_steps.reproduce", "vaeline.report.reproduced"} & {*asked}
    assert steps | {"vaeline.data.sets.mnist", "vaeline.models.posteriors.gaussian"} <= {*asked}
    monkeypatch.setattr(reproducing, "digest", lambda modules: "edited")
    assert keyed(project / "one") != one


def test_a_corrected_word_or_margin_is_judged_anew_and_measured_never(project: Path) -> None:
    source, path = project / "images", project / "studies/published.yaml"
    source.mkdir()
    before = keyed(source)
    text = path.read_text()
    path.write_text(
        text.replace("margin: 1.0", "margin: 2.0")
        .replace("notes: another draw", "notes: other draws")
        .replace("89.78\n", "89.77\n")
    )
    assert keyed(source) == before and read_rows().rows["vae"].margin == 2.0
    path.write_text(text.replace("how: {method: posterior, samples: 200}", "how: {method: posterior, samples: 300}"))
    assert keyed(source) != before


def test_a_result_of_other_images_than_those_of_the_store_is_not_reported(
    points: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Task, "key_now", lambda of: "key")
    of, path = task("linear_nll"), DataFiles("linear_gaussian").store
    checksums = store.read_facts(points / path).checksums
    of_store, of_others = (
        RowValues(
            row=of.name,
            key="key",
            epochs=250,
            values={"published": [measured(1.0, {"data": each})]},
            commit="",
            hardware=[],
        )
        for each in (checksums, {**checksums, "test": "other"})
    )
    assert of.is_of(of_store) and of.is_of(of_others)  # without a store, the key decides
    (reproducing.PROJECT / path).parent.mkdir(parents=True)
    shutil.copy(points / path, reproducing.PROJECT / path)
    assert of.is_of(of_store) and not of.is_of(of_others)
    (reproducing.PROJECT / path).write_bytes(b"damaged")
    assert not of.is_of(of_store)


def test_what_changes_during_a_row_spoils_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter(["before", "after"])
    monkeypatch.setattr(Task, "key_now", lambda of: next(keys))
    monkeypatch.setattr(reproduce, "measure", lambda of, budget: {"published": [measured(90.0)]})
    result = said("vae", "--source", ".", "--fraction", "1", "--minutes", "1")
    assert "The code or the data of row vae changed while it was measured; run again." in result.output
    assert not reproduced.path_of("vae").exists()


def test_several_seeds_decide_with_their_spread(project: Path) -> None:
    narrow, wide = ([measured(90.0 + far * step) for step in (-1, 0, 1)] for far in (0.1, 1.0))
    found = [judged(task("vae"), *each) for each in (narrow, wide)]
    assert [said.outcome for _, said in found] == ["pass", "undecided"] and found[0][0].over == ["seeds"]
    assert found[0][0].half_width == pytest.approx(2.92 * 0.1 / 3**0.5, rel=1e-2)  # Student's t of two degrees


def test_seeds_that_measured_other_images_have_no_mean() -> None:
    with pytest.raises(reproducing.UserError, match="images of the row vae changed"):
        judged(task("vae"), measured(90.0), measured(90.0, {"data": {"test": "other"}, "weights_sha256": "other"}))


def test_seeds_with_the_same_weights_are_one_training() -> None:
    one, other = (measured(90.0 + digit, {**OF, "weights_sha256": str(digit)}) for digit in (0.0, 0.1))
    assert judged(task("vae"), one, other)[1].outcome == "pass"
    with pytest.raises(UserError, match="Two seeds of the row vae ended in the same weights"):
        judged(task("vae"), one, other, one)


def test_what_differs_in_its_definition_is_not_compared(project: Path) -> None:
    of = task("planar_10")
    assert judged(of, measured(87.5))[1] == ("not comparable", of.row.differs)


def test_a_saturated_gap_is_not_compared(project: Path) -> None:
    of = task("beta_tcvae_dsprites")
    assert of.manners() == [("published", ["--metric", "mig"])]
    saturated = measured(0.5) | {"saturated": SATURATED}
    assert judged(of, measured(0.5), saturated, measured(0.5))[1] == ("not comparable", SATURATED)


def test_the_value_of_a_record_says_that_it_is_saturated(monkeypatch: pytest.MonkeyPatch) -> None:
    for saturated, why in ((True, SATURATED), (False, "")):
        record = Record({"mig": {"value": 0.5, "images": 9, "saturated": saturated}})
        monkeypatch.setattr(published_value, "measure_representation", lambda *of, record=record: record)
        settings = task("beta_tcvae_dsprites").study.evaluation
        splits: Any = {"train": None, "test": None}
        found = measured_value(Run(cast(Model, None), splits, settings, Kept(), 0), Manner("mig"))
        assert found.saturated == why and Manner("mig", samples=9).decides == {"metric": "mig"}


@pytest.mark.parametrize(
    "wrong", [("--metric", "distortion"), ("--split", "validation"), ("--method", "laplac")], ids=lambda words: words[1]
)
def test_the_step_measures_nothing_under_an_unknown_name(wrong: tuple[str, str]) -> None:
    words = {"--variant": "vae", "--seed": "0", "--metric": "nll", "--out": "out.json", wrong[0]: wrong[1]}
    result = CliRunner().invoke(measure.main, [word for pair in words.items() for word in pair])
    assert result.exit_code == 2 and f"'{wrong[1]}' is not one of" in result.output, result.output


def test_every_published_metric_is_measured_by_its_own_function() -> None:
    assert [*MEASURES] == [*get_args(Metric)] and len({*MEASURES.values()}) == len(MEASURES)
    assert {*OPTIMA} == {*MEASURES} - {"mig"}
    with pytest.raises(UserError, match="No theorem gives the optimum of mig; it is known of nll, negative_elbo, rate"):
        known_optimum(cast(Run, None), Manner("mig"))


def test_a_kept_measurement_is_of_its_device_version_and_manner(points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, facts = task("linear_nll").study, store.read_facts(points / DataFiles("linear_gaussian").store)
    one = kept_of_run(study, RunKey("vae", 0), "weights", facts, CPU, manner={"metric": "nll"})
    other = kept_of_run(study, RunKey("vae", 0), "weights", facts, CPU, manner={"metric": "rate"})
    on_gpu = kept_of_run(study, RunKey("vae", 0), "weights", facts, torch.device("cuda"), manner={"metric": "nll"})
    monkeypatch.setattr(torch, "__version__", "newer")
    newer = kept_of_run(study, RunKey("vae", 0), "weights", facts, CPU, manner={"metric": "nll"})
    assert one.folder == newer.folder == on_gpu.folder != other.folder
    assert all(each.decides != one.decides for each in (other, on_gpu, newer))


# Its steps.


class UntilStarted(Budget):
    """Time that is up once a step has written a file."""

    def __init__(self, file: Path) -> None:
        self.file, self.asked = file, False

    @property
    def left(self) -> float:
        while self.asked and not self.file.exists():
            time.sleep(0.01)
        self.asked = True
        return 0.01


def test_a_step_ends_with_the_time_and_says_what_is_left(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeps = project / "python"
    sleeps.write_text("#!/bin/sh\ntrap '' INT\necho $$ >new\nmv new process\nexec sleep 600\n")
    sleeps.chmod(0o755)
    monkeypatch.setattr(reproducing.sys, "executable", str(sleeps))
    checkpoint = reproducing.PROJECT / TRAINING / "epoch-00007.last"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    started = reproducing.PROJECT / "process"
    with pytest.raises(OutOfTime, match="row vae, step design"):
        reproducing._run(["design"], task("vae"), Budget(1e-9), "row vae, step design")
    assert not started.exists()
    words = ["train", "--variant", "vae", "--seed", "0"]
    with pytest.raises(OutOfTime, match="row vae, vae seed 0, after epoch 7 of 500") as stopped:
        reproducing._run(words, task("vae"), UntilStarted(started), "row vae, vae seed 0")
    assert "less than an epoch takes, and only whole epochs are kept; give more MINUTES." in stopped.value.advice
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


def test_a_training_has_ended_when_its_last_epoch_is_looked_up(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaces = project / "python"  # its checkpoint when it is asked to end
    replaces.write_text(
        f"#!/bin/sh\ntrap 'mv {TRAINING}/epoch-00007.last {TRAINING}/epoch-00008.last; exit 0' TERM\n"
        "touch process\nwhile :; do sleep 0.05; done\n"
    )
    replaces.chmod(0o755)
    monkeypatch.setattr(reproducing.sys, "executable", str(replaces))
    (reproducing.PROJECT / TRAINING).mkdir(parents=True)
    (reproducing.PROJECT / TRAINING / "epoch-00007.last").touch()
    words, started = ["train", "--variant", "vae", "--seed", "0"], reproducing.PROJECT / "process"
    with pytest.raises(OutOfTime, match="row vae, vae seed 0, after epoch 8 of 500") as stopped:
        reproducing._run(words, task("vae"), UntilStarted(started), "row vae, vae seed 0")
    assert stopped.value.advice == "The same command goes on from there."


def test_a_step_that_fails_stops_the_row(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproducing.sys, "executable", "/bin/false")
    reproducing.PROJECT.mkdir(parents=True)
    with pytest.raises(reproducing.UserError, match="The step download of row vae failed"):
        reproducing._run(["download"], task("vae"), Budget(None), "row vae")


def test_a_step_that_is_killed_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = project / "python"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    monkeypatch.setattr(reproducing.sys, "executable", str(killed))
    reproducing.PROJECT.mkdir(parents=True)
    with pytest.raises(UserError, match="The step train of row vae was ended by signal 9; free memory"):
        reproducing._run(["train", "--seed", "0"], task("vae"), Budget(None), "row vae")


def test_the_time_that_is_up_leaves_a_sentence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(of: Task, budget: Budget) -> dict[str, list[dict[str, Any]]]:
        raise OutOfTime("row linear_nll, vae seed 0, after epoch 3 of 250")

    monkeypatch.setattr(reproduce, "measure", measure)
    monkeypatch.setattr(Task, "key_now", lambda of: "one")
    result = said("linear_nll", "linear_rate", "--minutes", "1")
    assert "Left: row linear_nll, vae seed 0, after epoch 3 of 250; then linear_rate." in result.output

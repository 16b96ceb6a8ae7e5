"""Made-up runs: the files of all steps before the report, without any training."""

from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from vaeline.data import splits, store
from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.data.store import Split
from vaeline.evaluation.record import Record
from vaeline.evaluation.skill import LabelSkill, Skill
from vaeline.report import compare
from vaeline.report.findings import Findings
from vaeline.report.results import Results
from vaeline.runs import samples_file, tuning
from vaeline.runs.description import write_description
from vaeline.runs.evaluation_file import MeasuredOn, write_evaluation
from vaeline.runs.folder import RunKey
from vaeline.runs.identity import description_of
from vaeline.runs.pictures import grid
from vaeline.runs.samples_file import DrawnFrom
from vaeline.study import reading
from vaeline.study.schema import Study
from vaeline.study.step_settings import settings_of, settings_of_store
from vaeline.system.files import sha256, write_json, write_text
from vaeline.system.hdf5_files import created
from vaeline.system.sealed_files import write_sealed
from vaeline.system.tensor_files import write_tensors

OF_RUN = {
    "study": "tiny",
    "name": "one",
    "seed": 0,
    "training": {},
    "training_csv_sha256": "",
}  # what variant.yaml says beside the model
VARIANT: dict[str, Any] = {
    "network": {"name": "mlp"},
    "latent": 2,
    "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"},
    "likelihood": {"name": "unit_gaussian"},
    "regularizer": {"name": "kl"},
}


def study_content(
    variants: tuple[str, ...] = ("one", "two"), seeds: tuple[int, ...] = (0, 1, 2), question: str = "", **more: object
) -> dict[str, Any]:
    """The content of a params.yaml; `more` are keys of its section `study`."""
    return {
        "study": {"name": "tiny", "question": question, "variants": list(variants), "seeds": list(seeds), **more},
        "dataset": {"id": "dots", "name": "digits", "size": 8},
        "training": {"epochs": 2, "learning_rate": 0.01},
        "sampling": {"grid": 4},
        "evaluation": {"features": {"name": "classifier"}},
        "variants": dict.fromkeys(variants, VARIANT),
    }


def study(*arguments: Any, **options: Any) -> Study:
    """A checked study."""
    return reading.check(study_content(*arguments, **options), Path("params.yaml"))


def write_store(path: Path, of: Study | None = None) -> Facts:
    """Write the store of the runs, with four images in each split, as made with the settings of a study."""
    part = Split(np.zeros((4, 1, 8, 8), np.uint8), np.arange(4)[:, None] % 2, ["a", "b", "c", "d"])
    settings = {"settings": settings_of_store((of or study()).dataset)}
    facts = Facts("dots", (1, 8, 8), 17, (-1.0, 1.0), ["digit"], [["0", "1"]], preprocessing=settings)
    return store.write(path, facts, dict.fromkeys(splits.SPLITS, part))


@cache
def facts() -> Facts:
    """The facts about the images of the runs."""
    with TemporaryDirectory() as folder:
        return write_store(Path(folder) / "dots.h5")


def write_run(
    folder: Path,
    metrics: dict[str, float],
    evaluation: dict[str, dict[str, Any]] | None = None,
    epochs: int = 3,
    of: Study | None = None,
    without: tuple[str, ...] = (),
) -> None:
    """Write a finished run of the study `of`; `evaluation` adds to definitions that name their metric.

    The run draws no dataset that is named by `without`.
    """
    folder.mkdir(parents=True)
    variant, seed = folder.parent.name, int(folder.name.removeprefix("seed-"))
    of = of or study((variant,))
    write_json(folder / "metrics.json", metrics)
    given = evaluation or {}
    defined = {
        name: {"definition": f"How {name} is made.", "split": "test", "images": 4, **given.get(name, {})}
        for name in metrics
    }
    defined = {name: {"value": metrics[name], **how} for name, how in defined.items()}
    lines = ["epoch,objective,distortion,rate,sigma,validation_distortion,validation_rate,validation_negative_elbo"]
    lines += [
        f"{epoch},{9 / epoch},{8 / epoch},1,0.5," + (f"{8 / epoch},1,{9 / epoch}" if epoch != 2 else ",,")
        for epoch in range(1, epochs + 1)
    ]
    (folder / "training.csv").write_text("\n".join(lines) + "\n")
    picture = grid(np.arange(4 * 64, dtype=np.uint8).reshape(4, 1, 8, 8))
    pictures = dict.fromkeys(("reconstructions.png", "samples.png"), picture)
    for name, content in pictures.items():
        (folder / name).write_bytes(content)
    (folder / "model.safetensors").write_text(f"weights of {variant} {seed}")
    of_model = {
        "variant": of.variants[variant].model_dump(mode="json"),
        "facts": asdict(facts()),
        "weights_sha256": sha256(folder / "model.safetensors"),
    }
    write_description(folder, {**of_model, **identity(of, variant, seed, folder)})
    made = description_of(folder, RunKey(variant, seed))
    with created(folder / "samples.h5") as file:
        file["reconstructions"] = file["samples"] = np.zeros((4, 1, 8, 8), np.uint8)
        file["test_index"] = np.array([3, 1, 0, 2])
        file["labels"] = np.arange(4)[:, None] % 2
        for index, name in enumerate(("codes", "prior", "posterior", "low_posterior_codes")):
            file[name] = np.random.default_rng(index).standard_normal((4, 2)).astype(np.float32)
        file["posterior_log_p"] = np.arange(4, dtype=np.float32)
        file["traversals"] = np.zeros((2, 9, 1, 8, 8), np.uint8)
        file["reconstruction_errors"] = np.array([0.1, 0.4, 0.3, 0.2], np.float32)
        file["low_posterior_labels"] = np.zeros((4, 1), np.int64)
        file["low_posterior"] = file["high_posterior"] = np.zeros((4, 1, 8, 8), np.uint8)
        file["switched"] = np.arange(4 * 64, dtype=np.uint8).reshape(2, 2, 1, 8, 8) % 17
        file["switched_labels"] = np.array([[[0], [1]], [[0], [1]]])
        file["interpolations"] = np.zeros((2, 9, 1, 8, 8), np.uint8)
        for name in without:
            del file[name]
        samples_file.finish(file, DrawnFrom.of_run(made, settings_of(of, "sample", variant), pictures))
    measured = MeasuredOn(
        variant=variant,
        seed=seed,
        weights_sha256=made.weights_sha256,
        samples_sha256=sha256(folder / "samples.h5"),
        data=made.facts.checksums,
    )
    write_evaluation(folder, measured, settings_of(of, "evaluate", variant), given | defined)


def identity(of: Study, variant: str, seed: int, folder: Path) -> dict[str, Any]:
    """What variant.yaml says of a run beside its model: with a training.csv, which is written if it is missing."""
    curves = folder / "training.csv"
    if not curves.exists():
        write_text(curves, "epoch\n1\n")
    training = of.training.model_dump(mode="json")
    return {
        "study": of.study.name, "name": variant, "seed": seed, "training": training, "training_csv_sha256": sha256(curves),
    }  # fmt: skip


def references(values: dict[str, float], spreads: dict[str, float] | None = None) -> Record:
    """The numbers of a data set that give metrics their scale, some of them means over subsets with a spread."""
    record, spreads = Record(), spreads or {}
    for name, value in values.items():
        of_subsets = {"subsets": 30, "spread": spreads[name]} if name in spreads else {}
        record.put(name, value, split="test", images=4, **of_subsets)
    return record


def write_numbers(of: Study, record: Record, **changes: Any) -> None:
    """Write the numbers of a reference, without its statistics, into the current folder."""
    content = {
        "data": {}, "drawn": 4, "judges": {"0": ""}, "prefixes": {"0": "fd"}, "settings": settings_of(of, "reference"),
        "spaces": {"0": {"features": "", "weights": ""}}, "statistics_sha256": "", "metrics": record.evaluation,
    }  # fmt: skip
    path = DataFiles(of.dataset.id).metrics(of.evaluation.features.name)
    write_sealed(path, {**content, **changes})


def write_manifest_and_classifier(of: Study) -> None:
    """Write the manifest of a study's data set, and a classifier without weights, into the current folder."""
    files, source = DataFiles(of.dataset.id), {"dataset": of.dataset.name, "source": of.dataset.source}
    write_sealed(files.manifest, {"id": of.dataset.id, **source})
    write_tensors(files.classifier, {}, {"settings": settings_of(of, "classifier")})


def write_choices(study: Study) -> None:
    """Write the files of a tuning without trials of each variant."""
    for variant in study.study.variants:
        tuning.write_design(study, variant)
        tuning.write_choice(study, variant)


def write_runs(folder: Path, values: dict[str, list[float]], metric: str = "nll") -> None:
    """Write a run for each variant and seed (0, 1, ...) with one metric."""
    for variant, by_seed in values.items():
        for seed, value in enumerate(by_seed):
            write_run(folder / variant / f"seed-{seed}", {metric: value})


def findings_of(found: Results) -> Findings:
    """The findings of runs, without real test images."""
    return Findings(found, compare.compare(found))


def learned(*labels: str) -> Skill:
    """What a classifier can tell apart that was shown to tell these labels."""
    return Skill(100, dict.fromkeys(labels, LabelSkill(0.9, 0.5, 0.0005)))


def described(folder: Path) -> None:
    """Write runs of one, two and three, of which `one` has collapsed and the best low-posterior samples, which rank nothing."""
    for seed in range(3):
        for place, variant in enumerate(("one", "two", "three")):
            why = {"descriptive": "the posterior has collapsed"} if variant == "one" else {}
            value = 1.0 + 5 * place + seed * (1 + place / 10)
            write_run(folder / variant / f"seed-{seed}", {"fd_low_posterior": value}, {"fd_low_posterior": why})

"""Made-up runs: the files of all steps before the report, without any training."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

from vaeline.data.paths import DataFiles
from vaeline.evaluation import shared_files
from vaeline.evaluation.record import Record
from vaeline.report import compare
from vaeline.report.findings import Findings
from vaeline.report.results import Results
from vaeline.runs.pictures import grid
from vaeline.study import reading
from vaeline.study.schema import Study
from vaeline.system.files import write_json
from vaeline.system.sealed_files import write_sealed

VARIANT: dict[str, Any] = {
    "network": {"name": "mlp"},
    "latent": 2,
    "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"},
    "likelihood": {"name": "unit_gaussian"},
    "regularizer": {"name": "kl"},
}


def study_content(
    variants: tuple[str, ...] = ("one", "two"), seeds: tuple[int, ...] = (0, 1, 2), question: str = ""
) -> dict[str, Any]:
    """The content of a params.yaml."""
    return {
        "study": {"name": "tiny", "question": question, "variants": list(variants), "seeds": list(seeds)},
        "dataset": {"id": "dots", "name": "digits", "size": 8},
        "training": {"epochs": 2, "learning_rate": 0.01},
        "sampling": {"grid": 4},
        "evaluation": {"features": {"name": "classifier"}},
        "variants": dict.fromkeys(variants, VARIANT),
    }


def study(*arguments: Any, **options: Any) -> Study:
    """A checked study."""
    return reading.check(study_content(*arguments, **options), Path("params.yaml"))


def write_run(
    folder: Path, metrics: dict[str, float], evaluation: dict[str, dict[str, Any]] | None = None, epochs: int = 3
) -> None:
    """Write a finished run; `evaluation` adds to definitions that name their metric."""
    folder.mkdir(parents=True)
    write_json(folder / "metrics.json", metrics)
    given = evaluation or {}
    defined = {
        name: {"definition": f"How {name} is made.", "split": "test", "images": 4, **given.get(name, {})}
        for name in metrics
    }
    defined = {name: {"value": metrics[name], **how} for name, how in defined.items()}
    write_json(folder / "evaluation.json", given | defined)
    lines = ["epoch,objective,distortion,rate,sigma,validation_distortion,validation_rate,validation_negative_elbo"]
    lines += [
        f"{epoch},{9 / epoch},{8 / epoch},1,0.5," + (f"{8 / epoch},1,{9 / epoch}" if epoch != 2 else ",,")
        for epoch in range(1, epochs + 1)
    ]
    (folder / "training.csv").write_text("\n".join(lines) + "\n")
    picture = grid(np.arange(4 * 64, dtype=np.uint8).reshape(4, 1, 8, 8))
    for name in ("reconstructions.png", "samples.png"):
        (folder / name).write_bytes(picture)
    with h5py.File(folder / "samples.h5", "w") as file:
        file["reconstructions"] = file["samples"] = np.zeros((4, 1, 8, 8), np.uint8)
        file["test_index"] = np.array([3, 1, 0, 2])
        file["labels"] = np.arange(4)[:, None] % 2
        for index, name in enumerate(("codes", "prior", "posterior", "low_posterior_codes")):
            file[name] = np.random.default_rng(index).standard_normal((4, 2)).astype(np.float32)
        file["posterior_log_p"] = np.arange(4, dtype=np.float32)
        file["traversals"] = np.zeros((2, 9, 1, 8, 8), np.uint8)
        file["reconstruction_errors"] = np.array([0.1, 0.4, 0.3, 0.2], np.float32)
        file["low_posterior"] = np.zeros((4, 1, 8, 8), np.uint8)
        file["switched"] = np.arange(4 * 64, dtype=np.uint8).reshape(2, 2, 1, 8, 8) % 17
        file["switched_labels"] = np.array([[[0], [1]], [[0], [1]]])
        file["interpolations"] = np.zeros((2, 9, 1, 8, 8), np.uint8)
    (folder / "model.safetensors").touch()
    of = study((folder.parent.name,))
    made = {
        "variant": of.variants[folder.parent.name].model_dump(mode="json"),
        "training": of.training.model_dump(mode="json"),
        "facts": {"levels": 17, "label_names": ["digit"], "label_values": [["0", "1"]]},
    }
    (folder / "variant.yaml").write_text(yaml.safe_dump(made))


def references(values: dict[str, float]) -> Record:
    """The numbers of a data set that give metrics their scale."""
    record = Record()
    for name, value in values.items():
        record.put(name, value, split="test", images=4)
    return record


def write_numbers(of: Study, record: Record, **changes: Any) -> None:
    """Write the numbers of a reference, without its statistics, into the current folder."""
    content = {
        "data": {}, "drawn": 4, "judge": "", "prefix": "fd", "settings": shared_files.settings_of(of, "reference"),
        "space": {"features": "", "weights": ""}, "statistics_sha256": "", "metrics": record.evaluation,
    }  # fmt: skip
    path = DataFiles(of.dataset.id).metrics(of.evaluation.features.name)
    write_sealed(path, {**content, **changes})


def write_runs(folder: Path, values: dict[str, list[float]], metric: str = "nll") -> None:
    """Write a run for each variant and seed (0, 1, ...) with one metric."""
    for variant, by_seed in values.items():
        for seed, value in enumerate(by_seed):
            write_run(folder / variant / f"seed-{seed}", {metric: value})


def findings_of(found: Results) -> Findings:
    """The findings of runs, without real test images."""
    return Findings(found, compare.compare(found))

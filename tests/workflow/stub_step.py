"""Steps that learn nothing: each writes bytes that depend on its inputs and parameters, and a line to a log.

Variables of the environment direct it: the step that is HELD_STEP-th in the log waits while the file HELD_BY exists, the
training of variant FAILING fails, and with CHECKED a step compares itself with the plan of its engine, as a real one does. The value of the
variable that NOTED names is written to the file `noted`.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

import yaml


def main(step: str, code: str) -> None:
    """Read what `step` reads and write what it writes; `code` is that of the real step."""
    if "CHECKED" not in os.environ:
        return work(step)
    from pipeline_steps.command import reads, study_command

    variant = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True)).get("--variant", "")
    checked = reads(step, code=code)(lambda study, variant: work(step))
    return study_command(lambda study: checked(study, variant=variant)).main([], standalone_mode=True)


def work(step: str) -> None:
    """Do the work of a step."""
    params = _read_yaml("params.yaml")
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    variant, seed, trial = (options.get(name, "") for name in ("--variant", "--seed", "--trial"))
    study, data, features = params["study"]["name"], params["dataset"]["id"], params["evaluation"]["features"]["name"]
    runs = Path("results", study, "runs")
    run, choice, tuning = (
        runs / variant / f"seed-{seed}",
        runs / variant / "choice.json",
        Path("results", study, "tuning", variant),
    )
    store, judge, reference = f"data/{data}.h5", f"data/{data}.classifier.safetensors", f"data/{data}.{features}"
    model = [run / "model.safetensors", run / "variant.yaml"]
    reads, read_params, writes = {
        "download": (_source(params), ["dataset.name"], [f"data/raw/{data}.json"]),
        "preprocess": ([f"data/raw/{data}.json"], ["dataset"], [store]),
        "classifier": ([store], ["classifier"], [judge]),
        "reference": ([store, judge], ["evaluation.features"], [f"{reference}.reference.safetensors", f"{reference}.json"]),
        "design": ([], ["tuning"], [tuning / "design.json"]),
        "trial": ([store], ["tuning.space", "training", f"variants.{variant}"], [tuning / f"trial-{trial}" / "trial.json"]),
        "choose": (_trials(params, tuning), ["tuning"], [choice]),
        "train": ([store, choice], ["training", f"variants.{variant}"], [*model, run / "training.csv"]),
        "sample": ([store, *model], ["sampling"], [run / name for name in ("samples.h5", "reconstructions.png", "samples.png")]),
        "evaluate": ([store, judge, *model, run / "samples.h5"], ["evaluation"], [run / "metrics.json", run / "evaluation.json"]),
        "report": (None, ["study"], _declared("report", study)),
    }[step]  # fmt: skip
    if noted := os.environ.get("NOTED"):
        Path("noted").write_text(os.environ.get(noted, ""))
    with open("ran.log", "a") as log:
        log.write(" ".join(filter(None, [step, variant, seed, trial])) + "\n")
    if len(Path("ran.log").read_text().splitlines()) == int(os.environ.get("HELD_STEP", "0")):
        while os.path.exists(os.environ["HELD_BY"]):
            time.sleep(0.01)
    if step == "train" and variant == os.environ.get("FAILING"):
        raise SystemExit("This variant fails.")
    if reads is None:
        reads = _runs_of(params, runs)
    values = [_lookup(params, key) for key in read_params]
    content = hashlib.sha256(json.dumps([step, seed + trial, values]).encode())
    for path in reads:
        content.update(Path(path).read_bytes())
    for path in map(Path, writes):
        path.parent.mkdir(parents=True, exist_ok=True)
        described = {
            "variant": params["variants"].get(variant),
            "training": params["training"],
            "facts": {"levels": 17},
        }
        path.write_text(
            _as(path, content.hexdigest(), described)
            if path.name not in ("metrics.json", "means.json") or variant
            else _means(reads)
        )


def _read_yaml(path: str) -> dict:
    return yaml.load(Path(path).read_text(encoding="utf-8"), yaml.CSafeLoader)


def _declared(stage: str, study: str) -> list[Path]:
    """The outputs that dvc.yaml declares for a stage of the whole study."""
    entries = _read_yaml("dvc.yaml")["stages"][stage]
    names = [
        name
        for key in ("outs", "metrics", "plots")
        for each in entries[key]
        for name in ([each] if isinstance(each, str) else each)
    ]
    return [Path(name.replace("${item.study}", study)) for name in names]


def _lookup(params: dict, key: str) -> object:
    value = params
    for step in key.split("."):
        value = value[step]
    return value


def _runs_of(params: dict, runs: Path) -> list[Path]:
    """The metrics of the study's runs; runs of variants that it no longer names are moved away."""
    for variant in runs.iterdir():
        if variant.name not in params["study"]["variants"]:
            shutil.move(variant, runs.with_name("former") / variant.name)
    return sorted(runs.glob("*/*/metrics.json"))


def _trials(params: dict, tuning: Path) -> list[Path]:
    return [tuning / "design.json", *(tuning / f"trial-{each}" / "trial.json" for each in params["tuning"]["trials"])]


def _means(runs: list[Path]) -> str:
    return json.dumps({path.parts[-3]: json.loads(path.read_text()) for path in runs})


def _source(params: dict) -> list[Path]:
    """The files of a local source."""
    source = Path(params["dataset"]["source"])
    return sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else []


def _as(path: Path, digest: str, described: dict) -> str:
    if path.name == "variant.yaml":
        return json.dumps({**described, "digest": digest})
    if path.name == "metrics.json":
        return json.dumps({"negative_elbo": int(digest[:6], 16)})
    if path.name == "pareto.json":
        return json.dumps([{"variant": "cvae", "samples": int(digest[:6], 16), "likelihood": int(digest[6:12], 16)}])
    if path.suffix == ".csv":
        rows = [digest[:6], digest[6:12], digest[12:18]]
        return "epoch,validation_negative_elbo,validation_distortion,validation_rate\n0,,,\n1," + ",".join(
            str(int(number, 16)) for number in rows
        )
    lines = 2**14 if path.suffix == ".h5" else 1  # 1 MB, beyond which Snakemake goes by times alone
    return f"{path.name} {digest}\n" * lines

"""The hash of the code that each step and variant runs, so that both engines notice an edit and ignore a comment."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline_steps.closure import closure, digest, digest_of, forget
from pipeline_steps.file_states import ROOT
from vaeline.data import paths
from vaeline.runs.folder import StudyFolder
from vaeline.study import parts
from vaeline.study.schema import Study
from vaeline.system.files import write_json

Hashes = dict[str, Any]

# The hash of a part of an evaluation has only those modules of these packages that the part needs.
APART = (ROOT / "vaeline/evaluation", *parts.folders("metrics"))


def write_hashes(study: Study) -> None:
    """Update the two files of hashes: those of the data set's steps, and those of the study's."""
    for path, content in {
        paths.CODE: _data_hashes(study),
        StudyFolder(study.study.name).code: _run_hashes(study),
    }.items():
        if not _holds(path, content):
            write_json(path, content)


def _holds(path: Path, content: Hashes) -> bool:
    """Whether a file of hashes has this content already; a damaged one has not."""
    try:
        return bool(json.loads(path.read_bytes()) == content)
    except (FileNotFoundError, ValueError, RecursionError):
        return False


def hashes(study: Study) -> Hashes:
    """The hash of every step's code, including the parts that the study names: {step: hash} or {step: {name: hash}}."""
    return _data_hashes(study) | _run_hashes(study)


def hash_at(study: Study, key: str) -> str:
    """The hash of one step's code as the files are now.

    Args:
        study: whose parts belong to the code.
        key: dotted, as in code.json: `report`, or `train.cvae` for a step whose code depends on a variant.

    Raises:
        UserError: a file is not valid Python.
    """
    forget()
    return digest(modules_at(study, key))


def hash_within(study: Study, variant: str, modules: Sequence[str], callers: Sequence[str]) -> str:
    """The hash of the code that decides a part of a run's evaluation.

    This is all code of the step `evaluate`, but of the packages of evaluation and metrics only the modules that the part needs: an
    edit of one metric leaves other parts as they are.

    Args:
        study: whose parts belong to the code.
        variant: of the run.
        modules: that compute the part, with all that they import.
        callers: modules that choose what it is computed from. What they import is left out.
    """
    step = closure(modules_at(study, f"evaluate.{variant}"))
    of_callers = {ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in callers}
    shared = {path for path in step if not any(folder in path.parents for folder in APART)}
    return digest_of(shared | of_callers | closure(modules))


def modules_at(study: Study, key: str) -> list[str]:
    """The modules that the hash at a key begins with; the rest is what they import."""
    return (_data_modules(study) | _run_modules(study))[key]


def _data_hashes(study: Study) -> Hashes:
    return _hashed(_data_modules(study))


def _run_hashes(study: Study) -> Hashes:
    return _hashed(_run_modules(study))


def _hashed(modules: dict[str, list[str]]) -> Hashes:
    found: Hashes = {}
    for key, names_of_modules in modules.items():
        step, _, name = key.partition(".")
        if name:
            found.setdefault(step, {})[name] = digest(names_of_modules)
        else:
            found[step] = digest(names_of_modules)
    return found


def _data_modules(study: Study) -> dict[str, list[str]]:
    dataset, features = study.dataset.name, study.evaluation.features.name
    read = parts.module_name("sets", dataset)
    return {
        f"download.{dataset}": _step("download", read),
        f"preprocess.{dataset}": _step("preprocess", read),
        "classifier": _step("classifier"),
        f"reference.{features}": _step("reference", *parts.modules_of(study.evaluation), *_every("metrics")),
    }


def _run_modules(study: Study) -> dict[str, list[str]]:
    found = {"report": _step("report", *_every("metrics"), *_every("plots"))}
    found |= {step: _step(step) for step in ("design", "choose")}
    judges = set(parts.modules_of(study.evaluation))
    for name, variant in study.variants.items():
        named = set(parts.modules_of(variant))
        found[f"trial.{name}"] = _step("trial", *named)
        found[f"train.{name}"] = _step("train", *named)
        found[f"sample.{name}"] = _step("sample", *named)
        found[f"evaluate.{name}"] = _step("evaluate", *named, *judges, *_every("metrics"))
    return found


def _every(family: str) -> list[str]:
    """The modules of all parts of a family, which are imported by name, out of sight."""
    return [parts.module_name(family, name) for name in parts.names(family)]


def _step(name: str, *modules: str) -> list[str]:
    return [f"pipeline_steps.{name}", *modules]

"""Check at the start and at the end of a step that it works with what its engine planned it with: parameters and code.

An engine looks at parameters and code before a step, and records them after it. A step may begin hours later, on another
machine, and run for days. An edit in between, also one that is undone before the step ends, would be recorded for files that
were made with other values.

Snakemake hands on what it planned in the environment, as `plan` writes it. DVC has no such plan: there, code.json says what
code the stage was planned with. Without an engine, the end must agree with the start.
"""

import importlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pipeline_steps import file_states
from pipeline_steps.bytecode import forget_other_bytecode
from pipeline_steps.closure import closure, is_code
from pipeline_steps.code_hashes import Hashes, hash_at, modules_at
from vaeline.data.paths import CODE
from vaeline.runs.folder import StudyFolder
from vaeline.study import parts
from vaeline.study.reading import load
from vaeline.study.schema import Study
from vaeline.study.settings import value_at_key, values
from vaeline.system.errors import UserError, some_of
from vaeline.system.files import json_sha256

PLANNED = "VAELINE_PLANNED"  # in the environment of a job of Snakemake: {key: hash of its value} as JSON
UNDER_DVC = "DVC_STAGE"  # in the environment of a command that DVC runs
SOURCE, WEIGHTS = "source", "weights"  # the keys of the fingerprints of files that a study names
ENTRIES = parts.folders("metrics")  # whose files are also read as text, after their import
NOT_STARTED = "; start the run again"
TOO_LATE = " while this step ran, so that its files may be made with another value; run again"


def plan(study: Study, hashes: Hashes, keys: Iterable[str], files: Mapping[str, str]) -> str:
    """What a run of Snakemake is planned with, for the environment of its jobs.

    Args:
        study: the active one.
        hashes: of the code, as `code_hashes.hashes` returns them.
        keys: dotted, of the study or below `code`.
        files: the fingerprints at SOURCE and WEIGHTS.
    """
    of_code = {key: value_at_key({"code": hashes}, key) for key in keys if key.startswith("code.")}
    known = values(study, keys) | of_code
    return json.dumps({**files} | {key: short_hash(known[key]) for key in sorted(known)})


def planned(key: str) -> str | None:
    """What the run of Snakemake that started this process was planned with at a key; None without such a run."""
    if PLANNED not in os.environ or UNDER_DVC in os.environ:
        return None
    return str(json.loads(os.environ[PLANNED]).get(key, ""))


def short_hash(value: object) -> str:
    """A hash of a value of a study."""
    return json_sha256(value)[:16]


class PlanCheck:
    """What a step begins with, to be compared when it ends.

    Args:
        study: the active one.
        keys: dotted, which the step reads.
        code: the key of the step's code in code.json; None for the step that writes code.json, which depends on all files.

    Raises:
        UserError: parameters or code differ from what the engine planned, or the code was edited while the step was loaded.
    """

    def __init__(self, study: Study, keys: list[str], code: str | None) -> None:
        self.study, self.keys, self.code = study, keys, code
        modules = [] if code is None else modules_at(study, code)
        _import(modules)
        self.files = set(file_states.AT_START) if code is None else closure(modules)
        if changed := self._changed():
            raise _edited(changed, "while this step was loaded", NOT_STARTED)
        loaded = _loaded()
        _refuse_other_bytecode(self.files, loaded)
        self.read_later = {path for path in self.files if path not in loaded or path.parent in ENTRIES}
        _refuse_unplanned_parameters(study, keys)
        if code is not None:
            self.hash = hash_at(study, code)
            _refuse_unplanned_code(study, code, self.hash)

    def end(self) -> None:
        """Compare parameters and code with those at the start.

        Raises:
            UserError: they differ, or a file that may have been read in between was changed meanwhile.
        """
        now = load()  # the same object unless the bytes of params.yaml differ
        if now is not self.study:
            _refuse_changed_parameters(self.study, now, self.keys)
        changed = self._changed()
        late = changed if self.code is None else [path for path in changed if path in self.read_later]
        if late:
            raise _edited(late, "", TOO_LATE)
        if changed and self._hash_now() != self.hash:
            raise _edited(changed, "", TOO_LATE)

    def _changed(self) -> list[Path]:
        """The files of the step's code that changed since this process began; without a key, all files of the code."""
        if self.code is not None:
            return file_states.changed(self.files)
        return [path for path in file_states.changed() if is_code(path.relative_to(file_states.ROOT))]

    def _hash_now(self) -> str | None:
        try:
            return hash_at(self.study, str(self.code))
        except (OSError, UserError):  # an edit that is not finished
            return None


def _import(modules: list[str]) -> None:
    """Import the parts and metrics of a step now, so that the checks that follow are of the code that will run.

    What the step writes on its way, checkpoints and kept results, names the hash of that code. The report only reads the
    metrics' entries, and is spared their imports. An error of an import is left to the step, which can explain it.
    """
    report = f"{__package__}.report" in modules
    of_metrics = tuple(parts.module_name("metrics", name) for name in parts.names("metrics"))
    for module in modules:
        if not (report and module in of_metrics) and not module.startswith(f"{__package__}."):
            with suppress(Exception):
                importlib.import_module(module)


def _loaded() -> set[Path]:
    """The files of the modules that are imported."""
    return {Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}


def _refuse_other_bytecode(files: set[Path], loaded: set[Path]) -> None:
    """Remove bytecode of another text, and refuse if it has been imported; later imports read the text."""
    others = [path for path in sorted(files) if path.suffix == ".py" and forget_other_bytecode(path)]
    if others := [path for path in others if path in loaded]:
        raise UserError(
            f"Python had kept bytecode of {_shown(others)} that is not of its text; the bytecode is removed{NOT_STARTED}."
        )


def _refuse_unplanned_parameters(study: Study, keys: list[str]) -> None:
    found = values(study, keys)
    if changed := [key for key in keys if planned(key) not in (None, short_hash(found[key]))]:
        raise UserError(f"{', '.join(changed)} of params.yaml changed since this run was planned{NOT_STARTED}.")


def _refuse_unplanned_code(study: Study, code: str, hash: str) -> None:
    if planned(f"code.{code}") not in (None, short_hash(hash)):
        raise UserError(f"The code of this step ({code}) changed since this run was planned{NOT_STARTED}.")
    if UNDER_DVC in os.environ and _in_code_json(study, code) != hash:
        raise UserError(
            f"The code of this step ({code}) is not the code that code.json names; run `python -m pipeline_steps.code`, then "
            "`dvc repro` again."
        )


def _in_code_json(study: Study, code: str) -> object:
    """The hash that DVC planned a step with; None if code.json does not contain the step."""
    for path in (CODE, StudyFolder(study.study.name).code):
        try:
            found = value_at_key(json.loads(path.read_bytes()), code)
        except (OSError, ValueError, TypeError, RecursionError):
            continue
        if found is not None:
            return found
    return None


def _refuse_changed_parameters(before: Study, now: Study, keys: list[str]) -> None:
    old, new = values(before, keys), values(now, keys)
    if changed := [key for key in keys if old[key] != new[key]]:
        raise UserError(f"{', '.join(changed)} of params.yaml changed{TOO_LATE}.")


def _edited(paths: list[Path], when: str, then: str) -> UserError:
    return UserError(f"{_shown(paths)} changed{' ' * bool(when)}{when}{then}.")


def _shown(paths: list[Path]) -> str:
    """The names of files, at most three."""
    return some_of([str(path.relative_to(file_states.ROOT)) for path in paths], 3)

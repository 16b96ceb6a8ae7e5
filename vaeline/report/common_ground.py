"""What all runs of a study must have in common to be compared: the images, the classifier, and the reference."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.evaluation.shared_files import require_those_there
from vaeline.runs.evaluation_file import MeasuredOn, measured_with
from vaeline.study.schema import Study
from vaeline.study.step_settings import again, require_settings, settings_of
from vaeline.system.errors import UserError
from vaeline.system.files import sha256
from vaeline.system.sealed_files import read_sealed

STEPS = {
    "classifier": "classifier",
    "statistics": "reference",
    "numbers": "reference",
}  # file -> the step that makes it


@dataclass
class CommonGround:
    """The data set that the runs are of, as it is on disk now. What is missing becomes that of the first run.

    Args:
        study: whose settings the data of the first run must have if there is no store; None for any.
        facts: of the store.
        files: that runs are measured with, by the names of `measured_with`.
        checksums: SHA-256 of these files.
    """

    study: Study | None = None
    facts: Facts | None = None
    files: dict[str, Path] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)

    @classmethod
    def on_disk(cls, study: Study, facts: Facts | None) -> "CommonGround":
        """The common ground of a study's runs.

        Args:
            study: the active one.
            facts: of its store; None if the store is not there.

        Raises:
            UserError: the manifest, the store or the classifier is of other settings than the study's.
        """
        require_those_there(study)
        named = measured_with(DataFiles(study.dataset.id), study.evaluation.features.name)
        files = {name: path for name, path in named.items() if path.exists()}
        return cls(study, facts, files, {name: sha256(path) for name, path in files.items()})

    def admit(self, folder: Path, facts: Facts, measured: MeasuredOn) -> None:
        """Check that a run is of the same data set, and was measured with the same files.

        Args:
            folder: of the run, for errors.
            facts: of its images.
            measured: what it was measured with.

        Raises:
            UserError: it is not, or a file that it was measured with is damaged.
        """
        if self.facts is None and self.study is not None:
            made, wanted = facts.preprocessing.get("settings", {}), settings_of(self.study, "preprocess")
            require_settings(folder, made, wanted, again("preprocess"))
        facts = replace(facts, preprocessing={})
        if self.facts is not None and replace(self.facts, preprocessing={}) != facts:
            raise UserError(
                f"{folder} was trained on other images than those of data/{self.facts.dataset_id}.h5, or of the other runs; "
                "run the study again."
            )
        for name, found in measured.files.items():
            if self.checksums.get(name, found) != found:
                self._require_whole(name)
                raise UserError(
                    f"{folder} was evaluated with another {STEPS[name]} than that of the data set now, or of the other runs; "
                    f"{again('evaluate', (measured.variant, measured.seed))}."
                )
        self.facts, self.checksums = facts, measured.files | self.checksums

    def _require_whole(self, name: str) -> None:
        """Say of a file that differs from that of a run that it is damaged, if it is."""
        if name not in self.files:
            return
        from vaeline.system.tensor_files import read_tensors  # imports torch, which the table does without

        read = read_sealed if name == "numbers" else read_tensors
        read(self.files[name], again(STEPS[name]))

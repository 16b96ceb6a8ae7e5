"""What all runs of a study must have in common to be compared: the images, the classifier, and the reference."""

from dataclasses import dataclass, replace
from pathlib import Path

from vaeline.data.facts import Facts
from vaeline.runs.evaluation_file import MeasuredOn
from vaeline.study.step_settings import again
from vaeline.system.errors import UserError

FILES = {"classifier_sha256": "classifier", "statistics_sha256": "reference", "numbers_sha256": "reference"}


@dataclass
class CommonGround:
    """The data set that the runs are of, as it is on disk now. What is None becomes that of the first run.

    Args:
        facts: of the store.
        numbers_sha256: of the reference's numbers.
        classifier_sha256: of the classifier.
        statistics_sha256: of the reference's statistics.
    """

    facts: Facts | None = None
    numbers_sha256: str | None = None
    classifier_sha256: str | None = None
    statistics_sha256: str | None = None

    def admit(self, folder: Path, facts: Facts, measured: MeasuredOn) -> None:
        """Check that a run is of the same data set, and was measured with the same files.

        Args:
            folder: of the run, for errors.
            facts: of its images.
            measured: what it was measured with.

        Raises:
            UserError: it is not.
        """
        facts = replace(facts, preprocessing={})
        if self.facts is not None and replace(self.facts, preprocessing={}) != facts:
            raise UserError(
                f"{folder} was trained on other images than those of data/{self.facts.dataset_id}.h5, or of the other runs; "
                "run the study again."
            )
        for name, what in FILES.items():
            wanted, found = getattr(self, name), getattr(measured, name)
            if wanted is not None and found is not None and wanted != found:
                raise UserError(
                    f"{folder} was evaluated with another {what} than that of the data set now, or of the other runs; "
                    f"{again('evaluate', (measured.variant, measured.seed))}."
                )
        self.facts = facts
        for name in FILES:
            setattr(self, name, getattr(self, name) or getattr(measured, name))

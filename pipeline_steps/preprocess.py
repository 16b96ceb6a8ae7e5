"""Decode the data set into one HDF5 store."""

import json

from pipeline_steps.command import data_timing, reads, study_command, timed
from vaeline.data.paths import DataFiles
from vaeline.data.preprocessing import preprocess
from vaeline.study.schema import Study
from vaeline.system.errors import UserError
from vaeline.system.memory import keep_memory


@study_command
@timed(data_timing, "preprocess")
@reads("dataset", code="preprocess.{dataset}")
def main(study: Study) -> None:
    """Decode the data set into one HDF5 store: three splits of images of one size, with labels."""
    keep_memory()
    files = DataFiles(study.dataset.id)
    try:
        manifest = json.loads(files.manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{files.manifest} is missing or damaged; run `python -m pipeline_steps.download` first."
        ) from error
    preprocess(study.dataset, manifest, files.store)


if __name__ == "__main__":
    main()

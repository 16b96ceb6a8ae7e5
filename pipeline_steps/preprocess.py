"""Decode the data set into one HDF5 store."""

from typing import cast

from pipeline_steps.command import data_timing, reads, study_command, timed
from vaeline.data import source_fingerprint
from vaeline.data.paths import DataFiles
from vaeline.data.preprocessing import OtherFiles, preprocess
from vaeline.data.raw_images import Manifest
from vaeline.study.schema import Study
from vaeline.system.memory import keep_memory
from vaeline.system.sealed_files import read_sealed


@study_command
@timed(data_timing, "preprocess")
@reads("preprocess", code="preprocess.{dataset}")
def main(study: Study) -> None:
    """Decode the data set into one HDF5 store: three splits of images of one size, with labels."""
    keep_memory()
    files = DataFiles(study.dataset.id)
    manifest = read_sealed(files.manifest, "run `python -m pipeline_steps.download`")
    manifest.pop(source_fingerprint.KEY, None)
    try:
        preprocess(study.dataset, cast(Manifest, manifest), files.store)
    except OtherFiles:
        files.manifest.unlink(missing_ok=True)  # so that both engines run the download step again
        raise


if __name__ == "__main__":
    main()

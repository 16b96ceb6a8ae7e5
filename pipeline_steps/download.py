"""Fetch the data set, and the weights that the evaluation needs, before anything is trained."""

import sys

from pipeline_steps.command import data_timing, reads, study_command, timed
from vaeline.data import paths, raw_images
from vaeline.study import parts
from vaeline.study.schema import Study
from vaeline.system.sealed_files import write_sealed


@study_command
@timed(data_timing, "download")
@reads("dataset", "evaluation.features")
def main(study: Study) -> None:
    """Download the data set, or check a local copy in place; also fetch the weights that the evaluation needs."""
    parts.fetch("features", study.evaluation.features, paths.DATA)
    manifest = raw_images.fetch(study.dataset)
    for note in manifest["notes"]:
        print(f"download: {note}", file=sys.stderr)
    write_sealed(paths.DataFiles(study.dataset.id).manifest, manifest)


if __name__ == "__main__":
    main()

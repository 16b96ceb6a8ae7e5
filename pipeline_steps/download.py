"""Fetch the data set, and the weights that the evaluation needs, before anything is trained."""

import sys

from pipeline_steps.command import data_timing, reads, study_command, timed
from pipeline_steps.plan_check import SOURCE, planned
from vaeline.data import paths, raw_images, source_fingerprint
from vaeline.study import parts
from vaeline.study.schema import Study
from vaeline.system.errors import UserError
from vaeline.system.sealed_files import write_sealed


@study_command
@timed(data_timing, "download")
@reads("download", code="download.{dataset}")
def main(study: Study) -> None:
    """Download the data set, or check a local copy in place; also fetch the weights that the evaluation needs."""
    source = source_fingerprint.of_source(study.dataset)
    if planned(SOURCE) not in (None, source):
        raise UserError(f"{study.dataset.source} changed since this run was planned; start the run again.")
    before = source_fingerprint.state(raw_images.folder(study.dataset)) if source else ""
    parts.fetch("features", study.evaluation.features, paths.DATA)
    manifest = raw_images.fetch(study.dataset)
    for note in manifest["notes"]:
        print(f"download: {note}", file=sys.stderr)
    if source and source_fingerprint.state(raw_images.folder(study.dataset)) != before:
        raise UserError(f"{study.dataset.source} changed while this step read it; run again.")
    write_sealed(paths.DataFiles(study.dataset.id).manifest, {**manifest, source_fingerprint.KEY: source})


if __name__ == "__main__":
    main()

"""Bring the data set, and the weights that the evaluation will want, before anything is trained."""

import sys
from pathlib import Path

from pipeline_steps.command import command, reads, timed
from vaeline.data import raw_images
from vaeline.study import parts, reading
from vaeline.system.files import write_json


@command
@timed("data/{id}.timing.json", "download")
@reads("dataset.name", "dataset.source", "evaluation.features")
def main() -> None:
    """Download the data set, or check a local copy in place; also fetch the weights that the evaluation needs."""
    study = reading.load()
    parts.fetch("features", study.evaluation.features, Path("data"))
    manifest = raw_images.fetch(study.dataset)
    for note in manifest["notes"]:
        print(f"download: {note}", file=sys.stderr)
    write_json(Path(f"data/raw/{study.dataset.id}.json"), manifest)


if __name__ == "__main__":
    main()

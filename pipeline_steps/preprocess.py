"""Decode the data set into one HDF5 store."""

import json
from pathlib import Path

from pipeline_steps.command import command, reads, timed
from vaeline.data.preprocessing import preprocess
from vaeline.study import reading
from vaeline.system.errors import UserError
from vaeline.system.memory import keep_memory


@command
@timed("data/{id}.timing.json", "preprocess")
@reads("dataset")
def main() -> None:
    """Decode the data set into one HDF5 store: three splits of images with labels, of one size."""
    keep_memory()
    dataset = reading.load().dataset
    manifest = Path(f"data/raw/{dataset.id}.json")
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{manifest} is missing or damaged; run `python -m pipeline_steps.download` first.") from error
    preprocess(dataset, content, Path(f"data/{dataset.id}.h5"))


if __name__ == "__main__":
    main()

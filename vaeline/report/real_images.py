"""The real test images that reconstructions and samples are compared with."""

from dataclasses import dataclass
from pathlib import Path

from vaeline.data.facts import Facts
from vaeline.data.on_disk import Images
from vaeline.data.store import read_facts, read_split
from vaeline.report.results import Results
from vaeline.runs.pictures import MOST_POINTS, picture
from vaeline.study.step_settings import again
from vaeline.system.errors import UserError
from vaeline.system.memory import budget


@dataclass(frozen=True)
class RealImages:
    """The test split of a store."""

    test: Images  # uint8 (n, channel, height, width); or points, float (n, dimensions)
    facts: Facts
    shown: bytes  # PNG of the test images that the runs reconstructed, in the order of their pictures


def read(store: Path, results: Results, count: int) -> RealImages | None:
    """Read the test images of a study.

    Args:
        store: the HDF5 file of the data set.
        results: a study with at least one run.
        count: how many images the pictures of a run show.

    Returns:
        The test images, or None if the store does not exist.

    Raises:
        UserError: the runs were made from another store.
    """
    if not store.exists():
        return None
    test, facts = read_split(store, "test", budget()).images, read_facts(store)
    if max(run.drawn["test_index"].max() for run in results.runs) >= len(test):
        raise UserError(
            f"{store} has {len(test):,} test images, fewer than the runs were made from; {again('preprocess')}."
        )
    shown = test[:MOST_POINTS] if facts.points else test[results.runs[0].drawn["test_index"][:count]]
    return RealImages(test, facts, picture(shown, facts, test))

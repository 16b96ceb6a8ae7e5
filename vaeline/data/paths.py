"""The paths of a data set's files, in one place.

data/raw/<id>.json                             manifest of the download step
data/raw/<name>/                               downloaded files, shared by all studies
data/<id>.h5                                   store of images
data/<id>.classifier.safetensors               the classifier of labels
data/<id>.<features>.reference.safetensors     statistics of the real test images in a feature space
data/<id>.<features>.json                      metrics of the real test images in that space
data/<id>.timing.json                          time and memory of the steps
data/code.json                                 hashes of the steps' code
"""

from dataclasses import dataclass
from pathlib import Path

from vaeline.system.project import expanded, main_worktree

DOWNLOAD = "download"  # what a study gives in place of a path for the files of their own server
DATA = Path("data")
CODE = DATA / "code.json"


@dataclass(frozen=True)
class DataFiles:
    """The files that are made of a data set.

    Args:
        id: `dataset.id` of a study.
        folder: with the files of all data sets.
    """

    id: str
    folder: Path = DATA

    @property
    def manifest(self) -> Path:
        """What the download step found."""
        return self.folder / "raw" / f"{self.id}.json"

    @property
    def store(self) -> Path:
        """The preprocessed images, with labels."""
        return self.folder / f"{self.id}.h5"

    @property
    def classifier(self) -> Path:
        """The classifier of labels."""
        return self.folder / f"{self.id}.classifier.safetensors"

    @property
    def timing(self) -> Path:
        """Time and memory that the steps of the data set took."""
        return self.folder / f"{self.id}.timing.json"

    def statistics(self, features: str) -> Path:
        """The statistics of the real test images in a feature space."""
        return self.folder / f"{self.id}.{features}.reference.safetensors"

    def metrics(self, features: str) -> Path:
        """The metrics of the real test images in a feature space."""
        return self.folder / f"{self.id}.{features}.json"


def downloads(name: str, folder: Path = DATA) -> Path:
    """The folder of what is downloaded under a name: a data set's, or a feature space's."""
    return folder / "raw" / name


def from_study(path: str | Path) -> Path:
    """A path as a study means it: from the main worktree, because a temporary experiment of DVC has no ignored files."""
    return main_worktree() / expanded(path)

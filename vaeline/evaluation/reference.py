"""The reference of a data set: its real test images in a feature space, and the numbers that give metrics their scale."""

from collections.abc import Mapping
from dataclasses import dataclass

from vaeline.data.facts import Facts
from vaeline.evaluation.classifier import Classifier
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.record import Record
from vaeline.evaluation.shared_files import AGAIN
from vaeline.metrics._images import ImageSet
from vaeline.system.errors import UserError, some_of

MEASURED = ("train", "validation", "test")  # the splits that are measured


@dataclass(frozen=True)
class Reference:
    """The test images of a data set in a feature space, and the numbers of the space."""

    space: dict[str, str]  # description and weights of the features
    real: ImageSet  # the test images
    record: Record  # floors, ceilings and other references; empty if they were read from a file, which has means over judges
    says_nothing: str = ""  # why distances in the space mean nothing; empty if they do mean something
    linear: bool = False  # whether the features are a linear map of the pixels
    tensors_sha256: str = ""  # of the features of the test images; empty if they were not read from a file


@dataclass(frozen=True)
class References:
    """The references of a data set under all judges."""

    spaces: Mapping[str, Reference]  # judge -> reference; one, called NO_JUDGE, if the space is the same for all judges
    record: Record  # floors, ceilings and other references, means over judges
    judges: Mapping[str, str]  # judge -> SHA-256 of its weights
    data: Mapping[str, str]  # SHA-256 of the splits as preprocessed
    drawn: int  # images that a system draws, and that the references are measured of

    def require(self, features: Features, judges: Mapping[str, str], facts: Facts, drawn: int) -> None:
        """Refuse to compare images of another space, classifier, data set or number.

        Args:
            features: the space of the run.
            judges: of the run, each with the SHA-256 of its weights.
            facts: of the store of the run.
            drawn: images that the run drew.

        Raises:
            UserError: says what differs.
        """
        again = AGAIN["reference"]
        if dict(self.judges) != dict(judges):
            raise UserError(f"The reference was measured with another classifier than that of this run; {again}.")
        ours, theirs = (
            {judge: each.space for judge, each in self.spaces.items()},
            {judge: named(each) for judge, each in features.by_judge().items()},
        )
        if ours != theirs:
            one, other = (some_of(sorted({each["features"] for each in of.values()})) for of in (ours, theirs))
            raise UserError(
                f"The reference was measured with features of {one}, and this run with those of {other}, or with other weights; {again}."
            )
        checksums = facts.checksums_of(MEASURED)
        if differ := [split for split in MEASURED if self.data.get(split, "") != checksums[split]]:
            raise UserError(f"The reference is of another {differ[0]} split than that of {facts.dataset_id}; {again}.")
        if self.drawn != drawn:
            raise UserError(
                f"The run drew {drawn:,} images, but the reference was measured of {self.drawn:,}; {again}, or draw as many."
            )


def named(features: Features) -> dict[str, str]:
    """What a metric says of the space that it was measured in."""
    return {"features": features.description, "weights": features.weights_sha256}


def weights_of(classifiers: Mapping[str, Classifier]) -> dict[str, str]:
    """The SHA-256 of the weights of each judge."""
    return {judge: classifier.weights_sha256 for judge, classifier in classifiers.items()}

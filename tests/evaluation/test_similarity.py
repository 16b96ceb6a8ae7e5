"""Distances of images in a feature space that is the pixels themselves."""

import numpy as np
import pytest
from torch import Tensor

from tests.evaluation.test_reference import Pixels, correlated
from vaeline.data.batches import evenly_spaced
from vaeline.data.facts import Facts
from vaeline.evaluation import similarity
from vaeline.evaluation.record import Record
from vaeline.evaluation.similarity import Reference, extract, put_distances, put_distances_by_label, put_neighbours
from vaeline.system.errors import UserError


def test_many_images_are_compared_pair_by_pair_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "MOST_ROWS", 50)
    monkeypatch.setattr(similarity, "BATCH", 70)
    images, labels = correlated(600, 600), np.arange(600)[:, None]
    seen = extract(Pixels(), [images[:90], images[90:]], labels)
    chosen = evenly_spaced(600, 50)
    assert seen.moments.count == 600 and seen.labels[:, 0].tolist() == chosen.tolist()
    assert np.array_equal(seen.rows, images[chosen].reshape(50, 4))


def test_samples_are_held_against_test_images_of_their_label() -> None:
    facts = Facts("tiny", (1, 2, 2), 256, (-1.0, 1.0), ["kind", "side"], [["a", "b", "c"], ["left", "right"]])
    labels = np.stack([np.arange(300) % 2, np.arange(300) % 300 // 298], 1)  # nobody is c, two are right
    shifted = correlated(300, 1) + (20 * labels[:, :1, None, None]).astype(np.uint8)
    known = Reference({}, extract(Pixels(), [shifted], labels), Record(), "", 0)
    for asked, near in ((labels, True), (1 - labels, False)):
        record = Record()
        put_distances_by_label(record, "sample", extract(Pixels(), [shifted], asked), "samples", Pixels(), known, facts)
        how = record.evaluation["fd_sample_by_label"]
        assert set(how["left_out"]) == {"kind=c", "side=right"} | (set() if near else {"side=left"})
        expected = 0 if near else 4 * 20**2
        assert how["by_label"]["kind=a"] == pytest.approx(expected, abs=40)
        assert record.metrics["fd_sample_by_label"] == pytest.approx(np.mean(list(how["by_label"].values())))


def test_labels_of_which_there_are_too_few_have_no_distance() -> None:
    facts = Facts("tiny", (1, 2, 2), 256, (-1.0, 1.0), ["kind"], [["a", "b"]])
    seen, record = extract(Pixels(), [correlated(8, 1)], np.arange(8)[:, None] % 2), Record()
    put_distances_by_label(record, "sample", seen, "samples", Pixels(), Reference({}, seen, Record(), "", 0), facts)
    assert record.evaluation == {"fd_sample_by_label": {"dash": "of no label are there 20 images of either kind"}}


@pytest.mark.filterwarnings("ignore::vaeline.metrics.frechet.FewImages")
def test_a_label_with_fewer_images_than_dimensions_is_measured_and_said_to_be_biased() -> None:
    images = np.random.default_rng(0).integers(0, 256, (120, 1, 8, 8), dtype=np.uint8)
    facts = Facts("tiny", (1, 8, 8), 256, (-1.0, 1.0), ["kind"], [["a", "b"]])
    seen, record = extract(Pixels(), [images], np.arange(120)[:, None] % 2), Record()
    put_distances_by_label(record, "sample", seen, "samples", Pixels(), Reference({}, seen, Record(), "", 0), facts)
    assert record.metrics["fd_sample_by_label"] == pytest.approx(0, abs=1e-6)
    assert record.evaluation["fd_sample_by_label"]["warning"] == "biased upwards: from 60 images in 64 dimensions"


class Tenths(Pixels):
    """A space in which images of one colour have features that floating point cannot hold exactly."""

    def __call__(self, images: Tensor) -> Tensor:
        return super().__call__(images) / 10


@pytest.mark.parametrize("space", [Pixels(), Tenths()])
def test_features_that_are_all_the_same_judge_nothing(space: Pixels) -> None:
    same = np.full((500, 1, 2, 2), 3, np.uint8)
    known = Reference({}, extract(space, [same], np.zeros((500, 1))), Record(), "", 0)
    record = Record()
    seen = extract(space, [correlated(500, 0)], np.zeros((500, 1)))
    put_distances(record, "sample", seen, "samples", space, known)
    put_neighbours(record, "", seen, "samples", known)
    assert not record.metrics
    assert {how["dash"] for how in record.evaluation.values()} == {
        "the features of all test images are the same", "the features of all real images are the same",
    }  # fmt: skip


def test_one_image_has_no_distance() -> None:
    with pytest.raises(UserError, match="at least 2 rows of features, not 1.*take more images"):
        extract(Pixels(), [correlated(1, 0)], np.zeros((1, 1)))

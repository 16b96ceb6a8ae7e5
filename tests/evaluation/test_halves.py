"""Halves of images tell how a metric varies over images, and keep images with what was made from them."""

from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation.correlated_pixels import correlated
from tests.evaluation.test_image_features import images_of
from vaeline.evaluation import halves, image_features
from vaeline.evaluation.halves import PAIRS, with_halves
from vaeline.evaluation.image_features import part
from vaeline.metrics import frechet_distance
from vaeline.metrics._images import Dash, ImageMetric, ImageSet, Measured, Results


def drawn_and_real(count: int = 100, of: int = 100) -> tuple[ImageSet, ImageSet]:
    """Images made from some of the test images, in another order, and the test images."""
    generator = np.random.default_rng(0)
    sources = generator.choice(of, count, replace=False)
    images = replace(images_of(correlated(count, 1)), test_index=sources)
    return images, replace(images_of(correlated(of, 2)), test_index=np.arange(of))


def means(images: ImageSet, real: ImageSet) -> Results:
    """A metric that is a sum over images: its variance is known."""
    return {"mean": Measured(float(images.features[:, 0].mean() + real.features[:, 0].mean()))}


def deviations(result: object) -> np.ndarray:
    assert isinstance(result, Measured)
    return np.array(result.how["halves"])


def test_deviations_vary_as_the_value_over_new_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "PAIRS", 2000)
    images, real = drawn_and_real()
    found = deviations(with_halves(ImageMetric(means), means(images, real), images, real)["mean"])
    together = images.features[:, 0] + real.features[images.test_index, 0]
    assert (found**2).mean() == pytest.approx(together.var(ddof=1) / 100, rel=0.1)


def test_test_images_without_a_drawn_one_are_halved_too() -> None:
    images, real = drawn_and_real(31, 80)
    seen = []

    def measure(images: ImageSet, real: ImageSet) -> Results:
        assert set(images.test_index) <= set(real.test_index)
        seen.append((len(images.features), len(real.features), images.moments.count, real.moments.count))
        return {"mean": 1.0}

    with_halves(ImageMetric(measure), {"mean": 1.0}, images, real)
    assert len(seen) == 2 * PAIRS
    assert set(seen[::2]) == {(15, 15 + 24, 15, 39)} and set(seen[1::2]) == {(16, 16 + 25, 16, 41)}


def test_all_runs_have_the_same_halves() -> None:
    images, real = drawn_and_real()
    other = replace(images, features=images.features + 1)
    chosen: list[list[int]] = []

    def measure(images: ImageSet, real: ImageSet) -> Results:
        chosen.append(real.test_index.tolist())
        return {"mean": 1.0}

    for each in (images, other):
        with_halves(ImageMetric(measure), {"mean": 1.0}, each, real)
    assert chosen[: 2 * PAIRS] == chosen[2 * PAIRS :] and chosen[0] != chosen[2]


def test_images_made_from_no_test_image_are_halved_alone() -> None:
    images, real = drawn_and_real()
    images = replace(images, test_index=np.full(100, -1))
    found = deviations(with_halves(ImageMetric(means), means(images, real), images, real)["mean"])
    assert len(found) == PAIRS and (found != 0).all()


def test_a_value_of_more_images_than_rows_varies_less() -> None:
    images, real = drawn_and_real()

    def of_many(images: ImageSet, real: ImageSet) -> Results:
        [mean] = means(images, real).values()
        assert isinstance(mean, Measured)
        return {"mean": mean._replace(how={"images": 400 if len(images.features) == 100 else len(images.features)})}

    many, few = (
        deviations(with_halves(ImageMetric(of), of(images, real), images, real)["mean"]) for of in (of_many, means)
    )
    np.testing.assert_allclose(many, few / 2, rtol=1e-4)


def test_a_value_of_at_most_so_many_images_varies_as_halves_of_as_many_do() -> None:
    images, real = drawn_and_real()

    def of_forty(images: ImageSet, real: ImageSet) -> Results:
        few = images.features[:40, 0].mean() + real.features[:40, 0].mean()
        return {"mean": Measured(float(few), {"images": 40})}

    found = deviations(with_halves(ImageMetric(of_forty), of_forty(images, real), images, real)["mean"])
    few = deviations(with_halves(ImageMetric(means), means(images, real), images, real)["mean"])
    assert 1.2 < found.std() / few.std() < 2.1  # as 40 images do against 100: 1.6


def test_a_biased_value_has_unbiased_deviations() -> None:
    images, real = drawn_and_real()
    results = frechet_distance.measure(images, real)
    found = deviations(with_halves(ImageMetric(frechet_distance.measure), results, images, real)["frechet_distance"])
    half = frechet_distance.measure(*(part(each, np.arange(100) < 50) for each in (images, real)))["frechet_distance"]
    assert isinstance(half, Measured)
    assert abs(found.mean()) < 2 * found.std() / PAIRS**0.5 < half.value


@pytest.mark.parametrize(
    "bad",
    [Dash("too few"), Measured(1.0, {"by_label": {"a": 1.0}}), ValueError("too few"), float("nan")],
)
def test_what_halves_cannot_measure_has_no_deviations(bad: Dash | Measured | ValueError | float) -> None:
    images, real = drawn_and_real()
    results: Results = {"mean": Measured(1.0, {"by_label": {"a": 1.0, "b": 1.0}}), "other": 2.0}

    def measure(images: ImageSet, real: ImageSet) -> Results:
        if isinstance(bad, ValueError):
            raise bad
        return {"mean": bad, "other": 2.0}

    found = with_halves(ImageMetric(measure), results, images, real)
    assert found["mean"] == results["mean"]
    assert found["other"] == (2.0 if isinstance(bad, ValueError) else Measured(2.0, {"halves": [0.0] * PAIRS}))


def test_a_part_has_the_pixels_of_its_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_features, "MOST_ROWS", 40)
    images = images_of(correlated(100, 1))
    images = replace(images, blocks=lambda: iter(np.array_split(correlated(100, 1), 7)))
    chosen = np.random.default_rng(0).permutation(np.arange(40) < 20)
    found = part(images, chosen)
    assert len(found.features) == found.moments.count == len(found.labels) == len(found.test_index) == 20
    pixels = np.concatenate(list(found.blocks())).reshape(20, -1)
    np.testing.assert_array_equal(pixels, found.features)

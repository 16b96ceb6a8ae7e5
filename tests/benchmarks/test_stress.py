"""The stress bench finds which metric sees which defect, on images whose pixels are their features."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from benchmarks import stress, stress_page
from benchmarks.defects import DEFECTS, Images
from benchmarks.stress import Subject, measure
from tests.evaluation.test_images import Corner
from vaeline.data.facts import Facts
from vaeline.evaluation.catalogue import catalogue
from vaeline.system.errors import UserError

FACTS = Facts("tiny", (1, 3, 3), 256, (-1.0, 1.0), ["digit"], [["0", "1", "2"]])


class Judge(Corner):
    """It reads the class in the first pixel."""

    forward = Corner.__call__

    def predict(self, images: Tensor) -> Tensor:
        return (images[:, 0, 0, :1] / 100).round().long()


def images_of(count: int, seed: int) -> Images:
    """Images of three classes; the first pixel is a hundred times the class."""
    modes = np.arange(count) % 3
    pixels = np.random.default_rng(seed).normal(128, 30, (count, 1, 3, 3)).round().clip(0, 255).astype(np.uint8)
    pixels[:, 0, 0, 0] = 100 * modes
    return Images(pixels, modes[:, None], modes)


@pytest.fixture(scope="module")
def found() -> stress.Stress:
    train = images_of(300, 0)
    features = train.pixels.reshape(300, 9).astype(np.float32)
    subject = Subject(FACTS, Judge(), Judge(), train, features, images_of(241, 1))  # type: ignore[arg-type]
    chosen = {"noise": (0.01, 0.5), "training images": (0.01, 1.0), "swapped labels": (0.1, 1.0)}
    with pytest.MonkeyPatch.context() as patch:
        some = [each for each in DEFECTS if each.name in chosen]
        patch.setattr(
            stress, "DEFECTS", [type(each)(each.name, each.dose, chosen[each.name], each.apply) for each in some]
        )
        return measure(subject, deals=6, most=1000)


def told(found: stress.Stress, defect: str) -> dict[str, float]:
    """The metrics that tell a defect, each with the first dose."""
    firsts = {name: stress_page.told(found, defect, name) for name in found["real"]}
    return {name: first.dose for name, first in firsts.items() if first}


def test_the_bench_measures_every_metric_of_samples(found: stress.Stress) -> None:
    of_samples = [
        name for name, each in catalogue().metrics.items() if each.subject == "sample" and each.space in ("", "fd")
    ]
    assert list(found["real"]) == [*of_samples, "condition_accuracy"]
    assert (found["images"], found["deals"]) == (120, 6)


def test_noise_is_seen_by_distances_and_a_small_dose_by_none(found: stress.Stress) -> None:
    seen = told(found, "noise")
    assert {"fd_sample", "kd_sample", "recall", "condition_accuracy"} <= seen.keys() and set(seen.values()) == {0.5}


def test_swapped_labels_are_seen_by_metrics_of_labels_alone(found: stress.Stress) -> None:
    assert told(found, "swapped labels").keys() == {"fd_sample_by_label", "condition_accuracy"}
    accuracy = found["responses"]["swapped labels"]["condition_accuracy"]
    assert accuracy["median"] == pytest.approx([0.9, 0], abs=0.01) and accuracy["below"] == [1, 1]


def test_no_defect_is_a_sample_of_real_images(found: stress.Stress) -> None:
    low, middle, high = found["real"]["memorised_share"]
    assert low <= middle <= high < 0.2
    assert found["real"]["condition_accuracy"] == [1, 1, 1]


def test_copies_are_seen_by_the_metric_of_copies(found: stress.Stress) -> None:
    assert told(found, "training images")["memorised_share"] == 1
    assert "fd_sample" not in told(found, "training images")


def test_features_of_an_image_are_computed_once() -> None:
    computed: list[int] = []

    def compute(images: Tensor) -> Tensor:
        computed.append(len(images))
        return images.flatten(1).float()

    images = torch.arange(24, dtype=torch.uint8).reshape(6, 1, 2, 2)
    remembered = stress.Remembered(compute)
    for rows in ([0, 1, 2], [2, 3, 3, 0], [1, 3]):
        assert torch.equal(remembered(images[rows]), images[rows].flatten(1).float())
    assert computed == [3, 1]


def test_images_are_dealt_in_pairs_of_like_labels() -> None:
    held_out = images_of(241, 1)
    held_out = Images(np.arange(241, dtype=np.uint8).reshape(-1, 1, 1, 1), held_out.labels, held_out.modes)
    test, drawn = stress._dealt(held_out, 90, seed=3)
    both = np.concatenate([test.pixels, drawn.pixels]).ravel()
    assert len(set(both.tolist())) == 180
    assert (test.labels != drawn.labels).sum() <= 2  # at the borders of classes with an odd number of images
    assert not np.array_equal(stress._dealt(held_out, 90, seed=4)[0].pixels, test.pixels)


def test_modes_of_attributes_are_clusters() -> None:
    blobs = np.repeat(np.linspace(0, 250, 10).astype(np.uint8), 30).reshape(-1, 1, 1, 1)
    facts = Facts("faces", (1, 1, 1), 256, (-1.0, 1.0), ["a", "b"], [["no", "yes"]] * 2)
    train, held_out = stress._modes(facts, blobs, np.zeros((300, 2), int), blobs[::30], np.zeros((10, 2), int))
    assert sorted(held_out) == list(range(10)) and np.array_equal(train[::30], held_out)


def results() -> dict[str, Any]:
    def response(*above: float) -> dict[str, list[float]]:
        return {"median": [1.0, 5.0], "below": [0.0, 0.0], "above": list(above)}

    of = {"images": 1200, "deals": 40, "real": {"fd_sample": [0.5, 1.0, 1.5], "precision": [0.5, 1.0, 1.5]}}
    seen = {"blur": {"fd_sample": response(0.79, 0.8), "precision": response(0.9, 0)}, "noise": {}}
    doses = {"blur": [0.005, 0.02], "noise": [0.1, 0.2]}
    return {"digits": {**of, "doses": doses, "responses": seen}}


def test_the_page_says_what_is_told_praised_and_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, plot = tmp_path / "metrics.md", tmp_path / "stress.svg"
    page.write_text(f"before\n{stress_page.BEGIN}\nold\n{stress_page.END}\nafter\n")
    monkeypatch.setattr(stress_page, "PAGE", page)
    monkeypatch.setattr(stress_page, "PLOT", plot)
    stress_page.write(results())
    text = page.read_text()
    assert "| `fd_sample` | 2 | – |" in text and "| `precision` | 0.5 (+) | – |" in text
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "40 deals of 1,200" in text and plot.read_text().count("<svg") == 1
    first = page.read_bytes(), plot.read_bytes()
    stress_page.write(results())
    assert (page.read_bytes(), plot.read_bytes()) == first
    page.write_text(f"before\n{stress_page.END}\n{stress_page.BEGIN}\n")
    with pytest.raises(UserError, match="metrics.md lacks the marks of the table; write"):
        stress_page.write(results())


def test_a_data_set_without_a_store_is_named(tmp_path: Path) -> None:
    found = CliRunner().invoke(stress.main, ["none", "--data", str(tmp_path)])
    assert found.exit_code == 1 and "none.h5" in found.output and "Traceback" not in found.output

"""The examples of docs/own_parts.md work as they stand."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.test_image_features import images_of
from tests.models.test_contracts import FACTS, VECTORS, assert_draws, assert_survives_saving, trained_for_an_epoch
from vaeline.data import raw_images
from vaeline.evaluation.catalogue import catalogue, load
from vaeline.models.model import Model
from vaeline.models.shape_checks import check_shapes
from vaeline.study import parts
from vaeline.study.schema import Dataset, Variant
from vaeline.system.errors import UserError

PAGE = (Path(__file__).parents[2] / "docs/own_parts.md").read_text(encoding="utf-8")
EXAMPLES = {
    "networks/resnet": "ResNet-18", "metrics/contrast": "How much the samples", "sets/saved_array": "Images and classes in one file",
}  # fmt: skip
Write = Callable[[str, str, str], Path]


@pytest.fixture
def example(write_own: Write) -> Callable[[str], None]:
    """Writes an example of the page to the place that the page names."""

    def write(place: str) -> None:
        assert f"`parts/{place}.py`" in PAGE
        [source] = [
            each
            for each in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
            if each.startswith(f'"""{EXAMPLES[place]}')
        ]
        write_own(*place.split("/"), source)

    return write


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    catalogue.cache_clear()
    yield
    catalogue.cache_clear()


def test_the_page_has_the_folder_of_every_family() -> None:
    assert [family for family in parts.OWN_FAMILIES if f"`parts/{family}`" not in PAGE] == []


def test_a_module_of_another_package_is_a_network(example: Callable[[str], None], tmp_path: Path) -> None:
    example("networks/resnet")
    for condition in (None, {"embedding": 2}):
        model = Model(Variant.model_validate({**VECTORS, "condition": condition, "network": {"name": "resnet"}}), FACTS)
        check_shapes(model, FACTS)
    trained = trained_for_an_epoch(model, FACTS, tmp_path)
    assert_draws(trained)
    assert_survives_saving(trained, tmp_path / "run")


def test_the_metric_is_0_for_real_images_and_grows_as_contrast_falls(example: Callable[[str], None]) -> None:
    example("metrics/contrast")
    assert catalogue().metric("contrast").better == "lower"
    images = np.random.default_rng(0).integers(0, 2, (40, 1, 8, 8), dtype=np.uint8) * 100
    real, pale = images_of(images), images_of(images // 2)
    assert load("contrast").measure(real, real) == {"contrast": 0}
    assert load("contrast").measure(pale, real)["contrast"] == pytest.approx(np.log(2))


def test_the_data_set_is_read_and_asks_for_its_folder(example: Callable[[str], None], tmp_path: Path) -> None:
    example("sets/saved_array")
    dataset = Dataset(id="tiny", name="saved_array", size=8, source=str(tmp_path))
    vars(parts.module("sets", "saved_array"))["example"](tmp_path)
    raw = raw_images.read(dataset)
    assert len(raw.ids) == 20 and raw.labels.values == [["0", "1"]]
    (tmp_path / "images.npz").write_bytes(b"")
    with pytest.raises(UserError, match="images.npz is damaged"):
        raw_images.read(dataset)

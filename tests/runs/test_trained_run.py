"""A trained run in Python: results and refusals."""

import io
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import vaeline
from tests.data.sets.sources import encoded, picture, write_files
from tests.data.test_decoding import deep_png
from tests.made_up import OF_RUN
from vaeline.data import raw_images, splits, store
from vaeline.data.decoding import decode
from vaeline.data.facts import Facts, UnseenLabels
from vaeline.data.preprocessing import preprocess
from vaeline.data.store import Split
from vaeline.metrics import _trust
from vaeline.metrics.nll import Unconverged
from vaeline.models.model import Model
from vaeline.runs import model_files, trained_run
from vaeline.runs.arguments import as_images
from vaeline.runs.pictures import grid
from vaeline.runs.trained_run import TrainedRun
from vaeline.study.schema import Dataset, Variant
from vaeline.system.errors import UserError

FACTS = Facts("blots", (1, 4, 4), 8, (0.0, 1.0), ["shape", "dark"], [["round", "square", "odd"], ["no", "yes"]])
CLASSES = Facts("blots", (1, 4, 4), 8, (0.0, 1.0), ["shape"], [["round", "square", "odd"]])
PLAIN: dict[str, Any] = {
    "network": {"name": "mlp", "widths": [8]}, "latent": 3, "condition": None, "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"}, "likelihood": {"name": "learned_sigma"}, "regularizer": {"name": "kl"},
}  # fmt: skip
CONDITIONAL: dict[str, Any] = PLAIN | {"condition": {"embedding": 2}}
Make = Callable[..., TrainedRun]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Write an untrained run of a study, and the store beside it; load it."""

    def make(variant: dict[str, Any], facts: Facts = FACTS) -> TrainedRun:
        generator = np.random.default_rng(0)

        def split(count: int) -> Split:
            labels = [generator.integers(0, values, count) for values in facts.label_cardinalities]
            images = generator.integers(0, facts.levels or 8, (count, *facts.image_shape)).astype(facts.dtype)
            return Split(images, np.stack(labels, 1), [f"{row}" for row in range(count)])

        known = store.write(tmp_path / "data/blots.h5", facts, {name: split(30) for name in splits.SPLITS})
        folder = tmp_path / "results/tiny/runs/one/seed-0"
        torch.manual_seed(0)
        model_files.save(folder, Model(Variant.model_validate(variant), known), known, OF_RUN)
        return vaeline.load(folder)

    return make


@pytest.mark.parametrize("above", [1, 2, 3])
def test_a_folder_above_a_run_is_named_with_a_run(made: Make, tmp_path: Path, above: int) -> None:
    made(PLAIN)
    run = tmp_path / "results/tiny/runs/one/seed-0"
    with pytest.raises(UserError, match=f"is no folder of a run; give one such as {run}"):
        vaeline.load(run.parents[above - 1])


def test_labels_that_are_not_named_come_from_test_images(made: Make) -> None:
    run = made(CONDITIONAL)
    labels = run.labels(200, shape="odd")
    assert (labels[:, 0] == 2).all() and set(labels[:, 1]) == {0, 1}
    assert run.labels(2, {"shape": 1}, dark=[1, "no"]).tolist() == [[1, 1], [1, 0]]
    assert (run.labels(9, seed=1) == run.labels(9, seed=1)).all() and (run.labels(9) != run.labels(9, seed=1)).any()


def test_samples_follow_from_the_seed_alone(made: Make) -> None:
    run = made(CONDITIONAL)
    torch.manual_seed(7)
    one, other = run.sample(300, shape=0), run.sample(300, shape=0)
    drawn = torch.rand(1)
    torch.manual_seed(7)
    assert drawn == torch.rand(1)
    assert one.shape == (300, 1, 4, 4) and one.dtype == np.uint8 and one.max() < 8
    assert (one == other).all() and (one != run.sample(300, shape=0, seed=1)).any()
    labels = run.labels(300, shape=0)
    np.testing.assert_array_equal(run.decode(run.draw(labels), labels)[:256], one[:256])


def test_draws_of_a_likelihood_without_a_mean_are_seeded(made: Make) -> None:
    likelihood = {"name": "pixelcnn", "width": 4, "layers": 1, "features": 2, "components": 1}
    run = made(PLAIN | {"likelihood": likelihood}, replace(FACTS, pixels="greys"))
    z = np.zeros((8, 3), np.float32)
    first = run.decode(z)
    torch.rand(1)
    np.testing.assert_array_equal(run.decode(z), first)
    assert (run.decode(z, noise_seed=1) != first).any()
    samples = run.sample(8, seed=1)
    z = run.draw(np.zeros((8, 2), np.int64), seed=1)
    np.testing.assert_array_equal(run.decode(z, noise_seed=1), samples)


def test_images_are_edited_by_decoding_with_other_labels(made: Make) -> None:
    run = made(CONDITIONAL)
    images, labels = run.split().images[:6], run.split().labels[:6]
    z = run.encode(images, labels)
    np.testing.assert_array_equal(run.reconstruct(images, labels), run.decode(z, labels))
    edited = labels.copy()
    edited[:, 1] = 1
    np.testing.assert_array_equal(run.reconstruct(images, labels, dark="yes"), run.decode(z, edited))
    assert z.shape == (6, 3) and (run.reconstruct(images, labels, dark=0) != run.decode(z, edited)).any()


def test_log_prob_averages_classes_by_their_frequency(made: Make) -> None:
    run = made(CONDITIONAL, CLASSES)
    images = run.split().images[:5]
    given = [run.log_prob(images, np.full((5, 1), label), samples=4000, seed=label) for label in range(3)]
    shares = np.bincount(run.split("train").labels[:, 0], minlength=3) / 30
    marginal = np.log(sum(share * np.exp(each) for share, each in zip(shares, given, strict=True)))
    # Noise that dequantizes is of the seed too.
    assert run.log_prob(images, samples=4000) == pytest.approx(marginal, abs=1.0)
    assert run.log_prob(images, samples=4000).mean() == pytest.approx(marginal.mean(), abs=0.3)


def test_log_prob_of_a_decoder_that_ignores_z_is_exact(made: Make) -> None:
    variant = PLAIN | {"likelihood": {"name": "fixed_sigma", "sigma": 0.3}}
    run = made(variant, replace(CLASSES, pixels="greys"))
    with torch.no_grad():
        for parameter in run.model.network.parameters():
            parameter.zero_()
        mean = run.model.decode(torch.zeros(1, 3), None).double()
    x = torch.from_numpy(run.split().images[:4]).double() / 7
    expected = torch.distributions.Normal(mean, float(run.model.likelihood.sigma)).log_prob(x).flatten(1).sum(1)
    assert run.log_prob(run.split().images[:4], samples=20_000) == pytest.approx(expected.numpy(), abs=0.01)


def test_log_prob_takes_the_same_images_for_all_runs_and_draws_for_each(made: Make) -> None:
    run = made(PLAIN | {"likelihood": {"name": "fixed_sigma", "sigma": 0.1}}, CLASSES)
    images, other = run.split().images[:4], TrainedRun(run.model, run.facts, run.store, run_seed=1)
    assert (run.log_prob(images, samples=200) != other.log_prob(images, samples=200)).all()
    with torch.no_grad():
        for parameter in run.model.network.parameters():
            parameter.zero_()  # the decoder ignores z, so that the noise of the images alone decides
    assert run.log_prob(images, samples=2000) == pytest.approx(other.log_prob(images, samples=2000), abs=0.1)
    assert (abs(run.log_prob(images, samples=2000) - run.log_prob(images, samples=2000, seed=1)) > 0.2).any()


def test_chains_that_fail_give_a_warning(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no estimate has so small a variance, all images are annealed; here no chain is good enough."""
    monkeypatch.setattr(_trust, "MOST_VARIANCE", 0.0)
    monkeypatch.setattr(trained_run, "LEAST_SHARE", 2.0)
    run = made(PLAIN)
    with pytest.warns(Unconverged, match="The chains of 3 of 3 images are not half effective"):
        assert run.log_prob(run.split().images[:3], samples=10).shape == (3,)


def test_latents_interpolate_directly_or_through_the_flow(made: Make) -> None:
    run = made(PLAIN | {"prior": {"name": "decoupled"}})
    ends = run.encode(run.split().images[:4])
    straight = run.interpolate(ends[:2], ends[2:], 5)
    through = run.interpolate(ends[:2], ends[2:], 5, through_flow=True)
    assert straight.shape == through.shape == (2, 5, 3)
    np.testing.assert_allclose(straight[:, 2], (ends[:2] + ends[2:]) / 2, atol=1e-6)
    for way in (straight, through):
        np.testing.assert_allclose(way[:, [0, -1]], np.stack([ends[:2], ends[2:]], 1), atol=1e-4)
    with torch.no_grad():
        u = run.model.prior.flow(torch.from_numpy(through).flatten(0, 1))[0].unflatten(0, (2, 5))
    np.testing.assert_allclose(u[:, 2], (u[:, 0] + u[:, -1]) / 2, atol=1e-4)


def mistakes() -> list[tuple[dict[str, Any], Callable[[TrainedRun], object], str]]:
    return [
        (CONDITIONAL, lambda run: run.sample(4, shape=3), "shape has no value '3'; it has: round, square, odd"),
        (CONDITIONAL, lambda run: run.sample(4, size=1), "no label 'size'; there are: shape, dark"),
        (CONDITIONAL, lambda run: run.sample(4, shape=[0, 1]), "shape has 2 values for 4 images"),
        (CONDITIONAL, lambda run: run.reconstruct(run.split().images[:3]), "give the images' labels.*`run.labels.3, shape=....` makes them"),
        (CONDITIONAL, lambda run: run.decode(np.zeros((2, 3), np.float32), np.zeros((3, 2), int)), "2 images take whole"),
        (CONDITIONAL, lambda run: run.decode(np.zeros((1, 3), np.float32), np.full((1, 2), 2)), "label is out of range"),
        (CONDITIONAL, lambda run: run.log_prob(run.split().images), "no p.y. to sum over"),
        (PLAIN, lambda run: run.sample(4, shape=0), "is not conditional, so shape cannot be set"),
        (PLAIN, lambda run: run.encode(run.split().images / 8), r"takes uint8 \(n, 1, 4, 4\)"),
        (PLAIN, lambda run: run.encode(run.split().images[:, :, :2]), r"Images are uint8 \(30, 1, 2, 4\)"),
        (PLAIN, lambda run: run.encode(np.zeros((9, 9, 3), np.uint8)), "pictures of another size are paths or images of Pillow"),
        (PLAIN, lambda run: run.encode(run.split().images + np.uint8(200)), "levels of this run's images are 0 to 7"),
        (PLAIN, lambda run: run.log_prob(run.split().images, samples=9), "samples is 9; it must be a whole number from 10 to"),
        (PLAIN, lambda run: run.interpolate(np.zeros((1, 3)), np.zeros((1, 3)), 3, True), "no flow to interpolate through"),
        (PLAIN, lambda run: run.interpolate(np.zeros((1, 3)), np.zeros((2, 3))), r"both must be \(n, latent\)"),
        (PLAIN | {"posterior": {"name": "deterministic"}, "regularizer": {"name": "none"}},
         lambda run: run.log_prob(run.split().images), "no likelihood to estimate: q.z.x. is a point"),
    ]  # fmt: skip


@pytest.mark.parametrize(("variant", "mistake", "sentence"), mistakes())
def test_mistakes_are_named(
    made: Make, variant: dict[str, Any], mistake: Callable[[TrainedRun], object], sentence: str
) -> None:
    run = made(variant)
    with pytest.raises(UserError, match=sentence):
        mistake(run)


STRANGE: list[Any] = [
    None, "x", "photo.png", Path("photo.png"), b"x", 3, -1, 2**70, 1.5, float("nan"), True, [], [[]], [[1, 2], [3]], {}, {"shape": None},
    {"shape": 1.5}, {"shape": []}, {1: 2}, object(), iter([1]), [None], ["round"], np.zeros(0), np.zeros((0, 3)), np.zeros((2, 4)),
    np.full((2, 3), np.nan), np.full((2, 3), 1e300), np.zeros((2, 3), complex), np.zeros((2, 3), object), np.array("x"), np.array(3),
    np.full((2, 1, 4, 4), -1), np.full((2, 1, 4, 4), np.inf), torch.zeros(2, 3, dtype=torch.bfloat16), torch.zeros(2, 3, requires_grad=True),
    "x" * 5000, "a\0b", "meta", "cuda:99", (each for each in [1]), [True], np.array([True, False]), np.ma.array([0, 1], mask=[0, 1]),
    np.ma.array(np.zeros((2, 3)), mask=True), [np.ma.array([0.0, 0, 0], mask=True)] * 2, np.zeros((2, 3), np.float16), np.zeros((0, 1, 4, 4)),
    np.zeros((2, 3), "M8[s]"), np.full((2, 2), 2**63, np.uint64), np.array([[np.nan, None]]), torch.zeros(2, 3, device="meta"),
    torch.zeros(2, 3).to_sparse(), np.zeros((2, 3), [("a", int)]), 10**4, slice(2), range(2), {0, 1}, memoryview(b"ab"),
    Image.new("RGB", (5, 4)), Image.new("I", (4, 4)), [Image.new("L", (4, 4)), "x"], [Image.new("L", (3, 3))],
]  # fmt: skip
CALLS: dict[str, Callable[[TrainedRun, Any], object]] = {
    "split": lambda run, value: run.split(value),
    "labels count": lambda run, value: run.labels(value),
    "labels wanted": lambda run, value: run.labels(2, value),
    "labels value": lambda run, value: run.labels(2, shape=value),
    "labels seed": lambda run, value: run.labels(2, seed=value),
    "sample count": lambda run, value: run.sample(value),
    "sample wanted": lambda run, value: run.sample(2, value),
    "sample value": lambda run, value: run.sample(2, shape=value),
    "sample seed": lambda run, value: run.sample(2, seed=value),
    "draw labels": lambda run, value: run.draw(value),
    "draw seed": lambda run, value: run.draw([[0, 0]], value),
    "decode z": lambda run, value: run.decode(value, [[0, 0], [0, 0]]),
    "decode labels": lambda run, value: run.decode([[0, 0, 0]], value),
    "encode images": lambda run, value: run.encode(value, [[0, 0], [0, 0]]),
    "encode labels": lambda run, value: run.encode(np.zeros((1, 1, 4, 4), int), value),
    "reconstruct images": lambda run, value: run.reconstruct(value, [[0, 0], [0, 0]]),
    "reconstruct value": lambda run, value: run.reconstruct(np.zeros((2, 1, 4, 4), int), [[0, 0], [0, 0]], shape=value),
    "interpolate first": lambda run, value: run.interpolate(value, [[0, 0, 0], [0, 0, 0]]),
    "interpolate steps": lambda run, value: run.interpolate([[0, 0, 0]], [[0, 0, 0]], value),
    "unseen_combinations labels": lambda run, value: run.unseen_combinations(value, ["shape"]),
    "unseen_combinations chosen": lambda run, value: run.unseen_combinations([[0, 0]], value),
    "interpolate through_flow": lambda run, value: run.interpolate(np.zeros((1, 3)), np.zeros((1, 3)), 3, value),
    "log_prob images": lambda run, value: run.log_prob(value, [[0, 0], [0, 0]], 10),
    "log_prob labels": lambda run, value: run.log_prob(np.zeros((1, 1, 4, 4), int), value, 10),
    "log_prob samples": lambda run, value: run.log_prob(np.zeros((1, 1, 4, 4), int), [[0, 0]], value),
    "log_prob seed": lambda run, value: run.log_prob(np.zeros((1, 1, 4, 4), int), [[0, 0]], 10, value),
    "load folder": lambda run, value: vaeline.load(value),
    "load store": lambda run, value: vaeline.load(run.store.parents[1] / "results/tiny/runs/one/seed-0", value),
    "load device": lambda run, value: vaeline.load(run.store.parents[1] / "results/tiny/runs/one/seed-0", None, value),
}


@pytest.mark.parametrize("variant", [PLAIN, CONDITIONAL], ids=["plain", "conditional"])
@pytest.mark.filterwarnings("ignore::vaeline.metrics.nll.Unconverged")
def test_a_strange_argument_works_or_is_one_sentence(made: Make, variant: dict[str, Any]) -> None:
    run, said = made(variant), []
    for name, call in CALLS.items():
        for value in STRANGE:
            try:
                call(run, value)
            except UserError as error:
                said.append(str(error))
            except Exception as error:
                raise AssertionError(f"{name} of {value!r}") from error
    assert len(said) > len(CALLS) * len(STRANGE) // 2
    assert not [sentence for sentence in said if len(sentence) > 600 or "\n" in sentence]


def test_what_can_mean_one_thing_only_is_converted(made: Make) -> None:
    run = made(CONDITIONAL, CLASSES)
    z, labels = np.array([[0.5, -1.0, 2.0], [0.0, 1.0, 0.0]], np.float32), np.array([[1], [2]])
    decoded = run.decode(z, labels)
    for same in (z.astype(np.float64), z.tolist(), torch.from_numpy(z), torch.from_numpy(z).double().requires_grad_()):
        np.testing.assert_array_equal(run.decode(same, [1, 2]), decoded)
    images = run.split().images[:2]
    encoded = run.encode(images, labels)
    for same in (images.tolist(), images.astype(np.int64), torch.from_numpy(images)):
        np.testing.assert_array_equal(run.encode(same, labels.tolist()), encoded)
    pictures = [Image.fromarray(np.rint(image[0] * (255 / 7)).astype(np.uint8)) for image in images]  # 8 levels
    np.testing.assert_array_equal(run.encode(pictures, labels), encoded)
    np.testing.assert_array_equal(run.encode(pictures[0].convert("RGB"), [1]), run.encode(images[:1], [1]))
    assert run.sample(np.int64(2), shape=np.array(["round", "odd"]), seed=np.uint8(3)).shape == (2, 1, 4, 4)


def files_of_pictures() -> dict[str, bytes]:
    """Image files of 4x4 pixels, of black that is transparent, and of photographs that were not taken upright."""
    sideways, shades = Image.Exif(), Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4) * 15)
    sideways[0x0112] = 3
    clear = shades.convert("RGBA")
    clear.putalpha(Image.fromarray(np.arange(16, dtype=np.uint8)[::-1].reshape(4, 4) * 17))
    return {
        "transparent": encoded(clear, "PNG"),
        "grey and transparent": encoded(clear.convert("LA"), "PNG"),
        "one transparent colour": encoded(shades, "PNG", transparency=0),
        "a palette with transparency": encoded(shades.convert("P"), "PNG", transparency=bytes(range(0, 256, 4))),
        "a bitmap with an empty alpha channel": encoded(Image.new("RGBA", (4, 4), (90, 0, 0, 0)), "TGA"),
        "a palette": encoded(shades.convert("P"), "GIF"),
        **{f"turned {kind}": encoded(shades, kind, exif=sideways) for kind in ("JPEG", "PNG", "TIFF", "WEBP")},
    }  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", files_of_pictures())
def test_an_image_of_pillow_is_what_the_pipeline_makes_of_its_file(name: str, channels: int) -> None:
    file = files_of_pictures()[name]
    facts = Facts("photos", (channels, 4, 4), 256, (0.0, 1.0), ["shape"], [["round", "square"]])
    read = as_images([Image.open(io.BytesIO(file))], facts)
    np.testing.assert_array_equal(read[0].transpose(1, 2, 0), decode(file, channels))


def test_a_photograph_is_measured_when_it_is_upright() -> None:
    sideways = Image.Exif()
    sideways[0x0112] = 6
    facts = Facts("photos", (1, 4, 2), 256, (0.0, 1.0), ["shape"], [["round", "square"]])
    lying = Image.open(io.BytesIO(encoded(Image.new("L", (4, 2)), "PNG", exif=sideways)))
    assert as_images(lying, facts).shape == (1, 1, 4, 2)
    assert as_images(Image.new("L", (4, 2)), facts).shape == (1, 1, 4, 2)


PHOTOS = Facts("photos", (3, 4, 6), 256, (0.0, 1.0), ["shape"], [["round", "square"]])


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_pictures_of_ones_own_are_prepared_as_the_data_were(fit: str, tmp_path: Path) -> None:
    files = {f"{number}.png": encoded(picture(number), "PNG") for number in range(60)}
    write_files(tmp_path / "photos", files)
    dataset = Dataset.model_validate(
        {"id": "photos", "name": "image_folder", "size": [4, 6], "source": str(tmp_path / "photos"), "fit": fit}
    )
    facts = preprocess(dataset, raw_images.fetch(dataset), tmp_path / "photos.h5", threads=1)
    test = store.read_split(tmp_path / "photos.h5", "test")
    paths = [tmp_path / "photos" / name for name in store.read_ids(tmp_path / "photos.h5", "test")]
    np.testing.assert_array_equal(as_images(paths, facts), test.images)
    np.testing.assert_array_equal(as_images([Image.open(path) for path in paths], facts), test.images)
    np.testing.assert_array_equal(as_images([np.asarray(Image.open(path)) for path in paths], facts), test.images)
    np.testing.assert_array_equal(
        as_images(np.stack([np.asarray(Image.open(path)) for path in paths]), facts), test.images
    )
    np.testing.assert_array_equal(as_images(str(paths[0]), facts), test.images[:1])
    np.testing.assert_array_equal(as_images(test.images, facts), test.images)  # as the store has them


def test_pictures_take_the_levels_of_the_data() -> None:
    white, eight = Image.new("L", (9, 9), "white"), replace(FACTS, levels=8)
    assert (as_images(white, eight) == 7).all() and as_images(white, eight).shape == (1, 1, 4, 4)
    grey = as_images(
        [Image.new("L", (100, 100), 128)] * 40, replace(PHOTOS, image_shape=(1, 8, 8), pixels="static_binary")
    )
    assert set(np.unique(grey)) == {0, 255} and 0.4 < (grey == 255).mean() < 0.6
    with pytest.raises(UserError, match=r"Images are uint8 \(9, 9\)"):  # may mean levels, or grey from 0 to 255
        as_images(np.asarray(white), eight)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("nowhere.jpg", "There is no picture 'nowhere.jpg'; give the path of an image file"),
        (".", r"The picture .\.. is a folder; give the paths of its images, as a list"),
        (__file__, "test_trained_run.py cannot be decoded .*; give another image"),
        ([np.zeros((9, 9, 4), np.uint8)], "Images are"),
        (np.zeros((3, 9, 3), np.uint8), r"Images are uint8 \(3, 9, 3\)"),  # channels may be first or last
        (np.zeros((9, 9, 3)), "Images are float64"),
    ],
)
def test_what_is_no_picture_is_refused(given: object, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        as_images(given, PHOTOS)


def test_points_are_no_pictures(made: Make) -> None:
    with pytest.raises(UserError, match="Images are 'a.png'; give float32"):
        as_images("a.png", Facts("moons", (2,), 0, (-1.0, 1.0), [], [], pixels="points"))


def test_a_direction_is_the_difference_of_mean_latents(made: Make) -> None:
    run = made(PLAIN)
    train = run.split("train")
    z, dark = run.encode(train.images), train.labels[:, 1]
    expected = z[dark == 1].mean(0) - z[dark == 0].mean(0)
    np.testing.assert_allclose(run.direction("dark"), expected, atol=1e-6)
    np.testing.assert_allclose(run.direction("dark", "no"), -expected, atol=1e-6)
    shape = train.labels[:, 0]
    odd = z[shape == 2].mean(0)
    np.testing.assert_allclose(run.direction("shape", "odd"), odd - z[shape != 2].mean(0), atol=1e-6)
    np.testing.assert_allclose(run.direction("shape", 2, "round"), odd - z[shape == 0].mean(0), atol=1e-6)
    assert run.decode(z[:3] + 2 * run.direction("dark")).shape == (3, 1, 4, 4)


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda run: run.direction("Smiling"), "There is no label 'Smiling'; there are: shape, dark"),
        (lambda run: run.direction("shape"), "shape is no label of yes and no; name the value to move to: round, square, odd"),
        (lambda run: run.direction("shape", "oval"), "shape has no value 'oval'"),
        (lambda run: run.direction("dark", "yes", "no", images=0), "images is 0; it must be a whole number"),
        (lambda run: run.save_grid(run.sample(2), "a.jpg"), "path is 'a.jpg'; give one that ends in .png"),
        (lambda run: run.save_grid(run.sample(2), f"{__file__}/a.png"), "test_trained_run.py/a.png cannot be written .*; check the folder"),
        (lambda run: run.save_grid(np.zeros((2, 1, 3, 3), np.uint8), "a.png"), r"Images are uint8 \(2, 1, 3, 3\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_of_a_run_is_one_sentence(
    made: Make, ask: Callable[[TrainedRun], object], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        ask(made(PLAIN))


@pytest.mark.parametrize(
    ("value", "away", "sentence"),
    [
        (["odd", "round"], None, "shape is .*; give one value"),
        ("odd", "odd", "shape moves from 'odd' to itself"),
        (2, "odd", "to itself"),
    ],
)
def test_a_direction_has_one_value_at_each_end(made: Make, value: Any, away: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        made(PLAIN).direction("shape", value, away)


def test_a_direction_needs_images_on_both_sides(made: Make) -> None:
    with pytest.raises(
        UserError, match="odd has too few|shape has too few training images to tell a direction: 0 of the 2"
    ):
        run = made(PLAIN)
        run.split("train").labels[:, 0] = 0
        run.direction("shape", "odd", images=2)


def test_a_grid_is_a_picture_of_the_images(made: Make, tmp_path: Path) -> None:
    run = made(PLAIN)
    images = run.sample(6)
    run.save_grid(images, tmp_path / "a.png", columns=3)
    run.save_grid(images.reshape(2, 3, 1, 4, 4), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes() == grid(images, 8, 3)


@pytest.mark.parametrize("mode", ["I", "I;16", "I;16B", "F", "RGB"])
def test_an_image_of_pillow_with_16_bits_is_refused_as_in_the_pipeline(mode: str) -> None:
    facts = Facts("photos", (3, 8, 8), 256, (0.0, 1.0), ["shape"], [["round", "square"]])
    image = Image.open(io.BytesIO(deep_png())) if mode == "RGB" else Image.new(mode, (8, 8))
    with pytest.raises(UserError, match=r"An image .* more than 8 bits a channel \(mode .*\); convert it to 8 bits"):
        as_images([image], facts)


@pytest.mark.parametrize("stages", [1, 3])
def test_indices_of_a_codebook_are_latents(stages: int, made: Make) -> None:
    variant = PLAIN | {
        "network": {"name": "conv", "width": 8, "depth": 2}, "latent": 4, "posterior": {"name": "vector_quantized", "codes": 8, "stages": stages},
        "prior": {"name": "uniform"}, "regularizer": {"name": "commitment"},
    }  # fmt: skip
    run = made(variant)
    indices = run.draw(np.zeros((3, 2), int))
    assert indices.shape == (3, 1, stages)
    np.testing.assert_array_equal(run.decode(indices.tolist()), run.decode(indices))
    assert run.decode(run.encode(run.split().images[:2])).shape == (2, 1, 4, 4)
    for wrong in (np.full(indices.shape, 8), np.full(indices.shape, -1)):
        with pytest.raises(UserError, match="An index of the codebook is out of range; indices are 0 to 7"):
            run.decode(wrong)
    with pytest.raises(UserError, match=r"Latents are float32 \(2, 9\); this run takes float32 \(n, 4, 1, 1\)"):
        run.decode(np.zeros((2, 9), np.float32))


def test_points_are_converted_and_must_be_finite(made: Make) -> None:
    run = made(PLAIN, Facts("blots", (2,), 0, (0.0, 1.0), ["shape"], [["round", "square"]], pixels="points"))
    points = [[0.0, 1.0], [2.0, 3.0]]
    np.testing.assert_array_equal(run.encode(points), run.encode(np.array(points, np.float32)))
    with pytest.raises(UserError, match="1 of 2 points are not finite in 32 bits; leave out NaN"):
        run.encode([[0.0, np.nan], [1.0, 2.0]])


def test_masked_and_missing_values_are_never_taken_for_numbers(made: Make) -> None:
    run, masked = made(PLAIN), np.ma.array(np.zeros((2, 3)), mask=[[0, 0, 1], [0, 0, 0]])
    for latents in (masked, list(masked), tuple(masked)):
        with pytest.raises(
            UserError, match="Latents have masked values; fill them or leave them out, and give float32"
        ):
            run.decode(latents)
    np.testing.assert_array_equal(run.decode(np.ma.array(masked.data)), run.decode(masked.data))
    with pytest.raises(UserError, match=r"dark is masked_array.*; give the name or the number of a value"):
        made(CONDITIONAL).labels(2, dark=np.ma.array([0, 1], mask=[0, 1]))


def test_true_and_false_are_yes_and_no_and_nothing_else(made: Make) -> None:
    run = made(CONDITIONAL)
    for yes in (True, np.True_, [True, True], np.array([True, True])):
        assert (run.labels(2, shape=0, dark=yes)[:, 1] == 1).all()
    with pytest.raises(UserError, match="shape has no value 'yes'; it has: round, square, odd"):
        run.labels(2, shape=True)


def test_a_path_that_the_system_refuses_is_one_sentence() -> None:
    with pytest.raises(UserError, match=r"^xxx.*variant.yaml cannot be read .*File name too long.*check the path"):
        vaeline.load("x" * 5000)


def test_a_device_that_holds_no_numbers_is_refused(made: Make, tmp_path: Path) -> None:
    made(PLAIN)
    with pytest.raises(UserError, match="device is 'meta', which cannot be used .*; take cpu"):
        vaeline.load(tmp_path / "results/tiny/runs/one/seed-0", device="meta")


def test_empty_arguments_are_called_empty(made: Make) -> None:
    run = made(PLAIN)
    with pytest.raises(UserError, match=r"Latents are empty, float64 \(0, 3\); give at least one: float32 \(n, 3\)"):
        run.decode(np.zeros((0, 3)))
    with pytest.raises(UserError, match=r"Images are empty, uint8 \(0, 1, 4, 4\); give at least one"):
        run.encode(np.zeros((0, 1, 4, 4), np.uint8))


def test_a_long_interpolation_of_many_latents_is_refused(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", {"SC_PHYS_PAGES": 100, "SC_PAGE_SIZE": 4096}.__getitem__)
    with pytest.raises(UserError, match="steps is 500; it must be a whole number from 1 to 426"):
        made(PLAIN).interpolate(np.zeros((10, 3)), np.zeros((10, 3)), 500)


def test_more_images_than_the_memory_holds_are_refused(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="count is 100000000000000; it must be a whole number from 1 to"):
        made(PLAIN).sample(10**14)
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "1")  # a job of one megabyte, as a container of that size
    with pytest.raises(UserError, match="count is 20000; it must be a whole number from 1 to"):
        made(PLAIN).sample(20_000)


@pytest.mark.parametrize("folder", ["/", "/nowhere", ".", "..", "/usr", "a/b"])
def test_a_folder_that_holds_no_run_is_named_however_shallow(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"There is no .*variant.yaml; give the folder of a run, or get it"):
        vaeline.load(folder)


def test_a_run_in_a_shallow_folder_is_loaded(made: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(PLAIN)
    monkeypatch.chdir(tmp_path / "results/tiny/runs/one")
    monkeypatch.setattr("os.path.abspath", lambda path: "/seed-0")  # as if the run lay right below the root
    assert vaeline.load("seed-0").store == Path("data/blots.h5")


def test_a_store_of_different_images_is_refused_when_used(made: Make, tmp_path: Path) -> None:
    run = made(PLAIN)
    (tmp_path / "data/blots.h5").unlink()
    assert run.sample(3).shape == (3, 1, 4, 4)
    with pytest.raises(UserError, match=r"there is no .*blots.h5"):
        run.split()
    with pytest.raises(UserError, match="There is no nowhere.variant.yaml"):
        vaeline.load("nowhere")


def test_torch_is_imported_only_for_a_run() -> None:
    code = "import sys, vaeline; assert 'torch' not in sys.modules; vaeline.load; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        vaeline.nothing  # noqa: B018


def test_labels_that_training_never_saw_are_called_out(made: Make) -> None:
    run, images = made(CONDITIONAL), np.zeros((2, *FACTS.image_shape), np.uint8)
    run.facts = replace(run.facts, training_counts=[[30, 0, 0], [15, 15]])
    with pytest.warns(UnseenLabels, match=r"4 of 4 images to draw .*: shape=odd \(4\)"):
        run.sample(4, shape="odd", dark=0)
    with pytest.warns(UnseenLabels, match=r"1 of 2 images .*: shape=square \(1\)"):
        run.encode(images, np.array([[0, 0], [1, 0]]))
    with pytest.warns(UnseenLabels, match=r"2 of 2 images .*: shape=odd \(2\)"):
        run.reconstruct(images, np.zeros((2, 2), int), shape=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.sample(4, shape="round", dark=1)
        made(PLAIN).sample(4)

"""The explorer turns settings into pictures, and answers mistakes with sentences."""

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from tests.conftest import scramble
from tests.explorer.conftest import PLAIN
from tests.made_up import identity
from vaeline.data import store
from vaeline.data.facts import Facts
from vaeline.explorer import saved
from vaeline.explorer.drawing import Explorer
from vaeline.explorer.runs import Runs, find, find_named
from vaeline.explorer.settings import Settings, Side, parse_whole_number
from vaeline.models.model import Model
from vaeline.runs import model_files, pictures, trained_run
from vaeline.study.schema import Study, Variant
from vaeline.system.errors import UserError

SMALL, LARGE, PLAIN_SIDE = Side(variant="small", seed=0), Side(variant="large", seed=0), Side(variant="plain", seed=0)


def pixels(png: bytes) -> np.ndarray:
    with Image.open(BytesIO(png)) as image:
        return np.asarray(image).astype(int)


def drawn(explorer: Explorer, **chosen: Any) -> tuple[bytes, bytes]:
    """The draws of both sides."""
    left, right = explorer.render(Settings(**{"left": SMALL, "right": LARGE, **chosen}))
    return left.pictures["Draws"], right.pictures["Draws"]


def edited(explorer: Explorer, **chosen: Any) -> dict[str, bytes]:
    """The left side of an edit."""
    return explorer.render(Settings(**{"left": SMALL, "right": LARGE, "show": "edit", **chosen}))[0].pictures


def test_draws_equal_those_of_a_trained_run(explorer: Explorer, runs: Runs) -> None:
    trained = trained_run.load(runs.finished["small", 0])
    expected = trained.sample(9, {"dark": "yes"}, seed=5)
    assert drawn(explorer, noise=5, labels={"dark": "yes"})[0] == pictures.grid(expected)


def test_draws_with_noise_equal_those_of_a_trained_run_and_say_so(explorer: Explorer, runs: Runs) -> None:
    trained = trained_run.load(runs.finished["small", 0])
    settings = Settings(left=SMALL, right=LARGE, noise=5, labels={"dark": "yes"}, pixels="drawn")
    left, _ = explorer.render(settings)
    noisy = trained.sample(9, {"dark": "yes"}, seed=5, noise=True)
    assert left.pictures == {"Draws with noise": pictures.grid(noisy)}
    assert (noisy != trained.sample(9, {"dark": "yes"}, seed=5)).any()
    saved.save(runs, settings, explorer.render(settings))
    assert saved.read(runs, saved.names(runs)[0]) == settings


def test_pictures_follow_from_settings_alone(explorer: Explorer, runs: Runs) -> None:
    first = drawn(explorer, noise=3)
    torch.manual_seed(99)
    assert drawn(explorer, noise=4) != first
    assert drawn(explorer, noise=3) == first == drawn(Explorer(runs), noise=3)


def test_a_label_changes_only_models_that_use_labels(explorer: Explorer) -> None:
    for label, value in (("shape", "odd"), ("dark", "yes")):
        before = drawn(
            explorer, right=PLAIN_SIDE, labels={label: explorer.facts.label_values[0][0] if label == "shape" else "no"}
        )
        after = drawn(explorer, right=PLAIN_SIDE, labels={label: value})
        assert before[0] != after[0] and before[1] == after[1]
    left, right = explorer.render(Settings(left=SMALL, right=PLAIN_SIDE))
    assert not left.note and "no labels" in right.note


def test_labels_that_no_training_image_has_together_are_named(explorer: Explorer) -> None:
    def named(**chosen: Any) -> str:
        return explorer.unseen_combinations(Settings(left=SMALL, right=LARGE, **chosen))

    together = "No training image has shape=odd with dark=yes; a model has learned nothing about such a combination."
    assert named(labels={"shape": "odd", "dark": "yes"}) == named(labels={"shape": "odd"}, count=25) == together
    assert named() == named(labels={"shape": "round"}, count=25) == ""
    dark = int(explorer.test.labels[:, 1].argmax())
    assert named(show="edit", image=dark, labels={"shape": "odd"}) == together
    assert named(show="edit", image=dark, labels={"shape": "odd", "dark": "no"}) == ""


def test_both_sides_draw_from_the_same_seed(explorer: Explorer) -> None:
    """The same run gives the same picture on either side, whichever run is on the other side."""
    one, other = drawn(explorer, right=SMALL, noise=7)
    assert one == other
    assert drawn(explorer, right=PLAIN_SIDE, noise=7)[0] == one == drawn(explorer, left=LARGE, right=SMALL, noise=7)[1]


def test_a_latent_moves_by_standard_deviations_of_posterior_means(explorer: Explorer, runs: Runs) -> None:
    first = explorer.sliders("small", 0)[0]
    trained = trained_run.load(runs.finished["small", 0])
    test = trained.split()
    codes = trained.encode(test.images, test.labels)
    assert first.dimension == codes.std(0).argmax() and first.spread == pytest.approx(codes.std(0).max(), rel=1e-5)
    labels = trained.labels(4, seed=1)
    z = trained.draw(labels, seed=1)
    z[:, first.dimension] -= 2 * first.spread
    moved = SMALL.model_copy(update={"moved": {first.dimension: -2.0}})
    assert drawn(explorer, left=moved, count=4, noise=1)[0] == pictures.grid(trained.decode(z, labels))
    assert drawn(explorer, left=moved, count=4, noise=1)[1] == drawn(explorer, count=4, noise=1)[1]


def test_sliders_begin_with_the_latents_that_vary_most(explorer: Explorer) -> None:
    found = explorer.sliders("large", 0)
    assert [each.spread for each in found] == sorted((each.spread for each in found), reverse=True)
    assert sorted(each.dimension for each in found) == [0, 1, 2, 3, 4]


def test_a_test_image_is_edited_by_labels_and_latents(explorer: Explorer) -> None:
    test, own = explorer.test, explorer.labels_of(12)
    assert own == {"shape": ["round", "square", "odd"][test.labels[12, 0]], "dark": ["no", "yes"][test.labels[12, 1]]}
    as_it_is = edited(explorer, image=12)
    assert as_it_is["Original"] == pictures.grid(test.images[12:13])
    assert as_it_is["Edit"] == as_it_is["Reconstruction"] == edited(explorer, image=12, labels=own)["Edit"]
    other = edited(explorer, image=12, labels={"dark": "no" if own["dark"] == "yes" else "yes"})
    assert other["Reconstruction"] == as_it_is["Reconstruction"] and other["Edit"] != as_it_is["Edit"]
    moved = edited(explorer, image=12, left=SMALL.model_copy(update={"moved": {0: 1.5}}))
    assert moved["Reconstruction"] == as_it_is["Reconstruction"] and moved["Edit"] != as_it_is["Edit"]


def test_missing_runs_are_named_with_reasons(study: Study, runs: Runs, tmp_path: Path) -> None:
    assert runs.missing == {("large", 1): "not trained"} and runs.seeds("large") == [0]
    with pytest.raises(UserError, match=r"large seed 1 is missing \(not trained\)"):
        runs.folder_of("large", 1)
    longer = study.model_copy(update={"training": study.training.model_copy(update={"epochs": 4})})
    with pytest.raises(UserError, match="has no trained run of the study"):
        find(longer, tmp_path)
    assert find_named("tiny", tmp_path).finished == runs.finished


def test_nothing_outside_the_study_is_read(study: Study, runs: Runs, explorer: Explorer, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    runs.finished["small", 1].rename(outside)
    (tmp_path / "results/tiny/runs/small/seed-1").symlink_to(outside)
    assert find(study, tmp_path).missing["small", 1] == "its folder is a link to a place outside the study"
    for name in ("../../../elsewhere", str(outside), "../tiny/runs/small"):
        with pytest.raises(UserError, match="There is no trained run of"):
            drawn(explorer, left=Side(variant=name, seed=0))
        with pytest.raises(UserError, match="There is no"):
            saved.read(runs, name)
        with pytest.raises(UserError, match="--study is"):
            find_named(name, tmp_path)


def mistakes() -> list[tuple[dict[str, Any], str]]:
    return [
        ({"left": Side(variant="none", seed=0)}, "no trained run of 'none'; choose one of: small, large, plain"),
        ({"left": Side(variant="small", seed=7)}, "no run of small with seed 7; choose one of its seeds: 0, 1"),
        ({"labels": {"dark": "perhaps"}}, "dark has no value 'perhaps'; it has: no, yes"),
        ({"labels": {"size": "1"}}, "no label 'size'"),
        ({"count": 7}, "The number of draws is 7; it must be one of: 1, 4, 9, 16, 25"),
        ({"left": SMALL.model_copy(update={"moved": {3: 1.0}})}, "small has no latent 3; choose one from 0 to 2"),
        ({"show": "edit", "image": 40}, "no test image 40; choose one from 0 to 39"),
    ]


@pytest.mark.parametrize(("chosen", "sentence"), mistakes())
def test_mistakes_give_helpful_sentences(explorer: Explorer, chosen: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        drawn(explorer, **chosen)


@pytest.mark.parametrize("typed", ["", " ", "x", "-1", "1.5", "9" * 19, "9" * 5000, "٣", "1e3", None])
def test_text_that_is_no_whole_number_is_refused(typed: str | None) -> None:
    with pytest.raises(UserError, match="The seed is .*; enter a whole number from 0 to"):
        parse_whole_number(typed, "The seed", 2**63 - 1)
    assert parse_whole_number(" 9223372036854775807 ", "The seed", 2**63 - 1) == 2**63 - 1


def save(study: Study, runs: Runs, variant: str, model: Model, facts: Facts) -> None:
    """Write another model in place of a variant's first one."""
    folder = runs.finished[variant, 0]
    model_files.save(folder, model, facts, identity(study, variant, 0, folder))


def test_a_discrete_latent_space_has_no_sliders(study: Study, runs: Runs, tmp_path: Path) -> None:
    variant = PLAIN | {
        "network": {"name": "conv", "width": 8, "depth": 2}, "latent": 4, "posterior": {"name": "vector_quantized", "codes": 8},
        "prior": {"name": "uniform"}, "regularizer": {"name": "commitment"},
    }  # fmt: skip
    facts = store.read_facts(tmp_path / "data/blots.h5")
    save(study, runs, "plain", Model(Variant.model_validate(variant), facts), facts)
    explorer = Explorer(runs)
    assert explorer.sliders("plain", 0) == [] and drawn(explorer, left=PLAIN_SIDE)
    with pytest.raises(UserError, match="entries of a codebook and cannot be moved"):
        drawn(explorer, left=PLAIN_SIDE.model_copy(update={"moved": {0: 1.0}}))


def test_a_run_trained_on_different_images_is_refused(explorer: Explorer, study: Study, runs: Runs) -> None:
    facts = replace(explorer.facts, checksums={"train": "another"})
    save(study, runs, "large", scramble(Model(Variant.model_validate(PLAIN), facts)), facts)
    with pytest.raises(UserError, match="large seed 0 was trained on different images from the other runs"):
        drawn(explorer)


def test_a_saved_picture_holds_its_settings(explorer: Explorer, runs: Runs) -> None:
    settings = Settings(left=SMALL, right=LARGE.model_copy(update={"moved": {4: -0.5}}), noise=8, labels={"dark": "no"})
    views = explorer.render(settings)
    path = saved.save(runs, settings, views)
    assert path == runs.folder / "explored" / path.name and saved.names(runs) == [path.name]
    assert saved.read(runs, path.name) == settings
    content = path.read_bytes()
    assert saved.save(runs, settings, explorer.render(settings)) == path and path.read_bytes() == content
    left = pixels(views[0].pictures["Draws"])
    kept, scale = pixels(content)[..., 0], -(-saved.MIN_HEIGHT // len(left))
    top, margin = 2 * saved.MARGIN + saved.CAPTION, saved.MARGIN
    np.testing.assert_array_equal(kept[top:, margin:][: scale * len(left) : scale, : scale * len(left) : scale], left)


SIDES = {"left": {"variant": "small", "seed": 0}, "right": {"variant": "large", "seed": 0}}
DAMAGED_SETTINGS = {
    "without_study": json.dumps({"settings": SIDES}),
    "without_settings": json.dumps({"study": "tiny"}),
    "deep": "[" * 100_000,
    "deep_inside": '{"study": "tiny", "settings": ' + '{"left": ' * 50_000 + "}" * 50_000 + "}",
    "no_json": "{",
    "a_list": "[1]",
    "a_number": "9" * 5_000,
    "other_names": json.dumps({"study": "tiny", "settings": {**SIDES, "extra": "x" * 100_000}}),
    "not_a_number": '{"study": "tiny", "settings": {"left": {"variant": "small", "seed": NaN}}}',
}


def save_with(path: Path, content: str, size: tuple[int, int] = (2, 2)) -> None:
    """Save a picture with a text as its settings."""
    text = PngImagePlugin.PngInfo()
    text.add_itxt(saved.KEY, content)
    Image.new("1", (2, 2)).save(path, pnginfo=text)
    header = struct.pack(">4s2I5B", b"IHDR", *size, 1, 0, 0, 0, 0)  # a size that its pixels do not have
    path.write_bytes(path.read_bytes().replace(path.read_bytes()[12:33], header + struct.pack(">I", crc32(header))))


def test_a_picture_of_absurd_size_is_refused_without_being_decoded(runs: Runs) -> None:
    (runs.folder / "explored").mkdir()
    content = json.dumps({"study": "tiny", "settings": SIDES})
    save_with(runs.folder / "explored/vast.png", content, (30_000, 30_000))
    with pytest.raises(UserError, match="vast.png is not a picture with settings of the explorer .Image size"):
        saved.read(runs, "vast.png")
    save_with(runs.folder / "explored/large.png", content, (9_000, 9_000))  # its pixels are missing
    assert saved.read(runs, "large.png").left.variant == "small"


def test_pictures_without_settings_of_this_study_are_refused(runs: Runs) -> None:
    folder = runs.folder / "explored"
    folder.mkdir()
    Image.new("L", (2, 2)).save(folder / "bare.png")
    (folder / "text.png").write_text(json.dumps({}))
    for name, content in DAMAGED_SETTINGS.items():
        save_with(folder / f"{name}.png", content)
    (folder / "link.png").symlink_to("nowhere")
    (folder / "long.png").symlink_to("x" * 300)  # for which the system raises an error, as without permission
    (folder / "folder.png").mkdir()
    names = saved.names(runs)
    assert len(names) == 2 + len(DAMAGED_SETTINGS)
    for name in names:
        with pytest.raises(
            UserError, match=f"{name} is not a picture with settings of the explorer .*; choose another"
        ):
            saved.read(runs, name)
    settings = Settings(left=SMALL, right=LARGE)
    path = saved.save(replace(runs, study="other"), settings, Explorer(runs).render(settings))
    with pytest.raises(UserError, match="belongs to the study 'other'; open that study"):
        saved.read(runs, path.name)


def test_few_models_are_held_in_memory(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Path] = []
    load: Callable[[Path], Any] = model_files.load
    monkeypatch.setattr(model_files, "load", lambda folder: loaded.append(folder) or load(folder))
    monkeypatch.setattr("vaeline.explorer.drawing.MAX_MODELS", 2)
    drawn(explorer)
    drawn(explorer)
    assert len(loaded) == 2
    drawn(explorer, right=PLAIN_SIDE)
    drawn(explorer, left=PLAIN_SIDE)
    assert len(loaded) == 4 and len(explorer._loaded) == 2


def test_a_redraw_loads_and_encodes_nothing(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn(explorer)

    def fail(*_: object) -> None:
        pytest.fail("a redraw loaded a model or encoded test images")

    monkeypatch.setattr(model_files, "load", fail)
    monkeypatch.setattr(trained_run.TrainedRun, "encode", fail)
    assert drawn(explorer, noise=1) != before

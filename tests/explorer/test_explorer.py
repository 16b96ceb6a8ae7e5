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
from vaeline.explorer.controls import parse_whole_number
from vaeline.explorer.runs import Runs, find, find_named
from vaeline.explorer.settings import ChosenRun, Settings
from vaeline.explorer.views import Explorer, View
from vaeline.models.model import Model
from vaeline.runs import model_files, pictures, trained_run
from vaeline.study.schema import Study, Variant
from vaeline.system.errors import UserError

SMALL, LARGE, PLAIN_RUN = (ChosenRun(variant=name, seed=0) for name in ("small", "large", "plain"))
BOTH = (SMALL, LARGE)


def pixels(png: bytes) -> np.ndarray:
    with Image.open(BytesIO(png)) as image:
        return np.asarray(image).astype(int)


def shown(explorer: Explorer, **chosen: Any) -> list[View]:
    return explorer.render(Settings(**{"runs": BOTH, **chosen}))


def drawn(explorer: Explorer, **chosen: Any) -> list[list[bytes]]:
    """The draws of each run."""
    return [[each.png for each in view.pictures] for view in shown(explorer, **chosen)]


def edited(explorer: Explorer, **chosen: Any) -> dict[str, bytes]:
    """The first run's pictures of an edit."""
    view = shown(explorer, show="edit", **chosen)[0]
    return {each.caption.partition(",")[0]: each.png for each in view.pictures}


def of_each(images: np.ndarray) -> list[bytes]:
    return [pictures.grid(image[None]) for image in images]


def test_draws_equal_those_of_a_trained_run(explorer: Explorer, runs: Runs) -> None:
    trained = trained_run.load(runs.finished["small", 0])
    expected = trained.sample(9, {"dark": "yes"}, seed=5)
    assert drawn(explorer, noise=5, labels={"dark": "yes"})[0] == of_each(expected)


def test_draws_with_noise_equal_those_of_a_trained_run_and_say_so(explorer: Explorer, runs: Runs) -> None:
    trained = trained_run.load(runs.finished["small", 0])
    noisy = trained.sample(9, {"dark": "yes"}, seed=5, noise=True)
    assert drawn(explorer, noise=5, labels={"dark": "yes"}, pixels="drawn")[0] == of_each(noisy)
    assert (noisy != trained.sample(9, {"dark": "yes"}, seed=5)).any()
    assert "Pixels are draws of p(x|z), with its noise." in explorer.explain(Settings(runs=BOTH, pixels="drawn"), True)


def test_pictures_follow_from_settings_alone(explorer: Explorer, runs: Runs) -> None:
    first = drawn(explorer, noise=3)
    torch.manual_seed(99)
    assert drawn(explorer, noise=4) != first
    assert drawn(explorer, noise=3) == first == drawn(Explorer(runs), noise=3)


def test_a_label_changes_only_models_that_use_labels(explorer: Explorer) -> None:
    runs = (SMALL, PLAIN_RUN)
    for one, other in (({"shape": "round"}, {"shape": "odd"}), ({"dark": "no"}, {"dark": "yes"})):
        before, after = (drawn(explorer, runs=runs, labels=labels) for labels in (one, other))
        assert before[0] != after[0] and before[1] == after[1]
    of_small, of_plain = shown(explorer, runs=runs, labels={"dark": "yes"})
    assert not of_small.notes and "This model uses no labels" in of_plain.notes[0]


def test_the_label_stands_under_every_draw(explorer: Explorer) -> None:
    of_small, of_plain = shown(explorer, runs=(SMALL, PLAIN_RUN), labels={"dark": "yes"}, noise=2)
    labels = explorer._first.labels(9, {"dark": "yes"}, seed=2)
    names = ["round", "square", "odd"]
    assert [each.caption for each in of_small.pictures] == [f"dark, shape {names[shape]}" for shape, _ in labels]
    assert {each.caption for each in of_plain.pictures} == {"no label"}


def test_labels_that_no_training_image_has_together_are_named(explorer: Explorer) -> None:
    def named(**chosen: Any) -> str:
        return explorer.unseen_combinations(Settings(runs=BOTH, **chosen))

    together = "No training image has shape=odd with dark=yes; a model has learned nothing about such a combination."
    assert named(labels={"shape": "odd", "dark": "yes"}) == named(labels={"shape": "odd"}, count=25) == together
    assert named() == named(labels={"shape": "round"}, count=25) == ""
    dark = int(explorer.test.labels[:, 1].argmax())
    assert named(show="edit", image=dark, labels={"shape": "odd"}) == together
    assert named(show="edit", image=dark, labels={"shape": "odd", "dark": "no"}) == ""


def test_runs_draw_from_the_same_seed(explorer: Explorer) -> None:
    """The same run gives the same pictures in every place, whichever runs are beside it."""
    one, other = drawn(explorer, runs=(SMALL, SMALL), noise=7)
    assert one == other
    assert drawn(explorer, runs=(PLAIN_RUN, LARGE, SMALL), noise=7)[2] == one == drawn(explorer, noise=7)[0]


def test_a_latent_moves_by_standard_deviations_of_posterior_means(explorer: Explorer, runs: Runs) -> None:
    first = shown(explorer)[0].movable[0]
    trained = trained_run.load(runs.finished["small", 0])
    test = trained.split()
    spread = trained.encode(test.images, test.labels).std(0)
    assert first == spread.argmax()
    labels = trained.labels(4, seed=1)
    z = trained.draw(labels, seed=1)
    z[:, first] -= 2 * spread[first]
    moved = (SMALL.model_copy(update={"moved": {first: -2.0}}), LARGE)
    assert drawn(explorer, runs=moved, count=4, noise=1)[0] == of_each(trained.decode(z, labels))
    assert drawn(explorer, runs=moved, count=4, noise=1)[1] == drawn(explorer, count=4, noise=1)[1]


def test_sliders_begin_with_the_latents_that_vary_most(explorer: Explorer, runs: Runs) -> None:
    test, found = explorer.test, shown(explorer)[1].movable
    spread = trained_run.load(runs.finished["large", 0]).encode(test.images, test.labels).std(0)
    assert spread[found].tolist() == sorted(spread, reverse=True) and sorted(found) == [0, 1, 2, 3, 4]


def test_a_direction_adds_the_difference_of_class_means(explorer: Explorer, runs: Runs) -> None:
    trained = trained_run.load(runs.finished["small", 0])
    labels = trained.labels(4, seed=1)
    z = trained.draw(labels, seed=1) + 1.5 * trained.direction("shape", "odd") - trained.direction("dark")
    settings = Settings(runs=BOTH, count=4, noise=1, directions={"shape": {"odd": 1.5}, "dark": {"yes": -1.0}})
    assert [each.png for each in explorer.render(settings)[0].pictures] == of_each(trained.decode(z, labels))
    odd = int((trained.split("train").labels[:, 0] == 2).sum())
    assert (
        f"mean latent of {odd} training images that have it, less that of {40 - odd} that do not"
        in explorer.explain(settings, True)[2]
    )
    assert drawn(explorer, directions={"shape": {"odd": 0.0}}) == drawn(explorer)


def test_an_interpolation_passes_from_one_image_to_the_other(explorer: Explorer, runs: Runs) -> None:
    trained, test = trained_run.load(runs.finished["small", 0]), explorer.test
    rows = [int((test.labels[:, 0] == shape).argmax()) for shape in (0, 2)]
    view = shown(explorer, show="interpolation", image=rows[0], to=rows[1])[0]
    own = test.labels[rows]
    first, last = np.split(trained.encode(test.images[rows], own), 2)
    under = own[[0] * 5 + [1] * 4]
    way = trained.decode(trained.interpolate(first, last, 9)[0], under)
    assert [each.png for each in view.pictures] == of_each(
        np.concatenate([test.images[rows[:1]], way, test.images[rows[1:]]])
    )
    captions = [each.caption for each in view.pictures]
    assert captions[0] == f"Image {rows[0]}" and captions[-1] == f"Image {rows[1]}"
    assert captions[5].startswith("shape round") and captions[6].startswith("shape odd")
    assert view.notes == ["The path is a straight line in z, as its prior has no flow."]


def test_an_interpolation_through_a_flow_prior_is_straight_in_its_base_space(
    study: Study, runs: Runs, tmp_path: Path
) -> None:
    variant = PLAIN | {"prior": {"name": "decoupled", "flow": {"name": "affine_coupling", "layers": 2, "hidden": 8}}}
    facts = store.read_facts(tmp_path / "data/blots.h5")
    save(study, runs, "plain", scramble(Model(Variant.model_validate(variant), facts)), facts)
    trained = trained_run.load(runs.finished["plain", 0])
    test = trained.split()
    z = trained.encode(test.images[:2])
    straight, bent = (trained.decode(trained.interpolate(z[:1], z[1:], 9, through)[0]) for through in (False, True))
    assert (straight != bent).any()
    [view] = shown(Explorer(runs), show="interpolation", image=0, to=1, runs=(PLAIN_RUN,))
    assert [each.png for each in view.pictures[1:-1]] == of_each(bent)
    assert view.notes == ["The path is a straight line in the base space of its prior's flow."]


def test_a_test_image_is_edited_by_labels_and_latents(explorer: Explorer) -> None:
    test, own = explorer.test, explorer.labels_of(12)
    assert own == {"shape": ["round", "square", "odd"][test.labels[12, 0]], "dark": ["no", "yes"][test.labels[12, 1]]}
    as_it_is = edited(explorer, image=12)
    assert as_it_is["Original"] == pictures.grid(test.images[12:13])
    assert as_it_is["Edit"] == as_it_is["Reconstruction"] == edited(explorer, image=12, labels=own)["Edit"]
    other = edited(explorer, image=12, labels={"dark": "no" if own["dark"] == "yes" else "yes"})
    assert other["Reconstruction"] == as_it_is["Reconstruction"] and other["Edit"] != as_it_is["Edit"]
    moved = edited(explorer, image=12, runs=(SMALL.model_copy(update={"moved": {0: 1.5}}),))
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
            drawn(explorer, runs=(ChosenRun(variant=name, seed=0),))
        with pytest.raises(UserError, match="There is no"):
            saved.read(runs, name)
        with pytest.raises(UserError, match="--study is"):
            find_named(name, tmp_path)


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"runs": [ChosenRun(variant="none", seed=0)]}, "no trained run of 'none'; choose one of: small, large, plain"),
    ({"runs": [ChosenRun(variant="small", seed=7)]}, "no run of small with seed 7; choose one of its seeds: 0, 1"),
    ({"labels": {"dark": "perhaps"}}, "dark has no value 'perhaps'; it has: no, yes"),
    ({"labels": {"size": "1"}}, "no label 'size'"),
    ({"directions": {"dark": {"perhaps": 1.0}}}, "dark has no value 'perhaps'; it has: no, yes"),
    ({"count": 7}, "The number of draws is 7; it must be one of: 1, 4, 9, 16, 25"),
    ({"show": "edit", "image": 40}, "no test image 40; choose one from 0 to 39"),
    ({"show": "interpolation", "to": 40}, "no test image 40; choose one from 0 to 39"),
    ({"sliding": 3}, "no run 3 to move; choose one from 1 to 2"),
]


@pytest.mark.parametrize(("chosen", "sentence"), MISTAKES)
def test_mistakes_give_helpful_sentences(explorer: Explorer, chosen: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        explorer.checked(Settings(**{"runs": BOTH, **chosen}))


def test_a_run_that_cannot_be_drawn_says_why_and_leaves_the_others(explorer: Explorer, runs: Runs) -> None:
    (runs.finished["large", 0] / "model.safetensors").write_bytes(b"x" * 100)
    runs_shown = (SMALL.model_copy(update={"moved": {3: 1.0}}), LARGE, PLAIN_RUN)
    moved, damaged, whole = shown(explorer, runs=runs_shown)
    assert "small has no latent 3 that can move; choose one from 0 to 2" in moved.error
    assert "model.safetensors" in damaged.error and "damaged" in damaged.error and damaged.pictures == []
    assert len(whole.pictures) == 9 and not whole.error


def test_a_damaged_first_run_leaves_the_others(runs: Runs) -> None:
    (runs.finished["small", 0] / "model.safetensors").write_bytes(b"")
    damaged, whole = shown(Explorer(runs))
    assert "damaged" in damaged.error and whole.pictures


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
    [view] = shown(explorer, runs=(PLAIN_RUN,), directions={"dark": {"yes": 1.0}})
    assert view.movable == [] and len(view.pictures) == 9 and "entries of a codebook" in view.fixed
    assert view.notes == ["A direction changes nothing here, as its latents are entries of a codebook."]
    moved = PLAIN_RUN.model_copy(update={"moved": {0: 1.0}})
    assert "none can move: its latents are entries of a codebook" in shown(explorer, runs=(moved,))[0].error
    [path] = shown(explorer, runs=(PLAIN_RUN,), show="interpolation")
    assert path.error.startswith("There is no path between latents of plain")


def test_a_run_trained_on_different_images_is_refused(explorer: Explorer, study: Study, runs: Runs) -> None:
    facts = replace(explorer.facts, checksums={"train": "another"})
    save(study, runs, "large", scramble(Model(Variant.model_validate(PLAIN), facts)), facts)
    assert "large seed 0 was trained on different images from the other runs" in shown(explorer)[1].error


def save_picture(explorer: Explorer, runs: Runs, settings: Settings) -> Path:
    return saved.save(runs, settings, explorer.render(settings), explorer.explain(settings, True))


def test_a_saved_picture_holds_its_settings(explorer: Explorer, runs: Runs) -> None:
    settings = Settings(runs=(SMALL, LARGE.model_copy(update={"moved": {4: -0.5}})), noise=8, labels={"dark": "no"})
    path = save_picture(explorer, runs, settings)
    assert path == runs.folder / "explored" / path.name and saved.names(runs) == [path.name]
    assert saved.read(runs, path.name) == settings
    content = path.read_bytes()
    assert save_picture(explorer, runs, settings) == path and path.read_bytes() == content
    first, scale = pixels(explorer.render(settings)[0].pictures[0].png), 2  # of 48 pixels, enlarged to 96
    kept, top = pixels(content)[..., 0], saved.MARGIN + saved.TEXT + 4 + saved.MARGIN // 2
    np.testing.assert_array_equal(kept[top:, saved.MARGIN :][:96:scale, :96:scale], first)


def test_a_saved_picture_explains_itself(explorer: Explorer, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    text = saved._text
    monkeypatch.setattr(saved, "_text", lambda words, *rest: said.append(words) or text(words, *rest))
    moved = SMALL.model_copy(update={"moved": {2: 0.5}})
    settings = Settings(
        runs=(moved, PLAIN_RUN), noise=8, labels={"dark": "yes"}, directions={"shape": {"odd": -1.0}}, count=1
    )
    save_picture(explorer, runs, settings)
    words = " ".join(said)
    for part in (
        "small, seed 0",
        "latent 2 +0.5 sd",
        "plain, seed 0",
        "no label",
        "study tiny",
        "noise seed 8",
        "Set labels: dark.",
        "-1 times the direction of shape odd",
    ):
        assert part in words


RUNS = {"runs": [{"variant": "small", "seed": 0}, {"variant": "large", "seed": 0}]}
BEFORE = {"left": RUNS["runs"][0], "right": RUNS["runs"][1]}  # pictures of before there could be more than two runs
DAMAGED_SETTINGS = {
    "without_study": json.dumps({"settings": RUNS}),
    "without_settings": json.dumps({"study": "tiny"}),
    "deep": "[" * 100_000,
    "deep_inside": '{"study": "tiny", "settings": ' + '{"runs": ' * 50_000 + "}" * 50_000 + "}",
    "no_json": "{",
    "a_list": "[1]",
    "a_number": "9" * 5_000,
    "other_names": json.dumps({"study": "tiny", "settings": {**RUNS, "extra": "x" * 100_000}}),
    "not_a_number": '{"study": "tiny", "settings": {"runs": [{"variant": "small", "seed": NaN}]}}',
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
    content = json.dumps({"study": "tiny", "settings": BEFORE})
    save_with(runs.folder / "explored/vast.png", content, (30_000, 30_000))
    with pytest.raises(UserError, match="vast.png is not a picture with settings of the explorer .Image size"):
        saved.read(runs, "vast.png")
    save_with(runs.folder / "explored/large.png", content, (9_000, 9_000))  # its pixels are missing
    assert saved.read(runs, "large.png") == Settings(runs=BOTH)


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
    path = save_picture(Explorer(runs), replace(runs, study="other"), Settings(runs=BOTH, count=1))
    with pytest.raises(UserError, match="belongs to the study 'other'; open that study"):
        saved.read(runs, path.name)


def test_few_models_are_held_in_memory(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Path] = []
    load: Callable[[Path], Any] = model_files.load
    monkeypatch.setattr(model_files, "load", lambda folder: loaded.append(folder) or load(folder))
    monkeypatch.setattr("vaeline.explorer.views.MOST_MODELS", 2)
    drawn(explorer)
    drawn(explorer)
    assert len(loaded) == 2
    drawn(explorer, runs=(SMALL, PLAIN_RUN))
    drawn(explorer, runs=(PLAIN_RUN, LARGE))
    assert len(loaded) == 4 and len(explorer._loaded) == 2


def test_a_redraw_loads_and_encodes_nothing(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn(explorer)

    def fail(*_: object) -> None:
        pytest.fail("a redraw loaded a model or encoded test images")

    monkeypatch.setattr(model_files, "load", fail)
    monkeypatch.setattr(trained_run.TrainedRun, "encode", fail)
    assert drawn(explorer, noise=1) != before

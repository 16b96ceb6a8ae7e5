"""Preprocessing turns raw images into a store: splits, sizes, threads and damage."""

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import every
from tests.data.sets.sources import (
    OPTIONS,
    POINTS,
    SOURCES,
    brought,
    encoded,
    picture,
    write_celeba,
    write_class_folders,
    write_files,
    write_zip,
)
from vaeline.data import prepared_images, preprocessing_words, raw_images, splits, store
from vaeline.data.facts import Facts
from vaeline.data.preprocessing import preprocess
from vaeline.data.splits import deal
from vaeline.study import schema
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError

REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "celeba-10k"


def dataset(name: str, folder: Path, **options: object) -> Dataset:
    return Dataset.model_validate({"id": "tiny", "name": name, "size": 8, "source": str(folder)} | options)


def made(wanted: Dataset, path: Path, **options: int) -> Facts:
    return preprocess(wanted, json.loads(json.dumps(raw_images.fetch(wanted))), path, **options)


@every("sets")
def test_every_data_set_becomes_a_store(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = SOURCES[name](tmp_path / "source", monkeypatch)
    source.mkdir(exist_ok=True)
    points = name in POINTS
    wanted = dataset(name, source, size=None if points else 10, options=OPTIONS.get(name, {}), limit=500)
    facts = made(wanted, tmp_path / "tiny.h5")
    assert facts == store.read_facts(tmp_path / "tiny.h5")
    assert facts.image_shape[1:] == (() if points else (10, 10)) and min(facts.counts.values()) > 0
    assert facts.points == points and facts.pixels == ("points" if points else "dequantized")
    for split in splits.SPLITS:
        images, labels = (
            store.read_split(tmp_path / "tiny.h5", split).images,
            store.read_split(tmp_path / "tiny.h5", split).labels,
        )
        assert images.shape == (facts.counts[split], *facts.image_shape) and images.dtype == facts.dtype
        assert points or images.max() < facts.levels
        assert (labels < facts.label_cardinalities).all()


def test_each_image_keeps_its_labels_and_pixels(tmp_path: Path) -> None:
    wanted = dataset("celeba", write_celeba(tmp_path / "faces"), split={"validation": 0.2, "test": 0.25})
    facts = made(wanted, tmp_path / "tiny.h5")
    assert facts.counts == {"train": 11, "validation": 4, "test": 5}
    raw, seen = raw_images.read(wanted), []
    for name in splits.SPLITS:
        split = store.read_split(tmp_path / "tiny.h5", name)
        ids = store.read_ids(tmp_path / "tiny.h5", name)
        for image, labels, each in zip(split.images, split.labels, ids, strict=True):
            row = raw.ids.index(each)
            assert labels.tolist() == raw.labels.codes[row].tolist()
            assert (image == brought(encoded(picture(row)), 3, 8)).all()
            seen.append(each)
    assert sorted(seen) == raw.ids


@pytest.mark.parametrize("pile", [2**20, 3 * 22 * 18 * 3, 100])
def test_images_of_different_sizes_are_resized_one_by_one(
    pile: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared_images, "PILE", pile)
    sides = [(22, 18), (18, 22), (22, 18), (40, 40), (22, 18), (22, 18)]
    files = {f"cat/{row}.jpg": encoded(picture(row, *sides[row % 6])) for row in range(60)}
    made(dataset("image_folder", write_files(tmp_path / "pets", files)), tmp_path / "pets.h5")
    for name in splits.SPLITS:
        images, ids = store.read_split(tmp_path / "pets.h5", name).images, store.read_ids(tmp_path / "pets.h5", name)
        for image, each in zip(images, ids, strict=True):
            assert (image == brought(files[each], 3, 8)).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_torch_computes_alone_while_images_are_prepared_and_no_longer(threads: int) -> None:
    def of_a_new_thread() -> int:
        with ThreadPoolExecutor(1) as one:
            return one.submit(torch.get_num_threads).result()

    torch.set_num_threads(2)
    try:
        with prepared_images.workers(threads, resizing=True) as pool:
            found = pool.submit(torch.get_num_threads).result() if pool else torch.get_num_threads()
        assert found == 1 and torch.get_num_threads() == of_a_new_thread() == 2
    finally:
        torch.set_num_threads(1)


def test_the_number_of_threads_does_not_change_the_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared_images, "BLOCK", 3)
    wanted = dataset("image_folder", write_class_folders(tmp_path / "pets", each=12))
    for threads in (1, 2, 5):
        made(wanted, tmp_path / f"{threads}.h5", threads=threads)
    assert len({hashlib.sha256((tmp_path / f"{threads}.h5").read_bytes()).digest() for threads in (1, 2, 5)}) == 1


def test_a_source_that_is_edited_and_restored_meanwhile_leaves_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = dataset("image_folder", write_class_folders(tmp_path / "pets"))
    image = next((tmp_path / "pets").rglob("*.png"))
    of_block = prepared_images.prepare

    def edited(*arguments: Any) -> Any:
        content = image.read_bytes()
        image.write_bytes(content)
        return of_block(*arguments)

    monkeypatch.setattr(prepared_images, "prepare", edited)
    with pytest.raises(UserError, match="pets changed while they were read; run again"):
        preprocess(wanted, raw_images.fetch(wanted), tmp_path / "pets.h5")
    assert not (tmp_path / "pets.h5").exists()


def test_arrays_are_resized_as_image_files_are(tmp_path: Path) -> None:
    made(dataset("digits", tmp_path, size=16), tmp_path / "digits.h5")
    test = store.read_split(tmp_path / "digits.h5", "test")
    from sklearn.datasets import load_digits

    first = load_digits().images[int(store.read_ids(tmp_path / "digits.h5", "test")[0])].astype(np.uint8)
    assert (test.images[0] == brought(encoded(Image.fromarray(first), "PNG"), 1, 16)).all()


def test_a_random_split_has_the_exact_shares() -> None:
    shares = schema.Split(seed=1, validation=0.1, test=0.200154)
    dealt = deal(202_599, shares)
    assert [len(dealt[name]) for name in splits.SPLITS] == [141_788, 20_260, 40_551]  # 40,551 as in the paper
    assert (np.sort(np.concatenate(list(dealt.values()))) == np.arange(202_599)).all()


def test_a_split_depends_on_its_seed_only() -> None:
    first, again, other = (deal(50, schema.Split(seed=seed)) for seed in (1, 1, 2))
    assert all((first[name] == again[name]).all() for name in splits.SPLITS)
    assert not all((first[name] == other[name]).all() for name in splits.SPLITS)


def test_the_first_images_of_a_split_are_representative() -> None:
    official = np.repeat(["train", "validation", "test"], 1000)
    for rows in deal(3000, schema.Split(method="official"), official).values():
        assert abs(rows[:250].mean() - rows.mean()) < 60  # its standard error is 18


def test_official_split_is_kept() -> None:
    official = np.array(["test", "train", "train", "validation", "train"] * 4)
    dealt = deal(20, schema.Split(method="official"), official)
    assert all((official[rows] == name).all() for name, rows in dealt.items())
    assert sum(map(len, dealt.values())) == 20


def test_a_missing_validation_split_is_taken_from_train() -> None:
    official = np.array(["train"] * 60 + ["test"] * 10)
    dealt = deal(70, schema.Split(method="official", validation=0.25), official)
    assert {name: len(rows) for name, rows in dealt.items()} == {"train": 45, "validation": 15, "test": 10}
    assert (official[dealt["validation"]] == "train").all()
    assert (np.sort(np.concatenate(list(dealt.values()))) == np.arange(70)).all()


@pytest.mark.parametrize("method", ["random", "official"])
def test_a_limit_draws_images_of_every_split(method: str) -> None:
    official = np.array(["train"] * 600 + ["validation"] * 200 + ["test"] * 200)
    split = schema.Split.model_validate({"method": method, "validation": 0.2, "test": 0.2})
    dealt = deal(1000, split, official, limit=500)
    assert sum(map(len, dealt.values())) == len(set(np.concatenate(list(dealt.values())))) == 500
    assert all(abs(len(dealt[name]) - share) < 25 for name, share in zip(splits.SPLITS, (300, 100, 100), strict=True))


@pytest.mark.parametrize(
    ("official", "sentence"),
    [
        (None, "has no split of its own; use 'random'"),
        (
            np.array(["train"] * 20),
            "The official split of 20 images leaves none for test, which needs 2 at least; .*random",
        ),
    ],
)
def test_impossible_official_split_is_refused(official: np.ndarray | None, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        deal(20, schema.Split(method="official"), official)


def test_too_few_images_for_the_shares_are_refused() -> None:
    with pytest.raises(UserError, match="The random split of 4 images leaves none for validation"):
        deal(4, schema.Split())


def test_a_split_of_one_image_is_refused() -> None:
    official = np.array(["train"] * 18 + ["test"] + ["validation"])
    with pytest.raises(
        UserError, match="leaves 1 for validation, which needs 2 at least; set dataset.split.method to 'random'"
    ):
        deal(20, schema.Split(method="official"), official)


@pytest.mark.parametrize("method", ["folders", "column"])
def test_a_given_split_is_kept_and_validation_is_taken_from_train(method: str) -> None:
    split = schema.Split.model_validate(
        {"method": method, "column": "part" if method == "column" else None, "validation": 0.25}
    )
    official = np.array(["train"] * 60 + ["test"] * 10)
    dealt = deal(70, split, official)
    assert {name: len(rows) for name, rows in dealt.items()} == {"train": 45, "validation": 15, "test": 10}
    with pytest.raises(UserError, match=f"{method}' ?, but the data set has no split of its own"):
        deal(70, split)
    with pytest.raises(UserError, match=f"The {method} split of 10 images leaves none for train"):
        deal(10, split, np.array(["test"] * 10))


@pytest.mark.parametrize("limit", [None, 700])
@pytest.mark.parametrize("seed", range(5))
def test_all_images_of_a_group_are_in_one_split(seed: int, limit: int | None) -> None:
    groups = np.random.default_rng(seed).zipf(1.3, 1000).clip(max=300).astype(str)
    dealt = deal(1000, schema.Split(group="person", seed=seed), None, limit, groups)
    persons = [set(groups[rows]) for rows in dealt.values()]
    assert sum(map(len, persons)) == len(set.union(*persons))
    rows = np.concatenate(list(dealt.values()))
    assert len(set(rows.tolist())) == len(rows) == (limit or 1000)


def test_groups_are_dealt_by_the_shares_of_their_images() -> None:
    groups = np.repeat(np.arange(500), np.random.default_rng(0).integers(1, 20, 500)).astype(str)
    dealt = deal(len(groups), schema.Split(group="person", validation=0.1, test=0.2), None, None, groups)
    shares = [len(dealt[name]) / len(groups) for name in splits.SPLITS]
    assert shares == pytest.approx([0.7, 0.1, 0.2], abs=0.005)
    again, other = (
        deal(len(groups), schema.Split(group="person", seed=seed), None, None, groups)["test"] for seed in (0, 1)
    )
    assert (again == dealt["test"]).all() and set(again) != set(other)


def test_shares_that_groups_miss_by_far_are_told() -> None:
    split = schema.Split(group="who", validation=0.1, test=0.2)
    dealt = {"train": np.arange(80), "validation": np.arange(24), "test": np.arange(13)}
    assert preprocessing_words.missed_shares(split, dealt) == [
        "Whole groups of who give 21% validation where 10% was asked for and 11% test where 20% was asked for; try another split.seed."
    ]
    assert not preprocessing_words.missed_shares(
        split, {"train": np.arange(70), "validation": np.arange(11), "test": np.arange(19)}
    )
    assert not preprocessing_words.missed_shares(schema.Split(), dealt)


def test_groups_that_cannot_be_dealt_are_refused() -> None:
    with pytest.raises(UserError, match="leaves none for .*the groups of person are too few or too large"):
        deal(100, schema.Split(group="person"), None, None, np.array(["a", "b"] * 50))
    with pytest.raises(UserError, match="dataset.split.group is 'person', but the data set has no groups"):
        deal(100, schema.Split(group="person"))


@pytest.mark.parametrize("limit", [None, 900])
def test_copies_come_into_one_split_and_the_shares_stay(limit: int | None) -> None:
    copies = np.arange(1000) // 2
    dealt = deal(1000, schema.Split(), None, limit, None, copies)
    assert [len(dealt[name]) for name in splits.SPLITS] == pytest.approx(
        [(limit or 1000) * share for share in (0.7, 0.1, 0.2)], abs=2
    )
    found = [set(copies[rows]) for rows in dealt.values()]
    assert sum(map(len, found)) == len(set.union(*found))


def test_validation_takes_its_share_of_a_given_train_split_by_whole_copies() -> None:
    official = np.array(["train"] * 800 + ["test"] * 200)
    copies = np.arange(1000) // 2
    copies[-5:] = 0  # which stay in their given split
    dealt = deal(1000, schema.Split(method="official", validation=0.1), official, None, None, copies)
    assert [len(dealt[name]) for name in splits.SPLITS] == [720, 80, 200]
    assert not set(copies[dealt["train"]]) & set(copies[dealt["validation"]])


def test_images_without_copies_are_dealt_as_ever() -> None:
    for official in (None, np.array(["train"] * 80 + ["test"] * 20)):
        split = schema.Split() if official is None else schema.Split(method="official")
        dealt, again = (deal(100, split, official, None, None, copies) for copies in (np.arange(100), None))
        assert all((dealt[name] == again[name]).all() for name in splits.SPLITS)


def test_the_digits_are_dealt_as_ever() -> None:
    """A change here changes the test images of every study."""
    dealt = deal(1797, schema.Split())
    digest = hashlib.sha256(b"".join(dealt[name].astype("<i8").tobytes() for name in splits.SPLITS)).hexdigest()
    assert digest == "8a418a7851404e0d625d545f3e95bd125ca806a8e5c56ea6ddbeb1f09077941c"


def with_bad_images(folder: Path) -> Path:
    """Pets of whom three cannot be decoded: one is cut, one is no image, one has 16 bits."""
    pets = write_class_folders(folder, each=12)
    content = (pets / "dog/3.jpeg").read_bytes()
    deep = encoded(Image.fromarray(np.full((8, 8), 40_000, np.uint16)), "PNG")
    return write_files(pets, {"dog/3.jpeg": content[: len(content) // 2], "cat/1.png": b"no image", "cat/zz.png": deep})


def test_bad_images_are_left_out_before_the_others_are_dealt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pets = with_bad_images(tmp_path / "pets")
    skipping = dataset("image_folder", pets, on_bad_image="skip")
    manifest = raw_images.fetch(skipping)
    assert list(manifest["skipped"]) == ["cat/1.png", "cat/zz.png", "dog/3.jpeg"]
    assert "more than 8 bits" in manifest["skipped"]["cat/zz.png"]
    assert manifest["notes"][-1].startswith(
        "Left out: 3 of 25 images, which cannot be decoded: cat/1.png (it is not an"
    )
    made(skipping, tmp_path / "some.h5")
    for name in manifest["skipped"]:
        (pets / name).unlink()
    made(dataset("image_folder", pets), tmp_path / "good.h5")
    for name in splits.SPLITS:
        some, good = (store.read_split(tmp_path / file, name) for file in ("some.h5", "good.h5"))
        assert (some.labels == good.labels).all() and (some.images == good.images).all()
        assert store.read_ids(tmp_path / "some.h5", name) == store.read_ids(tmp_path / "good.h5", name)


@pytest.mark.parametrize(
    ("files", "split", "lost"),
    [
        ({"eel/1.png": b"", "eel/2.png": b"?"}, {}, "class=eel"),
        ({"train/eel/1.png": b"?"}, {"method": "folders"}, "class=eel"),
        ({"val/cat/1.png": b"?", "val/cat/2.png": b""}, {"method": "folders"}, "the split validation"),
    ],
)
def test_skipping_leaves_no_class_and_no_split_empty(
    tmp_path: Path, files: dict[str, bytes], split: dict[str, str], lost: str
) -> None:
    write_class_folders(tmp_path / "train" if split else tmp_path)
    write_files(tmp_path, files | ({"test/cat/1.png": encoded(picture(50), "PNG")} if split else {}))
    with pytest.raises(UserError, match=f"No image of {lost} in .* can be decoded, so that .*skip would leave none"):
        raw_images.fetch(dataset("image_folder", tmp_path, on_bad_image="skip", split=split))


def test_a_bad_image_stops_by_default_with_both_remedies(tmp_path: Path) -> None:
    pets = with_bad_images(tmp_path / "pets")
    for name, reason in {"cat/1.png": "is not an image", "cat/zz.png": "has more than 8 bits a channel"}.items():
        with pytest.raises(
            UserError,
            match=f"{name} in .*pets cannot be decoded .it {reason}.*replace it, remove it, or set dataset.on_bad_image to skip",
        ):
            raw_images.fetch(dataset("image_folder", pets))
        (pets / name).unlink()


def test_many_bad_images_are_counted_and_a_few_are_named(tmp_path: Path) -> None:
    pets = write_files(write_class_folders(tmp_path), {f"cat/bad{row}.png": b"?" for row in range(70)})
    manifest = raw_images.fetch(dataset("image_folder", pets, on_bad_image="skip"))
    assert len(manifest["skipped"]) == 70 and len(manifest["notes"][-1]) < 500
    assert manifest["notes"][-1].endswith(" and 67 more.")


def test_images_that_decode_are_not_decoded_twice_unless_bad_ones_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaeline.data.bad_images.decode", lambda *_: pytest.fail("decodes in the download step"))
    assert raw_images.fetch(dataset("image_folder", write_class_folders(tmp_path)))["skipped"] == {}


def test_an_image_damaged_in_a_zip_may_be_skipped(tmp_path: Path) -> None:
    faces = write_celeba(tmp_path / "faces")
    path = faces / "img_align_celeba.zip"
    victim = encoded(picture(3))
    path.write_bytes(path.read_bytes().replace(victim, victim[:-9] + b"123456789"))
    manifest = raw_images.fetch(dataset("celeba", faces, on_bad_image="skip"))
    assert list(manifest["skipped"]) == ["img_align_celeba/000004.jpg"]


def test_a_damaged_image_is_named_and_no_store_is_written(tmp_path: Path) -> None:
    pets = write_class_folders(tmp_path / "pets", each=12)
    content = (pets / "dog/3.jpeg").read_bytes()
    write_files(pets, {"dog/3.jpeg": content[: len(content) // 2]})
    with pytest.raises(UserError, match="dog/3.jpeg in .*pets cannot be decoded"):
        made(dataset("image_folder", pets), tmp_path / "tiny.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["pets"]


def test_an_image_damaged_in_the_zip_is_named(tmp_path: Path) -> None:
    faces = write_celeba(tmp_path / "faces")
    files = {f"img_align_celeba/{row + 1:06}.jpg": encoded(picture(row)) for row in range(20)}
    write_zip(faces / "img_align_celeba.zip", files)
    victim = files["img_align_celeba/000004.jpg"]
    path = faces / "img_align_celeba.zip"
    path.write_bytes(path.read_bytes().replace(victim, victim[:-9] + b"123456789"))
    with pytest.raises(UserError, match="000004.jpg in .*img_align_celeba.zip cannot be read .*CRC"):
        made(dataset("celeba", faces), tmp_path / "tiny.h5")


def test_files_changed_after_the_download_are_refused(tmp_path: Path) -> None:
    pets = write_class_folders(tmp_path / "pets")
    wanted = dataset("image_folder", pets)
    manifest = raw_images.fetch(wanted)
    write_files(pets, {"dog/0.jpeg": encoded(picture(77))})
    with pytest.raises(UserError, match="pets are not those that the download step saw.*if DVC has recorded it"):
        preprocess(wanted, manifest, tmp_path / "tiny.h5")


def test_a_full_disk_is_noticed_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = dataset("celeba", write_celeba(tmp_path / "faces"), size=512)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=10_000_000))
    monkeypatch.setattr(prepared_images, "prepare", lambda *arguments: pytest.fail("decodes"))
    with pytest.raises(UserError, match="takes 0.02 GB, and 0.01 are free"):
        made(wanted, tmp_path / "tiny.h5")


def test_what_becomes_of_the_images_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {
        "cat/grey.png": encoded(picture(50, mode="L"), "PNG"),
        "dog/clear.png": encoded(picture(51, mode="RGBA"), "PNG"),
        "dog/long.png": encoded(picture(52, 100, 10), "PNG"),
    }
    pets = write_files(write_class_folders(tmp_path / "pets"), files)
    made(dataset("image_folder", pets), tmp_path / "pets.h5", threads=1)
    assert capsys.readouterr().err.splitlines()[:-1] == [
        "preprocess: 23 images: 16 train, 2 validation, 5 test.",
        "preprocess: Images of 18x22 to 10x100 pixels; the shorter side becomes 8, and the centre is cut out.",
        "preprocess: The longest image is 10.0 times as long as wide; only its centre is used, 10% of it.",
        "preprocess: All images are stored in colour: 22 are in colour, and 1 grey.",
        "preprocess: Transparent pixels become white (images that may have some: 1).",
    ]


def test_a_limit_tells_how_many_and_which_classes_it_leaves_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pets = write_files(write_class_folders(tmp_path / "pets"), {"eel/1.png": encoded(picture(50), "PNG")})
    made(dataset("image_folder", pets, limit=15), tmp_path / "pets.h5", threads=1)
    assert capsys.readouterr().err.splitlines()[0] == (
        "preprocess: 15 images of 21, drawn at random (dataset.limit): 10 train, 2 validation, 3 test. No image of class=eel is among them."
    )


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        (8, "Images of 8x8 pixels, which are stored in this size."),
        (6, "Images of 8x8 pixels; the shorter side becomes 6, and the centre is cut out."),
    ],
)
def test_digits_are_told_with_their_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], size: int, sentence: str
) -> None:
    made(dataset("digits", tmp_path, size=size), tmp_path / "digits.h5", threads=1)
    shares = "preprocess: 1,797 images: 1,258 train, 180 validation, 359 test."
    assert capsys.readouterr().err.splitlines() == [shares, f"preprocess: {sentence}"]


def test_only_a_terminal_gets_a_progress_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(dataset("celeba", write_celeba(tmp_path / "faces")), tmp_path / "tiny.h5")
    *_, line = lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and line.startswith("preprocess: 20 images to 3x8x8: 0.00 GB in ") and " s on " in line


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the CelebA subset in ../shared/data/celeba-10k")
def test_real_faces_are_resized_and_cropped(tmp_path: Path) -> None:
    wanted = dataset("celeba", REAL, size=86, limit=60, labels="most_frequent:30")
    facts = made(wanted, tmp_path / "faces.h5")
    assert facts.image_shape == (3, 86, 86) and len(facts.label_names) == 30
    split, raw = store.read_split(tmp_path / "faces.h5", "train"), raw_images.read(wanted)
    assert isinstance(raw.images, raw_images.EncodedImages)
    squares = []
    for image, each in zip(split.images, store.read_ids(tmp_path / "faces.h5", "train"), strict=True):
        face = Image.open(io.BytesIO(raw.images.archive.read(f"img_align_celeba/{each}")))
        resized = np.asarray(face.resize((86, 105), Image.Resampling.BILINEAR))[10:96].transpose(2, 0, 1)
        squares.append((image.astype(float) - resized) ** 2)
    assert 10 * np.log10(255**2 / np.mean(squares)) > 70


def test_static_black_and_white_is_drawn_once_from_the_grey(tmp_path: Path) -> None:
    greys = dataset("digits", tmp_path, size=8)
    binary = greys.model_copy(update={"pixels": "static_binary"})
    facts = made(binary, tmp_path / "binary.h5")
    made(greys, tmp_path / "greys.h5")
    drawn, shares = [], []
    for split in splits.SPLITS:
        images = store.read_split(tmp_path / "binary.h5", split).images
        drawn.append(images.ravel() == facts.levels - 1)
        shares.append(store.read_split(tmp_path / "greys.h5", split).images.ravel() / (facts.levels - 1))
        assert set(np.unique(images)) == {0, facts.levels - 1}
    white, grey = np.concatenate(drawn), np.concatenate(shares)
    for share in np.unique(grey):
        assert white[grey == share].mean() == pytest.approx(share, abs=0.05)
    made(binary, tmp_path / "again.h5")
    assert (tmp_path / "binary.h5").read_bytes() == (tmp_path / "again.h5").read_bytes()


@pytest.mark.parametrize(
    ("name", "size", "sentence"),
    [
        ("digits", None, "digits holds images; give their height and width"),
        ("two_moons", 8, "two_moons holds points; set dataset.size to null"),
    ],
)
def test_only_images_have_a_size(name: str, size: int | None, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=sentence):
        made(dataset(name, tmp_path, size=size), tmp_path / "tiny.h5")

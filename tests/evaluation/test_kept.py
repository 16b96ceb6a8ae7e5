"""Results of an evaluation are kept as long as nothing that decides them changes."""

from pathlib import Path

import pytest
import torch

from vaeline.evaluation.kept import Kept, State


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path, {"weights": "ab12"}, lambda modules, callers: f"code of {modules}, {callers}")


def counted(calls: list[int]) -> State:
    calls.append(1)
    return {"values": torch.tensor([1.5, 2.5]), "name": "a", "by_label": {"x": [1.0, None]}}


def test_a_result_is_computed_once(kept: Kept) -> None:
    calls: list[int] = []
    for _ in range(3):
        found = kept.result(kept.section("latents", ["a.b"], seed=0), lambda: counted(calls))
    assert len(calls) == 1
    assert found["values"].tolist() == [1.5, 2.5] and found["by_label"] == {"x": [1.0, None]}


def test_other_weights_code_or_settings_are_another_result(kept: Kept) -> None:
    calls: list[int] = []
    sections = [
        (kept, kept.section("latents", ["a.b"], seed=0)),
        (kept, kept.section("latents", ["a.b"], seed=1)),
        (kept, kept.section("latents", ["a.c"], seed=1)),
        (kept.and_of(weights="cd34"), kept.and_of(weights="cd34").section("latents", ["a.c"], seed=1)),
        (kept, kept.computed_by("a.b").section("latents", ["a.c"], seed=1)),
        (kept, kept.called_by("a.b").section("latents", ["a.c"], seed=1)),
    ]
    for of, section in sections:
        of.result(section, lambda: counted(calls))
    assert len(calls) == 6


def test_an_older_result_of_the_same_name_is_removed(kept: Kept, tmp_path: Path) -> None:
    for seed in (0, 1):
        kept.store(kept.section("latents", [], seed=seed), {"seed": seed})
        kept.store(kept.section("latents-of-flows", [], seed=0), {})
    assert sorted(path.name.split("-")[0] for path in tmp_path.iterdir()) == ["latents", "latents"]
    assert kept.load(kept.section("latents", [], seed=0)) is None


@pytest.mark.parametrize("damage", ["cut", "another's"])
def test_a_damaged_or_foreign_file_is_ignored(kept: Kept, tmp_path: Path, damage: str) -> None:
    section, other = kept.section("latents", [], seed=0), kept.section("elbo", [])
    kept.store(section, {"seed": 0})
    path = tmp_path / section.file
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-3])
    else:
        kept.store(other, {"seed": 9})
        (tmp_path / other.file).rename(path)
    assert kept.load(section) is None


def test_nothing_is_kept_without_a_folder() -> None:
    calls: list[int] = []
    for _ in range(2):
        Kept().result(Kept().section("latents", []), lambda: counted(calls))
    assert len(calls) == 2

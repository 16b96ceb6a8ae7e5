"""Comparisons of variants that differ in one part."""

from pathlib import Path
from typing import Any

import pytest

from tests.made_up import VARIANT, study_content, write_run
from vaeline.report import compare, results
from vaeline.report.one_factor import OneFactor, one_factor
from vaeline.report.summary import sentences_of
from vaeline.study import reading

KL, WEAK = {"name": "kl"}, {"name": "kl", "weight": 0.5}
PERCEPTUAL, ADVERSARY = {"name": "perceptual"}, {"name": "patch_adversary"}
FLOW = {"name": "decoupled", "flow": {"name": "affine_coupling", "layers": 3}}


def sum_of(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"regularizer": {"name": "sum", "parts": list(parts)}}


def found(
    folder: Path, change: dict[str, Any], gain: float = 2.0, before: dict[str, Any] | None = None
) -> list[OneFactor]:
    content = study_content()
    content["variants"] = {"one": {**VARIANT, **(before or {})}, "two": {**VARIANT, **change}}
    of = reading.check(content, Path("params.yaml"))
    for variant in ("one", "two"):
        for seed in range(3):
            value = 10.0 + seed - (gain + seed / 20 if variant == "two" else 0)
            write_run(folder / variant / f"seed-{seed}", {"nll": value}, of=of)
    return one_factor(of, compare.compare(results.read(folder, of)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"prior": FLOW}, ("prior", "decoupled", "standard")),
        ({"latent": 3}, ("latent", "3", "2")),
        ({"regularizer": {"name": "kl", "weight": 4.0}}, ("regularizer weight", "4.0", "1.0")),
        ({"condition": {"embedding": 3}}, ("condition", "some", "none")),
    ],
)
def test_the_part_that_changes_is_named(tmp_path: Path, change: dict[str, Any], said: tuple[str, ...]) -> None:
    [effect] = found(tmp_path, change)
    assert (effect.part, effect.to, effect.instead_of) == said
    assert (effect.changed, effect.original) == ("two", "one")


@pytest.mark.parametrize(
    ("before", "change", "said"),
    [
        ({}, sum_of(KL, PERCEPTUAL), ("regularizer", "kl + perceptual", "kl")),
        ({}, sum_of(WEAK, PERCEPTUAL), ("regularizer", "kl (weight 0.5) + perceptual", "kl (weight 1.0)")),
        (sum_of(KL, PERCEPTUAL), sum_of(WEAK, PERCEPTUAL), ("regularizer kl weight", "0.5", "1.0")),
        (
            sum_of(KL, PERCEPTUAL),
            sum_of(WEAK, PERCEPTUAL, ADVERSARY),
            ("regularizer parts", "kl (weight 0.5) + perceptual + patch adversary", "kl (weight 1.0) + perceptual"),
        ),
        (
            sum_of(KL, PERCEPTUAL),
            sum_of(WEAK, {"name": "perceptual", "weight": 2.0}),
            (
                "regularizer parts",
                "kl (weight 0.5) + perceptual (weight 2.0)",
                "kl (weight 1.0) + perceptual (weight 1.0)",
            ),
        ),
    ],
)
def test_parts_that_are_combined_are_named_with_what_differs(
    tmp_path: Path, before: dict[str, Any], change: dict[str, Any], said: tuple[str, ...]
) -> None:
    [effect] = found(tmp_path, change, before=before)
    assert (effect.part, effect.to, effect.instead_of) == said


def test_an_effect_is_said_in_a_sentence(tmp_path: Path) -> None:
    [effect] = found(tmp_path, {"prior": FLOW})
    [sentence] = sentences_of(effect)
    assert sentence.startswith("prior: decoupled instead of standard improves the negative log-likelihood by 2.05 ± ")
    assert sentence.endswith(" nats (two, one).")


def test_an_effect_that_is_not_claimed_makes_no_sentence(tmp_path: Path) -> None:
    [effect] = found(tmp_path, {"latent": 3}, gain=-0.05)
    assert effect.effects["nll"].why_open and not list(sentences_of(effect))


def test_two_changes_at_once_say_nothing_of_either(tmp_path: Path) -> None:
    assert found(tmp_path, {"latent": 3, "prior": FLOW}) == []

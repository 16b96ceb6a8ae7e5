"""Comparisons of variants that differ in one part."""

from pathlib import Path
from typing import Any

import pytest

from tests.made_up import VARIANT, study_content, write_run
from vaeline.report import compare, results
from vaeline.report.one_factor import OneFactor, one_factor
from vaeline.report.summary import sentences_of
from vaeline.study import reading

FLOW = {"name": "decoupled", "flow": {"name": "affine_coupling", "layers": 3}}


def found(folder: Path, change: dict[str, Any], gain: float = 2.0) -> list[OneFactor]:
    content = study_content()
    content["variants"] = {"one": VARIANT, "two": {**VARIANT, **change}}
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

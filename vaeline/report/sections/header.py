"""The head of the page: the question, the answer in words, what each part does, samples, and what the study is made of."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vaeline.evaluation.catalogue import catalogue
from vaeline.report import words
from vaeline.report.explorer_link import explorer_link
from vaeline.report.findings import Findings
from vaeline.report.headline import headlines
from vaeline.report.one_factor import OneFactor, one_factor
from vaeline.report.results import FIRST_SAMPLES, Run
from vaeline.report.summary import facts_of, summary
from vaeline.runs.pictures import grid
from vaeline.study.schema import Study

FEW = 8  # one-factor comparisons that are shown without being asked for


@dataclass(frozen=True)
class Headline:
    """The answer in one primary metric."""

    name: str
    title: str  # of the metric, in words
    unit: str
    sentences: list[str]


@dataclass(frozen=True)
class Header:
    """The head of the page."""

    study: str
    question: str  # empty if the study asks none
    variants: list[str]
    answers: list[Headline]
    effects: list[OneFactor]
    facts: list[str]  # what the study is made of: `3 variants, each trained from 5 seeds`
    summary: str  # plain text to paste
    real: bytes | None  # PNG of the first test images; None if they are unavailable
    explorer: str  # address at which the explorer shows the first runs
    samples: dict[str, bytes]  # variant -> PNG of as many samples of its first run
    missing: list[str]  # runs: "cvae seed 3: not trained"
    differing: dict[str, list[str]]  # dotted key of params.yaml -> its value in each variant


def header(study: Study, findings: Findings) -> Header:
    """The head of the page of a study."""
    comparison = findings.comparison
    effects = one_factor(study, comparison)
    return Header(
        study=comparison.study,
        question=study.study.question,
        variants=comparison.variants,
        answers=[_headline(findings, name) for name in comparison.primary],
        effects=effects,
        facts=facts_of(study, findings.results),
        summary=summary(study, findings, effects),
        real=_real(findings),
        explorer=explorer_link((run.variant, run.seed) for run in findings.first_runs().values()),
        samples={variant: _samples(run) for variant, run in findings.first_runs().items()},
        missing=comparison.missing,
        differing=differing_keys(study),
    )


def _headline(findings: Findings, name: str) -> Headline:
    metric = catalogue().metric(name)
    return Headline(name, words.title(metric, name), metric.unit, headlines(findings.comparison, name))


def _samples(run: Run) -> bytes:
    """A small picture of samples; that of the run if they are points."""
    if run.first_samples is None or not run.levels:
        return run.samples
    return grid(run.first_samples, run.levels)


def _real(findings: Findings) -> bytes | None:
    """The test images whose labels the first samples have."""
    if findings.real is None:
        return None
    if findings.real.facts.points:
        return findings.real.shown
    rows = findings.results.runs[0].drawn["test_index"][:FIRST_SAMPLES]
    return grid(findings.real.test[rows], findings.real.facts.levels)


def differing_keys(study: Study) -> dict[str, list[str]]:
    """The keys in which the variants differ.

    Returns:
        Dotted key -> its value in each variant, empty if the variant has no such key, and `as below` if it has only keys below.
        Keys are in the order of the parts, and within a part by depth.
    """
    flat = [dict(_flattened(study.variants[variant].model_dump(mode="json"))) for variant in study.study.variants]
    keys = dict.fromkeys(key for each in flat for key in each)
    parts = list(dict.fromkeys(key.split(".")[0] for key in keys))
    ordered = sorted(keys, key=lambda key: (parts.index(key.split(".")[0]), key.count(".")))
    found = {key: [each.get(key) or _as_below(key, each) for each in flat] for key in ordered}
    return {key: values for key, values in found.items() if len(set(values)) > 1}


def _as_below(key: str, values: Mapping[str, str]) -> str:
    return "as below" if any(each.startswith(f"{key}.") for each in values) else ""


def _flattened(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys and their values as text; a part's name is the value at the key of the part."""
    for key, value in content.items():
        path = above if key == "name" and above else f"{above}.{key}".strip(".")
        if isinstance(value, dict):
            yield from _flattened(value, path)
        else:
            yield path, "none" if value is None else json.dumps(value).strip('"')

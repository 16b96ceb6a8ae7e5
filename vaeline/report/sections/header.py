"""The head of the page: the question of the study, its size, missing runs, and how the variants differ."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vaeline.report.findings import Findings
from vaeline.study.schema import Study


@dataclass(frozen=True)
class Header:
    """The head of the page."""

    study: str
    question: str  # empty if the study asks none
    variants: list[str]
    seeds: int  # of each variant
    complete: int  # runs
    planned: int  # runs
    dataset: str
    size: tuple[int, int] | None  # height and width in pixels; None for points
    missing: list[str]  # runs: "cvae seed 3: not trained"
    differing: dict[str, list[str]]  # dotted key of params.yaml -> its value in each variant


def header(study: Study, findings: Findings) -> Header:
    """The head of the page of a study."""
    comparison = findings.comparison
    return Header(
        study=comparison.study,
        question=study.study.question,
        variants=comparison.variants,
        seeds=len(comparison.seeds),
        complete=len(findings.results.runs),
        planned=len(comparison.variants) * len(comparison.seeds),
        dataset=study.dataset.id,
        size=study.dataset.shape,
        missing=comparison.missing,
        differing=differing_keys(study),
    )


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

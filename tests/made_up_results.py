"""Made-up results of a study as pages show them, without files."""

from typing import Any

from tests.made_up import references, study
from vaeline.data.facts import Facts
from vaeline.report import compare, kept_results
from vaeline.report.kept_results import KeptResults
from vaeline.report.results import Results, Run


def kept(
    values: dict[str, dict[str, list[float]]],
    how: dict[str, dict[str, dict[str, Any]]] | None = None,
    scale: dict[str, float] | None = None,
    **more: Any,
) -> KeptResults:
    """The results of the study `tiny`: metric -> variant -> a value for each seed; `how` adds to what is said of a variant's metric.

    `scale` adds references of the data set, such as `fd_pixel_gaussian`.
    """
    by_variant = next(iter(values.values()))
    runs = [
        run(variant, seed, {name: of[variant][seed] for name, of in values.items()}, (how or {}).get(variant, {}))
        for variant, of_seeds in by_variant.items()
        for seed in range(len(of_seeds))
    ]
    section = study(tuple(by_variant), tuple(range(len(next(iter(by_variant.values())))))).study
    found = Results(section, runs, {}, reference=references({"fd_floor": 1.0, **(scale or {})}, {"fd_floor": 0.1}))
    given = {
        "study": "tiny_quick", "question": "", "commit": "c0ffee" * 6, "edited": [], "command": "`make run`", "changed": [],
        "trained": ["2026-11-30"], "hardware": ["a machine"], "images": {"train": 4, "test": 4}, "epochs": [2, 20], "params": {"dataset": {"size": 8}},
        "comparison": kept_results.reduced(compare.compare(found)),
        "measured": kept_results.measured(runs),
    }  # fmt: skip
    return KeptResults(**{**given, **more})


def run(variant: str, seed: int, values: dict[str, float], how: dict[str, dict[str, Any]]) -> Run:
    """A run with metrics alone."""
    facts = Facts("dots", (1, 8, 8), 17, (-1.0, 1.0), ["digit"], [["0", "1"]])
    evaluation = {name: {"value": value, "split": "test", **how.get(name, {})} for name, value in values.items()}
    return Run(variant, seed, evaluation, {}, b"", b"", {}, {}, facts, {}, "", "")

"""The report of a study: one HTML page that holds all it shows and asks nothing of any network."""

import hashlib
import json
import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import combinations, pairwise, product
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vaeline.evaluation.catalogue import catalogue
from vaeline.metrics._entry import Metric
from vaeline.report import answer, pareto, table
from vaeline.report.comparison import Comparison, MetricResults
from vaeline.report.paired_differences import Pair
from vaeline.report.plots import figures, measured_figures
from vaeline.report.provenance import Provenance, duration
from vaeline.report.results import Results, Run
from vaeline.study import ready_studies
from vaeline.study.schema import Study

TEMPLATES = Path(__file__).parent / "templates"
STEPS = ["train", "sample", "evaluate"]
ALL_PAIRS = 6  # variants of which every pair is shown
MOST_SHOWN = 12  # entries of a list in the account of how a figure was made
SHOWN_ELSEWHERE = ("value", "definition", "by_label", "curve")
CHECKSUM = re.compile(r"[0-9a-f]{64}")
SHOWN_OF_CHECKSUM = 12  # letters
MARGIN = 3.0  # per cent of a strip left free at either end
FEWEST_OBEYED = 5  # attributes that a variant obeys least
TITLES = {
    "answer": "Answer", "table": "Results", "published": "PublishedComparison the papers", "trade-offs": "Trade-offs", "pictures": "Pictures",
    "labels": "Labels", "latents": "Latent spaces", "failures": "Failures", "curves": "Training", "how": "How each number was made", "runs": "Runs",
    "provenance": "Provenance",
}  # fmt: skip


class Strip(NamedTuple):
    """A paired comparison as drawn: places on a line, in per cent of its length."""

    pair: Pair  # the better variant first
    decided: bool  # whether its interval tells which is better
    by: str
    mean: float
    low: float | None
    high: float | None
    seeds: list[float]


class Answer(NamedTuple):
    """What the study finds in one figure."""

    name: str
    meaning: str
    unit: str
    sentences: list[str]
    zero: float  # where a strip's 0 is, in per cent
    strips: list[Strip]


class Definition(NamedTuple):
    """How a figure was made, for the variants that made it so."""

    variants: list[str]  # empty: all of them
    text: str
    how: dict[str, str]


def render(
    study: Study,
    results: Results,
    comparison: Comparison,
    real: bytes | None,
    pictures: Mapping[str, bytes],
    made_of: Provenance,
) -> str:
    """Draw the page.

    Args:
        study: whose runs they are.
        results: the runs that are there.
        comparison: of those runs.
        real: PNG of the test images that the reconstructions are of, in their order; None where they are not to be had.
        pictures: PNG of the study's pictures: `codes`, `pockets` and `traversals`, and of the others those that it has.
        made_of: what the page comes from.
    """
    rows, beside = table.rows(comparison), table.companion_rows(comparison)
    kinds, drawings, trade_offs = _kinds(results), _drawings(results), _trade_offs(results, comparison)
    shown = kinds | {name for name, drawing in {**drawings, "trade-offs": trade_offs}.items() if drawing}
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    return (
        _engine()
        .get_template("report.html.j2")
        .render(
            study=study,
            results=results,
            comparison=comparison,
            colours=figures.colours(comparison.variants),
            answers=[_answer(comparison, name) for name in answer.figures(comparison)],
            seeds={variant: table.partial_seeds(comparison, variant) for variant in comparison.variants},
            groups=_grouped(rows),
            best=_best(comparison, rows),
            differing=_differing(study),
            without_leakage=_without(results, "leakage"),
            published=table.published(comparison),
            nowhere=table.nowhere(comparison),
            notes=list(dict.fromkeys(cell.note for row in [*rows, *beside] for cell in row.cells if cell.note)),
            real=real,
            pictures=pictures,
            drawings=drawings,
            least_obeyed=_least_obeyed(results),
            guess=_guessed(results),
            kinds=kinds,
            sections=_sections(results, comparison, shown),
            script=Markup(script),
            script_hash=f"sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
            all_pairs=ALL_PAIRS,
            shown={variant: runs[0] for variant in comparison.variants if (runs := results.of(variant))},
            trade_offs=trade_offs,
            curves=[(curve, figures.curve_svg(results, curve).encode()) for curve in figures.CURVES],
            definitions={row.name: _definitions(results, row.name) for row in rows},
            beside=[(row, _definitions(results, row.name)) for row in beside],
            labels={row.name: _by_label(results, row.name) for row in rows},
            steps=[step for step in STEPS if any(step in run.seconds for run in results.runs)],
            params=ready_studies.as_yaml(study),
            stages=made_of.stages,
            data=made_of.data,
            environment=made_of.environment,
        )
    )


def _trade_offs(results: Results, comparison: Comparison) -> bytes | None:
    """The variants' trade-offs as SVG; None where there is nothing to trade off."""
    if not pareto.panels(pareto.scales(results, comparison)):
        return None
    return figures.svg(partial(pareto.draw, results, comparison)).encode()


def _engine() -> Environment:
    engine = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters |= {
        "inlined": _inlined,
        "typeset": _typeset,
        "breakable": _breakable,
        "duration": duration,
        "number": table.number,
    }
    return engine


def _sections(results: Results, comparison: Comparison, kinds: set[str]) -> dict[str, str]:
    """The sections of the page that there are, by their id."""
    absent = {
        "published": not comparison.published,
        "trade-offs": "trade-offs" not in kinds,
        "labels": not kinds & {"switched", "by_attribute"},
        "failures": not kinds & {"reconstructions", "low_posterior"},
    } | dict.fromkeys(("pictures", "latents", "curves"), not results.runs)
    return {name: title for name, title in TITLES.items() if not absent.get(name)}


def _kinds(results: Results) -> set[str]:
    """What the runs have drawn, and failed at, by name: of what none has, the page shows nothing."""
    return {name for run in results.runs for name in (*run.drawn, *(run.failures if run.levels else ()))}


def _drawings(results: Results) -> dict[str, str]:
    """SVG of what was measured along more than one number; empty where nothing was."""
    found = {
        "leakage": (measured_figures.has_leakage(results), measured_figures.leakage),
        "by_attribute": (
            bool(measured_figures.accuracies(results, "condition_accuracy")),
            measured_figures.by_attribute,
        ),
    }
    return {name: figures.svg(partial(draw, results)) if there else "" for name, (there, draw) in found.items()}


def _least_obeyed(results: Results) -> dict[str, list[tuple[str, float]]]:
    """The attributes that each variant obeys least, with their condition accuracy."""
    found = measured_figures.accuracies(results, "condition_accuracy")
    of_variants = {
        variant: [(label, values[variant]) for label, values in found.items() if variant in values]
        for variant in results.study.variants
    }
    return {
        variant: sorted(labels, key=lambda each: each[1])[:FEWEST_OBEYED]
        for variant, labels in of_variants.items()
        if labels
    }


def _guessed(results: Results) -> float | None:
    """The condition accuracy of a judge that guesses; None where it was not noted."""
    return results.reference.metrics.get("condition_accuracy_floor")


def _answer(comparison: Comparison, name: str) -> Answer:
    figure, headline = comparison.metrics[name], catalogue().metric(name)
    rankings = [part.ranking(headline) for part in figure.alike().values()]
    ranked = [pair for of in rankings for two in _shown_pairs(of) if (pair := figure.pair(*two))]
    pairs = [pair.turned() if headline.sign * pair.difference > 0 else pair for pair in ranked]
    advantages = [_advantages(figure, pair, headline) for pair in pairs]
    ends = [abs(pair.difference) + side * (pair.half_width or 0) for pair in pairs for side in (-1, 1)]
    place = _scale([0.0, *ends, *(value for each in advantages for value in each)])
    unranked = {*figure.saturated, *comparison.unranked(name)}
    decided = [
        pair.significant and figure.decided(pair, headline) and not {pair.first, pair.second} & unranked
        for pair in pairs
    ]
    strips = [_strip(*each, place) for each in zip(pairs, decided, advantages, strict=True)]
    return Answer(name, headline.meaning, headline.unit, answer.sentences(comparison, name), place(0.0), strips)


def _shown_pairs(ranking: list[str]) -> list[tuple[str, str]]:
    """Every two variants; where these are many, the best against each and each against the next."""
    if len(ranking) <= ALL_PAIRS:
        return list(combinations(ranking, 2))
    return list(dict.fromkeys([*((ranking[0], other) for other in ranking[1:]), *pairwise(ranking)]))


def _advantages(figure: MetricResults, pair: Pair, headline: Metric) -> list[float]:
    """By how much the pair's first variant is better, on each seed they share."""
    first, second = figure.summaries[pair.first].values, figure.summaries[pair.second].values
    return [headline.sign * (second[seed] - first[seed]) for seed in first if seed in second]


def _scale(values: list[float]) -> Callable[[float], float]:
    """A function from values to places on a strip that holds them all."""
    low, high = min(values), max(values)
    length = (high - low) or 1.0
    return lambda value: round(MARGIN + (100 - 2 * MARGIN) * (value - low) / length, 2)


def _strip(pair: Pair, decided: bool, seeds: list[float], place: Callable[[float], float]) -> Strip:
    mean, half_width = abs(pair.difference), pair.half_width
    low, high = (place(mean - half_width), place(mean + half_width)) if half_width is not None else (None, None)
    by = f"{table.number(mean, half_width)} {table.spread(half_width)}".strip()
    return Strip(pair, decided, by, place(mean), low, high, [place(value) for value in seeds])


def _differing(study: Study) -> dict[str, list[str]]:
    """What sets the variants apart: dotted key -> its value in each variant, as far as these differ."""
    flat = [dict(_flattened(study.variants[variant].model_dump(mode="json"))) for variant in study.study.variants]
    keys = dict.fromkeys(key for each in flat for key in each)
    parts = list(dict.fromkeys(key.split(".")[0] for key in keys))
    found = {
        key: [each.get(key, "") for each in flat]
        for key in sorted(keys, key=lambda key: (parts.index(key.split(".")[0]), key.count(".")))
    }
    return {key: values for key, values in found.items() if len(set(values)) > 1}


def _flattened(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys and their values as text; a part's name stands at the key of the part."""
    for key, value in content.items():
        path = above if key == "name" and above else f"{above}.{key}".strip(".")
        if isinstance(value, dict):
            yield from _flattened(value, path)
        else:
            yield path, "none" if value is None else json.dumps(value).strip('"')


def _without(results: Results, name: str) -> dict[str, str]:
    """The variants that have no curve of a figure, and why."""
    runs = {variant: of[0] for variant in results.study.variants if (of := results.of(variant))}
    entries = {variant: run.evaluation.get(name, {}) for variant, run in runs.items()}
    return {variant: entry.get("dash", "not measured") for variant, entry in entries.items() if "curve" not in entry}


def _best(comparison: Comparison, rows: Iterable[table.Row]) -> dict[str, list[table.Row]]:
    """The figures in which a variant is best, apart from every other one; who is so in most comes first."""
    best = {
        variant: [row for row in rows if row.cells[column].mark == "best"]
        for column, variant in enumerate(comparison.variants)
    }
    return {variant: best[variant] for variant in sorted(best, key=lambda each: -len(best[each])) if best[variant]}


def _grouped(rows: Iterable[table.Row]) -> dict[str, list[table.Row]]:
    groups: dict[str, list[table.Row]] = defaultdict(list)
    for row in rows:
        groups[row.metric.group].append(row)
    return dict(groups)


def _definitions(results: Results, name: str) -> list[Definition]:
    """How a figure was made; variants that made it in the same way stand together."""
    by_text: dict[str, list[Run]] = defaultdict(list)
    for run in results.runs:
        if "definition" in (entry := run.evaluation.get(name, {})):
            by_text[entry["definition"]].append(run)
    return [_definition(name, text, runs, alone=len(by_text) == 1) for text, runs in by_text.items()]


def _definition(name: str, text: str, runs: list[Run], alone: bool) -> Definition:
    entries = [run.evaluation[name] for run in runs]
    keys = dict.fromkeys(key for entry in entries for key in entry if key not in SHOWN_ELSEWHERE)
    how = {key.replace("_", " "): _agreed([entry[key] for entry in entries if key in entry]) for key in keys}
    return Definition([] if alone else list(dict.fromkeys(run.variant for run in runs)), text, how)


def _by_label(results: Results, name: str) -> dict[str, list[str]]:
    """A figure that is a mean over labels, label by label: for each variant the mean over its runs."""
    found: dict[str, list[str]] = defaultdict(list)
    labels = dict.fromkeys(label for run in results.runs for label in run.evaluation.get(name, {}).get("by_label", {}))
    for label, variant in product(labels, results.study.variants):
        entries = [run.evaluation.get(name, {}).get("by_label", {}) for run in results.of(variant)]
        values = [entry[label] for entry in entries if label in entry]
        found[label].append(table.number(fmean(values)) if values else "-")
    return dict(found)


def _agreed(values: list[Any]) -> str:
    """A value that all runs share, or the range or list of those they have."""
    if all(isinstance(value, float) for value in values) and len(set(values)) > 1:
        return f"{table.number(min(values))} to {table.number(max(values))}"
    return ", ".join(dict.fromkeys(map(_shown, values)))


def _shown(value: Any) -> str:
    if isinstance(value, list) and len(value) > MOST_SHOWN:
        return f"{len(value)} values, in evaluation.json"
    if isinstance(value, str) and CHECKSUM.fullmatch(value):
        return f"{value[:SHOWN_OF_CHECKSUM]}…"
    return value if isinstance(value, str) else table.number(value) if isinstance(value, float) else json.dumps(value)


def _inlined(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def _typeset(text: str) -> str:
    """Signs as they are printed: a minus that is no hyphen, one sign for `<=`, a dash for nothing."""
    return "—" if text == "-" else text.replace("<= ", "≤ ").replace("-", "−")


def _breakable(name: str) -> Markup:
    """A name that may be broken after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))

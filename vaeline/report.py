"""The report of a study: one HTML page that holds all it shows and asks nothing of any network."""

import json
import platform
import subprocess
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import combinations, pairwise, product
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vaeline import answer, figures, pareto, studies, table
from vaeline.comparison import Comparison, Figure, Pair
from vaeline.headlines import HEADLINES, Headline
from vaeline.params import Study
from vaeline.results import Results, Run

TEMPLATES = Path(__file__).parent / "templates"
PACKAGES = ["torch", "torchvision", "lightning-fabric", "numpy", "scipy", "scikit-learn", "h5py", "dvc", "snakemake"]
STEPS = ["train", "sample", "evaluate"]
ALL_PAIRS = 6  # variants of which every pair is shown
MOST_SHOWN = 12  # entries of a list in the account of how a figure was made
MARGIN = 3.0  # per cent of a strip left free at either end


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
    latents: Mapping[str, bytes],
    environment: Mapping[str, str],
) -> str:
    """Draw the page.

    Args:
        study: whose runs they are.
        results: the runs that are there.
        comparison: of those runs.
        real: PNG of the test images that the reconstructions are of, in their order; None where they are not to be had.
        latents: PNG of the latent spaces: `codes`, `pockets` and `traversals`.
        environment: what made the page: name -> version.
    """
    rows, beside = table.rows(comparison), table.rows_beside(comparison)
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
            published=table.published(comparison),
            nowhere=table.nowhere(comparison),
            notes=list(dict.fromkeys(cell.note for row in [*rows, *beside] for cell in row.cells if cell.note)),
            real=real,
            latents=latents,
            all_pairs=ALL_PAIRS,
            shown={variant: runs[0] for variant in comparison.variants if (runs := results.of(variant))},
            trade_offs=_trade_offs(results, comparison),
            curves=[(curve, figures.curve_svg(results, curve).encode()) for curve in figures.CURVES],
            definitions={row.name: _definitions(results, row.name) for row in rows},
            beside=[(row, _definitions(results, row.name)) for row in beside],
            labels={row.name: _by_label(results, row.name) for row in rows},
            steps=[step for step in STEPS if any(step in run.seconds for run in results.runs)],
            params=studies.as_yaml(study),
            environment=environment,
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
        "duration": _duration,
        "number": table.number,
    }
    return engine


def environment() -> dict[str, str]:
    """What this process runs on: versions, and the commit where there is one."""
    found = {
        "commit": _commit(),
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {name: value for name, value in found.items() if value}


def _commit() -> str:
    """The commit that is checked out, and whether files differ from it; empty outside a repository."""
    try:
        asked = ["git", "describe", "--always", "--abbrev=12", "--dirty=, with edits", "--exclude=*"]
        return subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:  # no git
        return ""


def _answer(comparison: Comparison, name: str) -> Answer:
    figure, headline = comparison.figures[name], HEADLINES[name]
    rankings = [part.ranking(headline) for part in figure.alike().values()]
    ranked = [pair for of in rankings for two in _shown_pairs(of) if (pair := figure.pair(*two))]
    pairs = [pair.turned() if headline.sign * pair.difference > 0 else pair for pair in ranked]
    advantages = [_advantages(figure, pair, headline) for pair in pairs]
    ends = [abs(pair.difference) + side * (pair.half_width or 0) for pair in pairs for side in (-1, 1)]
    place = _scale([0.0, *ends, *(value for each in advantages for value in each)])
    unranked = {*figure.saturated, *comparison.past_ceiling(name)}
    decided = [
        pair.apart and figure.decided(pair, headline) and not {pair.first, pair.second} & unranked for pair in pairs
    ]
    strips = [_strip(*each, place) for each in zip(pairs, decided, advantages, strict=True)]
    return Answer(name, headline.meaning, headline.unit, answer.sentences(comparison, name), place(0.0), strips)


def _shown_pairs(ranking: list[str]) -> list[tuple[str, str]]:
    """Every two variants; where these are many, the best against each and each against the next."""
    if len(ranking) <= ALL_PAIRS:
        return list(combinations(ranking, 2))
    return list(dict.fromkeys([*((ranking[0], other) for other in ranking[1:]), *pairwise(ranking)]))


def _advantages(figure: Figure, pair: Pair, headline: Headline) -> list[float]:
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


def _grouped(rows: Iterable[table.Row]) -> dict[str, list[table.Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[row.headline.group].append(row)
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
    keys = dict.fromkeys(key for entry in entries for key in entry if key not in ("value", "definition", "by_label"))
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
    return value if isinstance(value, str) else table.number(value) if isinstance(value, float) else json.dumps(value)


def _inlined(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def _typeset(text: str) -> str:
    """Signs as they are printed: a minus that is no hyphen, one sign for `<=`, a dash for nothing."""
    return "—" if text == "-" else text.replace("<= ", "≤ ").replace("-", "−")


def _breakable(name: str) -> Markup:
    """A name that may be broken after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"

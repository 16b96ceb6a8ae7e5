"""The results of a study as a block of a Markdown page: what it was made with, a table of few metrics, the claims."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from vaeline.evaluation.catalogue import catalogue
from vaeline.report.comparison import Comparison
from vaeline.report.decisions import better_first, why_open
from vaeline.report.few_metrics import few_metrics
from vaeline.report.headline import headlines
from vaeline.report.kept_results import SHOWN_OF_COMMIT, KeptResults, path_of
from vaeline.report.paired_differences import Pair
from vaeline.report.table import ARROWS, Cell, Row, rows
from vaeline.report.words import amount, counted, listed, of_reference, sizes
from vaeline.study import ready_studies

FEWEST_SEEDS = 3  # that a kept result should have
MOST_CLAIMS = 12  # of which each has a line
REFERENCES = ("real images", "pixel Gaussian", "guessing")  # that have a line in the table
GAUSSIAN_IS_BETTER = "the pixel Gaussian is better"
LEGEND = (
    "Metrics with a bold name are primary: they alone decide. A bold value is better than all others by adjusted intervals. ± is half the 95% interval of "
    "a mean, over seeds and, where they are known, over test images. Differences are paired, so that their intervals may be narrower. ≤ marks an upper bound."
)


def block(kept: KeptResults, page: Path, asked: Collection[str] = ()) -> str:
    """The results of a study.

    Args:
        kept: its results.
        page: that shows them, from the root of the project.
        asked: metrics that claims of papers are about, which are shown too.
    """
    compared, shown = kept.comparison, _shown(kept.comparison, asked)
    parts = [_made_with(kept, page), table(_table(compared, shown)), LEGEND, _notes(compared, shown), _claims(compared)]
    return "\n\n".join(filter(None, parts))


def table(lines: Sequence[Sequence[str]]) -> str:
    """A table of Markdown, the first line of which is its head."""
    texts = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]
    return "\n".join([texts[0], f"|{'---|' * len(lines[0])}", *texts[1:]])


def _made_with(kept: KeptResults, page: Path) -> str:
    compared = kept.comparison
    machine = f" on {'; '.join(kept.hardware)}" if kept.hardware else ""
    facts = [
        f"{counted(len(compared.variants), 'variant')} from {counted(len(compared.seeds), 'seed')} ({', '.join(map(str, compared.seeds))})",
        f"{'images' if kept.params['dataset']['size'] else 'points'}: {sizes(kept.images)}",
        length(kept),
        *commits(kept),
        f"trained {' to '.join(kept.trained)}{machine}" if kept.trained else "",
        f"{kept.command}{f', with changed settings: {listed(kept.changed)}' if kept.changed else ''}",
    ]
    where = path_of(kept.study)
    return f"`{kept.study}`: {'; '.join(filter(None, facts))}. All numbers: [{where.name}]({os.path.relpath(where, page.parent)})."


def commits(kept: KeptResults) -> list[str]:
    """The commit of the code of results, and that of their intervals if these were computed again."""
    edits = f" with edits of {counted(len(kept.edited), 'file')}" if kept.edited else ""
    again = [f"intervals and claims by commit `{kept.statistics[:SHOWN_OF_COMMIT]}`"] if kept.statistics else []
    return [f"code of commit `{kept.commit[:SHOWN_OF_COMMIT]}`{edits}", *again]


def how_to_keep(study: str) -> str:
    """The commands that make the results of a study of `studies/`, and keep them."""
    quick = " QUICK=1" if ready_studies.has_quick(study) else ""
    few = ", three seeds in `study.seeds`" if len(ready_studies.seeds_of(study)) < FEWEST_SEEDS else ""
    return f"`make use STUDY={study}{quick}`{few}, `make run` and `make keep-results`"


def length(kept: KeptResults) -> str:
    """How long the study was trained: `20 epochs of the 100 of the whole study`."""
    done, *whole = kept.epochs
    return counted(done, "epoch") + (f" of the {whole[0]} of the whole study" if whole and whole[0] != done else "")


def _shown(compared: Comparison, asked: Collection[str]) -> list[Row]:
    """The rows of the table for the primary metrics, the first one of each other group that ranks, and those that claims of papers name."""
    by_name: dict[str, list[Row]] = {}
    for row in rows(compared):
        by_name.setdefault(row.name, []).append(row)
    ranking = [name for name in few_metrics(compared) if name in compared.primary or _ranks(compared, name)]
    names = dict.fromkeys([*ranking, *asked])
    return [row for name in names for row in by_name.get(name, []) if row.metric.better or name in asked]


def _ranks(compared: Comparison, name: str) -> bool:
    """Whether a metric ranks a variant: its value is no dash, and neither saturated nor better than real images."""
    of = compared.metrics[name]
    return bool(set(compared.variants) - set(of.dashes) - set(of.saturated) - set(compared.unranked(name)))


def _table(compared: Comparison, shown: Sequence[Row]) -> list[list[str]]:
    """A line for each variant and for what real images score, a column for each metric."""
    lines = [["", *(_heading(compared, row) for row in shown)]]
    for place, variant in enumerate(compared.variants):
        lines.append(
            [f"`{variant}`", *(_cell(row.cells[place], _why_unranked(compared, row.name, variant)) for row in shown)]
        )
    for label in REFERENCES:
        cells = [
            next((value for name, value in row.references.items() if of_reference(name) == label), "") for row in shown
        ]
        lines += [[label, *cells]] if any(cells) else []
    return lines


def _heading(compared: Comparison, row: Row) -> str:
    name = f"**`{row.name}`**" if row.name in compared.primary else f"`{row.name}`"
    return " ".join(
        filter(None, [name, ARROWS[row.metric.better], row.metric.unit, f"({row.measure})" if row.measure else ""])
    )


def _cell(cell: Cell, unranked: str) -> str:
    bracketed = f"({unranked})" if unranked and cell.value != "-" else ""
    text = " ".join(filter(None, [cell.value.replace("<=", "≤"), cell.spread, bracketed]))
    return f"**{text}**" if cell.mark == "best" else text


def _why_unranked(compared: Comparison, name: str, variant: str) -> str:
    """Why a value ranks nothing, in a word or two; empty if it does."""
    if variant in compared.metrics[name].saturated:
        return "saturated"
    if variant in compared.metrics[name].descriptive:
        return "ranks nothing"
    return "better than real images" if variant in compared.unranked(name) else ""


def _notes(compared: Comparison, shown: Sequence[Row]) -> str:
    """Why values are missing or rank nothing, what the runs of others warn of, and what a Gaussian over pixels does better."""
    said: dict[tuple[str, str], list[str]] = {}
    for name in dict.fromkeys(row.name for row in shown):
        of = compared.metrics[name]
        for variant in compared.variants:
            worse = GAUSSIAN_IS_BETTER if variant in worse_than_gaussian(compared, name) else ""
            found = (of.dashes.get(variant), of.descriptive.get(variant), of.warnings.get(variant), worse)
            for note in filter(None, found):
                said.setdefault((name, note), []).append(variant)
    return "\n".join(f"- {_of(compared, name, variants)}: {note}." for (name, note), variants in said.items())


def worse_than_gaussian(compared: Comparison, name: str) -> list[str]:
    """The variants that a Gaussian over pixels beats in a metric, by an interval."""
    return list(compared.past(name, "no better than one Gaussian"))


def _of(compared: Comparison, name: str, variants: list[str]) -> str:
    """A metric, with the variants of which something is said if it is not said of all."""
    some = listed([f"`{each}`" for each in variants]) if variants != compared.variants else ""
    return f"`{name}` of {some}" if some else f"`{name}`"


def _claims(compared: Comparison) -> str:
    """What the study claims: a line for each pair; if there are many, a sentence for each primary metric, and the claims that are made."""
    pairs = [(name, pair) for name in compared.primary for pair in compared.metrics[name].pairs if pair.claimed]
    sentences = [f"- {sentence}" for name in compared.primary for sentence in headlines(compared, name)]
    if not pairs:
        return "\n".join(sentences)
    if len(pairs) <= MOST_CLAIMS:
        return _lines(compared, pairs)
    made = [(name, pair) for name, pair in pairs if not why_open(compared, name, pair)]
    count = f"- Of {len(pairs)} comparisons in primary metrics, adjusted together, {len(made) or 'none'} {'is a claim' if len(made) < 2 else 'are claims'}."
    if len(made) > MOST_CLAIMS:
        return "\n".join([*sentences, count, *_briefly(made)])
    return "\n\n".join(["\n".join([*sentences, count]), *([_lines(compared, made)] if made else [])])


def _briefly(made: Sequence[tuple[str, Pair]]) -> list[str]:
    """More claims than a table could hold: what is better than the same variants stands in one line."""
    worse: dict[tuple[str, str], list[str]] = {}
    for name, pair in made:
        pair = better_first(name, pair)
        worse.setdefault((name, pair.first), []).append(f"`{pair.second}`")
    better: dict[tuple[str, str], list[str]] = {}
    for (name, first), others in worse.items():
        better.setdefault((name, listed(others)), []).append(f"`{first}`")
    return [
        f"- In `{name}`, {listed(firsts)} {'is' if len(firsts) == 1 else 'are each'} better than {others}."
        for (name, others), firsts in better.items()
    ]


def _lines(compared: Comparison, pairs: Sequence[tuple[str, Pair]]) -> str:
    head = ["comparison", "metric", "advantage, adjusted interval", "seeds that agree", "claimed"]
    return table([head, *(_claim(compared, *each) for each in pairs)])


def _claim(compared: Comparison, name: str, pair: Pair) -> list[str]:
    pair, why = better_first(name, pair), why_open(compared, name, pair)
    metric = catalogue().metric(name)
    return [
        f"`{pair.first}` better than `{pair.second}`",
        f"`{name}`",
        amount(metric, pair),
        f"{pair.won} of {pair.seeds}",
        f"no: {why}" if why else "yes",
    ]

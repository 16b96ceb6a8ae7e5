"""What papers claim: `docs/claims.yaml` declares each claim as a comparison of two variants of a study."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from math import log
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from pydantic import Field, TypeAdapter, model_validator

from vaeline.evaluation.catalogue import catalogue
from vaeline.report import compare
from vaeline.report.comparability import definition_of, why_no_mean
from vaeline.report.kept_results import Asked
from vaeline.report.results import Results, Run
from vaeline.study.parts import Entry
from vaeline.study.reading import read_yaml
from vaeline.system.errors import UserError, reason

FILE = Path("docs/claims.yaml")
LIKELIHOODS = "Likelihood"  # a group of metrics, of which no ratio has a meaning


class Question(Entry):
    """A metric in which a claim says that one variant is better."""

    metric: str  # or several, as in `fid_sample or fd_sample`: the first that the study has
    published: tuple[float, float] | None = None  # of the better variant and of the other one
    direction: Literal["lower", "higher"] | None = None  # that the claim calls better, if the metric ranks nothing
    target: float | None = None  # the claim is that the metric is nearer to it

    def metric_of(self, there: Collection[str]) -> str:
        """The first of the metrics that is there, or the first of all."""
        names = self.metric.split(" or ")
        return next((name for name in names if name in there), names[0])


class PaperClaim(Entry):
    """A claim of a paper."""

    claim: str = Field(min_length=1)
    place: str = Field(min_length=1)  # in the paper
    study: str = ""  # of studies/; empty if none decides the claim
    better: str | list[str] = (
        ""  # the variant that the claim calls better; of several, the mean of ln ratios over pairs
    )
    than: str | list[str] = ""  # the other one, or as many others
    factor: float = 1.0  # the claim is that the metric is better than this times that of the other variant
    questions: list[Question] = Field(default_factory=list)
    note: str = ""  # what in the comparison is ours and not the paper's
    cannot: str = ""  # why no study decides the claim, and what it would take

    @model_validator(mode="after")
    def is_decided_somehow(self) -> "PaperClaim":
        """Refuse a claim that names neither a comparison nor why it has no comparison."""
        given = [bool(each) for each in (self.study, self.better, self.than, self.questions)]
        if (any(given) if self.cannot else not all(given)) or len(self.first) != len(self.second):
            raise ValueError(
                f"{self.claim!r} needs study, better, as many in than, and questions, or cannot, and not both"
            )
        return self

    @property
    def first(self) -> list[str]:
        """The variants that the claim calls better."""
        return [self.better] if isinstance(self.better, str) else self.better

    @property
    def second(self) -> list[str]:
        """The others, each at the place of the one that it is compared with."""
        return [self.than] if isinstance(self.than, str) else self.than


class Paper(Entry):
    """A paper and its claims."""

    title: str
    claims: list[PaperClaim] = Field(min_length=1)


Papers = Mapping[str, Paper]


def load(path: Path = FILE) -> Papers:
    """Read the claims: a short name for each paper -> its claims.

    Raises:
        UserError: the file is missing, or does not fit; the message names the place.
    """
    try:
        return TypeAdapter(dict[str, Paper]).validate_python(_with_tuples(read_yaml(path)))
    except ValueError as error:
        raise UserError(f"{path} does not hold the claims of papers ({reason(error)}); correct it.") from error


def _with_tuples(content: object) -> object:
    """YAML with a tuple in place of each list of two numbers, which a strict model asks for."""
    if isinstance(content, dict):
        return {key: _with_tuples(value) for key, value in content.items()}
    if isinstance(content, list):
        pair = len(content) == 2 and all(isinstance(value, int | float) for value in content)
        return tuple(map(float, content)) if pair else [_with_tuples(value) for value in content]
    return content


def asked_of(papers: Papers, study: str) -> Iterator[tuple[PaperClaim, Question]]:
    """What the claims ask of a study of `studies/`."""
    claims = (claim for paper in papers.values() for claim in paper.claims if claim.study == study)
    yield from ((claim, question) for claim in claims for question in claim.questions)


def answers(papers: Papers, study: str, results: Results) -> list[Asked]:
    """Compare what the claims ask of a study, from its runs."""
    return [_answer(claim, question, results) for claim, question in asked_of(papers, study)]


def named(variants: Sequence[str]) -> str:
    """What the mean of variants is called among variants."""
    return ", ".join(variants)


def _answer(claim: PaperClaim, question: Question, results: Results) -> Asked:
    metric = question.metric_of({name for run in results.runs for name in run.metrics})
    two, both = [named(claim.first), named(claim.second)], [*claim.first, *claim.second]
    asked = Asked(
        metric=metric, first=two[0], second=two[1], factor=claim.factor, target=question.target, pair=None, why=""
    )
    if absent := [name for name in both if name not in results.study.variants]:
        return asked.model_copy(update={"why": f"the study has no variant {' and '.join(absent)}"})
    runs = [run for name in both for run in results.of(name) if metric in run.metrics]
    if why := _why_not_alike(runs, metric) or (_why_no_ratio(runs, metric) if claim.first[1:] else ""):
        return asked.model_copy(update={"why": why})
    made = [
        *_made(results, claim.first, question, metric),
        *_made(results, claim.second, question, metric, claim.factor),
    ]
    section = results.study.model_copy(update={"variants": two})
    pair = compare.pairs_of(Results(section, made, {})).get(metric)
    if pair is None:
        return asked.model_copy(update={"why": "one of the two has no value"})
    return asked.model_copy(update={"pair": pair})


def _why_not_alike(runs: Sequence[Run], metric: str) -> str:
    """Why values of variants have no mean and no difference; empty if all were measured alike, and all rank."""
    if described := [run for run in runs if run.evaluation[metric].get("descriptive")]:
        return f"the value of {described[0].variant} ranks nothing: {described[0].evaluation[metric]['descriptive']}"
    return why_no_mean([definition_of(run, metric) for run in runs], "the variants")


def _why_no_ratio(runs: Sequence[Run], metric: str) -> str:
    """Why values have no ratio, whose logarithm is what a mean over pairs is of; empty if they have one."""
    if catalogue().metric(metric).group == LIKELIHOODS:
        return "a mean over pairs is of ratios, and a ratio of likelihoods in nats has no meaning"
    below = [run.variant for run in runs if run.metrics[metric] <= 0]
    return f"a mean over pairs is of ratios, and the value of {below[0]} is not above 0" if below else ""


def _made(results: Results, variants: Sequence[str], question: Question, metric: str, factor: float = 1.0) -> list[Run]:
    """What is compared of variants under each seed that all of them ran, as runs of one variant."""
    found = []
    for seed in results.study.seeds:
        runs = [run for name in variants for run in results.of(name) if run.seed == seed and metric in run.metrics]
        if len(runs) == len(variants):
            made = _value([run.evaluation[metric] for run in runs], factor, question.target)
            found.append(replace(runs[0], variant=named(variants), evaluation={metric: made}))
    return found


def _value(made: Sequence[Mapping[str, Any]], factor: float, target: float | None) -> dict[str, Any]:
    """A metric times a factor, or its distance from a target; of several variants the mean logarithm, which no single one can dominate.

    The parts that its error is estimated from are multiplied by the slope of that function.
    """
    values = [each["value"] for each in made]
    if len(made) > 1:
        value, slopes = fmean(log(factor * each) for each in values), [1 / each for each in values]
    elif target is not None:
        value, slopes = factor * abs(values[0] - target), [factor if values[0] > target else -factor]
    else:
        value, slopes = factor * values[0], [factor]
    return {**made[0], "value": value, **_errors(made, slopes)}


def _errors(made: Sequence[Mapping[str, Any]], slopes: Sequence[float]) -> dict[str, Any]:
    """The parts that errors are estimated from, their mean over variants if all have the same ones."""
    found: dict[str, Any] = {}
    for key in made[0].keys() & {"parts", "halves"}:
        lists = [each.get(key, []) for each in made]
        alike = len({len(each) for each in lists}) == 1
        found[key] = [_mean(column, slopes) for column in zip(*lists, strict=True)] if alike else []
    if judges := made[0].get("by_judge"):
        alike = all(each.get("by_judge", {}).keys() == judges.keys() for each in made)
        of = {judge: [each["by_judge"][judge] for each in made] for judge in judges} if alike else {}
        found["by_judge"] = {judge: _mean(values, slopes) for judge, values in of.items()}
    return found


def _mean(values: Sequence[float], slopes: Sequence[float]) -> float:
    return fmean(slope * value for slope, value in zip(slopes, values, strict=True))

"""What papers claim: `docs/claims.yaml` declares each claim as a comparison of two variants of a study."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter, model_validator

from vaeline.evaluation.catalogue import catalogue
from vaeline.study import ready_studies
from vaeline.study.parts import Entry
from vaeline.study.reading import read_yaml
from vaeline.system.errors import UserError, instead_of, reason, shown

FILE = Path("docs/claims.yaml")


class Question(Entry):
    """A metric in which a claim says that one variant is better."""

    metric: str  # or several, as in `fid_sample or fd_sample`: the first that the study has
    published: tuple[float, float] | None = None  # of the better variant and of the other one
    direction: Literal["lower", "higher"] | None = None  # that the claim calls better, if the metric ranks nothing
    target: float | None = None  # the claim is that the metric is nearer to it

    @model_validator(mode="after")
    def is_of_the_catalogue(self) -> "Question":
        """Refuse an unknown metric, and a direction where the metric or a target gives one."""
        known = catalogue().metrics
        for name in self.metric.split(" or "):
            if name not in known:
                raise ValueError(f"{shown(name)} is no metric; {instead_of(name, known)}")
            if self.direction and (known[name].better or self.target is not None):
                raise ValueError(
                    f"{name} has the direction {self.direction}, but {'a target' if self.target is not None else 'the metric'} gives one; leave it out"
                )
        return self

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
    factor: float = Field(1.0, gt=0)  # the claim is that the metric is better than this times that of the other variant
    questions: list[Question] = Field(default_factory=list)
    note: str = ""  # what in the comparison is ours and not the paper's
    cannot: str = ""  # why no study decides the claim, and what it would take

    @model_validator(mode="after")
    def is_decided_somehow(self) -> "PaperClaim":
        """Refuse a claim that names neither a comparison nor why it has no comparison, or a comparison that means nothing."""
        given = [bool(each) for each in (self.study, self.better, self.than, self.questions)]
        if (any(given) if self.cannot else not all(given)) or len(self.first) != len(self.second):
            raise ValueError(
                f"{self.claim!r} needs study, better, as many in than, and questions, or cannot, and not both"
            )
        self._refuse_pairs()
        if self.first[1:] and any(each.target is not None for each in self.questions):
            raise ValueError(
                f"{self.claim!r} has a target, which means of several variants have not; name single variants"
            )
        return self

    def _refuse_pairs(self) -> None:
        """Refuse a variant that is compared with itself, and a pair that is there twice, in whatever order."""
        pairs = [frozenset(pair) for pair in zip(self.first, self.second, strict=True)]
        if not self.cannot and (min(map(len, pairs)) < 2 or len({*pairs}) < len(pairs)):
            raise ValueError(
                f"{self.claim!r} compares a variant with itself, or has a pair twice; name each pair of two variants once"
            )

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
    ours: bool = False  # whether the claims are questions of this project, and of no paper
    claims: list[PaperClaim] = Field(min_length=1)


Papers = Mapping[str, Paper]


def load(path: Path = FILE) -> Papers:
    """Read the claims: a short name for each paper -> its claims.

    Raises:
        UserError: the file is missing, does not fit, or names a study or a variant that does not exist; the message names the place.
    """
    try:
        papers = TypeAdapter(dict[str, Paper]).validate_python(_with_tuples(read_yaml(path)))
    except ValueError as error:
        raise UserError(f"{path} does not hold the claims of papers ({reason(error)}); correct it.") from error
    claims = [claim for paper in papers.values() for claim in paper.claims if claim.study]
    for study in dict.fromkeys(claim.study for claim in claims):
        _require_variants(path, study, [claim for claim in claims if claim.study == study])
    return papers


def _require_variants(path: Path, study: str, claims: Sequence[PaperClaim]) -> None:
    """Refuse claims of a study or of variants that do not exist: their verdict would be open, and those of others change with it."""
    known = ready_studies.names()
    if study not in known:
        raise UserError(
            f"{path} names the study {shown(study)}, which does not exist; {instead_of(study, known, 'there are')}."
        )
    variants = ready_studies.variants_of(study)
    for claim in claims:
        if strange := [name for name in (*claim.first, *claim.second) if name not in variants]:
            raise UserError(
                f"{path} names the variant {shown(strange[0])} in {claim.claim!r}, which {study} does not have; "
                f"{instead_of(strange[0], variants, 'it has')}."
            )


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


def named(variants: Sequence[str]) -> str:
    """What the mean of variants is called among variants."""
    return ", ".join(variants)

"""The rows of published results that `make reproduce` runs: studies/published.yaml."""

from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from vaeline.study import ready_studies
from vaeline.study.parts import Entry
from vaeline.study.reading import check, read_yaml, sentences
from vaeline.study.recipe import recipe_of
from vaeline.study.schema import Name, OnceEach, Seed, Study
from vaeline.system.errors import UserError, instead_of, shown, some_of

FULL = 1.0  # the published length
LENGTH = {"epochs", "validate_every"}  # keys of a training that decide its length
# What a published value is, on which images, and how a likelihood is estimated.
Metric = Literal["nll", "negative_elbo", "rate", "mig"]
Split = Literal["train", "test"]
Method = Literal["posterior", "laplace"]
CLOSED_FORM = "closed_form"
OF_SETTING = ("study", "published")  # sections of a study that a setting has keys of its own for, or no use


def _number_or_closed_form(value: object) -> object:
    """One sentence for both kinds of a value."""
    if value == CLOSED_FORM or (type(value) in (int, float) and isfinite(value)):  # type: ignore[arg-type]
        return value
    raise ValueError(f"should be a finite number, or {CLOSED_FORM}")


class Setting(Entry):
    """How systems of some rows are trained: a variant of a study, with what differs from the study."""

    study: Name = Field(description="a file of studies/")
    variant: Name = Field(description="an entry of its variants")
    overrides: dict[str, dict[str, Any]] = Field(
        {}, description="keys of the study with other values, merged as a study extends another"
    )
    seeds: Annotated[list[Seed], OnceEach] = Field([0], min_length=1, description="it is trained once with each")
    hours: float = Field(
        gt=0, description="CPU hours of a training of the published length, with one seed, and its evaluation"
    )
    fraction: float = Field(
        FULL, gt=0, le=FULL, description="of the published length that is trained unless another is asked for"
    )

    @model_validator(mode="after")
    def overrides_what_is_trained(self) -> "Setting":
        """Refuse an override that would change nothing, without a word."""
        for section in OF_SETTING:
            if section in self.overrides:
                raise ValueError(
                    f"overrides {section}, which changes nothing; write seeds, variant and value as keys of their own"
                )
        for name in self.overrides.get("variants", {}):
            if name != self.variant:
                raise ValueError(f"overrides the variant {name}, but trains {self.variant}; write the name of that one")
        return self


class How(Entry):
    """How the published value was measured."""

    method: Method = Field("posterior", description="of the likelihood: samples of q(z|x), or around the modes")
    samples: int = Field(200, ge=10, description="importance samples of each image")
    images: int | None = Field(None, ge=2, description="of the split; null for all")
    split: Split = Field("test", description="that was measured")


class PublishedRow(Entry):
    """A published value, and what a pass is."""

    setting: Name = Field(description="an entry of `settings`")
    metric: Metric = Field(description="what the value is")
    value: Annotated[float | Literal["closed_form"], BeforeValidator(_number_or_closed_form)] = Field(
        description="as published, or computed from the points as a theorem says"
    )
    known: float | None = Field(
        None,
        description="of a closed form: its mean over the points of the row, found apart from this project's code; of other points it is another",
    )
    error: float = Field(0.0, ge=0, description="its standard error, as published")
    seeds: int = Field(
        1,
        ge=1,
        description="the fewest trainings that decide the row: several if the published error is over trainings",
    )
    margin: float = Field(gt=0, description="the largest difference that a pass allows: its whole interval lies within")
    how: How = Field(How(), description="how it was measured")
    source: str = Field(min_length=1, description="paper and table")
    verified: str = Field(min_length=1, description="where the value was read, or `not verified`, and why")
    differs: str = Field(
        "",
        description="what differs in the definition of the value or the system; if anything, the row is not comparable",
    )
    notes: str = Field("", description="what our training does otherwise, which a pass has to bear")

    @property
    def closed_form(self) -> bool:
        """Whether a theorem gives the value."""
        return self.value == CLOSED_FORM

    @model_validator(mode="after")
    def is_consistent(self) -> "PublishedRow":
        """Refuse keys that contradict each other."""
        if self.metric == "mig" and "how" in self.model_fields_set:
            raise ValueError("has `how`, but mig is measured in one way, on all training images; remove `how`")
        if self.metric == "mig" and self.closed_form:
            raise ValueError("has the value closed_form, but no theorem gives mig; write the published number")
        if self.metric == "mig" and self.seeds < 2:
            raise ValueError("has one seed, but the error of mig over images is unknown; let `seeds` be 2 or more")
        if self.closed_form != (self.known is not None):
            raise ValueError("should have `known` if its value is closed_form, and only then; add it or remove it")
        return self


class PublishedRows(Entry):
    """The content of studies/published.yaml."""

    settings: dict[Name, Setting] = Field(description="the trainings")
    rows: dict[Name, PublishedRow] = Field(min_length=1, description="the published values")

    @model_validator(mode="after")
    def names_its_settings(self) -> "PublishedRows":
        for name, row in self.rows.items():
            if row.setting not in self.settings:
                raise ValueError(
                    f"rows.{name}.setting is {row.setting!r}; {instead_of(row.setting, self.settings, 'there are')}"
                )
            seeds = self.settings[row.setting].seeds
            if row.seeds > len(seeds):
                raise ValueError(
                    f"rows.{name}.seeds is {row.seeds}, but settings.{row.setting}.seeds has {len(seeds)}; add seeds to the setting"
                )
        return self

    def named(self, names: tuple[str, ...]) -> dict[str, PublishedRow]:
        """The rows of some names, or all.

        Raises:
            UserError: there is no row of a name.
        """
        for name in names:
            if name not in self.rows:
                raise UserError(
                    f"There is no row {shown(name)} in {path()}; {instead_of(name, self.rows, 'there are')}."
                )
        return {name: self.rows[name] for name in names or self.rows}


def path() -> Path:
    """The file of the rows."""
    return ready_studies.folder() / f"{ready_studies.PUBLISHED}.yaml"


def read_rows() -> PublishedRows:
    """Read the published rows.

    Raises:
        UserError: the file is missing or does not fit the schema; one line for each mistake.
    """
    content = read_yaml(path())
    try:
        return PublishedRows.model_validate(content)
    except ValidationError as error:
        raise UserError(sentences(path(), error, PublishedRows)) from error


def _whole(name: str, setting: Setting) -> Study:
    """The study of a setting, which has the setting's variant."""
    place = f"{path()}: settings.{name}"
    try:
        whole = ready_studies.resolve(setting.study)
    except UserError as error:
        raise UserError(f"{place}.study is {shown(setting.study)}: {error}") from error
    if setting.variant not in whole.variants:
        raise UserError(
            f"{place}.variant is {shown(setting.variant)}; {instead_of(setting.variant, whole.variants, 'there are')}."
        )
    return whole


def study_of(name: str, setting: Setting, fraction: float) -> Study:
    """The study that trains a setting: one variant, at a fraction of the published length.

    Args:
        name: of the setting.
        setting: its content.
        fraction: of the published epochs.

    Raises:
        UserError: the study, its variant or a key of the overrides does not exist, or its schedule depends on the length.
    """
    whole = _whole(name, setting)
    content = ready_studies.overlay(whole.model_dump(mode="json"), setting.overrides)
    content |= {
        "study": {"name": name, "variants": [setting.variant], "seeds": setting.seeds},
        "variants": {setting.variant: content["variants"][setting.variant]},
        "published": {},
    }
    study = check(content, Path(f"{path()}, settings.{name}"))
    if own := LENGTH & study.variants[setting.variant].training.keys():
        raise UserError(
            f"{path()}: settings.{name} trains its variant {setting.variant} with {some_of(sorted(own))} of its own, which a fraction would not scale; "
            "write the key under `training` of the overrides, for the whole study, and remove it from the variant."
        )
    epochs = epochs_of(study, fraction)
    if epochs < study.training.epochs and recipe_of(study, setting.variant).training.schedule == "cosine":
        raise UserError(
            f"{path()}: settings.{name} has the schedule cosine, which depends on the length, so that no longer training continues a shorter one; "
            "leave FRACTION out, and let the setting's fraction be 1."
        )
    return study.model_copy(update={"training": study.training_with({"epochs": epochs})})


def epochs_of(study: Study, fraction: float) -> int:
    """A fraction of a training, at least one validation."""
    every = study.training.validate_every
    return max(1, round(study.training.epochs * fraction / every)) * every

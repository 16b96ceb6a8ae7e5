"""The schema of a study: every key typed, bounded and described; unknown keys are refused."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator

from vaeline.study.parts import Entry, PartOf, PartOptions, defines, names, own_keys, shown_file, shown_folder
from vaeline.system.errors import first_mistake, instead_of

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
RUN = r"^[a-z0-9][a-z0-9_]*/seed-(0|[1-9][0-9]*)$"  # the folder of a run below that of all runs
MOST_SEED = 2**63 - 1  # HDF5 and torch's generators take no larger one
MOST_BINS = 100  # of a column of numbers
MOST_JUDGES = 20  # classifiers
MOST_TRIED = 10_000  # numbers, in search of a divisor
LEAST_SIDE, MOST_SIDE = 4, 512  # of an image, in pixels
T = TypeVar("T")


def once_each(value: list[T]) -> list[T]:
    """Refuse a list that repeats an entry."""
    if len(set(value)) < len(value):
        raise ValueError("must name each once")
    return value


OnceEach = AfterValidator(once_each)
Seed = Annotated[int, Field(ge=0, le=MOST_SEED)]
Share = Annotated[float, Field(ge=0, lt=1)]


class StudySection(Entry):
    """What is compared, and how often."""

    name: Name = Field(description="name of the folder of results")
    question: str = Field("", description="the question of the study, a sentence for the report")
    variants: Annotated[list[Name], OnceEach] = Field(min_length=1, description="the entries of `variants` that run")
    seeds: Annotated[list[Seed], OnceEach] = Field(min_length=1, description="every variant runs once with each")
    primary: Annotated[list[str], OnceEach] | None = Field(
        None,
        min_length=1,
        max_length=3,
        description="the metrics that decide the study, at most three; null for the likelihood that compares most variants, the fairest first, and the distance of samples",
    )
    baseline: Name | None = Field(
        None, description="the variant that each other one is compared with; null to compare every two variants"
    )
    looks: list[Annotated[int, Field(ge=2)]] | None = Field(
        None,
        min_length=1,
        description="the numbers of seeds at which claims are looked at, ascending, declared before the first look: as in [3, 5, 10]; null if "
        "claims are made once and no seeds are added afterwards",
    )
    released: str | None = Field(
        None,
        pattern=RUN,
        description="the run that `dvc artifacts get <project> model` gives to others, as in cvae/seed-0; null for none",
    )

    @field_validator("looks")
    @classmethod
    def ascending_looks(cls, value: list[int] | None) -> list[int] | None:
        if value is not None and any(later <= earlier for earlier, later in pairwise(value)):
            raise ValueError("must ascend, as in [3, 5, 10]")
        return value

    @model_validator(mode="after")
    def compares_variants_that_run(self) -> "StudySection":
        """Refuse a baseline that does not run."""
        if self.baseline is not None and self.baseline not in self.variants:
            raise ValueError(f"baseline is {self.baseline!r}; take one of study.variants: {', '.join(self.variants)}")
        if self.baseline is not None and len(self.variants) == 1:
            raise ValueError(
                f"baseline is {self.baseline!r}, the only variant; add another one, or set baseline to null"
            )
        return self

    @model_validator(mode="after")
    def releases_a_run_of_its_own(self) -> "StudySection":
        """Refuse to release a run that the study does not have."""
        variant, _, seed = (self.released or "").partition("/seed-")
        if self.released is not None and (variant not in self.variants or int(seed) not in self.seeds):
            raise ValueError(
                f"released is {self.released!r}, which is no run of the study; name one of study.variants and one of study.seeds, as in "
                f"{self.variants[0]}/seed-{self.seeds[0]}, or set released to null"
            )
        return self

    @model_validator(mode="after")
    def is_at_a_look(self) -> "StudySection":
        """Refuse a number of seeds at which no look was declared."""
        if self.looks is not None and len(self.seeds) not in self.looks:
            raise ValueError(
                f"seeds lists {len(self.seeds)}, and looks are declared at {', '.join(map(str, self.looks))} seeds; list as many as at one look"
            )
        return self


class Split(Entry):
    """How images are divided into train, validation and test."""

    method: Literal["random", "official", "folders", "column"] = Field(
        "random",
        description=(
            "a seeded shuffle; the official split of the data set; the folders train, validation (or val) and test of an image_folder; or "
            "a column of its table that says train, validation (or val) or test"
        ),
    )
    column: str | None = Field(None, description="the column of the method `column`; null for the other methods")
    group: str | None = Field(
        None,
        description=(
            "a column of the table, or `identity` of CelebA; all images of one of its values come into one split, by the method `random`; null "
            "for images that are independent"
        ),
    )
    seed: Seed = Field(0, description="of the shuffle")
    validation: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="share of all images, or of the given train split if there is no validation split",
    )
    test: float = Field(0.2, gt=0, lt=1, description="share of all images; only the method `random` uses it")
    held_out: list[Annotated[dict[str, str], Field(min_length=2)]] = Field(
        [],
        description=(
            "combinations of label values, as in [{Male: 'yes', Young: 'no'}], that no training image is to have: their images are test images, "
            "and samples are asked for them"
        ),
    )

    @model_validator(mode="after")
    def names_what_it_needs(self) -> "Split":
        if (self.method == "column") != (self.column is not None):
            raise ValueError(
                f"method {self.method} and column {'null' if self.column is None else repr(self.column)} do not go together; name the column of the split with method: column, and "
                "set column to null with any other method"
            )
        if self.group is not None and self.held_out:
            raise ValueError(
                f"group {self.group} and held_out do not go together, because held-out images would leave their group; set group to null, or "
                "held_out to []"
            )
        if self.group is not None and self.method != "random":
            raise ValueError(
                f"method {self.method} takes the splits as they are given, so that no groups are dealt; set group to null, or method to random"
            )
        return self

    @model_validator(mode="after")
    def leaves_some_to_train(self) -> "Split":
        if self.method == "random" and self.validation + self.test >= 1:
            raise ValueError(
                f"validation {self.validation} and test {self.test} add up to {self.validation + self.test:g}, which leaves no image to "
                "train on; take shares that add up to less than 1"
            )
        return self


class Dataset(Entry):
    """Which images, of what size, under which labels."""

    id: Name = Field(description="name of data/<id>.h5; another size, split or choice of labels needs another id")
    name: Name = Field(description="a file of vaeline/data/sets or parts/sets")
    options: dict[str, Any] = Field(
        {},
        validate_default=True,
        description="the data set's own keys, for one that has some, as in {class_name: FashionMNIST}; {} for the others",
    )
    source: str = Field("download", description="`download`, or a folder with the files; embedded data ignore it")
    limit: int | None = Field(
        None,
        ge=10,
        description=(
            "number of images to use, drawn from all of them by the seed of the split; null for all. Groups are dealt after the draw, which "
            "may take a part of a group"
        ),
    )
    on_bad_image: Literal["stop", "skip"] = Field(
        "stop",
        description=(
            "what to do about image files that cannot be used, because they are damaged or have more than 8 bits a channel, for example. "
            "`skip` decodes all files in the download step, and lists those that it leaves out"
        ),
    )
    size: int | list[int] | None = Field(
        description="height and width in pixels after preprocessing, 4 to 512; `[height, width]` if they differ; null for points"
    )
    fit: Literal["crop", "pad", "stretch"] = Field(
        "crop",
        description=(
            "what becomes of images of another shape: the centre is cut out; black bars are added; or the sides are scaled by themselves"
        ),
    )
    range: tuple[float, float] = Field(
        (-1.0, 1.0), strict=False, description="the values that black and white have inside the networks"
    )
    pixels: Literal["dequantized", "greys", "static_binary", "dynamic_binary"] = Field(
        "dequantized",
        description=(
            "how networks see a grey: as a uniform draw inside its step, which a density needs; as the grey itself; as black or white, "
            "drawn once; or as black or white, drawn again for each batch"
        ),
    )
    labels: str | Annotated[list[str], Field(min_length=1)] = Field(
        "all", description="`all`, `none`, `most_frequent:<n>` of the attributes, or a list of their names"
    )
    missing: Literal["refuse", "drop", "category"] = Field(
        "refuse",
        description=(
            "what to do if a label has no value in a table (an empty cell, `NaN`, `NA`, `null`, `?` and the like): stop; leave the image out; "
            "or take `missing` for a value"
        ),
    )
    bins: dict[
        str, Literal["each"] | Annotated[int, Field(ge=2, le=MOST_BINS)] | Annotated[list[float], Field(min_length=1)]
    ] = Field(
        {},
        description=(
            "columns of numbers that become labels: in so many bins of about equally many images, in bins between the edges of a list, or "
            "`each` number by itself"
        ),
    )
    split: Split = Field(Split(), description="how the images are divided into train, validation and test")

    @model_validator(mode="after")
    def points_have_no_pixels(self) -> "Dataset":
        """Refuse settings of pixels for points."""
        if self.size is None and (self.pixels, self.range, self.fit) != ("dequantized", (-1.0, 1.0), "crop"):
            raise ValueError(
                "size null means points, which have no pixels; leave pixels at dequantized, range at [-1, 1] and fit at crop"
            )
        return self

    @property
    def shape(self) -> tuple[int, int] | None:
        """Height and width in pixels; None for points."""
        if self.size is None:
            return None
        return (self.size, self.size) if isinstance(self.size, int) else (self.size[0], self.size[1])

    @field_validator("options")
    @classmethod
    def are_those_of_the_data_set(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return own_keys("sets", info.data["name"], value) if "name" in info.data else value

    @field_validator("size", mode="before")
    @classmethod
    def size_has_one_of_three_forms(cls, value: object) -> object:
        sides = value if isinstance(value, list) and len(value) == 2 else [value]
        if value is not None and not all(type(side) is int and LEAST_SIDE <= side <= MOST_SIDE for side in sides):
            raise ValueError(
                f"must be a whole number from {LEAST_SIDE} to {MOST_SIDE}, [height, width] of two such numbers, or null for points"
            )
        return value

    @field_validator("bins", mode="before")
    @classmethod
    def bins_have_one_of_three_forms(cls, value: object) -> object:
        for name, bins in value.items() if isinstance(value, dict) else ():
            number = isinstance(bins, int) and not isinstance(bins, bool) and 2 <= bins <= MOST_BINS
            edges = isinstance(bins, list) and bins and all(type(edge) in (int, float) for edge in bins)
            ascending = edges and all(low < high for low, high in pairwise(bins))
            if not (bins == "each" or number or ascending):
                raise ValueError(
                    f"{name} has {bins!r}; give a number of bins from 2 to {MOST_BINS}, a list of ascending edges, as in [18, 40, 65], or each"
                )
        return value

    @field_validator("range")
    @classmethod
    def ascending(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] >= value[1]:
            raise ValueError("must ascend, as in [-1, 1]")
        return value

    @field_validator("name")
    @classmethod
    def on_disk(cls, value: str) -> str:
        if value not in names("sets"):
            raise ValueError(
                f"must be a file of {shown_folder('sets')}; {instead_of(value, names('sets'), 'there are')}"
            )
        if not defines("sets", value, "LOADER"):
            raise ValueError(
                f"must be a file that offers LOADER; end {shown_file('sets', value)} with `LOADER = Loader(read=read, download=download)`"
            )
        return value


class Training(Entry):
    """How every variant is trained."""

    epochs: int = Field(ge=1, description="at most this many")
    patience: int = Field(10, ge=1, description="stop after this many validations without a better objective")
    validate_every: int = Field(1, ge=1, description="epochs between two validations")
    batch_size: int = Field(128, ge=2, le=1_000_000, description="images of a training step")
    optimizer: Literal["adam", "adamw", "adamax"] = Field(
        "adam", description="Adam; with a decoupled weight decay (AdamW); or by the largest gradients (Adamax)"
    )
    learning_rate: float = Field(gt=0, le=1, description="of the optimizer")
    betas: tuple[Share, Share] = Field(
        (0.9, 0.999), strict=False, description="decays of the optimizer's two moments, for each step"
    )
    eps: float = Field(1e-8, gt=0, le=1, description="added to the root of the second moment")
    weight_decay: float = Field(
        0.0,
        ge=0,
        le=1,
        description="of all weights: added to the gradient, but with adamw taken off the weights themselves",
    )
    warmup: int = Field(0, ge=0, description="steps over which the learning rate rises linearly")
    schedule: Literal["milestones", "cosine"] = Field(
        "milestones",
        description="how the learning rate falls: at milestones, or in each step along a cosine that is 0 after the last epoch",
    )
    milestones: list[Annotated[int, Field(ge=1)]] = Field(
        [], description="epochs after each of which the learning rate is multiplied by `decay`"
    )
    decay: float = Field(0.1, gt=0, le=1, description="factor of the learning rate at each milestone")
    weight_average: Share | None = Field(
        None,
        description=(
            "decay of an exponential moving average of the weights, for each step; the average is validated and saved in place of the weights; "
            "null for none"
        ),
    )
    initialisation: Literal["parts", "glorot"] = Field(
        # By keyword: a bare "parts" in a call counts as the folder, whose files would all belong to the code of each step.
        default="parts",
        description="how encoder and decoder start: as their network says, or as in Glorot and Bengio (2010)",
    )
    gradient_noise: float = Field(
        0.0,
        ge=0,
        description="variance of normal noise on the gradient in the first step; it falls as (step)^-0.55 (Neelakantan et al., 2015)",
    )
    gradient_clip: float | None = Field(None, gt=0, description="largest norm of the gradient; null for none")
    precision: Literal["32-true", "bf16-mixed"] = Field(
        "32-true",
        description="of the training steps; evaluation is in 32 bits; bf16-mixed is slow on a CPU without AVX-512",
    )
    flip: bool = Field(False, description="mirror half of the training images")
    rotation: float = Field(
        0.0, ge=0, le=180, description="rotate training images by up to this many degrees either way"
    )
    threads: int = Field(
        1, ge=1, le=1024, description="CPU threads of a run; the last bits of results depend on their number"
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="auto takes a GPU if there is one")
    processes: int = Field(
        1,
        ge=1,
        le=64,
        description=(
            "processes that share each batch of a training, each with a GPU of its own, or a share of the threads; the last bits of results "
            "depend on their number"
        ),
    )

    @model_validator(mode="after")
    def shared_by_processes(self) -> "Training":
        if self.batch_size < self.processes:
            raise ValueError(
                f"batch_size {self.batch_size} is too small for {self.processes} processes, which share each batch; set batch_size to "
                f"{self.processes} or more, or processes to {self.batch_size} or less"
            )
        return self

    @model_validator(mode="after")
    def ends_validated(self) -> "Training":
        if self.epochs % self.validate_every:
            raise ValueError(
                f"epochs {self.epochs} must be a multiple of validate_every {self.validate_every}, because the last epoch is validated; "
                f"set validate_every to {_nearest_divisors(self.epochs, self.validate_every)}, or epochs to "
                f"{nearest_multiples(self.epochs, self.validate_every)}"
            )
        return self

    @model_validator(mode="after")
    def falls_in_one_way(self) -> "Training":
        if self.schedule == "cosine" and self.milestones:
            raise ValueError(
                f"schedule cosine has no milestones, but milestones is {self.milestones}; set it to [], or schedule to milestones"
            )
        return self


def nearest_multiples(number: int, of: int) -> str:
    """For a number that is no multiple of `of`: the multiples just below and above it, in words."""
    below = number // of * of
    return " or ".join(str(each) for each in (below, below + of) if each)


def _nearest_divisors(number: int, beside: int) -> str:
    """For `beside`, which does not divide a number: divisors below and above it, in words; the nearest ones, unless they are far away."""
    below = next((each for each in range(min(number, beside), 0, -1)[:MOST_TRIED] if number % each == 0), 1)
    above = next((each for each in range(beside, number)[:MOST_TRIED] if number % each == 0), number)
    return " or ".join(dict.fromkeys(map(str, (below, above))))


# What a variant may have otherwise than the study: how it learns. What it learns from, and what that runs on, is the study's.
OF_VARIANTS = tuple(
    key
    for key in Training.model_fields
    if key not in ("precision", "flip", "rotation", "threads", "device", "processes")
)


def keys_of_variants(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse keys of `training` that a variant may not override."""
    for key in value:
        if key not in OF_VARIANTS:
            why = (
                "is the study's, the same for all variants" if key in Training.model_fields else "is no key of training"
            )
            raise ValueError(f"has {key}, which {why}; {instead_of(key, OF_VARIANTS)}")
    return value


Space = dict[str, dict[Literal["log", "linear", "whole", "among"], list[Any]]]
MOST_TUNED = 8  # keys; the design has a prime number for each
MOST_TRIALS = 1000
LARGEST = 1e15  # end of a range of numbers; a float tells whole numbers apart up to 9e15


class Tuning(Entry):
    """A search for the best values of some keys, with as many trials for every variant, before its runs are trained."""

    trials: Annotated[list[Annotated[int, Field(ge=0, lt=MOST_TRIALS)]], OnceEach] = Field(
        [], description="the numbers of the trials of each variant, as in [0, 1, 2, 3]; [] for no tuning"
    )
    epochs: int = Field(10, ge=1, description="of each trial, at most")
    space: Space = Field(
        {},
        description=(
            "what is tuned: keys of `training`, as in training.learning_rate, or of every variant, as in regularizer.weight, each with a range: "
            "{log: [low, high]}, {linear: [low, high]}, {whole: [low, high]} for whole numbers, or {among: [value, value]}"
        ),
    )
    metric: Literal["validation_negative_elbo", "validation_objective", "validation_distortion"] = Field(
        "validation_negative_elbo",
        description=(
            "a column of training.csv. The score of a trial is `metric` in the epoch whose weights it keeps: the epoch with the best "
            "validation objective, or the last one against an adversary. The trial with the lowest score is chosen"
        ),
    )
    seed: Seed = Field(0, description="of the design, and of the trials, which use no seed of the study")

    @field_validator("trials", mode="before")
    @classmethod
    def lists_trials(cls, value: object) -> object:
        if isinstance(value, int):  # DVC runs a trial for each item of a list
            raise ValueError(f"should list the trials; write [{', '.join(map(str, range(min(value, 4))))}]")
        return value

    @field_validator("space")
    @classmethod
    def ranges_hold_several_values(cls, value: Space) -> Space:
        if len(value) > MOST_TUNED:  # pydantic does not tell how many keys a mapping has
            raise ValueError(f"holds {len(value)} keys, but should hold at most {MOST_TUNED}")
        for key, range_ in value.items():
            if len(range_) != 1 or not _is_range(*next(iter(range_.items()))):
                raise ValueError(
                    f"{key} has {range_!r}, which is no range of several values; give {{log: [low, high]}} above 0, {{linear: [low, high]}}, "
                    "{whole: [low, high]} or {among: [value, value]}"
                )
        return value

    @model_validator(mode="after")
    def tunes_something(self) -> "Tuning":
        if self.trials and not self.space:
            raise ValueError(
                f"has {len(self.trials)} trials, but space has no key; name what is tuned, or set trials to []"
            )
        return self


def _is_range(kind: str, given: list[Any]) -> bool:
    if kind == "among":
        plain = all(each is None or isinstance(each, bool | int | float | str | list) for each in given)
        return plain and len({repr(each) for each in given}) == len(given) > 1
    numbers = (int,) if kind == "whole" else (int, float)
    if len(given) != 2 or any(type(each) not in numbers or abs(each) > LARGEST for each in given):
        return False
    low, high = given
    return bool(low < high and (kind != "log" or (low > 0 and high / low < math.inf)))


class Classifier(Entry):
    """The classifiers that measure condition accuracy; the last hidden layer of each is also a feature space."""

    epochs: int = Field(20, ge=1, description="passes over the training split")
    width: int = Field(32, ge=4, le=1024, description="channels of the first layer")
    features: int = Field(64, ge=2, le=64, description="dimensions of the feature space")
    learning_rate: float = Field(
        0.001, gt=0, le=1, description="of its optimizer, at the start; it falls to 0 as a cosine"
    )
    batch_size: int = Field(128, ge=2, le=1_000_000, description="images of a training step")
    flip: bool = Field(False, description="mirror half of its training images; best as in `training`")
    rotation: float = Field(
        0.0, ge=0, le=180, description="rotate them by up to this many degrees either way; best as in `training`"
    )
    seeds: Annotated[list[Seed], OnceEach] = Field(
        [0],
        min_length=1,
        max_length=MOST_JUDGES,
        description=(
            "a classifier is trained with each, and measures all runs; of its weights, its batches and their augmentation. Intervals are for "
            "new classifiers too if there are several"
        ),
    )
    threads: int = Field(2, ge=1, le=1024, description="CPU threads of its training")


class Sampling(Entry):
    """The images drawn from a trained model."""

    count: int | None = Field(
        10_000, ge=2, description="images of each kind, at most the number of test images; null for as many as these"
    )
    grid: int = Field(64, ge=1, le=400, description="images in each picture")
    noise: Literal["mean", "drawn"] = Field(
        "mean",
        description="whether samples are the means of p(x|z), or drawn from p(x|z) with its noise, as the model means them; reconstructions are means",
    )
    seed: Seed = Field(0, description="of the choice of test images, and of all draws")


class LikelihoodEstimate(Entry):
    """How log p(x) is estimated."""

    method: Literal["laplace", "posterior"] = Field(
        "laplace",
        description="where its samples are drawn: around the modes of p(z|x), with annealing where that fails; or from q(z|x), as for most published "
        "values",
    )
    samples: int = Field(200, ge=10, le=1_000_000, description="of each image")
    budget: int = Field(
        1000,
        ge=0,
        le=1_000_000_000,
        description="evaluations of the decoder for annealing, for each image that is measured, on average",
    )


class Evaluation(Entry):
    """The metrics on the test split."""

    likelihood: LikelihoodEstimate = Field(LikelihoodEstimate(), description="how log p(x) is estimated")
    bound_samples: int = Field(10, ge=1, le=10_000, description="posterior samples for each image's bound")
    images: int | None = Field(None, ge=2, description="test images of the likelihood; null for all")
    seed: Seed = Field(0, description="of posterior samples, and of everything else that is drawn to measure a run")
    by_label: bool = Field(
        False, description="also measure the Fréchet distance of samples for each label that has enough images"
    )
    features: Annotated[PartOptions, PartOf("features")] = Field(description="the feature space of Fréchet distances")


class Condition(Entry):
    """How labels reach the networks: as an embedding of each label value, or one-hot."""

    embedding: int | None = Field(8, ge=1, le=4096, description="dimensions for each label; null for one-hot labels")
    encoder: bool = Field(True, description="the encoder sees the labels")
    decoder: bool = Field(True, description="the decoder sees the labels")
    labels: Annotated[PartOptions, PartOf("label_encoders")] = Field(
        {"name": "table"},
        validate_default=True,
        description="what becomes of the labels' vectors before the networks see them",
    )


class Variant(Entry):
    """A system, composed of parts."""

    network: Annotated[PartOptions, PartOf("networks")] = Field(description="encoder and decoder")
    latent: int = Field(ge=1, le=4096, description="dimensions of z")
    condition: Condition | None = Field(None, description="null for a model without labels")
    posterior: Annotated[PartOptions, PartOf("posteriors")] = Field(description="q(z|x), from the encoder's features")
    prior: Annotated[PartOptions, PartOf("priors")] = Field(description="p(z), or p(z|y)")
    likelihood: Annotated[PartOptions, PartOf("likelihoods")] = Field(description="p(x|z), from the decoder's output")
    regularizer: Annotated[PartOptions, PartOf("regularizers")] = Field(
        description="the terms that training adds to the distortion"
    )
    bound: Annotated[PartOptions, PartOf("bounds")] = Field(
        {"name": "evidence_lower_bound"},
        validate_default=True,
        description="the bound on log p(x) that training optimises",
    )
    training: Annotated[dict[str, Any], AfterValidator(keys_of_variants)] = Field(
        {},
        description=(
            "keys of `training` that this variant has otherwise than the study, as in {learning_rate: 0.0005}; not precision, flip, rotation, "
            "threads, device or processes, which are the same for all"
        ),
    )
    density: Annotated[PartOptions, PartOf("densities")] | None = Field(
        None, description="fitted to the latents after training, and sampled from in place of the prior; null for none"
    )


class Published(Entry):
    """A published result, shown next to ours."""

    metric: str = Field(description="name of the metric here")
    variant: Name = Field(description="the entry of `variants` that it belongs to")
    value: float = Field(allow_inf_nan=False, description="as published")
    error: float | None = Field(None, ge=0, description="as published")
    source: str = Field(min_length=1, description="paper and table, a few words for the report")
    how: dict[str, str | int | float] = Field(
        {},
        description="how it was measured, by the keys of evaluation.json; if one differs from ours, the two are not compared",
    )
    differs: str = Field(
        "", description="what else differs in its definition; if anything does, the two are not compared"
    )

    @model_validator(mode="after")
    def is_defined(self) -> "Published":
        """Refuse a result whose definition is unknown."""
        if not self.how and not self.differs:
            raise ValueError(
                f"{self.metric} of {self.variant} needs `how`, the way it was measured, or `differs`, what differs from ours"
            )
        return self


class Study(Entry):
    """A study, fully resolved: the whole of params.yaml."""

    study: StudySection = Field(description="What is compared, and how often.")
    dataset: Dataset = Field(description="Which images, of what size, under which labels.")
    training: Training = Field(description="How every variant is trained.")
    tuning: Tuning = Field(
        Tuning(), description="What is tuned for each variant before it is trained, with the same budget for all."
    )
    classifier: Classifier = Field(
        Classifier(), description="The classifiers that measure condition accuracy, each of which is a feature space."
    )
    sampling: Sampling = Field(Sampling(), description="The images drawn from a trained model.")
    evaluation: Evaluation = Field(description="The metrics on the test split.")
    variants: dict[Name, Variant] = Field(min_length=1, description="The systems, each composed of parts.")
    published: dict[Name, Published] = Field({}, description="Published results, shown next to ours.")

    @model_validator(mode="after")
    def goes_with_the_data(self) -> "Study":
        """Refuse settings that have no meaning for points, or for black and white images."""
        points, features = self.dataset.size is None, self.evaluation.features.name
        turned = {
            "training": (self.training.flip, self.training.rotation),
            "classifier": (self.classifier.flip, self.classifier.rotation),
        }
        if points and (sections := [name for name, how in turned.items() if any(how)]):
            raise ValueError(
                f"dataset.size null means points, which cannot be mirrored or rotated; set flip to false and rotation to 0 in {' and '.join(sections)}"
            )
        if points and features != "classifier":
            raise ValueError(
                f"dataset.size null means points, which have no features {features}; set evaluation.features to classifier"
            )
        if self.dataset.labels == "none" and features == "classifier" and not points:
            raise ValueError(
                "dataset.labels none leaves no label to train evaluation.features classifier on; set evaluation.features to "
                "{name: principal_components, dimensions: 64} or {name: inception}"
            )
        if self.training.rotation and self.dataset.pixels == "static_binary":
            raise ValueError(
                "training.rotation turns the black and white of dataset.pixels static_binary into greys; take dynamic_binary, which draws "
                "black and white after the rotation, or set rotation to 0"
            )
        return self

    @model_validator(mode="after")
    def variants_can_be_trained(self) -> "Study":
        """Refuse a variant's own keys of training if they do not fit."""
        for name in self.variants:
            try:
                self.training_of(name)
            except ValidationError as error:
                raise ValueError(f"variants.{name}.training: {first_mistake(error)}") from error
        return self

    def training_of(self, variant: str) -> Training:
        """How a variant is trained: as the study says, but for the keys that the variant has otherwise."""
        return self.training_with(self.variants[variant].training)

    def training_with(self, own: Mapping[str, Any]) -> Training:
        """The study's training with some keys replaced."""
        return Training.model_validate({**self.training.model_dump(), **own})

    @model_validator(mode="after")
    def named_variants_exist(self) -> "Study":
        for name in self.study.variants:
            if name not in self.variants:
                raise ValueError(
                    f"study.variants names {name!r}, which is not an entry of `variants`; the entries are: {', '.join(self.variants)}"
                )
        for name, published in self.published.items():
            if published.variant not in self.variants:
                raise ValueError(
                    f"published.{name}.variant is {published.variant!r}, which is not an entry of `variants`; the entries are: "
                    f"{', '.join(self.variants)}"
                )
        return self

    @model_validator(mode="after")
    def variants_go_with_the_data(self) -> "Study":
        """Refuse a variant that runs, and needs labels where there are none, or images of another size."""
        for name in self.study.variants:
            network, shape = self.variants[name].network, self.dataset.shape
            if network.image_size and shape and shape != (network.image_size, network.image_size):
                raise ValueError(
                    f"variants.{name}: network {network.name} takes images of {network.image_size}x{network.image_size}, but dataset.size is "
                    f"{self.dataset.size}; take network conv or mlp, or set dataset.size to {network.image_size}"
                )
            if self.dataset.labels == "none" and self.variants[name].condition is not None:
                raise ValueError(
                    f"variants.{name} takes labels, but dataset.labels is none; set its condition to null, or remove "
                    f"{name} from study.variants"
                )
        return self

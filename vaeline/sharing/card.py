"""The model card of a run: the README.md of a repository on the Hugging Face hub (model cards: Mitchell et al., 2019).

It is made from variant.yaml and evaluation.json, and says what both say: nothing is measured or looked up for it.
"""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from vaeline.evaluation.catalogue import catalogue
from vaeline.metrics._entry import Metric
from vaeline.report.comparison import TWO_SIDED
from vaeline.report.table import ARROWS, number, spread
from vaeline.report.words import title
from vaeline.runs.description import Description
from vaeline.runs.evaluation_file import Evaluation
from vaeline.study import papers, parts
from vaeline.study.keys_page import FAMILIES, first_line
from vaeline.study.schema import Variant
from vaeline.system.errors import some_of
from vaeline.system.version import __version__

NAME = "README.md"
LIBRARY = "vaeline"
TAGS = [LIBRARY, "vae", "autoencoder"]  # words that people search for; the card's text names the parts
UNCONDITIONAL = "unconditional-image-generation"  # a task of the hub; it has none for images of labels
NOTES = ("upper_bound", "descriptive", "warning")  # what evaluation.json says of a value that is not what it seems
MOST_VALUES = 12  # of a label, that the card names


def card(made: Description, measured: Evaluation, source: str, picture: str = "", licence: str = "") -> str:
    """The whole card, as Markdown under YAML.

    Args:
        made: what the run is.
        measured: its metrics.
        source: what `vaeline.from_pretrained` takes to load the run.
        picture: name of a file with samples; empty if there is none.
        licence: an identifier of the hub, such as `mit`; empty if none is given.
    """
    head = yaml.safe_dump(_front(made, measured, licence), sort_keys=False, allow_unicode=True)
    blocks = [
        f"---\n{head}---",
        f"# {made.name}, seed {made.seed} of the study {made.study}",
        f"{_kind(made)}, trained and measured by vaeline {__version__}. This card is made from the files beside it.",
        *([f"![Samples of the model]({picture})"] if picture else []),
        *["## Load it", _loading(made, source)],
        *["## The model", _parts(made)],
        *["## The data", _data(made)],
        *["## Metrics", *_metrics(made, measured)],
        *["## What was not measured", _missing(measured)],
        *["## The files", FILES],
        *_papers(made),
    ]
    return "\n\n".join(blocks) + "\n"


FILES = """\
`variant.yaml` says under a checksum what the model is, and vouches for `model.safetensors` and `training.csv`, the curves of the training.
`evaluation.json` says under a checksum how each number was made. vaeline checks both when it reads them, and unpickles nothing. Neither the images
of the data set nor reconstructions of them are here."""


def _front(made: Description, measured: Evaluation, licence: str) -> dict[str, Any]:
    """What the hub reads. A value that is a bound, or ranks nothing, is not in the model index, whose numbers have no notes."""
    task = "other" if made.variant.get("condition") or made.facts.points else UNCONDITIONAL
    values = [
        {"type": name, "name": ", ".join(filter(None, [title(metric, name), metric.unit])), "value": entry["value"]}
        for name, metric, entry in _measured(measured)
        if metric.better and not entry.get("saturated") and not any(entry.get(note) for note in NOTES)
    ]
    data = {"type": made.facts.dataset_id, "name": made.facts.dataset_id, "split": "test"}
    result = {"task": {"type": task}, "dataset": data, "metrics": values}
    return {
        "library_name": LIBRARY,
        **({"license": licence} if licence else {}),
        **({"pipeline_tag": task} if task == UNCONDITIONAL else {}),
        "tags": TAGS if made.facts.points else [*TAGS, "image-generation"],
        **({"model-index": [{"name": f"{made.study}-{made.key}", "results": [result]}]} if values else {}),
    }


def _kind(made: Description) -> str:
    facts, labels = made.facts, " given their labels" if made.variant.get("condition") else ""
    if facts.points:
        return f"An autoencoder with a latent density for points of {facts.image_shape[0]} dimensions{labels}"
    channels, height, width = facts.image_shape
    colours = "grey" if channels == 1 else "colour"
    return f"An autoencoder with a latent density for {colours} images of {height} x {width} pixels{labels}"


def _loading(made: Description, source: str) -> str:
    facts = made.facts
    values = {name: values[0] for name, values in facts.values_of_labels.items()}
    labels = f", {json.dumps(values, ensure_ascii=False)}" if made.variant.get("condition") else ""
    own = f"It needs {' and '.join(f'`{each}`' for each in made.own_parts)} of its project, which are not here.\n\n"
    return (
        f"{own if made.own_parts else ''}```python\n"
        "import vaeline  # pip install 'vaeline[hub]'\n\n"
        f"run = vaeline.from_pretrained({json.dumps(source)})\n"
        f"images = run.sample(16{labels})\n```"
    )


def _variant(made: Description) -> Variant:
    return Variant.model_validate(made.variant)


def _parts(made: Description) -> str:
    lines = [
        f"- {FAMILIES[family]} `{name}`: {first_line(family, name)}"
        for family, name, _ in parts.files_of(_variant(made))
    ]
    epochs = f"trained for at most {made.training['epochs']} epochs" if "epochs" in made.training else "trained"
    size = f"Its latent has {made.variant['latent']} numbers, or as many channels if it is a map; it was {epochs} from the seed {made.seed}."
    return "\n".join([*lines, "", f"{size} `variant.yaml` has every setting."])


def _data(made: Description) -> str:
    facts = made.facts
    name = facts.preprocessing.get("manifest", {}).get("dataset", facts.dataset_id)
    rows = "\n".join(f"| {split} | {count:,} |" for split, count in facts.counts.items())
    labels = [
        f"{_cell(label)} ({len(values)} values: {_cell(some_of(values, MOST_VALUES))})"
        for label, values in facts.values_of_labels.items()
    ]
    pixels = "" if facts.points else f" A pixel has {facts.levels} levels ({facts.pixels})."
    of_labels = f" Labels: {'; '.join(labels)}." if labels else " The data have no labels."
    return f"Data set `{name}`, preprocessed as `{facts.dataset_id}`.{pixels}{of_labels}\n\n| split | rows |\n|---|---|\n{rows}"


def _metrics(made: Description, measured: Evaluation) -> Iterator[str]:
    yield (
        "Values of one run with one seed: they compare no two models. Behind `±` is half the width of a 95% interval, 1.96 standard errors; behind it "
        "stands what the error is taken over, and other seeds are not in it. `<=` marks an upper bound."
    )
    rows = [
        f"| {_named(metric, name)} | {_value(metric, entry, measured)} | {_definition(entry)} |"
        for name, metric, entry in _measured(measured)
    ]
    yield "\n".join(["| metric | value | definition |", "|---|---|---|", *rows])


def _measured(measured: Evaluation) -> Iterator[tuple[str, Metric, dict[str, Any]]]:
    """The metrics of the table that have a value, in its order."""
    for name, metric in catalogue().metrics.items():
        if "value" in measured.metrics.get(name, {}):
            yield name, metric, measured.metrics[name]


def _named(metric: Metric, name: str) -> str:
    unit = f", {metric.unit}" if metric.unit else ""
    return _cell(f"{title(metric, name)} (`{name}`{unit}) {ARROWS[metric.better]}".strip())


def _value(metric: Metric, entry: dict[str, Any], measured: Evaluation) -> str:
    error = measured.metrics.get(metric.error_name, {}).get("value")
    half_width = TWO_SIDED * error if error else None
    bound = "<= " if entry.get("upper_bound") else ""
    over = f" {metric.standard_error}" if half_width else ""
    return _cell(f"{bound}{number(entry['value'], half_width)} {spread(half_width)}{over}".strip())


def _definition(entry: dict[str, Any]) -> str:
    notes = [f"{note.replace('_', ' ')}: {entry[note]}" for note in NOTES if entry.get(note)]
    notes += ["saturated"] if entry.get("saturated") else []
    where = [f"{entry['split']} split"] if "split" in entry else []
    where += [f"{entry['images']:,} images"] if "images" in entry else []
    of = f"({', '.join(where)})" if where else ""
    return _cell(" ".join(filter(None, [str(entry.get("definition", "")), of, "; ".join(notes)])))


def _missing(measured: Evaluation) -> str:
    """Metrics without a value, by their reason."""
    by_reason: dict[str, list[str]] = {}
    for name in catalogue().metrics:
        entry = measured.metrics.get(name, {"dash": "the study did not ask for it"})
        if "value" not in entry:
            by_reason.setdefault(str(entry.get("dash")), []).append(f"`{name}`")
    lines = [f"- {', '.join(names)}: {_cell(reason)}" for reason, names in by_reason.items()]
    return "\n".join([*lines, "- how other seeds, other data or other uses would fare"])


def _papers(made: Description) -> list[str]:
    texts = [path.read_text(encoding="utf-8") for _, _, path in parts.files_of(_variant(made))]
    cited = {key for text in texts for key in papers.papers_of(text) if key in papers.entries()}
    return ["## The papers behind it", f"```bibtex\n{papers.bibtex(cited)}\n```"] if cited else []


def _cell(text: str) -> str:
    """Text of one line that a table of Markdown shows as it is."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())

"""The catalogue of metrics: the entries of the files in vaeline/metrics and parts/metrics, found on disk.

Entries are read out of each file's `METRICS` without importing the file, so that a table is printed without loading torch.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from pydantic import ValidationError

from vaeline.evaluation import given_weights
from vaeline.metrics import _entry
from vaeline.metrics._entry import GROUPS, SUBJECTS, Metric, Reference, Subject
from vaeline.study import parts
from vaeline.system.errors import UserError, did_you_mean, first_mistake

if TYPE_CHECKING:
    from vaeline.metrics._images import ImageMetric
    from vaeline.study.schema import Published, Study

# What two results of one metric must have in common to be compared, by the keys of evaluation.json.
DEFINING = (
    "definition", "measure", "estimator", "split", "split_sha256", "images", "of", "method", "samples", "features", "weights", "judge", "seed",
    "fitted_to", "told", "likelihood", "noise",
)  # fmt: skip

RESERVED = {"variant", "seed"}  # columns beside metrics, in `vaeline.study_table`
UNKNOWN = Metric("unknown", group="Other metrics", meaning="", definition="")  # for a metric that no file declares


@dataclass(frozen=True)
class Catalogue:
    """All metrics, in the order of the table, with what goes with them."""

    metrics: dict[str, Metric]
    companions: dict[str, str]  # a number that goes with a metric, such as its error -> its definition
    references: dict[str, Reference]
    files: dict[str, str]  # metric -> the file that declares it, without its ending

    def metric(self, name: str) -> Metric:
        """The entry of a metric; UNKNOWN if no file declares it."""
        return self.metrics.get(name, UNKNOWN)

    def definition(self, name: str) -> str:
        """The sentence that defines a metric, a companion or a reference.

        Raises:
            KeyError: no file declares the name.
        """
        if name in self.metrics:
            return self.metrics[name].definition
        return self.companions[name] if name in self.companions else self.references[name].definition

    def of_images(self, by_label: bool = False) -> dict[str, list[Metric]]:
        """The metrics of images by the file that measures them.

        Args:
            by_label: include the metrics that `evaluation.by_label` asks for.
        """
        found: dict[str, list[Metric]] = {}
        for name, metric in self.metrics.items():
            if metric.subject and (by_label or metric.setting != "by_label"):
                found.setdefault(self.files[name], []).append(metric)
        return found


def names_for(metrics: list[Metric], subject: Subject, space: str) -> dict[str, str]:
    """The names under which results of one subject are recorded: key of the result -> name.

    Args:
        metrics: the entries of one file.
        subject: what was measured: something that a run draws, or images of the data set that give scale.
        space: the feature space, as `Metric.space`.
    """
    found = {}
    for metric in metrics:
        if metric.space not in ("", space):
            continue
        key = metric.key or metric.name
        if metric.subject == subject:
            found[key] = metric.name
        found.update((key, each.name) for each in metric.references if each.subject == subject)
    return found


def load(file: str) -> ImageMetric:
    """Import the file of a metric of images.

    `catalogue` has checked that it has a function `measure`.

    Raises:
        UserError: that function does not take two arguments.
    """
    from vaeline.metrics._images import ImageMetric  # it needs numpy, and the catalogue is read without

    module = parts.module("metrics", file)
    parts.check_takes(module.measure, [None, None], f"measure in {parts.shown_file('metrics', file)}")
    return ImageMetric(module.measure, vars(module).get("measure_parts"))


def require_primary(names: Sequence[str] | None) -> None:
    """Check the primary metrics that a study names.

    Raises:
        UserError: one is unknown, or ranks nothing.
    """
    known = [name for name, metric in catalogue().metrics.items() if metric.better]
    for name in names or ():
        if name not in known:
            meant = did_you_mean(name, known) or f"take some of {', '.join(known)}."
            raise UserError(f"study.primary has {name!r}, which is no metric that ranks variants; {meant}")


def require_measured(study: Study) -> None:
    """Check that the settings of a study let its primary metrics be measured.

    Raises:
        UserError: one will have no value in any variant.
    """
    for metric in map(catalogue().metric, study.study.primary or ()):
        if lacks := _what_lacks(metric, study):
            raise UserError(f"study.primary has {metric.name!r}, which {lacks}; change that, or take another metric.")


def _what_lacks(metric: Metric, study: Study) -> str:
    """Why no variant of a study can have a value of a metric, as the end of a sentence; empty if one can."""
    features, variants = study.evaluation.features, [study.variants[name] for name in study.study.variants]
    if study.dataset.size is None and "points" not in metric.data:
        return "has a meaning for images only, and dataset.size null means points"
    if metric.setting == "by_label" and not study.evaluation.by_label:
        return "is measured only if evaluation.by_label is true"
    if metric.setting == "held_out" and not study.dataset.split.held_out:
        return "is measured only if dataset.split.held_out names combinations of labels"
    if metric.space == "fid" and features.name != "inception":
        return f"needs evaluation.features inception, and they are {features.name}"
    if metric.space == "fd" and features.name == "inception" and given_weights.are_downloaded(study):
        return f"is measured in other features than Inception's with its own weights, which have {metric.name.replace('fd_', 'fid_', 1)}"
    if metric.needs_labels and all(variant.condition is None for variant in variants):
        return "has a meaning for variants with a condition only, and no variant of the study has one"
    return ""


def require_published(published: Mapping[str, Published]) -> None:
    """Check the published results that a study names.

    Raises:
        UserError: a metric, or a key of how it was measured, is unknown.
    """
    known = {*catalogue().metrics, *catalogue().companions}
    for key, each in published.items():
        if strange := sorted(each.how.keys() - set(DEFINING)):
            raise UserError(f"published.{key}.how has {', '.join(strange)}; its keys are {', '.join(DEFINING)}.")
        if each.metric not in known:
            meant = did_you_mean(each.metric, known) or f"metrics are {', '.join(catalogue().metrics)}."
            raise UserError(f"published.{key}.metric is {each.metric!r}, which is an unknown metric; {meant}")


def require_metrics(study: Study) -> None:
    """Check all metrics that a study names, before anything is trained.

    Raises:
        UserError: as `require_primary`, `require_measured` and `require_published`.
    """
    require_primary(study.study.primary)
    require_measured(study)
    require_published(study.published)


@cache
def catalogue() -> Catalogue:
    """Read all entries.

    Raises:
        UserError: a file has no `METRICS`, the list cannot be read, an entry is not valid, or two files declare one name.
    """
    entries = [(metric, name) for name in parts.names("metrics") for metric in _read(name)]
    entries.sort(key=lambda entry: GROUPS.index(entry[0].group))  # stable: by file within a group
    _refuse_two_of_a_name(entries)
    companions: dict[str, str] = {}
    for metric, _ in entries:
        companions |= dict(metric.companions)
        if metric.error_name:
            companions[metric.error_name] = f"Standard error of {metric.name} {metric.standard_error}."
    references = {each.name: each for metric, _ in entries for each in metric.references}
    for metric, _ in entries:
        if metric.standard_error:
            companions |= {
                f"{each.name}_standard_error": f"Standard error of {each.name} {metric.standard_error}."
                for each in metric.references
                if each.subject
            }
    return Catalogue(
        {metric.name: metric for metric, _ in entries},
        companions,
        references,
        {metric.name: file for metric, file in entries},
    )


def _read(name: str) -> list[Metric]:
    """The entries of a file, checked."""
    shown = parts.shown_file("metrics", name)
    tree = parts.parsed(parts.file("metrics", name), shown)
    lists = [value for node in tree.body if (value := _list_of_entries(node))]
    if len(lists) != 1:
        raise UserError(
            f"{shown} has {len(lists)} lists called METRICS; a metric's file has one, with an entry for each metric; "
            "start the file's name with _ if it has no metric."
        )
    entries = _evaluated(lists[0], shown)
    if name in parts.own("metrics"):
        _refuse_what_nothing_measures(entries, shown)
    measures = "measure" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    _refuse_half_a_metric_of_images(entries, measures, shown)
    return entries


def _evaluated(entries: ast.expr, shown: str) -> list[Metric]:
    """The value of METRICS, evaluated with the names of `_entry` alone."""
    usable = {name: vars(_entry)[name] for name in _entry.__all__}
    try:
        found = eval(compile(ast.Expression(entries), shown, "eval"), usable)
    except ValidationError as error:
        raise UserError(f"METRICS in {shown}: {first_mistake(error)}.") from error
    except Exception as error:
        raise UserError(
            f"METRICS in {shown} cannot be read ({error}); the list is evaluated without the file's imports, and may use "
            f"{', '.join(_entry.__all__)} and Python's own names."
        ) from error
    if not isinstance(found, list) or not found or not all(isinstance(each, Metric) for each in found):
        raise UserError(f"METRICS in {shown} is {found!r:.80}; it should be a list of Metric(...), at least one.")
    return found


def _list_of_entries(node: ast.stmt) -> ast.expr | None:
    """What a statement assigns to METRICS; None if it assigns nothing to it."""
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "METRICS":
        return node.value
    return node.value if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "METRICS" else None


def _refuse_half_a_metric_of_images(entries: list[Metric], measures: bool, shown: str) -> None:
    of_images = [each for each in entries if each.subject]
    if of_images and not measures:
        raise UserError(
            f"{shown} declares a metric of images but has no function `measure(images, real)`; add it, as "
            "vaeline/metrics/precision_recall.py does."
        )
    if len({(each.features, each.needs_labels) for each in of_images}) > 1:
        raise UserError(
            f"The entries of {shown} differ in features or needs_labels, but are measured together; split the file, so that those of one file agree."
        )
    if measures and not of_images:
        raise UserError(
            f"{shown} has a function `measure`, but no entry has a subject, so that nothing would call it; set subject to "
            f"{', '.join(SUBJECTS)}."
        )


def _refuse_what_nothing_measures(entries: list[Metric], shown: str) -> None:
    """Refuse an own metric that is not of images: vaeline calls the others by their names."""
    if others := [each.name for each in entries if not each.subject]:
        raise UserError(
            f"{shown} declares {others[0]} without a subject, so that nothing would measure it; set subject to {', '.join(SUBJECTS)}."
        )


def _refuse_two_of_a_name(entries: list[tuple[Metric, str]]) -> None:
    shown = partial(parts.shown_file, "metrics")
    files: dict[str, str] = {}
    for metric, file in entries:
        for name in filter(None, [metric.name, metric.error_name, *(name for name, _ in metric.companions)]):
            if name in files:
                raise UserError(f"{shown(file)} and {shown(files[name])} both declare {name}; rename one of the two.")
            files[name] = file
    if taken := sorted(files.keys() & RESERVED):
        raise UserError(
            f"{shown(files[taken[0]])} declares {taken[0]}, which is a column of every table of runs; rename it."
        )
    owned = set(files)
    for metric, file in entries:  # metrics of one file may share a reference
        for name in (each.name for each in metric.references):
            if files.setdefault(name, file) != file or name in owned:
                raise UserError(f"{shown(file)} and {shown(files[name])} both declare {name}; rename one of the two.")

"""The catalogue reads the entries of all files of metrics, and refuses what is no entry."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.made_up import study
from vaeline.evaluation.catalogue import catalogue, load, names_for, require_measured, require_metrics
from vaeline.metrics._entry import GROUPS
from vaeline.study import parts
from vaeline.study.schema import Study
from vaeline.system.errors import UserError

MEASURE = "def measure(images, real):\n    return {}\n"
ENTRY = 'METRICS = [Metric("{name}", group="Images", meaning="a", definition="b")]\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of metrics of a test's own."""
    folder = parts.folder
    monkeypatch.setattr(parts, "folder", lambda family: tmp_path if family == "metrics" else folder(family))
    catalogue.cache_clear()
    return tmp_path


@pytest.fixture(autouse=True)
def _forget() -> object:
    yield
    catalogue.cache_clear()


def test_the_metrics_of_a_run_are_known_with_direction_and_unit() -> None:
    found = catalogue()
    assert (found.metric("nll").better, found.metric("nll").unit, found.metric("nll").group) == (
        "lower",
        "nats",
        "Likelihood",
    )
    assert found.metric("precision").better == "higher" and found.metric("rate").better is None
    assert found.files["skl"] == "symmetric_kl" and found.files["density"] == "precision_recall"
    assert "nll_gap" in found.companions and "skl_standard_error" in found.companions
    assert {"fd_floor", "precision_ceiling", "condition_accuracy_floor"} <= found.references.keys()


def test_metrics_stand_in_the_order_of_their_groups() -> None:
    places = [GROUPS.index(metric.group) for metric in catalogue().metrics.values()]
    assert places == sorted(places)


def test_reading_the_catalogue_loads_neither_torch_nor_numpy() -> None:
    program = (
        "import sys; from vaeline.evaluation.catalogue import catalogue; catalogue();"
        "assert not {'torch', 'numpy', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])


def test_an_entry_read_from_source_is_the_one_of_the_imported_file() -> None:
    for name, metric in catalogue().metrics.items():
        [imported] = [each for each in vars(load_any(catalogue().files[name]))["METRICS"] if each.name == name]
        assert imported == metric


def load_any(file: str) -> object:
    return __import__(f"vaeline.metrics.{file}", fromlist=["METRICS"])


def test_results_are_named_by_subject_and_space() -> None:
    metrics = catalogue().of_images()["kernel_distance"]
    assert names_for(metrics, "sample", "fd") == {"kernel_distance": "kd_sample"}
    assert names_for(metrics, "floor", "fid") == {"kernel_distance": "kid_floor"}
    assert names_for(catalogue().of_images()["precision_recall"], "pixel_gaussian", "fd") == {}
    assert names_for(catalogue().of_images()["precision_recall"], "floor", "fd")["recall"] == "recall_ceiling"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("", "sharpness.py has 0 lists called METRICS"),
        ("METRICS = [", "sharpness.py is not valid Python"),
        ("METRICS = []", "should be a list of Metric"),
        ("METRICS = ['sharpness']", "should be a list of Metric"),
        ("import torch\nMETRICS = [torch.pi]", "cannot be read .*may use GROUPS, SPACES, SUBJECTS, Metric, Reference"),
        (
            ENTRY.format(name="sharpness").replace("Images", "Image"),
            "METRICS in .*sharpness.py: group is 'Image', but should be 'Likelihood', 'Images'",
        ),
        (
            'METRICS = [Metric("sharpness", group="Images", meaning="a", definition="b", better="more")]',
            "better is 'more'",
        ),
        ('METRICS = [Metric("wild thing", group="Images", meaning="a", definition="b")]', "0 is 'wild thing'"),
        ('METRICS = [Metric("sharpness", group="Images", meaning="a", definition="b", data=("image",))]', "is 'image'"),
        (
            'METRICS = [Metric("sharpness", group="Images", meaning="a", definition="b", subject="samples")]',
            "subject is 'samples', but should be 'reconstruction', 'sample' or 'low_posterior'",
        ),
        (
            'METRICS = [Metric("sharpness", group="Images", meaning="a", definition="b", standard_error="images")]',
            "standard_error is 'images'",
        ),
        (ENTRY.format(name="sharpness") + MEASURE, "has a function `measure`, but no entry has a subject"),
        (
            'METRICS = [Metric("sharpness", group="Images", meaning="a", definition="b", subject="sample")]',
            r"declares a metric of images but has no function `measure\(images, real\)`; add it",
        ),
        (
            'METRICS = [Metric(name, group="Images", meaning="a", definition="b", subject="sample", features=name == "sharpness") for name in '
            '("sharpness", "contrast")]\n' + MEASURE,
            "sharpness.py differ in features or needs_labels, but are measured together; split the file",
        ),
    ],
)
def test_a_file_without_a_sound_entry_is_reported(folder: Path, source: str, sentence: str) -> None:
    (folder / "sharpness.py").write_text(source)
    with pytest.raises(UserError, match=sentence):
        catalogue()


def test_two_files_of_one_metric_are_reported(folder: Path) -> None:
    for name in ("precision", "sharpness"):
        (folder / f"{name}.py").write_text(ENTRY.format(name="precision"))
    with pytest.raises(
        UserError, match=r"sharpness.py and vaeline/metrics/precision.py both declare precision; rename"
    ):
        catalogue()


def test_a_reference_of_another_files_metric_is_reported(folder: Path) -> None:
    (folder / "precision.py").write_text(ENTRY.format(name="precision"))
    reference = ', references=(Reference("precision", "c"),))]'
    (folder / "sharpness.py").write_text(ENTRY.format(name="sharpness").replace(")]", reference))
    with pytest.raises(UserError, match=r"both declare precision; rename"):
        catalogue()


def test_an_annotated_list_of_entries_is_read(folder: Path) -> None:
    (folder / "sharpness.py").write_text(ENTRY.format(name="sharpness").replace("METRICS =", "METRICS: list[Metric] ="))
    assert list(catalogue().metrics) == ["sharpness"]


def test_files_that_begin_with_an_underscore_are_no_metrics(folder: Path) -> None:
    (folder / "_shared.py").write_text("")
    (folder / "sharpness.py").write_text(ENTRY.format(name="sharpness"))
    assert list(catalogue().metrics) == ["sharpness"]


def test_a_metric_that_is_no_text_is_named(folder: Path) -> None:
    for content in (b"x = 1\0\n", b"\xff\xfe", b"x = " + b"-" * 100_000 + b"1\n"):
        (folder / "mine.py").write_bytes(content)
        catalogue.cache_clear()
        with pytest.raises(UserError, match="vaeline/metrics/mine.py is not valid Python: "):
            catalogue()


def test_backups_of_a_metric_are_no_metrics(folder: Path) -> None:
    for name in ("mine.py", "mine.py~", "mine.py.orig", ".#mine.py", "._mine.py"):
        (folder / name).write_text(ENTRY.format(name="mine"))
    assert catalogue().files == {"mine": "mine"}


IMPORT = "from vaeline.metrics._entry import Metric\n\n"
OWN = ENTRY.replace("{name}", "brightness")
OF_SAMPLES = OWN.replace('"b")', '"b", subject="sample")')


def test_an_own_metric_stands_beside_those_of_vaeline(write_own: Callable[[str, str, str], Path]) -> None:
    catalogue.cache_clear()
    write_own("metrics", "brightness", IMPORT + OF_SAMPLES + MEASURE)
    assert catalogue().files["brightness"] == "brightness" and "fd_sample" in catalogue().metrics
    assert load("brightness").measure(None, None) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["seed", "variant"])
def test_an_own_metric_with_the_name_of_a_column_is_refused(
    write_own: Callable[[str, str, str], Path], name: str
) -> None:
    catalogue.cache_clear()
    write_own("metrics", "brightness", IMPORT + OF_SAMPLES.replace("brightness", name) + MEASURE)
    with pytest.raises(UserError, match=f"declares {name}, which is a column of every table of runs"):
        catalogue()


def test_an_own_metric_whose_function_takes_other_arguments_is_refused(
    write_own: Callable[[str, str, str], Path],
) -> None:
    catalogue.cache_clear()
    write_own(
        "metrics",
        "darkness",
        IMPORT + OF_SAMPLES.replace("brightness", "darkness") + MEASURE.replace("(images, real)", "(images)"),
    )
    with pytest.raises(UserError, match="measure in .*darkness.py does not take the 2 arguments"):
        load("darkness")


def test_an_own_metric_that_nothing_would_measure_is_refused(write_own: Callable[[str, str, str], Path]) -> None:
    catalogue.cache_clear()
    write_own("metrics", "brightness", OWN)
    with pytest.raises(
        UserError, match="declares brightness without a subject, so that nothing would measure it; set subject"
    ):
        catalogue()


ON_INCEPTION = {"evaluation": {"features": {"name": "inception", "weights": "download"}}}


@pytest.mark.parametrize(
    ("changes", "primary", "why"),
    [
        (ON_INCEPTION, "fd_sample", "'fd_sample', which is measured in other features than .*, which have fid_sample"),
        (ON_INCEPTION, "fid_sample", ""),
        ({"dataset": {"size": None}}, "fd_sample", "'fd_sample', which has a meaning for images only"),
        ({"dataset": {"size": None}}, "skl", ""),
        ({}, "held_out_accuracy", "which is measured only if dataset.split.held_out names combinations of labels"),
    ],
)
def test_a_primary_metric_that_the_data_or_their_features_lack_is_refused(
    changes: dict[str, dict[str, object]], primary: str, why: str
) -> None:
    content = study(primary=[primary]).model_dump(mode="json")
    for section, keys in changes.items():
        content[section] |= keys
    of = Study.model_validate(content)
    if why:
        with pytest.raises(UserError, match=why):
            require_metrics(of)
    else:
        require_metrics(of)


def test_an_unknown_metric_of_a_published_value_is_refused_before_anything_runs() -> None:
    content = study().model_dump(mode="json")
    paper = {"metric": "fid_samples", "variant": "one", "value": 1.0, "source": "a paper", "differs": "all"}
    with pytest.raises(UserError, match="published.p.metric is 'fid_samples', .*did you mean fid_sample"):
        require_metrics(Study.model_validate({**content, "published": {"p": paper}}))


@pytest.mark.parametrize(
    ("primary", "why"),
    [
        (["nll", "fd_sample_by_label"], "'fd_sample_by_label', which is measured only if evaluation.by_label is true"),
        (["fid_sample"], "'fid_sample', which needs evaluation.features inception, and they are classifier"),
        (["condition_accuracy"], "'condition_accuracy', which has a meaning for variants with a condition only"),
        (["nll", "fd_sample"], ""),
    ],
)
def test_a_primary_metric_that_no_run_will_have_is_refused(primary: list[str], why: str) -> None:
    of = study(primary=primary)
    if why:
        with pytest.raises(UserError, match=why):
            require_measured(of)
    else:
        require_measured(of)


def test_several_primary_metrics_of_labels_may_be_declared() -> None:
    of_labels = [
        name
        for name, metric in catalogue().metrics.items()
        if metric.needs_labels and metric.better and metric.setting != "held_out" and metric.space != "fid"
    ][:3]
    content = study(primary=of_labels).model_dump(mode="json")
    content["evaluation"]["by_label"] = True
    content["variants"]["one"]["condition"] = {
        "embedding": 2,
        "encoder": True,
        "decoder": True,
        "labels": {"name": "table"},
    }
    assert len(of_labels) > 1
    require_measured(Study.model_validate(content))

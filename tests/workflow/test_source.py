"""The source data are an input of both engines: an edit of a label or an image makes results stale, a touch does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workflow.scratch import Project, choices_of, stages_of

EVERY = ["classifier", "download", "preprocess", "reference", "report", *stages_of("cvae"), *stages_of("gaussian_cvae")]


def write_source(folder: Path) -> None:
    """Images, which stub steps do not decode, with a table of labels."""
    (folder / "images").mkdir(parents=True)
    for number in range(4):
        (folder / f"images/{number}.png").write_bytes(bytes([number] * 100))
    (folder / "labels.csv").write_text("name,smiles\n" + "".join(f"{number}.png,{number % 2}\n" for number in range(4)))


@pytest.fixture(scope="session")
def done(fresh: Project) -> Project:
    """A project with a source of its own, which Snakemake has run to the end; tests change copies only."""
    project = fresh.copy(fresh.folder.with_name("with_source"))
    write_source(project.folder / "data/mine")
    project.edit(lambda params: params["dataset"].update(id="mine", name="image_folder", source="data/mine"))
    assert project.snakemake() == sorted([*EVERY, *choices_of("cvae", "gaussian_cvae")])
    return project


@pytest.fixture
def own(done: Project, tmp_path: Path) -> Project:
    return done.copy(tmp_path / "project")


def invert_labels(source: Path) -> None:
    table = source / "labels.csv"
    table.write_text(table.read_text().translate(str.maketrans("01", "10", "")))


def replace_image(source: Path) -> None:
    (source / "images/0.png").write_bytes(bytes([9] * 100))


def add_image(source: Path) -> None:
    (source / "images/new.png").write_bytes(b"new")


def test_both_engines_are_settled_with_a_source_and_stay_so_after_a_touch(own: Project) -> None:
    assert own.settled()
    for path in (own.folder / "data/mine").rglob("*"):
        path.touch()
    assert own.settled()
    assert own.snakemake() == own.repro() == []


@pytest.mark.parametrize("change", [invert_labels, replace_image, add_image])
def test_both_engines_notice_a_changed_source(own: Project, change: Callable[[Path], None]) -> None:
    change(own.folder / "data/mine")
    assert "download" in own.run("snakemake", "-n", "all")
    assert own.status("download@mine")


@pytest.mark.slow(reason="the dry runs of both engines notice the same change")
def test_a_changed_source_runs_every_step_again(own: Project, tmp_path: Path) -> None:
    invert_labels(own.folder / "data/mine")
    other = own.copy(tmp_path / "other")
    assert own.snakemake() == other.repro() == sorted(EVERY)
    assert own.settled() and other.settled()


@pytest.mark.slow(reason="settled engines after a touch read the same fingerprint")
def test_a_source_that_is_restored_leaves_nothing_to_do(own: Project) -> None:
    image = own.folder / "data/mine/images/0.png"
    before = image.read_bytes()
    replace_image(own.folder / "data/mine")
    (own.folder / "dvc.lock").touch()
    own.run("snakemake", "-n", "all")  # marks all that is stale
    image.write_bytes(before)
    assert own.settled()


def test_a_missing_source_is_named(own: Project) -> None:
    (own.folder / "data/mine").rename(own.folder / "data/moved")
    said = own.run("snakemake", "-n", "all", fails=True)
    assert "dataset.source is 'data/mine', but there is no folder" in said and "Traceback" not in said
    assert "Traceback" not in own.run("dvc", "repro", fails=True)


@pytest.mark.parametrize("path", ["data/mine/images/0.png", "vaeline/metrics/nll.py"])
def test_a_file_that_the_system_refuses_is_one_sentence(own: Project, path: str) -> None:
    """A link in a circle is refused for root too, unlike a missing permission."""
    (own.folder / path).unlink()
    (own.folder / path).symlink_to(Path(path).name)
    said = own.run("snakemake", "-n", "all", fails=True)
    assert Path(path).name in said and "symbolic links" in said
    assert "Traceback" not in said and "OSError" not in said


@pytest.mark.slow(reason="quicker tests try sources and experiments one by one")
def test_a_source_outside_serves_a_temporary_experiment(own: Project, tmp_path: Path) -> None:
    write_source(tmp_path / "outside")
    own.edit(lambda params: params["dataset"].update(source=str(tmp_path / "outside")))
    own.snakemake()
    own.commit()
    own.run("dvc", "exp", "run", "--temp", "--set-param", "variants.cvae.latent=5", "--name", "wider")
    assert "wider" in own.run("dvc", "exp", "list")

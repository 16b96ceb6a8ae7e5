"""The download step writes a manifest, checks weights first, and reports mistakes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml
from click.testing import Result

from pipeline_steps import download
from tests.data.sets.sources import WEB_PAGE, write_celeba, write_files
from tests.pipeline_steps.conftest import STUDY
from vaeline.study.schema import Study


def use(dataset: dict[str, object], **evaluation: object) -> None:
    """Put another data set into the current study."""
    study = STUDY | {"dataset": dataset, "evaluation": {"features": {"name": "classifier"}} | evaluation}
    Path("params.yaml").write_text(yaml.safe_dump(study))


def test_manifest_of_embedded_digits_is_written(project: Study, run: Callable[..., Result]) -> None:
    assert run(download.main).exit_code == 0
    manifest = json.loads(Path("data/raw/blocks.json").read_text())
    assert (manifest["dataset"], manifest["images"], manifest["notes"]) == ("digits", 1797, [])


def test_local_copy_is_read_in_place_with_a_note_on_missing_images(project: Study, run: Callable[..., Result]) -> None:
    write_celeba(Path("faces"))
    use({"id": "faces", "name": "celeba", "source": "faces", "size": 8})
    ended = run(download.main)
    assert ended.exit_code == 0 and "202,579 are missing" in ended.stderr
    manifest = json.loads(Path("data/raw/faces.json").read_text())
    assert manifest["source"] == "faces" and "img_align_celeba.zip" in manifest["files"]
    assert [path.name for path in Path("data/raw").iterdir()] == ["faces.json"]


def test_a_user_error_is_reported_without_a_manifest(project: Study, run: Callable[..., Result]) -> None:
    write_files(write_celeba(Path("faces")), {"img_align_celeba.zip": WEB_PAGE})
    use({"id": "faces", "name": "celeba", "source": "faces", "size": 8})
    ended = run(download.main)
    assert ended.exit_code == 1 and isinstance(ended.exception, SystemExit)
    assert "is a web page" in ended.stderr and len(ended.stderr.splitlines()) == 1
    assert not Path("data/raw/faces.json").exists()


def test_missing_weights_are_reported_before_any_download(project: Study, run: Callable[..., Result]) -> None:
    use({"id": "d", "name": "digits", "size": 8}, features={"name": "inception", "weights": "nowhere.pth"})
    ended = run(download.main)
    assert ended.exit_code == 1 and "nowhere.pth" in ended.stderr
    assert not Path("data/raw/d.json").exists()


def test_digits_are_preprocessed_without_importing_torch(project: Study) -> None:
    code = """
import sys
from pipeline_steps import download, preprocess
download.main([], standalone_mode=False)
preprocess.main([], standalone_mode=False)
sys.exit("torch" in sys.modules)
"""
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=env).returncode == 0

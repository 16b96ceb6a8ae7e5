"""DVC's parameters in the bridge: the same values as DVC reads, at one parse per content."""

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from dvc.dependency import param
from dvc.fs import LocalFileSystem
from dvc.utils import serialize

from workflow.parameters_once import parsed_once

CONTENT = {
    "training": {"epochs": 2, "on": True},
    "study": {"seeds": [0, 1]},
    "empty": {},
    "nothing": None,
    "stars": {"*": 1, "one": 2},
}
KEYS = ["training", "training.epochs", "training.on", "study.seeds", "empty", "nothing"]


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Counts the parses of DVC."""
    counted = Mock(side_effect=serialize.PARSERS[".json"])
    monkeypatch.setitem(serialize.PARSERS, ".json", counted)
    return counted


@pytest.fixture
def once() -> Iterator[None]:
    with parsed_once():
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of parameters."""
    path = tmp_path / "code.json"
    path.write_text(json.dumps(CONTENT))
    return path


def read(path: Path, *keys: str) -> Any:
    """What DVC finds when it looks a stage's parameters up; as `ParamsDependency.read_params` calls it."""
    return param.read_param_file(LocalFileSystem(), str(path), list(keys), flatten=True)


def values(path: Path, keys: list[str], context: Any) -> Any:
    """What a stage's dependency on a file reads, or the error that it raises."""
    repo = Mock(fs=LocalFileSystem(), root_dir=str(path.parent), dvcignore=Mock(is_ignored=lambda *_, **__: False))
    stage = Mock(repo=repo, wdir=str(path.parent))
    with context:
        try:
            return param.ParamsDependency(stage, str(path), keys, repo=repo).read_params()
        except Exception as error:
            return type(error), str(error)


@pytest.mark.parametrize("keys", [KEYS, ["training.*"], ["stars.*"], ["training.missing", "study"], ["study.seeds.0"], ["training.epochs.more"]])  # fmt: skip
@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_dependencies_have_the_values_that_dvc_reads(path: Path, keys: list[str], suffix: str) -> None:
    file = path.rename(path.with_suffix(suffix))
    assert values(file, keys, parsed_once()) == values(file, keys, nullcontext())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[1]", b"1", None])
def test_damaged_files_are_refused_as_by_dvc(path: Path, content: bytes | None) -> None:
    path.unlink() if content is None else path.write_bytes(content)
    assert values(path, KEYS, parsed_once()) == values(path, KEYS, nullcontext())


def test_a_dependency_reads_through_the_function_that_is_replaced(path: Path, parses: Mock) -> None:
    with parsed_once():
        for _ in range(5):
            assert values(path, KEYS, nullcontext()) == {key: read(path, key)[key] for key in KEYS}
    assert parses.call_count == 1


@pytest.mark.usefixtures("once")
def test_an_edit_that_leaves_size_and_times_is_noticed(path: Path) -> None:
    before = path.stat()
    assert read(path, "training.epochs") == {"training.epochs": 2}
    path.write_text(path.read_text().replace("2", "3"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert read(path, "training.epochs") == {"training.epochs": 3}


@pytest.mark.usefixtures("once")
def test_an_edit_that_is_undone_is_noticed_both_times(path: Path) -> None:
    text = path.read_text()
    found = []
    for now in (text, text.replace("2", "3"), text):
        path.write_text(now)
        found.append(read(path, "training")["training"]["epochs"])
    assert found == [2, 3, 2]


@pytest.mark.usefixtures("once")
def test_stages_share_no_value(path: Path) -> None:
    read(path, "training")["training"]["epochs"] = 9
    assert read(path, "training") == {"training": CONTENT["training"]}
    assert read(path, "training")["training"] is not read(path, "training")["training"]


def test_afterwards_dvc_reads_as_before() -> None:
    with pytest.raises(RuntimeError), parsed_once():
        raise RuntimeError
    assert param.read_param_file.__module__ == param.__name__


def test_another_dvc_without_the_function_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(param, "read_param_file")
    with pytest.raises(AttributeError, match="read_param_file"), parsed_once():
        pass

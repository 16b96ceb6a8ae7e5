"""variant.yaml is read only as it was written."""

from pathlib import Path

import pytest

from tests.made_up import facts, study, write_run
from vaeline.runs.description import described, read_content, weights_of, write_description
from vaeline.system.errors import UserError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_run(tmp_path / "one" / "seed-3", {"nll": 1.0})
    return tmp_path / "one" / "seed-3" / "variant.yaml"


def test_a_description_says_which_run_it_is_of(path: Path) -> None:
    made = described(path)
    assert made.key == ("one", 3) and made.facts == facts() and made.is_of(study(("one",)), "one")
    assert weights_of(path.parent) == made.weights_sha256
    path.unlink()
    assert weights_of(path.parent) == ""


def test_shared_values_and_tuples_are_read_as_they_were_written(tmp_path: Path) -> None:
    shared = {"size": (1, 2.5e-7, 1e22), "label": "yes", "é": None}
    write_description(tmp_path, {"first": shared, "second": shared, "many": {10: 1, 9: 2}})
    found = read_content(tmp_path / "variant.yaml")
    assert found["first"] == found["second"] == {"size": [1, 2.5e-7, 1e22], "label": "yes", "é": None}


@pytest.mark.parametrize(
    ("old", "new"), [("seed: 3", "seed: 4"), ("latent: 2", "latent: 3"), ("name: one", "name: two")]
)
def test_an_edited_description_is_refused(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(
        UserError,
        match=r"variant.yaml is damaged or of another version .*; give the folder of a run, or get it again from where it came",
    ):
        described(path)


@pytest.mark.parametrize("content", ["", "- 1", "a: [", "a: !!python/name:os.system", "[" * 5000, "sha256: 1", "\0"])
def test_other_content_is_refused(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(UserError, match="variant.yaml is damaged"):
        described(path)


def test_aliases_are_refused_before_they_multiply(path: Path) -> None:
    doubled = "".join(f"a{level}: &a{level} [*a{level - 1}, *a{level - 1}]\n" for level in range(1, 9))
    path.write_text(f"sha256: x\na0: &a0 [1]\n{doubled}")
    with pytest.raises(UserError, match="it contains an alias"):
        read_content(path)

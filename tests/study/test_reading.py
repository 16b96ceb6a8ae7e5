"""One reader of YAML for both engines; what it refuses; sentences of a bounded length."""

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.serialize import load_yaml

from tests.made_up import study_content
from vaeline.study import ready_studies
from vaeline.study.reading import PARAMS, check, load, parse_yaml, read_yaml
from vaeline.study.schema import Study
from vaeline.system.errors import UserError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "params.yaml"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "run from the project's root"),
        ("a: [", "is not valid YAML"),
        ("- 1", "holds no keys"),
        ("", "holds no keys"),
    ],
)
def test_a_file_without_a_study_is_named(path: Path, text: str | None, sentence: str) -> None:
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=sentence):
        load(path)


TWO_READINGS = [
    "010",
    "024",
    "0o10",
    "on",
    "yes",
    "off",
    "1:30",
    "1:30.5",
    "1_000",
    "0b1",
    "1e3",
    "1e-5",
    ".5",
    "+.5",
    "+12",
    "~",
    "09",
    "2020-01-01",
]


@pytest.mark.parametrize("scalar", TWO_READINGS)
def test_a_scalar_has_the_value_that_dvc_reads(path: Path, scalar: str) -> None:
    path.write_text(f"a: {scalar}\n")
    assert repr(read_yaml(path)) == repr(load_yaml(path))


def test_random_scalars_have_the_values_that_dvc_reads(path: Path) -> None:
    """In an own loop, because a file for each would take seconds."""
    draw, compared = random.Random(0), 0
    for _ in range(300):
        scalars = ["".join(draw.choices("0123456789_eE.+-:oxbnyfTtr~<= \"'#,", k=draw.randint(1, 7))) for _ in range(5)]
        path.write_text("".join(f"k{index}: {scalar}\n" for index, scalar in enumerate(scalars)))
        try:
            content = read_yaml(path)
        except UserError:
            continue
        assert repr(content) == repr(load_yaml(path)), scalars
        compared += 1
    assert compared > 100


def test_an_octal_number_of_old_yaml_is_decimal_for_both_engines(path: Path) -> None:
    content = study_content()
    path.write_text(yaml.safe_dump(content).replace("- 0\n", "- 010\n"))
    assert load(path).study.seeds == [10, 1, 2] == load_yaml(path)["study"]["seeds"]


def test_a_word_for_yes_is_no_boolean(path: Path) -> None:
    content = study_content()
    content["training"]["flip"] = True
    path.write_text(yaml.safe_dump(content).replace("flip: true", "flip: on"))
    with pytest.raises(UserError, match="training.flip is 'on', but should be a valid boolean"):
        load(path)


def test_a_written_study_reads_back_equal_whatever_its_texts_look_like(path: Path) -> None:
    texts = ["1e3", "010", "0o10", "09", "+.5", "on", "1:30", "=", "<<", "~", "2020-01-01", "a: b", "# x", "[x", ""]
    for text in texts:
        study = check(study_content(question=text), path)
        written = ready_studies.as_yaml(study)
        assert Study.model_validate(parse_yaml(path, written.encode())) == study
        path.write_text(written)
        assert load_yaml(path)["study"]["question"] == text


LETTERS = "abcdefghijklmnopqrstuvwxyz"
COLONS = "put a blank after each colon of line 3 and of the line above, and a text with a colon in quotes[.]"
BOMB = "a: &a [x, x]\n" + "".join(f"{new}: &{new} [*{old}, *{old}]\n" for old, new in pairwise(LETTERS))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (BOMB, "line 15: the aliases stand for over 100,000 values; write out what is meant"),
        ("a: &a [*a]\n", "line 1 refers to 'a', which no line before it has finished"),
        ("a: 1\nb: *a\n", "line 2 refers to 'a', which no line before it"),
        ("a: !!int '3'\n", "line 1 has the YAML tag 'tag:yaml.org,2002:int'"),
        ("a: !!python/object/apply:os.getcwd []\n", "line 1 has the YAML tag"),
        ("a: " + "[" * 31 + "]" * 31, "is nested 30 deep"),
        ("a: " + "[" * 200_000, "is nested 30 deep"),
        ("a: " + "9" * 1_000_001, "has 1,000,004 bytes, but a study has at most 1,000,000"),
        ("a: 1\na: 2\n", 'is not valid YAML: found duplicate key "a" with value "2" .original value: "1"., line 2.'),
        ("study: {name: x, name: y}\n", "is not valid YAML: found duplicate key"),
        ("day: 2020-13-41\n", "is not valid YAML: month must be in 1..12"),
        ("a: " + "9" * 5_001, "is not valid YAML: Exceeds the limit"),
        ("a:\n\t- b\n", "is not valid YAML: found character that cannot start any token, line 2"),
        ("a: \0\n", "is not valid YAML: unacceptable character"),
        ("a:\n  name:b\n  scale: 1\n", f"is not valid YAML: mapping values are not allowed in this context, line 3; {COLONS}"),
        ("a: 1\nname:b\nc: 2\n", f"is not valid YAML: could not find expected ':', line 3; {COLONS}"),
        ("a: 1\nb: {name:b, scale: 1}\n", "is not valid YAML: found unexpected ':', line 2; put a blank after each colon of line 2"),
        ("a: 1\n---\nb: 2\n", "is not valid YAML"),
        ("? {a: 1}\n: 2\n", "is not valid YAML: found unhashable key, line 1"),
        ("<<<<<<< ours\na: 1\n=======\na: 2\n>>>>>>> theirs\n", "is not valid YAML"),
    ],
    ids=range(20),
)  # fmt: skip
def test_what_no_study_needs_is_refused_with_its_line(path: Path, text: str, sentence: str) -> None:
    path.write_text(text)
    with pytest.raises(UserError, match=f"params.yaml.*{sentence}") as refused:
        read_yaml(path)
    assert len(str(refused.value)) < 600 and "\n" not in str(refused.value)


def test_aliases_and_merged_keys_have_the_values_that_dvc_reads(path: Path) -> None:
    path.write_text("a: &a {x: 1, y: [2]}\nb: {<<: *a, y: 3}\nc: *a\n")
    assert read_yaml(path) == load_yaml(path) == {"a": (a := {"x": 1, "y": [2]}), "b": {"x": 1, "y": 3}, "c": a}


@pytest.mark.parametrize("content", ["a: ä".encode("latin-1"), "a: 1".encode("utf-16")])
def test_another_encoding_than_utf8_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(UserError, match="params.yaml is not valid YAML: 'utf-8' codec can't decode byte"):
        read_yaml(path)


def test_line_ends_and_a_byte_order_mark_change_no_value(path: Path) -> None:
    path.write_bytes("\ufeffa: 1\r\nb: [x, y]\r\n".encode())
    assert read_yaml(path) == {"a": 1, "b": ["x", "y"]} == load_yaml(path)


def test_a_file_that_cannot_be_read_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UserError, match="params.yaml cannot be read .Permission denied."):
        load(path)


def long_values() -> list[dict[str, Any]]:
    content = study_content()
    return [
        content | {"study": content["study"] | {"seeds": "9" * 50_000}},
        content | {"study": content["study"] | {"seeds": list(range(-20_000, 0))}},
        content | {"k" * 50_000: 1},
        content | {f"key{index}": index for index in range(5_000)},
        content | {"dataset": content["dataset"] | {"name": "n" * 50_000}},
    ]


@pytest.mark.parametrize("content", long_values(), ids=range(5))
def test_a_refusal_of_something_long_is_short(content: dict[str, Any]) -> None:
    with pytest.raises(UserError) as refused:
        check(content, PARAMS)
    assert len(str(refused.value)) <= 4000

"""The page of reproduced rows says what its JSON and studies/published.yaml say; rows whose settings changed are not kept."""

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from pipeline_steps import reproduce
from pipeline_steps.reproduce import PAGE
from vaeline.report import rendered_pages, reproduced
from vaeline.report.equivalence import FromPublished
from vaeline.report.equivalence import verdict as by_margin
from vaeline.report.reproduced import KEPT, holds, joined, kept_rows, settings_now, settings_of, verdict, write_kept
from vaeline.study.published_rows import FULL, PublishedRow, read_rows, study_of
from vaeline.system.errors import UserError
from vaeline.system.sealed_files import read_sealed, write_sealed

ROOT = Path(__file__).parents[2]
TWICE = [reproduced.Reproduced.model_validate(each) for each in read_sealed(ROOT / KEPT, "")["rows"][:1] * 2]


@pytest.fixture(autouse=True)
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_the_table_is_that_of_the_kept_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered_pages.rendered(PAGE, text) == text and "| linear_nll | nll |" in text, "run `make docs`"
    assert rendered_pages.rendered(PAGE, text.replace("| row |", "| raw |")) == text
    fewer = kept_rows()[1:]
    monkeypatch.setattr(reproduced, "KEPT", tmp_path / KEPT.name)
    write_kept(fewer)
    assert rendered_pages.rendered(PAGE, text) != text


def test_kept_rows_are_of_the_settings_of_the_file_and_their_numbers_agree() -> None:
    known = read_rows()
    settings = settings_now(known)
    for kept in kept_rows():
        row = known.rows[kept.row]
        assert holds(settings[kept.row], kept.settings), (
            f"{kept.row} was measured with other settings: `make reproduce KEEP=1`"
        )
        assert kept.seeds == known.settings[row.setting].seeds and kept.difference == pytest.approx(
            kept.ours - kept.published
        )
        assert kept.closed_form == (row.value == "closed_form") and (kept.closed_form or kept.published == row.value)


def changed(row: PublishedRow, **keys: object) -> PublishedRow:
    return PublishedRow.model_validate(row.model_dump() | keys)


def test_the_outcome_is_that_of_the_margin_unless_something_is_not_comparable() -> None:
    row, kept = read_rows().rows["paper_003"], next(each for each in kept_rows() if each.row == "paper_003")
    assert verdict(row, kept) == by_margin(
        FromPublished(kept.difference, kept.half_width, tuple(kept.over)), row.margin
    )
    assert verdict(row, kept).outcome == "pass" and verdict(changed(row, margin=0.1), kept).outcome == "fail"
    for other, why in (
        (verdict(changed(row, differs="another bound"), kept), "another bound"),
        (verdict(row, kept.model_copy(update={"epochs": 5})), "trained for 5 of 100 epochs"),
        (verdict(row, kept.model_copy(update={"saturated": "saturated"})), "saturated"),
    ):
        assert other == ("not comparable", why)


def test_a_closed_form_holds_for_its_own_points_and_for_both_estimates() -> None:
    row, kept = read_rows().rows["linear_nll"], next(each for each in kept_rows() if each.row == "linear_nll")
    assert verdict(row, kept).outcome == "pass" and kept.around_modes is not None
    for changed, why in (
        (
            {"published": kept.published + 0.01},
            "the closed form is 17.5534, and 17.5434 of the points of this row: other",
        ),
        (
            {"around_modes": kept.around_modes - 0.2},
            "around the modes it is 17.3349, which is not within 0.1 of 17.5434",
        ),
    ):
        found = verdict(row, kept.model_copy(update=changed))
        assert found.outcome == "fail" and why in found.reason


def test_what_decides_the_numbers_is_a_setting_and_prose_is_not() -> None:
    known = read_rows()
    row, setting = known.rows["vae"], known.settings["pythae_vae"]
    study = study_of("pythae_vae", setting, FULL)
    before = settings_of(row, study)
    prose = {"source": "a", "verified": "b", "notes": "c", "differs": "d", "margin": 2.0}
    elsewhere = study.model_copy(update={"dataset": study.dataset.model_copy(update={"source": "folder"})})
    assert settings_of(changed(row, **prose), elsewhere) == before
    longer = study.model_copy(update={"training": study.training_with({"epochs": 1000})})
    three = study.model_copy(update={"study": study.study.model_copy(update={"seeds": [0, 1, 2]})})
    others = [changed(row, error=0.1), changed(row, value=89.0), changed(row, how={"samples": 5000})]
    keys = [settings_of(other, study) for other in others] + [settings_of(row, other) for other in (longer, three)]
    assert not any(holds(one, other) for one, other in permutations([before, *keys], 2))


def test_a_new_key_makes_no_row_stale_and_another_default_does() -> None:
    now = settings_now(read_rows())["vae"]
    assert holds(now, without(now, "study", "training", "eps"))  # the default of today
    assert not holds(now, changed_at(now, "study", "training", "eps", value=1e-7))
    assert not holds(now, without(now, "study", "training", "epochs"))  # it has another default
    assert holds(now, without(now, "row", "how", "method"))
    assert not holds(now, changed_at(now, "row", "how", "samples", value=7))
    assert not holds(now, changed_at(now, "study", "training", "gone", value=1)) and not holds(None, now)


@pytest.mark.parametrize(
    ("where", "given"),
    [
        (("study", "variants", "vae", "training"), {"learning_rate": 0.5}),
        (("study", "dataset", "bins"), {"digit": 2}),
        (("study", "dataset", "options"), {"scale": 2}),
    ],
)
def test_a_key_that_is_set_since_makes_a_row_stale(where: tuple[str, ...], given: dict[str, object]) -> None:
    """Also in a mapping that was empty when the row was kept."""
    then = settings_now(read_rows())["vae"]
    now = changed_at(then, *where, value=given)
    assert now != then and not holds(now, then)


def changed_at(settings: Any, *where: str, value: object) -> Any:
    """Settings with another value somewhere."""
    key, *rest = where
    return {**settings, key: changed_at(settings[key], *rest, value=value) if rest else value}


def without(settings: Any, *where: str) -> Any:
    """Settings without a key."""
    key, *rest = where
    if rest:
        return {**settings, key: without(settings[key], *rest)}
    return {name: value for name, value in settings.items() if name != key}


def test_the_code_of_each_row_is_named_with_its_edits() -> None:
    rows, kept = read_rows().rows, kept_rows()[:4]
    commits = ("c0ffeec0" * 5, "c0ffeec0" * 5 + ", with edits", "beef" * 10, "unknown: git refuses")
    made = [each.model_copy(update={"commit": commit}) for each, commit in zip(kept, commits, strict=True)]
    one, two, three, four = (each.row for each in made)
    said = (
        f"Code of commit `c0ffeec`: {one}; of `c0ffeec` with edits: {two}; of `beefbee`: {three}; of unknown: {four}."
    )
    assert reproduced.markdown(rows, made).splitlines()[-1] == said


def test_a_cell_says_how_many_images_the_estimate_around_the_modes_has() -> None:
    rows, kept = read_rows().rows, next(each for each in kept_rows() if each.row == "vae")
    of_few = {"ours": 118.5, "images": 1_000, "around_modes": 117.4, "around_modes_images": 1_000, "half_width": 1.0}
    kept = kept.model_copy(update=of_few)
    whole = kept.model_copy(update={"images": 10_000, "around_modes_bound": "never checked"})
    assert "| 118.5 | 1,000 | 117.4 |" in reproduced.markdown(rows, [kept])
    differs = {"vae": changed(rows["vae"], differs="a | b")}
    assert "| 118.5 | 10,000 | ≤ 117.4 (1,000 images) |" in (text := reproduced.markdown(differs, [whole]))
    assert r"not comparable: a \| b |" in text


def test_a_shorter_training_never_replaces_a_longer_one_and_other_settings_are_dropped() -> None:
    rows = kept_rows()
    settings = {each.row: each.settings for each in rows}
    short, newer = rows[0].model_copy(update={"epochs": 1}), rows[1].model_copy(update={"commit": "newer"})
    assert joined(rows, [short, newer], settings) == ([rows[0], newer, *rows[2:]], [rows[0].row], [])
    settings[rows[0].row] = settings[rows[2].row] = {"row": "other"}
    short = short.model_copy(update={"settings": {"row": "other"}})
    assert joined(rows, [short], settings) == ([short, rows[1], *rows[3:]], [], [rows[2].row])


def test_what_is_kept_is_rendered_and_what_is_not_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, rows, known = tmp_path / PAGE.name, kept_rows(), read_rows()
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(reproduce, "PAGE", copy)
    monkeypatch.setattr(reproduced, "KEPT", tmp_path / KEPT.name)
    write_kept([*rows[:-1], rows[-1].model_copy(update={"settings": {"row": "other"}})])
    reproduce._keep([rows[0].model_copy(update={"epochs": 1})], known)
    assert capsys.readouterr().out.splitlines() == [
        "Not replaced, since the kept training is longer: linear_nll.",
        f"No longer kept, since their settings changed: {rows[-1].row}.",
    ]
    assert kept_rows() == rows[:-1] and f"| {rows[-1].row} |" not in copy.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"x": 1}, "rows is missing"),
        ({"rows": None}, "rows is .*but should be a valid list"),
        ({"rows": [], "version": 2}, "version is not a known key"),
        ({"rows": [each.model_dump() for each in TWICE]}, "a row is there twice"),
    ],
)
def test_kept_rows_of_another_schema_are_refused(
    content: dict[str, object], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproduced, "KEPT", tmp_path / KEPT.name)
    write_sealed(tmp_path / KEPT.name, content)
    with pytest.raises(
        UserError, match=f"reproduced.json is damaged or of another version of vaeline .*{why}.* restore it"
    ):
        kept_rows()


def test_a_page_shows_no_value_beside_numbers_of_other_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = read_rows()
    other = known.model_copy(update={"rows": {**known.rows, "vae": changed(known.rows["vae"], value=80.0)}})
    reproduced.require_settings(kept_rows(), known)
    with pytest.raises(
        UserError,
        match=r"reproduced.json has vae with other settings or another published value than .*ROWS=\"vae\" KEEP=1",
    ):
        reproduced.require_settings(kept_rows(), other)
    renamed = known.model_copy(
        update={"rows": {name.replace("vamp", "vampire"): row for name, row in known.rows.items()}}
    )
    with pytest.raises(UserError, match=r"has vamp, and .*published.yaml has no such row; take the change back"):
        reproduced.require_settings(kept_rows(), renamed)
    monkeypatch.setattr(rendered_pages, "read_rows", lambda: other)
    with pytest.raises(UserError, match="reproduced.json has vae with other settings"):
        rendered_pages.rendered(PAGE, PAGE.read_text(encoding="utf-8"))
    monkeypatch.setattr(reproduced, "KEPT", tmp_path / KEPT.name)
    with pytest.raises(UserError, match="There is no .*reproduced.json; restore it"):
        rendered_pages.rendered(PAGE, PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ("<!-- end of rows", "has a block of rows that does not end"),
        ("<!-- rows:", "ends a block of rows that does not begin"),
    ],
)
def test_a_page_without_its_marks_is_refused(mark: str, why: str) -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines(keepends=True)
    with pytest.raises(UserError, match=why):
        rendered_pages.rendered(PAGE, "".join(line for line in lines if mark not in line))

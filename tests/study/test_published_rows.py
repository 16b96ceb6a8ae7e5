"""studies/published.yaml: each row resolves to a study; mistakes are sentences with near names."""

from pathlib import Path

import pytest
import yaml

from vaeline.study import published_rows, ready_studies
from vaeline.study.published_rows import FULL, read_rows, study_of
from vaeline.system.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_every_setting_is_a_study_of_one_variant_that_rows_use() -> None:
    rows = read_rows()
    assert {row.setting for row in rows.rows.values()} == rows.settings.keys()
    for name, setting in rows.settings.items():
        whole, short = study_of(name, setting, FULL), study_of(name, setting, setting.fraction)
        assert whole.study.variants == [*whole.variants] == [setting.variant] and whole.study.name == name
        assert short.training.milestones == whole.training.milestones  # so that a longer training continues it
        assert (
            short.training.epochs <= whole.training.epochs
            and short.training.epochs % whole.training.validate_every == 0
        )


def test_settings_of_one_data_set_id_have_the_same_data() -> None:
    """They share a project."""
    datasets: dict[str, object] = {}
    for name, setting in read_rows().settings.items():
        dataset = study_of(name, setting, FULL).dataset
        assert datasets.setdefault(dataset.id, dataset) == dataset, name


def test_the_file_is_no_study() -> None:
    assert "published" not in ready_studies.names()
    with pytest.raises(UserError, match="There is no study 'published'"):
        ready_studies.resolve("published")


@pytest.mark.parametrize(
    ("where", "key", "value", "sentence"),
    [
        (("rows", "vae"), "margn", 1.0, "rows.vae.margn is not a known key; did you mean margin?"),
        (("rows", "vae", "how"), "sample", 5, "rows.vae.how.sample is not a known key; did you mean samples?"),
        (("rows", "vae"), "margin", 0.0, "rows.vae.margin is 0.0, but should be greater than 0"),
        (
            ("rows", "vae"),
            "value",
            "closedform",
            "value is 'closedform', but should be a finite number, or closed_form.",
        ),
        (("rows", "vae"), "value", "89.78", "value is '89.78', but should be a finite number, or closed_form."),
        (("rows", "vae"), "value", float("nan"), "value is nan, but should be a finite number, or closed_form."),
        (("rows", "vae"), "margin", float("inf"), "rows.vae.margin is inf, but should be a finite number."),
        (
            ("rows", "vae"),
            "value",
            "closed_form",
            "rows.vae should have `known` if its value is closed_form, and only then",
        ),
        (("rows", "vae"), "known", 1.0, "rows.vae should have `known` if its value is closed_form, and only then"),
        (
            ("settings", "linear", "overrides"),
            "study",
            {"seeds": [5]},
            "settings.linear overrides study, which changes nothing",
        ),
        (
            ("settings", "linear", "overrides"),
            "variants",
            {"vea": {}},
            "settings.linear overrides the variant vea, but trains vae; write the name of that one.",
        ),
        (("rows", "vae"), "setting", "pythae_vea", "rows.vae.setting is 'pythae_vea'; did you mean pythae_vae"),
        (
            ("rows", "beta_tcvae_dsprites"),
            "how",
            {},
            "rows.beta_tcvae_dsprites has `how`, but mig is measured in one way",
        ),
        (
            ("rows", "beta_tcvae_dsprites"),
            "value",
            "closed_form",
            "but no theorem gives mig; write the published number",
        ),
        (
            ("rows", "vae"),
            "seeds",
            3,
            "rows.vae.seeds is 3, but settings.pythae_vae.seeds has 1; add seeds to the setting.",
        ),
        (("rows", "beta_tcvae_dsprites"), "seeds", 1, "has one seed, but the error of mig over images is unknown"),
        (("settings", "pythae_vae"), "fraction", 2.0, "fraction is 2.0, but should be less than or equal to 1"),
    ],
)
def test_a_mistake_is_one_sentence(
    where: tuple[str, ...], key: str, value: object, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = yaml.safe_load((ROOT / "studies/published.yaml").read_text())
    entry = content
    for step in where:
        entry = entry.setdefault(step, {})
    entry[key] = value
    changed = tmp_path / "published.yaml"
    changed.write_text(yaml.safe_dump(content))
    monkeypatch.setattr(published_rows, "path", lambda: changed)
    with pytest.raises(UserError) as error:
        read_rows()
    assert sentence in str(error.value) and len(str(error.value).splitlines()) == 1


def test_a_shorter_training_with_a_schedule_of_the_whole_length_is_refused() -> None:
    setting = read_rows().settings["linear"]
    assert study_of("linear", setting, 0.5).training.epochs == 250  # it has one validation
    training = setting.overrides["training"] | {"validate_every": 1}
    often = setting.model_copy(update={"overrides": setting.overrides | {"training": training}})
    with pytest.raises(UserError, match=r"settings\.linear has the schedule cosine, which depends on the length"):
        study_of("linear", often, 0.5)


@pytest.mark.parametrize("own", [{"epochs": 10}, {"validate_every": 2}])
def test_a_length_of_the_variant_alone_is_refused(own: dict[str, int]) -> None:
    """A fraction would not scale it, and the row would be called whole."""
    setting = (
        read_rows().settings["pythae_vae"].model_copy(update={"overrides": {"variants": {"vae": {"training": own}}}})
    )
    with pytest.raises(
        UserError, match=rf"settings\.pythae_vae trains its variant vae with {next(iter(own))} of its own"
    ):
        study_of("pythae_vae", setting, 0.02)


def test_a_variant_that_its_study_lacks_is_refused() -> None:
    setting = read_rows().settings["pythae_vae"].model_copy(update={"variant": "vea"})
    with pytest.raises(UserError, match=r"settings\.pythae_vae\.variant is 'vea'; did you mean vae\?"):
        study_of("pythae_vae", setting, FULL)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"study": "mnist_nl"}, r"settings\.here\.study is 'mnist_nl': There is no study .* did you mean mnist_nll"),
        ({"overrides": {"trainig": {}}}, r"published\.yaml, settings\.here: trainig is not a known key; did you mean"),
    ],
)
def test_a_mistake_in_a_study_names_the_setting(changed: dict[str, object], why: str) -> None:
    setting = read_rows().settings["pythae_vae"].model_copy(update=changed)
    with pytest.raises(UserError, match=why):
        study_of("here", setting, FULL)

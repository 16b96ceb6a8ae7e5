"""The address of the page holds all settings, and a wrong one is answered with a sentence."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from vaeline.explorer import address
from vaeline.explorer.settings import ChosenRun, Settings
from vaeline.report.explorer_link import explorer_link
from vaeline.system.errors import UserError

OPENING = Settings(runs=(ChosenRun(variant="small", seed=0), ChosenRun(variant="large", seed=0)))
CHOSEN: dict[str, Any] = {
    "show": "interpolation",
    "runs": (ChosenRun(variant="large", seed=2, moved={3: 0.7, 0: -3.0}), *OPENING.runs),
    "noise": 2**63 - 1,
    "pixels": "drawn",
    "count": 25,
    "image": 3,
    "to": 7,
    "labels": {"hair & hat: colour": "red=1,2/3", "dark.": "50 %"},
    "directions": {"shape": {"odd": 1.5, "a:b": -0.1}, "dark": {"yes": 0.0}},
    "sliding": 2,
}


def read(query: str) -> Settings:
    return address.read(parse_qsl(query, keep_blank_values=True), OPENING)


def test_an_address_holds_every_setting() -> None:
    assert set(CHOSEN) == set(Settings.model_fields)
    for name, value in CHOSEN.items():
        settings = OPENING.model_copy(update={name: value})
        assert settings != OPENING and read(address.written(settings)) == settings
    assert read(address.written(Settings(**CHOSEN))) == Settings(**CHOSEN)


def test_an_address_is_short_and_can_be_read() -> None:
    assert read("") == OPENING
    settings = OPENING.model_copy(update={"noise": 7, "labels": {"digit": "3"}})
    assert address.written(settings) == "run=small/seed-0&run=large/seed-0&noise=7&label.digit=3"


def test_the_link_of_the_report_opens_its_runs() -> None:
    keys = [("cvae", 0), ("cvae_nf", 3), *((f"more_{each}", 0) for each in range(9))]
    query = urlsplit(explorer_link(keys)).query
    assert read(query) == Settings(runs=tuple(ChosenRun(variant=variant, seed=seed) for variant, seed in keys[:6]))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("nois=1", r"It has 'nois', which is no setting; did you mean noise\? Allowed are: run, count, "),
        ("runs=1", "It has 'runs', which is no setting; did you mean run"),
        ("noise=abc", "It has noise = 'abc', which should be a valid integer"),
        ("noise=-1", "It has noise = '-1', which should be greater than or equal to 0"),
        ("noise=" + "9" * 5000, "It has noise = '999"),
        ("show=all", "It has show = 'all', which should be 'draws', 'edit' or 'interpolation'"),
        ("run=small", "It has run = 'small'; write the variant and the seed, as in run=cvae/seed-0"),
        ("run=small/seed-x", "It has runs.0.seed = 'x', which should be a valid integer"),
        ("run=small/seed-0,3", "It has runs.0.moved.3 = '', which should be a valid number"),
        ("run=small/seed-0,x:1", "It has runs.0.moved.x.*which should be a valid integer"),
        ("run=small/seed-0,1:9", "It has runs.0.moved.1 = '9', which should be less than or equal to 3"),
        ("run=small/seed-0,1:nan", "It has runs.0.moved.1 = 'nan', which should be"),
        ("&".join(["run=small/seed-0"] * 7), "It has 7 runs, and 6 can be side by side; leave some out"),
        ("direction.dark=yes", "It has directions.dark. = 'yes', which should be a valid number"),
        ("=", "It has '', which is no setting"),
    ],
)
def test_a_wrong_address_is_answered_with_a_sentence(query: str, sentence: str) -> None:
    with pytest.raises(UserError, match=f"^{sentence}") as error:
        read(query)
    assert len(str(error.value)) < 400

"""docs/metrics.md and the entries of the metrics say the same."""

import re
from pathlib import Path

import pytest

from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.metrics_page import KIND, PAGE, with_index
from vaeline.study import parts
from vaeline.system.errors import UserError

TEXT = (Path(__file__).parents[2] / PAGE).read_text(encoding="utf-8")


def test_every_metric_has_its_paragraph_and_every_paragraph_its_metric() -> None:
    text = TEXT.split(f"<!-- {KIND}: ")[0]
    heads = [head.removesuffix(".") for head in re.findall(r"^\*\*([a-z0-9_,\s]+\.)\*\*", text, re.MULTILINE)]
    explained = [name for head in heads for name in re.split(r",\s+", head)]
    declared = {name for name, file in catalogue().files.items() if file in parts.built_in("metrics")}
    missing, unknown = declared - set(explained), set(explained) - declared
    assert not missing, f"docs/metrics.md needs a paragraph that starts with **{min(missing)}.**"
    assert not unknown, f"docs/metrics.md explains {min(unknown)}, which no file of vaeline/metrics declares"
    assert len(explained) == len(set(explained))


def test_the_index_is_that_of_the_entries() -> None:
    assert with_index(TEXT) == TEXT, "docs/metrics.md is out of date; run `make parts`"


@pytest.mark.parametrize("end", ["", "<!-- end of indx -->"])
def test_a_page_without_the_marks_of_the_index_is_refused(end: str) -> None:
    with pytest.raises(
        UserError, match=r"docs/metrics\.md (should have one block|has a block of index that does not end)"
    ):
        with_index(TEXT.replace("<!-- end of index -->", end) if end else "No marks.\n")

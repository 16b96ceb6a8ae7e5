"""What every command owes its user: sentences."""

import warnings
from collections.abc import Callable, Iterator

import click
import pytest
from click.testing import Result

from pipeline_steps.command import command
from vaeline.errors import UserError
from vaeline.metrics.frechet import FewImages


@pytest.fixture(autouse=True)
def own_format() -> Iterator[None]:
    before = warnings.formatwarning
    yield
    warnings.formatwarning = before


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError("latent is 0; give 1 or more."), "Error: latent is 0; give 1 or more.\n"),
        (PermissionError(13, "Permission denied", "data"), "Error: [Errno 13] Permission denied: 'data'; mend it"),
    ],
)
def test_a_mistake_ends_with_its_sentence(run: Callable[..., Result], error: Exception, sentence: str) -> None:
    @command
    def step() -> None:
        raise error

    result = run(step)
    assert result.exit_code == 1
    assert result.output.startswith(sentence)


def test_a_fault_of_the_code_keeps_its_traceback(run: Callable[..., Result]) -> None:
    @command
    def step() -> None:
        raise ZeroDivisionError

    assert isinstance(run(step).exception, ZeroDivisionError)


@pytest.mark.parametrize(
    ("category", "shown"),
    [(FewImages, "Warning: too few.\n"), (RuntimeWarning, "code.py:7: RuntimeWarning: too few.\n")],
)
def test_our_warnings_are_sentences_and_those_of_others_say_where(
    run: Callable[..., Result], category: type[Warning], shown: str
) -> None:
    @command
    def step() -> None:
        click.echo(warnings.formatwarning("too few.", category, "code.py", 7, line=""), nl=False)

    assert run(step).output == shown

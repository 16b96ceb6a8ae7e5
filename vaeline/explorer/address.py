"""Settings as the query of the page's address, as in `?run=cvae/seed-0&run=cvae_nf/seed-0,3:1.5&noise=7&label.digit=3`.

A run is written as in `study.released`, followed by its moved latents. Settings that have their defaults are left out.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError

from vaeline.explorer.settings import ChosenRun, Settings
from vaeline.report.explorer_link import MOST_RUNS
from vaeline.system.errors import UserError, instead_of, place_and_message, shown

RUN, LABEL, DIRECTION = "run", "label.", "direction."  # one for each run, label, direction
GROUPED = {"runs", "labels", "directions"}  # settings that these stand for


def written(settings: Settings) -> str:
    """The query of an address that opens the page with these settings."""
    single = settings.model_dump(mode="json", exclude_defaults=True, exclude=GROUPED)
    amounts = [(name, *each) for name, values in settings.directions.items() for each in values.items()]
    return urlencode(
        [(RUN, _run(run)) for run in settings.runs]
        + list(single.items())
        + [(LABEL + name, value) for name, value in settings.labels.items()]
        + [(DIRECTION + name, f"{value}:{amount}") for name, value, amount in amounts],
        safe="/,:",
    )


def read(query: Iterable[tuple[str, str]], otherwise: Settings) -> Settings:
    """Read the query of an address.

    Args:
        query: names and values.
        otherwise: has what the query leaves out.

    Raises:
        UserError: a name is unknown, or a value is not allowed.
    """
    content = _content(query, otherwise.model_dump())
    if len(content["runs"]) > MOST_RUNS:
        raise UserError(f"It has {len(content['runs'])} runs, and {MOST_RUNS} can be side by side; leave some out.")
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        mistake = error.errors()[0]
        where, why = place_and_message(mistake)
        raise UserError(
            f"It has {where[:60]} = {shown(mistake['input'])}, which {why}; correct it, or leave it out."
        ) from error


def _content(query: Iterable[tuple[str, str]], content: dict[str, Any]) -> dict[str, Any]:
    """Settings, not yet checked, in which the query replaces what it has."""
    runs: list[dict[str, Any]] = []
    single = set(content) - GROUPED
    for name, text in query:
        if name == RUN:
            runs.append(_parsed(text))
        elif name.startswith(LABEL):
            content["labels"][name.removeprefix(LABEL)] = text
        elif name.startswith(DIRECTION):
            value, _, amount = text.rpartition(":")
            content["directions"].setdefault(name.removeprefix(DIRECTION), {})[value] = amount
        elif name in single:
            content[name] = text
        else:
            known = [RUN, *sorted(single), f"{LABEL}NAME", f"{DIRECTION}NAME"]
            raise UserError(f"It has {shown(name)}, which is no setting; {instead_of(name[:40], known)}.")
    return content | ({"runs": runs} if runs else {})


def _run(run: ChosenRun) -> str:
    return ",".join([f"{run.variant}/seed-{run.seed}", *(f"{latent}:{by}" for latent, by in run.moved.items())])


def _parsed(text: str) -> dict[str, Any]:
    place, *moved = text.split(",")
    variant, between, seed = place.partition("/seed-")
    if not between:
        raise UserError(f"It has run = {shown(text)}; write the variant and the seed, as in run=cvae/seed-0.")
    return {"variant": variant, "seed": seed, "moved": dict(each.partition(":")[::2] for each in moved)}

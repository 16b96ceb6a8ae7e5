"""Damage in declared files, checkpoints and kept results: flipped bits, missing ends, zeros, other values.

A reader of a damaged file must answer as for the undamaged one, or refuse.
"""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.campaign import mutations
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Verdict
from tests.campaign.readers import files_of, read
from tests.campaign.studies import Run, World


def prepare(grounds: Grounds) -> Judge:
    """The judge of damage: one file of one run, one mutation, one reader."""
    world, answers = grounds.world, grounds.answers

    def judge(case: Case) -> Verdict:
        random = case.random()
        run = random.choice(world.runs)
        with world.clone() as project:
            path, mutate = _damage(random, run, world, project)
            reader = random.choice(files_of(world, run, project)[path])
            content = mutate(random, (project / path).read_bytes())
            replace(project / path, content)
            reply = read(world, run, reader, project)
        what = f"{mutate.__name__} in {path}, read by {reader.__name__} of {run.study} {run.variant} {run.seed}"
        return reply.judged(answers(run, reader), what)

    return judge


def _damage(random: Random, run: Run, world: World, project: Path) -> tuple[Path, Callable[[Random, bytes], bytes]]:
    """A file of a run, each kind of file equally often, and what to do to it."""
    files = files_of(world, run, project)
    kinds: dict[str, list[Path]] = {}
    for path in files:
        kinds.setdefault(f"{path.suffix} {path.parent.name[:4]} {path.stem.partition('-')[0]}", []).append(path)
    path = random.choice(kinds[random.choice(sorted(kinds))])
    structured = path.suffix in (".json", ".yaml") and random.random() < 0.5
    return path, (of_json if path.suffix == ".json" else of_yaml) if structured else mutations.bytes_of


def of_json(random: Random, content: bytes) -> bytes:
    """Mutate the values of a JSON file."""
    return json.dumps(_another(random, json.loads(content)), indent=2).encode()


def of_yaml(random: Random, content: bytes) -> bytes:
    """Mutate the values of a YAML file."""
    return yaml.safe_dump(_another(random, yaml.safe_load(content)), sort_keys=False).encode()


def _another(random: Random, content: Any) -> Any:
    """Other values: two equal ones that were swapped are the same."""
    changed = content
    while json.dumps(changed, sort_keys=True) == json.dumps(content, sort_keys=True):
        changed = mutations.structure(random, content)
    return changed


def replace(path: Path, content: bytes) -> None:
    """Give a file another content; the file may be a hard link, whose other names keep theirs."""
    path.unlink()
    path.write_bytes(content)


KIND = Kind("flips", prepare, cases=1500)

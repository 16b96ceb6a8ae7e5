"""Mutated params.yaml: what we accept, DVC's own loader must read with the same values.

The oracle is DVC's parser of YAML 1.2; ours must not find another number, text or key in any place.
"""

import json
import math
import re
from pathlib import Path
from random import Random
from typing import Any

import yaml
from dvc.utils.serialize import parse_yaml

from tests.campaign import mutations
from tests.campaign.isolated import attempt
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Outcome, Verdict
from vaeline.study import reading, ready_studies

# Words that YAML 1.1 and 1.2 read as different values, and other ways to write a number.
WORDS = (
    "010", "0o10", "0x10", "0b11", "1_000", "1:30", "1e3", "1.e3", "+1", "-0", ".5", "5.", ".inf", "-.inf", ".nan", "NaN", "1E-3", "on", "off", "yes", "no", "y",
    "Null", "~", "TRUE", "True", "2026-11-28", "=", "<<", "!!int '3'", "!!str 3", "'3'", '"3"', "3 # three", "&a 3", "*a", "? 3", "|", "> 3", "[3]", "{}", "3,",
    "9223372036854775807", "9223372036854775808", "1" + "0" * 400, "½", "３", "ٳ", "\u00a03", "3\u2028", "\ufeff3", "é", "e\u0301", "x" * 60_000, "!!python/none", "@", "%", "\t3",
    "0.1e", "1e-400", "0.30000000000000000001", "'null'", "[", "{a: &b [*b]}", "|2-", "!<tag:yaml.org,2002:int> 3", "\"\\u0033\"", "'a\n\n  b'",
    "Yes", "No", "ON", "Off", "N", "n", "Y", "0777", "09", "-010", "+0x1F", "0b1_0", "0x_1", "1__0", "1:30.5", "190:20:30", "+.inf", ".NAN", "1.", "-.5", "685.230_15e+03", "1e03",
    "2001-12-14t21:59:43.10-05:00", "!!float 3", "!!bool 'yes'", "!!timestamp 2026-11-28", "!!binary aGk=", "!!omap [a: 1]", "!!pairs [a: 1]", "!!set {a}", "'\\x33'", '"\\x33"',
)  # fmt: skip
NUMBERS = (
    "010", "08", "0o10", "0x10", "1_0", "10.0", "1e1", "1e-3", "1E-3", "1.e-3", "+10", "12", "0.010", ".5", "1:30", "yes", "on", "null", "~", "16 # sixteen", "&a 16",
)  # fmt: skip
KEYS = (
    b"on",
    b"No",
    b"y",
    b"010",
    b"1_0",
    b"1e3",
    b"0x10",
    b"null",
    b"~",
    b"true",
    b"1:30",
    b"2026-11-28",
    b".inf",
    b"0.5",
    b"007",
    b"1",
)
STUDIES = ("digits", "shapes", "latent_spaces", "mnist_flows", "mnist_nll", "celeba_cvae_nf")


def prepare(grounds: Grounds) -> Judge:
    """The judge of studies: one text, mutated once to four times."""
    folder = grounds.folder / "params"
    folder.mkdir(exist_ok=True)
    texts = [ready_studies.as_yaml(ready_studies.resolve(name)) for name in STUDIES]

    def judge(case: Case) -> Verdict:
        random = case.random()
        content, what = random.choice(texts).encode(), []
        for _ in range(random.choice([1, 1, 1, 1, 2, 3])):
            mutate = random.choice([_byte, _word, _word, _word, _key, _line, _value, _alias])
            content = mutate(random, content)
            what.append(mutate.__name__.strip("_"))
        path = folder / f"{case.number}.yaml"
        path.write_bytes(content)
        verdict = judged(path, " and ".join(what))
        if verdict.outcome in (Outcome.RIGHT, Outcome.SENTENCE):
            path.unlink()
        return verdict

    return judge


def judged(path: Path, what: str) -> Verdict:
    """Whether a study is read as DVC reads it, and what the schema makes of each value is the value that was written."""
    reply = attempt(lambda: _accepted(path))
    if reply.outcome is not Outcome.RIGHT:
        return Verdict(reply.outcome, what, reply.said)
    content, study = reply.value
    theirs = attempt(lambda: parse_yaml(path.read_text(encoding="utf-8"), str(path)))
    if theirs.outcome is not Outcome.RIGHT:
        return Verdict(Outcome.SILENT, what, f"DVC does not read what we accept: {theirs.said[-300:]}")
    found = [*_differences(content, _plain(theirs.value)), *_differences(study, content, numbers=True)]
    return Verdict(Outcome.SILENT if found else Outcome.RIGHT, what, "; ".join(found[:5])[:500])


def _accepted(path: Path) -> tuple[Any, Any]:
    """The content as it was parsed, and as the schema read it."""
    content = reading.read_yaml(path)
    return content, reading.check_resolved(content, path).model_dump(mode="json")


def _plain(value: Any) -> Any:
    """What DVC's parser returns, without its own classes of mappings."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _differences(one: Any, other: Any, at: str = "", numbers: bool = False) -> list[str]:
    """The places where two contents differ; with `numbers`, a whole number equals the nearest number of floating point."""
    if isinstance(one, dict) and isinstance(other, dict):
        here = [f"{at}: keys {list(one)!r:.80}, {list(other)!r:.80}"] if one.keys() != other.keys() else []
        return here + [
            each
            for key in one.keys() & other.keys()
            for each in _differences(one[key], other[key], f"{at}.{key}", numbers)
        ]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        return [
            each
            for index in range(len(one))
            for each in _differences(one[index], other[index], f"{at}.{index}", numbers)
        ]
    if numbers and {type(one), type(other)} == {int, float}:
        one, other = float(one), float(other)
    same = one == other or (_is_nan(one) and _is_nan(other))
    alike = type(one) is type(other) or (numbers and not isinstance(one, bool) and not isinstance(other, bool))
    return [] if same and alike else [f"{at}: {one!r:.80}, {other!r:.80}"]


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _byte(random: Random, content: bytes) -> bytes:
    return mutations.bytes_of(random, content)


def _word(random: Random, content: bytes) -> bytes:
    """Replace a value, or an element of a list, by a strange word."""
    places = list(re.finditer(rb"(?<=: )[^\s\[{,}]+|(?<=\[)[^\],]+|(?<=, )[^\s,:\]}]+(?=[\],])", content))
    place = random.choice(places) if places else re.match(b"", content)
    assert place
    words = NUMBERS if place[0][:1].isdigit() and random.random() < 0.7 else WORDS
    return content[: place.start()] + random.choice(words).encode() + content[place.end() :]


def _key(random: Random, content: bytes) -> bytes:
    """Write a name, wherever it is a key or the name of a variant, as a word that may be a number, a truth value or nothing."""
    variants = re.search(rb"^variants:$(.*)", content, re.MULTILINE | re.DOTALL) if random.random() < 0.7 else None
    names = re.findall(
        rb"^  ([a-z_]+):" if variants else rb"^ *([a-z_]+):", variants[1] if variants else content, re.MULTILINE
    )
    word = random.choice(WORDS).encode() if random.random() < 0.3 else random.choice(KEYS)
    name = random.choice(names) if names else b"study"
    return re.sub(rb"\b" + name + rb"\b", lambda _: word, content)


def _line(random: Random, content: bytes) -> bytes:
    """Delete, repeat, move or indent a line."""
    lines = content.split(b"\n")
    at, to = random.randrange(len(lines)), random.randrange(len(lines))
    change = random.randrange(5)
    if change == 0:
        del lines[at]
    elif change == 1:
        lines.insert(to, lines[at])
    elif change == 2:
        lines.insert(to, lines.pop(at))
    elif change == 3:
        lines[at] = b" " * random.randint(1, 3) + lines[at]
    else:
        lines[at] += random.choice([b" ", b"\t", b"\r", b" # note", b"#", b":", b" &x"])
    return b"\n".join(lines)


def _value(random: Random, content: bytes) -> bytes:
    """Mutate the values, and write them as YAML or JSON. A content with aliases may be too large to be written."""
    if b"&" in content:
        return mutations.bytes_of(random, content)
    try:
        parsed = yaml.safe_load(content)
        changed = mutations.structure(random, parsed)
        text = (
            json.dumps(changed)
            if random.random() < 0.2
            else yaml.safe_dump(changed, sort_keys=False, allow_unicode=True)
        )
    except (yaml.YAMLError, ValueError, IndexError, TypeError, AttributeError, RecursionError):
        return mutations.bytes_of(random, content)
    return text.encode("utf-8", "surrogatepass")


def _alias(random: Random, content: bytes) -> bytes:
    """Add anchors and aliases: an alias bomb, a merge key, a cycle, an alias of a number."""
    additions = (
        "published: &a [1]\n", "<<: {training: {}}\n", "bomb: [" + ", ".join(["&b0 [x, x]", *(f"&b{n} [{', '.join([f'*b{n - 1}'] * 9)}]" for n in range(1, 9))]) + "]\n",
        "published: &p {x: *p}\n", "%YAML 1.1\n---\n", "--- {}\n", "...\n", "? [a, b]\n: 1\n", "? {a: 1}\n: 1\n", "1: 2\n", "null: 3\n", "true: 4\n",
        "deep: " + "[" * 3000 + "\n", "deep: " + "{a: " * 600 + "1" + "}" * 600 + "\n", "!!set {a, b}\n", "date: 2026-11-28\n",
    )  # fmt: skip
    addition = random.choice(additions).encode()
    return addition + content if random.random() < 0.3 else content + addition


KIND = Kind("params", prepare, cases=3500, batch=25)

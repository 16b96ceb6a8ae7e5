"""How often the report of equal variants claims a difference, and how often its intervals hold the truth.

`python -m benchmarks.false_claims` makes studies up. With `--runs FOLDER` it deals the seeds of the active study, which has one
variant, to names. `--keep` writes benchmarks/measured/false_claims.json.
"""

import json
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.made_up_studies import SHARES, at_look, claimed, dealt, over_images, setting, study
from benchmarks.race import MEASURED
from vaeline.report import results
from vaeline.report.estimates import crossed
from vaeline.study.reading import load
from vaeline.system.hardware import hardware

RESULTS = MEASURED / "false_claims.json"
MOST_FALSE, COVERED = 0.06, (0.93, 0.97)
LOOKS = [3, 5, 10]
VARIANTS, SEEDS = (2, 3, 6, 12), (3, 5)


@click.command()
@click.option("--studies", default=4000, show_default=True, help="Studies, or deals, of each kind.")
@click.option("--runs", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Deal these runs.")
@click.option("--keep", is_flag=True, help="Write benchmarks/measured/false_claims.json.")
def main(studies: int, runs: Path | None, keep: bool) -> None:
    """Count false claims of equal variants."""
    key = "dealt" if runs else "made up"
    found = _dealt(runs, studies) if runs else _made_up(studies)
    if keep:
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        kept[key] = found | {"date": date.today().isoformat(), "machine": hardware()}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


def false(variants: int, seeds: int, better: bool, generator: np.random.Generator) -> bool:
    """Whether a made-up study, of which one variant may be better than the others, claims anything false."""
    where = setting(generator, better)
    equal = {f"name_{place}" for place in range(int(better), variants)}
    return any({*pair} <= equal for pair in claimed(study(variants, seeds, where, generator)))


def false_at_looks(variants: int, declared: bool, generator: np.random.Generator) -> bool:
    """Whether a made-up study of equal variants claims anything when it has 3, 5 or 10 seeds."""
    whole = study(variants, LOOKS[-1], setting(generator), generator)
    return any(claimed(at_look(whole, seeds, LOOKS if declared else None)) for seeds in LOOKS)


def covered(seeds: int, share: float, skewed: bool, studies: int, generator: np.random.Generator) -> float:
    """The share of intervals that hold the mean over all seeds and images, 0."""
    held = 0
    for _ in range(studies):
        values = over_images(generator.standard_normal(seeds), share, generator, skewed)
        found = crossed(values.mean(1).tolist(), images=values)
        held += abs(found.mean) <= (found.half_width() or 0)
    return held / studies


def _made_up(studies: int) -> dict[str, Any]:
    return {"false claims": _false_claims(studies), "looks": _looks(studies), "coverage": _coverage(studies)}


def _looks(studies: int) -> list[dict[str, Any]]:
    rows = []
    for variants, declared in product((2, 3), (True, False)):
        generator = np.random.default_rng(variants)
        share = sum(false_at_looks(variants, declared, generator) for _ in range(studies)) / studies
        rows.append({"variants": variants, "declared": declared, "studies": studies, "false": share})
        words = f"{variants} variants, looks at {LOOKS} seeds, {'' if declared else 'not '}declared: {share:.1%}"
        _tell(words, share <= MOST_FALSE or not declared)
    return rows


def _false_claims(studies: int) -> list[dict[str, Any]]:
    rows = []
    for better, variants, seeds in product((False, True), VARIANTS, SEEDS):
        if better and variants == 2:  # no two are equal
            continue
        generator = np.random.default_rng([variants, seeds])
        count = studies // 4 if better else studies
        share = sum(false(variants, seeds, better, generator) for _ in range(count)) / count
        rows.append({"variants": variants, "seeds": seeds, "better": int(better), "studies": count, "false": share})
        _tell(
            f"{variants} variants, {int(better)} of them better, {seeds} seeds: {share:.1%} of {count:,} studies claim anything false",
            share <= MOST_FALSE,
        )
    return rows


def _coverage(studies: int) -> list[dict[str, Any]]:
    rows = []
    for seeds, skewed, share in product(SEEDS, (False, True), SHARES):
        held = covered(seeds, share, skewed, studies, np.random.default_rng([seeds, skewed, round(100 * share)]))
        rows.append({"seeds": seeds, "skewed": skewed, "share of seeds": share, "covered": held})
        words = f"{seeds} seeds, {'skewed' if skewed else 'normal'} images, {share:.0%} of the variance from seeds"
        _tell(f"{words}: {held:.1%} covered", COVERED[0] <= held <= COVERED[1])
    return rows


def _dealt(folder: Path, deals: int) -> dict[str, Any]:
    found = results.read(folder, load())
    [variant] = found.study.variants
    rows = []
    for variants, seeds in product(VARIANTS, SEEDS):
        if variants * seeds > len(found.runs):
            continue
        generator = np.random.default_rng([variants, seeds])
        share = sum(bool(claimed(dealt(found.runs, variants, seeds, generator))) for _ in range(deals)) / deals
        apart = len(found.runs) // (variants * seeds)
        rows.append({"variants": variants, "seeds": seeds, "deals": deals, "disjoint": apart, "false": share})
        _tell(
            f"{variants} names, {seeds} seeds: {share:.1%} of {deals:,} deals ({apart} disjoint)", share <= MOST_FALSE
        )
    return {"variant": variant, "runs": len(found.runs), "false claims": rows}


def _tell(words: str, good: bool) -> None:
    click.echo(words + ("" if good else "  <- past the limit"))


if __name__ == "__main__":
    main()

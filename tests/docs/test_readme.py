"""The README, and the examples of the pages that a new user follows, are valid."""

import json
import re
from pathlib import Path

import yaml

from vaeline.evaluation.catalogue import catalogue
from vaeline.study import keys_page, ready_studies
from vaeline.study.schema import Study

ROOT = Path(__file__).parents[2]
FACES = "faces 64x64 `cvae`, z 64"


def examples() -> list[dict]:
    pages = (ROOT / "README.md", ROOT / "docs/own_images.md", ROOT / "docs/studies.md")
    blocks = [block for page in pages for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)]
    assert len(blocks) == 3
    return [yaml.safe_load(block) for block in blocks]


def test_each_speed_of_the_readme_was_measured_on_each_kind_of_processor() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    races = [json.loads((ROOT / f"benchmarks/measured/{kind}.json").read_text()) for kind in ("intel-amx", "amd-avx2")]
    lines = {
        "importance_mlp": "importance-sampled likelihood, MLP | Pythae",
        "train_mlp": "training, MLP | Pythae",
        "train_conv": "training, convolutions | Pythae",
        "importance_conv": "importance-sampled likelihood, convolutions | Pythae",
        "inception": "Inception features | pytorch-fid",
        "frechet": "Fréchet distance | pytorch-fid",
    }
    for race, line in lines.items():
        ratios = [f"{of_kind[race]['ratio']:.1f}" if race in of_kind else "not measured" for of_kind in races]
        assert f"| {line} | {ratios[0]} | {ratios[1]} |" in text


def test_what_bf16_gains_and_costs_was_measured() -> None:
    intel, amd = (
        json.loads((ROOT / f"benchmarks/measured/{kind}.json").read_text()) for kind in ("intel-amx", "amd-avx2")
    )
    torch, pythae = (intel[race]["ratio"] for race in ("step_bf16", "train_conv_bf16"))
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"bf16 is {torch:.1f} times as fast as plain PyTorch and {pythae:.1f} times as fast as Pythae" in text
    assert f"on the AMD it is {1 / amd['step_bf16']['ratio']:.0f} times slower" in text


def test_the_price_of_the_default_likelihood_was_measured() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    found = json.loads((ROOT / "benchmarks/measured/likelihoods.json").read_text())
    costs = [run["all_stages"]["cost"] for run in found.values()]
    grey, faces = (found[name]["posterior"]["short"] for name in ("MNIST Gaussian `cvae`, z 16", FACES))
    assert f"costs {min(costs):.0f} to {max(costs):.0f} times the usual 500 samples of q(z|x)" in text
    few = sorted(short for run in found.values() if (short := run["posterior"]["short"]) < min(grey, faces))
    assert (
        f"by {few[0]:.1f} to {few[-1]:.1f} nats on six models, by {grey:.0f} nats on grey MNIST and by {faces:.0f} on faces ({found[FACES]['images']} images)"
        in text
    )
    assert len(few) == 6


def test_the_page_of_keys_equals_the_generated_one() -> None:
    page = keys_page.document()
    assert (ROOT / "docs/keys.md").read_text(encoding="utf-8") == page, "run `make parts`"
    assert "|  |\n" not in page  # each key says what it means


def test_the_examples_fit_the_schema_completely() -> None:
    whole = ready_studies.resolve("digits").model_dump(mode="json")
    for example in examples():
        for section, content in example.items():
            changed = {**whole, section: {**whole[section], **content}}
            assert Study.model_validate(changed).model_dump(mode="json") == changed


def test_metrics_of_which_more_is_better_are_named() -> None:
    [sentence] = re.findall(r"Higher is better for (.*?);", (ROOT / "docs/reading.md").read_text(), re.DOTALL)
    higher = {name for name, metric in catalogue().metrics.items() if metric.better == "higher"}
    assert {name for name in higher if not name.startswith("probe_")} == set(re.findall(r"`(\w+)`", sentence))


def test_the_readme_is_short_and_names_the_commands_of_both_engines() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) < 200
    for command in ("make run", "make test", "snakemake --cores 4 all", "dvc repro", "dvc metrics diff"):
        assert command in text


def test_every_target_of_make_on_a_page_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]
    named = {
        target for page in pages for target in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert named <= {*targets}

"""Races have turns, ratios and gates, and their results make a page."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import __main__ as command
from benchmarks import curves, page, processors
from benchmarks.race import Race, Side, race
from benchmarks.rows import Row

PYTHON = Path(sys.executable)


def sleeper(milliseconds: int) -> Side:
    return Side(PYTHON, "sleeper", "sleep", (str(milliseconds),))


def row(ours: int, gate: float = 2.0) -> Row:
    return Row(
        name="sleep",
        work="sleeping",
        unit="naps",
        against="a slow sleeper",
        gate=gate,
        aim=8.0,
        baseline=sleeper(200),
        ours=sleeper(ours),
        threads=1,
    )


def test_a_side_that_sleeps_a_tenth_as_long_is_faster() -> None:
    raced = race(sleeper(200), sleeper(20), threads=1, turns=3)
    assert len(raced.baseline) == len(raced.ours) == 3
    # A sleep may take longer on a busy machine, and never less.
    assert max(raced.baseline) <= 1 / 0.2 and max(raced.ours) <= 1 / 0.02
    assert raced.ratio > 2
    low, high = raced.spread
    assert low <= raced.ratio <= high
    assert 2**20 < raced.ours_peak < 2**30


def test_the_ratio_is_of_medians_and_the_spread_of_turns() -> None:
    raced = Race([1.0, 2.0, 30.0], [4.0, 6.0, 5.0], 0, 0)
    assert raced.ratio == 2.5 and raced.spread == (5 / 30, 4.0)


def test_a_failed_side_is_named_with_its_errors() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)sleeper.*broken.*the set-up failed"):
        race(Side(PYTHON, "sleeper", "broken"), sleeper(1), threads=1, turns=1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(processors, "kind", lambda: "amd-avx2")
    monkeypatch.setattr(command, "MEASURED", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(page, "RACES_PLOT", tmp_path / "performance.svg")
    monkeypatch.setattr(page, "CURVES_PLOT", tmp_path / "curves.svg")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, one: Row, *options: str) -> tuple[int, str]:
    monkeypatch.setattr(command, "ROWS", [one])
    result = CliRunner().invoke(command.main, ["--turns", "1", *options])
    return result.exit_code, result.output


def test_a_ratio_over_its_gate_passes_and_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, row(ours=20), "--keep")
    assert code == 0 and "ok" in output
    result = json.loads((folder / "amd-avx2.json").read_text())["sleep"]
    written = (folder / "performance.md").read_text()
    assert "## Races on AMD with AVX2" in written
    assert f"**{result['ratio']:.2f}**" in written and result["machine"] in written and result["date"] in written
    assert (folder / "performance.svg").read_text().count("<svg") == 1


def test_a_ratio_under_its_gate_fails_and_writes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, row(ours=200))
    assert code == 1 and "UNDER ITS GATE" in output and "under their gates on AMD with AVX2: sleep" in output
    assert not list(folder.iterdir())


def test_a_kind_of_processor_has_its_gate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast_with_amx = replace(row(ours=100, gate=1.2), gates={"amx": 7.0})
    assert run(monkeypatch, fast_with_amx)[0] == 0
    monkeypatch.setattr(processors, "kind", lambda: "intel-amx")
    code, output = run(monkeypatch, fast_with_amx, "--keep")
    assert code == 1 and "under their gates on Intel with AMX" in output
    (folder / "amd-avx2.json").write_text((folder / "intel-amx.json").read_text())
    page.write([fast_with_amx], folder)
    assert "7.00" in (written := (folder / "performance.md").read_text()) and "1.20" in written
    assert written.index("Races on AMD with AVX2") < written.index("Races on Intel with AMX")


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("vendor_id : GenuineIntel\nflags : avx2 avx512f amx_tile\n", "intel-amx", "Intel with AMX"),
        ("vendor_id : AuthenticAMD\nflags : fma avx2\n", "amd-avx2", "AMD with AVX2"),
        ("vendor_id : AuthenticAMD\nflags : avx2 avx512f\n", "amd-avx512", "AMD with AVX-512"),
        ("CPU implementer : 0x41\n", "other-aarch64", "another processor, aarch64"),
        (None, "other-aarch64", "another processor, aarch64"),
    ],
)
def test_a_processor_has_a_kind(
    text: str | None, kind: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "CPUS", tmp_path / "cpuinfo")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    if text is not None:
        processors.CPUS.write_text(text)
    assert processors.kind() == kind and processors.in_words(kind) == words
    for name in (f"{kind}.json", "curves.json"):
        (tmp_path / name).write_text("{}")
    assert list(processors.measured(tmp_path)) == [kind]


def test_points_on_a_line_give_that_line() -> None:
    points = [{"value": value, "seconds": 0.5 + 0.01 * value, "peak_bytes": 0} for value in (10, 20, 80)]
    intercept, slope, off = curves.fit_line(points)
    assert (intercept, slope) == pytest.approx((0.5, 0.01)) and off == pytest.approx(0, abs=1e-9)
    assert curves.fit_line([*points, {"value": 160, "seconds": 4.2, "peak_bytes": 0}])[2] > 0.05


def test_the_page_shows_every_kind_of_result(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [{"value": value, "seconds": 0.5 + 0.01 * value, "peak_bytes": 2**20} for value in (10, 20, 80)]
    device = {"device": "a processor", "cuda": False, "threads": 2, "precision": "32-true", "images_per_second": 310.0}
    rates = {"flops_per_second": 1.7e11, "bytes_per_second": 4e9}
    shares = {"share_of_product_ceiling": 0.45, "share_of_copy_ceiling": 0.24}
    apart = {"32": {"0": 1.0, "1": 2.0, "2": 3.0}, "bf16": {"0": 2.0, "1": 3.0, "2": 4.0}}
    alike = {"32": {"0": 1.0, "1": 2.0, "2": 3.0}, "bf16": {"0": 1.5, "1": 1.5, "2": 3.0}}
    measured: dict[str, object] = {
        "curves": {"train": {"axis": "images", "points": points}},
        "study": {"seconds": {"cold": 100.0}, "largest_process_bytes": 2**30},
        "roofline": {"a processor, 32-true": {**device, **rates, **shares}},
        "precision": {"digits": {"nll": {"cvae": apart, "vae": alike}}},
    }
    for name, content in measured.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    run(monkeypatch, row(ours=20), "--keep")
    written = (folder / "performance.md").read_text()
    assert "| train | images, 10 to 80 | 0.5 s + 10 ms each | 0% | 1 |" in written and "| cold | 100.0 |" in written
    assert "| a processor, 2 threads | 32-true | 310 | 0.17 | 45% | 4.0 | 24% |" in written
    assert "| digits | `nll` | `cvae` | 2.000 ± 2.484 | 3.000 ± 2.484 | 1.000 ± 0.000 (not 0) |" in written
    assert "| `vae` | 2.000 ± 2.484 | 2.000 ± 2.151 | 0.000 ± 1.242 |" in written
    assert "holds 0" not in written and (folder / "curves.svg").exists()

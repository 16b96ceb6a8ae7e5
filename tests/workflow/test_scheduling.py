import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SNAKEFILE = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from workflow.scheduling import lift_default_rate_limit

rule all:
    output: "made"
    shell: "touch {{output}}"

onstart:
    lift_default_rate_limit(workflow)

onsuccess:
    limiter = workflow.scheduler.job_rate_limiter
    open("limit", "w").write(limiter and f"{{limiter.max_jobs}} in {{limiter.timespan:g}} s" or "none")
"""


@pytest.mark.parametrize(
    ("options", "limit"), [([], "none"), (["--max-jobs-per-timespan", "5/2s"], "5 in 2 s")], ids=["default", "given"]
)
def test_only_a_given_limit_on_starts_remains(options: list[str], limit: str, tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *options]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "limit").read_text() == limit


def test_the_study_lifts_the_limit() -> None:
    assert "scheduling.lift_default_rate_limit(workflow)" in (ROOT / "Snakefile").read_text(encoding="utf-8")
